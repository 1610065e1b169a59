/*
 * forgetful_vfs.c - remembers, for each file, what was synced last and every
 * write since.  The system's files hold what a kernel that runs would show;
 * when the power goes they are set back.
 */
#include "forgetful_vfs.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A write since the last sync; without data: a truncation to offset. */
struct change {
	struct change *next;
	size_t offset, n;
	unsigned char *data;
};

/* A file on the disk, by inode: several handles and names may be one. */
struct disk_file {
	struct disk_file *next;
	dev_t device;
	ino_t inode;
	int fd; /* never closed: that would drop this process's locks */
	char *path;
	bool is_named; /* its name outlives the power, too */
	unsigned char *synced;
	size_t nsynced;
	struct change *first, **last;
};

/* A deleted name that no sync of the directory has made final. */
struct ghost {
	struct ghost *next;
	char *path, *kept_as;
};

struct shim {
	sqlite3_file base;
	struct disk_file *disk; /* NULL: a file that need not outlive us */
	bool is_wal;
	sqlite3_file *real; /* behind it */
};

static struct {
	struct forgetful how;
	pthread_mutex_t lock;
	sqlite3_vfs vfs, *real;
	struct disk_file *files;
	struct ghost *ghosts;
	unsigned nchanges;
} world = { .lock = PTHREAD_MUTEX_INITIALIZER };

static unsigned
below(unsigned n)
{
	uint64_t *seed = &world.how.seed;

	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (unsigned)(*seed >> 11) % n;
}

static void
must(bool is_well, const char *what)
{
	if (is_well)
		return;
	perror(what);
	abort();
}

/* Copies n octets to an offset of what was synced; NULL: cuts it there. */
static void
apply(struct disk_file *f, size_t offset, const unsigned char *data, size_t n)
{
	size_t end = data == NULL ? offset : offset + n;

	if (data == NULL ? end != f->nsynced : end > f->nsynced) {
		f->synced = realloc(f->synced, end + 1);
		must(f->synced != NULL, "realloc");
		if (end > f->nsynced)
			memset(f->synced + f->nsynced, 0, end - f->nsynced);
		f->nsynced = end;
	}
	if (data != NULL)
		memcpy(f->synced + offset, data, n);
}

static void
forget_changes(struct disk_file *f)
{
	while (f->first != NULL) {
		struct change *c = f->first;

		f->first = c->next;
		free(c->data);
		free(c);
	}
	f->last = &f->first;
}

static void
read_all(struct disk_file *f)
{
	struct stat st;

	must(fstat(f->fd, &st) == 0, f->path);
	f->nsynced = (size_t)st.st_size;
	f->synced = malloc(f->nsynced + 1);
	must(f->synced != NULL && pread(f->fd, f->synced, f->nsynced, 0) ==
	    st.st_size, f->path);
}

static struct disk_file *
find_file(const char *path)
{
	struct disk_file *f = world.files;
	struct stat st;

	if (stat(path, &st) != 0)
		return NULL;
	while (f != NULL && (f->inode != st.st_ino || f->device != st.st_dev))
		f = f->next;
	return f;
}

static struct disk_file *
know_file(const char *path, bool is_named)
{
	struct disk_file *f = find_file(path);
	struct stat st;

	if (f != NULL)
		return f;
	f = calloc(1, sizeof(*f));
	must(f != NULL, "calloc");
	f->path = strdup(path);
	f->fd = open(path, O_RDWR | O_CLOEXEC);
	must(f->fd >= 0 && fstat(f->fd, &st) == 0, path);
	f->device = st.st_dev;
	f->inode = st.st_ino;
	f->is_named = is_named;
	f->last = &f->first;
	f->next = world.files;
	world.files = f;
	read_all(f);
	return f;
}

/* One change as the disk may have met it: each of its pieces, or not. */
static void
keep_some(struct disk_file *f, const struct change *c, size_t sector,
    unsigned chance)
{
	size_t at = 0;

	if (c->data == NULL && below(100) < chance)
		apply(f, c->offset, NULL, 0);
	while (c->data != NULL && at < c->n) {
		size_t n = sector - (c->offset + at) % sector;

		n = n > c->n - at ? c->n - at : n;
		if (below(100) < chance)
			apply(f, c->offset + at, c->data + at, n);
		at += n;
	}
}

static void
set_back(struct disk_file *f)
{
	static const size_t sectors[] = { 512, 4096 };
	static const unsigned chances[] = { 0, 50, 90, 100 };
	size_t sector = sectors[below(2)];
	unsigned chance = chances[below(4)];

	for (const struct change *c = f->first; c != NULL; c = c->next)
		keep_some(f, c, sector, chance);
	must(ftruncate(f->fd, 0) == 0 && pwrite(f->fd, f->synced, f->nsynced,
	    0) == (ssize_t)f->nsynced, f->path);
	if (!f->is_named && find_file(f->path) == f && below(2) == 0)
		unlink(f->path);
}

/* A name that was deleted may be there again. */
static void
end_ghost(const struct ghost *g, bool may_return)
{
	if (may_return && access(g->path, F_OK) != 0 && below(2) == 0)
		must(rename(g->kept_as, g->path) == 0, g->path);
	else
		unlink(g->kept_as);
}

static void
power_cut(void)
{
	for (struct disk_file *f = world.files; f != NULL; f = f->next)
		set_back(f);
	for (struct ghost *g = world.ghosts; g != NULL; g = g->next)
		end_ghost(g, true);
	_exit(FORGETFUL_EXIT);
}

/* Locked: before every operation that changes something. */
static void
count_change(void)
{
	if (++world.nchanges >= world.how.cut_at)
		power_cut();
}

void
forgetful_cut(void)
{
	pthread_mutex_lock(&world.lock);
	power_cut();
	abort();
}

static void
note_change(struct disk_file *f, const void *data, size_t n, size_t offset)
{
	struct change *c = calloc(1, sizeof(*c));

	must(c != NULL, "calloc");
	c->offset = offset;
	c->n = n;
	if (data != NULL) {
		c->data = malloc(n);
		must(c->data != NULL, "malloc");
		memcpy(c->data, data, n);
	}
	*f->last = c;
	f->last = &c->next;
}

static void
sync_directory(void)
{
	while (world.ghosts != NULL) {
		struct ghost *g = world.ghosts;

		world.ghosts = g->next;
		end_ghost(g, false);
		free(g->path);
		free(g->kept_as);
		free(g);
	}
}

/* As fsync(): what every handle of the file wrote. */
static void
sync_file(struct disk_file *f)
{
	for (const struct change *c = f->first; c != NULL; c = c->next)
		apply(f, c->offset, c->data, c->n);
	forget_changes(f);
	/* SQLite syncs the directory with the first sync of a new log */
	if (!f->is_named)
		sync_directory();
	f->is_named = true;
}

static sqlite3_file *
real_of(sqlite3_file *file)
{
	return ((struct shim *)file)->real;
}

static int
shim_close(sqlite3_file *file)
{
	return real_of(file)->pMethods->xClose(real_of(file));
}

/* Locked, so that nobody sees the files when the power is gone. */
static int
shim_read(sqlite3_file *file, void *p, int n, sqlite3_int64 offset)
{
	int rc;

	pthread_mutex_lock(&world.lock);
	rc = real_of(file)->pMethods->xRead(real_of(file), p, n, offset);
	pthread_mutex_unlock(&world.lock);
	return rc;
}

static int
shim_write(sqlite3_file *file, const void *p, int n, sqlite3_int64 offset)
{
	struct disk_file *disk = ((struct shim *)file)->disk;
	int rc;

	pthread_mutex_lock(&world.lock);
	if (disk != NULL) {
		count_change();
		note_change(disk, p, (size_t)n, (size_t)offset);
	}
	rc = real_of(file)->pMethods->xWrite(real_of(file), p, n, offset);
	pthread_mutex_unlock(&world.lock);
	return rc;
}

static int
shim_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	struct disk_file *disk = ((struct shim *)file)->disk;
	int rc;

	pthread_mutex_lock(&world.lock);
	if (disk != NULL) {
		count_change();
		note_change(disk, NULL, 0, (size_t)size);
	}
	rc = real_of(file)->pMethods->xTruncate(real_of(file), size);
	pthread_mutex_unlock(&world.lock);
	return rc;
}

static int
shim_sync(sqlite3_file *file, int flags)
{
	struct shim *s = (struct shim *)file;
	enum forgetful_syncs syncs = world.how.syncs;

	(void)flags;
	pthread_mutex_lock(&world.lock);
	if (s->disk != NULL) {
		count_change();
		if (syncs == FORGETFUL_HONEST ||
		    (syncs == FORGETFUL_NO_WAL && !s->is_wal))
			sync_file(s->disk);
	}
	pthread_mutex_unlock(&world.lock);
	return SQLITE_OK;
}

static int
shim_size(sqlite3_file *file, sqlite3_int64 *size)
{
	int rc;

	pthread_mutex_lock(&world.lock);
	rc = real_of(file)->pMethods->xFileSize(real_of(file), size);
	pthread_mutex_unlock(&world.lock);
	return rc;
}

static int
shim_lock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int
shim_unlock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int
shim_check(sqlite3_file *file, int *out)
{
	return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

static int
shim_control(sqlite3_file *file, int op, void *arg)
{
	return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}

static int
shim_sector(sqlite3_file *file)
{
	return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int
shim_device(sqlite3_file *file)
{
	return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int
shim_shm_map(sqlite3_file *file, int page, int size, int extend,
    void volatile **out)
{
	return real_of(file)->pMethods->xShmMap(real_of(file), page, size,
	    extend, out);
}

static int
shim_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	return real_of(file)->pMethods->xShmLock(real_of(file), offset, n,
	    flags);
}

static void
shim_shm_barrier(sqlite3_file *file)
{
	real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int
shim_shm_unmap(sqlite3_file *file, int do_delete)
{
	return real_of(file)->pMethods->xShmUnmap(real_of(file), do_delete);
}

/* Version 2: logs need shared memory; nothing is mapped for reading. */
static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = shim_close,
	.xRead = shim_read,
	.xWrite = shim_write,
	.xTruncate = shim_truncate,
	.xSync = shim_sync,
	.xFileSize = shim_size,
	.xLock = shim_lock,
	.xUnlock = shim_unlock,
	.xCheckReservedLock = shim_check,
	.xFileControl = shim_control,
	.xSectorSize = shim_sector,
	.xDeviceCharacteristics = shim_device,
	.xShmMap = shim_shm_map,
	.xShmLock = shim_shm_lock,
	.xShmBarrier = shim_shm_barrier,
	.xShmUnmap = shim_shm_unmap,
};

static int
shim_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags,
    int *out_flags)
{
	struct shim *s = (struct shim *)file;
	bool was_there, is_kept = flags & (SQLITE_OPEN_MAIN_DB |
	    SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL);
	int rc;

	(void)vfs;
	pthread_mutex_lock(&world.lock);
	memset(s, 0, sizeof(*s));
	s->real = (sqlite3_file *)(s + 1);
	s->is_wal = flags & SQLITE_OPEN_WAL;
	was_there = path != NULL && access(path, F_OK) == 0;
	rc = world.real->xOpen(world.real, path, s->real, flags, out_flags);
	if (s->real->pMethods != NULL)
		s->base.pMethods = &methods;
	if (rc == SQLITE_OK && path != NULL && is_kept)
		s->disk = know_file(path, was_there);
	pthread_mutex_unlock(&world.lock);
	return rc;
}

/* The name goes; until the directory is synced it may come back. */
static void
make_ghost(const char *path)
{
	struct disk_file *f = find_file(path);
	struct ghost *g;

	if (f == NULL || !f->is_named)
		return;
	g = calloc(1, sizeof(*g));
	must(g != NULL, "calloc");
	g->path = strdup(path);
	must(asprintf(&g->kept_as, "%s-ghost%u", path, world.nchanges) > 0,
	    "asprintf");
	must(link(path, g->kept_as) == 0, path);
	g->next = world.ghosts;
	world.ghosts = g;
}

static int
shim_delete(sqlite3_vfs *vfs, const char *path, int sync_dir)
{
	int rc;

	(void)vfs;
	pthread_mutex_lock(&world.lock);
	count_change();
	make_ghost(path);
	rc = world.real->xDelete(world.real, path, 0);
	if (sync_dir && world.how.syncs != FORGETFUL_NONE)
		sync_directory();
	pthread_mutex_unlock(&world.lock);
	return rc;
}

void
forgetful_install(const struct forgetful *how)
{
	world.how = *how;
	world.real = sqlite3_vfs_find(NULL);
	must(world.real != NULL, "no VFS");
	world.vfs = *world.real;
	world.vfs.pNext = NULL;
	world.vfs.zName = "forgetful";
	world.vfs.szOsFile = (int)sizeof(struct shim) + world.real->szOsFile;
	world.vfs.xOpen = shim_open;
	world.vfs.xDelete = shim_delete;
	must(sqlite3_vfs_register(&world.vfs, 1) == SQLITE_OK, "VFS");
}
