/*
 * driver_sqlite_rollup_add.c - adds a batch to rollups.db: what humans did
 * decides which are unique, then rows and links in the order of their keys.
 */
#include "store/driver_sqlite_rollup.h"

/* A row of seen: n 0 where there is none. */
struct seen {
	int64_t n;
	uint32_t day; /* where the unique one is counted */
	uint8_t verdict;
	uint32_t last; /* day on which something was done to it */
};

static bool
find_seen(struct sqlite_file *f, const struct rollup_touch *t,
    struct seen *out)
{
	sqlite3_stmt *s = sqlite_file_statement(f, ROLLUP_SEEN);
	int rc;

	*out = (struct seen){ .n = 0 };
	if (s == NULL)
		return false;
	sqlite_bind_int(s, 1, t->hours);
	sqlite_bind_int(s, 2, (int64_t)t->key);
	rc = sqlite3_step(s);
	if (rc == SQLITE_ROW)
		*out = (struct seen){ .n = sqlite3_column_int64(s, 0),
			.day = (uint32_t)sqlite3_column_int64(s, 1),
			.verdict = (uint8_t)sqlite3_column_int(s, 2),
			.last = (uint32_t)sqlite3_column_int64(s, 3) };
	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		sqlite3_reset(s);
	return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

static bool
put_seen(struct sqlite_file *f, const struct rollup_touch *t,
    const struct seen *seen)
{
	sqlite3_stmt *s = sqlite_file_statement(f, seen->n > 0 ?
	    ROLLUP_SEEN_PUT : ROLLUP_SEEN_DELETE);

	if (s == NULL)
		return false;
	sqlite_bind_int(s, 1, t->hours);
	sqlite_bind_int(s, 2, (int64_t)t->key);
	if (seen->n > 0) {
		sqlite_bind_int(s, 3, seen->n);
		sqlite_bind_int(s, 4, seen->day);
		sqlite_bind_int(s, 5, seen->verdict);
		sqlite_bind_int(s, 6, seen->last);
	}
	return sqlite_run(s);
}

/* One more or less unique, where that is counted. */
static void
count_unique(struct rollup_batch *b, const struct rollup_touch *t,
    const struct seen *seen, int64_t delta)
{
	struct rollup_row row;

	if (t->is_link) {
		b->links[t->target].unique += delta;
		return;
	}
	row = b->rows[t->target].row;
	row.day = seen->day;
	row.verdict = (enum event_verdict)seen->verdict;
	rollup_batch_row(b, &row)->unique += delta;
}

static void
apply_touch(struct rollup_batch *b, const struct rollup_touch *t,
    struct seen *seen)
{
	if (t->delta > 0) {
		if (seen->n++ > 0)
			return;
		seen->day = t->day;
		seen->verdict = t->verdict;
		count_unique(b, t, seen, 1);
	} else if (seen->n > 0 && --seen->n == 0) {
		count_unique(b, t, seen, -1);
	}
}

/* All touches of one mail, from i on: how many, or 0. */
static size_t
add_mail(struct sqlite_file *f, struct rollup_batch *b, size_t i)
{
	const struct rollup_touch first = b->touches[i];
	struct seen seen, before;
	size_t n = 0;

	if (!find_seen(f, &first, &seen))
		return 0;
	before = seen;
	for (; i + n < b->ntouches; n++) {
		const struct rollup_touch *t = &b->touches[i + n];

		if (t->key != first.key || t->hours != first.hours)
			break;
		if (t->day > seen.last)
			seen.last = t->day;
		apply_touch(b, t, &seen);
	}
	if ((seen.n > 0 || before.n > 0) && !put_seen(f, &first, &seen))
		return 0;
	return n;
}

static bool
add_touches(struct sqlite_file *f, struct rollup_batch *b)
{
	size_t n;

	rollup_batch_sort_touches(b);
	for (size_t i = 0; i < b->ntouches; i += n) {
		n = add_mail(f, b, i);
		if (n == 0)
			return false;
	}
	return true;
}

static bool
add_row(struct sqlite_file *f, const struct rollup_change *c)
{
	sqlite3_stmt *s;

	if (c->n == 0 && c->unique == 0)
		return true;
	s = sqlite_file_statement(f, ROLLUP_ADD);
	if (s == NULL)
		return false;
	sqlite_bind_int(s, 1, c->row.day);
	sqlite_bind_str(s, 2, c->row.domain);
	sqlite_bind_int(s, 3, c->row.stream);
	sqlite_bind_str(s, 4, c->row.campaign);
	sqlite_bind_str(s, 5, c->row.list);
	sqlite_bind_int(s, 6, c->row.kind);
	sqlite_bind_int(s, 7, c->row.verdict);
	sqlite_bind_int(s, 8, c->n);
	sqlite_bind_int(s, 9, c->unique);
	return sqlite_run(s);
}

/* Where links are being added. */
struct campaign {
	const struct rollup_link *key; /* NULL: none yet */
	int64_t id, nlinks, nbefore;
};

static bool
find_campaign(struct sqlite_file *f, const struct rollup_link *key,
    struct campaign *c)
{
	sqlite3_stmt *s = sqlite_file_statement(f, ROLLUP_CAMPAIGN);
	int rc;

	*c = (struct campaign){ .key = key };
	if (s == NULL)
		return false;
	sqlite_bind_str(s, 1, key->domain);
	sqlite_bind_int(s, 2, key->stream);
	sqlite_bind_str(s, 3, key->campaign);
	rc = sqlite3_step(s);
	if (rc == SQLITE_ROW) {
		c->id = sqlite3_column_int64(s, 0);
		c->nlinks = c->nbefore = sqlite3_column_int64(s, 1);
	}
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return false;
	sqlite3_reset(s);
	if (rc == SQLITE_ROW)
		return true;
	s = sqlite_file_statement(f, ROLLUP_CAMPAIGN_NEW);
	if (s == NULL)
		return false;
	sqlite_bind_str(s, 1, key->domain);
	sqlite_bind_int(s, 2, key->stream);
	sqlite_bind_str(s, 3, key->campaign);
	if (!sqlite_run(s))
		return false;
	c->id = sqlite3_last_insert_rowid(f->db);
	return true;
}

/* Notes how many links it has now. */
static bool
leave_campaign(struct sqlite_file *f, const struct campaign *c)
{
	sqlite3_stmt *s;

	if (c->key == NULL || c->nlinks == c->nbefore)
		return true;
	s = sqlite_file_statement(f, ROLLUP_CAMPAIGN_LINKS);
	if (s == NULL)
		return false;
	sqlite_bind_int(s, 1, c->id);
	sqlite_bind_int(s, 2, c->nlinks);
	return sqlite_run(s);
}

static bool
write_link(struct sqlite_file *f, size_t statement, int64_t campaign,
    struct str url, const struct rollup_link_change *c)
{
	sqlite3_stmt *s = sqlite_file_statement(f, statement);

	if (s == NULL)
		return false;
	sqlite_bind_int(s, 1, campaign);
	sqlite_bind_str(s, 2, url);
	for (int i = 0; i < EVENT_VERDICTS; i++)
		sqlite_bind_int(s, 3 + i, c->n[i]);
	sqlite_bind_int(s, 8, c->unique);
	return sqlite_run(s);
}

/*
 * Most links are there already.  A campaign with a link of its own for each
 * recipient has only so many; the rest share the one without url.
 */
static bool
add_link(struct sqlite_file *f, struct campaign *campaign,
    const struct rollup_link_change *c)
{
	struct str url = c->link.url;

	if (!write_link(f, ROLLUP_LINK_ADD, campaign->id, url, c))
		return false;
	if (sqlite3_changes(f->db) > 0)
		return true;
	if (campaign->nlinks >= ROLLUP_LINKS_MAX) {
		url = STR("");
		if (!write_link(f, ROLLUP_LINK_ADD, campaign->id, url, c))
			return false;
		if (sqlite3_changes(f->db) > 0)
			return true;
	}
	campaign->nlinks++;
	return write_link(f, ROLLUP_LINK_NEW, campaign->id, url, c);
}

static bool
add_links(struct sqlite_file *f, const struct rollup_batch *b)
{
	struct campaign campaign = { .key = NULL };

	for (size_t i = 0; i < b->nlinks; i++) {
		const struct rollup_link *l = &b->links[i].link;

		if (campaign.key == NULL ||
		    campaign.key->stream != l->stream ||
		    !str_eq(campaign.key->domain, l->domain) ||
		    !str_eq(campaign.key->campaign, l->campaign)) {
			if (!leave_campaign(f, &campaign) ||
			    !find_campaign(f, l, &campaign))
				return false;
		}
		if (!add_link(f, &campaign, &b->links[i]))
			return false;
	}
	return leave_campaign(f, &campaign);
}

bool
sqlite_rollup_add(struct sqlite_file *f, struct rollup_batch *b)
{
	if (!add_touches(f, b))
		return false;
	rollup_batch_sort_rows(b);
	for (size_t i = 0; i < b->nrows; i++)
		if (!add_row(f, &b->rows[i]))
			return false;
	return add_links(f, b);
}
