/*
 * suppress_change.c - `bulkhead suppress add`, `remove` and `undo`.
 */
#include "cli/suppress.h"

#include <inttypes.h>
#include <sysexits.h>

#include "base/json.h"
#include "base/num.h"
#include "cli/load.h"

#define OUTPUT_MAX ((size_t)256 * 1024 * 1024)
#define BATCH	   500
#define DEADLINE   10000

static const char *
outcome_name(enum suppress_outcome outcome)
{
	static const char *const names[] = {
		[SUPPRESS_ADDED] = "added",
		[SUPPRESS_EXTENDED] = "extended",
		[SUPPRESS_ALREADY] = "already listed",
		[SUPPRESS_REMOVED] = "removed",
		[SUPPRESS_ABSENT] = "not listed",
	};

	return names[outcome];
}

static void
write_outcome(struct suppress_run *r, struct buf *out,
    const struct suppress_change *c)
{
	const char *outcome = r->o->dry_run ? "would be removed"
					    : outcome_name(c->outcome);

	if (r->o->json) {
		buf_char(out, '{');
		json_key(out, "outcome");
		json_string(out, str_from(outcome));
		suppress_write_json(out, r->settings, &c->entry);
		buf_puts(out, "}\n");
		return;
	}
	buf_printf(out, "%.*s: %s (%s, ", STR_ARG(c->entry.address),
	    outcome, suppress_reason_name(c->entry.reason));
	suppress_scope_write(out, r->settings, &c->entry.scope);
	buf_puts(out, ")\n");
}

static int
change_all(struct suppress_run *r, struct suppress_change *v, size_t n)
{
	struct buf out;

	buf_init(&out, OUTPUT_MAX);
	for (size_t i = 0; i < n; i += BATCH) {
		size_t batch = n - i < BATCH ? n - i : BATCH;
		enum store_answer answer = r->o->dry_run
		    ? STORE_YES
		    : store_suppress_change(r->store, v + i, batch,
			  store_deadline(DEADLINE));

		for (size_t j = i; j < i + batch && answer == STORE_YES; j++)
			write_outcome(r, &out, &v[j]);
		if (answer == STORE_YES)
			continue;
		load_flush(&out, "suppress");
		suppress_store_failed(r);
		return answer == STORE_NO ? EX_DATAERR : EX_UNAVAILABLE;
	}
	return load_flush(&out, "suppress");
}

int
suppress_add(struct suppress_run *r)
{
	struct suppress_entry e = { .reason = SUPPRESS_MANUAL,
		.created = r->now,
		.source = STR("cli"),
		.evidence = suppress_line(r->arena, str_from(r->o->note)) };
	struct suppress_change *v;
	struct str *addresses;
	size_t n;
	int rc;

	if (suppress_arg_scope(r, true, &e.scope) != 0 ||
	    suppress_arg_reason(r, &e.reason) != 0 ||
	    suppress_arg_expires(r, &e.expires) != 0)
		return EX_USAGE;
	if (suppress_arg_addresses(r, &addresses, &n) != 0)
		return EX_DATAERR;
	rc = suppress_open(r, STORE_CHANGE);
	if (rc != EX_OK)
		return rc;
	v = arena_array(r->arena, n, sizeof(*v));
	for (size_t i = 0; i < n; i++) {
		v[i] = (struct suppress_change){ .what = SUPPRESS_PUT,
			.entry = e,
			.actor = r->actor };
		v[i].entry.address = addresses[i];
	}
	return change_all(r, v, n);
}

struct removal {
	struct suppress_run *r;
	struct suppress_change *v;
	size_t n, cap;
};

static bool
take_removal(void *arg, const struct suppress_entry *e)
{
	struct removal *x = arg;
	struct arena *a = x->r->arena;
	struct suppress_entry copy = *e;

	copy.address = arena_copy(a, e->address);
	copy.scope.domain = arena_copy(a, e->scope.domain);
	copy.scope.list = arena_copy(a, e->scope.list);
	copy.source = arena_copy(a, e->source);
	copy.evidence = arena_copy(a, e->evidence);
	x->v = arena_grow(a, x->v, x->n, &x->cap, sizeof(*x->v));
	x->v[x->n++] = (struct suppress_change){ .what = SUPPRESS_REMOVE,
		.entry = copy,
		.actor = x->r->actor };
	return true;
}

/* An address stays refused while its domain is listed: say so. */
static int
warn_of_domain(struct suppress_run *r, struct str address)
{
	size_t at = address.n;
	struct suppress_query q = { 0 };

	while (at > 0 && address.p[at - 1] != '@')
		at--;
	if (at < 2)
		return EX_OK;
	q.address = arena_printf(r->arena, "@%.*s",
	    STR_ARG(str_sub(address, at, address.n)));
	store_suppress_find(r->store, r->arena, &q, 1,
	    store_deadline(DEADLINE));
	if (q.answer == STORE_UNKNOWN)
		return suppress_store_failed(r);
	if (q.answer == STORE_YES)
		suppress_say("%.*s is still suppressed: %.*s is listed",
		    STR_ARG(address), STR_ARG(q.address));
	return EX_OK;
}

static void
say_absent(struct suppress_run *r, struct str address, bool is_filtered)
{
	struct buf out;

	suppress_say("%.*s: not listed%s", STR_ARG(address),
	    is_filtered ? " with that scope and reason" : "");
	if (!r->o->json)
		return;
	buf_init(&out, OUTPUT_MAX);
	buf_char(&out, '{');
	json_key(&out, "outcome");
	json_string(&out, str_from(outcome_name(SUPPRESS_ABSENT)));
	json_key(&out, "address");
	json_string(&out, address);
	buf_puts(&out, "}\n");
	load_flush(&out, "suppress");
}

static int
find_removals(struct suppress_run *r, struct str address, struct removal *x)
{
	struct suppress_scope scope;
	struct suppress_filter filter = { .address = address,
		.with_expired = true };
	size_t before = x->n;

	if (r->o->scope != NULL) {
		if (suppress_arg_scope(r, false, &scope) != 0)
			return EX_USAGE;
		filter.scope = &scope;
	}
	if (suppress_arg_reason(r, &filter.reason) != 0)
		return EX_USAGE;
	if (store_suppress_walk(r->store, &filter, take_removal, x) !=
	    STORE_YES)
		return suppress_store_failed(r);
	if (x->n == before)
		say_absent(r, address,
		    filter.scope != NULL || filter.reason != 0);
	return EX_OK;
}

int
suppress_remove(struct suppress_run *r)
{
	struct removal x = { .r = r };
	struct str *addresses;
	size_t n;
	int rc;

	if (suppress_arg_addresses(r, &addresses, &n) != 0)
		return EX_DATAERR;
	rc = suppress_open(r, r->o->dry_run ? STORE_READ : STORE_CHANGE);
	for (size_t i = 0; i < n && rc == EX_OK; i++)
		rc = find_removals(r, addresses[i], &x);
	if (rc == EX_OK)
		rc = change_all(r, x.v, x.n);
	for (size_t i = 0; i < n && rc == EX_OK; i++)
		rc = warn_of_domain(r, addresses[i]);
	return rc == EX_OK && x.n == 0 ? 1 : rc;
}

int
suppress_undo(struct suppress_run *r)
{
	uint64_t id, nremoved, nrestored;
	enum store_answer answer;
	int rc;

	if (num_parse(str_from(r->o->argv[0]), INT64_MAX, &id) != 0 ||
	    id == 0) {
		suppress_say("\"%s\" is no number of an import: \"bulkhead "
			     "suppress imports\" lists them",
		    r->o->argv[0]);
		return EX_USAGE;
	}
	rc = suppress_open(r, STORE_CHANGE);
	if (rc != EX_OK)
		return rc;
	answer = store_import_undo(r->store, id, r->actor, &nremoved,
	    &nrestored);
	if (answer == STORE_UNKNOWN) {
		suppress_store_failed(r);
		suppress_say("the undo was cut short: run it again");
		return EX_UNAVAILABLE;
	}
	if (answer == STORE_NO) {
		suppress_say("there is no import %" PRIu64, id);
		return 1;
	}
	if (r->o->json)
		printf("{\"import\": %" PRIu64 ", \"removed\": %" PRIu64
		       ", \"restored\": %" PRIu64 "}\n",
		    id, nremoved, nrestored);
	else
		printf("import %" PRIu64 " undone: %" PRIu64
		       " entries removed, %" PRIu64
		       " put back that it had replaced\n",
		    id, nremoved, nrestored);
	return EX_OK;
}
