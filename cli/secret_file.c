/*
 * secret_file.c - new keys, their modes and their group.
 */
#include "cli/secret_file.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"

#define NO_GROUP ((gid_t)-1)

static gid_t
secret_group(void)
{
	struct group *gr = getgrnam(SECRET_GROUP);

	return gr != NULL ? gr->gr_gid : NO_GROUP;
}

/* Only root may give a file to any group: for others it stays as it is. */
static int
give(const char *path, gid_t gid)
{
	if (gid == NO_GROUP || chown(path, (uid_t)-1, gid) == 0 ||
	    geteuid() != 0)
		return 0;
	return -1;
}

/* Directories that exist are not ours to change. */
static int
make_dirs(const char *path, gid_t gid)
{
	char *copy = strdup(path);
	int rc = copy != NULL ? 0 : -1;

	for (char *p = copy + 1; rc == 0 && *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(copy, 0750) == 0)
			rc = chmod(copy, 0750) != 0 ? -1 : give(copy, gid);
		else if (errno != EEXIST)
			rc = -1;
		*p = '/';
	}
	free(copy);
	return rc;
}

int
secret_file_create(const char *path, struct str content)
{
	gid_t gid = secret_group();
	int saved;

	if (path[0] == '\0') {
		errno = ENOENT;
		return -1;
	}
	if (make_dirs(path, gid) != 0 || file_create(path, 0640, content) != 0)
		return -1;
	if (give(path, gid) == 0)
		return 0;
	saved = errno;
	unlink(path);
	errno = saved;
	return -1;
}

int
secret_file_exit_code(int err)
{
	return err == EACCES || err == EPERM ? EX_NOPERM : EX_CANTCREAT;
}
