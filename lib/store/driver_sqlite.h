/*
 * driver_sqlite.h - what the files of the SQLite driver share: one open
 * database file with its statements, transactions and errors.
 */
#ifndef BULKHEAD_STORE_DRIVER_SQLITE_H
#define BULKHEAD_STORE_DRIVER_SQLITE_H

#include <sqlite3.h>
#include <sys/types.h>

#include "store/driver.h"

#define SQLITE_FILE_STATEMENTS 32

/* What a kind's file is to be. */
struct sqlite_schema {
	const char *name;	 /* "suppress.db" */
	int32_t application_id;
	const char *pragmas;	 /* for each connection */
	const char *const *steps; /* step i makes version i + 1 of i */
	size_t nsteps;
	const char *const *statements; /* prepared when first needed */
	size_t nstatements;
};

/*
 * A file that is open, or closed after a failure and opened again by the next
 * call.  Never moves in memory while it is open: SQLite's handlers point here.
 */
struct sqlite_file {
	const struct sqlite_schema *schema;
	char *path;
	enum store_access access;
	sqlite3 *db; /* NULL: closed */
	sqlite3_stmt *statements[SQLITE_FILE_STATEMENTS];
	int64_t deadline;   /* of the call under way */
	/* the file that was opened, and its length so far */
	ino_t inode;
	dev_t device;
	off_t size;
	int64_t next_open;  /* not before: a broken file is not hammered */
	uint64_t generation; /* how often it was opened */
	bool is_broken;	     /* close it when the call ends */
	char why[DRIVER_ERROR_SIZE]; /* it could not be opened */
};

/* Prepares *f; the file is opened by sqlite_file_open() or the first call. */
void sqlite_file_init(struct sqlite_file *f, const struct sqlite_schema *schema,
    struct str directory, enum store_access access);
void sqlite_file_free(struct sqlite_file *f);

/*
 * As sqlite_file_init() for a schema that is the schema of many files: this
 * one's name.
 */
void sqlite_file_init_name(struct sqlite_file *f,
    const struct sqlite_schema *schema, struct str directory,
    const char *name, enum store_access access);

/*
 * Opens it if it is closed: checks the directory, creates what is missing and
 * migrates (STORE_CHANGE), checks what it is.  STORE_YES or STORE_UNKNOWN.
 */
enum store_answer sqlite_file_open(struct sqlite_file *f,
    struct driver_call *call);

/*
 * Begins a transaction, opening the file where it is closed.  STORE_YES, or
 * STORE_UNKNOWN with the reason noted and nothing begun.
 */
enum store_answer sqlite_file_read(struct sqlite_file *f,
    struct driver_call *call);
enum store_answer sqlite_file_write(struct sqlite_file *f,
    struct driver_call *call);

/* Commits what was begun: STORE_YES, or as sqlite_file_failed(). */
enum store_answer sqlite_file_commit(struct sqlite_file *f,
    struct driver_call *call);

/*
 * Until sqlite_file_strict(): what is committed is whole and in order but not
 * durable, and is check-pointed by that many pages; triggers do not run (one
 * for each row would double an import's time).  A file that is opened
 * meanwhile is strict.
 */
void sqlite_file_relax(struct sqlite_file *f, int npages);
void sqlite_file_strict(struct sqlite_file *f);

/*
 * Lets others write before the next of many transactions: they poll for the
 * lock, and without a pause between slices would hardly ever meet it free.
 */
void sqlite_file_yield(void);

/* Takes back what was begun; nothing is wrong with the file. */
void sqlite_file_rollback(struct sqlite_file *f);

/*
 * Notes why the last step failed, takes back what was begun and closes the
 * file where that may help.  STORE_UNKNOWN.
 */
enum store_answer sqlite_file_failed(struct sqlite_file *f,
    struct driver_call *call);

/* The statement of that number, reset; NULL: see sqlite_file_failed(). */
sqlite3_stmt *sqlite_file_statement(struct sqlite_file *f, size_t number);

/* Steps a statement without rows to its end and resets it: true when done. */
bool sqlite_run(sqlite3_stmt *statement);

/* Texts and numbers; text is borrowed until the statement was reset. */
void sqlite_bind_str(sqlite3_stmt *statement, int number, struct str s);
void sqlite_bind_bytes(sqlite3_stmt *statement, int number, struct str s);
void sqlite_bind_int(sqlite3_stmt *statement, int number, int64_t v);

/* A column's text or blob, SQLite's until the next step. */
struct str sqlite_str(sqlite3_stmt *statement, int number);

/* Events: the files of two days at a time. */
struct sqlite_events {
	char *directory;
	struct clock clock;
	enum store_access access;
	/* that is written, and that was read last; 0: none */
	struct sqlite_file write, read;
	uint32_t write_day, read_day;
};

/* The driver: one file for each kind; of events, one for each day. */
struct sqlite_driver {
	struct driver base;
	unsigned kinds;
	struct sqlite_file suppress, meta, rates;
	struct sqlite_file rollups; /* opened, and made, when first needed */
	/* whether any "@domain" entry exists, as of that data version */
	unsigned domains_version;
	uint64_t domains_generation;
	bool has_domains;
	struct suppress_sieve *sieve; /* or NULL */
	uint64_t sieve_generation;    /* of the file, when it came */
	/* of meta: a count that grows with every change seen */
	int64_t meta_version_seen;
	uint64_t meta_generation_seen;
	uint64_t meta_version;
	int rates_lock; /* descriptor, or -1 */
	struct sqlite_events events;
};

extern const struct sqlite_schema sqlite_schema_suppress;
extern const struct sqlite_schema sqlite_schema_meta;
extern const struct sqlite_schema sqlite_schema_rates;
extern const struct sqlite_schema sqlite_schema_rollups;

extern const struct driver_suppress_ops sqlite_suppress_ops;
extern const struct driver_meta_ops sqlite_meta_ops;
extern const struct driver_rate_ops sqlite_rate_ops;
extern const struct driver_event_ops sqlite_event_ops;
extern const struct driver_rollup_ops sqlite_rollup_ops;

/*
 * Takes DIR/rates.lock for this process; -1 with one line in *errors that
 * names the process that has it.
 */
int sqlite_rates_lock(struct str directory, struct buf *errors);

#endif
