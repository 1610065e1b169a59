/*
 * fuzz_engine.c - a whole message through a session into an MTA in memory: it
 * must verify, it must be possible to turn back, all else is as it came.
 *
 * First octet: & 7 the variant of world.h, 8 sendmail(1), 16 the null sender,
 * 32 a client that is none of ours, 64 8BITMIME, 128 SMTPUTF8.  Second: & 3
 * recipients beyond the first, 4 lines end as they come (else CRLF), the rest
 * how the body is cut.  Then the message.
 */
#include "tests/fuzz/claims.h"

#include "engine/session.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/world.h"

#define MAX_OUT (64u << 20)

struct mail {
	unsigned how, more;
	struct headers headers;
	struct str body;
};

/* One way through a session of its own. */
struct passage {
	struct arena *arena;
	struct session_env env;
	struct session *session;
	struct mta_memory mta;
	struct outcome outcome;
};

static struct keyring *
the_keyring(void *arg)
{
	(void)arg;
	return keyring_ref(world_keyring());
}

/* Text with CRLF for each LF that has no CR. */
static struct str
as_crlf(struct arena *a, struct str text)
{
	struct buf b;
	struct str out;

	buf_init(&b, MAX_OUT);
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\n' && (i == 0 || text.p[i - 1] != '\r'))
			buf_char(&b, '\r');
		buf_char(&b, text.p[i]);
	}
	out = fuzz_exact(a, buf_view(&b));
	buf_free(&b);
	return out;
}

static void
read_mail(struct arena *a, struct fuzz_input *in, struct mail *mail)
{
	struct str text;
	size_t body = 0;

	mail->how = fuzz_byte(in);
	mail->more = fuzz_byte(in);
	text = fuzz_rest(in, a);
	headers_init(&mail->headers, a);
	headers_parse(&mail->headers, text, &body);
	mail->body = str_sub(text, body, text.n);
	if ((mail->more & 4) == 0)
		mail->body = as_crlf(a, mail->body);
}

static void
open_passage(struct passage *p, const struct mail *mail)
{
	char daemon[3] = { 'v', (char)('0' + mail->how % WORLD_VARIANTS), 0 };
	struct client client = { .has_addr = (mail->how & 8) == 0,
		.is_sendmail = (mail->how & 8) != 0,
		.daemon = str_from(daemon) };

	p->arena = arena_new();
	p->env = (struct session_env){ .keyring = the_keyring,
		.clock = clock_fixed(WORLD_TIME * INT64_C(1000000)),
		.is_quiet = true, .wants_notes = true };
	EXPECT(net_parse_addr((mail->how & 32) != 0 ? STR("192.0.2.1") :
	    STR("127.0.0.1"), &client.addr) == 0);
	p->session = session_new(&p->env);
	session_connect(p->session, &client);
	mta_memory_init(&p->mta, p->arena);
}

static bool
send_envelope(struct session *s, const struct mail *mail)
{
	static const char *const to[] = { "<User@Example.NET>",
		"second@example.org", "<\"x y\"@b\303\274cher.example>",
		"root" };

	if (!session_mail(s, (mail->how & 16) != 0 ? STR("<>") :
	    STR("<news@example.com>"), (mail->how & 128) != 0 ?
	    STR("BODY=8BITMIME SMTPUTF8") : (mail->how & 64) != 0 ?
	    STR("BODY=8BITMIME") : STR("")))
		return false;
	for (unsigned i = 0; i <= (mail->more & 3); i++)
		session_rcpt(s, str_from(to[i]));
	return true;
}

static void
send_body(struct session *s, struct str body, size_t chunk)
{
	for (size_t at = 0; at < body.n; at += chunk)
		session_body(s, str_sub(body, at, at + chunk));
}

static void
send_mail(struct passage *p, const struct mail *mail, size_t chunk)
{
	bool is_ours = send_envelope(p->session, mail);

	for (size_t i = 0; i < mail->headers.n; i++) {
		const struct header *f = &mail->headers.v[i];

		session_header(p->session, f->name, f->value);
		mta_memory_header(&p->mta, f->name, f->value);
	}
	send_body(p->session, mail->body, chunk);
	mta_memory_body(&p->mta, mail->body);
	p->outcome = (struct outcome){ .arena = p->arena,
		.came = &mail->headers, .body = mail->body, .mta = &p->mta };
	p->outcome.verdict = session_end(p->session, STR("4abcDEF"),
	    &p->mta.mta);
	p->outcome.m = session_message(p->session);
	EXPECT(is_ours == (p->outcome.m != NULL));
}

static void
close_passage(struct passage *p)
{
	session_free(&p->session);
	arena_free(&p->arena);
}

/* A session that saw other mail before, cut in other places: the same. */
static void
check_again(const struct mail *mail, const struct passage *first, size_t chunk)
{
	struct buf a, b;
	struct passage p;

	buf_init(&a, MAX_OUT);
	buf_init(&b, MAX_OUT);
	open_passage(&p, mail);
	if (send_envelope(p.session, mail)) {
		session_header(p.session, STR("From"), STR(" x@example.com"));
		session_body(p.session, mail->body);
	}
	session_abort(p.session);
	send_mail(&p, mail, chunk);
	EXPECT(p.outcome.verdict == first->outcome.verdict);
	EXPECT(mta_memory_write(&p.mta, "\r\n", &a) == 0);
	EXPECT(mta_memory_write(&first->mta, "\r\n", &b) == 0);
	EXPECT_SAME(buf_view(&a), buf_view(&b));
	EXPECT_SAME(p.mta.sender, first->mta.sender);
	close_passage(&p);
	buf_free(&a);
	buf_free(&b);
}

/* What was done comes back from a content filter: nothing is done again. */
static void
check_reentry(const struct mail *mail, const struct passage *first)
{
	struct arena *a = first->arena;
	struct mail done = { .how = mail->how, .more = mail->more,
		.body = first->mta.body };
	struct passage p;

	headers_init(&done.headers, a);
	for (size_t i = 0; i < first->mta.nfields; i++)
		headers_append(&done.headers, first->mta.fields[i].name,
		    first->mta.fields[i].value);
	open_passage(&p, &done);
	send_mail(&p, &done, 65535);
	EXPECT(p.outcome.verdict == VERDICT_PASS);
	claims_same(&p.outcome);
	close_passage(&p);
}

static void
check_reply(const struct outcome *o)
{
	const struct reply *r = &o->mta->reply;

	EXPECT((r->code[0] == '4' || r->code[0] == '5') &&
	    r->status[0] == r->code[0]);
	for (size_t i = 0; r->text[i] != '\0'; i++)
		EXPECT(r->text[i] >= ' ' && r->text[i] < 127);
}

static void
check(const struct outcome *o, uint32_t hash)
{
	if (o->verdict == VERDICT_TEMPFAIL)
		fuzz_fail(world_last_log(), __FILE__, __LINE__);
	if (o->verdict == VERDICT_REJECT)
		check_reply(o);
	if (o->verdict != VERDICT_ACCEPT) {
		claims_same(o);
		return;
	}
	EXPECT(o->m != NULL);
	claims_fields(o);
	claims_sender(o);
	claims_body(o);
	claims_hazards(o);
	claims_signatures(o, fuzz_is_one_in(8, hash));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	uint32_t hash = fuzz_hash(str_make((const char *)data, size));
	struct arena *a = arena_new();
	struct passage p;
	struct mail mail;

	read_mail(a, &in, &mail);
	open_passage(&p, &mail);
	send_mail(&p, &mail, 65535);
	check(&p.outcome, hash);
	if (fuzz_is_one_in(16, hash + 1))
		check_again(&mail, &p, 1 + (mail.more >> 3) * 17);
	if (fuzz_is_one_in(16, hash + 2) && p.outcome.verdict == VERDICT_ACCEPT)
		check_reentry(&mail, &p);
	close_passage(&p);
	arena_free(&a);
	return 0;
}
