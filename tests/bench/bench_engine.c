/*
 * bench_engine.c - thread CPU a message in the engine: a generated newsletter
 * of 52 KB (CRLF, multipart/alternative, quoted-printable, 40 links, one
 * recipient), RSA-2048 and Ed25519.  Prints the median, each stage's mean, and
 * for scale what a bare RSA-2048 signature costs in the same run: machines and
 * hours differ by a factor of four.  Asserts nothing.
 */
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/file.h"
#include "engine/session.h"
#include "engine/stage.h"
#include "tests/bench/shapes.h"

static int
take_path(struct mta *mta, struct str a, struct str b)
{
	(void)mta;
	(void)a;
	(void)b;
	return 0;
}

static int
take_recipient(struct mta *mta, struct str raw)
{
	(void)mta;
	(void)raw;
	return 0;
}

static int
take_index(struct mta *mta, struct str name, unsigned index)
{
	(void)mta;
	(void)name;
	(void)index;
	return 0;
}

static int
take_change(struct mta *mta, struct str name, unsigned index, struct str value)
{
	(void)value;
	return take_index(mta, name, index);
}

static int
take_body(struct mta *mta, const struct splices *edits, struct str body)
{
	(void)mta;
	(void)edits;
	(void)body;
	return 0;
}

static int
take_reply(struct mta *mta, const char *code, const char *status,
    const char *text)
{
	(void)mta;
	fprintf(stderr, "refused: %s %s %s\n", code, status, text);
	exit(1);
}

static const struct mta_ops null_ops = { take_path, take_recipient, take_index,
	take_change, take_path, take_path, take_body, take_reply };

static void
write_new(struct arena *a, const char *dir, const char *name, struct str text)
{
	if (file_create(arena_printf(a, "%s/%s", dir, name).p, 0600, text)) {
		perror(name);
		exit(1);
	}
}

static struct keyring *
make_keyring(struct arena *a, const char *dir)
{
	char key[64] = "a fixed key: this is a bench", text[BASE64_SIZE(64)];
	struct str line = arena_printf(a, "2026a %.*s\n",
	    (int)base64_write(text, key, sizeof(key)), text);
	struct settings *settings;
	struct keyring *k = NULL;
	struct buf errors;

	write_new(a, dir, "rsa.pem",
	    dkim_key_create(a, DKIM_RSA_SHA256, 2048));
	write_new(a, dir, "ed.pem",
	    dkim_key_create(a, DKIM_ED25519_SHA256, 0));
	write_new(a, dir, "keys", line);
	write_new(a, dir, "conf", arena_printf(a,
	    "token-keys = \"%s/keys\"\nreturn-path-keys = \"%s/keys\"\n"
	    "milter { socket = \"unix:/tmp/none\" }\n"
	    "domain \"example.com\" {\n"
	    "sign \"s\" { key = \"%s/rsa.pem\" }\n"
	    "sign \"e\" { key = \"%s/ed.pem\" }\n"
	    "tracking-url = \"https://t.example.com\"\n"
	    "return-path-domain = \"b.example.com\"\n"
	    "unsubscribe-mailto = \"u@b.example.com\" }\n"
	    "stream \"newsletter\" { unsubscribe = one-click\n"
	    "track = { clicks, opens }\nreturn-path = true }\n",
	    dir, dir, dir, dir));
	buf_init(&errors, 65536);
	settings = settings_load(arena_printf(a, "%s/conf", dir).p, &errors);
	if (settings != NULL)
		k = keyring_load(settings, KEYRING_DKIM | KEYRING_TOKEN |
		    KEYRING_RETURN_PATH, &errors);
	fprintf(stderr, "%.*s", STR_ARG(buf_view(&errors)));
	settings_free(&settings);
	buf_free(&errors);
	return k;
}

static struct keyring *
the_keyring(void *arg)
{
	return keyring_ref(arg);
}

/* One message through the session; microseconds of its end of message. */
static int64_t
send_one(struct session *s, struct str body, unsigned n)
{
	struct mta mta = { &null_ops };
	char recipient[64];
	int64_t start;

	snprintf(recipient, sizeof(recipient), "<user%u@example.net>", n);
	session_mail(s, STR("<news@example.com>"), STR(""));
	session_rcpt(s, str_from(recipient));
	for (const struct shape_field *h = shape_header(SHAPE_NEWSLETTER);
	     h->name != NULL; h++)
		session_header(s, str_from(h->name), str_from(h->value));
	session_body(s, body);
	start = clock_thread_cpu();
	if (session_end(s, STR("4bench"), &mta) != VERDICT_ACCEPT ||
	    session_message(s)->nlinks != SHAPE_LINKS) {
		fprintf(stderr, "unexpected outcome: %u links\n",
		    session_message(s)->nlinks);
		exit(1);
	}
	return clock_thread_cpu() - start;
}

static int
by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Median CPU of an RSA-2048 signature by OpenSSL alone. */
static int64_t
bare_signature(unsigned runs)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	unsigned char text[512] = { 0 }, signature[512];
	int64_t *v = mem_alloc(runs * sizeof(*v)), median;

	for (unsigned i = 0; i < runs; i++) {
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();
		size_t n = sizeof(signature);
		int64_t start = clock_thread_cpu();

		EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key);
		EVP_DigestSign(ctx, signature, &n, text, sizeof(text));
		v[i] = clock_thread_cpu() - start;
		EVP_MD_CTX_free(ctx);
	}
	qsort(v, runs, sizeof(*v), by_size);
	median = v[runs / 2];
	free(v);
	EVP_PKEY_free(key);
	return median;
}

static void
run(struct keyring *k, struct str body, unsigned runs)
{
	struct metrics metrics = { 0 };
	int64_t *v = mem_alloc(runs * sizeof(*v));
	struct session_env env = { .keyring = the_keyring, .arg = k,
		.clock = clock_system(), .is_quiet = true };
	struct session *s = session_new(&env);
	struct client client = { .has_addr = true, .is_sendmail = true };

	net_parse_addr(STR("127.0.0.1"), &client.addr);
	session_connect(s, &client);
	for (unsigned i = 0; i < 20; i++)
		send_one(s, body, i);
	for (unsigned i = 0; i < runs; i++)
		v[i] = send_one(s, body, i);
	qsort(v, runs, sizeof(*v), by_size);
	printf("messages %u, %zu octets: thread CPU us a message: median %lld, "
	       "p10 %lld, p99 %lld\n", runs, body.n, (long long)v[runs / 2],
	    (long long)v[runs / 10], (long long)v[runs * 99 / 100]);
	printf("  for scale: a bare RSA-2048 signature %lld us\n",
	    (long long)bare_signature(runs));
	env.metrics = &metrics;
	for (unsigned i = 0; i < runs; i++)
		send_one(s, body, i);
	for (size_t i = 0; i < STAGE_COUNT; i++)
		printf("  %-12s %6.1f us\n", stage_table[i].name,
		    (double)metrics.stages[i].nanos / 1000 / runs);
	session_free(&s);
	free(v);
}

int
main(int argc, char **argv)
{
	char dir[] = "/tmp/bulkhead-bench-XXXXXX";
	struct arena *a = arena_new();
	struct keyring *k;
	struct buf body;

	if (mkdtemp(dir) == NULL)
		return 1;
	k = make_keyring(a, dir);
	buf_init(&body, 1 << 20);
	shape_body(SHAPE_NEWSLETTER, &body);
	if (k != NULL)
		run(k, buf_view(&body),
		    argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1000);
	buf_free(&body);
	keyring_free(&k);
	for (const char *const *n = (const char *const[]){ "rsa.pem", "ed.pem",
		 "keys", "conf", NULL }; *n != NULL; n++)
		unlink(arena_printf(a, "%s/%s", dir, *n).p);
	rmdir(dir);
	arena_free(&a);
	return 0;
}
