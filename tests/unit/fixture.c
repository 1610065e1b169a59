/*
 * fixture.c - a small installation for engine tests.
 */
#include "fixture.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/file.h"

static const char *const files[] = { "rsa.pem", "ed.pem", "service.pem",
	"token.keys", "return-path.keys", "conf" };

static struct str
path(struct fixture *f, const char *name)
{
	return arena_printf(f->arena, "%s/%s", f->dir, name);
}

static void
write_file(struct fixture *f, const char *name, struct str content)
{
	assert_int_equal(file_create(path(f, name).p, 0600, content), 0);
}

static struct str
key_line(struct fixture *f, int seed)
{
	char key[64], text[BASE64_SIZE(64)];

	memset(key, seed, sizeof(key));
	return arena_printf(f->arena, "2026a %.*s\n",
	    (int)base64_write(text, key, sizeof(key)), text);
}

static unsigned nopen; /* installations at a time */

/*
 * Two RSA keys for one installation after the other: to make one takes a tenth
 * of a second, and what is tested is not how.  A second one beside the first
 * has keys of its own.
 */
static struct str
rsa_key(struct fixture *f, size_t i)
{
	static char *kept[2];
	struct str pem;

	if (kept[i] != NULL && nopen == 1)
		return str_from(kept[i]);
	pem = dkim_key_create(f->arena, DKIM_RSA_SHA256, 2048);
	if (kept[i] == NULL) {
		kept[i] = strndup(pem.p, pem.n);
		assert_non_null(kept[i]);
	}
	return pem;
}

static const char template[] =
    "store = \"sqlite:/tmp\"\n"
    "token-keys = \"%s/token.keys\"\n"
    "return-path-keys = \"%s/return-path.keys\"\n"
    "milter { socket = \"unix:/tmp/none.sock\" %s }\n"
    "domain \"example.com\" {\n"
    "  sign \"s2026a\" { key = \"%s/rsa.pem\" }\n"
    "  sign \"e2026a\" { key = \"%s/ed.pem\" }\n"
    "  tracking-url = \"https://t.example.com\"\n"
    "  return-path-domain = \"b.example.com\"\n"
    "  unsubscribe-mailto = \"unsubscribe@b.example.com\"\n"
    "}\n"
    "domain \"mailer.example\" {\n"
    "  sign \"m1\" { key = \"%s/service.pem\" }\n"
    "  tracking-url = \"https://t.mailer.example\"\n"
    "  return-path-domain = \"b.mailer.example\"\n"
    "}\n"
    "%s";

void
fixture_open(struct fixture *f, const char *extra)
{
	fixture_open_with(f, "", extra);
}

void
fixture_open_with(struct fixture *f, const char *milter, const char *extra)
{
	struct buf errors;
	struct settings *settings;

	memset(f, 0, sizeof(*f));
	nopen++;
	f->arena = arena_new();
	snprintf(f->dir, sizeof(f->dir), "/tmp/bulkhead-engine-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	write_file(f, "rsa.pem", rsa_key(f, 0));
	write_file(f, "ed.pem",
	    dkim_key_create(f->arena, DKIM_ED25519_SHA256, 0));
	write_file(f, "service.pem", rsa_key(f, 1));
	write_file(f, "token.keys", key_line(f, 't'));
	write_file(f, "return-path.keys", key_line(f, 'r'));
	write_file(f, "conf",
	    arena_printf(f->arena, template, f->dir, f->dir, milter, f->dir,
		f->dir, f->dir, extra));
	buf_init(&errors, 65536);
	settings = settings_load(path(f, "conf").p, &errors);
	if (settings != NULL)
		f->keyring = keyring_load(settings,
		    KEYRING_DKIM | KEYRING_TOKEN | KEYRING_RETURN_PATH,
		    &errors);
	if (f->keyring == NULL)
		fail_msg("settings: %.*s", STR_ARG(buf_view(&errors)));
	settings_free(&settings);
	buf_free(&errors);
}

void
fixture_close(struct fixture *f)
{
	nopen--;
	session_free(&f->session);
	keyring_free(&f->keyring);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlink(path(f, files[i]).p);
	rmdir(f->dir);
	arena_free(&f->arena);
}

static struct keyring *
the_keyring(void *arg)
{
	return keyring_ref(((struct fixture *)arg)->keyring);
}

static void
connect_client(struct fixture *f, const struct fixture_sender *from)
{
	struct client client = { .has_addr = true,
		.is_sendmail = from->is_sendmail,
		.mta = str_from(from->mta) };
	const char *addr = from->client ? from->client : "127.0.0.1";

	assert_int_equal(net_parse_addr(str_from(addr), &client.addr), 0);
	session_connect(f->session, &client);
	session_login(f->session, str_from(from->sasl_user));
}

/* text with CRLF in a heap block of exactly its size. */
static struct str
as_crlf(struct fixture *f, struct str text)
{
	struct buf b;
	struct str out;

	buf_init(&b, 64 << 20);
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\n')
			buf_char(&b, '\r');
		buf_char(&b, text.p[i]);
	}
	out = exact(f->arena, buf_view(&b));
	buf_free(&b);
	return out;
}

static void
feed(struct fixture *f, struct str text)
{
	struct headers h;
	struct str body;
	size_t at;

	headers_init(&h, f->arena);
	headers_parse(&h, exact(f->arena, text), &at);
	mta_memory_init(&f->mta, f->arena);
	for (size_t i = 0; i < h.n; i++) {
		session_header(f->session, h.v[i].name, h.v[i].value);
		mta_memory_header(&f->mta, h.v[i].name, h.v[i].value);
	}
	body = as_crlf(f, str_sub(text, at, text.n));
	session_body(f->session, body);
	mta_memory_body(&f->mta, body);
}

void
fixture_send(struct fixture *f, const struct fixture_sender *from,
    const char *message)
{
	struct buf out;

	f->env = (struct session_env){ .keyring = the_keyring, .arg = f,
		.clock = clock_fixed(
		    (FIXTURE_TIME + f->later) * INT64_C(1000000)),
		.policy = f->policy,
		.event = f->event, .event_arg = f->event_arg,
		.metrics = &f->metrics, .is_quiet = !f->is_loud,
		.wants_notes = true };
	if (f->session == NULL)
		f->session = session_new(&f->env);
	connect_client(f, from);
	session_mail(f->session,
	    str_from(from->from ? from->from : "news@example.com"),
	    str_from(from->args));
	session_rcpt(f->session,
	    str_from(from->to[0] ? from->to[0] : "User@Example.NET"));
	for (size_t i = 1; i < 4 && from->to[i] != NULL; i++)
		session_rcpt(f->session, str_from(from->to[i]));
	feed(f, str_from(message));
	f->verdict = session_end(f->session, STR("4abcDEF"), &f->mta.mta);
	buf_init(&out, 256 << 20);
	assert_int_equal(mta_memory_write(&f->mta, "\n", &out), 0);
	f->out = arena_copy(f->arena, buf_view(&out));
	buf_free(&out);
}

const struct message *
fixture_message(const struct fixture *f)
{
	return session_message(f->session);
}

unsigned
fixture_count(const struct fixture *f, const char *needle)
{
	struct str n = str_from(needle);
	unsigned count = 0;

	for (size_t at = 0; (at = str_find(f->out, n, at)) < f->out.n; at++)
		count++;
	return count;
}

unsigned
fixture_fields(const struct fixture *f, const char *name)
{
	unsigned count = 0;

	for (size_t i = 0; i < f->mta.nfields; i++)
		if (str_ieq(f->mta.fields[i].name, str_from(name)))
			count++;
	return count;
}

struct str
fixture_url(struct fixture *f, const char *start)
{
	size_t at = str_find(f->out, str_from(start), 0), end = at;

	if (at == f->out.n)
		fail_msg("no %s in:\n%.*s", start, STR_ARG(f->out));
	while (end < f->out.n && strchr("\"'> \n<", f->out.p[end]) == NULL)
		end++;
	return str_sub(f->out, at, end);
}
