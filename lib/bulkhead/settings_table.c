/*
 * settings_table.c - the one table of all keys.  What values mean is in
 * settings_build.c.
 */
#include "bulkhead/settings_table.h"

#define KEY_NAME_MAX 63

static const struct settings_key milter_keys[] = {
	{ "mode", KEY_VALUE, NULL },
	{ "socket", KEY_VALUE, NULL },
	{ "max-sessions", KEY_VALUE, NULL },
	{ "max-message", KEY_VALUE, NULL },
	{ "max-memory", KEY_VALUE, NULL },
	{ "spool", KEY_VALUE, NULL },
	{ "metrics", KEY_VALUE, NULL },
	{ NULL, KEY_VALUE, NULL },
};

static const struct settings_key policyd_keys[] = {
	{ "socket", KEY_VALUE, NULL },
	{ "control", KEY_VALUE, NULL },
	{ "charge-at", KEY_VALUE, NULL },
	{ "metrics", KEY_VALUE, NULL },
	{ NULL, KEY_VALUE, NULL },
};

static const struct settings_key trackd_keys[] = {
	{ "listen", KEY_VALUE, NULL },
	{ "spool", KEY_VALUE, NULL },
	{ "public", KEY_VALUE, NULL },
	{ "threads", KEY_VALUE, NULL },
	{ "max-connections", KEY_VALUE, NULL },
	{ "proxies", KEY_LIST, NULL },
	{ "templates", KEY_VALUE, NULL },
	{ "robots", KEY_VALUE, NULL },
	{ "keep-visitors", KEY_VALUE, NULL },
	{ "metrics", KEY_VALUE, NULL },
	{ NULL, KEY_VALUE, NULL },
};

static const struct settings_key sign_keys[] = {
	{ "key", KEY_VALUE, NULL },
	{ NULL, KEY_VALUE, NULL },
};

static const struct settings_key domain_keys[] = {
	{ "sign", KEY_TITLED, sign_keys },
	{ "tracking-url", KEY_VALUE, NULL },
	{ "return-path-domain", KEY_VALUE, NULL },
	{ "unsubscribe-mailto", KEY_VALUE, NULL },
	{ "may-send", KEY_LIST, NULL },
	{ NULL, KEY_VALUE, NULL },
};

static const struct settings_key match_keys[] = {
	{ "from-domain", KEY_LIST, NULL },
	{ "header", KEY_LIST, NULL },
	{ "sender", KEY_LIST, NULL },
	{ "sasl-user", KEY_LIST, NULL },
	{ "client", KEY_LIST, NULL },
	{ "daemon", KEY_LIST, NULL },
	{ NULL, KEY_VALUE, NULL },
};

static const struct settings_key stream_keys[] = {
	{ "match", KEY_SECTION, match_keys },
	{ "alias", KEY_LIST, NULL },
	{ "unsubscribe", KEY_VALUE, NULL },
	{ "existing-unsubscribe", KEY_VALUE, NULL },
	{ "track", KEY_LIST, NULL },
	{ "no-track-hosts", KEY_LIST, NULL },
	{ "return-path", KEY_VALUE, NULL },
	{ "several-recipients", KEY_VALUE, NULL },
	{ "suppressed", KEY_VALUE, NULL },
	{ "control-headers", KEY_VALUE, NULL },
	{ "encode", KEY_VALUE, NULL },
	{ "envelope-domain", KEY_VALUE, NULL },
	{ "campaign", KEY_VALUE, NULL },
	{ "domain", KEY_VALUE, NULL },
	{ "also-sign", KEY_LIST, NULL },
	{ NULL, KEY_VALUE, NULL },
};

static const struct settings_key override_keys[] = {
	{ "rate", KEY_VALUE, NULL },
	{ "burst", KEY_VALUE, NULL },
	{ "warm-up", KEY_LIST, NULL },
	{ "from", KEY_VALUE, NULL },
	{ NULL, KEY_VALUE, NULL },
};

static const struct settings_key limit_keys[] = {
	{ "recipient-domain", KEY_LIST, NULL },
	{ "per", KEY_VALUE, NULL },
	{ "rate", KEY_VALUE, NULL },
	{ "burst", KEY_VALUE, NULL },
	{ "warm-up", KEY_LIST, NULL },
	{ "from", KEY_VALUE, NULL },
	{ "count", KEY_VALUE, NULL },
	{ "override", KEY_TITLED, override_keys },
	{ NULL, KEY_VALUE, NULL },
};

const struct settings_key settings_table[] = {
	{ "store", KEY_VALUE, NULL },
	{ "rates", KEY_VALUE, NULL },
	{ "events", KEY_VALUE, NULL },
	{ "token-keys", KEY_VALUE, NULL },
	{ "return-path-keys", KEY_VALUE, NULL },
	{ "trusted-networks", KEY_LIST, NULL },
	{ "on-store-failure", KEY_VALUE, NULL },
	{ "log-addresses", KEY_VALUE, NULL },
	{ "event-addresses", KEY_VALUE, NULL },
	{ "event-retention", KEY_VALUE, NULL },
	{ "milter", KEY_SECTION, milter_keys },
	{ "policyd", KEY_SECTION, policyd_keys },
	{ "trackd", KEY_SECTION, trackd_keys },
	{ "domain", KEY_TITLED, domain_keys },
	{ "stream", KEY_TITLED, stream_keys },
	{ "limit", KEY_TITLED, limit_keys },
	{ NULL, KEY_VALUE, NULL },
};

const char *const settings_on_failure_words[] = { "defer", "accept", NULL };
const char *const settings_log_addresses_words[] = { "full", "hash", "none",
	NULL };
const char *const settings_event_addresses_words[] = { "full", "hash", NULL };
const char *const settings_mode_words[] = { "act", "observe", NULL };
const char *const settings_charge_at_words[] = { "milter", "data", NULL };
const char *const settings_unsubscribe_words[] = { "none", "header",
	"one-click", NULL };
const char *const settings_existing_words[] = { "keep", "replace", NULL };
const char *const settings_several_words[] = { "shared", "reject", NULL };
const char *const settings_suppressed_words[] = { "reject", "drop", NULL };
const char *const settings_control_words[] = { "strip", "pass", NULL };
const char *const settings_track_words[] = { "clicks", "opens", NULL };
const char *const settings_per_words[] = { "none", "domain",
	"recipient-domain", "sasl-user", "client", "stream", NULL };
const char *const settings_count_words[] = { "recipients", "messages", NULL };

static const struct settings_key *
find_key(const struct settings_key *keys, struct str name)
{
	for (; keys->name != NULL; keys++)
		if (str_eq(str_from(keys->name), name))
			return keys;
	return NULL;
}

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Levenshtein's distance of two names, or 99 when one is too long. */
static unsigned
distance(struct str a, struct str b)
{
	unsigned row[KEY_NAME_MAX + 1];

	if (a.n > KEY_NAME_MAX || b.n > KEY_NAME_MAX)
		return 99;
	for (unsigned j = 0; j <= b.n; j++)
		row[j] = j;
	for (unsigned i = 1; i <= a.n; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= b.n; j++) {
			unsigned up = row[j];
			bool same = str_lower(a.p[i - 1]) ==
			    str_lower(b.p[j - 1]);

			row[j] = least(least(up, row[j - 1]) + 1,
			    diagonal + !same);
			diagonal = up;
		}
	}
	return row[b.n];
}

/* The key that was probably meant, or NULL. */
static const char *
closest_key(const struct settings_key *keys, struct str name)
{
	unsigned best = name.n < 6 ? 2 : 3;
	const char *found = NULL;

	for (; keys->name != NULL; keys++) {
		unsigned d = distance(str_from(keys->name), name);

		if (d < best || (d == best && found == NULL)) {
			best = d;
			found = keys->name;
		}
	}
	return found;
}

/* The section, in or below these, that has a key of that name. */
static const char *
home_of(const struct settings_key *keys, struct str name)
{
	const char *found = NULL;

	for (; keys->name != NULL && found == NULL; keys++) {
		if (keys->keys == NULL)
			continue;
		found = find_key(keys->keys, name) ? keys->name :
		    home_of(keys->keys, name);
	}
	return found;
}

static void
report_unknown(struct settings_report *r, const struct settings_key *keys,
    const char *section, const struct scan_node *n)
{
	const char *near = closest_key(keys, n->name);
	const char *home = home_of(settings_table, n->name);

	if (home == NULL && near != NULL)
		settings_error(r, n->pos, "\"%.*s\" is no key %s: did you mean "
		    "\"%s\"?", SETTINGS_SHOW(n->name), section, near);
	else if (find_key(settings_table, n->name) != NULL)
		settings_error(r, n->pos, "\"%.*s\" is no key %s: it belongs "
		    "to the top level (is a } missing above?)",
		    SETTINGS_SHOW(n->name), section);
	else if (home != NULL)
		settings_error(r, n->pos, "\"%.*s\" is no key %s: it belongs "
		    "into a section \"%s\"", SETTINGS_SHOW(n->name), section,
		    home);
	else
		settings_error(r, n->pos, "\"%.*s\" is no key %s: "
		    "bulkhead.conf(5) lists them", SETTINGS_SHOW(n->name),
		    section);
}

/* Is the node what the key wants it to be?  Says what would be right. */
static bool
fits(struct settings_report *r, const struct settings_key *key,
    const struct scan_node *n)
{
	bool is_section = key->kind == KEY_SECTION || key->kind == KEY_TITLED;
	const char *want = NULL;

	if (is_section && n->kind != SCAN_SECTION)
		want = key->kind == KEY_TITLED ? "is a section: NAME \"TITLE\" "
		    "{ ... }" : "is a section: NAME { ... }";
	else if (!is_section && n->kind == SCAN_SECTION)
		want = key->kind == KEY_LIST ? "is a list, not a section: write"
		    " a = before the {" : "is a setting, not a section: NAME = "
		    "VALUE";
	else if (key->kind == KEY_VALUE && n->is_list)
		want = "takes one value, not a list: leave out the braces";
	else if (key->kind == KEY_SECTION && n->has_title)
		want = "takes no title: NAME { ... }";
	else if (key->kind == KEY_TITLED && n->title.n == 0)
		want = "needs a title: NAME \"TITLE\" { ... }";
	if (want != NULL)
		settings_error(r, n->pos, "\"%s\" %s", key->name, want);
	return want == NULL;
}

static void
check_section(struct settings_report *r, struct scan_node *section,
    const struct settings_key *keys, const char *name)
{
	for (struct scan_node *n = section->children; n != NULL; n = n->next) {
		const struct settings_key *key = find_key(keys, n->name);

		if (n->bad)
			continue;
		if (key == NULL)
			report_unknown(r, keys, name, n);
		if (key == NULL || !fits(r, key, n)) {
			n->bad = true;
			continue;
		}
		if (key->keys != NULL) {
			struct str in = arena_printf(r->arena,
			    "of section \"%s\"", key->name);

			check_section(r, n, key->keys, arena_cstr(r->arena,
			    in));
		}
	}
}

void
settings_table_check(struct settings_scan *s, struct settings_report *report)
{
	check_section(report, &s->root, settings_table, "of the top level");
}

static cfg_opt_t *
options_of(struct arena *a, const struct settings_key *keys)
{
	static const cfg_opt_t end = CFG_END();
	size_t n = 0;
	cfg_opt_t *v;

	while (keys[n].name != NULL)
		n++;
	v = arena_array(a, n + 1, sizeof(*v));
	for (size_t i = 0; i < n; i++) {
		v[i].name = keys[i].name;
		v[i].type = keys[i].keys ? CFGT_SEC : CFGT_STR;
		v[i].flags = CFGF_NODEFAULT;
		if (keys[i].kind == KEY_LIST)
			v[i].flags = CFGF_LIST;
		if (keys[i].kind == KEY_TITLED)
			v[i].flags = CFGF_MULTI | CFGF_TITLE;
		if (keys[i].keys != NULL)
			v[i].subopts = options_of(a, keys[i].keys);
	}
	v[n] = end;
	return v;
}

cfg_opt_t *
settings_table_options(struct arena *a)
{
	return options_of(a, settings_table);
}
