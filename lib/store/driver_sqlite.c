/*
 * driver_sqlite.c - the driver's life: a directory with one file for each
 * kind.  What is in the files is driver_sqlite_*.c's.
 */
#include "store/driver_sqlite.h"

#include <stdlib.h>
#include <unistd.h>

#include "store/driver_sqlite_events.h"

/* At opening; how long a file that is locked is waited for. */
#define OPEN_MILLIS 5000

static bool
open_file(struct sqlite_file *f, const struct sqlite_schema *schema,
    const struct driver_spec *spec, struct buf *errors)
{
	char error[DRIVER_ERROR_SIZE] = "";
	struct driver_call call = { .error = error,
		.deadline = store_deadline(OPEN_MILLIS),
		.now = clock_seconds(&spec->clock) };

	sqlite_file_init(f, schema, spec->where, spec->access);
	if (sqlite_file_open(f, &call) == STORE_YES)
		return true;
	buf_printf(errors, "%s\n", error);
	return false;
}

static bool
open_rates(struct sqlite_driver *d, const struct driver_spec *spec,
    struct buf *errors)
{
	if (!open_file(&d->rates, &sqlite_schema_rates, spec, errors))
		return false;
	if (spec->access != STORE_CHANGE)
		return true;
	d->rates_lock = sqlite_rates_lock(spec->where, errors);
	return d->rates_lock >= 0;
}

static bool
open_events(struct sqlite_driver *d, const struct driver_spec *spec,
    struct buf *errors)
{
	char error[DRIVER_ERROR_SIZE] = "";
	struct driver_call call = { .error = error, .access = spec->access,
		.deadline = store_deadline(OPEN_MILLIS),
		.now = clock_seconds(&spec->clock) };

	if (sqlite_events_init(&d->events, spec, &call) == STORE_YES)
		return true;
	buf_printf(errors, "%s\n", error);
	return false;
}

static void
close_sqlite(struct driver *driver)
{
	struct sqlite_driver *d = (struct sqlite_driver *)driver;

	suppress_sieve_free(&d->sieve);
	sqlite_file_free(&d->suppress);
	sqlite_file_free(&d->meta);
	sqlite_file_free(&d->rates);
	sqlite_events_free(&d->events);
	sqlite_file_free(&d->rollups);
	if (d->rates_lock >= 0)
		close(d->rates_lock);
	free(d);
}

static struct driver *
open_sqlite(const struct driver_spec *spec, struct buf *errors)
{
	struct sqlite_driver *d = mem_alloc(sizeof(*d));
	bool is_well = true;

	*d = (struct sqlite_driver){ .base = { .ops = &driver_sqlite },
		.kinds = spec->kinds, .rates_lock = -1 };
	if (spec->where.n == 0 || spec->where.p[0] != '/') {
		buf_printf(errors, "store \"sqlite:%.*s\": write "
		    "\"sqlite:/DIRECTORY\"\n", STR_ARG(spec->where));
		is_well = false;
	}
	if (is_well && spec->kinds & STORE_SUPPRESS)
		is_well = open_file(&d->suppress, &sqlite_schema_suppress, spec,
		    errors);
	if (is_well && spec->kinds & STORE_META)
		is_well = open_file(&d->meta, &sqlite_schema_meta, spec,
		    errors);
	if (is_well && spec->kinds & STORE_RATES)
		is_well = open_rates(d, spec, errors);
	if (is_well && spec->kinds & STORE_EVENTS)
		is_well = open_events(d, spec, errors);
	if (is_well && spec->kinds & STORE_EVENTS)
		sqlite_file_init(&d->rollups, &sqlite_schema_rollups,
		    spec->where, spec->access);
	if (is_well)
		return &d->base;
	close_sqlite(&d->base);
	return NULL;
}

const struct driver_ops driver_sqlite = {
	.name = "sqlite",
	.kinds = STORE_SUPPRESS | STORE_META | STORE_RATES |
	    STORE_EVENTS,
	.is_durable = true,
	.is_shared = true,
	.open = open_sqlite,
	.close = close_sqlite,
	.suppress = &sqlite_suppress_ops,
	.meta = &sqlite_meta_ops,
	.rates = &sqlite_rate_ops,
	.events = &sqlite_event_ops,
	.rollups = &sqlite_rollup_ops,
};
