/*
 * test_session.c - sessions in any order of events: nothing of one message
 * gets into the next, all memory comes back, and what there is no room for is
 * refused.
 */
#include "fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/spool.h"

#define STREAM                                                                 \
	"stream \"newsletter\" {\n"                                            \
	"  match { header = { \"List-Id\" } }\n"                               \
	"  unsubscribe = one-click\n"                                          \
	"  track = { clicks, opens }\n"                                        \
	"  return-path = true\n"                                               \
	"}\n"

#define MAX_ITEMS 64

/* What a message was made of, as text that outlives the session's copy. */
struct script {
	bool is_trusted, is_begun;
	struct str user, sender, args;
	struct str recipients[MAX_ITEMS];
	struct str headers[MAX_ITEMS][2];
	struct str chunks[MAX_ITEMS];
	size_t nrecipients, nheaders, nchunks;
};

struct bench {
	struct fixture f;
	struct budget budget;
	struct session_env env;
};

static struct keyring *
the_keyring(void *arg)
{
	return keyring_ref(((struct fixture *)arg)->keyring);
}

static void
bench_open(struct bench *b, const char *milter)
{
	fixture_open_with(&b->f, milter, STREAM);
	budget_init(&b->budget, 0);
	b->env = (struct session_env){ .keyring = the_keyring, .arg = &b->f,
		.clock = clock_fixed(FIXTURE_TIME * INT64_C(1000000)),
		.budget = &b->budget, .in_memory = 3000, .is_quiet = true };
}

static void
bench_close(struct bench *b)
{
	assert_int_equal(budget_used(&b->budget), 0);
	fixture_close(&b->f);
}

static void
connect_as(struct session *s, bool is_trusted)
{
	struct client client = { .has_addr = true };

	net_parse_addr(is_trusted ? STR("127.0.0.1") : STR("203.0.113.9"),
	    &client.addr);
	session_connect(s, &client);
}

static struct str
join_body(struct arena *a, const struct script *t)
{
	return arena_join(a, t->chunks, t->nchunks);
}

/* What Postfix would hold: before the edits, and after session_end(). */
static void
give_to_mta(struct mta_memory *mta, struct arena *a, const struct script *t)
{
	mta_memory_init(mta, a);
	for (size_t i = 0; i < t->nheaders; i++)
		mta_memory_header(mta, t->headers[i][0], t->headers[i][1]);
	mta_memory_body(mta, join_body(a, t));
}

static struct str
written(struct arena *a, const struct mta_memory *mta)
{
	struct buf out;
	struct str text;

	buf_init(&out, 64 << 20);
	assert_int_equal(mta_memory_write(mta, "\n", &out), 0);
	text = arena_copy(a, buf_view(&out));
	buf_free(&out);
	return text;
}

/* The same message, all in memory, in a session that has seen no other. */
static void
play_afresh(struct bench *b, const struct script *t, struct mta_memory *mta,
    enum verdict *verdict)
{
	struct session_env env = b->env;
	struct session *s;

	env.budget = NULL;
	env.in_memory = SIZE_MAX;
	s = session_new(&env);
	connect_as(s, t->is_trusted);
	session_login(s, t->user);
	assert_int_equal(session_mail(s, t->sender, t->args), t->is_begun);
	for (size_t i = 0; i < t->nrecipients; i++)
		session_rcpt(s, t->recipients[i]);
	for (size_t i = 0; i < t->nheaders; i++)
		session_header(s, t->headers[i][0], t->headers[i][1]);
	for (size_t i = 0; i < t->nchunks; i++)
		session_body(s, t->chunks[i]);
	*verdict = session_end(s, STR("4abc"), &mta->mta);
	session_free(&s);
}

static void
compare(struct bench *b, const struct script *t, const struct mta_memory *got,
    enum verdict verdict)
{
	struct arena *a = arena_new();
	struct mta_memory want;
	enum verdict wanted;

	give_to_mta(&want, a, t);
	play_afresh(b, t, &want, &wanted);
	assert_int_equal(verdict, wanted);
	assert_string_equal(got->reply.text, want.reply.text);
	expect_str("sender", got->sender, want.sender);
	expect_str("message", written(a, got), written(a, &want));
	arena_free(&a);
}

static uint64_t
next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state >> 11;
}

struct player {
	struct bench *b;
	struct session *s;
	struct script t;
	bool is_trusted;   /* the connection */
	bool has_message;  /* under way, not ended */
	bool was_short;	   /* of memory while it was under way */
	struct str user;
	size_t held_back;  /* of the budget, by the test */
	uint64_t random;
	unsigned nended, nrefused, nspilled;
};

/* Lines of text, as a header value has them and as a body. */
static char long_value[4000], page[5000];

static void
fill(char *text, size_t n, const char *eol)
{
	memset(text, 'a', n);
	for (size_t i = 70; i + 2 < n; i += 70)
		memcpy(text + i, eol, 2);
}

static void
fill_texts(void)
{
	fill(long_value, sizeof(long_value), "\n ");
	fill(page, sizeof(page), "\r\n");
	memcpy(page + sizeof(page) - 2, "\r\n", 2);
}

/* A copy that the session must not keep: freed when the call is over. */
static char *
fleeting(struct str s, struct str *out)
{
	char *p = malloc(s.n ? s.n : 1);

	assert_non_null(p);
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	*out = str_make(p, s.n);
	return p;
}

static void
do_connect(struct player *p)
{
	p->is_trusted = next_random(&p->random) % 4 != 0;
	connect_as(p->s, p->is_trusted);
	p->user = STR("");
	p->has_message = false;
}

static void
do_login(struct player *p)
{
	struct str user;
	char *copy;

	if (p->has_message) /* Postfix knows no AUTH inside a transaction */
		return;
	p->user = next_random(&p->random) % 2 ? STR("ann@example.com") :
						STR("");
	copy = fleeting(p->user, &user);
	session_login(p->s, user);
	free(copy);
}

static void
do_mail(struct player *p)
{
	static const struct str senders[] = { { "<>", 2 },
		{ "<news@example.com>", 18 }, { "broken@@", 8 },
		{ "<other@example.org>", 19 } };
	struct str sender = senders[next_random(&p->random) % 4], path;
	char *copy = fleeting(sender, &path);

	p->t = (struct script){ .is_trusted = p->is_trusted, .user = p->user,
		.sender = sender,
		.args = next_random(&p->random) % 2 ? STR("") :
						      STR("SMTPUTF8") };
	p->t.is_begun = session_mail(p->s, path, p->t.args);
	free(copy);
	assert_int_equal(p->t.is_begun, p->is_trusted || p->user.n > 0);
	p->has_message = p->t.is_begun;
	p->was_short = p->held_back > 0;
}

static void
do_rcpt(struct player *p)
{
	static const struct str paths[] = { { "<ann@example.net>", 17 },
		{ "bob@example.net", 15 }, { "<>", 2 }, { "", 0 },
		{ "<\"c d\"@example.net>", 19 } };
	struct str path = paths[next_random(&p->random) % 5], copied;
	char *copy;

	if (p->t.nrecipients == MAX_ITEMS)
		return;
	copy = fleeting(path, &copied);
	session_rcpt(p->s, copied);
	free(copy);
	if (p->has_message)
		p->t.recipients[p->t.nrecipients++] = path;
}

static void
do_header(struct player *p)
{
	const struct str fields[][2] = {
		{ { "From", 4 }, { " News <news@example.com>", 24 } },
		{ { "From", 4 }, { " <news@example.com>", 19 } },
		{ { "To", 2 }, { " ann@example.net", 16 } },
		{ { "Subject", 7 }, { " One\n\tand two", 13 } },
		{ { "List-Id", 7 }, { " <news.example.com>", 19 } },
		{ { "Content-Type", 12 }, { " text/html", 10 } },
		{ { "Content-Transfer-Encoding", 25 },
		    { " quoted-printable", 17 } },
		{ { "X-Empty", 7 }, { "", 0 } },
		{ { "Message-ID", 10 }, { " <1@example.com>", 16 } },
		{ { "X-Words", 7 }, { long_value, sizeof(long_value) } },
	};
	size_t which = next_random(&p->random) % 10;
	struct str name, value;
	char *copies[2];

	if (p->t.nheaders == MAX_ITEMS)
		return;
	copies[0] = fleeting(fields[which][0], &name);
	copies[1] = fleeting(fields[which][1], &value);
	session_header(p->s, name, value);
	free(copies[0]);
	free(copies[1]);
	if (!p->has_message)
		return;
	p->t.headers[p->t.nheaders][0] = fields[which][0];
	p->t.headers[p->t.nheaders++][1] = fields[which][1];
}

static void
do_body(struct player *p)
{
	static const char link[] =
	    "<a href=\"https://shop.example/\">x</a>\r\n";
	static const char end[] = "</body></html>\r\n";
	const struct str chunks[] = { STR(link), STR(end), STR("\r\n"),
		{ page, sizeof(page) }, STR(""), STR("=3D=\r\n") };
	size_t which = next_random(&p->random) % 6;
	struct str chunk;
	char *copy;

	if (p->t.nchunks == MAX_ITEMS)
		return;
	copy = fleeting(chunks[which], &chunk);
	session_body(p->s, chunk);
	free(copy);
	if (p->has_message)
		p->t.chunks[p->t.nchunks++] = chunks[which];
}

static void
do_end(struct player *p)
{
	struct arena *a = arena_new();
	struct mta_memory mta;
	enum verdict verdict;

	give_to_mta(&mta, a, &p->t);
	verdict = session_end(p->s, STR("4abc"), &mta.mta);
	if (!p->has_message) {
		assert_int_equal(verdict, VERDICT_PASS);
		assert_int_equal(mta.reply.code[0], 0);
		assert_int_equal(mta.nfields, p->t.nheaders);
	} else if (p->was_short && verdict == VERDICT_TEMPFAIL) {
		assert_string_equal(mta.reply.code, "451");
		assert_string_equal(mta.reply.status, "4.3.1");
		p->nrefused++;
	} else {
		compare(p->b, &p->t, &mta, verdict);
		p->nended++;
		p->nspilled += join_body(a, &p->t).n > 3000;
	}
	p->has_message = false;
	arena_free(&a);
}

static void
do_abort(struct player *p)
{
	session_abort(p->s);
	assert_null(session_message(p->s));
	p->has_message = false;
}

/* Others take all memory, or give it back. */
static void
do_shortage(struct player *p)
{
	if (p->held_back > 0) {
		budget_give(&p->b->budget, p->held_back);
		p->held_back = 0;
		return;
	}
	p->held_back = (size_t)1 << 30;
	budget_force(&p->b->budget, p->held_back);
	p->was_short = true;
}

static void
play(struct player *p, unsigned steps)
{
	/* the numbers are weights, out of 64 */
	static const struct {
		void (*act)(struct player *);
		unsigned weight;
	} acts[] = { { do_connect, 1 }, { do_login, 2 }, { do_mail, 4 },
		{ do_rcpt, 10 }, { do_header, 18 }, { do_body, 18 },
		{ do_end, 6 }, { do_abort, 1 }, { do_shortage, 4 } };

	for (unsigned i = 0; i < steps; i++) {
		unsigned at = next_random(&p->random) % 64;
		size_t which = 0;

		while (at >= acts[which].weight)
			at -= acts[which++].weight;
		acts[which].act(p);
	}
}

static void
test_random_sequences(void **state)
{
	unsigned nended = 0, nrefused = 0, nspilled = 0;
	struct bench b;

	(void)state;
	fill_texts();
	bench_open(&b, "");
	for (unsigned seed = 1; seed <= 12; seed++) {
		struct player p = { .b = &b, .user = STR(""),
			.random = seed * UINT64_C(0x9e3779b97f4a7c15) };

		p.s = session_new(&b.env);
		play(&p, 800);
		if (p.held_back > 0)
			do_shortage(&p);
		do_abort(&p);
		/* an idle session holds nothing but its first block */
		assert_true(budget_used(&b.budget) <= 4096);
		session_free(&p.s);
		assert_int_equal(budget_used(&b.budget), 0);
		nended += p.nended;
		nrefused += p.nrefused;
		nspilled += p.nspilled;
	}
	if (nended < 100 || nrefused < 10 || nspilled < 20)
		fail_msg("%u ended, %u refused, %u spilled: too few", nended,
		    nrefused, nspilled);
	bench_close(&b);
}

/* A newsletter with about n octets of HTML, fed in pieces. */
static void
feed_newsletter(struct session *s, size_t n, size_t piece)
{
	static const char line[] = "<p>What is new in the shop, and a <a "
	    "href=\"https://shop.example/item?a=1&amp;b=2\">link</a></p>\r\n";
	struct buf b;

	session_header(s, STR("From"), STR(" News <news@example.com>"));
	session_header(s, STR("To"), STR(" ann@example.net"));
	session_header(s, STR("Subject"), STR(" x"));
	session_header(s, STR("List-Id"), STR(" <news.example.com>"));
	session_header(s, STR("MIME-Version"), STR(" 1.0"));
	session_header(s, STR("Content-Type"), STR(" text/html"));
	buf_init(&b, n + sizeof(line));
	while (b.n < n)
		buf_str(&b, STR(line));
	for (size_t at = 0; at < b.n; at += piece) {
		char *copy;
		struct str chunk;

		copy = fleeting(str_sub(buf_view(&b), at,
		    at + piece < b.n ? at + piece : b.n), &chunk);
		session_body(s, chunk);
		free(copy);
	}
	buf_free(&b);
}

static enum verdict
send_newsletter(struct session *s, size_t n, struct mta_memory *mta)
{
	connect_as(s, true);
	assert_true(session_mail(s, STR("<news@example.com>"), STR("")));
	session_rcpt(s, STR("<ann@example.net>"));
	feed_newsletter(s, n, 65535);
	return session_end(s, STR("4abc"), &mta->mta);
}

/* in memory, in a file, in a file because there is no room: all the same. */
static void
test_spilled_is_not_seen(void **state)
{
	static const size_t in_memory[] = { SIZE_MAX, 0, 65536, 1 };
	struct bench b;
	struct str first = STR("");

	(void)state;
	bench_open(&b, "");
	for (size_t i = 0; i < sizeof(in_memory) / sizeof(in_memory[0]); i++) {
		struct mta_memory mta;
		struct session *s;

		b.env.in_memory = in_memory[i];
		s = session_new(&b.env);
		mta_memory_init(&mta, b.f.arena);
		assert_int_equal(send_newsletter(s, 300000, &mta),
		    VERDICT_ACCEPT);
		assert_true(mta.body_replaced);
		if (i == 0)
			first = mta.body;
		else
			expect_str("body", mta.body, first);
		session_free(&s);
	}
	bench_close(&b);
}

static void
expect_reply(const char *name, const struct mta_memory *mta, const char *code,
    const char *status)
{
	if (strcmp(mta->reply.code, code) != 0 ||
	    strcmp(mta->reply.status, status) != 0)
		fail_msg("%s: %s %s %s", name, mta->reply.code,
		    mta->reply.status, mta->reply.text);
}

static void
test_max_message(void **state)
{
	static const struct {
		size_t n;
		bool is_taken;
	} cases[] = { { 65535, true }, { 65536, true }, { 65537, false },
		{ 200000, false }, { 100, true } };
	struct bench b;
	struct session *s;

	(void)state;
	bench_open(&b, "max-message = 64k");
	s = session_new(&b.env);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = calloc(1, cases[i].n);
		struct mta_memory mta;

		mta_memory_init(&mta, b.f.arena);
		connect_as(s, true);
		session_mail(s, STR("<news@example.com>"), STR(""));
		session_header(s, STR("From"), STR(" news@example.com"));
		session_body(s, str_make(text, cases[i].n));
		free(text);
		if (cases[i].is_taken)
			assert_int_equal(session_end(s, STR("1"), &mta.mta),
			    VERDICT_ACCEPT);
		else
			assert_int_equal(session_end(s, STR("1"), &mta.mta),
			    VERDICT_REJECT);
		if (!cases[i].is_taken)
			expect_reply("too long", &mta, "552", "5.3.4");
	}
	session_free(&s);
	bench_close(&b);
}

/* Header and recipients have limits of their own. */
static void
test_too_much(void **state)
{
	struct bench b;
	struct session *s;
	struct mta_memory mta;

	(void)state;
	bench_open(&b, "");
	s = session_new(&b.env);
	mta_memory_init(&mta, b.f.arena);
	connect_as(s, true);
	session_mail(s, STR("<news@example.com>"), STR(""));
	for (unsigned i = 0; i <= SESSION_MAX_RCPTS; i++)
		session_rcpt(s, STR("<ann@example.net>"));
	assert_true(budget_used(&b.budget) < 16384); /* at once */
	session_body(s, STR("x\r\n"));
	assert_int_equal(session_end(s, STR("1"), &mta.mta), VERDICT_REJECT);
	expect_reply("recipients", &mta, "552", "5.3.4");
	assert_int_equal(session_message(s)->nrecipients, SESSION_MAX_RCPTS);
	session_mail(s, STR("<news@example.com>"), STR(""));
	for (unsigned i = 0; i <= SESSION_MAX_FIELDS; i++)
		session_header(s, STR("X"), STR(" y"));
	assert_true(budget_used(&b.budget) < 16384);
	assert_int_equal(session_end(s, STR("1"), &mta.mta), VERDICT_REJECT);
	expect_reply("header", &mta, "552", "5.3.4");
	session_free(&s);
	bench_close(&b);
}

static void
test_no_spool(void **state)
{
	struct bench b;
	struct session *s;
	struct mta_memory mta;

	(void)state;
	bench_open(&b, "spool = \"/nonexistent/spool\"");
	s = session_new(&b.env);
	for (int i = 0; i < 3; i++) {
		mta_memory_init(&mta, b.f.arena);
		assert_int_equal(send_newsletter(s, 100000, &mta),
		    VERDICT_TEMPFAIL);
		expect_reply("no spool", &mta, "451", "4.3.1");
		assert_false(mta.body_replaced);
		assert_int_equal(mta.nfields, 0);
		assert_string_equal(session_message(s)->reason,
		    "no room to keep the message");
		/* a short one needs no file, and nothing sticks */
		mta_memory_init(&mta, b.f.arena);
		assert_int_equal(send_newsletter(s, 1000, &mta),
		    VERDICT_ACCEPT);
	}
	session_free(&s);
	bench_close(&b);
}

/* Others hold all memory from that step on. */
static void
test_no_memory_at_each_step(void **state)
{
	static const size_t all = (size_t)1 << 30;
	struct bench b;
	struct session *s;

	(void)state;
	bench_open(&b, "");
	s = session_new(&b.env);
	for (int step = 0; step < 4; step++) {
		struct mta_memory mta;
		enum verdict v;

		mta_memory_init(&mta, b.f.arena);
		connect_as(s, true);
		session_mail(s, STR("<news@example.com>"), STR(""));
		if (step == 0)
			budget_force(&b.budget, all);
		for (int i = 0; i < 200; i++)
			session_rcpt(s, STR("<ann@example.net>"));
		if (step == 1)
			budget_force(&b.budget, all);
		for (int i = 0; i < 100; i++)
			session_header(s, STR("X-Long"), STR(" and a value"));
		if (step == 2)
			budget_force(&b.budget, all);
		feed_newsletter(s, 20000, 1000);
		if (step == 3)
			budget_force(&b.budget, all);
		v = session_end(s, STR("1"), &mta.mta);
		assert_int_equal(v, VERDICT_TEMPFAIL);
		expect_reply("no memory", &mta, "451", "4.3.1");
		assert_int_equal(mta.nfields, 0);
		budget_give(&b.budget, all);
		mta_memory_init(&mta, b.f.arena);
		assert_int_equal(send_newsletter(s, 20000, &mta),
		    VERDICT_ACCEPT);
	}
	session_free(&s);
	bench_close(&b);
}

/* What alone needs more than there is does not get better by waiting. */
static void
test_more_than_all_memory(void **state)
{
	struct bench b;
	struct session *s;
	struct mta_memory mta;

	(void)state;
	bench_open(&b, "max-memory = 1M");
	s = session_new(&b.env);
	mta_memory_init(&mta, b.f.arena);
	assert_int_equal(send_newsletter(s, 2000000, &mta), VERDICT_REJECT);
	expect_reply("memory", &mta, "552", "5.3.4");
	assert_false(mta.body_replaced);
	mta_memory_init(&mta, b.f.arena);
	assert_int_equal(send_newsletter(s, 20000, &mta), VERDICT_ACCEPT);
	session_free(&s);
	bench_close(&b);
}

/* Edits that outgrow what was reserved stop at the limit, not beyond it. */
static void
test_dense_edits_stop(void **state)
{
	static const char *const lines[] = {
		"*|UNSUB|**|UNSUB|**|UNSUB|**|UNSUB|**|UNSUB|*\r\n",
		"<a ses:no-track href=x>\r\n",
	};
	struct bench b;
	struct session *s;

	(void)state;
	bench_open(&b, "max-memory = 8M");
	s = session_new(&b.env);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct mta_memory mta;

		mta_memory_init(&mta, b.f.arena);
		connect_as(s, true);
		session_mail(s, STR("<news@example.com>"), STR(""));
		session_rcpt(s, STR("<ann@example.net>"));
		feed_newsletter(s, 1, 1000);
		for (size_t n = 0; n < 2000000; n += strlen(lines[i]))
			session_body(s, str_from(lines[i]));
		assert_int_equal(session_end(s, STR("1"), &mta.mta),
		    VERDICT_REJECT);
		expect_reply(lines[i], &mta, "552", "5.3.4");
		assert_true(arena_held(session_message(s)->arena) < 24 << 20);
	}
	session_free(&s);
	bench_close(&b);
}

/* The limit is that of the settings which the next message finds. */
static void
test_limit_of_new_settings(void **state)
{
	struct bench a, b;
	struct session *s;

	(void)state;
	bench_open(&a, "max-memory = 3M");
	bench_open(&b, "max-memory = 7M");
	s = session_new(&a.env);
	connect_as(s, true);
	session_mail(s, STR("<news@example.com>"), STR(""));
	assert_int_equal(budget_limit(&a.budget), 3 << 20);
	a.env.arg = &b.f;
	assert_int_equal(budget_limit(&a.budget), 3 << 20);
	session_mail(s, STR("<news@example.com>"), STR(""));
	assert_int_equal(budget_limit(&a.budget), 7 << 20);
	session_free(&s);
	bench_close(&a);
	bench_close(&b);
}

struct worker {
	struct bench *b;
	unsigned naccepted, nrefused;
	bool has_failed;
	pthread_t thread;
};

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct session *s = session_new(&w->b->env);

	for (unsigned i = 0; i < 15; i++) {
		struct arena *a = arena_new();
		struct mta_memory mta;
		enum verdict v;

		mta_memory_init(&mta, a);
		v = send_newsletter(s, 150000, &mta);
		w->naccepted += v == VERDICT_ACCEPT;
		w->nrefused += v == VERDICT_TEMPFAIL &&
		    strcmp(mta.reply.status, "4.3.1") == 0 &&
		    mta.nfields == 0;
		session_abort(s);
		arena_free(&a);
	}
	session_free(&s);
	w->has_failed = w->naccepted + w->nrefused != 15;
	return NULL;
}

/* Several at once with room for one or two: signed or put off. */
static void
test_threads_share_the_memory(void **state)
{
	struct worker workers[4];
	struct bench b;
	unsigned naccepted = 0;

	(void)state;
	bench_open(&b, "max-memory = 2M");
	for (size_t i = 0; i < 4; i++) {
		workers[i] = (struct worker){ .b = &b };
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work,
		    &workers[i]), 0);
	}
	for (size_t i = 0; i < 4; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_false(workers[i].has_failed);
		naccepted += workers[i].naccepted;
	}
	assert_true(naccepted > 0);
	bench_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_sequences),
		cmocka_unit_test(test_spilled_is_not_seen),
		cmocka_unit_test(test_max_message),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_no_spool),
		cmocka_unit_test(test_no_memory_at_each_step),
		cmocka_unit_test(test_more_than_all_memory),
		cmocka_unit_test(test_dense_edits_stop),
		cmocka_unit_test(test_limit_of_new_settings),
		cmocka_unit_test(test_threads_share_the_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
