/*
 * claims_fields.c - header and envelope of what leaves.
 */
#include "tests/fuzz/claims.h"

#include "tests/fuzz/fuzz.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static bool
is_among(struct str name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_ieq(name, str_from(names[i])))
			return true;
	return false;
}

/* What may be missing of what came. */
static bool
may_go(const struct outcome *o, struct str name)
{
	static const char *const names[] = { "List-Unsubscribe",
		"List-Unsubscribe-Post", "DKIM-Signature" };

	return is_among(name, names, COUNT(names)) ||
	    (control_is_field(name) && !o->m->stream->pass_control);
}

static bool
may_come(struct str name)
{
	static const char *const names[] = { "Date", "Message-ID",
		"List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID",
		"CFBL-Address", "Content-Transfer-Encoding", "MIME-Version" };

	return is_among(name, names, COUNT(names));
}

static bool
is_field(const struct mta_field *f, const struct header *h)
{
	return str_eq(f->name, h->name) && str_eq(f->value, h->value);
}

/*
 * As relaxed canonicalization has it, and without what no MTA hands over and
 * we never write.
 */
static struct str
relaxed(struct arena *a, struct str s)
{
	char *out = arena_bytes(a, s.n);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i] == '\t' ? ' ' : s.p[i];

		if (c != '\0' && c != '\r' && c != '\n' &&
		    (c != ' ' || n == 0 || out[n - 1] != ' '))
			out[n++] = c;
	}
	return str_trim(str_make(out, n));
}

/* The same but for line breaks, since a line was too long. */
static bool
is_folded(const struct outcome *o, const struct mta_field *f,
    const struct header *h)
{
	return str_eq(f->name, h->name) &&
	    f->name.n + h->value.n >= HEADER_LINE_MAX &&
	    str_eq(relaxed(o->arena, f->value), relaxed(o->arena, h->value));
}

void
claims_same(const struct outcome *o)
{
	EXPECT(o->mta->nfields == o->came->n);
	for (size_t i = 0; i < o->came->n; i++)
		EXPECT(is_field(&o->mta->fields[i], &o->came->v[i]));
	EXPECT(!o->mta->body_replaced && o->mta->sender.n == 0 &&
	    o->mta->nremoved == 0);
}

/* Lines of a field that we wrote; one word may be longer than a line. */
static void
check_written(const struct mta_field *f)
{
	struct str v = f->value;
	size_t column = f->name.n + 1;

	for (size_t at = 0, lf; at < v.n; at = lf + 1) {
		lf = str_chr(v, '\n', at);
		EXPECT(column + lf - at <= HEADER_LINE_MAX);
		EXPECT(lf == v.n || (lf + 1 < v.n &&
		    (v.p[lf + 1] == ' ' || v.p[lf + 1] == '\t')));
		column = 0;
	}
	for (size_t i = 0; i < v.n; i++)
		EXPECT(v.p[i] == '\n' || v.p[i] == '\t' ||
		    ((unsigned char)v.p[i] >= ' ' &&
			(unsigned char)v.p[i] < 127));
}

static size_t
count(const struct outcome *o, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < o->mta->nfields; i++)
		n += str_ieq(o->mta->fields[i].name, str_from(name));
	return n;
}

static size_t
count_came(const struct outcome *o, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < o->came->n; i++)
		n += str_ieq(o->came->v[i].name, str_from(name));
	return n;
}

/* None of these twice unless it came twice. */
static void
check_once(const struct outcome *o)
{
	static const char *const names[] = { "Date", "Message-ID",
		"Feedback-ID", "CFBL-Address", "Content-Transfer-Encoding",
		"MIME-Version" };

	for (size_t i = 0; i < COUNT(names); i++) {
		size_t n = count_came(o, names[i]);

		EXPECT(count(o, names[i]) <= (n > 1 ? n : 1));
	}
	EXPECT(count(o, "Date") > 0 && count(o, "Message-ID") > 0);
	if (o->m->stream == NULL ||
	    o->m->stream->unsubscribe == UNSUBSCRIBE_NONE)
		return;
	EXPECT(count(o, "List-Unsubscribe") <= 1);
	EXPECT(count(o, "List-Unsubscribe-Post") <= 1);
	if (count(o, "List-Unsubscribe-Post") > 0 &&
	    count_came(o, "List-Unsubscribe-Post") == 0)
		EXPECT(o->m->nleft == 1 && o->m->recipient.n > 0);
}

void
claims_fields(const struct outcome *o)
{
	const struct mta_field *f = o->mta->fields + o->m->nsignatures;
	const struct mta_field *end = o->mta->fields + o->mta->nfields;

	EXPECT(o->m->nsignatures <= o->mta->nfields);
	for (size_t i = 0; i < o->m->nsignatures; i++) {
		EXPECT_SAME(o->mta->fields[i].name, STR("DKIM-Signature"));
		check_written(&o->mta->fields[i]);
	}
	for (size_t i = 0; i < o->came->n; i++) {
		const struct header *h = &o->came->v[i];

		if (f < end && (is_field(f, h) || is_folded(o, f, h))) {
			f++;
		} else if (f < end && str_ieq(h->name, f->name) &&
		    str_ieq(f->name, STR("Content-Transfer-Encoding"))) {
			check_written(f++);
		} else if (!may_go(o, h->name)) {
			fprintf(stderr, "lost %.*s:%.*s\n", STR_ARG(h->name),
			    STR_ARG(h->value));
			fuzz_fail("the field is there", __FILE__, __LINE__);
		}
	}
	for (; f < end; f++) {
		EXPECT(may_come(f->name));
		check_written(f);
	}
	check_once(o);
}

void
claims_sender(const struct outcome *o)
{
	const struct keyring *k = o->m->keyring;
	struct returnpath r;
	struct addr addr, to;
	bool is_forged;

	EXPECT_SAME(o->mta->sender, o->m->new_sender);
	if (o->mta->sender.n == 0)
		return;
	EXPECT(addr_parse_path(o->arena, o->mta->sender, &addr) == 0);
	EXPECT(addr_is_mailbox(addr_text(o->arena, &addr)));
	EXPECT(returnpath_read(o->arena, k->returnpath, k->nreturnpath,
	    addr.local, addr.domain, &r, &is_forged) == 0);
	EXPECT(r.kind == RETURNPATH_BOUNCE);
	EXPECT(r.scope == returnpath_scope(o->m->domain->name,
	    o->m->stream->id));
	if (r.user.n == 0)
		return;
	EXPECT(addr_parse_path(o->arena, o->m->recipient, &to) == 0);
	EXPECT_SAME(r.user, to.local);
	EXPECT_SAME(r.host, to.domain);
}
