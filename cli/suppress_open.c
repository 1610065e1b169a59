/*
 * suppress_open.c - settings, identity and store for `bulkhead suppress`.
 */
#include "cli/suppress.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/load.h"
#include "cli/owner.h"

#define ERRORS_MAX   65536

void
suppress_say(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("bulkhead suppress: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int
suppress_begin(struct suppress_run *r, const struct suppress_options *o)
{
	struct clock clock = clock_system();
	struct keyring *k;

	*r = (struct suppress_run){ .o = o, .arena = arena_new() };
	r->now = clock_seconds(&clock);
	r->actor = owner_actor(r->arena);
	k = load_keyring(o->file, 0);
	if (k == NULL)
		return EX_CONFIG;
	r->settings = settings_ref(k->settings);
	keyring_free(&k);
	return EX_OK;
}

void
suppress_end(struct suppress_run *r)
{
	store_close(&r->store);
	settings_free(&r->settings);
	arena_free(&r->arena);
}

struct str
suppress_directory(const struct suppress_run *r)
{
	struct str store = r->settings->store;

	if (!str_starts(store, STR("sqlite:")))
		return STR("");
	return str_sub(store, strlen("sqlite:"), store.n);
}

int
suppress_open(struct suppress_run *r, enum store_access access)
{
	struct store_spec spec = { .store = r->settings->store,
		.kinds = STORE_SUPPRESS,
		.access = access,
		.clock = clock_system() };
	struct buf errors;
	int rc = EX_OK;

	if (access == STORE_CHANGE)
		rc = owner_prepare(r->arena, r->settings->store, "suppress");
	if (rc == EX_OK)
		rc = owner_become(r->arena, r->settings->store, "suppress");
	if (rc != EX_OK)
		return rc;
	buf_init(&errors, ERRORS_MAX);
	r->store = store_open(&spec, &errors);
	if (r->store == NULL) {
		file_write_all(STDERR_FILENO, buf_view(&errors));
		rc = EX_UNAVAILABLE;
	}
	buf_free(&errors);
	return rc;
}

int
suppress_store_failed(struct suppress_run *r)
{
	suppress_say("%s", store_error(r->store, STORE_SUPPRESS));
	return EX_UNAVAILABLE;
}
