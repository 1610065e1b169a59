/*
 * driver_fail.c - a driver that fails by plan and otherwise hands on to
 * another one: what callers do about a store that is down is tested with it.
 */
#include "store/driver_fail.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "store/driver.h"

#define MAX_RULES 8

struct fail_driver {
	struct driver base;
	struct driver *inner;
	struct fail_rule rules[MAX_RULES];
	size_t nrules;
	uint64_t ncalls;
	char *plan; /* what the rules borrow from */
	/* the inner driver's, behind the plan */
	struct driver_ops ops;
	struct driver_rate_ops rates;
};

static int
parse_what(struct str s, enum fail_what *out)
{
	static const char *const names[] = {
		[FAIL_AT_ONCE] = "fail", [FAIL_LATE] = "late",
		[FAIL_UNCERTAIN] = "uncertain", [FAIL_OPEN] = "open",
	};

	for (size_t i = FAIL_AT_ONCE; i <= FAIL_OPEN; i++)
		if (str_eq(s, str_from(names[i]))) {
			*out = (enum fail_what)i;
			return 0;
		}
	return -1;
}

static int
parse_kind(struct str s, unsigned *out)
{
	if (str_eq(s, STR("suppress")))
		*out = STORE_SUPPRESS;
	else if (str_eq(s, STR("meta")))
		*out = STORE_META;
	else if (str_eq(s, STR("rates")))
		*out = STORE_RATES;
	else if (str_eq(s, STR("events")))
		*out = STORE_EVENTS;
	else
		return -1;
	return 0;
}

static int
parse_when(struct str s, struct fail_rule *r)
{
	size_t dash = str_chr(s, '-', 0);

	if (str_starts(s, STR("while="))) {
		r->path = str_sub(s, 6, s.n);
		return r->path.n > 0 ? 0 : -1;
	}
	if (num_parse(str_sub(s, 0, dash), UINT32_MAX, &r->from) != 0)
		return -1;
	if (dash == s.n)
		r->to = r->from;
	else if (dash + 1 < s.n)
		return num_parse(str_sub(s, dash + 1, s.n), UINT32_MAX, &r->to);
	return 0;
}

int
fail_rule_parse(struct str text, struct fail_rule *out)
{
	size_t at = str_chr(text, '@', 0);
	struct str what = str_sub(text, 0, at);
	size_t dot = str_chr(what, '.', 0);

	*out = (struct fail_rule){ .kinds = ~0u, .to = UINT64_MAX };
	if (dot < what.n) {
		if (parse_kind(str_sub(what, 0, dot), &out->kinds) != 0)
			return -1;
		what = str_sub(what, dot + 1, what.n);
	}
	if (parse_what(what, &out->what) != 0)
		return -1;
	return at == text.n ? 0 :
	    parse_when(str_sub(text, at + 1, text.n), out);
}

static int
parse_plan(struct fail_driver *d, struct str plan)
{
	size_t from = 0;

	while (from < plan.n) {
		size_t comma = str_chr(plan, ',', from);

		if (d->nrules == MAX_RULES ||
		    fail_rule_parse(str_sub(plan, from, comma),
		    &d->rules[d->nrules++]) != 0)
			return -1;
		from = comma + 1;
	}
	return d->nrules > 0 ? 0 : -1;
}

static bool
exists(struct str path)
{
	char *p = strndup(path.p, path.n);
	bool is_there = p != NULL && access(p, F_OK) == 0;

	free(p);
	return is_there;
}

static bool
holds(const struct fail_rule *r, unsigned kind, uint64_t call)
{
	return (r->kinds & kind) != 0 && call >= r->from && call <= r->to &&
	    (r->path.n == 0 || exists(r->path));
}

static void
wait_until(int64_t deadline)
{
	int64_t left;

	while ((left = deadline - clock_monotonic()) > 0) {
		struct timespec t = { .tv_sec = left / 1000000000,
			.tv_nsec = left % 1000000000 };

		nanosleep(&t, NULL);
	}
}

/* What is to happen to this call; FAIL_LATE was waited for here. */
static enum fail_what
plan(struct driver *driver, struct driver_call *call, unsigned kind)
{
	struct fail_driver *d = (struct fail_driver *)driver;
	enum fail_what what = FAIL_NOT;

	d->ncalls++;
	for (size_t i = 0; what == FAIL_NOT && i < d->nrules; i++)
		if (d->rules[i].what != FAIL_OPEN &&
		    holds(&d->rules[i], kind, d->ncalls))
			what = d->rules[i].what;
	if (what == FAIL_LATE)
		wait_until(call->deadline);
	if (what != FAIL_NOT)
		driver_unknown(call, "fail: call %llu %s as planned",
		    (unsigned long long)d->ncalls,
		    what == FAIL_LATE ? "is late" :
		    what == FAIL_UNCERTAIN ? "is uncertain" : "fails");
	return what;
}

/* One call: by plan, or the inner driver's answer to it. */
#define HAND_ON(self, call, kind, group, function, ...)                        \
	struct driver *inner = ((struct fail_driver *)(self))->inner;          \
	enum fail_what what = plan(self, call, kind);                          \
	char error[DRIVER_ERROR_SIZE] = "";                                    \
	struct driver_call quiet = *(call);                                    \
	enum store_answer answer = STORE_UNKNOWN;                              \
	if (what == FAIL_UNCERTAIN)                                            \
		quiet.error = error;                                           \
	if (what == FAIL_NOT || what == FAIL_UNCERTAIN)                        \
		answer = inner->ops->group->function(inner, &quiet,            \
		    __VA_ARGS__);                                              \
	return what == FAIL_UNCERTAIN ? STORE_UNKNOWN : answer

static void
find(struct driver *d, struct driver_call *call, struct arena *a,
    struct suppress_query *v, size_t n)
{
	struct driver *inner = ((struct fail_driver *)d)->inner;
	enum fail_what what = plan(d, call, STORE_SUPPRESS);

	if (what == FAIL_NOT)
		inner->ops->suppress->find(inner, call, a, v, n);
	for (size_t i = 0; what != FAIL_NOT && i < n; i++)
		v[i].answer = STORE_UNKNOWN;
}

static enum store_answer
change(struct driver *d, struct driver_call *call, struct suppress_change *v,
    size_t n, const struct suppress_import *import)
{
	HAND_ON(d, call, STORE_SUPPRESS, suppress, change, v, n, import);
}

static enum store_answer
scan(struct driver *d, struct driver_call *call, struct driver_scan *s)
{
	HAND_ON(d, call, STORE_SUPPRESS, suppress, scan, s);
}

static enum store_answer
history(struct driver *d, struct driver_call *call, struct arena *a,
    struct str address, struct driver_events *out)
{
	HAND_ON(d, call, STORE_SUPPRESS, suppress, history, a, address, out);
}

static enum store_answer
removed(struct driver *d, struct driver_call *call,
    struct driver_removed *piece)
{
	HAND_ON(d, call, STORE_SUPPRESS, suppress, removed, piece);
}

static enum store_answer
import_begin(struct driver *d, struct driver_call *call,
    struct suppress_import *import)
{
	HAND_ON(d, call, STORE_SUPPRESS, suppress, import_begin, import);
}

static enum store_answer
import_end(struct driver *d, struct driver_call *call,
    const struct suppress_import *import)
{
	HAND_ON(d, call, STORE_SUPPRESS, suppress, import_end, import);
}

static enum store_answer
import_list(struct driver *d, struct driver_call *call, struct arena *a,
    struct driver_imports *out)
{
	HAND_ON(d, call, STORE_SUPPRESS, suppress, import_list, a, out);
}

static enum store_answer
undo(struct driver *d, struct driver_call *call, struct driver_undo *step)
{
	HAND_ON(d, call, STORE_SUPPRESS, suppress, undo, step);
}

static enum store_answer
purge(struct driver *d, struct driver_call *call, size_t max, bool *more)
{
	HAND_ON(d, call, STORE_SUPPRESS, suppress, purge, max, more);
}

static enum store_answer
meta_get(struct driver *d, struct driver_call *call, struct arena *a,
    struct str key, struct meta_item *out)
{
	HAND_ON(d, call, STORE_META, meta, get, a, key, out);
}

static enum store_answer
meta_put(struct driver *d, struct driver_call *call, const struct meta_item *v,
    size_t n)
{
	HAND_ON(d, call, STORE_META, meta, put, v, n);
}

static enum store_answer
meta_scan(struct driver *d, struct driver_call *call, struct arena *a,
    struct str prefix, struct str after, struct driver_items *out)
{
	HAND_ON(d, call, STORE_META, meta, scan, a, prefix, after, out);
}

static enum store_answer
meta_version(struct driver *d, struct driver_call *call, uint64_t *version)
{
	HAND_ON(d, call, STORE_META, meta, version, version);
}

static void
rates_decide(struct driver *d, struct driver_call *call,
    struct rate_request *v, size_t n)
{
	struct driver *inner = ((struct fail_driver *)d)->inner;
	enum fail_what what = plan(d, call, STORE_RATES);

	if (what == FAIL_NOT || what == FAIL_UNCERTAIN)
		inner->ops->rates->decide(inner, call, v, n);
	for (size_t i = 0; what != FAIL_NOT && i < n; i++)
		v[i].answer = STORE_UNKNOWN;
}

static enum store_answer
rates_walk(struct driver *d, struct driver_call *call, struct str prefix,
    bool (*each)(void *arg, const struct rate_state *r), void *arg)
{
	HAND_ON(d, call, STORE_RATES, rates, walk, prefix, each, arg);
}

static enum store_answer
rates_reset(struct driver *d, struct driver_call *call, struct str prefix,
    uint64_t *n)
{
	HAND_ON(d, call, STORE_RATES, rates, reset, prefix, n);
}

static enum store_answer
rates_load(struct driver *d, struct driver_call *call,
    void (*each)(void *arg, const struct driver_rate *r), void *arg)
{
	HAND_ON(d, call, STORE_RATES, rates, load, each, arg);
}

static enum store_answer
rates_save(struct driver *d, struct driver_call *call,
    const struct driver_rate *v, size_t n)
{
	HAND_ON(d, call, STORE_RATES, rates, save, v, n);
}

static enum store_answer
events_add(struct driver *d, struct driver_call *call, const struct event *v,
    size_t n)
{
	HAND_ON(d, call, STORE_EVENTS, events, add, v, n);
}

static enum store_answer
events_scan(struct driver *d, struct driver_call *call,
    struct driver_event_piece *piece)
{
	HAND_ON(d, call, STORE_EVENTS, events, scan, piece);
}

static enum store_answer
events_seek(struct driver *d, struct driver_call *call, int64_t at,
    struct event_cursor *out)
{
	HAND_ON(d, call, STORE_EVENTS, events, seek, at, out);
}

static enum store_answer
events_oldest(struct driver *d, struct driver_call *call, uint32_t *day)
{
	HAND_ON(d, call, STORE_EVENTS, events, oldest, day);
}

static enum store_answer
events_key(struct driver *d, struct driver_call *call, unsigned char *out)
{
	HAND_ON(d, call, STORE_EVENTS, events, key, out);
}

static enum store_answer
events_forget(struct driver *d, struct driver_call *call,
    struct driver_event_forget *step)
{
	HAND_ON(d, call, STORE_EVENTS, events, forget, step);
}

static enum store_answer
events_purge(struct driver *d, struct driver_call *call, uint32_t before_day,
    unsigned *nfiles)
{
	HAND_ON(d, call, STORE_EVENTS, events, purge, before_day, nfiles);
}

static const struct driver_suppress_ops suppress_ops = {
	.find = find, .change = change, .scan = scan, .history = history,
	.removed = removed,
	.import_begin = import_begin, .import_end = import_end,
	.import_list = import_list, .undo = undo, .purge = purge,
};

static const struct driver_meta_ops meta_ops = {
	.get = meta_get, .put = meta_put, .scan = meta_scan,
	.version = meta_version,
};

static const struct driver_rate_ops rate_ops = {
	.decide = rates_decide, .walk = rates_walk, .reset = rates_reset,
	.load = rates_load, .save = rates_save,
};

static const struct driver_event_ops event_ops = {
	.add = events_add, .scan = events_scan, .seek = events_seek,
	.oldest = events_oldest, .key = events_key, .forget = events_forget,
	.purge = events_purge,
};

/* What the inner driver can do, and no more. */
static void
take_after(struct fail_driver *d)
{
	const struct driver_ops *inner = d->inner->ops;

	d->ops = *inner;
	d->ops.name = driver_fail.name;
	d->ops.close = driver_fail.close;
	d->ops.suppress = inner->suppress == NULL ? NULL : &suppress_ops;
	d->ops.meta = inner->meta == NULL ? NULL : &meta_ops;
	d->ops.events = inner->events == NULL ? NULL : &event_ops;
	d->rates = rate_ops;
	if (inner->rates == NULL) {
		d->ops.rates = NULL;
		return;
	}
	if (inner->rates->decide == NULL) {
		d->rates.decide = NULL;
		d->rates.walk = NULL;
		d->rates.reset = NULL;
	} else {
		d->rates.load = NULL;
		d->rates.save = NULL;
	}
	d->ops.rates = &d->rates;
}

static void
close_fail(struct driver *driver)
{
	struct fail_driver *d = (struct fail_driver *)driver;

	driver_close(&d->inner);
	free(d->plan);
	free(d);
}

/* Is it to be down from the beginning? */
static bool
may_open(const struct fail_driver *d)
{
	for (size_t i = 0; i < d->nrules; i++)
		if (d->rules[i].what == FAIL_OPEN &&
		    (d->rules[i].path.n == 0 || exists(d->rules[i].path)))
			return false;
	return true;
}

static struct driver *
open_fail(const struct driver_spec *spec, struct buf *errors)
{
	size_t colon = str_chr(spec->where, ':', 0);
	struct fail_driver *d = mem_alloc(sizeof(*d));

	*d = (struct fail_driver){ .plan = mem_alloc(colon + 1) };
	memcpy(d->plan, spec->where.p, colon);
	d->base.ops = &d->ops;
	if (parse_plan(d, str_make(d->plan, colon)) != 0)
		buf_printf(errors, "store \"fail:%.*s\": no such plan\n",
		    STR_ARG(spec->where));
	else if (!may_open(d))
		buf_printf(errors, "fail: cannot be opened, as planned\n");
	else
		d->inner = driver_open(str_sub(spec->where, colon + 1,
		    spec->where.n), spec->kinds, spec->access, spec->clock,
		    errors);
	if (d->inner != NULL) {
		take_after(d);
		return &d->base;
	}
	close_fail(&d->base);
	return NULL;
}

const struct driver_ops driver_fail = {
	.name = "fail",
	.kinds = STORE_SUPPRESS | STORE_RATES | STORE_META | STORE_EVENTS,
	.open = open_fail,
	.close = close_fail,
};
