/*
 * wish_record.c - lines of the wish spool.
 */
#include "trackd/wish_record.h"

#include <inttypes.h>

#include "base/hash.h"
#include "base/num.h"

#define NFIELDS 12

static void
put_text(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 0x20 || c == 0x7f || c == '\\')
			buf_printf(b, "\\x%02x", c);
		else
			buf_char(b, (char)c);
	}
	buf_char(b, '\t');
}

int
wish_record_write(const struct suppress_entry *e, struct buf *out)
{
	struct buf line;
	int rc;

	buf_init(&line, WISH_RECORD_MAX - 16);
	buf_puts(&line, "1\tput\t");
	put_text(&line, e->address);
	put_text(&line, e->scope.domain);
	buf_printf(&line, "%" PRIu32 "\t", e->scope.stream);
	put_text(&line, e->scope.list);
	buf_printf(&line, "%u\t%" PRId64 "\t%" PRId64 "\t",
	    (unsigned)e->reason, e->created, e->expires);
	put_text(&line, e->source);
	put_text(&line, e->evidence);
	rc = line.failed ? -1 : 0;
	if (rc == 0) {
		struct str text = str_sub(buf_view(&line), 0, line.n - 1);

		rc = buf_printf(out, "%.*s\t%08" PRIx32 "\n", STR_ARG(text),
		    hash_id32(text));
	}
	buf_free(&line);
	return rc;
}

/* Whoever wrote the check sum has written whole escapes. */
static struct str
get_text(struct arena *a, struct str s)
{
	char *out = arena_bytes(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' && i + 3 < s.n) {
			out[n++] = (char)((str_hex(s.p[i + 2]) & 15) << 4 |
			    (str_hex(s.p[i + 3]) & 15));
			i += 3;
		} else {
			out[n++] = s.p[i];
		}
	}
	return str_make(out, n);
}

static bool
has_check_sum(struct str text, struct str sum)
{
	uint32_t v = 0;

	for (size_t i = 0; i < sum.n; i++) {
		if (str_hex(sum.p[i]) < 0)
			return false;
		v = v << 4 | (uint32_t)str_hex(sum.p[i]);
	}
	return sum.n == 8 && v == hash_id32(text);
}

static int
read_fields(struct arena *a, const struct str *f, struct suppress_entry *e)
{
	uint64_t stream, reason, created, expires;

	if (!str_eq(f[0], STR("1")) || !str_eq(f[1], STR("put")) ||
	    num_parse(f[4], UINT32_MAX, &stream) != 0 ||
	    num_parse(f[6], SUPPRESS_SOFT_BOUNCES, &reason) != 0 ||
	    num_parse(f[7], INT64_MAX, &created) != 0 ||
	    num_parse(f[8], INT64_MAX, &expires) != 0)
		return -1;
	*e = (struct suppress_entry){
		.address = get_text(a, f[2]),
		.scope = { get_text(a, f[3]), (uint32_t)stream,
		    get_text(a, f[5]) },
		.reason = (enum suppress_reason)reason,
		.created = (int64_t)created,
		.expires = (int64_t)expires,
		.source = get_text(a, f[9]),
		.evidence = get_text(a, f[10]),
	};
	return 0;
}

int
wish_record_read(struct arena *a, struct str line, struct suppress_entry *out)
{
	struct str f[NFIELDS];
	size_t at = 0;

	for (size_t i = 0; i < NFIELDS; i++) {
		size_t end = str_chr(line, '\t', at);

		if ((end < line.n) != (i + 1 < NFIELDS))
			return -1;
		f[i] = str_sub(line, at, end);
		at = end + 1;
	}
	if (!has_check_sum(str_sub(line, 0, line.n - f[NFIELDS - 1].n - 1),
	    f[NFIELDS - 1]))
		return -1;
	return read_fields(a, f, out);
}
