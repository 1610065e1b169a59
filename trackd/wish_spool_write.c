/*
 * wish_spool_write.c - adds to the active file of the wish spool.
 */
#include "trackd/wish_spool_private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "trackd/wish_record.h"

/*
 * The file gets its name when it is locked: under that name nobody ever finds
 * it without its writer's lock while there is one.
 */
static int
create_file(struct wish_spool *s, struct arena *a, const char *name)
{
	const char *path = wish_path(s, a, name);
	const char *early = wish_path(s, a, arena_cstr(a,
	    arena_printf(a, ".%s", name)));
	int fd = open(early, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && rename(early, path) == 0) {
		if (wish_sync_directory(s) == 0)
			return fd;
		unlink(path);
	} else {
		unlink(early);
	}
	close(fd);
	return -1;
}

/* "unsubscribed-00001796112000000000-4711-1.wishes": names sort by age. */
static int
open_active(struct wish_spool *s)
{
	struct arena *a = arena_new();
	struct clock clock = clock_system();
	char name[WISH_NAME_MAX];

	snprintf(name, sizeof(name), "unsubscribed-%020" PRId64 "-%ld-%u"
	    WISH_SUFFIX, clock_micros(&clock), (long)getpid(), ++s->nmade);
	s->active = create_file(s, a, name);
	s->active_size = 0;
	if (s->active >= 0)
		wish_add_file(s, name);
	arena_free(&a);
	return s->active >= 0 ? 0 : -1;
}

/* False: somebody moved or removed it, and nobody would find what is added. */
static bool
is_in_place(const struct wish_spool *s)
{
	struct arena *a = arena_new();
	struct stat mine, there;
	bool is_same =
	    stat(wish_path(s, a, s->v[s->n - 1].name), &there) == 0 &&
	    fstat(s->active, &mine) == 0 && mine.st_ino == there.st_ino &&
	    mine.st_dev == there.st_dev;

	arena_free(&a);
	return is_same;
}

/*
 * What failed may be there in part, or may not have reached the disk though
 * it seems so: nothing is added to such a file.
 */
static void
abandon(struct wish_spool *s)
{
	struct arena *a = arena_new();

	if (ftruncate(s->active, s->active_size) == 0)
		(void)fdatasync(s->active);
	if (s->active_size == 0) {
		unlink(wish_path(s, a, s->v[s->n - 1].name));
		close(s->active);
		s->active = -1;
		wish_drop_file(s, s->n - 1);
	} else {
		wish_seal(s);
	}
	arena_free(&a);
}

static int
append(struct wish_spool *s, struct str lines, size_t n)
{
	if (s->active >= 0 && (!is_in_place(s) ||
	    s->active_size + (off_t)lines.n > (off_t)WISH_SPOOL_FILE_MAX))
		wish_seal(s);
	if (s->active < 0 && open_active(s) != 0)
		return -1;
	if (lseek(s->active, s->active_size, SEEK_SET) < 0 ||
	    file_write_all(s->active, lines) != 0 ||
	    fdatasync(s->active) != 0) {
		int error = errno;

		abandon(s);
		errno = error;
		return -1;
	}
	s->active_size += (off_t)lines.n;
	s->v[s->n - 1].n += n;
	atomic_fetch_add(&s->waiting, n);
	return 0;
}

int
wish_spool_write(struct wish_spool *s,
    const struct suppress_entry *const *v, size_t n)
{
	struct buf lines;
	int rc = 0;

	buf_init(&lines, n * WISH_RECORD_MAX + 1);
	errno = EMSGSIZE;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = wish_record_write(v[i], &lines);
	if (rc == 0)
		rc = append(s, buf_view(&lines), n);
	if (rc != 0 && !s->has_failed)
		log_error("%s: %s: unsubscriptions are refused while neither "
		    "the store nor the spool takes them", s->directory,
		    strerror(errno));
	s->has_failed = rc != 0;
	buf_free(&lines);
	return rc;
}
