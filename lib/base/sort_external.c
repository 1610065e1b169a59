/*
 * sort_external.c - runs, their file and the merge.  How one run is sorted is
 * in sort_run.c.
 */
#include "base/sort_external.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/sort_run.h"

#define MEMORY_MIN   (1024 * 1024)
#define MEMORY_MAX   ((size_t)4 * 1024 * 1024 * 1024)
#define RUNS_MAX     4096
#define LENGTH_SIZE  2
#define WRITE_SIZE   (256 * 1024)
#define RUN_READ_MIN ((size_t)SORT_RECORD_MAX + LENGTH_SIZE)
#define RUN_READ_MAX ((size_t)1024 * 1024)

/* A sorted stretch of the file, and the part of it that is in memory. */
struct run {
	off_t at, end; /* what is still in the file */
	char *p;
	size_t from, to;
	struct str record; /* the one in the heap */
};

struct sorter {
	char *dir;
	char *text; /* records one behind the other */
	size_t ntext, text_max;
	struct sort_item *items;
	size_t nitems, items_max, next;
	uint64_t count;
	int fd; /* -1: all in memory so far */
	off_t size;
	off_t ends[RUNS_MAX];
	size_t nruns;
	struct run *runs; /* when merging: a heap, the least record first */
	size_t nheap;
	size_t read_size;
	bool is_started;
};

struct sorter *
sorter_new(const char *dir, size_t memory)
{
	struct sorter *s = mem_alloc(sizeof(*s));

	/* Offsets into the text have 32 bits. */
	if (memory < MEMORY_MIN)
		memory = MEMORY_MIN;
	*s = (struct sorter){ .fd = -1 };
	s->dir = strdup(dir);
	if (s->dir == NULL)
		abort();
	if (memory > MEMORY_MAX)
		memory = MEMORY_MAX;
	/* A record of 32 octets, 16 of them in the index. */
	s->text_max = memory / 3 * 2;
	s->items_max = memory / 3 / sizeof(*s->items);
	s->text = mem_alloc(s->text_max);
	s->items = mem_alloc(s->items_max * sizeof(*s->items));
	return s;
}

void
sorter_free(struct sorter **sp)
{
	struct sorter *s = *sp;

	if (s == NULL)
		return;
	for (size_t i = 0; s->runs != NULL && i < s->nruns; i++)
		free(s->runs[i].p);
	free(s->runs);
	if (s->fd >= 0)
		close(s->fd);
	free(s->dir);
	free(s->text);
	free(s->items);
	free(s);
	*sp = NULL;
}

/* A file without a name; O_TMPFILE is not known to every file system. */
static int
open_unnamed(const char *dir)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	char path[4096];

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	if ((size_t)snprintf(path, sizeof(path), "%s/.sort-XXXXXX", dir) >=
	    sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

static struct str
item_text(const struct sorter *s, const struct sort_item *item)
{
	const unsigned char *p =
	    (const unsigned char *)s->text + item->offset - LENGTH_SIZE;

	return str_make(s->text + item->offset, (size_t)p[0] | p[1] << 8);
}

static int
write_run(struct sorter *s)
{
	char *out = mem_alloc(WRITE_SIZE + RUN_READ_MIN);
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; i < s->nitems && rc == 0; i++) {
		struct str r = item_text(s, &s->items[i]);

		memcpy(out + n, r.p - LENGTH_SIZE, r.n + LENGTH_SIZE);
		n += r.n + LENGTH_SIZE;
		if (n >= WRITE_SIZE || i + 1 == s->nitems) {
			rc = file_write_all(s->fd, str_make(out, n));
			s->size += (off_t)n;
			n = 0;
		}
	}
	free(out);
	return rc;
}

/* Sorts what is in memory and moves it to the file. */
static int
spill(struct sorter *s)
{
	if (s->nruns == RUNS_MAX) {
		errno = EFBIG;
		return -1;
	}
	if (s->fd < 0 && (s->fd = open_unnamed(s->dir)) < 0)
		return -1;
	sort_run(s->text, s->items, s->nitems);
	if (write_run(s) != 0)
		return -1;
	s->ends[s->nruns++] = s->size;
	s->ntext = s->nitems = 0;
	return 0;
}

int
sorter_add(struct sorter *s, struct str record)
{
	if (record.n > SORT_RECORD_MAX) {
		errno = E2BIG;
		return -1;
	}
	if ((s->nitems == s->items_max ||
		s->text_max - s->ntext < record.n + LENGTH_SIZE) &&
	    spill(s) != 0)
		return -1;
	s->text[s->ntext++] = (char)(record.n & 0xff);
	s->text[s->ntext++] = (char)(record.n >> 8);
	if (record.n > 0)
		memcpy(s->text + s->ntext, record.p, record.n);
	s->items[s->nitems++] = (struct sort_item){
		.offset = (uint32_t)s->ntext,
		.length = (uint32_t)record.n,
	};
	s->ntext += record.n;
	s->count++;
	return 0;
}

uint64_t
sorter_count(const struct sorter *s)
{
	return s->count;
}

/* Reads on in a run, so that a whole record is in memory unless at the end. */
static int
run_fill(const struct sorter *s, struct run *r)
{
	size_t want;
	ssize_t got;

	memmove(r->p, r->p + r->from, r->to - r->from);
	r->to -= r->from;
	r->from = 0;
	want = s->read_size - r->to;
	if ((off_t)want > r->end - r->at)
		want = (size_t)(r->end - r->at);
	while (want > 0) {
		got = pread(s->fd, r->p + r->to, want, r->at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0)
			errno = EIO;
		if (got <= 0)
			return -1;
		r->to += (size_t)got;
		r->at += got;
		want -= (size_t)got;
	}
	return 0;
}

/* Moves a run on to its next record: 1, 0 at its end, -1. */
static int
run_next(const struct sorter *s, struct run *r)
{
	size_t n;

	if (r->to - r->from < RUN_READ_MIN && r->at < r->end &&
	    run_fill(s, r) != 0)
		return -1;
	if (r->from == r->to)
		return 0;
	n = (size_t)(unsigned char)r->p[r->from] |
	    (size_t)(unsigned char)r->p[r->from + 1] << 8;
	r->record = str_make(r->p + r->from + LENGTH_SIZE, n);
	r->from += n + LENGTH_SIZE;
	return 1;
}

static void
heap_down(struct sorter *s, size_t i)
{
	for (;;) {
		size_t child = 2 * i + 1;
		struct run swap;

		if (child >= s->nheap)
			return;
		if (child + 1 < s->nheap &&
		    str_cmp(s->runs[child + 1].record,
			s->runs[child].record) < 0)
			child++;
		if (str_cmp(s->runs[i].record, s->runs[child].record) <= 0)
			return;
		swap = s->runs[i];
		s->runs[i] = s->runs[child];
		s->runs[child] = swap;
		i = child;
	}
}

static int
start_merge(struct sorter *s, size_t memory)
{
	s->runs = mem_alloc(s->nruns * sizeof(*s->runs));
	memset(s->runs, 0, s->nruns * sizeof(*s->runs));
	s->nheap = s->nruns;
	s->read_size = memory / s->nruns;
	if (s->read_size < RUN_READ_MIN)
		s->read_size = RUN_READ_MIN;
	if (s->read_size > RUN_READ_MAX)
		s->read_size = RUN_READ_MAX;
	for (size_t i = 0; i < s->nruns; i++) {
		s->runs[i].at = i > 0 ? s->ends[i - 1] : 0;
		s->runs[i].end = s->ends[i];
		s->runs[i].p = mem_alloc(s->read_size);
		if (run_next(s, &s->runs[i]) < 0)
			return -1;
	}
	for (size_t i = s->nheap / 2; i-- > 0;)
		heap_down(s, i);
	return 0;
}

int
sorter_finish(struct sorter *s)
{
	size_t memory = s->text_max;

	if (s->nruns == 0) {
		sort_run(s->text, s->items, s->nitems);
		return 0;
	}
	if (s->nitems > 0 && spill(s) != 0)
		return -1;
	free(s->text);
	free(s->items);
	s->text = NULL;
	s->items = NULL;
	return start_merge(s, memory);
}

static int
merge_next(struct sorter *s, struct str *record)
{
	int got;

	if (s->nheap == 0)
		return 0;
	/* The record given last is borrowed until now, so its run waits. */
	if (s->is_started) {
		got = run_next(s, &s->runs[0]);
		if (got < 0)
			return -1;
		if (got == 0) {
			struct run done = s->runs[0];

			s->runs[0] = s->runs[--s->nheap];
			s->runs[s->nheap] = done;
		}
		heap_down(s, 0);
	}
	s->is_started = true;
	if (s->nheap == 0)
		return 0;
	*record = s->runs[0].record;
	return 1;
}

int
sorter_next(struct sorter *s, struct str *record)
{
	if (s->nruns > 0)
		return merge_next(s, record);
	if (s->next == s->nitems)
		return 0;
	*record = item_text(s, &s->items[s->next++]);
	return 1;
}
