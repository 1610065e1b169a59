/*
 * settings_limit.c - from limit sections to struct settings.  What limits
 * mean is limit.c's.
 */
#include "bulkhead/settings_limit.h"

#include "bulkhead/limit.h"
#include "bulkhead/settings_table.h"

#define STAGES_MAX 1000

static enum limit_per
read_per(const struct section *sec)
{
	unsigned word = LIMIT_PER_NONE;

	read_word(sec, "per", settings_per_words, &word);
	return (enum limit_per)word;
}

static void
override_client(const struct section *sec, const struct scan_value *title,
    struct str *out)
{
	struct str text = title->text;
	struct net_addr addr;

	if (str_iends(text, STR("/64")))
		text.n -= 3;
	if (net_parse_addr(text, &addr) != 0) {
		settings_error(sec->report, title->pos, "override \"%.*s\": "
		    "an address is needed, as the limit is per client",
		    SETTINGS_SHOW(title->text));
		return;
	}
	*out = limit_client(sec->arena, &addr);
	if (text.n != title->text.n && !str_iends(*out, STR("/64")))
		settings_error(sec->report, title->pos, "override \"%.*s\": "
		    "IPv4 clients are counted singly: leave out the /64",
		    SETTINGS_SHOW(title->text));
}

/* What stands in an override's title is a value of the limit's "per". */
static void
override_value(const struct settings *s, const struct limit_settings *l,
    const struct section *sec, struct str *out)
{
	struct scan_value title = section_title(sec);

	*out = title.text;
	if (l->per == LIMIT_PER_DOMAIN || l->per == LIMIT_PER_RECIPIENT_DOMAIN)
		value_domain(sec, &title, out);
	else if (l->per == LIMIT_PER_SASL_USER)
		*out = arena_lower(sec->arena, title.text);
	else if (l->per == LIMIT_PER_CLIENT)
		override_client(sec, &title, out);
	else if (l->per == LIMIT_PER_STREAM &&
	    settings_stream_named(s, title.text) == NULL)
		settings_error(sec->report, title.pos, "override \"%.*s\": "
		    "there is no stream of that name",
		    SETTINGS_SHOW(title.text));
}

static void
build_rate(const struct section *sec, struct rate *rate, uint64_t *burst)
{
	read_rate(sec, "rate", rate);
	*burst = rate->count;
	read_burst(sec, "burst", burst);
	if (!section_has(sec, "rate"))
		settings_error(sec->report, sec->node->pos, "%.*s \"%.*s\" has "
		    "no rate: write one such as rate = \"20000/h\"",
		    SETTINGS_SHOW(sec->node->name),
		    SETTINGS_SHOW(sec->node->title));
}

/* Does a let more through in the long run than b? */
static bool
is_faster(const struct rate *a, const struct rate *b)
{
	/* num_parse_rate() keeps the products below 2^57 */
	return a->count * b->period > b->count * a->period;
}

static void
build_stages(const struct section *sec, struct limit_warm_up *w,
    const struct rate *last)
{
	size_t n;
	const struct scan_value *v = read_list(sec, "warm-up", &n);
	struct settings_pos pos = section_pos(sec, "warm-up");

	if (n == 0 || n > STAGES_MAX) {
		settings_error(sec->report, pos, n == 0 ? "an empty warm-up: "
		    "leave it out, or write its stages as in warm-up = "
		    "{ \"200/d\", \"500/d\" }" : "a warm-up of so many days: "
		    "1000 stages are the most");
		return;
	}
	w->stages = arena_array(sec->arena, n, sizeof(*w->stages));
	for (size_t i = 0; i < n; i++) {
		struct rate *stage = &w->stages[w->nstages];

		if (!value_rate(sec, "warm-up", &v[i], stage))
			continue;
		if (w->nstages != 0 && is_faster(stage - 1, stage))
			settings_warn(sec->report, v[i].pos, "the warm-up goes "
			    "down at \"%.*s\"", SETTINGS_SHOW(v[i].text));
		w->nstages++;
	}
	if (w->nstages == n && last->count != 0 &&
	    is_faster(&w->stages[n - 1], last))
		settings_warn(sec->report, pos, "the warm-up ends above the "
		    "rate");
}

static void
build_warm_up(const struct section *sec, struct limit_warm_up *w,
    const struct rate *rate)
{
	bool has_stages = section_has(sec, "warm-up");

	read_day(sec, "from", &w->from);
	if (has_stages)
		build_stages(sec, w, rate);
	if (has_stages && !section_has(sec, "from"))
		settings_error(sec->report, section_pos(sec, "warm-up"),
		    "warm-up needs the day of its first stage: write one such "
		    "as from = \"2026-12-01\"");
	else if (!has_stages && section_has(sec, "from"))
		settings_error(sec->report, section_pos(sec, "from"),
		    "from is the first day of a warm-up, which is missing: "
		    "write one such as warm-up = { \"200/d\", \"500/d\" }");
}

static void
build_override(const struct settings *s, const struct limit_settings *l,
    const struct section *sec)
{
	struct limit_override *o = &l->overrides[sec->index];

	override_value(s, l, sec, &o->value);
	build_rate(sec, &o->rate, &o->burst);
	build_warm_up(sec, &o->warm_up, &o->rate);
	for (size_t i = 0; i < sec->index; i++)
		if (str_eq(l->overrides[i].value, o->value))
			settings_error(sec->report, sec->node->pos, "a second "
			    "override for \"%.*s\": join them",
			    SETTINGS_SHOW(o->value));
}

static void
build_limit(const struct settings *s, struct limit_settings *l,
    const struct section *sec)
{
	size_t n;

	l->pos = sec->node->pos;
	l->name = section_title(sec).text;
	l->per = read_per(sec);
	read_domain_globs(sec, "recipient-domain", &l->recipient_domain,
	    &l->nrecipient_domain);
	read_list(sec, "recipient-domain", &n);
	if (section_has(sec, "recipient-domain") && n == 0)
		settings_error(sec->report,
		    section_pos(sec, "recipient-domain"), "an empty "
		    "recipient-domain: leave it out to mean all of them");
	read_flag(sec, "count", settings_count_words, &l->count_messages);
	build_rate(sec, &l->rate, &l->burst);
	build_warm_up(sec, &l->warm_up, &l->rate);
	l->noverrides = section_count(sec, "override");
	l->overrides = arena_array(sec->arena, l->noverrides,
	    sizeof(*l->overrides));
	for (struct section sub = section_first(sec, "override"); sub.node;
	    section_next(sec, &sub))
		build_override(s, l, &sub);
}

void
build_limits(struct settings *s, const struct section *root)
{
	s->nlimits = section_count(root, "limit");
	s->limits = arena_array(s->arena, s->nlimits, sizeof(*s->limits));
	for (struct section sec = section_first(root, "limit"); sec.node;
	    section_next(root, &sec))
		build_limit(s, &s->limits[sec.index], &sec);
}
