/*
 * import.h - lists of other services become entries: bytes are cut into rows
 * (import_csv, import_json, import_text), the names of their fields tell what
 * they are (import_kind), and a row becomes an entry (import_entry).  The
 * store is not known here.
 */
#ifndef BULKHEAD_CLI_IMPORT_H
#define BULKHEAD_CLI_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "store/suppress.h"

/* A longer line, quoted record or JSON object is refused. */
#define IMPORT_RECORD_MAX 65536
#define IMPORT_FIELDS_MAX 256

/* What a field says, whatever its name. */
enum import_role {
	ROLE_NONE,
	ROLE_ADDRESS,
	ROLE_REASON,   /* a word: "BOUNCE", "List Unsubscribe" */
	ROLE_STATE,    /* such a word, or the address is well */
	ROLE_STATUS,   /* "5.1.1", "550" */
	ROLE_EVIDENCE, /* text for people */
	ROLE_CREATED,
	ROLE_EXPIRES,
	ROLE_ORIGIN, /* Postmark: who asked for it */
	ROLE_SCOPE,  /* the rest: of our own exports */
	ROLE_SOURCE,
	ROLE_CHANGE, /* "removed", or "false": no longer there */
	NROLES
};

/* The fields of a row by role, borrowed until the next one. */
struct import_row {
	struct str value[NROLES];
	uint64_t line;	 /* on which it starts, from 1 */
	uint64_t number; /* of JSON objects, from 1; else 0 */
};

enum import_got {
	IMPORT_END,
	IMPORT_ROW,
	IMPORT_BAD,  /* a row that is none: *cause; more may follow */
	IMPORT_ERROR /* the input cannot be read: errno */
};

/* ---- import_input.c: bytes ---- */

/* ---- import_utf16.c: what spreadsheets save as "Unicode" ---- */

struct import_utf16 {
	enum { UTF16_NONE, UTF16_LITTLE, UTF16_BIG } order;
	unsigned char rest[4]; /* of a character cut in two */
	size_t nrest;
};

/* By the first octets of a file: its mark, or every other one a NUL. */
void import_utf16_begin(struct import_utf16 *u, const char *p, size_t n);

/*
 * UTF-16 as UTF-8, with U+FFFD for what is none; out has room for
 * (n + 4) / 2 * 3 octets.  Returns how many it took.
 */
size_t import_utf16_convert(struct import_utf16 *u, const char *p, size_t n,
    char *out);

struct import_input {
	int fd;
	char *p;
	size_t from, to, cap; /* what is there and not yet taken */
	bool is_eof;
	uint64_t line;	/* the number of the line at from, from 1 */
	uint64_t nread; /* octets so far */
	struct import_utf16 utf16;
	char *raw; /* UTF-16: what was read last */
	void *hash;	/* SHA-256 of all octets read */
};

/* Reads from fd, which stays the caller's. */
void import_input_open(struct import_input *in, int fd);
void import_input_close(struct import_input *in);

/*
 * Reads more behind what is there, up to 64 KiB beyond IMPORT_RECORD_MAX.
 * 1: there is more now, 0: the input has ended, or -1 with errno.
 */
int import_input_more(struct import_input *in);

/*
 * Takes one line, without its line end (LF or CR LF): IMPORT_ROW, IMPORT_END,
 * IMPORT_ERROR, or IMPORT_BAD for one longer than IMPORT_RECORD_MAX (taken
 * all the same; *line is its beginning).
 */
enum import_got import_input_line(struct import_input *in, struct str *line);

/* SHA-256 of what was read up to now, which is all once it has ended. */
void import_input_digest(const struct import_input *in, unsigned char out[32]);

/* ---- import_csv.c, import_json.c: records ---- */

struct import_fields {
	struct str v[IMPORT_FIELDS_MAX];
	size_t n;
};

/*
 * The fields of the next record (RFC 4180; quoted line ends and blank lines
 * too, which give n == 0).  They are borrowed from the input.  *line is where
 * the record starts.
 */
enum import_got import_csv_next(struct import_input *in, char delimiter,
    struct import_fields *out, uint64_t *line, const char **cause);

enum import_json_where { JSON_TOP, JSON_IN_OBJECT, JSON_IN_LIST };

struct import_json {
	struct import_input *in;
	enum import_json_where where;
	bool has_object;    /* the list is a member of an object */
	char container[64]; /* normalized name of the list, or empty */
	bool skip;	    /* the record given last is not taken yet */
	uint64_t number;    /* of the record given last, from 1 */
	struct arena *arena; /* of the record given last */
	void *object;	     /* likewise */
};

struct import_member {
	struct str name, value;
};

struct import_object {
	struct import_member v[IMPORT_FIELDS_MAX];
	size_t n;
	struct str text; /* as it stands in the input */
};

/* Begins, and ends; the input stays the caller's. */
void import_json_open(struct import_json *j, struct import_input *in);
void import_json_close(struct import_json *j);

/*
 * The next record: an object (its strings, numbers and truth values, lists of
 * strings joined by commas), or a bare string, which has one member without a
 * name.  Records are the members of a list at the top or in an object at the
 * top, or else the objects at the top themselves; of several documents one
 * behind the other, too.
 */
enum import_got import_json_next(struct import_json *j,
    struct import_object *out, uint64_t *line, const char **cause);

/* ---- import_kind.c: what fields are called where ---- */

struct import_kind {
	const char *service; /* for --from */
	const char *kind;    /* "bounces"; NULL: the service has one only */
	const char *container; /* of JSON, normalized; NULL: any */
	const char *hint;    /* the file's name must have this; NULL: any */
	const char *need;    /* normalized names that must be there */
	const char *lack;    /* and that must not be */
	bool is_exact;	     /* no other name may be there */
	struct {
		const char *name;
		enum import_role role;
	} roles[12]; /* of two names for a role the first counts */
	enum suppress_reason reason; /* where no field tells */
	bool is_fixed;		     /* no field can tell */
	bool is_policy_soft; /* x.7.y: the server's, not the address's */
	const char *refusal; /* it is no such list: why; NULL: it is */
};

/* "E-Mail Address" becomes "emailaddress": at most size - 1 bytes. */
void import_name_normal(char *out, size_t size, struct str name);

/*
 * The first kind that fits: names are those of the columns or members,
 * container that of the JSON list (empty: none), file the file's name (empty:
 * not known), from what --from says (empty: any): "sendgrid" or
 * "sendgrid-bounces".  NULL: none does.
 */
const struct import_kind *import_kind_find(const struct str *names, size_t n,
    struct str container, struct str file, struct str from);

/* Is that a word for --from?  The formats "csv", "json", "txt" are not. */
bool import_kind_is_known(struct str from);

/* All words for --from, one blank behind each. */
void import_kind_list(struct buf *out);

/* The role of each name, in roles[0..n). */
void import_kind_roles(const struct import_kind *k, const struct str *names,
    size_t n, enum import_role *roles);

/* Where no kind fits: roles by names that many lists have.  False: no
 * address among them. */
bool import_kind_guess(const struct str *names, size_t n,
    enum import_role *roles);

/* Where there are no names: roles by what a first record looks like. */
bool import_kind_guess_values(const struct str *values, size_t n,
    enum import_role *roles);

/* ---- import_source.c: rows, whatever the format ---- */

enum import_format {
	IMPORT_FORMAT_ANY,
	IMPORT_TXT,
	IMPORT_CSV,
	IMPORT_JSON
};

struct import_source {
	struct import_input in;
	struct import_json json;
	enum import_format format;
	char delimiter;
	struct str file, from; /* as import_kind_find() takes them */
	bool is_generic;       /* kinds are not looked for */
	bool is_settled;       /* what follows is known */
	const struct import_kind *kind; /* NULL: a list of no service */
	enum import_role roles[IMPORT_FIELDS_MAX];
	size_t nroles;
	char names[1024]; /* JSON: of the record that roles is for */
	size_t nnames;
	bool has_pending; /* a record that was looked at is given next */
	uint64_t pending_line;
	struct import_fields fields;
	struct import_object object;
	struct str raw;	 /* of the row given last, for people */
	struct buf error; /* IMPORT_ERROR without errno: why */
};

/* "csv", "json", "txt": 0, or -1. */
int import_format_parse(struct str name, enum import_format *out);

/*
 * Begins to read from fd, which stays the caller's.  file and from as
 * import_kind_find() takes them (borrowed); from may name a format, too: then
 * no service is looked for.  0, or -1 with errno or s->error: it is no list.
 */
int import_source_open(struct import_source *s, int fd, struct str file,
    struct str from, enum import_format format);
void import_source_close(struct import_source *s);

/* The next row; blank lines and comments are passed over. */
enum import_got import_source_next(struct import_source *s,
    struct import_row *row, const char **cause);

/* "sendgrid bounces, CSV": once the first row was given. */
void import_source_describe(const struct import_source *s, struct buf *out);

/* ---- import_value.c: what a field says ---- */

/* "Spam Complaint": 0 with *out, or -1 for no word that tells a reason. */
int import_reason_parse(struct str text, enum suppress_reason *out);

/*
 * Seconds since 1970: RFC 3339 and its relatives, RFC 5322, seconds or
 * milliseconds; "4/10/2020" is the tenth of April as long as it can be.
 * Without an offset: UTC.  0, or -1.
 */
int import_date_parse(struct str text, int64_t *out);

/* ---- import_entry.c: a row becomes an entry ---- */

struct import_rules {
	const struct import_kind *kind; /* NULL: generic */
	enum suppress_reason reason;	/* of --reason; 0: as the file says */
	struct str source;		/* where the file says none */
	int64_t now;
	bool has_scope;			/* --scope was given */
	uint64_t nbad_dates;		/* counted here */
	/* A scope in text, for the rows of our own exports; NULL on error. */
	const struct suppress_scope *(*scope)(void *arg, struct str text);
	void *arg;
};

enum import_made {
	IMPORT_MADE,
	IMPORT_LEFT_OUT, /* no longer there */
	IMPORT_EXPIRED,	 /* made, but over already */
	IMPORT_REFUSED	 /* *cause says why */
};

/*
 * Makes an entry of a row: its strings are the row's or in the arena.  created
 * 0: the row does not say; *scope NULL: likewise.
 */
enum import_made import_entry_make(struct import_rules *r,
    const struct import_row *row, struct arena *a, struct suppress_entry *out,
    const struct suppress_scope **scope, const char **cause);

/*
 * An entry as bytes that sort by (address, scope, reason), the dated before
 * the undated and the older before the younger, so that of a key that comes
 * twice the oldest counts.  scope NULL stands for the import's own.  Returns
 * the length; out has IMPORT_PACK_MAX bytes.
 */
#define IMPORT_PACK_MAX 4096
size_t import_pack(char *out, const struct suppress_entry *e,
    const struct suppress_scope *scope);

/*
 * The opposite; strings are borrowed from the bytes.  *has_scope false: it is
 * the import's own.  0, or -1 for what import_pack() never made.
 */
int import_unpack(struct str in, struct suppress_entry *out, bool *has_scope);

#endif
