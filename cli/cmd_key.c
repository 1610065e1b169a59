/*
 * cmd_key.c - `bulkhead key`: DKIM keys.  Making them is in key_create.c; what
 * DNS says of them is not looked up here.
 */
#include "cli/cmd.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/json.h"
#include "cli/key.h"
#include "cli/load.h"
#include "mail/addr.h"

#define OUTPUT_MAX (64 * 1024 * 1024)
#define TXT_MAX	   255

static const char usage_text[] =
    "usage: bulkhead key create DOMAIN [--selector-rsa S] "
    "[--selector-ed25519 S]\n"
    "                    [--dir DIR] [--bits N] [--json]\n"
    "       bulkhead key list [-c FILE] [--json]\n"
    "       bulkhead key dns [DOMAIN] [-c FILE] [--json]\n"
    "create makes an RSA and an Ed25519 key; list tells which keys sign; dns\n"
    "prints their records for a zone file.\n\n"
    "  -c, --config FILE         settings (" SETTINGS_DEFAULT_FILE ")\n"
    "      --dir DIR             below it DOMAIN/SELECTOR.pem "
    "(" KEY_DEFAULT_DIR ")\n"
    "      --bits N              of the RSA key: 2048 to 4096 (2048)\n"
    "      --selector-rsa S      (sYEARa, the next letter if that exists)\n"
    "      --selector-ed25519 S  (eYEARa, the same letter)\n"
    "      --json                for machines\n"
    "Exit: 0, 1 dns: no such key, 64 usage, 73 cannot create, "
    "77 not allowed,\n"
    "78 the settings or keys are wrong.\n";

const char *
key_algorithm_name(const struct dkim_key *key)
{
	return dkim_key_algorithm(key) == DKIM_RSA_SHA256 ? "rsa" : "ed25519";
}

static struct str
record_name(struct arena *a, const struct key_entry *e)
{
	return arena_printf(a, "%.*s._domainkey.%.*s", STR_ARG(e->selector),
	    STR_ARG(e->domain));
}

void
key_write_json(struct buf *out, struct arena *a, const struct key_entry *e,
    bool with_record)
{
	buf_char(out, '{');
	json_key(out, "domain");
	json_string(out, e->domain);
	json_key(out, "selector");
	json_string(out, e->selector);
	json_key(out, "algorithm");
	json_string(out, str_from(key_algorithm_name(e->key)));
	json_key(out, "bits");
	json_number(out, dkim_key_bits(e->key));
	json_key(out, "file");
	json_string(out, e->file);
	if (with_record) {
		json_key(out, "name");
		json_string(out, record_name(a, e));
		json_key(out, "record");
		json_string(out, dkim_key_record(e->key, a));
	}
	buf_char(out, '}');
}

void
key_write_zone(struct buf *out, struct arena *a, const struct key_entry *e)
{
	struct str name = record_name(a, e);
	struct str record = dkim_key_record(e->key, a);

	buf_printf(out, "%.*s. IN TXT (", STR_ARG(name));
	for (size_t at = 0; at < record.n; at += TXT_MAX) {
		struct str part = str_sub(record, at, at + TXT_MAX);

		buf_printf(out, " \"%.*s\"", STR_ARG(part));
	}
	buf_puts(out, " )\n");
}

static struct str
file_of(const struct domain_settings *d, struct str selector)
{
	for (size_t i = 0; i < d->nsign; i++)
		if (str_eq(d->sign[i].selector, selector))
			return d->sign[i].key;
	return STR("");
}

/* All keys of a domain, or of all with domain empty, in the arena. */
static size_t
collect(const struct keyring *k, struct str domain, struct arena *a,
    struct key_entry **out)
{
	size_t n = 0, cap = 0;

	*out = NULL;
	for (size_t i = 0; i < k->settings->ndomains; i++) {
		const struct keyring_domain *d = &k->domains[i];

		if (domain.n != 0 && !str_eq(d->domain->name, domain))
			continue;
		for (size_t j = 0; j < d->nkeys; j++) {
			*out = arena_grow(a, *out, n, &cap, sizeof(**out));
			(*out)[n++] = (struct key_entry){
				.domain = d->domain->name,
				.selector = d->keys[j].selector,
				.file = file_of(d->domain, d->keys[j].selector),
				.key = d->keys[j].key,
			};
		}
	}
	return n;
}

static void
write_json_list(struct buf *out, struct arena *a, const struct key_entry *v,
    size_t n, bool with_record)
{
	buf_char(out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_puts(out, ",\n ");
		key_write_json(out, a, &v[i], with_record);
	}
	buf_puts(out, "]\n");
}

static void
write_table(struct buf *out, const struct key_entry *v, size_t n)
{
	int domain = 6, selector = 8;

	for (size_t i = 0; i < n; i++) {
		if (v[i].domain.n > (size_t)domain)
			domain = (int)v[i].domain.n;
		if (v[i].selector.n > (size_t)selector)
			selector = (int)v[i].selector.n;
	}
	buf_printf(out, "%-*s  %-*s  %-9s  %4s  %s\n", domain, "DOMAIN",
	    selector, "SELECTOR", "ALGORITHM", "BITS", "FILE");
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%-*.*s  %-*.*s  %-9s  %4u  %.*s\n", domain,
		    STR_ARG(v[i].domain), selector, STR_ARG(v[i].selector),
		    key_algorithm_name(v[i].key), dkim_key_bits(v[i].key),
		    STR_ARG(v[i].file));
}

static int
run_list(const struct key_options *o, const struct key_entry *v, size_t n,
    struct arena *a)
{
	struct buf out;

	buf_init(&out, OUTPUT_MAX);
	if (o->json)
		write_json_list(&out, a, v, n, false);
	else
		write_table(&out, v, n);
	return load_flush(&out, "key");
}

static int
run_dns(const struct key_options *o, const struct key_entry *v, size_t n,
    struct arena *a)
{
	struct buf out;

	buf_init(&out, OUTPUT_MAX);
	if (o->json)
		write_json_list(&out, a, v, n, true);
	for (size_t i = 0; i < n && !o->json; i++)
		key_write_zone(&out, a, &v[i]);
	return load_flush(&out, "key");
}

/* `list` and `dns`, which tell of the keys that settings name. */
static int
run_configured(
    const struct key_options *o, const char *verb, const char *domain)
{
	struct arena *a = arena_new();
	struct keyring *k = load_keyring(o->file, KEYRING_DKIM);
	struct str name = addr_domain_ascii(a, str_from(domain));
	struct key_entry *v;
	int rc = EX_CONFIG;
	size_t n;

	if (k != NULL) {
		n = collect(k, name, a, &v);
		rc = strcmp(verb, "list") == 0 ? run_list(o, v, n, a)
					       : run_dns(o, v, n, a);
		if (rc == EX_OK && n == 0 && domain != NULL) {
			fprintf(stderr,
			    "bulkhead key: %s has no key in %s: "
			    "\"bulkhead key list\" tells which domains have\n",
			    domain, o->file);
			rc = 1;
		}
	}
	keyring_free(&k);
	arena_free(&a);
	return rc;
}

enum { OPT_DIR = 256, OPT_RSA, OPT_ED25519, OPT_BITS, OPT_JSON };

static const struct option longs[] = {
	{ "bits", required_argument, NULL, OPT_BITS },
	{ "config", required_argument, NULL, 'c' },
	{ "dir", required_argument, NULL, OPT_DIR },
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "selector-ed25519", required_argument, NULL, OPT_ED25519 },
	{ "selector-rsa", required_argument, NULL, OPT_RSA },
	{ NULL, 0, NULL, 0 },
};

static int
parse_options(int argc, char **argv, struct key_options *o)
{
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->file = optarg;
			break;
		case 'h':
			o->help = true;
			break;
		case OPT_DIR:
			o->dir = optarg;
			break;
		case OPT_RSA:
			o->selector_rsa = optarg;
			break;
		case OPT_ED25519:
			o->selector_ed25519 = optarg;
			break;
		case OPT_BITS:
			o->bits = optarg;
			break;
		case OPT_JSON:
			o->json = true;
			break;
		default:
			return -1;
		}
	}
	return 0;
}

static int
run(const struct key_options *o, int argc, char **argv)
{
	const char *verb = argc > 0 ? argv[0] : "";

	if (argc == 0) {
		fputs(usage_text, stderr);
		return EX_USAGE;
	}
	if (strcmp(verb, "create") == 0 && argc == 2)
		return key_create(o, argv[1]);
	if (strcmp(verb, "list") == 0 && argc == 1)
		return run_configured(o, verb, NULL);
	if (strcmp(verb, "dns") == 0 && argc <= 2)
		return run_configured(o, verb, argc == 2 ? argv[1] : NULL);
	if (strcmp(verb, "create") == 0)
		fputs("bulkhead key: create wants one domain\n", stderr);
	else if (strcmp(verb, "list") == 0 || strcmp(verb, "dns") == 0)
		fprintf(
		    stderr, "bulkhead key: too many arguments to %s\n", verb);
	else
		fprintf(stderr,
		    "bulkhead key: \"%s\": create, list or dns is wanted\n",
		    verb);
	return EX_USAGE;
}

int
cmd_key(int argc, char **argv)
{
	struct key_options o = {
		.file = SETTINGS_DEFAULT_FILE,
		.dir = KEY_DEFAULT_DIR,
	};

	if (parse_options(argc, argv, &o) != 0) {
		fputs(usage_text, stderr);
		return EX_USAGE;
	}
	if (o.help) {
		fputs(usage_text, stdout);
		return EX_OK;
	}
	return run(&o, argc - optind, argv + optind);
}
