/*
 * cmd_config.c - `bulkhead config check` and `show`: is the settings file
 * right, and what does it come to.  Changes nothing.
 */
#include "cli/cmd.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/num.h"
#include "bulkhead/keyring.h"
#include "bulkhead/settings.h"
#include "cli/load.h"

#define MESSAGES_MAX (1024 * 1024)
#define OUTPUT_MAX   (64 * 1024 * 1024)

struct options {
	const char *file;
	bool json, no_keys, help;
};

static const char usage_text[] =
    "usage: bulkhead config check [-c FILE] [--no-keys] [--json]\n"
    "       bulkhead config show [-c FILE] [--json]\n"
    "check says what is wrong with the settings, all of it at once; show\n"
    "writes the settings in force, defaults included.\n\n"
    "  -c, --config FILE  settings (" SETTINGS_DEFAULT_FILE ")\n"
    "      --no-keys      check: do not open the files with keys\n"
    "      --json         for machines\n"
    "Exit: 0, 64 usage, 78 there are errors.\n";

/* -1: a usage error, which getopt has printed. */
static int
parse_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "no-keys", no_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->file = optarg;
			break;
		case 'j':
			o->json = true;
			break;
		case 'n':
			o->no_keys = true;
			break;
		case 'h':
			o->help = true;
			break;
		default:
			return -1;
		}
	}
	return 0;
}

/* "FILE:LINE: [warning: ]text" taken apart; FILE may hold colons. */
struct message {
	struct str file, text;
	uint64_t line;
	bool is_warning;
};

static struct message
split_message(struct str s)
{
	struct message m = { .text = s };
	size_t at = 0, from, blank = str_find(s, STR(": "), 0);

	while ((at = str_chr(s, ':', at)) < blank) {
		from = ++at;
		while (at < blank && str_is_digit(s.p[at]))
			at++;
		if (at == blank && num_parse(str_sub(s, from, at), UINT32_MAX,
		    &m.line) == 0)
			m.file = str_sub(s, 0, from - 1);
	}
	if (m.file.n == 0)
		m.file = str_sub(s, 0, blank);
	m.text = str_sub(s, blank + 2, s.n);
	m.is_warning = str_starts(m.text, STR("warning: "));
	if (m.is_warning)
		m.text = str_sub(m.text, 9, m.text.n);
	return m;
}

static void
write_message(struct buf *out, const struct message *m)
{
	buf_char(out, '{');
	json_key(out, "file");
	json_string(out, m->file);
	json_key(out, "line");
	if (m->line != 0)
		json_number(out, (int64_t)m->line);
	else
		buf_puts(out, "null");
	json_key(out, "severity");
	json_string(out, m->is_warning ? STR("warning") : STR("error"));
	json_key(out, "text");
	json_string(out, m->text);
	buf_char(out, '}');
}

static void
write_json(struct buf *out, const char *file, bool ok, struct str messages)
{
	size_t at = 0;

	buf_char(out, '{');
	json_key(out, "file");
	json_string(out, str_from(file));
	json_key(out, "ok");
	json_bool(out, ok);
	json_key(out, "messages");
	buf_char(out, '[');
	while (at < messages.n) {
		size_t end = str_chr(messages, '\n', at);
		struct message m = split_message(str_sub(messages, at, end));

		if (at != 0)
			buf_puts(out, ", ");
		write_message(out, &m);
		at = end + 1;
	}
	buf_puts(out, "]}\n");
}

/* The settings and, unless told otherwise, their keys; NULL on any error. */
static struct settings *
load(const struct options *o, struct buf *messages)
{
	struct settings *s = settings_load(o->file, messages);
	struct keyring *keys;

	if (s == NULL || o->no_keys)
		return s;
	keys = keyring_load(s,
	    KEYRING_DKIM | KEYRING_TOKEN | KEYRING_RETURN_PATH, messages);
	if (keys == NULL)
		settings_free(&s);
	keyring_free(&keys);
	return s;
}

static int
check(const struct options *o)
{
	struct buf messages, out;
	struct settings *s;
	int rc;

	buf_init(&messages, MESSAGES_MAX);
	buf_init(&out, OUTPUT_MAX);
	s = load(o, &messages);
	if (o->json)
		write_json(&out, o->file, s != NULL, buf_view(&messages));
	else if (s != NULL)
		buf_printf(&out, "%s: ok (%zu domains, %zu streams, %zu "
		    "limits)\n", o->file, s->ndomains, s->nstreams,
		    s->nlimits);
	if (s != NULL && s->ndomains == 0 && !o->json)
		fprintf(stderr, "%s: warning: no domain section: nothing will "
				"be signed\n", o->file);
	if (!o->json)
		file_write_all(STDERR_FILENO, buf_view(&messages));
	rc = load_flush(&out, "config");
	if (s == NULL)
		rc = EX_CONFIG;
	settings_free(&s);
	buf_free(&messages);
	return rc;
}

static int
show(const struct options *o)
{
	struct buf messages, out;
	struct settings *s;
	int rc = EX_CONFIG;

	buf_init(&messages, MESSAGES_MAX);
	buf_init(&out, OUTPUT_MAX);
	s = settings_load(o->file, &messages);
	if (s == NULL) {
		file_write_all(STDERR_FILENO, buf_view(&messages));
	} else {
		if (o->json)
			settings_write_json(s, &out);
		else
			settings_write(s, &out);
		rc = load_flush(&out, "config");
	}
	settings_free(&s);
	buf_free(&messages);
	return rc;
}

/* What is wrong with the words behind the options. */
static int
refuse(int argc, char **argv)
{
	const char *verb = argc > 0 ? argv[0] : NULL;

	if (verb == NULL)
		fputs("bulkhead config: check or show is wanted\n", stderr);
	else if (strcmp(verb, "check") != 0 && strcmp(verb, "show") != 0)
		fprintf(stderr, "bulkhead config: \"%s\": check or show is "
				"wanted\n", verb);
	else if (argc > 1)
		fprintf(stderr, "bulkhead config: \"%s\" is too much: "
				"-c FILE names the settings\n", argv[1]);
	else
		fputs("bulkhead config: --no-keys goes with check\n", stderr);
	return EX_USAGE;
}

int
cmd_config(int argc, char **argv)
{
	struct options o = { .file = SETTINGS_DEFAULT_FILE };

	if (parse_options(argc, argv, &o) == 0) {
		const char *verb = argc - optind == 1 ? argv[optind] : "";

		if (o.help) {
			fputs(usage_text, stdout);
			return EX_OK;
		}
		if (strcmp(verb, "check") == 0)
			return check(&o);
		if (strcmp(verb, "show") == 0 && !o.no_keys)
			return show(&o);
		return refuse(argc - optind, argv + optind);
	}
	fputs(usage_text, stderr);
	return EX_USAGE;
}
