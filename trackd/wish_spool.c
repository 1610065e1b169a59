/*
 * wish_spool.c - the directory of the wish spool, its lock, and its files as
 * they are found; reading them is in wish_spool_read.c, writing in
 * wish_spool_write.c.
 */
#include "trackd/wish_spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "trackd/wish_spool_private.h"

#define LOCK_NAME "lock"

const char *
wish_path(const struct wish_spool *s, struct arena *a, const char *name)
{
	return arena_cstr(a, arena_printf(a, "%s/%s", s->directory, name));
}

int
wish_sync_directory(const struct wish_spool *s)
{
	int fd = open(s->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

struct wish_file *
wish_add_file(struct wish_spool *s, const char *name)
{
	struct str from = str_from(name);
	struct wish_file *f;

	if (s->n == s->cap) {
		s->cap = s->cap > 0 ? s->cap * 2 : 16;
		s->v = mem_realloc(s->v, s->cap * sizeof(*s->v));
	}
	f = &s->v[s->n++];
	*f = (struct wish_file){ .n = 0 };
	memcpy(f->name, from.p, from.n + 1);
	return f;
}

void
wish_drop_file(struct wish_spool *s, size_t i)
{
	atomic_fetch_sub(&s->waiting, s->v[i].n);
	s->n--;
	memmove(&s->v[i], &s->v[i + 1], (s->n - i) * sizeof(*s->v));
}

void
wish_seal(struct wish_spool *s)
{
	if (s->active < 0)
		return;
	close(s->active);
	s->active = -1;
	/* who holds the lock reads it */
	if (s->lock < 0)
		wish_drop_file(s, s->n - 1);
}

static bool
is_known(const struct wish_spool *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->v[i].name, name) == 0)
			return true;
	return false;
}

static int
is_ours(const struct dirent *d)
{
	struct str name = str_from(d->d_name);

	return name.n < WISH_NAME_MAX && name.p[0] != '.' &&
	    str_iends(name, STR(WISH_SUFFIX));
}

static uint64_t
count_lines(int fd)
{
	char chunk[65536];
	uint64_t n = 0;
	off_t at = 0;
	ssize_t got;

	while ((got = pread(fd, chunk, sizeof(chunk), at)) > 0) {
		for (ssize_t i = 0; i < got; i++)
			n += chunk[i] == '\n';
		at += got;
	}
	return n;
}

/* A file that nobody writes to any more; the active one stays the last. */
static void
take_file(struct wish_spool *s, const char *name)
{
	struct arena *a = arena_new();
	int fd = open(wish_path(s, a, name), O_RDONLY | O_CLOEXEC);
	struct wish_file f;

	arena_free(&a);
	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		wish_add_file(s, name)->n = count_lines(fd);
		f = s->v[s->n - 1];
		atomic_fetch_add(&s->waiting, f.n);
		if (s->active >= 0) {
			s->v[s->n - 1] = s->v[s->n - 2];
			s->v[s->n - 2] = f;
		}
	}
	close(fd);
}

/* Their names order them by age. */
static void
take_files(struct wish_spool *s)
{
	struct dirent **names;
	int n = scandir(s->directory, &names, is_ours, alphasort);

	for (int i = 0; i < n; i++) {
		if (!is_known(s, names[i]->d_name))
			take_file(s, names[i]->d_name);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

static void
take_lock(struct wish_spool *s)
{
	struct arena *a = arena_new();
	int fd = open(wish_path(s, a, LOCK_NAME),
	    O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	arena_free(&a);
	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		s->lock = fd;
		if (s->is_second)
			log_info("%s: the other process is gone; this one "
			    "brings what is in it to the store", s->directory);
		s->is_second = false;
		return;
	}
	if (errno == EWOULDBLOCK && !s->is_second) {
		s->is_second = true;
		log_warning("%s: another process has this spool: it brings "
		    "what both write to the store", s->directory);
	}
	close(fd);
}

void
wish_spool_look(struct wish_spool *s, bool is_up)
{
	if (s->lock < 0)
		take_lock(s);
	if (s->lock >= 0)
		take_files(s);
	else if (is_up)
		wish_seal(s);
}

struct wish_spool *
wish_spool_open(struct str directory)
{
	struct wish_spool *s = mem_alloc(sizeof(*s));
	struct stat st;

	*s = (struct wish_spool){ .arena = arena_new(), .lock = -1,
		.active = -1 };
	s->directory = arena_cstr(s->arena, directory);
	errno = 0;
	if (stat(s->directory, &st) != 0 || !S_ISDIR(st.st_mode)) {
		log_error("trackd's spool %s: %s", s->directory,
		    errno != 0 ? strerror(errno) : "no directory");
		wish_spool_close(&s);
		return NULL;
	}
	wish_spool_look(s, false);
	if (atomic_load(&s->waiting) > 0)
		log_info("%s: %llu unsubscriptions wait for the store",
		    s->directory,
		    (unsigned long long)atomic_load(&s->waiting));
	return s;
}

void
wish_spool_close(struct wish_spool **s)
{
	struct wish_spool *old = *s;

	*s = NULL;
	if (old == NULL)
		return;
	if (old->active >= 0)
		close(old->active);
	if (old->lock >= 0)
		close(old->lock);
	free(old->v);
	arena_free(&old->arena);
	free(old);
}

uint64_t
wish_spool_waiting(const struct wish_spool *s)
{
	return atomic_load(&s->waiting);
}
