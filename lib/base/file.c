/*
 * file.c - whole files in and out, bounded and durable.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int
file_read_fd(struct arena *a, int fd, size_t max, struct str *out)
{
	size_t cap = 65536, n = 0;
	char *p = mem_alloc(cap);

	for (;;) {
		ssize_t got = read(fd, p + n, cap - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		n += (size_t)got;
		if (n > max) {
			errno = EFBIG;
			break;
		}
		if (got == 0) {
			arena_on_free(a, free, p);
			*out = str_make(p, n);
			return 0;
		}
		if (n == cap)
			p = mem_realloc(p, cap *= 2);
	}
	free(p);
	return -1;
}

/* flags O_NONBLOCK: a pipe in a file's place must not hang who asks. */
static int
open_no_directory(const char *path, int flags, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags);

	if (fd < 0)
		return -1;
	if (fstat(fd, st) == 0) {
		if (!S_ISDIR(st->st_mode))
			return fd;
		errno = EISDIR;
	}
	close(fd);
	return -1;
}

int
file_read(struct arena *a, const char *path, size_t max, struct str *out)
{
	struct stat st;
	int fd = open_no_directory(path, 0, &st);
	int rc, saved;

	if (fd < 0)
		return -1;
	rc = file_read_fd(a, fd, max, out);
	saved = errno;
	close(fd);
	errno = saved;
	return rc;
}

struct secret {
	char *p;
	size_t n;
};

static void
secret_wipe(void *arg)
{
	struct secret *s = arg;

	OPENSSL_cleanse(s->p, s->n);
}

/* One read into one block, so that no copy of a secret is left behind. */
static int
read_secret_fd(struct arena *a, int fd, size_t max, struct str *out)
{
	struct secret *s = arena_alloc(a, sizeof(*s));
	ssize_t got;

	s->p = arena_alloc(a, max + 1);
	s->n = max + 1;
	arena_on_free(a, secret_wipe, s);
	do
		got = read(fd, s->p, s->n);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -1;
	if ((size_t)got > max) {
		errno = EFBIG;
		return -1;
	}
	*out = str_make(s->p, (size_t)got);
	return 0;
}

int
file_read_secret(struct arena *a, const char *path, size_t max, struct str *out)
{
	struct stat st;
	int fd = open_no_directory(path, O_NONBLOCK, &st);
	int rc = -1, saved;

	if (fd < 0)
		return -1;
	if (!S_ISREG(st.st_mode))
		errno = EINVAL;
	else if ((st.st_mode & 07) != 0)
		errno = EPERM;
	else
		rc = read_secret_fd(a, fd, max, out);
	saved = errno;
	close(fd);
	errno = saved;
	return rc;
}

int
file_write_all(int fd, struct str s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		s = str_sub(s, (size_t)n, s.n);
	}
	return 0;
}

static int
sync_directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash == NULL ? strdup(".") :
	    slash == path ? strdup("/") :
	    strndup(path, (size_t)(slash - path));
	int fd, rc;

	if (dir == NULL)
		return -1;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (fd < 0)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

int
file_create(const char *path, mode_t mode, struct str content)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	int saved;

	if (fd < 0)
		return -1;
	if (fchmod(fd, mode) == 0 && file_write_all(fd, content) == 0 &&
	    fsync(fd) == 0) {
		close(fd);
		return sync_directory_of(path);
	}
	saved = errno;
	close(fd);
	unlink(path);
	errno = saved;
	return -1;
}

int
file_make_dirs(const char *path, mode_t mode)
{
	char *copy = strdup(path);
	int rc = 0;

	if (copy == NULL)
		return -1;
	for (char *p = copy + 1; rc == 0 && *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(copy, mode) != 0 && errno != EEXIST)
			rc = -1;
		*p = '/';
	}
	free(copy);
	return rc;
}
