/*
 * processor.c - the faster of OpenSSL's routines for RSA on this processor.
 *
 * OpenSSL 3 takes its ADX code for RSA-2048 wherever there is ADX.  On AMD
 * processors its AVX2 code needs a tenth to a sixth less time (Zen 3,
 * docs/BENCHMARKS.md); those with AVX-512 IFMA have a faster one yet, which
 * is chosen anyway.  OpenSSL asks the environment once, when it is loaded.
 */
#include "milter/processor.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VARIABLE "OPENSSL_ia32cap"
#define NO_ADX	 ":~0x80000" /* bit 19 of the second vector */

#define AVX2	    (1u << 5)
#define ADX	    (1u << 19)
#define AVX512_IFMA (1u << 21)

static bool
is_adx_slower(void)
{
	unsigned a, b, c, d;

	if (!__get_cpuid(0, &a, &b, &c, &d) ||
	    b != signature_AMD_ebx || c != signature_AMD_ecx ||
	    d != signature_AMD_edx || !__get_cpuid_count(7, 0, &a, &b, &c, &d))
		return false;
	return (b & AVX2) != 0 && (b & ADX) != 0 && (b & AVX512_IFMA) == 0;
}

void
processor_choose(char **argv)
{
	char path[4096];
	ssize_t n;

	if (getenv(VARIABLE) != NULL || !is_adx_slower())
		return;
	n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (n <= 0 || setenv(VARIABLE, NO_ADX, 0) != 0)
		return;
	path[n] = '\0';
	execv(path, argv);
	unsetenv(VARIABLE);
}

#else

void
processor_choose(char **argv)
{
	(void)argv;
}

#endif
