/*
 * world.c - an installation in memory.  It also takes the place of base/log:
 * a log line for each message would be most of the work.
 */
#include "tests/fuzz/world.h"

#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/log.h"
#include "tests/fuzz/fuzz.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static char last_log[1000];

void
log_open(const char *program, enum log_target target)
{
	(void)program;
	(void)target;
}

#define KEEP_LINE(fmt)                                                         \
	do {                                                                   \
		va_list ap;                                                    \
		va_start(ap, fmt);                                             \
		vsnprintf(last_log, sizeof(last_log), fmt, ap);                \
		va_end(ap);                                                    \
	} while (0)

void
log_error(const char *fmt, ...)
{
	KEEP_LINE(fmt);
}

void
log_warning(const char *fmt, ...)
{
	KEEP_LINE(fmt);
}

void
log_info(const char *fmt, ...)
{
	KEEP_LINE(fmt);
}

const char *
world_last_log(void)
{
	return last_log;
}

/* A file without a name, open as long as the program runs; its path. */
static const char *
keep_file(struct arena *a, struct str content)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	EXPECT(fd >= 0 && fchmod(fd, 0600) == 0);
	EXPECT(file_write_all(fd, content) == 0);
	return arena_printf(a, "/proc/self/fd/%d", fd).p;
}

static struct str
key_line(struct arena *a, int seed)
{
	char key[64], text[BASE64_SIZE(64)];

	memset(key, seed, sizeof(key));
	return arena_printf(a, "2026a %.*s\n",
	    (int)base64_write(text, key, sizeof(key)), text);
}

/*
 * example.com signs with Ed25519 alone, as RSA would take most of the time;
 * the service, which only some variants know, with RSA.
 */
static const char domains[] =
    "store = \"sqlite:/tmp\"\n"
    "token-keys = \"%s\"\n"
    "return-path-keys = \"%s\"\n"
    "milter { socket = \"unix:/tmp/none.sock\" }\n"
    "domain \"example.com\" {\n"
    "  sign \"e2026a\" { key = \"%s\" }\n"
    "  tracking-url = \"https://t.example.com\"\n"
    "  return-path-domain = \"b.example.com\"\n"
    "  unsubscribe-mailto = \"unsubscribe@b.example.com\"\n"
    "}\n"
    "domain \"mailer.example\" {\n"
    "  sign \"m1\" { key = \"%s\" }\n"
    "  tracking-url = \"http://t.mailer.example:8080/base\"\n"
    "  return-path-domain = \"b.mailer.example\"\n"
    "}\n";

/* Variant 7 has no stream: its mail is signed, no more. */
static const char *const streams[WORLD_VARIANTS - 1] = {
	"unsubscribe = one-click track = { clicks, opens } return-path = true",
	"unsubscribe = one-click track = { clicks, opens } return-path = true"
	" existing-unsubscribe = replace also-sign = { \"mailer.example\" }"
	" campaign = autumn",
	"unsubscribe = header track = { clicks } several-recipients = reject",
	"unsubscribe = one-click track = { clicks, opens }"
	" control-headers = pass",
	"unsubscribe = none track = { }",
	"unsubscribe = one-click track = { clicks, opens } return-path = true"
	" domain = \"mailer.example\" envelope-domain = true"
	" no-track-hosts = { \"*.example.org\", \"x.example\" }",
	"unsubscribe = header track = { opens } encode = false",
};

static struct str
settings_text(struct arena *a)
{
	struct str rsa = dkim_key_create(a, DKIM_RSA_SHA256, 1024);
	struct str ed = dkim_key_create(a, DKIM_ED25519_SHA256, 0);
	struct str text = arena_printf(a, domains,
	    keep_file(a, key_line(a, 't')), keep_file(a, key_line(a, 'r')),
	    keep_file(a, ed), keep_file(a, rsa));

	for (size_t i = 0; i < COUNT(streams); i++)
		text = arena_printf(a,
		    "%.*sstream v%zu { match { daemon = v%zu }\n%s }\n",
		    STR_ARG(text), i, i, streams[i]);
	return text;
}

static struct keyring *
make_keyring(void)
{
	struct arena *a = arena_new();
	struct settings *settings;
	struct keyring *k = NULL;
	struct buf errors;

	buf_init(&errors, 1 << 20);
	settings = settings_load(keep_file(a, settings_text(a)), &errors);
	if (settings != NULL)
		k = keyring_load(settings, KEYRING_DKIM | KEYRING_TOKEN |
		    KEYRING_RETURN_PATH, &errors);
	if (k == NULL)
		fprintf(stderr, "%.*s", STR_ARG(buf_view(&errors)));
	EXPECT(k != NULL);
	settings_free(&settings);
	buf_free(&errors);
	arena_free(&a);
	return k;
}

struct keyring *
world_keyring(void)
{
	static struct keyring *keyring;

	if (keyring == NULL)
		keyring = make_keyring();
	return keyring;
}

const char *
world_records(void)
{
	static char path[64];
	struct keyring *k = world_keyring();
	struct arena *a = arena_new();
	struct str text = STR("");

	for (size_t i = 0; path[0] == '\0' && i < k->settings->ndomains; i++)
		for (size_t n = 0; n < k->domains[i].nkeys; n++)
			text = arena_printf(a,
			    "%.*s%.*s._domainkey.%.*s %.*s\n", STR_ARG(text),
			    STR_ARG(k->domains[i].keys[n].selector),
			    STR_ARG(k->domains[i].domain->name),
			    STR_ARG(dkim_key_record(k->domains[i].keys[n].key,
				a)));
	if (path[0] == '\0')
		snprintf(path, sizeof(path), "%s", keep_file(a, text));
	arena_free(&a);
	return path;
}
