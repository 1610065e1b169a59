/*
 * suppress_show.c - `bulkhead suppress check`, `list`, `history` and
 * `imports`: looks, changes nothing.
 */
#include "cli/suppress.h"

#include <inttypes.h>
#include <sysexits.h>

#include "base/json.h"
#include "cli/load.h"

#define DEADLINE   10000
#define OUTPUT_MAX ((size_t)256 * 1024 * 1024)

static enum suppress_format
format_of(const struct suppress_run *r)
{
	return r->o->json ? FORMAT_JSON : FORMAT_TABLE;
}

struct shown {
	struct suppress_writer w;
	uint64_t n;
};

static bool
show_entry(void *arg, const struct suppress_entry *e)
{
	struct shown *s = arg;

	if (s->n++ == 0)
		suppress_writer_head(&s->w);
	return suppress_write_entry(&s->w, e, NULL);
}

/* What would be found for mail of one scope: the strongest entry. */
static int
check_scope(struct suppress_run *r, struct str address,
    const struct suppress_scope *scope, struct shown *s)
{
	struct suppress_query q = { .address = address, .scope = *scope };

	store_suppress_find(r->store, r->arena, &q, 1,
	    store_deadline(DEADLINE));
	if (q.answer == STORE_UNKNOWN)
		return suppress_store_failed(r);
	if (q.answer == STORE_YES)
		show_entry(s, &q.entry);
	return EX_OK;
}

/* All live entries of the address, whatever their scope, and of its domain. */
static int
check_everywhere(struct suppress_run *r, struct str address, struct shown *s)
{
	struct suppress_filter filter = { .address = address };
	size_t at = address.n;

	if (store_suppress_walk(r->store, &filter, show_entry, s) != STORE_YES)
		return suppress_store_failed(r);
	while (at > 0 && address.p[at - 1] != '@')
		at--;
	if (at < 2)
		return EX_OK;
	filter.address = arena_printf(r->arena, "@%.*s",
	    STR_ARG(str_sub(address, at, address.n)));
	return store_suppress_walk(r->store, &filter, show_entry, s) ==
		STORE_YES
	    ? EX_OK
	    : suppress_store_failed(r);
}

int
suppress_check(struct suppress_run *r)
{
	struct shown s = { .n = 0 };
	struct suppress_scope scope;
	struct str *addresses;
	size_t n;
	int rc, rc2;

	if (suppress_arg_scope(r, false, &scope) != 0)
		return EX_USAGE;
	if (suppress_arg_addresses(r, &addresses, &n) != 0)
		return EX_DATAERR;
	rc = suppress_open(r, STORE_READ);
	if (rc != EX_OK)
		return rc;
	suppress_writer_init(&s.w, r->settings, format_of(r));
	for (size_t i = 0; i < n && rc == EX_OK; i++) {
		uint64_t before = s.n;

		s.w.asked = addresses[i];
		rc = r->o->scope != NULL
		    ? check_scope(r, addresses[i], &scope, &s)
		    : check_everywhere(r, addresses[i], &s);
		if (s.n == before && rc == EX_OK)
			suppress_write_absent(&s.w);
	}
	rc2 = suppress_writer_end(&s.w);
	if (rc != EX_OK || rc2 != EX_OK)
		return rc != EX_OK ? rc : rc2;
	if (s.n == 0 && !r->o->json && n == 1)
		printf("%.*s: not listed\n", STR_ARG(addresses[0]));
	return s.n > 0 ? EX_OK : 1;
}

int
suppress_list(struct suppress_run *r)
{
	struct suppress_filter filter;
	struct suppress_scope scope;
	struct shown s = { .n = 0 };
	int rc, rc2;

	rc = suppress_arg_filter(r, &filter, &scope);
	if (rc != EX_OK)
		return rc;
	rc = suppress_open(r, STORE_READ);
	if (rc != EX_OK)
		return rc;
	suppress_writer_init(&s.w, r->settings, format_of(r));
	if (store_suppress_walk(r->store, &filter, show_entry, &s) !=
	    STORE_YES)
		rc = suppress_store_failed(r);
	rc2 = suppress_writer_end(&s.w);
	return rc != EX_OK ? rc : rc2;
}

struct events {
	struct suppress_run *r;
	struct buf out;
	uint64_t n;
};

static void
write_event_json(struct events *x, const struct suppress_event *e)
{
	buf_char(&x->out, '{');
	json_key(&x->out, "at");
	suppress_write_json_time(&x->out, e->at);
	json_key(&x->out, "what");
	json_string(&x->out,
	    e->what == SUPPRESS_REMOVE ? STR("removed") : STR("replaced"));
	json_key(&x->out, "by");
	json_string_or_null(&x->out, e->actor);
	json_key(&x->out, "by-import");
	if (e->import != 0)
		json_number(&x->out, (int64_t)e->import);
	else
		buf_puts(&x->out, "null");
	json_key(&x->out, "entry");
	buf_puts(&x->out, "{");
	suppress_write_json(&x->out, x->r->settings, &e->entry);
	buf_puts(&x->out, "}}\n");
}

static bool
show_event(void *arg, const struct suppress_event *e)
{
	struct events *x = arg;
	char at[CLOCK_TEXT], created[CLOCK_TEXT];

	x->n++;
	if (x->r->o->json) {
		write_event_json(x, e);
		return !x->out.failed;
	}
	clock_rfc3339(e->at, at);
	clock_rfc3339(e->entry.created, created);
	buf_printf(&x->out, "%s  %s by %.*s", at,
	    e->what == SUPPRESS_REMOVE ? "removed" : "replaced",
	    STR_ARG(e->actor.n > 0 ? e->actor : STR("?")));
	if (e->import != 0)
		buf_printf(&x->out, " (import %" PRIu64 ")", e->import);
	buf_printf(&x->out, ": %.*s, %s, ", STR_ARG(e->entry.address),
	    suppress_reason_name(e->entry.reason));
	suppress_scope_write(&x->out, x->r->settings, &e->entry.scope);
	buf_printf(&x->out, ", of %.10s, from %.*s%s%.*s\n", created,
	    STR_ARG(e->entry.source), e->entry.evidence.n > 0 ? ": " : "",
	    STR_ARG(e->entry.evidence));
	return !x->out.failed;
}

/* What is there now comes behind what was. */
static bool
show_present(void *arg, const struct suppress_entry *e)
{
	struct events *x = arg;
	char created[CLOCK_TEXT];

	x->n++;
	if (x->r->o->json) {
		buf_char(&x->out, '{');
		json_key(&x->out, "what");
		json_string(&x->out, STR("listed"));
		json_key(&x->out, "entry");
		buf_puts(&x->out, "{");
		suppress_write_json(&x->out, x->r->settings, e);
		buf_puts(&x->out, "}}\n");
		return !x->out.failed;
	}
	clock_rfc3339(e->created, created);
	buf_printf(&x->out, "%s  listed by %.*s", created, STR_ARG(e->source));
	if (e->import != 0)
		buf_printf(&x->out, " (import %" PRIu64 ")", e->import);
	buf_printf(&x->out, ": %.*s, %s, ", STR_ARG(e->address),
	    suppress_reason_name(e->reason));
	suppress_scope_write(&x->out, x->r->settings, &e->scope);
	buf_printf(&x->out, "%s%.*s\n", e->evidence.n > 0 ? ": " : "",
	    STR_ARG(e->evidence));
	return !x->out.failed;
}

int
suppress_history(struct suppress_run *r)
{
	struct events x = { .r = r };
	struct suppress_filter filter = { .with_expired = true };
	struct str *addresses;
	size_t n;
	int rc, rc2;

	if (suppress_arg_addresses(r, &addresses, &n) != 0)
		return EX_DATAERR;
	rc = suppress_open(r, STORE_READ);
	buf_init(&x.out, OUTPUT_MAX);
	for (size_t i = 0; i < n && rc == EX_OK; i++) {
		filter.address = addresses[i];
		if (store_suppress_history(r->store, addresses[i], show_event,
			&x) != STORE_YES ||
		    store_suppress_walk(r->store, &filter, show_present, &x) !=
			STORE_YES)
			rc = suppress_store_failed(r);
	}
	rc2 = load_flush(&x.out, "suppress");
	if (rc != EX_OK || rc2 != EX_OK)
		return rc != EX_OK ? rc : rc2;
	if (x.n == 0)
		suppress_say("nothing is known of it");
	return x.n > 0 ? EX_OK : 1;
}

static const char *
import_state(const struct suppress_import *i)
{
	if (i->is_undone)
		return "undone";
	return i->ended != 0 ? "done" : "cut short";
}

static bool
show_import(void *arg, const struct suppress_import *i)
{
	struct events *x = arg;
	char started[CLOCK_TEXT];

	if (!x->r->o->json) {
		if (x->n++ == 0)
			buf_printf(&x->out,
			    "%6s  %-20s  %-9s  %10s  %10s  %10s  %8s  %s\n",
			    "IMPORT", "STARTED", "STATE", "ADDED", "EXTENDED",
			    "ALREADY", "REFUSED", "FROM");
		clock_rfc3339(i->started, started);
		buf_printf(&x->out,
		    "%6" PRIu64 "  %-20s  %-9s  %10" PRIu64 "  %10" PRIu64
		    "  %10" PRIu64 "  %8" PRIu64 "  %.*s\n",
		    i->id, started, import_state(i), i->nadded, i->nextended,
		    i->nalready, i->nrefused, STR_ARG(i->source));
		return !x->out.failed;
	}
	buf_char(&x->out, '{');
	json_key(&x->out, "import");
	json_number(&x->out, (int64_t)i->id);
	json_key(&x->out, "started");
	suppress_write_json_time(&x->out, i->started);
	json_key(&x->out, "ended");
	suppress_write_json_time(&x->out, i->ended);
	json_key(&x->out, "state");
	json_string(&x->out, str_from(import_state(i)));
	json_key(&x->out, "added");
	json_number(&x->out, (int64_t)i->nadded);
	json_key(&x->out, "extended");
	json_number(&x->out, (int64_t)i->nextended);
	json_key(&x->out, "already");
	json_number(&x->out, (int64_t)i->nalready);
	json_key(&x->out, "refused");
	json_number(&x->out, (int64_t)i->nrefused);
	json_key(&x->out, "source");
	json_string(&x->out, i->source);
	buf_puts(&x->out, "}\n");
	return !x->out.failed;
}

int
suppress_imports(struct suppress_run *r)
{
	struct events x = { .r = r };
	int rc = suppress_open(r, STORE_READ), rc2;

	if (rc != EX_OK)
		return rc;
	buf_init(&x.out, OUTPUT_MAX);
	if (store_import_walk(r->store, show_import, &x) != STORE_YES)
		rc = suppress_store_failed(r);
	rc2 = load_flush(&x.out, "suppress");
	return rc != EX_OK ? rc : rc2;
}
