/*
 * owner.c - who runs the command, and as whom it touches the store.
 */
#include "cli/owner.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define SERVICE_USER "bulkhead"

struct str
owner_actor(struct arena *a)
{
	const char *name = getuid() == 0 ? getenv("SUDO_USER") : NULL;
	const struct passwd *pw = NULL;
	char *copy;

	if (name == NULL || *name == '\0')
		pw = getpwuid(getuid());
	if (pw != NULL)
		name = pw->pw_name;
	if (name == NULL || *name == '\0')
		return arena_printf(a, "uid-%lu", (unsigned long)getuid());
	copy = arena_cstr(a, str_sub(str_from(name), 0, 64));
	for (char *p = copy; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~')
			*p = '?';
	return str_from(copy);
}

int
owner_prepare(struct arena *a, struct str store, const char *verb)
{
	const struct passwd *pw = getpwnam(SERVICE_USER);
	const char *dir = arena_cstr(a, str_sub(store, 7, store.n));
	struct stat st;

	if (geteuid() != 0 || !str_starts(store, STR("sqlite:")) ||
	    pw == NULL || stat(dir, &st) == 0)
		return EX_OK;
	if (mkdir(dir, 0750) == 0 && chown(dir, pw->pw_uid, pw->pw_gid) == 0)
		return EX_OK;
	fprintf(stderr, "bulkhead %s: cannot make %s: %s\n", verb, dir,
	    strerror(errno));
	return EX_CANTCREAT;
}

static int
become(const struct stat *st)
{
	const struct passwd *pw = getpwuid(st->st_uid);
	int rc = pw != NULL ? initgroups(pw->pw_name, st->st_gid) :
	    setgroups(0, NULL);

	if (rc != 0 || setgid(st->st_gid) != 0)
		return -1;
	return setuid(st->st_uid);
}

int
owner_become(struct arena *a, struct str store, const char *verb)
{
	struct stat st;

	if (geteuid() != 0 || !str_starts(store, STR("sqlite:")) ||
	    stat(arena_cstr(a, str_sub(store, 7, store.n)), &st) != 0 ||
	    st.st_uid == 0 || become(&st) == 0)
		return EX_OK;
	fprintf(stderr, "bulkhead %s: cannot take the identity of the store's "
	    "owner: %s\n", verb, strerror(errno));
	return EX_OSERR;
}
