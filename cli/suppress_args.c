/*
 * suppress_args.c - options that several verbs have, read and checked.
 */
#include "cli/suppress.h"

#include <errno.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/num.h"
#include "cli/import.h"
#include "mail/addr.h"

int
suppress_arg_scope(struct suppress_run *r, bool is_strict,
    struct suppress_scope *out)
{
	struct str why;

	if (suppress_scope_parse(r->arena, r->settings, str_from(r->o->scope),
		is_strict, out, &why) == 0)
		return 0;
	suppress_say("--scope: %.*s", STR_ARG(why));
	return -1;
}

int
suppress_arg_reason(struct suppress_run *r, enum suppress_reason *out)
{
	if (r->o->reason == NULL ||
	    suppress_reason_parse(str_from(r->o->reason), out) == 0)
		return 0;
	suppress_say("--reason: \"%s\" is none of complaint, unsubscribe, "
		     "manual, hard-bounce, import, soft-bounces",
	    r->o->reason);
	return -1;
}

int
suppress_arg_time(struct suppress_run *r, const char *text, const char *option,
    int64_t *out)
{
	uint64_t seconds;
	int64_t micros;

	*out = 0;
	if (text == NULL)
		return 0;
	if (clock_parse(str_from(text), &micros) == 0)
		*out = micros / 1000000;
	else if (num_parse_duration(str_from(text), &seconds) == 0 &&
	    seconds <= (uint64_t)r->now)
		*out = r->now - (int64_t)seconds;
	else if (import_date_parse(str_from(text), out) != 0) {
		suppress_say("%s: \"%s\" is no time: "
			     "2026-12-01T08:00:00Z, 2026-12-01, seconds since "
			     "1970, or 7d for seven days ago",
		    option, text);
		return -1;
	}
	return 0;
}

int
suppress_arg_expires(struct suppress_run *r, int64_t *out)
{
	const char *text = r->o->expires;
	uint64_t seconds;

	*out = 0;
	if (text == NULL || strcmp(text, "never") == 0)
		return 0;
	if (num_parse_duration(str_from(text), &seconds) == 0 && seconds > 0 &&
	    seconds < (uint64_t)1 << 35) {
		*out = r->now + (int64_t)seconds;
		return 0;
	}
	if (import_date_parse(str_from(text), out) == 0 && *out > r->now)
		return 0;
	suppress_say("--expires: \"%s\" is no time ahead: 90d, "
		     "2027-12-01T08:00:00Z, or never",
	    text);
	return -1;
}

static int
arg_import(struct suppress_run *r, uint64_t *out)
{
	if (r->o->import == NULL ||
	    (num_parse(str_from(r->o->import), INT64_MAX, out) == 0 &&
		*out > 0))
		return 0;
	suppress_say("--import: \"%s\" is no number of an import: "
		     "\"bulkhead suppress imports\" lists them",
	    r->o->import);
	return -1;
}

/* "example.com", with an "@" before it or not. */
static int
arg_domain(struct suppress_run *r, struct str *out)
{
	struct str text = str_from(r->o->domain);

	if (text.n == 0)
		return 0;
	if (text.p[0] == '@')
		text = str_sub(text, 1, text.n);
	*out = addr_domain_ascii(r->arena, text);
	if (out->n > 0 && str_chr(*out, '@', 0) == out->n)
		return 0;
	suppress_say("--domain: \"%s\" is no domain", r->o->domain);
	return -1;
}

int
suppress_arg_filter(struct suppress_run *r, struct suppress_filter *out,
    struct suppress_scope *scope)
{
	*out = (struct suppress_filter){ .with_expired = r->o->with_expired,
		.source = str_from(r->o->source) };
	if (r->o->scope != NULL) {
		if (suppress_arg_scope(r, false, scope) != 0)
			return EX_USAGE;
		out->scope = scope;
	}
	if (r->o->argc > 0) {
		out->address = suppress_normal(r->arena,
		    str_from(r->o->argv[0]));
		if (out->address.n == 0) {
			suppress_say("\"%s\" is no address", r->o->argv[0]);
			return EX_DATAERR;
		}
	}
	return suppress_arg_reason(r, &out->reason) != 0 ||
		suppress_arg_time(r, r->o->since, "--since", &out->since) !=
		    0 ||
		suppress_arg_time(r, r->o->until, "--until", &out->until) !=
		    0 ||
		arg_domain(r, &out->rcpt_domain) != 0 ||
		arg_import(r, &out->import) != 0
	    ? EX_USAGE
	    : EX_OK;
}

struct addresses {
	struct str *v;
	size_t n, cap;
};

static int
take_address(struct suppress_run *r, struct addresses *list, struct str text)
{
	struct str address = suppress_normal(r->arena, text);

	if (address.n == 0) {
		suppress_say("\"%.*s\" is no address (nor \"@domain\"): "
			     "nothing was done",
		    STR_ARG(text));
		return -1;
	}
	list->v = arena_grow(r->arena, list->v, list->n, &list->cap,
	    sizeof(*list->v));
	list->v[list->n++] = address;
	return 0;
}

static int
read_addresses(struct suppress_run *r, struct addresses *list)
{
	struct import_input in;
	struct str line;
	enum import_got got;
	int rc = 0;

	import_input_open(&in, STDIN_FILENO);
	while (rc == 0 && (got = import_input_line(&in, &line)) != IMPORT_END) {
		if (got == IMPORT_ERROR) {
			suppress_say("standard input: %s", strerror(errno));
			rc = -1;
		} else if (got == IMPORT_BAD) {
			suppress_say("standard input: a line of more than "
				     "64 KiB");
			rc = -1;
		} else if (str_trim(line).n > 0) {
			rc = take_address(r, list, line);
		}
	}
	import_input_close(&in);
	return rc;
}

int
suppress_arg_addresses(struct suppress_run *r, struct str **out, size_t *n)
{
	struct addresses list = { 0 };
	int rc = 0;

	for (int i = 0; i < r->o->argc && rc == 0; i++)
		rc = strcmp(r->o->argv[i], "-") == 0
		    ? read_addresses(r, &list)
		    : take_address(r, &list, str_from(r->o->argv[i]));
	*out = list.v;
	*n = list.n;
	return rc;
}
