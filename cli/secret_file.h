/*
 * secret_file.h - where new keys go: directories 0750 and files 0640 of the
 * group that the daemons share.
 */
#ifndef BULKHEAD_CLI_SECRET_FILE_H
#define BULKHEAD_CLI_SECRET_FILE_H

#include "base/str.h"

#define SECRET_GROUP "bulkhead"

/*
 * Creates path, and its missing directories, with the content.  The group is
 * SECRET_GROUP where there is one and we may give it.  0, or -1 with errno;
 * EEXIST when there is something of that name: it is never replaced.
 */
int secret_file_create(const char *path, struct str content);

/* The sysexits code for an errno of that: 77 permission, else 73. */
int secret_file_exit_code(int err);

#endif
