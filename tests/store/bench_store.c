/*
 * bench_store.c - what the store costs: bench_store DIR N [BATCH] imports N
 * sorted addresses into an empty DIR and looks random ones up.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "store/suppress.h"

#define LOOKUPS 300000

static struct store *
open_store(const char *dir)
{
	char spec[1024];
	struct buf errors;
	struct store_spec s = { .kinds = STORE_SUPPRESS,
		.access = STORE_CHANGE, .clock = clock_system() };
	struct store *store;

	snprintf(spec, sizeof(spec), "sqlite:%s", dir);
	s.store = str_from(spec);
	buf_init(&errors, 65536);
	store = store_open(&s, &errors);
	if (store == NULL) {
		fprintf(stderr, "%s", errors.p);
		exit(1);
	}
	buf_free(&errors);
	return store;
}

/* Address i of a sorted list of some 26 octets each. */
static size_t
address(char *out, size_t size, unsigned long i)
{
	return (size_t)snprintf(out, size, "user%09lu@mail%02lu.example", i,
	    i * 2654435761u % 100);
}

static void
fill(struct store *s, unsigned long n)
{
	struct suppress_import import = { .source = STR("bench") };
	size_t slice = 1000, max = 100000;
	struct suppress_change *v = calloc(max, sizeof(*v));
	char (*text)[64] = malloc(max * sizeof(*text));
	int64_t begin = clock_monotonic(), longest = 0;

	if (store_import_begin(s, &import, store_deadline(10000)) != STORE_YES)
		exit(1);
	for (unsigned long i = 0; i < n;) {
		size_t k = n - i < slice ? n - i : slice;
		int64_t t;

		for (size_t j = 0; j < k; j++, i++) {
			v[j].what = SUPPRESS_PUT;
			v[j].entry = (struct suppress_entry){
				.address = str_make(text[j], address(text[j],
				    sizeof(text[j]), 2 * i)),
				.reason = SUPPRESS_IMPORT,
				.created = 1796112000, .source = STR("import"),
			};
		}
		import.position = i;
		t = clock_monotonic();
		if (store_import_slice(s, &import, v, k,
		    store_deadline(10000)) != STORE_YES) {
			fprintf(stderr, "%s\n", store_error(s,
			    STORE_SUPPRESS));
			exit(1);
		}
		t = clock_monotonic() - t;
		if (t > longest)
			longest = t;
		slice = (size_t)((double)slice * 40e6 / (double)t);
		slice = slice < 100 ? 100 : slice > max ? max : slice;
	}
	printf("import: %lu in %.2f s, longest slice %.1f ms\n", n,
	    (double)(clock_monotonic() - begin) / 1e9, (double)longest / 1e6);
	free(v);
	free(text);
}

static void
look_up(struct store *s, unsigned long n, size_t batch, unsigned odd)
{
	struct suppress_query *q = calloc(batch, sizeof(*q));
	char (*text)[64] = malloc(batch * sizeof(*text));
	struct arena *a = arena_new();
	uint64_t seed = 88172645463325252u, nfound = 0;
	int64_t begin = clock_monotonic(), cpu = clock_thread_cpu();

	for (size_t i = 0; i < LOOKUPS / batch; i++) {
		for (size_t j = 0; j < batch; j++) {
			seed ^= seed << 13, seed ^= seed >> 7,
			seed ^= seed << 17;
			q[j] = (struct suppress_query){ .address = str_make(
				text[j], address(text[j], sizeof(text[j]),
				2 * (seed % n) + odd)) };
		}
		store_suppress_find(s, a, q, batch, store_deadline(1000));
		for (size_t j = 0; j < batch; j++)
			nfound += q[j].answer == STORE_YES;
		arena_reset(a);
	}
	printf("%s, batch %zu: %.2f us, %.2f us of CPU (%lu found)\n",
	    odd ? "miss" : "hit", batch,
	    (double)(clock_monotonic() - begin) / 1e3 / LOOKUPS,
	    (double)(clock_thread_cpu() - cpu) / LOOKUPS,
	    (unsigned long)nfound);
	arena_free(&a);
	free(q);
	free(text);
}

int
main(int argc, char **argv)
{
	unsigned long n;
	struct store *s;

	if (argc < 3) {
		fprintf(stderr, "usage: bench_store DIR N\n");
		return 64;
	}
	n = strtoul(argv[2], NULL, 10);
	s = open_store(argv[1]);
	if (argc < 4)
		fill(s, n);
	for (int round = 0; round < 2; round++)
		for (size_t batch = 1; batch <= 64; batch *= 8) {
			look_up(s, n > 0 ? n : 1000, batch, 0);
			look_up(s, n > 0 ? n : 1000, batch, 1);
		}
	store_close(&s);
	return 0;
}
