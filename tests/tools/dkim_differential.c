/*
 * dkim_differential.c - both DKIM engines over messages, as they came and
 * edited, each judged by the other side's verifier.
 *
 * dkim_differential DOMAIN RECORDS SELECTOR=KEYFILE[,...] FILE...: RECORDS as
 * for dkim_referee.  A line for each message, variant and key, fields between
 * tabs: file; came or edited; selector;
 *	same or differ: the field's text from both engines;
 *	signed or left: by libopendkim, or left to the native engine;
 *	what libopendkim hashed to verify it against what we hash: equal,
 *	header, body or unread;
 *	what libopendkim says of it: pass, fail or unread;
 *	what we say of a signature that libopendkim made as opendkim(8) does:
 *	pass, why not, or refused when it made none.
 */
#include "tests/tools/opendkim_in.h"

#include <stdlib.h>
#include <time.h>

#include "base/hash.h"
#include "mail/dkim_key.h"
#include "mail/dkim_verify.h"
#include "tests/tools/opendkim_leak.h"
#include "tests/tools/signer_in.h"

/* A message in one variant. */
struct mail {
	const char *path, *variant;
	struct headers h;
	struct splices edits;
	struct str body;   /* as it came */
	struct str edited; /* as it leaves, before SMTP ends its last line */
	struct str sent;   /* as verifiers see it */
	unsigned char body_hash[DKIM_HASH_SIZE]; /* of what leaves */
};

/* What came of one key. */
struct outcome {
	struct str own, other; /* the field's value by either engine */
	bool is_left;
	const char *hashes, *verified, *raw;
};

struct judge {
	DKIM_LIB *lib;
	struct signer native, opendkim; /* the same keys */
};

static void
edit_header(struct headers *h)
{
	struct header *f = headers_find(h, STR("Received"));

	if (f != NULL)
		headers_delete(h, f);
	f = headers_find(h, STR("Subject"));
	if (f != NULL)
		headers_change(h, f, STR("Another  subject,\n\tfolded \t"));
	else
		headers_add(h, STR("Subject"), STR(""));
	headers_add(h, STR("List-Unsubscribe"), STR("<https://example.com/>"));
	headers_add(h, STR("List-Unsubscribe-Post"),
	    STR("List-Unsubscribe=One-Click"));
}

/* Words, blanks and lines in and out, never between CR and LF. */
static void
edit_body(struct mail *m, struct arena *a)
{
	static const struct str texts[] = { SIGNER_IN_NAME("word"),
		SIGNER_IN_NAME(" "), SIGNER_IN_NAME(""),
		SIGNER_IN_NAME(" \t\r\n"), SIGNER_IN_NAME("\r\n\r\n"),
		SIGNER_IN_NAME("https://example.com/c/TOKEN") };
	size_t step = m->body.n / 40 + 7, next = 0;

	for (size_t at = 0; at + step < m->body.n; at += step) {
		size_t del = next % 3 == 0 ? 0 : next % 5;

		if (m->body.p[at] != '\n' && m->body.p[at + del] != '\n')
			splices_add(&m->edits, a, at, del,
			    texts[next % (sizeof(texts) / sizeof(*texts))]);
		next++;
	}
	if (next % 2 == 0)
		splices_add(&m->edits, a, m->body.n, 0, STR("the end \t"));
	if (splices_sort(&m->edits, m->body.n) != 0)
		abort();
}

static struct mail
mail_of(struct arena *a, const char *path, const struct headers *h,
    struct str body, bool is_edited)
{
	struct mail m = { .path = path, .body = body };

	headers_init(&m.h, a);
	for (size_t i = 0; i < h->n; i++)
		headers_append(&m.h, h->v[i].name, h->v[i].value);
	m.variant = is_edited ? "edited" : "came";
	if (is_edited) {
		edit_header(&m.h);
		edit_body(&m, a);
	}
	m.edited = m.sent = splices_apply(&m.edits, a, body);
	if (m.sent.n > 0 && m.sent.p[m.sent.n - 1] != '\n') {
		struct str parts[] = { m.edited, { "\r\n", 2 } };

		m.sent = arena_join(a, parts, 2);
	}
	dkim_body_hash(NULL, m.edited, m.body_hash);
	return m;
}

static void
sign(struct outcome *o, struct arena *a, const struct judge *j,
    const struct mail *m, size_t i)
{
	struct dkim_message as_native = { .headers = &m->h,
		.edits = &m->edits, .body = m->body };
	struct dkim_message as_opendkim = as_native;
	struct dkim_request r = signer_in_request(&j->native, i);

	o->own = dkim_sign_message(a, &as_native, &r);
	r = signer_in_request(&j->opendkim, i);
	o->other = dkim_sign_message(a, &as_opendkim, &r);
	o->is_left = as_opendkim.ntaken_over > 0;
	o->hashes = o->verified = "unread";
	o->raw = "refused";
}

/* What is hashed, by our reading of the field: NULL when we read it not. */
static const char *
compare_hashes(struct arena *a, const struct mail *m, struct str value,
    DKIM_SIGINFO *sig)
{
	unsigned char ours[DKIM_HASH_SIZE];
	struct dkim_signature s;
	struct str names[1000], parts[3], data;
	size_t n = 0, hh_len, bh_len;
	void *hh, *bh;

	if (dkim_sig_gethashes(sig, &hh, &hh_len, &bh, &bh_len) !=
		DKIM_STAT_OK || hh_len != sizeof(ours) ||
	    bh_len != sizeof(ours) || dkim_signature_read(value, &s) != 0)
		return "unread";
	for (size_t at = 0; at < s.names.n && n < 1000; n++) {
		size_t end = str_chr(s.names, ':', at);

		names[n] = str_trim(str_sub(s.names, at, end));
		at = end + 1;
	}
	parts[0] = STR(" ");
	parts[1] = s.before;
	parts[2] = s.after;
	data = dkim_header_data(a, &m->h, names, n, arena_join(a, parts, 3));
	hash_sha256(data, ours);
	if (memcmp(ours, hh, sizeof(ours)) != 0)
		return "header";
	return memcmp(m->body_hash, bh, sizeof(ours)) == 0 ? "equal" : "body";
}

static void
judge_signature(struct outcome *o, struct arena *a, DKIM *dkim,
    const struct mail *m, DKIM_SIGINFO *sig)
{
	if ((dkim_sig_getflags(sig) & DKIM_SIGFLAG_PROCESSED) == 0)
		(void)dkim_sig_process(dkim, sig);
	o->hashes = compare_hashes(a, m, o->own, sig);
	o->verified = DKIM_SIG_CHECK(sig) ? "pass" : "fail";
}

/* libopendkim reads the message with the native signatures on top. */
static void
verify(struct outcome *o, struct arena *a, const struct judge *j,
    const struct mail *m)
{
	DKIM_STAT stat;
	DKIM *dkim =
	    dkim_verify(j->lib, (const u_char *)"differential", NULL, &stat);
	DKIM_SIGINFO **sigs = NULL;
	bool test_key;
	int n = 0;

	for (size_t i = 0; i < j->native.n; i++) {
		struct str parts[] = { { " ", 1 }, o[i].own };

		opendkim_feed_field(dkim, a, STR("DKIM-Signature"),
		    arena_join(a, parts, 2));
	}
	(void)opendkim_feed(dkim, a, &m->h, m->sent);
	(void)dkim_eom(dkim, &test_key);
	(void)dkim_getsiglist(dkim, &sigs, &n);
	for (size_t i = 0; i < j->native.n && (int)i < n; i++)
		judge_signature(&o[i], a, dkim, m, sigs[i]);
	(void)dkim_free(dkim);
}

/* The value of a field as opendkim(8) makes it; empty when it cannot. */
static struct str
sign_raw(struct arena *a, const struct judge *j, const struct mail *m,
    const struct dkim_request *r)
{
	bool is_rsa = dkim_key_algorithm(r->key) == DKIM_RSA_SHA256;
	const char **names = arena_array(a, r->nsign + 1, sizeof(*names));
	struct str value = STR("");
	u_char *text;
	size_t n;
	DKIM_STAT stat;
	DKIM *dkim = dkim_sign(j->lib, NULL, NULL,
	    opendkim_octets(dkim_key_pem(r->key)),
	    opendkim_octets(arena_cstr(a, r->selector)),
	    opendkim_octets(arena_cstr(a, r->domain)), DKIM_CANON_RELAXED,
	    DKIM_CANON_RELAXED,
	    is_rsa ? DKIM_SIGN_RSASHA256 : DKIM_SIGN_ED25519SHA256, -1, &stat);

	for (size_t i = 0; i < r->nsign; i++)
		names[i] = arena_cstr(a, r->sign[i]);
	if (dkim_signhdrs(dkim, names) == DKIM_STAT_OK &&
	    opendkim_feed(dkim, a, &m->h, m->sent) &&
	    dkim_eom(dkim, NULL) == DKIM_STAT_OK &&
	    dkim_getsighdr_d(dkim, 16, &text, &n) == DKIM_STAT_OK)
		value = arena_copy(a, str_make((const char *)text, n));
	(void)dkim_free(dkim);
	return value;
}

static const char *
judge_raw(struct arena *a, const struct judge *j, const struct mail *m,
    size_t i)
{
	struct dkim_request r = signer_in_request(&j->opendkim, i);
	struct str value = sign_raw(a, j, m, &r);
	struct dkim_signature s;
	const char *why;

	if (value.n == 0)
		return "refused";
	if (dkim_signature_read(value, &s) != 0)
		return "unreadable";
	why = dkim_signature_verify(a, &m->h, &s, j->native.keys[i],
	    m->body_hash, (int64_t)time(NULL), 0);
	return why == NULL ? "pass" : why;
}

static void
judge_mail(const struct judge *j, struct arena *a, const struct mail *m)
{
	struct outcome o[SIGNER_IN_MAX];

	for (size_t i = 0; i < j->native.n; i++)
		sign(&o[i], a, j, m, i);
	verify(o, a, j, m);
	for (size_t i = 0; i < j->native.n; i++) {
		o[i].raw = judge_raw(a, j, m, i);
		printf("%s\t%s\t%.*s\t%s\t%s\t%s\t%s\t%s\n", m->path,
		    m->variant, STR_ARG(j->native.selectors[i]),
		    o[i].own.n > 0 && str_eq(o[i].own, o[i].other) ? "same" :
								     "differ",
		    o[i].is_left ? "left" : "signed", o[i].hashes,
		    o[i].verified, o[i].raw);
	}
}

static int
judge_file(const struct judge *j, const char *path)
{
	struct arena *a = arena_new();
	struct headers h;
	struct str body;
	int rc = mail_in(a, path, &h, &body);

	for (int i = 0; i < 2 && rc == 0; i++) {
		struct mail m = mail_of(a, path, &h, body, i == 1);

		judge_mail(j, a, &m);
	}
	arena_free(&a);
	return rc;
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new();
	struct judge j = { .lib = argc > 4 ? opendkim_in(argv[2]) : NULL };
	int rc = 2;

	if (j.lib != NULL) {
		j.native.domain = j.opendkim.domain = str_from(argv[1]);
		rc = signer_in(&j.native, a, &dkim_native,
			 str_from(argv[3])) != 0 ||
		     signer_in(&j.opendkim, a, &dkim_opendkim,
			 str_from(argv[3])) != 0;
		for (int i = 4; i < argc && rc == 0; i++)
			rc = judge_file(&j, argv[i]) != 0;
		dkim_close(j.lib);
	} else {
		fputs("usage: dkim_differential DOMAIN RECORDS "
		      "SELECTOR=KEYFILE[,...] FILE...\n",
		    stderr);
	}
	signer_in_free(&j.native);
	signer_in_free(&j.opendkim);
	arena_free(&a);
	return rc;
}
