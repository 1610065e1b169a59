/*
 * events_show.c - the events that are there, and those that come.
 */
#include "cli/events.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "base/num.h"

#define OUTPUT_MAX  ((size_t)1 << 20)
#define OUTPUT_FULL ((size_t)1 << 16)
#define POLL_MILLIS 250

struct show {
	struct events_run *run;
	struct buf out;
	int64_t from;	/* not earlier; 0: any */
	uint64_t left;	/* how many more */
	int signals;	/* descriptor of SIGINT and SIGTERM, or -1 */
	bool is_over;	/* by limit, signal, or nobody reads any more */
	int rc;
};

/* True: whoever reads has gone away, or somebody wants us to end. */
static bool
is_to_end(const struct show *w, int millis)
{
	struct pollfd fds[2] = { { .fd = STDOUT_FILENO },
		{ .fd = w->signals, .events = POLLIN } };

	return poll(fds, 2, millis) > 0 &&
	    ((fds[0].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0 ||
	    (fds[1].revents & POLLIN) != 0);
}

/* False: nobody takes it, and somebody wants us to end. */
static bool
may_write(const struct show *w)
{
	struct pollfd fds[2] = { { .fd = STDOUT_FILENO, .events = POLLOUT },
		{ .fd = w->signals, .events = POLLIN } };

	while (poll(fds, 2, -1) < 0 && errno == EINTR)
		continue;
	return fds[0].revents != 0 || (fds[1].revents & POLLIN) == 0;
}

/*
 * Signals are blocked when we follow, so the write must not be: a pipe that
 * poll() says can be written takes PIPE_BUF octets.
 */
static int
write_out(const struct show *w)
{
	struct str left = buf_view(&w->out);
	size_t max = w->signals >= 0 ? PIPE_BUF : left.n;

	while (left.n > 0 && (w->signals < 0 || may_write(w))) {
		if (file_write_all(STDOUT_FILENO, str_sub(left, 0, max)) != 0)
			return -1;
		left = str_sub(left, max, left.n);
	}
	return 0;
}

static void
flush(struct show *w)
{
	if (!w->is_over && w->out.n > 0 && write_out(w) != 0) {
		w->is_over = true;
		if (errno == EPIPE)
			return;
		events_say("cannot write: %s", strerror(errno));
		w->rc = EX_IOERR;
	}
	buf_clear(&w->out);
	if (w->signals >= 0 && is_to_end(w, 0))
		w->is_over = true;
}

static bool
show_event(void *arg, const struct event *e, const struct event_cursor *at)
{
	struct show *w = arg;

	if (e->at < w->from)
		return true;
	if (w->run->o->json)
		events_write_json(&w->out, w->run->settings, e, at);
	else
		events_write_line(&w->out, w->run->settings, e);
	if (--w->left == 0)
		w->is_over = true;
	/* what was shown so far is written in flush() after the walk */
	if (!w->is_over && w->out.n >= OUTPUT_FULL)
		flush(w);
	return !w->is_over;
}

static int
walk(struct show *w, struct event_cursor *cursor,
    const struct event_filter *filter)
{
	enum store_answer answer = store_events_walk(w->run->store, cursor,
	    filter, show_event, w);
	bool is_over = w->is_over;

	w->is_over = false;
	flush(w);
	w->is_over = w->is_over || is_over;
	return answer == STORE_YES ? w->rc : events_store_failed(w->run);
}

/*
 * A store that cannot be read now is said once, and tried again: it may be
 * locked, or on its way back.
 */
static int
follow(struct show *w, struct event_cursor *cursor,
    const struct event_filter *filter)
{
	bool was_well = true;

	while (!w->is_over && !is_to_end(w, POLL_MILLIS)) {
		enum store_answer answer = store_events_walk(w->run->store,
		    cursor, filter, show_event, w);
		bool is_over = w->is_over;

		w->is_over = false;
		flush(w);
		w->is_over = w->is_over || is_over;
		if (answer == STORE_UNKNOWN && was_well)
			events_store_failed(w->run);
		was_well = answer == STORE_YES;
	}
	return w->rc;
}

static int
catch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int
show(struct show *w, const struct event_filter *filter)
{
	const struct events_options *o = w->run->o;
	struct event_cursor cursor;
	int rc = events_arg_since(w->run, &cursor, &w->from);

	if (rc != EX_OK)
		return rc;
	if (!o->json)
		events_write_head(&w->out);
	if (o->follow)
		w->signals = catch_signals();
	rc = walk(w, &cursor, filter);
	if (rc == EX_OK && o->follow && !w->is_over)
		rc = follow(w, &cursor, filter);
	if (w->signals >= 0)
		close(w->signals);
	return rc;
}

int
events_show(struct events_run *r)
{
	struct show w = { .run = r, .left = UINT64_MAX, .signals = -1,
		.rc = EX_OK };
	struct event_filter filter;
	int rc = events_arg_filter(r, &filter);

	if (rc == EX_OK && r->o->limit != NULL && (num_parse(str_from(
	    r->o->limit), UINT32_MAX, &w.left) != 0 || w.left == 0)) {
		events_say("--limit: \"%s\" is no number from 1",
		    r->o->limit);
		rc = EX_USAGE;
	}
	if (rc != EX_OK)
		return rc;
	signal(SIGPIPE, SIG_IGN);
	buf_init(&w.out, OUTPUT_MAX);
	rc = show(&w, &filter);
	buf_free(&w.out);
	return rc;
}
