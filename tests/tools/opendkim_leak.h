/*
 * opendkim_leak.h - what the leak checker is told in programs that sign with
 * libopendkim.  Included by one file of a program.
 */
#ifndef BULKHEAD_TESTS_OPENDKIM_LEAK_H
#define BULKHEAD_TESTS_OPENDKIM_LEAK_H

#if defined(__SANITIZE_ADDRESS__)
/*
 * libopendkim frees no Ed25519 key (its issue #243); the frames of libcrypto
 * hide who allocated it.
 */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
	return "leak:libopendkim\nleak:libcrypto\n";
}

const char *__lsan_default_options(void);
const char *
__lsan_default_options(void)
{
	return "print_suppressions=0";
}
#endif

#endif
