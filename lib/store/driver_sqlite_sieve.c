/*
 * driver_sqlite_sieve.c - suppress.db: a sieve made of all addresses, kept up
 * to date by the log of what was added.  Looking up is
 * driver_sqlite_suppress.c's.
 */
#include "store/driver_sqlite_suppress.h"

#include <string.h>

/* Entries of one transaction; a file has this many octets for each, or more. */
#define PIECE	   4096
#define ENTRY_SIZE 40

static void
add_address(struct suppress_sieve *s, struct str address)
{
	sieve_add(s->texts, address);
	if (address.n > 0 && address.p[0] == '@')
		s->has_domains = true;
}

/* The one number of a statement without parameters. */
static bool
read_number(struct sqlite_file *f, size_t number, int64_t *out)
{
	sqlite3_stmt *s = sqlite_file_statement(f, number);
	int rc;

	if (s == NULL)
		return false;
	rc = sqlite3_step(s);
	*out = rc == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
	sqlite3_reset(s);
	return rc == SQLITE_ROW;
}

/* The addresses behind *last, which becomes the last of them. */
static bool
add_piece(struct sqlite_file *f, struct suppress_sieve *sieve,
    struct buf *last, bool *is_end)
{
	sqlite3_stmt *s = sqlite_file_statement(f, ENTRY_ADDRESSES);
	char next[SUPPRESS_ADDRESS_MAX];
	size_t nnext = 0;
	int n = 0, rc;

	if (s == NULL)
		return false;
	sqlite_bind_str(s, 1, buf_view(last));
	sqlite_bind_int(s, 2, PIECE);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		struct str address = sqlite_str(s, 0);

		add_address(sieve, address);
		if (++n < PIECE)
			continue;
		nnext = address.n < sizeof(next) ? address.n : sizeof(next);
		memcpy(next, address.p, nnext);
	}
	sqlite3_reset(s);
	*is_end = n < PIECE;
	/* what is no text sorts behind all texts: it would never end */
	if (rc != SQLITE_DONE || (!*is_end &&
	    str_eq(str_make(next, nnext), buf_view(last))))
		return false;
	buf_clear(last);
	buf_add(last, next, nnext);
	return true;
}

static bool
begin_sieve(struct sqlite_file *f, struct suppress_sieve *sieve)
{
	int64_t npages, size;

	*sieve = (struct suppress_sieve){ .file = { f->inode, f->device } };
	if (!read_number(f, ADDITIONS_LAST, &sieve->moment) ||
	    !read_number(f, SCHEMA_VERSION, &sieve->schema) ||
	    !sqlite_number(f, "PRAGMA page_count", &npages) ||
	    !sqlite_number(f, "PRAGMA page_size", &size))
		return false;
	sieve->texts = sieve_new((uint64_t)npages * (uint64_t)size /
	    ENTRY_SIZE + 10000);
	return true;
}

/*
 * In short transactions, so that the log can be check-pointed meanwhile: what
 * is there at a look-up was there from the first moment on, and so is met by a
 * walk in the order of keys, or was added since, and so is in the log.
 */
static bool
walk(struct sqlite_file *f, struct driver_call *call,
    struct suppress_sieve *sieve, const atomic_bool *stop)
{
	uint64_t generation = 0;
	bool is_end = false, is_first = true, is_well;
	struct buf last;

	buf_init(&last, SUPPRESS_ADDRESS_MAX);
	do {
		is_well = sqlite_file_read(f, call) == STORE_YES;
		if (!is_well)
			break;
		if (is_first)
			generation = f->generation;
		is_well = f->generation == generation &&
		    (!is_first || begin_sieve(f, sieve)) &&
		    add_piece(f, sieve, &last, &is_end);
		if (!is_well)
			sqlite_file_failed(f, call);
		else
			is_well = sqlite_file_commit(f, call) == STORE_YES;
		is_first = false;
	} while (is_well && !is_end && !atomic_load(stop));
	buf_free(&last);
	return is_well && is_end && !atomic_load(stop);
}

struct suppress_sieve *
sqlite_make_sieve(struct driver *driver, struct driver_call *call,
    const atomic_bool *stop)
{
	struct sqlite_file *f = &((struct sqlite_driver *)driver)->suppress;
	struct suppress_sieve *sieve = mem_alloc(sizeof(*sieve));

	*sieve = (struct suppress_sieve){ .texts = NULL };
	/* it reads each page once: a cache would only hold memory */
	if (f->db != NULL)
		sqlite3_exec(f->db, "PRAGMA cache_size = -1024", NULL, NULL,
		    NULL);
	if (!walk(f, call, sieve, stop))
		suppress_sieve_free(&sieve);
	return sieve;
}

void
sqlite_use_sieve(struct driver *driver, struct suppress_sieve **sieve)
{
	struct sqlite_driver *d = (struct sqlite_driver *)driver;
	const struct sqlite_file *f = &d->suppress;

	suppress_sieve_free(&d->sieve);
	if (f->db == NULL || (*sieve)->file[0] != f->inode ||
	    (*sieve)->file[1] != f->device)
		return;
	d->sieve = *sieve;
	d->sieve_generation = f->generation;
	*sieve = NULL;
}

bool
sqlite_wants_sieve(const struct driver *driver)
{
	const struct sqlite_driver *d = (const struct sqlite_driver *)driver;

	return d->sieve == NULL || sieve_is_full(d->sieve->texts);
}

/*
 * Takes in what was added since.  *fits becomes false where the log does not
 * tell: it was trimmed, or many were added together.
 */
static bool
add_since(struct sqlite_file *f, struct suppress_sieve *sieve, bool *fits)
{
	sqlite3_stmt *s = sqlite_file_statement(f, ADDITIONS_SINCE);
	int rc = SQLITE_DONE;

	if (s == NULL)
		return false;
	sqlite_bind_int(s, 1, sieve->moment);
	while (*fits && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		struct str address = sqlite_str(s, 1);

		*fits = address.n > 0 &&
		    sqlite3_column_int64(s, 0) == sieve->moment + 1;
		if (!*fits)
			break;
		add_address(sieve, address);
		sieve->moment++;
	}
	sqlite3_reset(s);
	return rc == SQLITE_DONE || rc == SQLITE_ROW;
}

bool
sqlite_follow_additions(struct sqlite_driver *d)
{
	struct sqlite_file *f = &d->suppress;
	int64_t last, schema;
	bool fits;

	if (d->sieve == NULL)
		return true;
	if (d->sieve_generation != f->generation) {
		suppress_sieve_free(&d->sieve);
		return true;
	}
	if (!read_number(f, ADDITIONS_LAST, &last) ||
	    !read_number(f, SCHEMA_VERSION, &schema))
		return false;
	/* a backup was put into the file: its log is another one */
	fits = schema == d->sieve->schema;
	if (fits && last > d->sieve->moment &&
	    !add_since(f, d->sieve, &fits))
		return false;
	if (!fits || last != d->sieve->moment)
		suppress_sieve_free(&d->sieve);
	return true;
}
