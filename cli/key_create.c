/*
 * key_create.c - `bulkhead key create`: an RSA and an Ed25519 key of a domain.
 */
#include "cli/key.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/num.h"
#include "cli/load.h"
#include "cli/secret_file.h"
#include "mail/addr.h"

#define MIN_BITS   2048
#define MAX_BITS   4096
#define OUTPUT_MAX 65536

struct pair {
	struct arena *a;
	struct str domain;
	unsigned bits;
	struct key_entry keys[2]; /* RSA, Ed25519 */
};

/* What the settings take: labels of letters, digits and inner hyphens. */
static bool
is_selector(struct str s)
{
	size_t label = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '.' && label > 0)
			label = 0;
		else if ((str_is_alpha(c) || str_is_digit(c) ||
			     (c == '-' && label > 0)) &&
			 label < 63)
			label++;
		else
			return false;
	}
	return label > 0 && s.n <= 128;
}

/* Absolute, since daemons read what the settings say elsewhere. */
static struct str
path_of(const struct pair *p, const char *dir, struct str selector)
{
	char cwd[PATH_MAX];

	if (dir[0] == '/' || getcwd(cwd, sizeof(cwd)) == NULL)
		cwd[0] = '\0';
	return arena_printf(p->a, "%s%s%s/%.*s/%.*s.pem", cwd,
	    cwd[0] != '\0' ? "/" : "", dir, STR_ARG(p->domain),
	    STR_ARG(selector));
}

static bool
exists(const struct pair *p, struct str path)
{
	return access(arena_cstr(p->a, path), F_OK) == 0;
}

static void
set_selector(struct pair *p, int i, const char *dir, struct str selector)
{
	p->keys[i].domain = p->domain;
	p->keys[i].selector = selector;
	p->keys[i].file = path_of(p, dir, selector);
}

/* sYYYYx and eYYYYx, with the first letter of which there is neither. */
static int
choose_selectors(struct pair *p, const struct key_options *o)
{
	struct clock clock = clock_system();
	char now[CLOCK_TEXT];
	bool is_free = false;

	clock_rfc3339(clock_seconds(&clock), now);
	for (char x = 'a'; x <= 'z' && !is_free; x++) {
		set_selector(p, 0, o->dir,
		    o->selector_rsa != NULL
			? arena_lower(p->a, str_from(o->selector_rsa))
			: arena_printf(p->a, "s%.4s%c", now, x));
		set_selector(p, 1, o->dir,
		    o->selector_ed25519 != NULL
			? arena_lower(p->a, str_from(o->selector_ed25519))
			: arena_printf(p->a, "e%.4s%c", now, x));
		is_free =
		    (o->selector_rsa != NULL || !exists(p, p->keys[0].file)) &&
		    (o->selector_ed25519 != NULL ||
			!exists(p, p->keys[1].file));
	}
	for (int i = 0; i < 2; i++)
		if (!is_selector(p->keys[i].selector)) {
			fprintf(stderr,
			    "bulkhead key: \"%.*s\" is no "
			    "selector: letters, digits and inner hyphens are "
			    "wanted, as in s2026a\n",
			    STR_ARG(p->keys[i].selector));
			return EX_USAGE;
		}
	if (!str_eq(p->keys[0].selector, p->keys[1].selector))
		return EX_OK;
	fputs("bulkhead key: both keys have one selector: two are wanted\n",
	    stderr);
	return EX_USAGE;
}

static int
check_arguments(struct pair *p, const struct key_options *o, const char *domain)
{
	uint64_t bits = KEY_DEFAULT_BITS;

	p->domain = addr_domain_ascii(p->a, str_from(domain));
	if (!addr_is_mailbox(
		arena_printf(p->a, "x@%.*s", STR_ARG(p->domain))) ||
	    p->domain.p[0] == '[' ||
	    str_chr(p->domain, '_', 0) < p->domain.n ||
	    str_chr(p->domain, '.', 0) == p->domain.n) {
		fprintf(stderr,
		    "bulkhead key: \"%s\" is no domain: one like "
		    "example.com is wanted\n",
		    domain);
		return EX_USAGE;
	}
	if (o->bits != NULL &&
	    (num_parse(str_from(o->bits), MAX_BITS, &bits) != 0 ||
		bits < MIN_BITS)) {
		fprintf(stderr,
		    "bulkhead key: --bits %s: a number from %d to "
		    "%d is wanted\n",
		    o->bits, MIN_BITS, MAX_BITS);
		return EX_USAGE;
	}
	p->bits = (unsigned)bits;
	return choose_selectors(p, o);
}

static int
report_failure(struct str path, int err)
{
	if (err == EEXIST)
		fprintf(stderr,
		    "bulkhead key: %.*s exists and is never "
		    "overwritten: choose another selector\n",
		    STR_ARG(path));
	else
		fprintf(stderr, "bulkhead key: cannot create %.*s: %s\n",
		    STR_ARG(path), strerror(err));
	return secret_file_exit_code(err);
}

static int
make_key(struct pair *p, int i)
{
	enum dkim_algorithm alg =
	    i == 0 ? DKIM_RSA_SHA256 : DKIM_ED25519_SHA256;
	struct key_entry *e = &p->keys[i];
	struct str pem = dkim_key_create(p->a, alg, p->bits);
	const char *why;

	e->key = dkim_key_parse(pem, &why);
	if (e->key == NULL) {
		fprintf(stderr, "bulkhead key: the new key %s\n", why);
		return EX_SOFTWARE;
	}
	if (secret_file_create(arena_cstr(p->a, e->file), pem) != 0)
		return report_failure(e->file, errno);
	return EX_OK;
}

static void
write_text(struct buf *out, struct pair *p)
{
	for (int i = 0; i < 2; i++)
		buf_printf(out, "made %.*s (%s, %u bits)\n",
		    STR_ARG(p->keys[i].file),
		    key_algorithm_name(p->keys[i].key),
		    dkim_key_bits(p->keys[i].key));
	buf_puts(out, "\nPublish in DNS:\n");
	for (int i = 0; i < 2; i++)
		key_write_zone(out, p->a, &p->keys[i]);
	buf_printf(out, "\nThen, in bulkhead.conf, in domain \"%.*s\":\n",
	    STR_ARG(p->domain));
	for (int i = 0; i < 2; i++)
		buf_printf(out, "    sign \"%.*s\" { key = \"%.*s\" }\n",
		    STR_ARG(p->keys[i].selector), STR_ARG(p->keys[i].file));
}

static void
write_json(struct buf *out, struct pair *p)
{
	buf_char(out, '{');
	json_key(out, "domain");
	json_string(out, p->domain);
	json_key(out, "keys");
	buf_char(out, '[');
	key_write_json(out, p->a, &p->keys[0], true);
	buf_puts(out, ", ");
	key_write_json(out, p->a, &p->keys[1], true);
	buf_puts(out, "]}\n");
}

/* Both keys or none: what is left behind would be in the way of a retry. */
static int
make_both(struct pair *p)
{
	int rc;

	for (int i = 0; i < 2; i++)
		if (exists(p, p->keys[i].file))
			return report_failure(p->keys[i].file, EEXIST);
	rc = make_key(p, 0);
	if (rc != EX_OK)
		return rc;
	rc = make_key(p, 1);
	if (rc != EX_OK)
		unlink(arena_cstr(p->a, p->keys[0].file));
	return rc;
}

int
key_create(const struct key_options *o, const char *domain)
{
	struct pair p = { .a = arena_new() };
	int rc = check_arguments(&p, o, domain);
	struct buf out;

	buf_init(&out, OUTPUT_MAX);
	if (rc == EX_OK)
		rc = make_both(&p);
	if (rc == EX_OK) {
		if (o->json)
			write_json(&out, &p);
		else
			write_text(&out, &p);
		rc = load_flush(&out, "key");
	}
	for (int i = 0; i < 2; i++)
		dkim_key_free(&p.keys[i].key);
	buf_free(&out);
	arena_free(&p.a);
	return rc;
}
