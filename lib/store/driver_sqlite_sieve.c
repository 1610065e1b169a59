/*
 * driver_sqlite_sieve.c - suppress.db: a sieve made of all addresses, kept up
 * to date by the log of what was added.  Looking up is
 * driver_sqlite_suppress.c's.
 */
#include "store/driver_sqlite_suppress.h"

/* How many addresses are read between two looks at *stop. */
#define STOP_EVERY 1024

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

static bool
add_all(struct sqlite_file *f, struct suppress_sieve *sieve,
    const atomic_bool *stop)
{
	sqlite3_stmt *s = sqlite_file_statement(f, ENTRY_ADDRESSES);
	uint64_t n = 0;
	int rc;

	if (s == NULL)
		return false;
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		if (n++ % STOP_EVERY == 0 && atomic_load(stop))
			break;
		add_address(sieve, sqlite_str(s, 0));
	}
	sqlite3_reset(s);
	return rc == SQLITE_DONE || rc == SQLITE_ROW;
}

/* All within one transaction, so that no entry and no addition is missed. */
static struct suppress_sieve *
make(struct sqlite_file *f, const atomic_bool *stop)
{
	struct suppress_sieve *sieve;
	int64_t moment, n;

	if (!read_number(f, ADDITIONS_LAST, &moment) ||
	    !read_number(f, ENTRY_COUNT, &n))
		return NULL;
	sieve = mem_alloc(sizeof(*sieve));
	*sieve = (struct suppress_sieve){
		.texts = sieve_new((uint64_t)n + (uint64_t)n / 4 + 10000),
		.file = { f->inode, f->device },
		.moment = moment,
	};
	if (!add_all(f, sieve, stop))
		suppress_sieve_free(&sieve);
	return sieve;
}

struct suppress_sieve *
sqlite_make_sieve(struct driver *driver, struct driver_call *call,
    const atomic_bool *stop)
{
	struct sqlite_file *f = &((struct sqlite_driver *)driver)->suppress;
	struct suppress_sieve *sieve;

	if (sqlite_file_read(f, call) != STORE_YES)
		return NULL;
	sieve = make(f, stop);
	if (sieve == NULL)
		sqlite_file_failed(f, call);
	else if (sqlite_file_commit(f, call) != STORE_YES || atomic_load(stop))
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
	bool fits = true;
	int64_t last;

	if (d->sieve == NULL)
		return true;
	if (d->sieve_generation != f->generation) {
		suppress_sieve_free(&d->sieve);
		return true;
	}
	if (!read_number(f, ADDITIONS_LAST, &last))
		return false;
	if (last > d->sieve->moment && !add_since(f, d->sieve, &fits))
		return false;
	if (!fits || last != d->sieve->moment)
		suppress_sieve_free(&d->sieve);
	return true;
}
