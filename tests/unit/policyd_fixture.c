/*
 * policyd_fixture.c - asks policyd's parts without a socket.
 */
#include "policyd_fixture.h"

#include <sys/mman.h>

#include "base/file.h"
#include "policyd/control.h"
#include "policyd/reply.h"
#include "store_fixture.h"

static const char head[] = "trusted-networks = { \"127.0.0.0/8\" }\n";

void
office_settings(struct office *o, void **state, const char *settings)
{
	if (o->conf.s != NULL)
		unload(&o->conf);
	load_good(&o->conf, state, arena_cstr(o->arena,
	    arena_printf(o->arena, "%s%s", head, settings)));
}

/* "suppressed a@b.example example.com/17 4A: complaint" */
static void
keep_event(void *arg, const struct event *e)
{
	struct office *o = arg;

	buf_printf(&o->events, "%s%s %.*s %.*s/%u %.*s: %.*s",
	    o->events.n > 0 ? "|" : "", e->kind == EVENT_SUPPRESSED ?
	    "suppressed" : e->kind == EVENT_LIMITED ? "limited" : "?",
	    STR_ARG(e->recipient), STR_ARG(e->domain), (unsigned)e->stream,
	    STR_ARG(e->queue_id), STR_ARG(e->detail));
	assert_true(e->at == clock_micros(&o->desk.clock));
}

struct office *
office_open(void **state, const char *settings, const char *lists,
    const char *rates)
{
	struct office *o = mem_alloc(sizeof(*o));

	memset(o, 0, sizeof(*o));
	o->arena = arena_new();
	office_settings(o, state, settings);
	if (lists != NULL)
		o->desk.lists = fixture_open(lists,
		    STORE_SUPPRESS | STORE_META, STORE_CHANGE, NOW);
	if (rates != NULL)
		o->desk.rates = fixture_open(rates, STORE_RATES, STORE_CHANGE,
		    NOW);
	o->desk.pauses = pauses_new();
	o->desk.instances = instances_new(8, 1000000);
	o->desk.metrics = &o->metrics;
	o->desk.clock = clock_fixed(NOW * 1000000);
	o->desk.event = keep_event;
	o->desk.event_arg = o;
	batch_init(&o->batch, &o->desk);
	buf_init(&o->events, 1000000);
	buf_init(&o->log, 1000000);
	return o;
}

void
office_close(struct office *o)
{
	unload(&o->conf);
	store_close(&o->desk.lists);
	store_close(&o->desk.rates);
	pauses_free(&o->desk.pauses);
	instances_free(&o->desk.instances);
	batch_free(&o->batch);
	buf_free(&o->log);
	buf_free(&o->events);
	arena_free(&o->arena);
	free(o);
}

void
office_time(struct office *o, int64_t now)
{
	o->desk.clock = clock_fixed(now * 1000000);
}

static struct str
reply_of(struct office *o, struct question *q)
{
	struct buf text;
	struct str out;

	buf_init(&text, POLICY_REPLY_MAX);
	if (!control_answer(&o->desk, &o->batch, q, 3, &text)) {
		reply_write(q, &text);
		reply_log(&o->batch, q);
	}
	reply_count(&o->batch, q);
	reply_events(&o->batch, q);
	assert_true(text.n > 2 && text.p[text.n - 1] == '\n' &&
	    text.p[text.n - 2] == '\n');
	out = arena_copy(o->arena, str_sub(buf_view(&text), 0, text.n - 2));
	buf_free(&text);
	return out;
}

static void
decide(struct office *o, const struct str *requests, size_t n,
    struct str *out)
{
	struct question *q;
	const char *why;
	size_t i = 0;

	batch_begin(&o->batch);
	for (size_t k = 0; k < n; k++)
		if (batch_add(&o->batch, exact(o->arena, requests[k]), true,
		    NULL, &why) == NULL)
			fail_msg("%s: %.*s", why, STR_ARG(requests[k]));
	batch_decide(&o->batch, o->conf.s, 500);
	for (q = o->batch.first; q != NULL; q = q->next)
		out[i++] = reply_of(o, q);
	assert_int_equal(i, n);
}

void
office_ask_all(struct office *o, const struct str *requests, size_t n,
    struct str *out)
{
	int old = dup(STDERR_FILENO), fd = memfd_create("log", 0);
	struct str text;

	assert_true(old >= 0 && fd >= 0);
	buf_clear(&o->events);
	dup2(fd, STDERR_FILENO);
	decide(o, requests, n, out);
	dup2(old, STDERR_FILENO);
	close(old);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(file_read_fd(o->arena, fd, 1000000, &text), 0);
	close(fd);
	buf_clear(&o->log);
	buf_str(&o->log, text);
}

struct str
office_ask(struct office *o, const char *words)
{
	char *lines = arena_cstr(o->arena, str_from(words));
	struct str request = str_from(lines), reply;

	for (size_t i = 0; i < request.n; i++)
		if (lines[i] == ' ')
			lines[i] = '\n';
	office_ask_all(o, &request, 1, &reply);
	return reply;
}

struct str
office_rcpt(struct office *o, const char *recipient, const char *words)
{
	return office_ask(o, arena_cstr(o->arena, arena_printf(o->arena,
	    "request=smtpd_access_policy protocol_state=RCPT recipient=%s "
	    "client_address=127.0.0.1 %s", recipient, words)));
}

void
office_suppress(struct office *o, const char *address,
    struct suppress_scope scope, enum suppress_reason reason,
    const char *evidence)
{
	struct suppress_entry e = fixture_entry(address, reason,
	    NOW - 30 * 86400, 0);

	e.scope = scope;
	e.evidence = str_from(evidence);
	fixture_do(o->desk.lists, SUPPRESS_PUT, e);
}
