/*
 * sort_run.c - multikey quicksort (Bentley and Sedgewick, 1997) that compares
 * eight bytes at a time and keeps them in the index: addresses share long
 * beginnings, and a look at the text itself misses the cache.
 */
#include "base/sort_run.h"

#include "base/str.h"

#define WORD  8
#define SMALL 16

/* The eight bytes at depth, as a number that orders as they do. */
static uint64_t
load_word(const char *text, const struct sort_item *item, uint32_t depth)
{
	unsigned char b[WORD] = { 0 };
	uint32_t n = item->length > depth ? item->length - depth : 0;
	uint64_t v = 0;

	memcpy(b, text + item->offset + (n > 0 ? depth : 0),
	    n < WORD ? n : WORD);
	for (int i = 0; i < WORD; i++)
		v = v << 8 | b[i];
	return v;
}

static void
swap_items(struct sort_item *a, struct sort_item *b)
{
	struct sort_item t = *a;

	*a = *b;
	*b = t;
}

static int
compare(const char *text, const struct sort_item *a, const struct sort_item *b,
    uint32_t depth)
{
	struct str x, y;

	if (a->word != b->word)
		return a->word < b->word ? -1 : 1;
	x = str_make(text + a->offset, a->length);
	y = str_make(text + b->offset, b->length);
	return str_cmp(str_sub(x, depth, x.n), str_sub(y, depth, y.n));
}

static void
sort_small(const char *text, struct sort_item *v, size_t n, uint32_t depth)
{
	for (size_t i = 1; i < n; i++) {
		struct sort_item item = v[i];
		size_t j = i;

		for (; j > 0 && compare(text, &item, &v[j - 1], depth) < 0; j--)
			v[j] = v[j - 1];
		v[j] = item;
	}
}

static uint64_t
median(uint64_t a, uint64_t b, uint64_t c)
{
	if (a < b)
		return b < c ? b : a < c ? c : a;
	return a < c ? a : b < c ? c : b;
}

/* Of places that no order of the input can aim at without knowing n. */
static uint64_t
choose_pivot(const struct sort_item *v, size_t n)
{
	size_t r = n * (size_t)0x9e3779b97f4a7c15u;

	return median(v[(r >> 3) % n].word, v[n / 2].word,
	    v[(r >> 23) % n].word);
}

/* Three parts: below the pivot, the pivot, above: [0, *lt) [*lt, *gt) ... */
static void
split(struct sort_item *v, size_t n, size_t *lt, size_t *gt)
{
	uint64_t pivot = choose_pivot(v, n);
	size_t i = 0;

	*lt = 0;
	*gt = n;
	while (i < *gt) {
		if (v[i].word < pivot)
			swap_items(&v[i++], &v[(*lt)++]);
		else if (v[i].word > pivot)
			swap_items(&v[i], &v[--*gt]);
		else
			i++;
	}
}

/*
 * Of strings that are alike up to depth + WORD: those that end before come
 * first, by length (they differ in trailing NULs only); the others get their
 * next word.  Returns how many end.
 */
static size_t
load_deeper(const char *text, struct sort_item *v, size_t n, uint32_t depth)
{
	size_t nended = 0;

	for (size_t i = 0; i < n; i++) {
		if (v[i].length > depth + WORD) {
			v[i].word = load_word(text, &v[i], depth + WORD);
		} else {
			v[i].word = v[i].length;
			swap_items(&v[i], &v[nended++]);
		}
	}
	return nended;
}

/* Few lengths are possible: a pass for each. */
static void
sort_ended(struct sort_item *v, size_t n)
{
	size_t done = 0;

	while (done < n) {
		uint64_t least = UINT64_MAX;

		for (size_t i = done; i < n; i++)
			if (v[i].word < least)
				least = v[i].word;
		for (size_t i = done; i < n; i++)
			if (v[i].word == least)
				swap_items(&v[i], &v[done++]);
	}
}

/*
 * Recursion goes into the lesser parts only, so its depth is the logarithm of
 * n and an eighth of the longest string at most.
 */
static void
sort_words(const char *text, struct sort_item *v, size_t n, uint32_t depth)
{
	while (n > SMALL) {
		size_t lt, gt, nended;

		split(v, n, &lt, &gt);
		nended = load_deeper(text, v + lt, gt - lt, depth);
		sort_ended(v + lt, nended);
		sort_words(text, v + lt + nended, gt - lt - nended,
		    depth + WORD);
		if (lt < n - gt) {
			sort_words(text, v, lt, depth);
			v += gt;
			n -= gt;
		} else {
			sort_words(text, v + gt, n - gt, depth);
			n = lt;
		}
	}
	sort_small(text, v, n, depth);
}

void
sort_run(const char *text, struct sort_item *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		v[i].word = load_word(text, &v[i], 0);
	sort_words(text, v, n, 0);
}
