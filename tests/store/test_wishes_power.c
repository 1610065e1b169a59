/*
 * test_wishes_power.c - the power goes while people unsubscribe and the store
 * comes and goes: whoever was told so is unsubscribed afterwards.  And where
 * the spool's syncs are left out, not all are.
 *
 * The store's files lose what was not synced by forgetful_vfs.c; the spool's
 * by what is linked here in the place of fdatasync() and fsync().
 */
#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/store_fixture.h"

#include "base/file.h"
#include "forgetful_vfs.h"
#include "trackd/durable.h"

#define WISHES	  400
#define IN_FLIGHT 32
#define FILES	  256
#define TIME	  1000

int __real_fdatasync(int fd);
int __real_fsync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);

/* In memory that outlives the process that works. */
struct shared {
	atomic_uchar is_told[WISHES];
	atomic_uint ntold, nspooled;
	/* what is durable of the spool's files, and of its directory */
	atomic_uint nfiles;
	struct {
		ino_t inode;
		off_t synced;
		bool is_named;
	} files[FILES];
};

static struct shared *shared;
static bool forgets; /* the spool's syncs do nothing */

static unsigned
place_of(ino_t inode)
{
	unsigned n = atomic_load(&shared->nfiles), i = 0;

	while (i < n && shared->files[i].inode != inode)
		i++;
	if (i < n)
		return i;
	assert_true(n < FILES);
	shared->files[n].inode = inode;
	shared->files[n].synced = 0;
	shared->files[n].is_named = false;
	atomic_store(&shared->nfiles, n + 1);
	return n;
}

/* One thread syncs the spool. */
int
__wrap_fdatasync(int fd)
{
	struct stat st;

	if (shared != NULL && !forgets && fstat(fd, &st) == 0)
		shared->files[place_of(st.st_ino)].synced = st.st_size;
	return 0;
}

/* A directory: the names in it are durable. */
int
__wrap_fsync(int fd)
{
	DIR *d = shared == NULL || forgets ? NULL : fdopendir(dup(fd));
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL)
		shared->files[place_of(e->d_ino)].is_named = true;
	if (d != NULL)
		closedir(d);
	return 0;
}

struct house {
	struct arena *a;
	const char *store, *spool, *fails;
	struct writer *writer;
	struct durable *durable;
};

static void
house_start(struct house *h)
{
	struct store_spec spec = {
		.store = arena_printf(h->a, "fail:suppress.fail@while=%s:"
		    "sqlite:%s", h->fails, h->store),
		.kinds = STORE_SUPPRESS | STORE_META,
		.access = STORE_CHANGE,
		.clock = clock_fixed((int64_t)TIME * 1000000),
	};
	struct buf errors;

	buf_init(&errors, 65536);
	h->writer = writer_start(&spec, 1024, true, &errors);
	buf_free(&errors);
	h->durable = durable_start(h->writer, str_from(h->spool), NULL);
	assert_non_null(h->durable);
}

static void
house_stop(struct house *h)
{
	durable_stop(&h->durable, 20000);
	writer_stop(&h->writer, 5000);
}

struct one {
	struct request_wish wish;
	char address[32];
	unsigned number;
};

static atomic_uint nended;

static void
on_done(void *arg)
{
	const struct one *one = arg;

	if (one->wish.result != WISH_LOST) {
		if (one->wish.result == WISH_SPOOLED)
			atomic_fetch_add(&shared->nspooled, 1);
		atomic_fetch_add(&shared->ntold, 1);
		atomic_store(&shared->is_told[one->number], 1);
	}
	atomic_fetch_add(&nended, 1);
}

static void
sleep_micros(long micros)
{
	struct timespec t = { .tv_nsec = micros * 1000 };

	nanosleep(&t, NULL);
}

/* The store is away for 40 wishes of each 80. */
static void
let_come_and_go(struct house *h, unsigned i)
{
	if (i % 80 == 40)
		(void)file_create(h->fails, 0600, STR(""));
	else if (i % 80 == 0)
		unlink(h->fails);
}

/* Until the power goes: at that change of the store, or of the spool. */
static void
work(struct house *h, const struct forgetful *how, unsigned last)
{
	static struct one all[WISHES];

	forgetful_install(how);
	house_start(h);
	for (unsigned i = 0; i < last; i++) {
		struct one *one = &all[i];

		let_come_and_go(h, i);
		one->number = i;
		snprintf(one->address, sizeof(one->address), "u%u@x.example",
		    i);
		one->wish = (struct request_wish){ .what = SUPPRESS_PUT,
			.entry = fixture_entry(one->address,
			    SUPPRESS_UNSUBSCRIBE, TIME, 0) };
		while (i - atomic_load(&nended) >= IN_FLIGHT)
			sleep_micros(50);
		durable_wish(h->durable, &one->wish, on_done, one);
	}
	forgetful_cut();
}

static void
work_in_child(struct house *h, const struct forgetful *how, unsigned last)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		work(h, how, last);
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), FORGETFUL_EXIT);
}

/* What of a file was not synced is gone, or a part of it. */
static void
cut_spool(struct house *h, unsigned seed)
{
	DIR *d = opendir(h->spool);
	struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		const char *path = arena_cstr(h->a,
		    arena_printf(h->a, "%s/%s", h->spool, e->d_name));
		unsigned i = place_of(e->d_ino);
		off_t synced = shared->files[i].synced;
		struct stat st;

		if (!str_iends(str_from(e->d_name), STR(".wishes")) ||
		    stat(path, &st) != 0)
			continue;
		if (!shared->files[i].is_named)
			assert_int_equal(unlink(path), 0);
		else if (st.st_size > synced)
			assert_int_equal(truncate(path, synced +
			    (off_t)(seed % (unsigned)(st.st_size - synced))),
			    0);
	}
	closedir(d);
}

/* How many of those that were told are not in the store. */
static unsigned
count_lost(struct house *h)
{
	struct store *s;
	unsigned nlost = 0;

	unlink(h->fails);
	house_start(h);
	house_stop(h);
	s = fixture_open(arena_cstr(h->a, arena_printf(h->a, "sqlite:%s",
	    h->store)), STORE_SUPPRESS, STORE_READ, TIME + 1);
	for (unsigned i = 0; i < WISHES; i++) {
		char address[32];

		snprintf(address, sizeof(address), "u%u@x.example", i);
		nlost += atomic_load(&shared->is_told[i]) &&
		    fixture_find(s, h->a, address, NULL).answer != STORE_YES;
	}
	store_close(&s);
	return nlost;
}

static unsigned
rounds(unsigned usual)
{
	const char *text = getenv("BULKHEAD_RUNS");

	return text == NULL ? usual : (unsigned)strtoul(text, NULL, 10);
}

/* Rounds in houses of their own; how many were lost in all. */
static unsigned
run_rounds(unsigned n)
{
	unsigned nlost = 0, ntold = 0, nspooled = 0;

	for (unsigned i = 0; i < n; i++) {
		struct house h = { .a = arena_new() };
		struct forgetful how = { .syncs = FORGETFUL_HONEST,
			.seed = 88172645463325252u + i * 7919u,
			.cut_at = 20 + i * 2654435761u % 1500 };

		memset(shared, 0, sizeof(*shared));
		h.store = fixture_directory(h.a);
		h.spool = fixture_directory(h.a);
		h.fails = arena_cstr(h.a, arena_printf(h.a, "%s/fails",
		    h.spool));
		work_in_child(&h, &how, 50 + i * 40503u % (WISHES - 50));
		cut_spool(&h, i * 7919u);
		nlost += count_lost(&h);
		ntold += atomic_load(&shared->ntold);
		nspooled += atomic_load(&shared->nspooled);
		fixture_remove(h.store);
		fixture_remove(h.spool);
		arena_free(&h.a);
	}
	printf("# %u rounds: %u told, %u of them spooled, %u lost\n", n,
	    ntold, nspooled, nlost);
	assert_true(nspooled > n && ntold > nspooled + n);
	return nlost;
}

static void
nobody_is_lost(void **state)
{
	(void)state;
	forgets = false;
	assert_int_equal(run_rounds(rounds(10)), 0);
}

/* The test can tell. */
static void
without_syncs_some_are(void **state)
{
	(void)state;
	forgets = true;
	assert_true(run_rounds(rounds(3)) > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_is_lost),
		cmocka_unit_test(without_syncs_some_are),
	};

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
