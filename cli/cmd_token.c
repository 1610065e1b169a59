/*
 * cmd_token.c - `bulkhead token`: the keys of tokens and return paths, and
 * what a token says.  Keys are made and named here, never shown.
 */
#include "cli/cmd.h"

#include <errno.h>
#include <getopt.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/num.h"
#include "cli/keys_file.h"
#include "cli/load.h"
#include "cli/secret_file.h"
#include "cli/token.h"

#define OUTPUT_MAX    (1024 * 1024)
#define KEYS_FILE_MAX 65536

struct options {
	const char *file, *dir, *token_keys, *return_path_keys;
	const char *timeout;
	struct token_rotate rotate;
	bool json, help;
};

static const char usage_text[] =
    "usage: bulkhead token create [-c FILE] [--dir DIR] [--token-keys PATH]\n"
    "                      [--return-path-keys PATH] [--json]\n"
    "       bulkhead token list [-c FILE] [--json]\n"
    "       bulkhead token rotate [-c FILE] [--return-path] [--name NAME]\n"
    "                      [--promote NAME] [--timeout 30s] [--dry-run] "
    "[--json]\n"
    "       bulkhead token show [-c FILE] [--json] TOKEN|URL|ADDRESS|-\n"
    "create makes the files of keys that the settings name, or those given;\n"
    "list names the keys; show tells what a token says, '-' reads one a line;\n"
    "rotate adds a key, has the daemons load it, then puts it first; cut off, "
    "it\n"
    "goes on when it is run again.  It never removes a key.\n"
    "\n"
    "  -c, --config FILE            settings (" SETTINGS_DEFAULT_FILE ")\n"
    "      --dry-run                say what rotate would do\n"
    "      --dir DIR                make DIR/token.keys and "
    "DIR/return-path.keys\n"
    "      --token-keys PATH        make this file\n"
    "      --return-path-keys PATH  make this file\n"
    "      --json                   for machines, a line for each token\n"
    "      --name NAME              of the new key (this year and a letter)\n"
    "      --promote NAME           every daemon has that key: put it first\n"
    "      --return-path            rotate the keys of return paths\n"
    "      --timeout TIME           for each of two reloads (30s)\n"
    "Exit: 0, 1 not a token of ours, 64 usage, 65 some lines were none,\n"
    "73 cannot create,\n"
    "75 a daemon did not load the keys: go on later, 77 not allowed,\n"
    "78 the settings or keys are wrong.\n";

/* Makes one file; tells what it did.  EX_OK, or an exit code. */
static int
create_file(const char *path, const char *what, const struct options *o)
{
	const struct clock clock = clock_system();
	char line[KEYS_FILE_LINE], now[CLOCK_TEXT];
	int rc;

	clock_rfc3339(clock_seconds(&clock), now);
	now[4] = 'a'; /* "2026a" */
	keys_file_line(str_make(now, 5), line);
	rc = secret_file_create(path, str_from(line));
	OPENSSL_cleanse(line, sizeof(line));
	if (rc != 0) {
		int err = errno;

		if (err == EEXIST)
			fprintf(stderr,
			    "bulkhead token: %s exists: left as "
			    "it is\n",
			    path);
		else
			fprintf(stderr,
			    "bulkhead token: cannot create %s: "
			    "%s\n",
			    path, strerror(err));
		return secret_file_exit_code(err);
	}
	if (!o->json)
		printf("made %s (%s)\n", path, what);
	return EX_OK;
}

/* The paths to make, from the options or else from the settings. */
static int
paths_to_make(const struct options *o, struct arena *a, const char **token,
    const char **return_path)
{
	struct keyring *k;

	*token = o->token_keys;
	*return_path = o->return_path_keys;
	if (o->dir != NULL && *token == NULL)
		*token =
		    arena_cstr(a, arena_printf(a, "%s/token.keys", o->dir));
	if (o->dir != NULL && *return_path == NULL)
		*return_path = arena_cstr(
		    a, arena_printf(a, "%s/return-path.keys", o->dir));
	if (*token != NULL || *return_path != NULL)
		return EX_OK;
	k = load_keyring(o->file, 0);
	if (k == NULL)
		return EX_CONFIG;
	if (k->settings->token_keys.n > 0)
		*token = arena_cstr(a, k->settings->token_keys);
	if (k->settings->return_path_keys.n > 0)
		*return_path = arena_cstr(a, k->settings->return_path_keys);
	keyring_free(&k);
	if (*token != NULL || *return_path != NULL)
		return EX_OK;
	fprintf(stderr,
	    "bulkhead token: %s names neither token-keys nor "
	    "return-path-keys: --dir DIR makes both\n",
	    o->file);
	return EX_CONFIG;
}

static void
write_created(const char *token, const char *return_path)
{
	struct buf out;

	buf_init(&out, OUTPUT_MAX);
	buf_char(&out, '{');
	json_key(&out, "token-keys");
	json_string_or_null(&out, str_from(token));
	json_key(&out, "return-path-keys");
	json_string_or_null(&out, str_from(return_path));
	buf_puts(&out, "}\n");
	load_flush(&out, "token");
}

static int
run_create(const struct options *o)
{
	struct arena *a = arena_new();
	const char *token, *return_path;
	int rc = paths_to_make(o, a, &token, &return_path), rc2 = EX_OK;

	if (rc == EX_OK) {
		if (token != NULL)
			rc = create_file(token, "token-keys", o);
		if (return_path != NULL)
			rc2 = create_file(return_path, "return-path-keys", o);
		if (o->json)
			write_created(rc == EX_OK ? token : NULL,
			    rc2 == EX_OK ? return_path : NULL);
	}
	arena_free(&a);
	return rc != EX_OK ? rc : rc2;
}

struct listing {
	const char *setting, *does; /* what the first key does */
	const char *others;	    /* and the others */
	bool json;
	size_t shown;
	struct buf out;
};

static void
list_key(struct listing *l, const struct token_key *key, bool is_first)
{
	const char *use = is_first ? l->does : l->others;

	if (!l->json) {
		buf_printf(&l->out, "%-16s  %-12.*s  %08x  %s\n", l->setting,
		    STR_ARG(key->name), (unsigned)key->id, use);
		return;
	}
	buf_puts(&l->out, l->shown++ > 0 ? ",\n {" : "{");
	json_key(&l->out, "keys");
	json_string(&l->out, str_from(l->setting));
	json_key(&l->out, "name");
	json_string(&l->out, key->name);
	json_key(&l->out, "id");
	buf_printf(&l->out, "\"%08x\"", (unsigned)key->id);
	json_key(&l->out, "first");
	json_bool(&l->out, is_first);
	json_key(&l->out, "use");
	json_string(&l->out, str_from(use));
	buf_char(&l->out, '}');
}

/* The keyring has checked the file; names are in the file alone. */
static void
list_file(struct listing *l, struct str path)
{
	struct arena *a = arena_new();
	struct token_keys *keys = NULL;
	struct str text, why;

	if (path.n > 0 &&
	    file_read_secret(a, arena_cstr(a, path), KEYS_FILE_MAX, &text) == 0)
		keys = token_keys_parse(a, text, &why);
	for (size_t i = 0; keys != NULL && i < token_keys_count(keys); i++)
		list_key(l, token_keys_at(keys, i), i == 0);
	token_keys_free(&keys);
	arena_free(&a);
}

static int
run_list(const struct options *o)
{
	struct keyring *k =
	    load_keyring(o->file, KEYRING_TOKEN | KEYRING_RETURN_PATH);
	struct listing l = { .json = o->json };

	if (k == NULL)
		return EX_CONFIG;
	buf_init(&l.out, OUTPUT_MAX);
	if (o->json)
		buf_char(&l.out, '[');
	else
		buf_printf(&l.out, "%-16s  %-12s  %-8s  %s\n", "KEYS", "NAME",
		    "ID", "USE");
	l.setting = "token-keys";
	l.does = "encrypts, decrypts";
	l.others = "decrypts";
	list_file(&l, k->settings->token_keys);
	l.setting = "return-path-keys";
	l.does = "signs, verifies";
	l.others = "verifies";
	list_file(&l, k->settings->return_path_keys);
	if (o->json)
		buf_puts(&l.out, "]\n");
	keyring_free(&k);
	return load_flush(&l.out, "token");
}

static int
run_show(const struct options *o, const char *input)
{
	struct keyring *k =
	    load_keyring(o->file, KEYRING_TOKEN | KEYRING_RETURN_PATH);
	int rc = EX_CONFIG;

	if (k != NULL)
		rc = token_show(k, input, o->json);
	keyring_free(&k);
	return rc;
}

static int
run_rotate(const struct options *o)
{
	struct token_rotate r = o->rotate;

	r.file = o->file;
	r.json = o->json;
	if (num_parse_duration(str_from(o->timeout), &r.seconds) != 0 ||
	    r.seconds > 86400) {
		fprintf(stderr, "bulkhead token: --timeout %s: a time such as "
				"30s or 5m is wanted\n", o->timeout);
		return EX_USAGE;
	}
	if (r.name != NULL && r.promote != NULL) {
		fputs("bulkhead token: --name makes a key, --promote takes one "
		      "that is there: one of them\n", stderr);
		return EX_USAGE;
	}
	return token_rotate(&r);
}

enum {
	OPT_DIR = 256,
	OPT_TOKEN,
	OPT_RETURN_PATH,
	OPT_JSON,
	OPT_DRY_RUN,
	OPT_NAME,
	OPT_PROMOTE,
	OPT_IS_RETURN_PATH,
	OPT_TIMEOUT
};

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "dir", required_argument, NULL, OPT_DIR },
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "name", required_argument, NULL, OPT_NAME },
	{ "promote", required_argument, NULL, OPT_PROMOTE },
	{ "return-path", no_argument, NULL, OPT_IS_RETURN_PATH },
	{ "return-path-keys", required_argument, NULL, OPT_RETURN_PATH },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "token-keys", required_argument, NULL, OPT_TOKEN },
	{ NULL, 0, NULL, 0 },
};

static int
parse_rotate(int c, struct options *o)
{
	switch (c) {
	case OPT_DRY_RUN:
		o->rotate.is_dry_run = true;
		return 0;
	case OPT_NAME:
		o->rotate.name = optarg;
		return 0;
	case OPT_PROMOTE:
		o->rotate.promote = optarg;
		return 0;
	case OPT_IS_RETURN_PATH:
		o->rotate.is_return_path = true;
		return 0;
	case OPT_TIMEOUT:
		o->timeout = optarg;
		return 0;
	default:
		return -1;
	}
}

static int
parse_options(int argc, char **argv, struct options *o)
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
		case OPT_TOKEN:
			o->token_keys = optarg;
			break;
		case OPT_RETURN_PATH:
			o->return_path_keys = optarg;
			break;
		case OPT_JSON:
			o->json = true;
			break;
		default:
			if (parse_rotate(c, o) != 0)
				return -1;
		}
	}
	return 0;
}

static int
run(const struct options *o, int argc, char **argv)
{
	const char *verb = argc > 0 ? argv[0] : "";

	if (argc == 0) {
		fputs(usage_text, stderr);
		return EX_USAGE;
	}
	if (strcmp(verb, "create") == 0 && argc == 1)
		return run_create(o);
	if (strcmp(verb, "list") == 0 && argc == 1)
		return run_list(o);
	if (strcmp(verb, "rotate") == 0 && argc == 1)
		return run_rotate(o);
	if (strcmp(verb, "show") == 0 && argc == 2)
		return run_show(o, argv[1]);
	if (strcmp(verb, "show") == 0)
		fputs("bulkhead token: show wants one token, URL or address, "
		      "or '-'\n",
		    stderr);
	else if (strcmp(verb, "create") == 0 || strcmp(verb, "list") == 0 ||
	    strcmp(verb, "rotate") == 0)
		fprintf(
		    stderr, "bulkhead token: too many arguments to %s\n", verb);
	else
		fprintf(stderr,
		    "bulkhead token: \"%s\": create, list, rotate or show "
		    "is wanted\n",
		    verb);
	return EX_USAGE;
}

int
cmd_token(int argc, char **argv)
{
	struct options o = { .file = SETTINGS_DEFAULT_FILE,
		.timeout = "30s" };

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
