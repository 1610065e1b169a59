/*
 * limit_ask.c - what `bulkhead limit` asks policyd over its control socket,
 * and what the store knows where policyd is down.
 */
#include "cli/limit.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "bulkhead/policy_client.h"
#include "bulkhead/policy_proto.h"
#include "bulkhead/settings_write.h"
#include "cli/owner.h"
#include "store/rate.h"

#define ASK_MILLIS 3000
#define ERRORS_MAX 65536

bool
limit_is_new(struct limit_run *r, struct str store, const char *file)
{
	const char *path = arena_cstr(r->arena, str_sub(store, 7, store.n));
	struct stat st;

	if (!str_starts(store, STR("sqlite:")) || stat(path, &st) != 0)
		return false;
	path = arena_cstr(r->arena, arena_printf(r->arena, "%s/%s", path,
	    file));
	return stat(path, &st) != 0 && errno == ENOENT;
}

struct store *
limit_store(struct limit_run *r, unsigned kinds, enum store_access access)
{
	struct store_spec spec = { .store = r->settings->store,
		.rates = r->settings->rates, .events = r->settings->events,
		.kinds = kinds, .access = access, .clock = clock_system() };
	bool is_rates = kinds == STORE_RATES && spec.rates.n != 0;
	struct str where = is_rates ? spec.rates : spec.store;
	struct store *s;
	struct buf errors;

	if (access == STORE_CHANGE &&
	    owner_prepare(r->arena, where, "limit") != EX_OK)
		return NULL;
	if (owner_become(r->arena, where, "limit") != EX_OK)
		return NULL;
	buf_init(&errors, ERRORS_MAX);
	s = store_open(&spec, &errors);
	if (s == NULL)
		file_write_all(STDERR_FILENO, buf_view(&errors));
	buf_free(&errors);
	return s;
}

static void
write_request(struct buf *out, const char *request, struct str name,
    struct str value)
{
	buf_printf(out, "request=bulkhead_%s\n", request);
	if (name.n != 0)
		policy_write_attr(out, "name", name);
	if (value.n != 0)
		policy_write_attr(out, "value", value);
	policy_write_end(out);
}

int
limit_ask(struct limit_run *r, const char *request, struct str name,
    struct str value, struct str *lines, struct str *error)
{
	struct policy_client *c = policy_client_new(
	    r->settings->policyd.control, ASK_MILLIS);
	struct str key, action;
	struct buf text;
	int rc;

	buf_init(&text, POLICY_CONTROL_MAX);
	write_request(&text, request, name, value);
	rc = policy_client_ask(c, r->arena, buf_view(&text), lines, error);
	buf_free(&text);
	policy_client_free(&c);
	if (rc != 0)
		return -1;
	if (!policy_next_attr(lines, &key, &action) ||
	    !str_eq(key, STR("action"))) {
		*error = STR("what policyd answered is no answer");
		return -1;
	}
	if (str_eq(action, STR("DUNNO")))
		return 0;
	limit_say("policyd says: %.*s", STR_ARG(action));
	return 1;
}

static void
add_bucket(struct limit_buckets *b, struct arena *a,
    const struct limit_bucket *bucket)
{
	b->v = arena_grow(a, b->v, b->n, &b->cap, sizeof(*b->v));
	b->v[b->n++] = *bucket;
}

static struct str
text_member(struct arena *a, const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);

	return arena_copy(a, str_make(json_string_value(v),
	    json_string_length(v)));
}

static int64_t
number_member(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

static void
read_bucket(struct limit_buckets *b, struct arena *a, struct str text)
{
	json_t *o = json_loadb(text.p, text.n, JSON_ALLOW_NUL, NULL);

	if (json_is_object(o))
		add_bucket(b, a, &(struct limit_bucket){
		    .limit = text_member(a, o, "limit"),
		    .value = text_member(a, o, "value"),
		    .rate = text_member(a, o, "rate"),
		    .burst = (uint64_t)number_member(o, "burst"),
		    .used = (uint64_t)number_member(o, "used"),
		    .full_at = number_member(o, "full_at"),
		});
	json_decref(o);
}

struct walking {
	struct arena *arena;
	struct limit_buckets *out;
};

static bool
take_state(void *arg, const struct rate_state *s)
{
	struct walking *w = arg;
	struct limit_bucket b = { .burst = s->burst, .used = s->used,
		.rate = text_of_rate(w->arena, &s->rate),
		.full_at = s->full_at / 1000000 + (s->full_at % 1000000 != 0) };
	struct str key = arena_copy(w->arena, s->key);

	if (limit_key_split(key, &b.limit, &b.value))
		add_bucket(w->out, w->arena, &b);
	return true;
}

static int
find_saved(struct limit_run *r, struct str prefix, struct limit_buckets *out)
{
	struct str place = r->settings->rates.n != 0 ? r->settings->rates :
	    r->settings->store;
	struct walking w = { r->arena, out };
	struct store *s;
	int rc = EX_OK;

	if (limit_is_new(r, place, "rates.db"))
		return EX_OK;
	s = limit_store(r, STORE_RATES, STORE_READ);
	if (s == NULL)
		return EX_UNAVAILABLE;
	if (store_rate_walk(s, prefix, take_state, &w) != STORE_YES) {
		limit_say("%s", store_error(s, STORE_RATES));
		rc = EX_UNAVAILABLE;
	}
	store_close(&s);
	return rc;
}

static int
compare_buckets(const void *pa, const void *pb)
{
	const struct limit_bucket *a = pa, *b = pb;
	int c = str_cmp(a->limit, b->limit);

	return c != 0 ? c : str_cmp(a->value, b->value);
}

int
limit_find_buckets(struct limit_run *r, struct str name, struct str value,
    struct limit_buckets *out)
{
	struct str lines, error, key, text;
	int rc = limit_ask(r, "limits", name, value, &lines, &error);

	*out = (struct limit_buckets){ .is_saved = rc < 0 };
	if (rc > 0)
		return EX_UNAVAILABLE;
	if (rc < 0) {
		limit_say("policyd does not answer (%.*s): this is what was "
		    "saved last", STR_ARG(error));
		rc = find_saved(r, name.n != 0 ? limit_key(r->arena, name,
		    value) : STR(""), out);
	}
	while (!out->is_saved && policy_next_attr(&lines, &key, &text)) {
		if (str_eq(key, STR("bucket")))
			read_bucket(out, r->arena, text);
		else if (str_eq(key, STR("more")))
			out->has_more = str_eq(text, STR("1"));
	}
	if (out->n > 1)
		qsort(out->v, out->n, sizeof(*out->v), compare_buckets);
	return rc;
}
