/*
 * wish_spool_read.c - reads the files of the wish spool, oldest first, and
 * removes those that are in the store.
 */
#include "trackd/wish_spool_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "trackd/wish_record.h"

#define CHUNK (8 * WISH_RECORD_MAX)

static void
note_damage(const struct wish_spool *s, struct wish_file *f, off_t at)
{
	if (!f->is_damaged)
		log_error("%s/%s: the line at octet %lld is damaged; the file "
		    "will be kept as %s.damaged", s->directory, f->name,
		    (long long)at, f->name);
	f->is_damaged = true;
}

/* True: all of the chunk that can be used was used, or max was reached. */
static size_t
read_lines(struct wish_spool *s, struct wish_file *f, struct arena *a,
    struct str chunk, struct suppress_entry *v, size_t max)
{
	size_t n = 0, at = 0;

	while (n < max && at < chunk.n) {
		size_t end = str_chr(chunk, '\n', at);

		if (end == chunk.n)
			break;
		if (wish_record_read(a, str_sub(chunk, at, end), &v[n]) == 0)
			n++;
		else
			note_damage(s, f, f->reading + (off_t)at);
		at = end + 1;
	}
	/* no record is as long: what follows cannot be read */
	if (at == 0 && chunk.n == CHUNK) {
		note_damage(s, f, f->reading);
		at = chunk.n;
	}
	f->reading += (off_t)at;
	return n;
}

/*
 * From the first file; *is_over: there is nothing behind, but perhaps a line
 * without end, which was never acknowledged.  -1: cannot be read now.
 */
static int
read_file(struct wish_spool *s, struct wish_file *f, struct arena *a,
    struct suppress_entry *v, size_t max, size_t *n)
{
	int fd = open(wish_path(s, a, f->name), O_RDONLY | O_CLOEXEC);
	char *chunk;
	ssize_t got;

	*n = 0;
	if (fd < 0)
		return -1;
	chunk = arena_bytes(a, CHUNK);
	f->reading = f->done;
	do {
		off_t before = f->reading;

		got = pread(fd, chunk, CHUNK, f->reading);
		if (got > 0)
			*n = read_lines(s, f, a, str_make(chunk, (size_t)got),
			    v, max);
		if (f->reading == before)
			break;
	} while (*n == 0);
	close(fd);
	return got < 0 ? -1 : 0;
}

static bool
has_directory(const struct wish_spool *s)
{
	struct stat st;

	return stat(s->directory, &st) == 0;
}

static void
forget_first(struct wish_spool *s)
{
	if (s->n == 1 && s->active >= 0) {
		close(s->active);
		s->active = -1;
	}
	wish_drop_file(s, 0);
}

/* Removes the first file, or puts it aside.  False: not now. */
static bool
finish_first(struct wish_spool *s, struct arena *a)
{
	const struct wish_file *f = &s->v[0];
	const char *path = wish_path(s, a, f->name);
	int rc;

	if (f->is_damaged)
		rc = rename(path, arena_cstr(a,
		    arena_printf(a, "%s.damaged", path)));
	else
		rc = unlink(path);
	if (rc != 0 || wish_sync_directory(s) != 0)
		return false;
	log_info("%s/%s: %s is in the store now (%llu lines)", s->directory,
	    f->name, f->is_damaged ? "what can be read of it" : "all of it",
	    (unsigned long long)f->n);
	forget_first(s);
	return true;
}

size_t
wish_spool_next(struct wish_spool *s, struct arena *a,
    struct suppress_entry *v, size_t max)
{
	size_t n = 0;

	while (n == 0 && s->n > 0 && s->lock >= 0) {
		struct wish_file *f = &s->v[0];

		if (read_file(s, f, a, v, max, &n) != 0) {
			if (errno != ENOENT || !has_directory(s))
				return 0;
			log_error("%s/%s is gone, and %llu unsubscriptions "
			    "with it", s->directory, f->name,
			    (unsigned long long)f->n);
			forget_first(s);
		} else if (n == 0 && !finish_first(s, a)) {
			return 0;
		}
	}
	return n;
}

void
wish_spool_done(struct wish_spool *s)
{
	if (s->n > 0)
		s->v[0].done = s->v[0].reading;
}

void
wish_spool_refused(struct wish_spool *s)
{
	if (s->n == 0)
		return;
	log_error("%s/%s: an unsubscription in it is none that the store can "
	    "take; the file will be kept as %s.damaged", s->directory,
	    s->v[0].name, s->v[0].name);
	s->v[0].is_damaged = true;
}
