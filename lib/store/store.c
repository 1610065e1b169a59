/*
 * store.c - the front: opens drivers by name, and what every call has in
 * common, whatever its kind: deadline, breaker, reason.  No driver's details.
 */
#include "store/store.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/store_private.h"

static const struct driver_ops *const drivers[] = {
	&driver_sqlite,
	&driver_memory,
	&driver_fail,
};

static const char *const kind_names[STORE_NKINDS] = {
	"suppressions", "rates", "meta", "events",
};

/* The number of the one bit. */
static size_t
kind_index(unsigned kind)
{
	size_t i = 0;

	while (i < STORE_NKINDS - 1 && kind != 1u << i)
		i++;
	return i;
}

static const struct driver_ops *
find_driver(struct str spec, struct str *where)
{
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
		struct str name = str_from(drivers[i]->name);

		if (str_starts(spec, name) && spec.n > name.n &&
		    spec.p[name.n] == ':') {
			*where = str_sub(spec, name.n + 1, spec.n);
			return drivers[i];
		}
	}
	return NULL;
}

struct driver *
driver_open(struct str spec, unsigned kinds, enum store_access access,
    struct clock clock, struct buf *errors)
{
	struct driver_spec ds = { .kinds = kinds, .access = access,
		.clock = clock };
	const struct driver_ops *ops = find_driver(spec, &ds.where);

	if (ops == NULL) {
		buf_printf(errors, "store \"%.*s\": no driver of that name\n",
		    STR_ARG(spec));
		return NULL;
	}
	for (size_t i = 0; i < STORE_NKINDS; i++)
		if (kinds & ~ops->kinds & 1u << i) {
			buf_printf(errors, "store \"%.*s\": %s cannot be kept "
			    "there\n", STR_ARG(spec), kind_names[i]);
			return NULL;
		}
	return ops->open(&ds, errors);
}

void
driver_close(struct driver **d)
{
	if (*d != NULL)
		(*d)->ops->close(*d);
	*d = NULL;
}

/* Where a kind is kept. */
static struct str
spec_of(const struct store_spec *spec, unsigned kind)
{
	if (kind == STORE_RATES && spec->rates.n > 0)
		return spec->rates;
	if (kind == STORE_EVENTS && spec->events.n > 0)
		return spec->events;
	return spec->store;
}

/* One driver for all kinds of the same spec as the first of them. */
static bool
open_place(struct store *s, const struct store_spec *spec, size_t first,
    struct buf *errors)
{
	struct str place = spec_of(spec, 1u << first);
	unsigned kinds = 0;

	for (size_t i = first; i < STORE_NKINDS; i++)
		if (spec->kinds & 1u << i &&
		    str_eq(spec_of(spec, 1u << i), place))
			kinds |= 1u << i;
	s->owned[first] = driver_open(place, kinds, spec->access, spec->clock,
	    errors);
	if (s->owned[first] == NULL)
		return false;
	for (size_t i = first; i < STORE_NKINDS; i++)
		if (kinds & 1u << i)
			s->kinds[i].driver = s->owned[first];
	return true;
}

struct store *
store_open(const struct store_spec *spec, struct buf *errors)
{
	struct store *s = mem_alloc(sizeof(*s));
	bool is_well = true;

	*s = (struct store){ .clock = spec->clock, .access = spec->access };
	for (size_t i = 0; i < STORE_NKINDS; i++)
		if (spec->kinds & 1u << i && s->kinds[i].driver == NULL)
			is_well = open_place(s, spec, i, errors) && is_well;
	if (!is_well)
		store_close(&s);
	return s;
}

void
store_close(struct store **s)
{
	if (*s == NULL)
		return;
	if ((*s)->rates != NULL)
		(*s)->free_rates((*s)->rates);
	hash_mac_free(&(*s)->event_mac);
	for (size_t i = 0; i < STORE_NKINDS; i++)
		driver_close(&(*s)->owned[i]);
	free(*s);
	*s = NULL;
}

int64_t
store_deadline(unsigned millis)
{
	return clock_monotonic() + (int64_t)millis * 1000000;
}

const char *
store_error(const struct store *s, unsigned kind)
{
	return s->kinds[kind_index(kind)].error;
}

bool
store_is_tripped(const struct store *s, unsigned kind)
{
	const struct breaker *b = s->kinds[kind_index(kind)].breakers;
	int64_t now = clock_monotonic();

	return breaker_is_open(&b[STORE_READ], now) ||
	    breaker_is_open(&b[STORE_CHANGE], now);
}

enum store_answer
driver_unknown(struct driver_call *call, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(call->error, DRIVER_ERROR_SIZE, fmt, ap);
	va_end(ap);
	for (char *p = call->error; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	return STORE_UNKNOWN;
}

struct driver *
store_driver(const struct store *s, unsigned kind)
{
	return s->kinds[kind_index(kind)].driver;
}

struct driver *
store_enter(struct store *s, unsigned kind, enum store_access access,
    int64_t deadline, struct driver_call *call)
{
	struct store_kind *k = &s->kinds[kind_index(kind)];
	const char *name = kind_names[kind_index(kind)];
	int64_t now = clock_monotonic();

	*call = (struct driver_call){ .deadline = deadline,
		.now = clock_seconds(&s->clock), .error = k->error,
		.access = access };
	if (k->driver == NULL)
		driver_unknown(call, "%s: not opened", name);
	else if (access == STORE_CHANGE && s->access != STORE_CHANGE)
		driver_unknown(call, "%s: opened for reading only", name);
	else if (breaker_is_open(&k->breakers[access], now))
		driver_unknown(call, "%s: did not answer in time again and "
		    "again: not asked for a while", name);
	else if (deadline <= now)
		driver_unknown(call, "%s: the deadline passed before the "
		    "store was asked", name);
	else {
		k->error[0] = '\0';
		return k->driver;
	}
	return NULL;
}

enum store_answer
store_leave(struct store *s, unsigned kind, const struct driver_call *call,
    enum store_answer answer)
{
	struct breaker *b =
	    &s->kinds[kind_index(kind)].breakers[call->access];
	int64_t now = 0;

	if (answer == STORE_UNKNOWN)
		now = clock_monotonic();
	if (answer == STORE_UNKNOWN && now >= call->deadline)
		breaker_late(b, now);
	else
		breaker_well(b);
	return answer;
}
