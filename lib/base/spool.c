/*
 * spool.c - pieces in, one slice out: memory first, then an unlinked file.
 */
#include "base/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"

#define FIRST_SIZE 4096

void
spool_begin(struct spool *s, struct budget *budget, struct str directory,
    size_t in_memory, uint64_t max)
{
	*s = (struct spool){ .budget = budget, .directory = directory,
		.in_memory = in_memory, .max = max };
}

static void
free_memory(struct spool *s)
{
	free(s->p);
	budget_give(s->budget, s->cap);
	s->p = NULL;
	s->cap = 0;
}

void
spool_clear(struct spool *s)
{
	if (s->is_mapped)
		munmap(s->p, s->n);
	else if (s->is_file)
		close(s->fd);
	else
		free_memory(s);
	*s = (struct spool){ .result = SPOOL_OK };
}

static enum spool_result
fail(struct spool *s, enum spool_result result)
{
	int error = errno;

	spool_clear(s);
	s->result = result;
	s->error = result == SPOOL_FAILED ? error : 0;
	return result;
}

/* For file systems without O_TMPFILE (NFS, old overlays). */
static int
open_and_unlink(const char *directory)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/bulkhead-XXXXXX", directory);
	int fd;

	if (n < 0 || (size_t)n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(path, O_CLOEXEC); /* 0600 */
	if (fd >= 0)
		unlink(path);
	return fd;
}

static int
open_unnamed(struct str directory)
{
	char path[PATH_MAX];
	int fd;

	if (directory.n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(path, directory.p, directory.n);
	path[directory.n] = '\0';
	fd = open(path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR ||
	    errno == EINVAL))
		fd = open_and_unlink(path);
	return fd;
}

int
spool_check(struct str directory)
{
	int fd = open_unnamed(directory);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

/* What is in memory moves to a new file. */
static int
become_file(struct spool *s)
{
	int fd = open_unnamed(s->directory);

	if (fd < 0)
		return -1;
	if (file_write_all(fd, str_make(s->p, s->n)) != 0) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	free_memory(s);
	s->fd = fd;
	s->is_file = true;
	return 0;
}

/* Makes room for n octets in memory; false when it must be a file. */
static bool
has_room(struct spool *s, size_t n)
{
	size_t want = s->cap > 0 ? s->cap : FIRST_SIZE;

	if (n > s->in_memory)
		return false;
	while (want < n)
		want *= 2;
	if (want > s->in_memory)
		want = s->in_memory;
	if (want <= s->cap)
		return true;
	if (!budget_take(s->budget, want - s->cap))
		return false;
	s->p = mem_realloc(s->p, want);
	s->cap = want;
	return true;
}

enum spool_result
spool_add(struct spool *s, struct str piece)
{
	if (s->result != SPOOL_OK || piece.n == 0)
		return s->result;
	if (piece.n > s->max - s->n || piece.n > SIZE_MAX / 4 - s->n)
		return fail(s, SPOOL_TOO_LONG);
	if (!s->is_file && has_room(s, s->n + piece.n)) {
		memcpy(s->p + s->n, piece.p, piece.n);
	} else {
		if (!s->is_file && become_file(s) != 0)
			return fail(s, SPOOL_FAILED);
		if (file_write_all(s->fd, piece) != 0)
			return fail(s, SPOOL_FAILED);
	}
	s->n += piece.n;
	return SPOOL_OK;
}

/*
 * Nobody else can reach the file, so nobody makes it shorter, and write(2) has
 * found room for every octet: reading the mapping is no SIGBUS short of a
 * broken disk.
 */
static int
map_file(struct spool *s)
{
	void *p = mmap(NULL, s->n, PROT_READ, MAP_PRIVATE, s->fd, 0);

	if (p == MAP_FAILED)
		return -1;
	close(s->fd);
	s->p = p;
	s->is_mapped = true;
	return 0;
}

enum spool_result
spool_view(struct spool *s, struct str *out)
{
	*out = STR("");
	if (s->result == SPOOL_OK && s->is_file && !s->is_mapped &&
	    map_file(s) != 0)
		fail(s, SPOOL_FAILED);
	if (s->result == SPOOL_OK && s->n > 0)
		*out = str_make(s->p, s->n);
	return s->result;
}
