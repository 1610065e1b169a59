/*
 * driver_sqlite_mentions.c - finds a person's address in links, and empties
 * the log of what was taken out.
 */
#include "store/driver_sqlite_mentions.h"

#include "store/events.h"

/* A link within a link within a link. */
#define DECODINGS 3

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place; how many octets are left. */
static size_t
decode(char *p, size_t n)
{
	size_t to = 0;

	for (size_t i = 0; i < n; i++) {
		int high = p[i] == '%' && i + 2 < n ? hex_digit(p[i + 1]) : -1;
		int low = high >= 0 ? hex_digit(p[i + 2]) : -1;

		p[to++] = low >= 0 ? (char)(high << 4 | low) : p[i];
		if (low >= 0)
			i += 2;
	}
	return to;
}

static char
fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool
is_alnum(char c)
{
	c = fold(c);
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

static bool
begins(const char *p, struct str word)
{
	for (size_t i = 0; i < word.n; i++)
		if (fold(p[i]) != fold(word.p[i]))
			return false;
	return true;
}

/*
 * "ann@x.example" is not in "joann@x.example"; punctuation may as well be the
 * link's, and to take too much away is the lesser evil.
 */
static bool
has_word(struct str s, struct str word)
{
	for (size_t i = 0; i + word.n <= s.n; i++)
		if (begins(s.p + i, word) &&
		    (i == 0 || !is_alnum(s.p[i - 1])) &&
		    (i + word.n == s.n || !is_alnum(s.p[i + word.n])))
			return true;
	return false;
}

bool
sqlite_has_mention(struct str url, struct str address)
{
	char text[EVENT_URL_MAX];
	size_t n = url.n < sizeof(text) ? url.n : sizeof(text), left;

	if (address.n == 0)
		return false;
	if (n > 0)
		memcpy(text, url.p, n);
	for (int i = 0; i < DECODINGS; i++) {
		if (has_word(str_make(text, n), address))
			return true;
		left = decode(text, n);
		if (left == n)
			return false;
		n = left;
	}
	return has_word(str_make(text, n), address);
}

static struct str
value_str(sqlite3_value *v)
{
	const void *p = sqlite3_value_blob(v);
	int n = sqlite3_value_bytes(v);

	return p == NULL ? STR("") : str_make(p, (size_t)n);
}

static void
mentions(sqlite3_context *context, int n, sqlite3_value **v)
{
	(void)n;
	sqlite3_result_int(context, sqlite_has_mention(value_str(v[0]),
	    value_str(v[1])));
}

enum store_answer
sqlite_add_mentions(struct sqlite_file *f, struct driver_call *call)
{
	if (sqlite_file_open(f, call) != STORE_YES)
		return STORE_UNKNOWN;
	return sqlite3_create_function(f->db, "mentions", 2, SQLITE_UTF8 |
	    SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL, mentions, NULL,
	    NULL) == SQLITE_OK ? STORE_YES : sqlite_file_failed(f, call);
}

enum store_answer
sqlite_empty_log(struct sqlite_file *f, struct driver_call *call)
{
	if (sqlite_file_open(f, call) != STORE_YES)
		return STORE_UNKNOWN;
	f->deadline = call->deadline;
	if (sqlite3_wal_checkpoint_v2(f->db, NULL, SQLITE_CHECKPOINT_TRUNCATE,
	    NULL, NULL) != SQLITE_OK)
		return sqlite_file_failed(f, call);
	return STORE_YES;
}
