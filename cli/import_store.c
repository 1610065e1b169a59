/*
 * import_store.c - sorted entries go into the store in slices.
 */
#include "cli/import_job.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/progress.h"

#define DEADLINE    30000
/* The store lets others have their turn behind each slice. */
#define SLICE_NANOS ((int64_t)15 * 1000 * 1000)
#define SLICE_FIRST 500
#define SLICE_MIN   16
#define SLICE_MAX   40000

struct slice {
	struct import_job *job;
	struct suppress_change *v;
	size_t n, max;	     /* max: as many as fit the time */
	struct arena *arena; /* of the entries */
	struct progress progress;
	uint64_t nread; /* of the sorted stream */
};

/*
 * Two imports at a time would take one another for one that was cut short.
 * The directory is locked, which no store does.  EX_OK with *fd, which may be
 * -1 where there is no directory.
 */
static int
lock_out_others(struct import_job *j, int *fd)
{
	const char *dir = arena_cstr(j->run->arena,
	    suppress_directory(j->run));

	*fd = *dir != '\0' ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
			   : -1;
	if (*fd < 0 || flock(*fd, LOCK_EX | LOCK_NB) == 0 ||
	    errno != EWOULDBLOCK)
		return EX_OK;
	suppress_say("another import into %s is under way: try again when it "
		     "is done",
	    dir);
	return EX_TEMPFAIL;
}

struct search {
	struct import_job *job;
	struct str fingerprint;
};

static bool
look_at_import(void *arg, const struct suppress_import *i)
{
	struct search *s = arg;

	if (i->ended != 0 || i->is_undone ||
	    !str_eq(i->fingerprint, s->fingerprint))
		return true;
	s->job->import = *i;
	s->job->import.source = arena_copy(s->job->run->arena, i->source);
	s->job->import.fingerprint = s->fingerprint;
	s->job->is_resumed = true;
	return true;
}

static struct str
describe(struct import_job *j)
{
	struct buf text;
	struct str out;

	buf_init(&text, 65536);
	buf_printf(&text, "%.*s: ", STR_ARG(j->source.file));
	import_source_describe(&j->source, &text);
	out = suppress_line(j->run->arena,
	    str_sub(buf_view(&text), 0, SUPPRESS_LABEL_MAX));
	buf_free(&text);
	return out;
}

/* The import that was cut short, or a new one. */
static int
begin(struct import_job *j)
{
	struct search search = { .job = j };
	unsigned char digest[32];

	import_input_digest(&j->source.in, digest);
	search.fingerprint = import_job_fingerprint(j, digest);
	if (store_import_walk(j->run->store, look_at_import, &search) !=
	    STORE_YES)
		return suppress_store_failed(j->run);
	if (j->is_resumed)
		return EX_OK;
	j->import = (struct suppress_import){ .started = j->run->now,
		.source = describe(j),
		.fingerprint = search.fingerprint };
	return store_import_begin(j->run->store, &j->import,
		   store_deadline(DEADLINE)) == STORE_YES
	    ? EX_OK
	    : suppress_store_failed(j->run);
}

/* Aims at slices that last SLICE_NANOS. */
static void
adapt(struct slice *s, int64_t nanos)
{
	double next = (double)s->n * (double)SLICE_NANOS / (double)nanos;

	if (next > (double)s->max * 1.5)
		next = (double)s->max * 1.5;
	if (next < (double)SLICE_MIN)
		next = SLICE_MIN;
	s->max = next > (double)SLICE_MAX ? SLICE_MAX : (size_t)next;
}

static int
flush(struct slice *s)
{
	struct import_job *j = s->job;
	uint64_t was = j->import.position;
	int64_t began = clock_monotonic(), took;
	enum store_answer answer;

	j->import.position = s->nread;
	answer = store_import_slice(j->run->store, &j->import, s->v, s->n,
	    store_deadline(DEADLINE));
	if (answer != STORE_YES) {
		j->import.position = was;
		suppress_store_failed(j->run);
		suppress_say("import %" PRIu64 " was cut short: run the same "
			     "command again and it goes on",
		    j->import.id);
		return EX_UNAVAILABLE;
	}
	took = clock_monotonic() - began;
	if (took > j->longest)
		j->longest = took;
	j->nslices++;
	if (s->n == s->max)
		adapt(s, took);
	s->n = 0;
	arena_reset(s->arena);
	progress_show(&s->progress, s->nread);
	return EX_OK;
}

/* What the time of the import decides; false: the entry is over already. */
static bool
complete(const struct import_job *j, struct suppress_entry *e, bool has_scope)
{
	if (!has_scope)
		e->scope = j->scope;
	if (e->created == 0 || e->created > j->import.started)
		e->created = j->import.started;
	if (j->expires != 0)
		e->expires = j->expires;
	e->import = j->import.id;
	return e->expires == 0 || e->expires > j->run->now;
}

static int
take_record(struct slice *s, struct str record)
{
	struct import_job *j = s->job;
	struct suppress_entry e;
	bool has_scope;

	s->nread++;
	if (s->nread <= j->import.position)
		return EX_OK;
	if (import_unpack(arena_copy(s->arena, record), &e, &has_scope) != 0) {
		suppress_say("the temporary file was damaged");
		return EX_IOERR;
	}
	if (!complete(j, &e, has_scope))
		return EX_OK;
	s->v[s->n++] = (struct suppress_change){ .what = SUPPRESS_PUT,
		.entry = e,
		.actor = j->run->actor };
	return s->n >= s->max ? flush(s) : EX_OK;
}

static int
store_all(struct slice *s)
{
	struct import_job *j = s->job;
	struct str record;
	int rc = EX_OK, got = 1;

	while (rc == EX_OK && (got = sorter_next(j->sorter, &record)) > 0)
		rc = take_record(s, record);
	if (got < 0) {
		suppress_say("cannot read the temporary file: %s",
		    strerror(errno));
		rc = EX_IOERR;
	}
	if (rc == EX_OK && s->n > 0)
		rc = flush(s);
	if (rc != EX_OK)
		return rc;
	j->import.ended = j->run->now;
	return store_import_end(j->run->store, &j->import,
		   store_deadline(DEADLINE)) == STORE_YES
	    ? EX_OK
	    : suppress_store_failed(j->run);
}

static int
store_sorted(struct import_job *j)
{
	struct slice s = { .job = j, .max = SLICE_FIRST };
	int rc = begin(j);

	if (rc != EX_OK)
		return rc;
	j->import.nrefused = j->rejects.count;
	s.arena = arena_new();
	s.v = mem_alloc(SLICE_MAX * sizeof(*s.v));
	progress_begin(&s.progress, "storing", "addresses",
	    j->import.position, sorter_count(j->sorter));
	rc = store_all(&s);
	progress_end(&s.progress);
	free(s.v);
	arena_free(&s.arena);
	return rc;
}

int
import_job_store(struct import_job *j)
{
	int lock, rc;

	if (sorter_finish(j->sorter) != 0) {
		suppress_say("cannot sort: %s", strerror(errno));
		return EX_CANTCREAT;
	}
	rc = suppress_open(j->run, STORE_CHANGE);
	if (rc != EX_OK)
		return rc;
	rc = lock_out_others(j, &lock);
	if (rc == EX_OK)
		rc = store_sorted(j);
	if (lock >= 0)
		close(lock);
	return rc;
}
