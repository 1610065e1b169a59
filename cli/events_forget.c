/*
 * events_forget.c - `bulkhead events forget`: a person's address becomes its
 * keyed hash in all events, and
 * leaves the links that are counted.
 */
#include "cli/events.h"

#include <sysexits.h>

#include "base/json.h"
#include "cli/load.h"
#include "store/rollup.h"
#include "store/suppress.h"

#define OUTPUT_MAX   ((size_t)1 << 20)
#define LINKS_MILLIS 60000

struct forgetting {
	struct buf days; /* as JSON */
	unsigned ndays;
	uint64_t nevents, nlinks;
};

static void
count_day(void *arg, uint32_t day, uint64_t n)
{
	struct forgetting *f = arg;

	if (n == 0)
		return;
	buf_printf(&f->days, "%s{\"day\": \"%04u-%02u-%02u\", "
	    "\"events\": %llu}", f->ndays++ > 0 ? ", " : "", day / 10000,
	    day / 100 % 100, day % 100, (unsigned long long)n);
}

static void
write_json(struct events_run *r, struct buf *out, struct str address,
    const struct forgetting *f)
{
	buf_char(out, '{');
	json_key(out, "address");
	json_string(out, address);
	json_key(out, "events");
	json_number(out, (int64_t)f->nevents);
	json_key(out, "days");
	buf_printf(out, "[%.*s]", STR_ARG(buf_view(&f->days)));
	json_key(out, "links");
	json_number(out, (int64_t)f->nlinks);
	json_key(out, "dry_run");
	json_bool(out, r->o->dry_run);
	buf_puts(out, "}\n");
}

static void
write_text(struct events_run *r, struct buf *out, const struct forgetting *f)
{
	buf_printf(out, "%llu event%s of %u day%s",
	    (unsigned long long)f->nevents, f->nevents == 1 ? "" : "s",
	    f->ndays, f->ndays == 1 ? "" : "s");
	if (f->nlinks > 0)
		buf_printf(out, " and %llu link%s of reports",
		    (unsigned long long)f->nlinks, f->nlinks == 1 ? "" : "s");
	buf_printf(out, " %s\n", r->o->dry_run ? "would be changed" :
	    "changed");
}

/* The links last: events that have them yet are rolled up at any time. */
static enum store_answer
forget(struct events_run *r, struct str address, struct forgetting *f)
{
	enum store_answer answer = store_events_forget(r->store, address,
	    r->o->dry_run, &f->nevents, count_day, f);

	return answer != STORE_YES ? answer : store_rollup_forget(r->store,
	    address, r->o->dry_run, &f->nlinks, store_deadline(LINKS_MILLIS));
}

int
events_forget(struct events_run *r)
{
	struct str address = suppress_normal(r->arena, str_from(r->o->argv[1]));
	struct forgetting f = { .ndays = 0 };
	struct buf out;
	int rc = EX_OK;

	if (address.n == 0 || address.p[0] == '@') {
		events_say("\"%s\" is no address", r->o->argv[1]);
		return EX_DATAERR;
	}
	buf_init(&f.days, OUTPUT_MAX);
	buf_init(&out, OUTPUT_MAX);
	if (forget(r, address, &f) != STORE_YES)
		rc = events_store_failed(r);
	else if (r->o->json)
		write_json(r, &out, address, &f);
	else
		write_text(r, &out, &f);
	if (rc == EX_OK)
		rc = load_flush(&out, "events");
	buf_free(&out);
	buf_free(&f.days);
	return rc;
}
