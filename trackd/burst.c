/*
 * burst.c - clicks of the last seconds, by mail.  A mail is known by a keyed
 * hash alone; what stays of a click is what a correction of it needs.
 *
 * Locks and bounds are per shard: a mail that is clicked late pushes out the
 * one that was clicked longest ago.
 */
#include "trackd/burst.h"

#include <sys/random.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/siphash.h"

#define SHARDS	   64
#define MAILS	   256 /* of a shard */
#define CLICKS	   16  /* of a mail */
#define OCTETS	   (512 * 1024) /* of clicks of a shard */
#define TEXTS_MAX  (16 * 1024)	/* of a click */
#define IDENTITY_MAX 65536
#define NONE	   (-1)
#define NEVER	   INT64_MIN
#define MILLIS	   INT64_C(1000)

/*
 * So many different links of one mail within that time are a burst.  Why
 * these: bulkhead-robots(5).
 */
static const struct {
	unsigned links;
	int64_t span;
} thresholds[] = {
	{ 2, 500 * MILLIS },
	{ 3, 2000 * MILLIS },
	{ 5, 10000 * MILLIS },
};

#define NTHRESHOLDS (sizeof(thresholds) / sizeof(thresholds[0]))
#define LONGEST	    (10000 * MILLIS)
#define GOES_ON	    (2000 * MILLIS) /* a click so soon after it belongs */

struct click {
	int64_t at;
	uint64_t id;
	enum event_verdict verdict;
	struct str url, detail, metadata, visitor; /* in: */
	char *texts;
	size_t octets;
};

struct mail {
	unsigned char identity[SIPHASH_SIZE];
	int64_t last;  /* time of its latest click */
	int64_t burst; /* time of the latest click of a burst, or NEVER */
	struct click *clicks;
	unsigned nclicks, cap;
	int next;	  /* in its bucket, or free */
	int older, newer; /* by the last note */
};

struct shard {
	pthread_mutex_t lock;
	int buckets[MAILS];
	int oldest, newest, free;
	size_t octets;
	struct mail mails[MAILS];
};

struct bursts {
	unsigned char key[SIPHASH_KEY];
	_Atomic uint64_t ids;
	struct shard shards[SHARDS];
};

static void
shard_init(struct shard *s)
{
	pthread_mutex_init(&s->lock, NULL);
	s->oldest = s->newest = NONE;
	for (int i = 0; i < MAILS; i++) {
		s->buckets[i] = NONE;
		s->mails[i].next = i + 1 < MAILS ? i + 1 : NONE;
	}
}

struct bursts *
bursts_new(void)
{
	struct bursts *b = mem_alloc(sizeof(*b));

	memset(b, 0, sizeof(*b));
	if (getrandom(b->key, sizeof(b->key), 0) != (ssize_t)sizeof(b->key))
		abort(); /* 256 octets at most are never cut short */
	for (int i = 0; i < SHARDS; i++)
		shard_init(&b->shards[i]);
	return b;
}

static void
forget_clicks(struct shard *s, struct mail *m)
{
	for (unsigned i = 0; i < m->nclicks; i++) {
		s->octets -= m->clicks[i].octets;
		free(m->clicks[i].texts);
	}
	free(m->clicks);
	m->clicks = NULL;
	m->nclicks = m->cap = 0;
	m->burst = NEVER;
}

void
bursts_free(struct bursts **b)
{
	if (*b == NULL)
		return;
	for (int i = 0; i < SHARDS; i++) {
		struct shard *s = &(*b)->shards[i];

		for (int j = 0; j < MAILS; j++)
			forget_clicks(s, &s->mails[j]);
		pthread_mutex_destroy(&s->lock);
	}
	free(*b);
	*b = NULL;
}

static void
add_part(struct buf *text, struct str part)
{
	buf_add(text, &part.n, sizeof(part.n));
	buf_str(text, part);
}

/* 0, or -1 when it is no mail of one person that can be told from others. */
static int
identify(const struct bursts *b, const struct event *e,
    unsigned char out[SIPHASH_SIZE])
{
	struct buf text;
	int rc = -1;

	if (e->recipient.n == 0)
		return -1;
	buf_init(&text, IDENTITY_MAX);
	add_part(&text, e->domain);
	add_part(&text, e->campaign);
	add_part(&text, e->list);
	add_part(&text, e->recipient);
	buf_add(&text, &e->stream, sizeof(e->stream));
	if (buf_add(&text, &e->hours, sizeof(e->hours)) == 0) {
		siphash(b->key, buf_view(&text), out);
		rc = 0;
	}
	buf_free(&text);
	return rc;
}

static uint64_t
new_id(struct bursts *b)
{
	uint64_t n = atomic_fetch_add(&b->ids, 1), id;
	unsigned char out[SIPHASH_SIZE];

	siphash(b->key, str_make((const char *)&n, sizeof(n)), out);
	memcpy(&id, out, sizeof(id));
	return id != 0 ? id : 1;
}

static void
unlink_age(struct shard *s, int i)
{
	struct mail *m = &s->mails[i];

	*(m->older == NONE ? &s->oldest : &s->mails[m->older].newer) =
	    m->newer;
	*(m->newer == NONE ? &s->newest : &s->mails[m->newer].older) =
	    m->older;
}

static void
make_newest(struct shard *s, int i)
{
	struct mail *m = &s->mails[i];

	m->older = s->newest;
	m->newer = NONE;
	*(m->older == NONE ? &s->oldest : &s->mails[m->older].newer) = i;
	s->newest = i;
}

static int *
bucket_of(struct shard *s, const unsigned char *identity)
{
	return &s->buckets[identity[1] % MAILS];
}

static void
forget_oldest(struct shard *s)
{
	int i = s->oldest;
	struct mail *m = &s->mails[i];
	int *at = bucket_of(s, m->identity);

	while (*at != i)
		at = &s->mails[*at].next;
	*at = m->next;
	unlink_age(s, i);
	forget_clicks(s, m);
	m->next = s->free;
	s->free = i;
}

/* Clicks that no burst can reach any more are of no use to anyone. */
static void
forget_past(struct shard *s, int64_t now)
{
	while (s->oldest != NONE && s->mails[s->oldest].last < now - LONGEST)
		forget_oldest(s);
}

static int
find_or_add(struct shard *s, const unsigned char *identity, int64_t at)
{
	int *bucket = bucket_of(s, identity);
	int i = *bucket;
	struct mail *m;

	while (i != NONE &&
	    memcmp(s->mails[i].identity, identity, SIPHASH_SIZE) != 0)
		i = s->mails[i].next;
	if (i != NONE) {
		unlink_age(s, i);
		make_newest(s, i);
		return i;
	}
	if (s->free == NONE)
		forget_oldest(s);
	i = s->free;
	m = &s->mails[i];
	s->free = m->next;
	*m = (struct mail){ .last = at, .burst = NEVER, .next = *bucket };
	memcpy(m->identity, identity, SIPHASH_SIZE);
	*bucket = i;
	make_newest(s, i);
	return i;
}

static struct str
keep(char **to, struct str s)
{
	struct str kept = str_make(*to, s.n);

	if (s.n > 0)
		memcpy(*to, s.p, s.n);
	*to += s.n;
	return kept;
}

/* The place of one more click: the first one gives way when all are taken. */
static struct click *
new_click(struct shard *s, struct mail *m)
{
	if (m->nclicks == CLICKS) {
		s->octets -= m->clicks[0].octets;
		free(m->clicks[0].texts);
		m->nclicks--;
		memmove(m->clicks, m->clicks + 1,
		    m->nclicks * sizeof(*m->clicks));
	}
	if (m->nclicks == m->cap) {
		m->cap = m->cap == 0 ? 1 : m->cap * 2;
		m->clicks = mem_realloc(m->clicks,
		    m->cap * sizeof(*m->clicks));
	}
	return &m->clicks[m->nclicks++];
}

static struct click *
add_click(struct shard *s, struct mail *m, const struct event *e)
{
	size_t n = e->url.n + e->detail.n + e->metadata.n + e->visitor.n;
	struct click *c = new_click(s, m);
	char *to = mem_alloc(n + 1);

	*c = (struct click){ .at = e->at, .id = e->id, .verdict = e->verdict,
		.texts = to, .octets = n + sizeof(*c) };
	c->url = keep(&to, e->url);
	c->detail = keep(&to, e->detail);
	c->metadata = keep(&to, e->metadata);
	c->visitor = keep(&to, e->visitor);
	s->octets += c->octets;
	return c;
}

/* How many different links since then? */
static unsigned
count_links(const struct mail *m, int64_t since)
{
	unsigned n = 0;

	for (unsigned i = 0; i < m->nclicks; i++) {
		unsigned j = 0;

		if (m->clicks[i].at < since)
			continue;
		while (j < i && (m->clicks[j].at < since ||
		    !str_eq(m->clicks[j].url, m->clicks[i].url)))
			j++;
		n += j == i;
	}
	return n;
}

/* Since when it is a burst; INT64_MAX: it is none. */
static int64_t
burst_since(const struct mail *m, int64_t at)
{
	int64_t since = INT64_MAX;

	if (m->burst != NEVER && m->last - m->burst <= GOES_ON)
		since = at;
	for (size_t i = 0; i < NTHRESHOLDS; i++) {
		int64_t from = m->last - thresholds[i].span;

		if (from < since &&
		    count_links(m, from) >= thresholds[i].links)
			since = from;
	}
	return since;
}

static void
correct(const struct event *e, const struct click *c,
    void (*each)(void *arg, const struct event *e), void *arg)
{
	struct event correction = *e;

	correction.id = c->id;
	correction.at = c->at;
	correction.was = c->verdict;
	correction.url = c->url;
	correction.detail = c->detail;
	correction.metadata = c->metadata;
	correction.visitor = c->visitor;
	each(arg, &correction);
}

static void
note(struct shard *s, struct mail *m, struct event *e,
    void (*each)(void *arg, const struct event *e), void *arg)
{
	int64_t since;

	if (e->at < m->last - LONGEST) { /* the clock was set back */
		forget_clicks(s, m);
		m->last = e->at;
	}
	if (e->at > m->last)
		m->last = e->at;
	add_click(s, m, e);
	since = burst_since(m, e->at);
	if (since == INT64_MAX) {
		each(arg, e);
		return;
	}
	m->burst = m->last;
	e->verdict = EVENT_SCANNER;
	e->rule = STR("burst");
	each(arg, e);
	for (unsigned i = 0; i < m->nclicks; i++) {
		struct click *c = &m->clicks[i];

		if (c->at < since || c->verdict == EVENT_SCANNER)
			continue;
		if (i + 1 < m->nclicks)
			correct(e, c, each, arg);
		c->verdict = EVENT_SCANNER;
	}
}

static bool
is_counted(const struct event *e)
{
	return e->kind == EVENT_CLICKED && (e->verdict == EVENT_HUMAN ||
	    e->verdict == EVENT_UNKNOWN) && e->url.n + e->detail.n +
	    e->metadata.n + e->visitor.n <= TEXTS_MAX;
}

void
bursts_note(struct bursts *b, struct event *e,
    void (*each)(void *arg, const struct event *e), void *arg)
{
	unsigned char identity[SIPHASH_SIZE];
	struct shard *s;
	int i;

	if (e->id == 0)
		e->id = new_id(b);
	if (!is_counted(e) || identify(b, e, identity) != 0) {
		each(arg, e);
		return;
	}
	s = &b->shards[identity[0] % SHARDS];
	pthread_mutex_lock(&s->lock);
	forget_past(s, e->at);
	i = find_or_add(s, identity, e->at);
	note(s, &s->mails[i], e, each, arg);
	while (s->octets > OCTETS && s->oldest != i)
		forget_oldest(s);
	pthread_mutex_unlock(&s->lock);
}
