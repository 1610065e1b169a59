/*
 * file.h - whole files in and out, bounded and durable.
 */
#ifndef BULKHEAD_BASE_FILE_H
#define BULKHEAD_BASE_FILE_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/str.h"

/*
 * Reads all of a regular file, or of a descriptor up to its end, into the
 * arena.  0, or -1 with errno: EFBIG when it is longer than max, EISDIR, or
 * what open(2) and read(2) say.
 */
int file_read(struct arena *a, const char *path, size_t max, struct str *out);
int file_read_fd(struct arena *a, int fd, size_t max, struct str *out);

/*
 * As file_read() for a file with a secret in it: refuses one that others than
 * owner and group can read or write (errno EPERM) and what is no regular file
 * (EINVAL).  The buffer is wiped when
 * the arena is freed.
 */
int file_read_secret(struct arena *a, const char *path, size_t max,
    struct str *out);

/*
 * Creates path with the mode given and the content, both synced to disk with
 * its directory before it returns.  0, or -1 with errno; EEXIST when there is
 * something of that name: it is never replaced.
 */
int file_create(const char *path, mode_t mode, struct str content);

/* Creates the missing directories of path, with the mode given. */
int file_make_dirs(const char *path, mode_t mode);

/* Writes all of s to fd; 0, or -1 with errno. */
int file_write_all(int fd, struct str s);

#endif
