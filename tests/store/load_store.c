/*
 * load_store.c - one who uses the store beside others: load_store add|find
 * sqlite:DIR works until its input ends, and says in JSON how long things took.
 *
 * add: durable adds (see make_address()) through the writer, as a daemon
 * does them, one after the other, a few milliseconds apart.  Those that were
 * acknowledged are the first "acknowledged" ones: it ends at the first that
 * was not.  find: look-ups of 16 addresses at a time, as policyd does them.
 *
 * load_store time sqlite:DIR BATCH looks the lines of its input up, so many at
 * a time, and says what one of them cost.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "store/writer.h"

#define TIMES_MAX      1000000
#define DEADLINE       30000
#define BATCH	       16
#define BATCH_MAX	 256
#define BETWEEN_MILLIS 5
#define ADDRESS_SIZE   64

struct load {
	struct store_spec spec;
	int64_t *times;
	size_t ntimes;
	uint64_t nfound, nunknown;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool is_done;
	enum store_answer answer;
};

/* a0.load@added.example, b1..., c2...: all over the keys. */
static struct str
make_address(char *out, size_t number)
{
	return str_make(out, (size_t)snprintf(out, ADDRESS_SIZE,
				 "%c%zu.load@added.example",
				 (int)('a' + number % 26), number));
}

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void
report(struct load *l, const char *what)
{
	static const double quantiles[] = { 0.5, 0.99, 0.999, 1 };
	static const char *const names[] = { "p50", "p99", "p999", "max" };

	qsort(l->times, l->ntimes, sizeof(*l->times), compare);
	printf("{\"%s\": %zu, \"found\": %llu, \"unknown\": %llu", what,
	    l->ntimes, (unsigned long long)l->nfound,
	    (unsigned long long)l->nunknown);
	for (size_t i = 0; i < 4 && l->ntimes > 0; i++)
		printf(", \"%s_ms\": %.3f", names[i],
		    (double)l->times[(size_t)(quantiles[i] *
			(double)(l->ntimes - 1))] / 1e6);
	printf("}\n");
}

/* Is it time to end?  Waits a little otherwise. */
static bool
is_over(int millis)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&input, 1, millis) > 0;
}

static void
note(struct load *l, int64_t began)
{
	if (l->ntimes < TIMES_MAX)
		l->times[l->ntimes++] = clock_monotonic() - began;
}

static void
done(void *arg, enum store_answer answer,
    const struct suppress_change *change)
{
	struct load *l = arg;

	(void)change;
	pthread_mutex_lock(&l->lock);
	l->is_done = true;
	l->answer = answer;
	pthread_cond_signal(&l->wake);
	pthread_mutex_unlock(&l->lock);
}

static enum store_answer
add_one(struct load *l, struct writer *w, size_t number)
{
	char address[ADDRESS_SIZE];
	struct suppress_change change = { .what = SUPPRESS_PUT,
		.actor = STR("load"),
		.entry = { .reason = SUPPRESS_UNSUBSCRIBE,
		    .created = time(NULL), .source = STR("load") } };

	change.entry.address = make_address(address, number);
	l->is_done = false;
	if (!writer_suppress(w, &change, store_deadline(DEADLINE), done, l))
		return STORE_UNKNOWN;
	pthread_mutex_lock(&l->lock);
	while (!l->is_done)
		pthread_cond_wait(&l->wake, &l->lock);
	pthread_mutex_unlock(&l->lock);
	return l->answer;
}

static int
add(struct load *l, struct buf *errors)
{
	struct writer *w = writer_start(&l->spec, 100, false, errors);
	bool is_well = true;

	if (w == NULL)
		return -1;
	for (size_t i = 0; is_well && !is_over(BETWEEN_MILLIS); i++) {
		int64_t began = clock_monotonic();

		is_well = add_one(l, w, i) == STORE_YES;
		if (is_well)
			note(l, began);
	}
	writer_stop(&w, DEADLINE);
	report(l, "acknowledged");
	return is_well ? 0 : -1;
}

static int
find(struct load *l, struct buf *errors)
{
	struct store *s = store_open(&l->spec, errors);
	struct arena *a = arena_new();
	char text[BATCH][ADDRESS_SIZE];
	size_t number = 0;

	while (s != NULL && !is_over(1)) {
		struct suppress_query q[BATCH] = { 0 };
		int64_t began;

		for (size_t i = 0; i < BATCH; i++, number++)
			q[i].address = make_address(text[i], number % 100);
		began = clock_monotonic();
		store_suppress_find(s, a, q, BATCH, store_deadline(DEADLINE));
		note(l, began);
		for (size_t i = 0; i < BATCH; i++) {
			l->nfound += q[i].answer == STORE_YES;
			l->nunknown += q[i].answer == STORE_UNKNOWN;
		}
		arena_reset(a);
	}
	arena_free(&a);
	if (s == NULL)
		return -1;
	store_close(&s);
	report(l, "batches");
	return 0;
}

/* Reads all lines, in memory that main() ends with: their number. */
static size_t
read_lines(struct arena *a, struct str **out)
{
	char line[SUPPRESS_ADDRESS_MAX + 2];
	size_t n = 0, cap = 0;

	*out = NULL;
	while (fgets(line, sizeof(line), stdin) != NULL) {
		*out = arena_grow(a, *out, n, &cap, sizeof(**out));
		(*out)[n++] = arena_copy(a, str_trim(str_from(line)));
	}
	return n;
}

static void
find_batch(struct load *l, struct store *s, struct arena *a,
    const struct str *lines, size_t n)
{
	struct suppress_query q[BATCH_MAX] = { 0 };

	for (size_t i = 0; i < n; i++)
		q[i].address = lines[i];
	store_suppress_find(s, a, q, n, store_deadline(DEADLINE));
	for (size_t i = 0; i < n; i++) {
		l->nfound += q[i].answer == STORE_YES;
		l->nunknown += q[i].answer == STORE_UNKNOWN;
	}
	arena_reset(a);
}

static int
time_lines(struct load *l, size_t batch, struct buf *errors)
{
	struct store *s = store_open(&l->spec, errors);
	struct arena *a = arena_new(), *all = arena_new();
	struct str *lines;
	size_t n = read_lines(all, &lines), at = 0;
	int64_t began = clock_monotonic(), cpu = clock_thread_cpu();

	while (s != NULL && at < n) {
		size_t k = n - at < batch ? n - at : batch;

		find_batch(l, s, a, lines + at, k);
		at += k;
	}
	if (s != NULL)
		printf("{\"lookups\": %zu, \"found\": %llu, \"unknown\": "
		       "%llu, \"us\": %.4f, \"cpu_us\": %.4f}\n",
		    n, (unsigned long long)l->nfound,
		    (unsigned long long)l->nunknown,
		    (double)(clock_monotonic() - began) / 1e3 / (double)n,
		    (double)(clock_thread_cpu() - cpu) / (double)n);
	store_close(&s);
	arena_free(&a);
	arena_free(&all);
	return n > 0 && l->nunknown == 0 ? 0 : -1;
}

static size_t
batch_of(const char *text)
{
	unsigned long n = text != NULL ? strtoul(text, NULL, 10) : 1;

	return n >= 1 && n <= BATCH_MAX ? n : 1;
}

int
main(int argc, char **argv)
{
	struct load l = { .spec = { .kinds = STORE_SUPPRESS,
		.access = STORE_READ, .clock = clock_system() } };
	struct buf errors;
	int rc;

	if (argc < 3) {
		fprintf(stderr, "usage: load_store add|find|time sqlite:DIR "
			"[BATCH]\n");
		return 64;
	}
	l.spec.store = str_from(argv[2]);
	l.times = calloc(TIMES_MAX, sizeof(*l.times));
	pthread_mutex_init(&l.lock, NULL);
	pthread_cond_init(&l.wake, NULL);
	buf_init(&errors, 65536);
	if (strcmp(argv[1], "time") == 0)
		rc = time_lines(&l, batch_of(argv[3]), &errors);
	else if (strcmp(argv[1], "add") == 0)
		rc = add(&l, &errors);
	else
		rc = find(&l, &errors);
	if (errors.n > 0)
		fprintf(stderr, "%s", errors.p);
	buf_free(&errors);
	free(l.times);
	return rc == 0 ? 0 : 1;
}
