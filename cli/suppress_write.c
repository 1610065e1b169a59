/*
 * suppress_write.c - entries on stdout: a table for people, CSV, JSON lines,
 * or bare addresses.
 */
#include "cli/suppress.h"

#include <errno.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"

#define OUT_MAX	   (1024 * 1024)
#define FLUSH_SIZE 65536

void
suppress_writer_init(struct suppress_writer *w,
    const struct settings *settings, enum suppress_format format)
{
	*w = (struct suppress_writer){ .settings = settings,
		.format = format };
	buf_init(&w->out, OUT_MAX);
	buf_init(&w->last, OUT_MAX);
}

void
suppress_writer_head(struct suppress_writer *w)
{
	if (w->format == FORMAT_CSV)
		buf_printf(&w->out, "address,scope,reason,created,expires,"
			"source,evidence%s\n",
		    w->with_change ? ",change" : "");
	else if (w->format == FORMAT_TABLE)
		buf_printf(&w->out, "%-32s  %-20s  %-12s  %-10s  %-10s  %-8s  "
			"%s\n",
		    "ADDRESS", "SCOPE", "REASON", "CREATED", "EXPIRES",
		    "SOURCE", "EVIDENCE");
}

void
suppress_write_csv_field(struct buf *out, struct str text)
{
	bool must = text.n > 0 &&
	    (str_is_space(text.p[0]) || str_is_space(text.p[text.n - 1]));

	for (size_t i = 0; i < text.n && !must; i++)
		must = memchr(",;\"\t\r\n", text.p[i], 6) != NULL;
	if (!must) {
		buf_str(out, text);
		return;
	}
	buf_char(out, '"');
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"')
			buf_char(out, '"');
		buf_char(out, text.p[i]);
	}
	buf_char(out, '"');
}

static struct str
time_text(int64_t seconds, char room[CLOCK_TEXT])
{
	if (seconds == 0)
		return STR("");
	clock_rfc3339(seconds, room);
	return str_from(room);
}

void
suppress_write_json_time(struct buf *out, int64_t seconds)
{
	char room[CLOCK_TEXT];

	json_string_or_null(out, time_text(seconds, room));
}

static void
write_scope_json(struct buf *out, const struct settings *s,
    const struct suppress_scope *scope)
{
	struct buf text;

	buf_init(&text, OUT_MAX);
	suppress_scope_write(&text, s, scope);
	json_string(out, buf_view(&text));
	buf_free(&text);
}

void
suppress_write_json(struct buf *out, const struct settings *s,
    const struct suppress_entry *e)
{
	json_key(out, "address");
	json_string(out, e->address);
	json_key(out, "scope");
	write_scope_json(out, s, &e->scope);
	json_key(out, "reason");
	json_string(out, str_from(suppress_reason_name(e->reason)));
	json_key(out, "created");
	suppress_write_json_time(out, e->created);
	json_key(out, "expires");
	suppress_write_json_time(out, e->expires);
	json_key(out, "source");
	json_string_or_null(out, e->source);
	json_key(out, "evidence");
	json_string_or_null(out, e->evidence);
	json_key(out, "import");
	if (e->import != 0)
		json_number(out, (int64_t)e->import);
	else
		buf_puts(out, "null");
}

static void
write_csv(struct suppress_writer *w, const struct suppress_entry *e,
    const char *change)
{
	char room[CLOCK_TEXT];
	struct buf scope;

	buf_init(&scope, OUT_MAX);
	suppress_scope_write(&scope, w->settings, &e->scope);
	suppress_write_csv_field(&w->out, e->address);
	buf_char(&w->out, ',');
	suppress_write_csv_field(&w->out, buf_view(&scope));
	buf_printf(&w->out, ",%s,", suppress_reason_name(e->reason));
	buf_str(&w->out, time_text(e->created, room));
	buf_char(&w->out, ',');
	buf_str(&w->out, time_text(e->expires, room));
	buf_char(&w->out, ',');
	suppress_write_csv_field(&w->out, e->source);
	buf_char(&w->out, ',');
	suppress_write_csv_field(&w->out, e->evidence);
	if (w->with_change)
		buf_printf(&w->out, ",%s", change);
	buf_char(&w->out, '\n');
	buf_free(&scope);
}

static void
write_table(struct suppress_writer *w, const struct suppress_entry *e)
{
	char created[CLOCK_TEXT], expires[CLOCK_TEXT];
	struct buf scope;

	buf_init(&scope, OUT_MAX);
	suppress_scope_write(&scope, w->settings, &e->scope);
	buf_printf(&w->out,
	    "%-32.*s  %-20.*s  %-12s  %-10.*s  %-10.*s  %-8.*s  %.*s\n",
	    STR_ARG(e->address), STR_ARG(buf_view(&scope)),
	    suppress_reason_name(e->reason),
	    STR_ARG(str_sub(time_text(e->created, created), 0, 10)),
	    STR_ARG(e->expires == 0
		    ? STR("never")
		    : str_sub(time_text(e->expires, expires), 0, 10)),
	    STR_ARG(e->source), STR_ARG(e->evidence));
	buf_free(&scope);
}

static void
write_txt(struct suppress_writer *w, const struct suppress_entry *e)
{
	if (str_eq(buf_view(&w->last), e->address))
		return;
	buf_clear(&w->last);
	buf_str(&w->last, e->address);
	buf_str(&w->out, e->address);
	buf_char(&w->out, '\n');
}

static bool
flush(struct suppress_writer *w)
{
	w->failed = w->failed || w->out.failed ||
	    file_write_all(STDOUT_FILENO, buf_view(&w->out)) != 0;
	buf_clear(&w->out);
	return !w->failed;
}

static void
write_asked(struct suppress_writer *w, bool is_listed)
{
	if (w->asked.n == 0)
		return;
	json_key(&w->out, "asked");
	json_string(&w->out, w->asked);
	json_key(&w->out, "listed");
	json_bool(&w->out, is_listed);
}

void
suppress_write_absent(struct suppress_writer *w)
{
	if (w->format != FORMAT_JSON)
		return;
	buf_char(&w->out, '{');
	write_asked(w, false);
	buf_puts(&w->out, "}\n");
}

bool
suppress_write_entry(struct suppress_writer *w, const struct suppress_entry *e,
    const char *change)
{
	switch (w->format) {
	case FORMAT_CSV:
		write_csv(w, e, change);
		break;
	case FORMAT_JSON:
		buf_char(&w->out, '{');
		write_asked(w, true);
		suppress_write_json(&w->out, w->settings, e);
		if (w->with_change) {
			json_key(&w->out, "change");
			json_string(&w->out, str_from(change));
		}
		buf_puts(&w->out, "}\n");
		break;
	case FORMAT_TXT:
		write_txt(w, e);
		break;
	case FORMAT_TABLE:
		write_table(w, e);
		break;
	}
	w->count++;
	return w->out.n < FLUSH_SIZE || flush(w);
}

int
suppress_writer_end(struct suppress_writer *w)
{
	int rc = EX_OK;

	errno = 0;
	if (!flush(w)) {
		suppress_say("cannot write: %s", strerror(errno));
		rc = EX_IOERR;
	}
	buf_free(&w->out);
	buf_free(&w->last);
	return rc;
}
