/*
 * service_status.c - what a daemon tells of itself besides its counters.
 */
#include "bulkhead/service_status.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"

static int64_t
now(void)
{
	const struct clock c = clock_system();

	return clock_seconds(&c);
}

void
service_status_init(struct service_status *t, const char *file)
{
	*t = (struct service_status){ .file = file, .started = now() };
	pthread_mutex_init(&t->lock, NULL);
}

void
service_status_free(struct service_status *t)
{
	exporter_stop(&t->exporter);
	free(t->socket);
	t->socket = NULL;
	pthread_mutex_destroy(&t->lock);
}

struct timespec
service_status_look(const struct service_status *t)
{
	struct stat st;

	return stat(t->file, &st) == 0 ? st.st_mtim : (struct timespec){ 0, 0 };
}

void
service_status_loaded(struct service_status *t, struct timespec changed,
    bool is_reload)
{
	pthread_mutex_lock(&t->lock);
	t->loaded = now();
	t->changed = changed;
	t->has_failed = false;
	if (is_reload)
		t->tried = t->loaded;
	pthread_mutex_unlock(&t->lock);
}

/* The first line that is no warning. */
static struct str
first_error(struct str lines)
{
	struct str mark = STR(": warning: ");
	size_t at = 0;

	while (at < lines.n) {
		size_t end = str_chr(lines, '\n', at);
		struct str line = str_sub(lines, at, end);

		if (str_find(line, mark, 0) == line.n)
			return line;
		at = end + 1;
	}
	return STR("");
}

void
service_status_failed(struct service_status *t, struct str lines)
{
	struct str line = str_sub(first_error(lines), 0, SERVICE_ERROR_MAX - 1);

	pthread_mutex_lock(&t->lock);
	t->tried = now();
	t->has_failed = true;
	if (line.n > 0)
		memcpy(t->error, line.p, line.n);
	t->error[line.n] = '\0';
	pthread_mutex_unlock(&t->lock);
}

int64_t
service_status_age(struct service_status *t)
{
	int64_t loaded;

	pthread_mutex_lock(&t->lock);
	loaded = t->loaded;
	pthread_mutex_unlock(&t->lock);
	return loaded;
}

void
service_status_follow(struct service_status *t,
    const struct exporter_spec *spec, struct str socket)
{
	if (t->socket != NULL && str_eq(str_from(t->socket), socket))
		return;
	exporter_stop(&t->exporter);
	free(t->socket);
	t->socket = socket.n > 0 ? strndup(socket.p, socket.n) : NULL;
	if (t->socket != NULL)
		t->exporter = exporter_start(spec, t->socket);
}

static bool
is_newer_on_disk(const struct service_status *t)
{
	struct timespec at = service_status_look(t);

	return (at.tv_sec != 0 || at.tv_nsec != 0) &&
	    (at.tv_sec != t->changed.tv_sec ||
		at.tv_nsec != t->changed.tv_nsec);
}

static void
write_settings(const struct service_status *t, struct buf *out)
{
	json_key(out, "settings");
	buf_char(out, '{');
	json_key(out, "file");
	json_string(out, str_from(t->file));
	json_key(out, "loaded");
	json_number(out, t->loaded);
	json_key(out, "age");
	json_number(out, now() - t->loaded);
	json_key(out, "changed_on_disk");
	json_bool(out, is_newer_on_disk(t));
	json_key(out, "last_reload");
	if (t->tried == 0) {
		buf_puts(out, "null}");
		return;
	}
	buf_char(out, '{');
	json_key(out, "result");
	json_string(out, t->has_failed ? STR("failed") : STR("ok"));
	json_key(out, "time");
	json_number(out, t->tried);
	json_key(out, "error");
	json_string_or_null(out, t->has_failed ? str_from(t->error) : STR(""));
	buf_puts(out, "}}");
}

/* null: this daemon does not load them. */
static void
write_keys(struct buf *out, const char *key, bool is_loaded, size_t n,
    struct str (*name)(const struct keyring *k, size_t i),
    const struct keyring *k)
{
	json_key(out, key);
	if (!is_loaded) {
		buf_puts(out, "null");
		return;
	}
	buf_char(out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_puts(out, ", ");
		json_string(out, name(k, i));
	}
	buf_char(out, ']');
}

static struct str
token_name(const struct keyring *k, size_t i)
{
	return token_keys_at(k->tokens, i)->name;
}

static struct str
return_path_name(const struct keyring *k, size_t i)
{
	return k->returnpath_names[i];
}

void
service_status_write(struct service_status *t, const struct keyring *k,
    unsigned keys, struct buf *out)
{
	pthread_mutex_lock(&t->lock);
	write_settings(t, out);
	pthread_mutex_unlock(&t->lock);
	json_key(out, "mode");
	json_string(out, k->settings->milter.mode == MODE_OBSERVE ?
	    STR("observe") : STR("act"));
	write_keys(out, "token_keys", (keys & KEYRING_TOKEN) != 0,
	    k->tokens != NULL ? token_keys_count(k->tokens) : 0, token_name, k);
	write_keys(out, "return_path_keys", (keys & KEYRING_RETURN_PATH) != 0,
	    k->nreturnpath, return_path_name, k);
}
