/*
 * dkim_verify.c - reads and verifies signatures that our own signer could have
 * made.  Verifying strangers' mail is left to libopendkim and its likes.
 */
#include "mail/dkim_verify.h"

#include "base/base64.h"
#include "base/hash.h"
#include "base/num.h"
#include "mail/dkim_key.h"

#define MAX_TAGS  32
#define MAX_NAMES 2048
#define MAX_TIME  UINT64_C(999999999999) /* 12 digits */

/*
 * Looking up a name walks the header: names times fields.  64 instances of
 * all that we sign stay below it.
 */
#define MAX_WORK (4u << 20)

struct tag {
	struct str name, value;
	size_t at; /* of the value's first octet, blanks included */
	size_t end;
};

static bool
is_tag_name(struct str s)
{
	if (s.n == 0 || !str_is_alpha(s.p[0]))
		return false;
	for (size_t i = 1; i < s.n; i++)
		if (!str_is_alpha(s.p[i]) && !str_is_digit(s.p[i]) &&
		    s.p[i] != '_')
			return false;
	return true;
}

/* RFC 6376 section 3.2; the last one may be followed by a ';'. */
static int
split_tags(struct str v, struct tag *tags, size_t *ntags)
{
	size_t n = 0, at = 0;

	while (at < v.n && str_trim(str_sub(v, at, v.n)).n > 0) {
		size_t end = str_chr(v, ';', at);
		struct str spec = str_sub(v, at, end);
		size_t equals = str_chr(spec, '=', 0);
		struct str name = str_trim(str_sub(spec, 0, equals));

		if (n == MAX_TAGS || equals == spec.n || !is_tag_name(name))
			return -1;
		for (size_t i = 0; i < n; i++)
			if (str_eq(tags[i].name, name))
				return -1;
		tags[n++] = (struct tag){ name,
			str_trim(str_sub(spec, equals + 1, spec.n)),
			at + equals + 1, end };
		at = end + 1;
	}
	*ntags = n;
	return 0;
}

/* Where a tag's value is kept, or NULL for one that is not looked at. */
static struct str *
place_of(struct dkim_signature *s, struct str name)
{
	const struct {
		struct str name;
		struct str *to;
	} places[] = {
		{ STR("v"), &s->version },
		{ STR("a"), &s->algorithm },
		{ STR("c"), &s->canon },
		{ STR("d"), &s->domain },
		{ STR("s"), &s->selector },
		{ STR("h"), &s->names },
		{ STR("bh"), &s->body_hash },
		{ STR("b"), &s->signature },
		{ STR("i"), &s->identity },
		{ STR("t"), &s->time },
		{ STR("x"), &s->expires },
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (str_eq(places[i].name, name))
			return places[i].to;
	return NULL;
}

int
dkim_signature_read(struct str value, struct dkim_signature *out)
{
	struct tag tags[MAX_TAGS];
	size_t n;

	*out = (struct dkim_signature){ .value = value };
	if (split_tags(value, tags, &n) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct str *to = place_of(out, tags[i].name);

		if (to != NULL)
			*to = tags[i].value;
		if (str_eq(tags[i].name, STR("l")))
			out->has_length = true;
		if (to != &out->signature)
			continue;
		out->before = str_sub(value, 0, tags[i].at);
		out->after = str_sub(value, tags[i].end, value.n);
	}
	return out->version.n > 0 && out->algorithm.n > 0 &&
			out->domain.n > 0 && out->selector.n > 0 &&
			out->names.n > 0 && out->body_hash.n > 0 &&
			out->signature.n > 0 ?
		0 :
		-1;
}

/* i= is an address in d= or below it (RFC 6376 section 3.5). */
static bool
is_identity_ok(const struct dkim_signature *s)
{
	struct str host, d = s->domain;
	size_t at = s->identity.n;

	if (s->identity.p == NULL)
		return true;
	while (at > 0 && s->identity.p[at - 1] != '@')
		at--;
	if (at == 0)
		return false;
	host = str_sub(s->identity, at, s->identity.n);
	return str_ieq(host, d) ||
	    (host.n > d.n && str_iends(host, d) &&
		host.p[host.n - d.n - 1] == '.');
}

static const char *
check_times(const struct dkim_signature *s, int64_t now, int64_t max_age)
{
	uint64_t made = 0, expires = 0;

	if (s->time.p == NULL && max_age > 0)
		return "does not say when it was made";
	if (s->time.p != NULL && num_parse(s->time, MAX_TIME, &made) != 0)
		return "has a t= that is no time";
	if (s->expires.p != NULL &&
	    num_parse(s->expires, MAX_TIME, &expires) != 0)
		return "has an x= that is no time";
	if ((int64_t)made > now + DKIM_VERIFY_SKEW)
		return "was made in the future";
	if (max_age > 0 && (int64_t)made < now - max_age)
		return "is too old";
	if (s->expires.p != NULL && (int64_t)expires < now)
		return "has expired";
	return NULL;
}

/* What can be said without a hash. */
static const char *
check_tags(const struct dkim_signature *s, const struct dkim_key *key,
    int64_t now, int64_t max_age)
{
	bool is_rsa = dkim_key_algorithm(key) == DKIM_RSA_SHA256;

	if (!str_eq(s->version, STR("1")))
		return "is of another version";
	if (!str_eq(s->algorithm,
		is_rsa ? STR("rsa-sha256") : STR("ed25519-sha256")))
		return "names another algorithm than its key's";
	if (!str_eq(s->canon, STR("relaxed/relaxed")))
		return "is not relaxed/relaxed";
	if (s->has_length)
		return "covers a part of the body only";
	if (!is_identity_ok(s))
		return "has an i= outside of its d=";
	return check_times(s, now, max_age);
}

/* base64 with blanks and folds in it; -1 when it is none of max octets. */
static int
decode(struct arena *a, struct str text, size_t max, struct str *out)
{
	char *flat;
	size_t n = 0;

	if (text.n > 4 * max)
		return -1;
	flat = arena_bytes(a, text.n);
	for (size_t i = 0; i < text.n; i++)
		if (!str_is_space(text.p[i]))
			flat[n++] = text.p[i];
	return base64_decode(a, str_make(flat, n), out);
}

/* The names of h=; NULL when one is none, or there are too many. */
static struct str *
read_names(struct arena *a, struct str list, size_t *n)
{
	size_t count = 1, at = 0;
	struct str *v;

	for (size_t i = 0; i < list.n; i++)
		count += list.p[i] == ':';
	if (count > MAX_NAMES)
		return NULL;
	v = arena_array(a, count, sizeof(*v));
	for (*n = 0; *n < count; ++*n) {
		size_t end = str_chr(list, ':', at);

		v[*n] = str_trim(str_sub(list, at, end));
		if (!header_name_ok(v[*n]))
			return NULL;
		at = end + 1;
	}
	return v;
}

static bool
names_from(const struct str *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_ieq(names[i], STR("From")))
			return true;
	return false;
}

static const char *
check_header(struct arena *a, const struct headers *h,
    const struct dkim_signature *s, const struct dkim_key *key)
{
	struct str around[] = { s->before, s->after }, data, raw, *names;
	size_t n;

	if (decode(a, s->signature, DKIM_MAX_SIGNATURE, &raw) != 0)
		return "has a b= that is no base64";
	names = read_names(a, s->names, &n);
	if (names == NULL)
		return "has an h= that is no list of fields";
	if (!names_from(names, n))
		return "does not cover From";
	if (h->n > MAX_WORK / n)
		return "covers too many fields";
	data = dkim_header_data(a, h, names, n, arena_join(a, around, 2));
	return dkim_key_verify(key, data, raw) ?
		NULL :
		"does not match the header";
}

const char *
dkim_signature_verify(struct arena *a, const struct headers *h,
    const struct dkim_signature *s, const struct dkim_key *key,
    const unsigned char body_hash[DKIM_HASH_SIZE], int64_t now,
    int64_t max_age)
{
	const char *why = check_tags(s, key, now, max_age);
	struct str hash;

	if (why != NULL)
		return why;
	if (decode(a, s->body_hash, DKIM_HASH_SIZE, &hash) != 0 ||
	    hash.n != DKIM_HASH_SIZE)
		return "has a bh= that is no hash";
	if (!hash_equal(hash.p, body_hash, DKIM_HASH_SIZE))
		return "does not match the body";
	return check_header(a, h, s, key);
}
