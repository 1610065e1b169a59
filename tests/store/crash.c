/*
 * crash.c - works on a store until it dies, and looks at what is left.
 */
#include "crash.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "store/writer.h"
#include "tests/unit/store_fixture.h"

#define ALL	  (STORE_SUPPRESS | STORE_META)
#define IN_FLIGHT 16
#define TIME	  1000

void
crash_begin(struct crash *c)
{
	*c = (struct crash){ .dir = NULL };
	c->shared = mmap(NULL, sizeof(*c->shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(c->shared != MAP_FAILED);
	crash_renew(c);
}

static void
remove_directory(struct crash *c)
{
	if (c->dir == NULL)
		return;
	fixture_remove(c->dir);
	free((void *)(uintptr_t)c->dir);
	c->dir = NULL;
}

void
crash_renew(struct crash *c)
{
	struct arena *a = arena_new();

	remove_directory(c);
	c->dir = strdup(fixture_directory(a));
	snprintf(c->spec, sizeof(c->spec), "sqlite:%s", c->dir);
	arena_free(&a);
	memset(c->shared, 0, sizeof(*c->shared)); /* nobody else has it */
}

void
crash_end(struct crash *c)
{
	remove_directory(c);
	munmap(c->shared, sizeof(*c->shared));
}

/* Unless it dies meanwhile: who sees files being set back may well fail. */
static void
need(bool is_well, const char *what)
{
	if (is_well)
		return;
	sleep(2);
	fprintf(stderr, "# the worker: %s\n", what);
	_exit(1);
}

static bool
is_removal(unsigned job)
{
	return job % 5 == 4;
}

/* Every seventh job is about an item of meta. */
static bool
is_meta(unsigned job)
{
	return job % 7 == 3;
}

/* What a job is about; its address or the key of its item. */
static struct str
job_name(char *out, size_t size, unsigned job)
{
	return str_make(out, (size_t)snprintf(out, size, is_meta(job) ?
	    "pause/%u" : "a%07u@x.example", job));
}

/* What the call-backs need; freed with the process. */
struct worker {
	struct crash *crash;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	unsigned nflying;
	bool is_over;
};

struct job {
	struct worker *worker;
	unsigned number;
};

static void
job_done(void *arg, enum store_answer answer,
    const struct suppress_change *change)
{
	struct job *job = arg;
	struct worker *w = job->worker;

	(void)change;
	if (answer == STORE_YES)
		atomic_store(&w->crash->shared->is_done[job->number], 1);
	pthread_mutex_lock(&w->lock);
	w->nflying--;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	free(job);
}

static bool
hand_over(struct writer *writer, struct job *job)
{
	unsigned n = is_removal(job->number) ? job->number - 4 : job->number;
	int64_t deadline = store_deadline(20000);
	char text[64];

	if (is_meta(n)) {
		struct meta_item item = { .value = is_removal(job->number) ?
			STR("") : STR("on") };

		item.key = job_name(text, sizeof(text), n);
		return writer_meta(writer, &item, deadline, job_done, job);
	} else {
		struct suppress_change change = fixture_change(
		    is_removal(job->number) ? SUPPRESS_REMOVE : SUPPRESS_PUT,
		    fixture_entry("", SUPPRESS_UNSUBSCRIBE, TIME, 0));

		change.entry.address = job_name(text, sizeof(text), n);
		return writer_suppress(writer, &change, deadline, job_done,
		    job);
	}
}

static void
do_jobs(struct worker *w, struct writer *writer, unsigned njobs)
{
	for (unsigned i = 0; i < njobs; i++) {
		struct job *job = malloc(sizeof(*job));

		pthread_mutex_lock(&w->lock);
		while (w->nflying >= IN_FLIGHT)
			pthread_cond_wait(&w->wake, &w->lock);
		w->nflying++;
		pthread_mutex_unlock(&w->lock);
		*job = (struct job){ w,
			atomic_load(&w->crash->shared->nbegun) };
		need(job->number < CRASH_MAX, "too many jobs");
		atomic_store(&w->crash->shared->nbegun, job->number + 1);
		need(hand_over(writer, job), "the queue is full");
	}
}

static bool
take_open_import(void *arg, const struct suppress_import *i)
{
	struct suppress_import *out = arg;

	if (i->ended != 0 || i->is_undone)
		return true;
	*out = *i;
	out->source = out->fingerprint = STR("crash");
	return false;
}

static void
import_slice(struct store *s, struct suppress_import *import)
{
	struct suppress_change v[CRASH_SLICE];
	char text[CRASH_SLICE][64];

	for (unsigned i = 0; i < CRASH_SLICE; i++) {
		v[i] = fixture_change(SUPPRESS_PUT, fixture_entry("",
		    SUPPRESS_IMPORT, TIME, 0));
		snprintf(text[i], sizeof(text[i]), "i%09u@x.example",
		    (unsigned)(import->id * CRASH_IMPORT + import->position +
		    i));
		v[i].entry.address = str_from(text[i]);
	}
	import->position += CRASH_SLICE;
	need(store_import_slice(s, import, v, CRASH_SLICE,
	    store_deadline(20000)) == STORE_YES, store_error(s,
	    STORE_SUPPRESS));
}

static bool
is_over(struct worker *w)
{
	bool is;

	pthread_mutex_lock(&w->lock);
	is = w->is_over;
	pthread_mutex_unlock(&w->lock);
	return is;
}

/* Goes on where one was cut short, then does new ones; undoes each third. */
static void *
import_on(void *arg)
{
	struct worker *w = arg;
	struct crash *c = w->crash;
	struct arena *a = arena_new();
	const char *errors = "";
	struct store *s = fixture_try(a, c->spec, ALL, STORE_CHANGE, TIME,
	    &errors);
	uint64_t n, m;

	need(s != NULL, errors);
	while (!is_over(w)) {
		struct suppress_import i = { .id = 0 };

		need(store_import_walk(s, take_open_import, &i) == STORE_YES,
		    "imports");
		if (i.id == 0)
			need(store_import_begin(s, &i, store_deadline(20000))
			    == STORE_YES, store_error(s, STORE_SUPPRESS));
		need(i.id < CRASH_IMPORTS, "too many imports");
		while (i.position < CRASH_IMPORT && !is_over(w))
			import_slice(s, &i);
		if (i.position < CRASH_IMPORT)
			break;
		need(store_import_end(s, &i, store_deadline(20000)) ==
		    STORE_YES, store_error(s, STORE_SUPPRESS));
		atomic_store(&c->shared->is_ended[i.id], 1);
		if (i.id % 3 == 0)
			need(store_import_undo(s, i.id, STR("w"), &n, &m) ==
			    STORE_YES, store_error(s, STORE_SUPPRESS));
	}
	store_close(&s);
	arena_free(&a);
	return NULL;
}

void
crash_work(struct crash *c, unsigned njobs)
{
	struct worker w = { .crash = c };
	struct store_spec spec = { .store = str_from(c->spec), .kinds = ALL,
		.access = STORE_CHANGE, .clock = clock_fixed(TIME * 1000000) };
	struct writer *writer;
	struct buf errors;
	pthread_t importer;

	pthread_mutex_init(&w.lock, NULL);
	pthread_cond_init(&w.wake, NULL);
	buf_init(&errors, 65536);
	writer = writer_start(&spec, 1000, false, &errors);
	need(writer != NULL, "the writer does not start");
	need(pthread_create(&importer, NULL, import_on, &w) == 0, "thread");
	do_jobs(&w, writer, njobs);
	writer_stop(&writer, 20000);
	pthread_mutex_lock(&w.lock);
	w.is_over = true;
	pthread_mutex_unlock(&w.lock);
	pthread_join(importer, NULL);
	buf_free(&errors);
}

static void
lost(struct crash_result *r, const char *what, unsigned number)
{
	if (r->nlost++ == 0)
		snprintf(r->first, sizeof(r->first), "%s %u", what, number);
}

/* Everything that can be read says that the file is whole. */
static const char *
check_file(const struct crash *c, const char *name, char *out, size_t size)
{
	char path[1200];
	sqlite3_stmt *s = NULL;
	const char *answer;
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/%s", c->dir, name);
	out[0] = '\0';
	if (sqlite3_open(path, &db) == SQLITE_OK && sqlite3_prepare_v2(db,
	    "PRAGMA integrity_check", -1, &s, NULL) == SQLITE_OK &&
	    sqlite3_step(s) == SQLITE_ROW) {
		answer = (const char *)sqlite3_column_text(s, 0);
		if (strcmp(answer, "ok") != 0)
			snprintf(out, size, "%s: %s", name, answer);
	} else {
		snprintf(out, size, "%s: %s", name, sqlite3_errmsg(db));
	}
	sqlite3_finalize(s);
	sqlite3_close(db);
	return out[0] == '\0' ? NULL : out;
}

static bool
is_there(struct store *s, struct arena *a, unsigned number)
{
	enum store_answer answer;
	struct meta_item item;
	char text[64];

	job_name(text, sizeof(text), number);
	if (is_meta(number))
		answer = store_meta_get(s, a, str_from(text), &item,
		    store_deadline(10000));
	else
		answer = fixture_find(s, a, text, NULL).answer;
	assert_int_not_equal(answer, STORE_UNKNOWN);
	return answer == STORE_YES;
}

/* A removal that was begun may have happened; one acknowledged did. */
static void
check_jobs(struct crash *c, struct store *s, struct crash_result *r)
{
	unsigned n = atomic_load(&c->shared->nbegun);
	struct arena *a = arena_new();

	for (unsigned i = 0; i < n; i++) {
		bool has_removal = i % 5 == 0 && i + 4 < n;

		if (!atomic_load(&c->shared->is_done[i]))
			continue;
		r->nacknowledged++;
		if (is_removal(i) ? is_there(s, a, i - 4) :
		    !has_removal && !is_there(s, a, i))
			lost(r, "job", i);
		arena_reset(a);
	}
	arena_free(&a);
}

struct imports {
	struct suppress_import v[CRASH_IMPORTS];
	size_t n;
};

static bool
take_import(void *arg, const struct suppress_import *i)
{
	struct imports *all = arg;

	assert_true(all->n < CRASH_IMPORTS);
	all->v[all->n] = *i;
	all->v[all->n++].source = all->v[0].fingerprint = STR("");
	return true;
}

static size_t
entries_of(struct store *s, uint64_t import)
{
	struct suppress_filter filter = { .import = import };

	return fixture_count(s, &filter);
}

/* All or nothing of each slice, and the position says which. */
static void
check_import(struct crash *c, struct store *s, const struct suppress_import *i,
    struct crash_result *r)
{
	uint64_t nremoved, nrestored;

	if (!i->is_undone && (i->nadded != i->position ||
	    entries_of(s, i->id) != i->position))
		lost(r, "entries of import", (unsigned)i->id);
	if (i->ended == 0 && !i->is_undone)
		r->ncut++;
	if (i->ended != 0 && i->position != CRASH_IMPORT)
		lost(r, "entries of whole import", (unsigned)i->id);
	if (i->ended == 0 && i->id < CRASH_IMPORTS &&
	    atomic_load(&c->shared->is_ended[i->id]))
		lost(r, "the end of import", (unsigned)i->id);
	if (i->ended == 0 && !i->is_undone && i->id % 2 == 0)
		return; /* the next worker goes on with it */
	assert_int_equal(store_import_undo(s, i->id, STR("check"), &nremoved,
	    &nrestored), STORE_YES);
	assert_int_equal(nrestored, 0);
	assert_int_equal(entries_of(s, i->id), 0);
}

static void
check_imports(struct crash *c, struct store *s, struct crash_result *r)
{
	struct imports *all = calloc(1, sizeof(*all));
	unsigned nended = 0, nthere = 0;

	assert_int_equal(store_import_walk(s, take_import, all), STORE_YES);
	for (size_t i = 0; i < all->n; i++)
		check_import(c, s, &all->v[i], r);
	for (unsigned id = 0; id < CRASH_IMPORTS; id++)
		nended += atomic_load(&c->shared->is_ended[id]);
	for (size_t i = 0; i < all->n; i++)
		nthere += atomic_load(&c->shared->is_ended[all->v[i].id]);
	if (nended != nthere)
		lost(r, "imports that had ended:", nended - nthere);
	free(all);
}

void
crash_check(struct crash *c, bool may_be_damaged, struct crash_result *r)
{
	struct arena *a = arena_new();
	const char *errors = "", *fault;
	char room[300];
	struct store *s;

	*r = (struct crash_result){ .nlost = 0 };
	s = fixture_try(a, c->spec, ALL, STORE_CHANGE, TIME, &errors);
	fault = s == NULL ? errors : check_file(c, "suppress.db", room,
	    sizeof(room));
	if (fault == NULL)
		fault = check_file(c, "meta.db", room, sizeof(room));
	if (fault != NULL && !may_be_damaged)
		fail_msg("%s", fault);
	if (fault != NULL) {
		r->nlost = 1;
		snprintf(r->first, sizeof(r->first), "%s", fault);
	} else {
		check_jobs(c, s, r);
		check_imports(c, s, r);
	}
	store_close(&s);
	arena_free(&a);
}
