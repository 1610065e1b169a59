/*
 * suppress.c - what entries mean, whichever driver keeps them: names, the
 * normal form, which entry counts, what a change does.
 */
#include "store/suppress.h"

#include "mail/addr.h"
#include "store/suppress_rules.h"

static const char *const reason_names[] = {
	[SUPPRESS_COMPLAINT] = "complaint",
	[SUPPRESS_UNSUBSCRIBE] = "unsubscribe",
	[SUPPRESS_MANUAL] = "manual",
	[SUPPRESS_HARD_BOUNCE] = "hard-bounce",
	[SUPPRESS_IMPORT] = "import",
	[SUPPRESS_SOFT_BOUNCES] = "soft-bounces",
};

#define NREASONS (sizeof(reason_names) / sizeof(reason_names[0]))

const char *
suppress_reason_name(enum suppress_reason reason)
{
	return (unsigned)reason < NREASONS ? reason_names[reason] : NULL;
}

int
suppress_reason_parse(struct str name, enum suppress_reason *out)
{
	for (size_t i = 1; i < NREASONS; i++)
		if (str_eq(name, str_from(reason_names[i]))) {
			*out = (enum suppress_reason)i;
			return 0;
		}
	return -1;
}

bool
suppress_scope_applies(const struct suppress_scope *e,
    const struct suppress_scope *m)
{
	return (e->domain.n == 0 || str_eq(e->domain, m->domain)) &&
	    (e->stream == 0 || e->stream == m->stream) &&
	    (e->list.n == 0 || str_eq(e->list, m->list));
}

/*
 * A domain that may stand in an address: no blanks, no controls, no specials.
 * Octets over 127 pass: what IDNA refuses may still be in somebody's list.
 */
static bool
is_domain(struct str d)
{
	bool is_literal = d.n > 2 && d.p[0] == '[' && d.p[d.n - 1] == ']';

	if (d.n == 0 || d.n > 255 || d.p[0] == '.')
		return false;
	if (is_literal)
		d = str_sub(d, 1, d.n - 1);
	for (size_t i = 0; i < d.n; i++) {
		unsigned char c = (unsigned char)d.p[i];

		if (c <= ' ' || c == 0x7f ||
		    (c == '.' && i > 0 && d.p[i - 1] == '.') ||
		    (memchr("()<>[]\\,;@\"/", c, 12) != NULL) ||
		    (c == ':' && !is_literal))
			return false;
	}
	return true;
}

static bool
has_controls(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return true;
	return false;
}

/* The octets that mean themselves on either side of the "@". */
static bool
is_plain_octet(char c, bool in_domain)
{
	return str_is_alpha(c) || str_is_digit(c) || c == '-' ||
	    (!in_domain && (c == '_' || c == '+' || c == '='));
}

/*
 * Nearly every address of a long list is of letters, digits and dots alone:
 * there the normal form is its lower case.  Empty: it is not as plain as that.
 */
static struct str
plain_normal(struct arena *a, struct str text)
{
	size_t at = str_chr(text, '@', 0);
	char *out, last = '.';

	if (at + 1 >= text.n || at > 64 || text.n - at > 254)
		return STR("");
	out = arena_bytes(a, text.n);
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if ((c == '.' || i == at) ? last == '.' || last == '@' :
		    !is_plain_octet(c, i > at))
			return STR("");
		out[i] = str_lower(c);
		last = c;
	}
	return last == '.' ? STR("") : str_make(out, text.n);
}

struct str
suppress_normal(struct arena *a, struct str text)
{
	struct addr addr;
	struct str domain;

	domain = plain_normal(a, text);
	if (domain.n > 0)
		return domain;
	text = str_trim(text);
	if (text.n > SUPPRESS_ADDRESS_MAX * 2 || has_controls(text))
		return STR("");
	if (text.n > 2 && text.p[0] == '<' && text.p[text.n - 1] == '>')
		text = str_trim(str_sub(text, 1, text.n - 1));
	if (text.n > 0 && text.p[0] == '@' && str_chr(text, ':', 0) == text.n) {
		domain = addr_domain_ascii(a, str_sub(text, 1, text.n));
		return is_domain(domain) ?
		    arena_printf(a, "@%.*s", STR_ARG(domain)) : STR("");
	}
	if (addr_parse_path(a, text, &addr) != 0 || addr.local.n == 0)
		return STR("");
	if (!is_domain(addr_domain_ascii(a, addr.domain)))
		return STR("");
	text = addr_normal(a, &addr);
	return text.n <= SUPPRESS_ADDRESS_MAX ? text : STR("");
}

struct str
suppress_domain_entry(struct str address, char *room)
{
	size_t at = address.n;

	while (at > 0 && address.p[at - 1] != '@')
		at--;
	if (at < 2 || address.n - at + 1 > SUPPRESS_ADDRESS_MAX)
		return STR(""); /* no address, or a "@domain" already */
	memcpy(room, address.p + at - 1, address.n - at + 1);
	return str_make(room, address.n - at + 1);
}

/* Wider scopes have lower ranks; unrelated ones are never compared. */
static unsigned
scope_rank(const struct suppress_scope *s)
{
	return (s->domain.n > 0 ? 1u : 0u) + (s->stream != 0 ? 2u : 0u) +
	    (s->list.n > 0 ? 4u : 0u);
}

bool
suppress_is_stronger(const struct suppress_entry *a,
    const struct suppress_entry *b)
{
	unsigned ra = scope_rank(&a->scope), rb = scope_rank(&b->scope);

	if (a->reason != b->reason)
		return a->reason < b->reason;
	if (ra != rb)
		return ra < rb;
	return a->created < b->created;
}

bool
suppress_is_live(const struct suppress_entry *e, int64_t now)
{
	return e->expires == 0 || e->expires > now;
}

bool
suppress_outlasts(const struct suppress_entry *a,
    const struct suppress_entry *b)
{
	return a->expires == 0 ||
	    (b->expires != 0 && b->expires <= a->expires);
}

enum suppress_outcome
suppress_put_outcome(const struct suppress_entry *was,
    const struct suppress_entry *put, int64_t now)
{
	if (!suppress_is_live(was, now))
		return SUPPRESS_ADDED;
	return suppress_outlasts(was, put) ? SUPPRESS_ALREADY :
	    SUPPRESS_EXTENDED;
}

int
suppress_key_cmp(const struct suppress_entry *a, const struct suppress_entry *b)
{
	int c = str_cmp(a->address, b->address);

	if (c == 0)
		c = str_cmp(a->scope.domain, b->scope.domain);
	if (c == 0 && a->scope.stream != b->scope.stream)
		c = a->scope.stream < b->scope.stream ? -1 : 1;
	if (c == 0)
		c = str_cmp(a->scope.list, b->scope.list);
	if (c == 0 && a->reason != b->reason)
		c = a->reason < b->reason ? -1 : 1;
	return c;
}

static bool
is_in_domain(struct str address, struct str domain)
{
	return address.n > domain.n &&
	    address.p[address.n - domain.n - 1] == '@' &&
	    str_eq(str_sub(address, address.n - domain.n, address.n), domain);
}

static bool
is_same_scope(const struct suppress_scope *a, const struct suppress_scope *b)
{
	return a->stream == b->stream && str_eq(a->domain, b->domain) &&
	    str_eq(a->list, b->list);
}

bool
suppress_matches(const struct suppress_filter *f,
    const struct suppress_entry *e, int64_t now)
{
	return (f->with_expired || suppress_is_live(e, now)) &&
	    (f->reason == 0 || f->reason == e->reason) &&
	    (f->import == 0 || f->import == e->import) &&
	    e->created >= f->since &&
	    (f->until == 0 || e->created < f->until) &&
	    (f->address.n == 0 || str_eq(f->address, e->address)) &&
	    (f->rcpt_domain.n == 0 ||
	    is_in_domain(e->address, f->rcpt_domain)) &&
	    (f->scope == NULL || is_same_scope(f->scope, &e->scope)) &&
	    (f->source.n == 0 || str_eq(f->source, e->source));
}

struct suppress_entry
suppress_copy(struct arena *a, const struct suppress_entry *e)
{
	struct suppress_entry out = *e;

	out.address = arena_copy(a, e->address);
	out.scope.domain = arena_copy(a, e->scope.domain);
	out.scope.list = arena_copy(a, e->scope.list);
	out.source = arena_copy(a, e->source);
	out.evidence = arena_copy(a, e->evidence);
	return out;
}

/* A list key, a source and an actor: short, and nothing that breaks lines. */
static bool
is_label(struct str s, size_t max)
{
	return s.n <= max && !has_controls(s);
}

const char *
suppress_fault(const struct suppress_entry *e)
{
	if (e->address.n == 0 || e->address.n > SUPPRESS_ADDRESS_MAX ||
	    has_controls(e->address) ||
	    str_chr(e->address, '@', 0) == e->address.n)
		return "no address in normal form";
	if (suppress_reason_name(e->reason) == NULL || e->reason == 0)
		return "no such reason";
	if (!is_label(e->scope.domain, 255))
		return "no name of a domain section";
	if (!is_label(e->scope.list, SUPPRESS_LABEL_MAX))
		return "list key too long, or with control characters";
	if (!is_label(e->source, SUPPRESS_LABEL_MAX))
		return "source too long, or with control characters";
	if (!is_label(e->evidence, SUPPRESS_EVIDENCE_MAX))
		return "evidence too long, or with control characters";
	if (e->created < 0 || e->expires < 0 || e->import > INT64_MAX)
		return "a number out of range";
	return NULL;
}

struct str
suppress_line(struct arena *a, struct str text)
{
	struct str s = str_trim(str_sub(text, 0, SUPPRESS_EVIDENCE_MAX));
	char *p = arena_bytes(a, s.n + 1);

	/* no half of a UTF-8 sequence where it was cut */
	if (text.n > SUPPRESS_EVIDENCE_MAX) {
		while (s.n > 0 && ((unsigned char)s.p[s.n - 1] & 0xc0) == 0x80)
			s.n--;
		if (s.n > 0 && (unsigned char)s.p[s.n - 1] >= 0xc0)
			s.n--;
	}
	for (size_t i = 0; i < s.n; i++)
		p[i] = (unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f ? ' ' :
		    s.p[i];
	return str_make(p, s.n);
}

void
suppress_count(struct suppress_import *import, const struct suppress_change *v,
    size_t n)
{
	for (size_t i = 0; i < n; i++)
		switch (v[i].outcome) {
		case SUPPRESS_ADDED:
			import->nadded++;
			break;
		case SUPPRESS_EXTENDED:
			import->nextended++;
			break;
		case SUPPRESS_ALREADY:
			import->nalready++;
			break;
		case SUPPRESS_REMOVED:
		case SUPPRESS_ABSENT:
			break;
		}
}
