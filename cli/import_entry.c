/*
 * import_entry.c - a row becomes an entry, and an entry bytes to sort by.
 */
#include "cli/import.h"

/* The class and subject of "5.7.1", "550" and the like; 0: none. */
static void
read_status(struct str s, char *class, char *subject)
{
	*class = *subject = 0;
	s = str_trim(s);
	if (s.n < 3 || (s.p[0] != '4' && s.p[0] != '5'))
		return;
	if (s.p[1] == '.' && str_is_digit(s.p[2])) {
		*class = s.p[0];
		*subject = s.p[2];
	} else if (str_is_digit(s.p[1]) && str_is_digit(s.p[2]) &&
	    (s.n == 3 || !str_is_digit(s.p[3]))) {
		*class = s.p[0];
	}
}

/* Of a status alone; 0: it does not tell. */
static enum suppress_reason
reason_of_status(const struct import_rules *r, struct str status)
{
	char class, subject;

	read_status(status, &class, &subject);
	if (class == '4' || (class == '5' && subject == '7' &&
				r->kind != NULL && r->kind->is_policy_soft))
		return SUPPRESS_SOFT_BOUNCES;
	return class == '5' ? SUPPRESS_HARD_BOUNCE : 0;
}

static enum suppress_reason
reason_of(const struct import_rules *r, const struct import_row *row)
{
	enum suppress_reason reason;
	struct str word = row->value[ROLE_REASON];

	if (r->reason != 0)
		return r->reason;
	if (r->kind != NULL && r->kind->is_fixed) {
		/* Mailchimp has its complaints among the unsubscribed. */
		if (str_istarts(row->value[ROLE_EVIDENCE], STR("abuse")))
			return SUPPRESS_COMPLAINT;
		return r->kind->reason;
	}
	if (import_reason_parse(word, &reason) == 0) {
		/* Postmark: what a recipient asks for is an unsubscribe. */
		if (reason == SUPPRESS_MANUAL &&
		    str_ieq(row->value[ROLE_ORIGIN], STR("recipient")))
			return SUPPRESS_UNSUBSCRIBE;
		return reason;
	}
	if (import_reason_parse(row->value[ROLE_STATE], &reason) == 0)
		return reason;
	if ((reason = reason_of_status(r, row->value[ROLE_STATUS])) != 0)
		return reason;
	if (import_reason_parse(row->value[ROLE_STATUS], &reason) == 0)
		return reason;
	if ((reason = reason_of_status(r, word)) != 0)
		return reason;
	return r->kind != NULL ? r->kind->reason : SUPPRESS_IMPORT;
}

/*
 * It was taken off the list, or is on none: a list of all members has those
 * who want mail, too.
 */
static bool
is_well(const struct import_row *row)
{
	struct str change = row->value[ROLE_CHANGE];
	struct str state = row->value[ROLE_STATE];
	enum suppress_reason reason;

	return str_ieq(change, STR("removed")) ||
	    str_ieq(change, STR("false")) ||
	    str_ieq(row->value[ROLE_REASON], STR("subscribed")) ||
	    str_ieq(row->value[ROLE_STATUS], STR("subscribed")) ||
	    (state.n > 0 && import_reason_parse(state, &reason) != 0);
}

/* What a service said of the address, in its words. */
static struct str
evidence_of(const struct import_row *row, struct arena *a)
{
	struct str status = str_trim(row->value[ROLE_STATUS]);
	struct str text = str_trim(row->value[ROLE_EVIDENCE]);
	enum suppress_reason reason;

	if (text.n == 0 &&
	    import_reason_parse(row->value[ROLE_REASON], &reason) != 0)
		text = str_trim(row->value[ROLE_REASON]);
	if (status.n > 0 && str_is_digit(status.p[0]) &&
	    str_find(text, status, 0) == text.n)
		text = arena_printf(a, "%.*s%s%.*s", STR_ARG(status),
		    text.n > 0 ? " " : "", STR_ARG(text));
	return text.n > 0 ? suppress_line(a, text) : text;
}

/* A date, or 0 where there is none to be read. */
static int64_t
date_of(struct import_rules *r, struct str text)
{
	int64_t at;

	if (text.n == 0 || str_ieq(text, STR("null")) ||
	    str_ieq(text, STR("never")) || str_eq(text, STR("0")))
		return 0;
	if (import_date_parse(text, &at) != 0) {
		r->nbad_dates++;
		return 0;
	}
	return at;
}

/* "Name <a@b>" has its address in the angle brackets. */
static struct str
bare_address(struct str text)
{
	size_t open;

	text = str_trim(text);
	if (text.n == 0 || text.p[text.n - 1] != '>')
		return text;
	open = str_chr(text, '<', 0);
	return open < text.n ? str_sub(text, open, text.n) : text;
}

enum import_made
import_entry_make(struct import_rules *r, const struct import_row *row,
    struct arena *a, struct suppress_entry *out,
    const struct suppress_scope **scope, const char **cause)
{
	struct str source = str_trim(row->value[ROLE_SOURCE]);

	*out = (struct suppress_entry){ .reason = reason_of(r, row) };
	*scope = NULL;
	if (row->value[ROLE_ADDRESS].n == 0) {
		*cause = "no address";
		return IMPORT_REFUSED;
	}
	out->address =
	    suppress_normal(a, bare_address(row->value[ROLE_ADDRESS]));
	if (out->address.n == 0) {
		*cause = "not an address";
		return IMPORT_REFUSED;
	}
	if (is_well(row))
		return IMPORT_LEFT_OUT;
	if (row->value[ROLE_SCOPE].n > 0 && !r->has_scope) {
		*scope = r->scope(r->arg, row->value[ROLE_SCOPE]);
		if (*scope == NULL) {
			*cause = "its scope is none of the settings' domains "
				 "and streams";
			return IMPORT_REFUSED;
		}
	}
	out->source = r->source;
	if (source.n > 0 && source.n <= SUPPRESS_LABEL_MAX)
		out->source = suppress_line(a, source);
	out->evidence = evidence_of(row, a);
	out->created = date_of(r, row->value[ROLE_CREATED]);
	out->expires = date_of(r, row->value[ROLE_EXPIRES]);
	return out->expires != 0 && out->expires <= r->now ? IMPORT_EXPIRED
							   : IMPORT_MADE;
}

/* ---- bytes ---- */

enum { PACK_UNDATED = 1, PACK_EXPIRES = 2, PACK_SOURCE = 4 };

static char *
put(char *p, struct str s)
{
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return p + s.n;
}

static char *
put_end(char *p, struct str s)
{
	p = put(p, s);
	*p++ = '\0';
	return p;
}

static char *
put_number(char *p, uint64_t v, int width)
{
	for (int i = width; i-- > 0;)
		*p++ = (char)(v >> 8 * i & 0xff);
	return p;
}

/*
 * Address NUL scope-mark [domain NUL stream list NUL] reason flags [created]
 * [expires] [source NUL] evidence.  All but evidence are free of NULs.
 */
size_t
import_pack(char *out, const struct suppress_entry *e,
    const struct suppress_scope *scope)
{
	int flags = (e->created == 0 ? PACK_UNDATED : 0) |
	    (e->expires != 0 ? PACK_EXPIRES : 0) |
	    (e->source.n > 0 ? PACK_SOURCE : 0);
	char *p = put_end(out, e->address);

	*p++ = scope != NULL;
	if (scope != NULL) {
		p = put_end(p, scope->domain);
		p = put_number(p, scope->stream, 4);
		p = put_end(p, scope->list);
	}
	*p++ = (char)e->reason;
	*p++ = (char)flags;
	if (e->created != 0)
		p = put_number(p, (uint64_t)e->created, 5);
	if (e->expires != 0)
		p = put_number(p, (uint64_t)e->expires, 5);
	if (e->source.n > 0)
		p = put_end(p, e->source);
	p = put(p, e->evidence);
	return (size_t)(p - out);
}

static bool
get_end(struct str *in, struct str *out)
{
	size_t end = in->n > 0 ? str_chr(*in, '\0', 0) : in->n;

	if (end == in->n)
		return false;
	*out = str_sub(*in, 0, end);
	*in = str_sub(*in, end + 1, in->n);
	return true;
}

static bool
get_number(struct str *in, size_t width, uint64_t *out)
{
	if (in->n < width)
		return false;
	*out = 0;
	for (size_t i = 0; i < width; i++)
		*out = *out << 8 | (unsigned char)in->p[i];
	*in = str_sub(*in, width, in->n);
	return true;
}

static bool
get_scope(struct str *in, struct suppress_scope *out, bool *has_scope)
{
	uint64_t mark, stream;

	if (!get_number(in, 1, &mark))
		return false;
	*has_scope = mark != 0;
	if (!*has_scope)
		return true;
	if (!get_end(in, &out->domain) || !get_number(in, 4, &stream) ||
	    !get_end(in, &out->list))
		return false;
	out->stream = (uint32_t)stream;
	return true;
}

int
import_unpack(struct str in, struct suppress_entry *out, bool *has_scope)
{
	uint64_t reason, flags, at;

	*out = (struct suppress_entry){ 0 };
	if (!get_end(&in, &out->address) ||
	    !get_scope(&in, &out->scope, has_scope) ||
	    !get_number(&in, 1, &reason) || !get_number(&in, 1, &flags))
		return -1;
	out->reason = (enum suppress_reason)reason;
	if ((flags & PACK_UNDATED) == 0) {
		if (!get_number(&in, 5, &at))
			return -1;
		out->created = (int64_t)at;
	}
	if ((flags & PACK_EXPIRES) != 0) {
		if (!get_number(&in, 5, &at))
			return -1;
		out->expires = (int64_t)at;
	}
	if ((flags & PACK_SOURCE) != 0 && !get_end(&in, &out->source))
		return -1;
	out->evidence = in;
	return 0;
}
