/*
 * test_dkim_verify.c - lib/mail/dkim_verify*: the published example, what our
 * signer makes, and that no change of anything signed stays unnoticed.
 */
#include "unit.h"

#include <stdio.h>

#include "base/base64.h"
#include "base/buf.h"
#include "mail/dkim_key.h"
#include "mail/dkim_verify.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))
#define NOW	 1767225600
#define WEEK	 (7 * 86400)

/* RFC 8463 appendix A.1 and A.2; the Ed25519 one as PKCS #8 (RFC 8410). */
static const char ed25519_pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";
static const char rsa_pem[] =
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIICXQIBAAKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQi\n"
    "Y/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqM\n"
    "KrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB\n"
    "AoGAH0cxOhFZDgzXWhDhnAJDw5s4roOXN4OhjiXa8W7Y3rhX3FJqmJSPuC8N9vQm\n"
    "6SVbaLAE4SG5mLMueHlh4KXffEpuLEiNp9Ss3O4YfLiQpbRqE7Tm5SxKjvvQoZZe\n"
    "zHorimOaChRL2it47iuWxzxSiRMv4c+j70GiWdxXnxe4UoECQQDzJB/0U58W7RZy\n"
    "6enGVj2kWF732CoWFZWzi1FicudrBFoy63QwcowpoCazKtvZGMNlPWnC7x/6o8Gc\n"
    "uSe0ga2xAkEA8C7PipPm1/1fTRQvj1o/dDmZp243044ZNyxjg+/OPN0oWCbXIGxy\n"
    "WvmZbXriOWoSALJTjExEgraHEgnXssuk7QJBALl5ICsYMu6hMxO73gnfNayNgPxd\n"
    "WFV6Z7ULnKyV7HSVYF0hgYOHjeYe9gaMtiJYoo0zGN+L3AAtNP9huqkWlzECQE1a\n"
    "licIeVlo1e+qJ6Mgqr0Q7Aa7falZ448ccbSFYEPD6oFxiOl9Y9se9iYHZKKfIcst\n"
    "o7DUw1/hz2Ck4N5JrgUCQQCyKveNvjzkkd8HjYs0SwM0fPjK16//5qDZ2UiDGnOe\n"
    "uEzxBDAr518Z8VFbR41in3W4Y3yCDgQlLlcETrS+zYcL\n"
    "-----END RSA PRIVATE KEY-----\n";

static const char mail[] =
    "Received: from a by b; Tue, 1 Dec 2026 08:00:00 +0000\n"
    "From: News <news@example.com>\n"
    "To: user@example.net\n"
    "Subject: A folded\n\tsubject  line\n"
    "X-Mailer: something\n"
    "List-Id: <l.example.com>\n\n"
    "Hello,\r\n\r\nthis  is text.\r\n";

struct fixture {
	struct arena *a;
	struct dkim_key *rsa, *ed25519;
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *why = NULL;

	f->a = arena_new();
	f->rsa = dkim_key_parse(str_from(rsa_pem), &why);
	f->ed25519 = dkim_key_parse(str_from(ed25519_pem), &why);
	*state = f;
	return f->rsa == NULL || f->ed25519 == NULL;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	dkim_key_free(&f->rsa);
	dkim_key_free(&f->ed25519);
	arena_free(&f->a);
	free(f);
	return 0;
}

/* A message as the milter collects it; the texts in blocks of their size. */
struct message {
	struct headers h;
	struct str body;
	unsigned char hash[DKIM_HASH_SIZE];
};

static struct message
read_mail(struct arena *a, struct str text)
{
	struct headers parsed;
	struct message m;
	size_t at;

	headers_init(&parsed, a);
	headers_init(&m.h, a);
	headers_parse(&parsed, text, &at);
	for (size_t i = 0; i < parsed.n; i++)
		headers_append(&m.h, exact(a, parsed.v[i].name),
		    exact(a, parsed.v[i].value));
	m.body = exact(a, str_sub(text, at, text.n));
	dkim_body_hash(NULL, m.body, m.hash);
	return m;
}

/* As stage_sign.c does it, with fewer fields. */
static struct str
sign(struct arena *a, struct message *m, const struct dkim_key *key)
{
	static const struct str names[] = { { "Subject", 7 }, { "To", 2 },
		{ "List-Id", 7 }, { "Reply-To", 8 } };
	struct dkim_request r = {
		.key = key,
		.domain = STR("example.com"),
		.selector = STR("s1"),
		.time = NOW - 60,
		.sign = names,
		.nsign = COUNT(names),
		.oversign = names,
		.noversign = COUNT(names),
	};
	struct dkim_message seen = { .headers = &m->h, .body = m->body };

	return dkim_sign_message(a, &seen, &r);
}

/* NULL, or why it is not valid; "unreadable" for what is no tag list. */
static const char *
verify(struct arena *a, struct message *m, struct str value,
    const struct dkim_key *key, int64_t now, int64_t max_age)
{
	struct dkim_signature s;

	if (dkim_signature_read(exact(a, value), &s) != 0)
		return "unreadable";
	return dkim_signature_verify(
	    a, &m->h, &s, key, m->hash, now, max_age);
}

static const char *
verify_now(struct arena *a, struct message *m, struct str value,
    const struct dkim_key *key)
{
	return verify(a, m, value, key, NOW, WEEK);
}

/* want NULL: valid; "": for any reason not. */
static void
expect_why(const char *name, const char *got, const char *want)
{
	bool is_right = got == NULL || want == NULL ? got == want :
	    *want == '\0' || strcmp(got, want) == 0;

	if (!is_right)
		fail_msg("%s: %s, want %s", name, got ? got : "valid",
		    want ? want : "valid");
}

static struct str
replaced(struct arena *a, struct str s, struct str old, struct str new)
{
	size_t at = str_find(s, old, 0);
	struct str parts[] = { str_sub(s, 0, at), new,
		str_sub(s, at + old.n, s.n) };

	if (at == s.n && old.n > 0)
		fail_msg("no %.*s in %.*s", STR_ARG(old), STR_ARG(s));
	return arena_join(a, parts, 3);
}

/* Signatures that others made: RFC 8463 appendix A.3. */
static void
test_published_example(void **state)
{
	static const char message[] =
	    "From: Joe SixPack <joe@football.example.com>\n"
	    "To: Suzie Q <suzie@shopping.example.net>\n"
	    "Subject: Is dinner ready?\n"
	    "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\n"
	    "Message-ID: <20030712040037.46341.5F8J@football.example.com>\n\n"
	    "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";
	static const char ed25519[] =
	    " v=1; a=ed25519-sha256; c=relaxed/relaxed;\n"
	    " d=football.example.com; i=@football.example.com;\n"
	    " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\n"
	    " subject : date : message-id : from : subject : date;\n"
	    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\n"
	    " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\n"
	    " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==";
	static const char rsa[] =
	    " v=1; a=rsa-sha256; c=relaxed/relaxed;\n"
	    " d=football.example.com; i=@football.example.com;\n"
	    " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\n"
	    " date : message-id : from : subject : date;\n"
	    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\n"
	    " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\n"
	    " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\n"
	    " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=";
	struct fixture *f = *state;
	struct message m = read_mail(f->a, str_from(message));

	expect_why("ed25519",
	    verify(f->a, &m, str_from(ed25519), f->ed25519, NOW, 0), NULL);
	expect_why(
	    "rsa", verify(f->a, &m, str_from(rsa), f->rsa, NOW, 0), NULL);
	expect_why("old", verify_now(f->a, &m, str_from(rsa), f->rsa),
	    "is too old");
	expect_why("keys changed",
	    verify(f->a, &m, str_from(rsa), f->ed25519, NOW, 0),
	    "names another algorithm than its key's");
}

static void
test_our_own(void **state)
{
	struct fixture *f = *state;
	const struct dkim_key *keys[] = { f->rsa, f->ed25519 };

	for (size_t i = 0; i < COUNT(keys); i++) {
		struct message m = read_mail(f->a, str_from(mail));
		struct str value = sign(f->a, &m, keys[i]);
		struct dkim_signature s;

		assert_int_equal(dkim_signature_read(value, &s), 0);
		expect_str("d", s.domain, STR("example.com"));
		expect_str("s", s.selector, STR("s1"));
		expect_why("own", verify_now(f->a, &m, value, keys[i]), NULL);
		headers_append(&m.h, STR("DKIM-Signature"), value);
		expect_why("in place", verify_now(f->a, &m, value, keys[i]),
		    NULL);
	}
}

/* The same domain and selector, somebody else's key. */
static void
test_other_key(void **state)
{
	struct fixture *f = *state;
	enum dkim_algorithm kinds[] = { DKIM_RSA_SHA256, DKIM_ED25519_SHA256 };
	const struct dkim_key *ours[] = { f->rsa, f->ed25519 };

	for (size_t i = 0; i < COUNT(kinds); i++) {
		const char *why;
		struct dkim_key *other = dkim_key_parse(
		    dkim_key_create(f->a, kinds[i], 1024), &why);
		struct message m = read_mail(f->a, str_from(mail));

		expect_why("other",
		    verify_now(f->a, &m, sign(f->a, &m, other), ours[i]),
		    "does not match the header");
		dkim_key_free(&other);
	}
}

/* What happens to a message behind us, and whether it breaks a signature. */
static const struct {
	const char *name, *old, *new;
	const char *why;
} changes[] = {
	{ "nothing", "Hello", "Hello", NULL },
	{ "trace on top", "Received:", "Received: x\nReceived:", NULL },
	{ "a field that is not signed", "something", "else", NULL },
	{ "such a field removed", "X-Mailer: something\n", "", NULL },
	{ "a mark of a filter", "X-Mailer", "X-Virus-Scanned: yes\nX-Mailer",
	    NULL },
	{ "folded anew", "folded\n\tsubject", "folded subject", NULL },
	{ "more blanks", "News <", "News   <", NULL },
	{ "a name in capitals", "Subject:", "SUBJECT:", NULL },
	{ "blanks at a line's end", "is text.\r\n", "is text. \r\n", NULL },
	{ "empty lines at the end", "text.\r\n", "text.\r\n\r\n\r\n", NULL },
	{ "fields in another order",
	    "To: user@example.net\nSubject: A folded\n\tsubject  line\n",
	    "Subject: A folded\n\tsubject  line\nTo: user@example.net\n",
	    NULL },
	{ "a mark in Subject", "A folded", "[SPAM] A folded",
	    "does not match the header" },
	{ "another From", "news@", "news2@", "does not match the header" },
	{ "a letter of From in capitals", "News <", "NEWS <",
	    "does not match the header" },
	{ "a second From below", "X-Mailer:", "From: x@example.org\nX-Mailer:",
	    "does not match the header" },
	{ "a second From above", "Received:", "From: x@example.org\nReceived:",
	    "does not match the header" },
	{ "a second Subject", "X-Mailer:", "Subject: buy\nX-Mailer:",
	    "does not match the header" },
	{ "a Reply-To where was none", "X-Mailer:",
	    "Reply-To: x@example.org\nX-Mailer:", "does not match the header" },
	{ "no List-Id", "List-Id: <l.example.com>\n", "",
	    "does not match the header" },
	{ "no From", "From: News <news@example.com>\n", "",
	    "does not match the header" },
	{ "blanks gone from a word", "A folded", "Afolded",
	    "does not match the header" },
	{ "a footer", "text.\r\n", "text.\r\n-- \r\nlist\r\n",
	    "does not match the body" },
	{ "a letter of the body", "this", "This", "does not match the body" },
	{ "an empty line in front", "Hello,", "\r\nHello,",
	    "does not match the body" },
	{ "no body", "Hello,\r\n\r\nthis  is text.\r\n", "",
	    "does not match the body" },
};

static void
test_changed_messages(void **state)
{
	struct fixture *f = *state;
	const struct dkim_key *keys[] = { f->rsa, f->ed25519 };

	for (size_t i = 0; i < COUNT(changes) * 2; i++) {
		const struct dkim_key *key = keys[i % 2];
		struct message before = read_mail(f->a, str_from(mail));
		struct str value = sign(f->a, &before, key);
		struct message after = read_mail(f->a,
		    replaced(f->a, str_from(mail),
			str_from(changes[i / 2].old),
			str_from(changes[i / 2].new)));

		expect_why(changes[i / 2].name,
		    verify_now(f->a, &after, value, key), changes[i / 2].why);
	}
}

/* Is this octet of the mail one that the signature covers? */
static bool
is_covered(size_t at)
{
	static const char *const loose[] = { "Received: from a by b; Tue, 1 "
		"Dec 2026 08:00:00 +0000\n", "X-Mailer: something\n" };

	for (size_t i = 0; i < COUNT(loose); i++) {
		const char *from = strstr(mail, loose[i]);

		if (at >= (size_t)(from - mail) &&
		    at < (size_t)(from - mail) + strlen(loose[i]))
			return false;
	}
	return !str_is_space(mail[at]);
}

static void
test_every_octet_of_the_message(void **state)
{
	struct fixture *f = *state;
	struct message m = read_mail(f->a, str_from(mail));
	struct str value = sign(f->a, &m, f->ed25519);

	for (size_t i = 0; i < sizeof(mail) - 1; i++) {
		char copy[sizeof(mail)], name[32];
		struct message changed;

		if (!is_covered(i))
			continue;
		memcpy(copy, mail, sizeof(mail));
		/* names are compared without case: no change of 0x20 */
		copy[i] ^= 1;
		if (copy[i] == ' ')
			copy[i] = '~';
		snprintf(name, sizeof(name), "octet %zu", i);
		changed = read_mail(f->a, str_make(copy, sizeof(mail) - 1));
		expect_why(name,
		    verify_now(f->a, &changed, value, f->ed25519), "");
	}
}

static void
test_every_octet_of_the_signature(void **state)
{
	struct fixture *f = *state;
	const struct dkim_key *keys[] = { f->rsa, f->ed25519 };

	for (size_t k = 0; k < COUNT(keys); k++) {
		struct message m = read_mail(f->a, str_from(mail));
		struct str value = sign(f->a, &m, keys[k]);

		for (size_t i = 0; i < value.n; i++) {
			char *copy = arena_bytes(f->a, value.n);
			char name[64], c = value.p[i], *p = copy + i;
			struct str changed = str_make(copy, value.n);

			memcpy(copy, value.p, value.n);
			snprintf(name, sizeof(name), "octet %zu, %c", i, c);
			for (int bit = 0; bit < 7; bit++) {
				*p = (char)(c ^ 1 << bit);
				if (str_is_space(c) && str_is_space(*p))
					continue;
				expect_why(name, verify_now(
				    f->a, &m, changed, keys[k]), "");
			}
			*p = c;
			expect_why(name,
			    verify_now(f->a, &m, changed, keys[k]), NULL);
			i += k == 0 ? 4 : 0; /* RSA: every fifth will do */
		}
	}
}

/*
 * A signature of that tag list, BH and B filled in, that is right in itself:
 * what refuses it is the rule in question.
 */
static struct str
craft(struct arena *a, struct message *m, const struct dkim_key *key,
    const char *tags, const struct str *names, size_t nnames)
{
	unsigned char sig[DKIM_MAX_SIGNATURE];
	char text[BASE64_SIZE(DKIM_MAX_SIGNATURE)];
	struct str value = str_from(tags), empty[2];
	size_t n, from, to;

	n = base64_write(text, m->hash, DKIM_HASH_SIZE);
	if (str_find(value, STR("BH"), 0) < value.n)
		value = replaced(a, value, STR("BH"), str_make(text, n));
	from = str_find(value, STR("B!"), 0);
	if (from == value.n)
		return value;
	/* RFC 6376 section 3.7: the blanks around it go too */
	for (to = from + 2; to < value.n && str_is_space(value.p[to]); to++)
		;
	while (str_is_space(value.p[from - 1]))
		from--;
	empty[0] = str_sub(value, 0, from);
	empty[1] = str_sub(value, to, value.n);
	n = dkim_key_sign(key,
	    dkim_header_data(a, &m->h, names, nnames, arena_join(a, empty, 2)),
	    sig);
	n = base64_write(text, sig, n);
	return replaced(a, value, STR("B!"), str_make(text, n));
}

#define ES "v=1; a=ed25519-sha256; c=relaxed/relaxed; "
#define DS "d=example.com; s=s1; "
#define ENDS "bh=BH; b=B!"
#define GOOD ES DS "t=1767225540; h=From:From; " ENDS

static const struct {
	const char *name, *tags, *why;
} crafted[] = {
	{ "good", GOOD, NULL },
	{ "a final ;", GOOD ";", NULL },
	{ "a final ; and blanks", GOOD "; \n ", NULL },
	{ "b= in front, blanks around it",
	    " b =\n B! \n ; v=1; a=ed25519-sha256;c=relaxed/relaxed;" DS
	    "t=1767225540;h=From:From;bh=BH", NULL },
	{ "blanks everywhere",
	    "v = 1 ;\n\ta = ed25519-sha256 ; c =\n\trelaxed/relaxed;" DS
	    "t = 1767225540 ; h = From :\n\tFrom ; bh =\n\tBH ; b =\n\tB! ",
	    NULL },
	{ "tags that we do not know", GOOD "; zz=1; r_2=x=y", NULL },
	{ "q=, z=", GOOD "; q=dns/txt; z=From:a", NULL },
	{ "i= of the domain", GOOD "; i=@example.com", NULL },
	{ "i= of a user below", GOOD "; i=a@b@EU.Example.com", NULL },
	{ "x= to come", GOOD "; x=1767225601", NULL },
	{ "x= now", GOOD "; x=1767225600", NULL },
	{ "h= names what is not there", ES DS
	    "t=1767225540; h=X-None:From:From; " ENDS, NULL },
	{ "an hour ahead", ES DS "t=1767229200; h=From:From; " ENDS, NULL },
	{ "a week old", ES DS "t=1766620800; h=From:From; " ENDS, NULL },
	{ "v=2", "v=2; a=ed25519-sha256; c=relaxed/relaxed; " DS
	    "t=1767225540; h=From:From; " ENDS, "is of another version" },
	{ "RSA's name", "v=1; a=rsa-sha256; c=relaxed/relaxed; " DS
	    "t=1767225540; h=From:From; " ENDS,
	    "names another algorithm than its key's" },
	{ "no c=", "v=1; a=ed25519-sha256; " DS
	    "t=1767225540; h=From:From; " ENDS, "is not relaxed/relaxed" },
	{ "relaxed/simple", "v=1; a=ed25519-sha256; c=relaxed; " DS
	    "t=1767225540; h=From:From; " ENDS, "is not relaxed/relaxed" },
	{ "simple/relaxed", "v=1; a=ed25519-sha256; c=simple/relaxed; " DS
	    "t=1767225540; h=From:From; " ENDS, "is not relaxed/relaxed" },
	{ "l=", GOOD "; l=31", "covers a part of the body only" },
	{ "l=0", GOOD "; l=0", "covers a part of the body only" },
	{ "l= empty", GOOD "; l=", "covers a part of the body only" },
	{ "i= elsewhere", GOOD "; i=@example.org",
	    "has an i= outside of its d=" },
	{ "i= of a longer name", GOOD "; i=@myexample.com",
	    "has an i= outside of its d=" },
	{ "i= above", GOOD "; i=@com", "has an i= outside of its d=" },
	{ "i= without @", GOOD "; i=example.com",
	    "has an i= outside of its d=" },
	{ "i= empty", GOOD "; i=", "has an i= outside of its d=" },
	{ "no t=", ES DS "h=From:From; " ENDS,
	    "does not say when it was made" },
	{ "t= no number", ES DS "t=soon; h=From:From; " ENDS,
	    "has a t= that is no time" },
	{ "t= empty", ES DS "t=; h=From:From; " ENDS,
	    "has a t= that is no time" },
	{ "t= of 13 digits", ES DS "t=1767225540000; h=From:From; " ENDS,
	    "has a t= that is no time" },
	{ "t= negative", ES DS "t=-1; h=From:From; " ENDS,
	    "has a t= that is no time" },
	{ "more than an hour ahead", ES DS "t=1767229201; h=From:From; " ENDS,
	    "was made in the future" },
	{ "more than a week old", ES DS "t=1766620799; h=From:From; " ENDS,
	    "is too old" },
	{ "expired", GOOD "; x=1767225599", "has expired" },
	{ "x= no number", GOOD "; x=never", "has an x= that is no time" },
	{ "no From", ES DS "t=1767225540; h=Subject:To; " ENDS,
	    "does not cover From" },
	{ "an empty name", ES DS "t=1767225540; h=From::From; " ENDS,
	    "has an h= that is no list of fields" },
	{ "a final colon", ES DS "t=1767225540; h=From:From:; " ENDS,
	    "has an h= that is no list of fields" },
	{ "a name with a blank", ES DS "t=1767225540; h=Fr om:From; " ENDS,
	    "has an h= that is no list of fields" },
	{ "bh= too short", ES DS "t=1767225540; h=From:From; bh=AAAA; b=B!",
	    "has a bh= that is no hash" },
	{ "bh= no base64", ES DS "t=1767225540; h=From:From; bh=*; b=B!",
	    "has a bh= that is no hash" },
	{ "b= no base64", ES DS "t=1767225540; h=From:From; bh=BH; b=*",
	    "has a b= that is no base64" },
	{ "b= too short", ES DS "t=1767225540; h=From:From; bh=BH; b=AAAA",
	    "does not match the header" },
	{ "v twice", GOOD "; v=1", "unreadable" },
	{ "an unknown tag twice", GOOD "; k=1; k=2", "unreadable" },
	{ "no a=", "v=1; c=relaxed/relaxed; " DS
	    "t=1767225540; h=From:From; " ENDS, "unreadable" },
	{ "d= empty", ES "d=; s=s1; t=1767225540; h=From:From; " ENDS,
	    "unreadable" },
	{ "no s=", ES "d=example.com; t=1767225540; h=From; " ENDS,
	    "unreadable" },
	{ "no b=", ES DS "t=1767225540; h=From:From; bh=BH", "unreadable" },
	{ "b= empty", ES DS "t=1767225540; h=From:From; bh=BH; b=",
	    "unreadable" },
	{ "an empty tag", "v=1;; a=ed25519-sha256; c=relaxed/relaxed; " DS
	    "t=1767225540; h=From:From; " ENDS, "unreadable" },
	{ "a tag without =", GOOD "; x", "unreadable" },
	{ "a name that is none", GOOD "; 1x=1", "unreadable" },
	{ "V is not v", "V=1; a=ed25519-sha256; c=relaxed/relaxed; " DS
	    "t=1767225540; h=From:From; " ENDS, "unreadable" },
	{ "nothing", "", "unreadable" },
	{ "blanks", " \n\t", "unreadable" },
	{ ";", ";", "unreadable" },
	{ "=", "=", "unreadable" },
	{ "a comment", "(c) " GOOD, "unreadable" },
};

static void
test_crafted(void **state)
{
	static const struct str from[] = { { "From", 4 }, { "From", 4 } };
	static const struct str other[] = { { "Subject", 7 }, { "To", 2 } };
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(crafted); i++) {
		struct message m = read_mail(f->a, str_from(mail));
		bool no_from = strstr(crafted[i].tags, "h=Subject") != NULL;
		struct str value = craft(f->a, &m, f->ed25519,
		    crafted[i].tags, no_from ? other : from, 2);

		expect_why(crafted[i].name,
		    verify_now(f->a, &m, value, f->ed25519), crafted[i].why);
	}
}

/* after NULL: no number either. */
static void
repeat(struct buf *b, const char *before, const char *after, size_t times)
{
	for (size_t i = 0; i < times; i++) {
		buf_puts(b, before);
		if (after != NULL)
			buf_printf(b, "%zu%s", i, after);
	}
}

/* Where the reading stops, on both sides of it. */
static void
test_limits(void **state)
{
	static const struct str from[] = { { "From", 4 }, { "From", 4 } };
	static const struct {
		const char *name, *tags, *each, *behind, *rest, *why;
		size_t times;
	} cases[] = {
		{ "32 tags", GOOD, "; t", "=x", "", NULL, 23 },
		{ "33 tags", GOOD, "; t", "=x", "", "unreadable", 24 },
		{ "2048 names", ES DS "t=1767225540; h=From:From", ":X-", "",
		    "; " ENDS, NULL, 2046 },
		{ "2049 names", ES DS "t=1767225540; h=From:From", ":X-", "",
		    "; " ENDS, "has an h= that is no list of fields", 2047 },
		{ "b= of 20,000 octets", ES DS "t=1767225540; h=From; bh=BH;"
		    " b=", "AAAA", NULL, "", "has a b= that is no base64", 5000 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct message m = read_mail(f->a, str_from(mail));
		struct buf b;

		buf_init(&b, 1 << 20);
		buf_puts(&b, cases[i].tags);
		repeat(&b, cases[i].each, cases[i].behind, cases[i].times);
		buf_puts(&b, cases[i].rest);
		expect_why(cases[i].name,
		    verify_now(f->a, &m,
			craft(f->a, &m, f->ed25519, b.p, from, 2),
			f->ed25519), cases[i].why);
		buf_free(&b);
	}
}

/* 2000 names over 3000 fields: refused before the work is done. */
static void
test_work_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct message m = read_mail(f->a, str_from(mail));
	struct buf b;

	buf_init(&b, 1 << 20);
	buf_puts(&b, ES DS "t=1767225540; h=From:From");
	repeat(&b, ":A:B", NULL, 1000);
	buf_puts(&b, "; bh=BH; b=AAAA");
	for (size_t i = 0; i < 3000; i++)
		headers_append(&m.h, STR("X"), STR(" x"));
	expect_why("work",
	    verify_now(f->a, &m, craft(f->a, &m, f->ed25519, b.p, NULL, 0),
		f->ed25519), "covers too many fields");
	buf_free(&b);
}

/* What counts of a value: blanks are only folding. */
static struct str
without_blanks(struct arena *a, struct str s)
{
	char *p = arena_bytes(a, s.n);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		if (!str_is_space(s.p[i]))
			p[n++] = s.p[i];
	return str_make(p, n);
}

/* Pieces are cut, doubled, and octets drawn; nothing may stay valid. */
static void
test_random_changes(void **state)
{
	static const char octets[] = "=;: \n\tbhs/+A0\x80.@";
	struct fixture *f = *state;
	struct arena *scratch = arena_new();
	struct message m = read_mail(f->a, str_from(mail));
	struct str value = sign(f->a, &m, f->ed25519);
	struct str plain = without_blanks(f->a, value);
	uint64_t x = 88172645463325252u;

	for (int i = 0; i < 20000; i++) {
		char text[1024];
		struct str changed;
		size_t n = value.n, at, len;

		memcpy(text, value.p, n);
		for (int j = 0; j <= i % 3; j++) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			at = (size_t)(x >> 8) % n;
			len = (size_t)(x >> 32) % (n - at < 16 ? n - at : 16);
			if (x % 3 == 0)
				text[at] = octets[(x >> 48) % sizeof(octets)];
			else if (x % 3 == 1)
				memmove(text + at, text + at + len,
				    n - at - len), n -= len;
			else if (n + len <= sizeof(text))
				memmove(text + at + len, text + at, n - at),
				    n += len;
		}
		changed = str_make(text, n);
		if (str_eq(without_blanks(scratch, changed), plain))
			continue;
		expect_why("random",
		    verify_now(scratch, &m, changed, f->ed25519), "");
		arena_reset(scratch);
	}
	arena_free(&scratch);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_published_example, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_our_own, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_other_key, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_changed_messages, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_every_octet_of_the_message, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_every_octet_of_the_signature, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_crafted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_limits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_work_is_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_random_changes, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
