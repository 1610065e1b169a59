/*
 * cmd_status.c - `bulkhead status`: how the daemons of this host are.
 */
#include "cli/cmd.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/daemon.h"
#include "cli/load.h"
#include "config.h"

#define OUTPUT_MAX    (4 * 1024 * 1024)
#define WATCH_SECONDS 2

struct options {
	const char *file;
	bool json, watch, help;
};

static const char usage_text[] =
    "usage: bulkhead status [-c FILE] [--json] [--watch]\n"
    "Tells how bulkhead-milter, -policyd and -trackd of this host are: up or\n"
    "down, the age of their settings, the last error, the store, what they did\n"
    "in the last minute.  Asks at the metrics sockets of the settings.\n"
    "\n"
    "  -c, --config FILE  settings (" SETTINGS_DEFAULT_FILE ")\n"
    "      --json         for machines\n"
    "      --watch        again every two seconds, until it is interrupted\n"
    "Exit: 0 all that could be asked are up and well, 1 not so, 64 usage,\n"
    "78 the settings are wrong.\n";

/* Text of strangers on a terminal: no control characters. */
static void
put_text(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		buf_char(out, c < 0x20 || c == 0x7f ? '?' : s.p[i]);
	}
}

/* "5 s", "12 min", "3 h", "40 d". */
static void
put_span(struct buf *out, int64_t seconds)
{
	if (seconds < 0)
		seconds = 0;
	if (seconds < 120)
		buf_printf(out, "%" PRId64 " s", seconds);
	else if (seconds < 2 * 3600)
		buf_printf(out, "%" PRId64 " min", seconds / 60);
	else if (seconds < 48 * 3600)
		buf_printf(out, "%" PRId64 " h", seconds / 3600);
	else
		buf_printf(out, "%" PRId64 " d", seconds / 86400);
}

static void
put_label(struct buf *out, const char *label)
{
	buf_printf(out, "  %-13s ", label);
}

static void
put_event(struct buf *out, const char *label, const struct daemon *d,
    const struct daemon_event *e)
{
	if (e->time == 0)
		return;
	put_label(out, label);
	put_span(out, d->now - e->time);
	buf_puts(out, " ago");
	if (e->text.n > 0)
		buf_puts(out, ": ");
	put_text(out, e->text);
	buf_char(out, '\n');
}

static void
put_settings(struct buf *out, const struct daemon *d)
{
	put_label(out, "settings");
	put_span(out, d->settings_age);
	buf_puts(out, " old");
	if (d->is_changed_on_disk)
		buf_puts(out, "; the file on disk is another one: reload");
	buf_char(out, '\n');
	if (d->has_reload_failed)
		put_event(out, "reload failed", d, &d->reload);
}

static void
put_store(struct buf *out, const struct daemon *d)
{
	if (d->store.n > 0) {
		put_label(out, "store");
		put_text(out, d->store);
		if (str_eq(d->breaker, STR("open")))
			buf_puts(out, "; not asked for a moment: it answered "
				      "too late");
		buf_char(out, '\n');
	}
	if (d->spool_waiting > 0) {
		put_label(out, "spool");
		buf_printf(out, "%" PRId64 " unsubscriptions wait for the "
		    "store\n", d->spool_waiting);
	}
}

static void
put_policyd(struct buf *out, const struct daemon *d)
{
	struct daemon_event answered = { d->policyd_answered, STR("") };

	if (!d->asks_policyd)
		return;
	if (d->policyd_failed.time > d->policyd_answered)
		put_event(out, "no policyd", d, &d->policyd_failed);
	else if (answered.time != 0)
		put_event(out, "policyd spoke", d, &answered);
}

static void
put_rates(struct buf *out, const struct daemon *d)
{
	put_label(out, d->rate_seconds >= 60 ? "last minute" : "since start");
	if (d->nrates == 0)
		buf_puts(out, "nothing");
	for (size_t i = 0; i < d->nrates; i++) {
		buf_puts(out, i > 0 ? ", " : "");
		put_text(out, d->rates[i].name);
		buf_printf(out, " %.1f/s", d->rates[i].value);
	}
	buf_char(out, '\n');
}

static void
put_daemon(struct buf *out, struct arena *a, const struct daemon *d)
{
	struct str complaint = daemon_complaint(a, d);

	if (d->socket.n == 0) {
		buf_printf(out, "%-17s not asked: set %s { metrics = ... }\n",
		    d->program, d->section);
		return;
	}
	if (!d->is_up) {
		buf_printf(out, "%-17s down: ", d->program);
		put_text(out, d->why);
		buf_char(out, '\n');
		return;
	}
	buf_printf(out, "%-17s up for ", d->program);
	put_span(out, d->now - d->started);
	buf_puts(out, ", version ");
	put_text(out, d->version);
	if (!str_eq(d->version, STR(VERSION)))
		buf_puts(out, " (this command is " VERSION ")");
	buf_printf(out, ", pid %" PRId64, d->pid);
	if (complaint.n > 0) {
		buf_puts(out, ": ");
		put_text(out, complaint);
	}
	buf_char(out, '\n');
	put_settings(out, d);
	put_store(out, d);
	put_policyd(out, d);
	put_event(out, "last error", d, &d->last_error);
	put_event(out, "last warning", d, &d->last_warning);
	put_rates(out, d);
}

static void
put_json(struct buf *out, struct arena *a, const struct daemon *d)
{
	struct str complaint = daemon_complaint(a, d);

	json_key(out, d->section);
	buf_char(out, '{');
	json_key(out, "asked");
	json_bool(out, d->socket.n > 0);
	json_key(out, "up");
	json_bool(out, d->is_up);
	json_key(out, "well");
	json_bool(out, d->is_up && complaint.n == 0);
	json_key(out, "complaint");
	json_string_or_null(out, complaint);
	json_key(out, "status");
	if (d->is_up)
		buf_str(out, d->json);
	else
		buf_puts(out, "null");
	buf_char(out, '}');
}

/* At least one was asked, and nobody complains. */
static bool
are_well(struct arena *a, const struct daemon *list)
{
	bool is_any = false;

	for (size_t i = 0; i < DAEMONS; i++) {
		if (daemon_complaint(a, &list[i]).n > 0)
			return false;
		is_any = is_any || list[i].socket.n > 0;
	}
	return is_any;
}

/* Asks, and tells once; 0, 1, or EX_IOERR. */
static int
tell(const struct options *o, const struct settings *s)
{
	struct arena *a = arena_new();
	struct daemon list[DAEMONS];
	struct buf out;
	bool is_well;
	int rc;

	daemon_list(s, list);
	for (size_t i = 0; i < DAEMONS; i++)
		daemon_ask(a, &list[i]);
	is_well = are_well(a, list);
	buf_init(&out, OUTPUT_MAX);
	if (o->json) {
		buf_char(&out, '{');
		json_key(&out, "well");
		json_bool(&out, is_well);
		json_key(&out, "daemons");
		buf_char(&out, '{');
	} else if (o->watch && isatty(STDOUT_FILENO)) {
		buf_puts(&out, "\033[H\033[J");
	}
	for (size_t i = 0; i < DAEMONS; i++)
		if (o->json)
			put_json(&out, a, &list[i]);
		else
			put_daemon(&out, a, &list[i]);
	if (o->json)
		buf_puts(&out, "}}\n");
	else if (o->watch && !isatty(STDOUT_FILENO))
		buf_char(&out, '\n');
	rc = load_flush(&out, "status");
	arena_free(&a);
	return rc != EX_OK ? rc : is_well ? EX_OK : 1;
}

static int
run(const struct options *o)
{
	struct keyring *k = load_keyring(o->file, 0);
	int rc;

	if (k == NULL)
		return EX_CONFIG;
	while ((rc = tell(o, k->settings)) != EX_IOERR && o->watch)
		sleep(WATCH_SECONDS);
	keyring_free(&k);
	return rc;
}

enum { OPT_JSON = 256, OPT_WATCH };

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "watch", no_argument, NULL, OPT_WATCH },
	{ NULL, 0, NULL, 0 },
};

int
cmd_status(int argc, char **argv)
{
	struct options o = { .file = SETTINGS_DEFAULT_FILE };
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			o.file = optarg;
			break;
		case 'h':
			o.help = true;
			break;
		case OPT_JSON:
			o.json = true;
			break;
		case OPT_WATCH:
			o.watch = true;
			break;
		default:
			fputs(usage_text, stderr);
			return EX_USAGE;
		}
	}
	if (o.help) {
		fputs(usage_text, stdout);
		return EX_OK;
	}
	if (optind < argc) {
		fprintf(stderr, "bulkhead status: unexpected argument \"%s\"\n",
		    argv[optind]);
		return EX_USAGE;
	}
	return run(&o);
}
