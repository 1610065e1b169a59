/*
 * limit.c - which buckets a message touches, and what is answered when one of
 * them is empty.  Charges nothing.
 */
#include "bulkhead/limit.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/hash.h"
#include "bulkhead/settings_write.h"
#include "mail/addr.h"

#define DAY	  86400
#define MICROS	  INT64_C(1000000)
#define VALUE_MAX 255 /* octets of a value in a key */
#define SHOW_MAX  100 /* and in a reply */

struct str
limit_key(struct arena *a, struct str name, struct str value)
{
	const struct str parts[] = { name, STR("\0"), value, STR("\0") };

	return arena_join(a, parts, value.n != 0 ? 4 : 2);
}

bool
limit_key_split(struct str key, struct str *name, struct str *value)
{
	size_t end = str_chr(key, '\0', 0);

	if (end + 1 >= key.n || key.p[key.n - 1] != '\0')
		return false;
	*name = str_sub(key, 0, end);
	*value = str_sub(key, end + 1, key.n - 1);
	return true;
}

struct str
limit_client(struct arena *a, const struct net_addr *addr)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct net_addr net = *addr;
	char text[NET_ADDR_TEXT];

	if (memcmp(addr->b, mapped, sizeof(mapped)) == 0) {
		net_format_addr(addr, text);
		return arena_copy(a, str_from(text));
	}
	memset(net.b + 8, 0, 8);
	net_format_addr(&net, text);
	return arena_printf(a, "%s/64", text);
}

/*
 * A value no longer than a key may hold: of a longer one the start and a hash,
 * so that two of them still differ.
 */
static struct str
bounded(struct arena *a, struct str value)
{
	unsigned char digest[SHA256_SIZE];

	if (value.n <= VALUE_MAX)
		return value;
	hash_sha256(value, digest);
	return arena_printf(a, "%.*s#%02x%02x%02x%02x%02x%02x%02x%02x",
	    STR_ARG(str_sub(value, 0, 200)), digest[0], digest[1], digest[2],
	    digest[3], digest[4], digest[5], digest[6], digest[7]);
}

struct str
limit_value(struct arena *a, const struct limit_settings *l, struct str text)
{
	struct net_addr addr;
	struct str host = text;

	switch (l->per) {
	case LIMIT_PER_DOMAIN:
	case LIMIT_PER_RECIPIENT_DOMAIN:
		return bounded(a, addr_domain_ascii(a, text));
	case LIMIT_PER_SASL_USER:
		return bounded(a, arena_lower(a, text));
	case LIMIT_PER_CLIENT:
		if (str_iends(text, STR("/64")))
			host.n -= 3;
		if (net_parse_addr(host, &addr) == 0)
			return limit_client(a, &addr);
		return bounded(a, text);
	default:
		return bounded(a, text);
	}
}

/* The stage of a warm-up at that time, or NULL when it is over. */
static const struct rate *
stage_at(const struct limit_warm_up *w, int64_t now)
{
	int64_t days = now < w->from ? 0 : (now - w->from) / DAY;

	return days < (int64_t)w->nstages ? &w->stages[days] : NULL;
}

size_t
limit_rate(const struct limit_settings *l, struct str value, int64_t now,
    struct rate *rate, uint64_t *burst)
{
	const struct limit_warm_up *warm = &l->warm_up;
	const struct rate *stage;

	*rate = l->rate;
	*burst = l->burst;
	for (size_t i = 0; i < l->noverrides; i++) {
		if (!str_eq(l->overrides[i].value, value))
			continue;
		*rate = l->overrides[i].rate;
		*burst = l->overrides[i].burst;
		warm = &l->overrides[i].warm_up;
		break;
	}
	stage = stage_at(warm, now);
	if (stage == NULL)
		return 0;
	*rate = *stage;
	*burst = stage->count;
	return (size_t)(stage - warm->stages) + 1;
}

const struct limit_settings *
limit_named(const struct settings *s, struct str name)
{
	for (size_t i = 0; i < s->nlimits; i++)
		if (str_eq(s->limits[i].name, name))
			return &s->limits[i];
	return NULL;
}

/* How many recipients there are of each domain. */
struct share {
	struct str domain; /* empty: none could be told */
	uint64_t n;
};

struct planner {
	struct arena *arena;
	const struct limit_facts *facts;
	struct share *shares;
	size_t nshares;
	struct limit_plan plan;
	size_t cap, cap_limits;
};

static int
compare_shares(const void *a, const void *b)
{
	return str_cmp(((const struct share *)a)->domain,
	    ((const struct share *)b)->domain);
}

static struct str
domain_of(struct str recipient)
{
	size_t at = recipient.n;

	while (at > 0 && recipient.p[at - 1] != '@')
		at--;
	return at > 0 ? str_sub(recipient, at, recipient.n) : STR("");
}

/* Sorted, each domain once: a message may have thousands of recipients. */
static void
count_shares(struct planner *p)
{
	size_t n = p->facts->nrecipients, kept = 0;
	struct share *v = arena_array(p->arena, n, sizeof(*v));

	for (size_t i = 0; i < n; i++)
		v[i] = (struct share){ domain_of(p->facts->recipients[i]), 1 };
	if (n > 1)
		qsort(v, n, sizeof(*v), compare_shares);
	for (size_t i = 0; i < n; i++) {
		if (kept != 0 && str_eq(v[kept - 1].domain, v[i].domain))
			v[kept - 1].n++;
		else
			v[kept++] = v[i];
	}
	p->shares = v;
	p->nshares = kept;
}

static bool
applies_to(const struct limit_settings *l, struct str domain)
{
	for (size_t i = 0; i < l->nrecipient_domain; i++)
		if (str_glob(l->recipient_domain[i], domain))
			return true;
	return l->nrecipient_domain == 0;
}

static void
add_bucket(struct planner *p, const struct limit_settings *l,
    struct str value, uint64_t n)
{
	struct limit_plan *plan = &p->plan;
	struct rate_bucket *b;
	const struct str parts[] = { l->name, STR("\0"), value, STR("\0") };

	plan->buckets = arena_grow(p->arena, plan->buckets, plan->n, &p->cap,
	    sizeof(*plan->buckets));
	plan->limits = arena_grow(p->arena, plan->limits, plan->n,
	    &p->cap_limits, sizeof(*plan->limits));
	b = &plan->buckets[plan->n];
	*b = (struct rate_bucket){ .cost = l->count_messages ? 1 : n };
	b->key = arena_join(p->arena, parts, 4);
	limit_rate(l, value, p->facts->now, &b->rate, &b->burst);
	plan->limits[plan->n++] = l;
}

/* The value of a limit that has one for the whole message; empty: none. */
static struct str
value_of(struct planner *p, const struct limit_settings *l)
{
	const struct limit_facts *f = p->facts;

	switch (l->per) {
	case LIMIT_PER_DOMAIN:
		return f->knows_domain ? bounded(p->arena, f->domain) :
		    STR("");
	case LIMIT_PER_STREAM:
		return f->knows_stream ? bounded(p->arena, f->stream) :
		    STR("");
	case LIMIT_PER_SASL_USER:
		/* log-ins are mostly taken in any case: one user, one bucket */
		return bounded(p->arena, arena_lower(p->arena, f->sasl_user));
	case LIMIT_PER_CLIENT:
		return f->client != NULL ? limit_client(p->arena, f->client) :
		    STR("");
	default:
		return STR("");
	}
}

static void
plan_each_domain(struct planner *p, const struct limit_settings *l)
{
	for (size_t i = 0; i < p->nshares; i++) {
		const struct share *s = &p->shares[i];

		if (s->domain.n != 0 && applies_to(l, s->domain))
			add_bucket(p, l, bounded(p->arena, s->domain), s->n);
	}
}

static void
plan_limit(struct planner *p, const struct limit_settings *l)
{
	struct str value;
	uint64_t n = 0;

	if (l->per == LIMIT_PER_RECIPIENT_DOMAIN) {
		plan_each_domain(p, l);
		return;
	}
	for (size_t i = 0; i < p->nshares; i++)
		if (applies_to(l, p->shares[i].domain))
			n += p->shares[i].n;
	if (n == 0)
		return;
	value = value_of(p, l);
	if (value.n != 0 || l->per == LIMIT_PER_NONE)
		add_bucket(p, l, value, n);
}

struct limit_plan
limit_plan(struct arena *a, const struct settings *s,
    const struct limit_facts *facts)
{
	struct planner p = { .arena = a, .facts = facts };

	count_shares(&p);
	for (size_t i = 0; i < s->nlimits; i++)
		plan_limit(&p, &s->limits[i]);
	return p.plan;
}

/* The bucket that decides: never above the longest wait; NULL: all pass. */
static const struct rate_bucket *
worst(const struct limit_plan *plan)
{
	const struct rate_bucket *found = NULL;

	for (size_t i = 0; i < plan->n; i++) {
		const struct rate_bucket *b = &plan->buckets[i];

		if (b->wait < 0)
			return b;
		if (b->wait > 0 && (found == NULL || b->wait > found->wait))
			found = b;
	}
	return found;
}

/* What may stand in a reply: one line of printable ASCII, and not long. */
static struct str
printable(struct arena *a, struct str s)
{
	struct str cut = str_sub(s, 0, SHOW_MAX);
	char *p = arena_bytes(a, cut.n + 1);

	for (size_t i = 0; i < cut.n; i++)
		p[i] = cut.p[i] >= ' ' && cut.p[i] <= '~' ? cut.p[i] : '?';
	return str_make(p, cut.n);
}

/* "google" (20000/h), or "each" (20/h for example.com) */
static struct str
limit_text(struct arena *a, const struct limit_settings *l,
    const struct rate_bucket *b)
{
	struct str key, value = STR(""), rate = text_of_rate(a, &b->rate);
	struct str name = printable(a, l->name);

	limit_key_split(b->key, &key, &value);
	if (value.n == 0)
		return arena_printf(a, "\"%.*s\" (%.*s)", STR_ARG(name),
		    STR_ARG(rate));
	value = printable(a, value);
	return arena_printf(a, "\"%.*s\" (%.*s for %.*s)", STR_ARG(name),
	    STR_ARG(rate), STR_ARG(value));
}

void
limit_reply(struct arena *a, const struct limit_plan *plan, struct str *code,
    struct str *status, struct str *text, struct str *limit_name)
{
	const struct rate_bucket *b = worst(plan);
	const struct limit_settings *l;
	struct str what;

	*code = STR("450");
	*status = STR("4.7.1");
	*text = STR("over a limit: try again later");
	*limit_name = STR("");
	if (b == NULL)
		return;
	l = plan->limits[b - plan->buckets];
	*limit_name = l->name;
	what = limit_text(a, l, b);
	if (b->wait > 0) {
		*text = arena_printf(a, "over limit %.*s: retry in %" PRId64
		    " s", STR_ARG(what), b->wait / MICROS +
		    (b->wait % MICROS != 0));
		return;
	}
	*code = STR("550");
	*status = STR("5.7.1");
	*text = arena_printf(a, "over limit %.*s: %" PRIu64 " recipients are "
	    "more than its burst of %" PRIu64 ": send to %" PRIu64 " at a time "
	    "at most", STR_ARG(what), b->cost, b->burst, b->burst);
}

struct str
limit_pause_key(struct arena *a, const char *kind, struct str name)
{
	return arena_printf(a, LIMIT_PAUSE_PREFIX "%s/%.*s", kind,
	    STR_ARG(name));
}

struct str
limit_pause_value(struct arena *a, const struct limit_pause *p)
{
	char *by = arena_cstr(a, p->by);

	for (size_t i = 0; i < p->by.n; i++)
		if (str_is_space(by[i]))
			by[i] = '_';
	return arena_printf(a, "%" PRId64 " %s %.*s", p->since,
	    p->by.n != 0 ? by : "?", STR_ARG(p->note));
}

bool
limit_pause_parse(struct str key, struct str value, struct limit_pause *out)
{
	size_t prefix = sizeof(LIMIT_PAUSE_PREFIX) - 1;
	size_t slash = str_chr(key, '/', prefix), end, by;
	uint64_t since;

	if (!str_starts(key, STR(LIMIT_PAUSE_PREFIX)) || slash == key.n)
		return false;
	*out = (struct limit_pause){ .kind = str_sub(key, prefix, slash),
		.name = str_sub(key, slash + 1, key.n) };
	end = str_chr(value, ' ', 0);
	if (num_parse(str_sub(value, 0, end), INT64_MAX, &since) != 0)
		return true;
	by = str_chr(value, ' ', end + 1);
	out->since = (int64_t)since;
	out->by = str_sub(value, end + 1, by);
	out->note = str_sub(value, by + 1, value.n);
	return true;
}
