/*
 * fuzz_import.c - a list of addresses in any format: it ends, each row is an
 * entry that the store takes or is refused with a cause, and what is sorted
 * reads back.  The first octet chooses what --from says.
 */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/import.h"

#define NOW 1700000000

static const char *const froms[] = { "", "csv", "json", "txt", "ses",
	"sendgrid", "sendgrid-blocks", "mailgun", "postmark", "sparkpost",
	"mailchimp", "postal", "mandrill", "bulkhead" };

#define NFROMS (sizeof(froms) / sizeof(froms[0]))

static const struct suppress_scope *
scope_of(void *arg, struct str text)
{
	static const struct suppress_scope scope = { { "d.example", 9 }, 7,
		{ "k", 1 } };

	(void)arg;
	return text.n % 2 == 0 ? &scope : NULL;
}

static void
check_line(struct str s, size_t max)
{
	EXPECT(s.n <= max);
	for (size_t i = 0; i < s.n; i++)
		EXPECT((unsigned char)s.p[i] >= ' ' && s.p[i] != 127);
}

static void
check_entry(const struct suppress_entry *e, const struct suppress_scope *scope,
    struct arena *a)
{
	char packed[IMPORT_PACK_MAX];
	struct suppress_entry back;
	bool has_scope;
	size_t n = import_pack(packed, e, scope);

	check_line(e->address, SUPPRESS_ADDRESS_MAX);
	check_line(e->source, SUPPRESS_LABEL_MAX);
	check_line(e->evidence, SUPPRESS_EVIDENCE_MAX);
	EXPECT(suppress_reason_name(e->reason) != NULL);
	EXPECT(e->created >= 0 && e->expires >= 0);
	EXPECT(str_eq(suppress_normal(a, e->address), e->address));
	EXPECT(n <= sizeof(packed));
	EXPECT(import_unpack(str_make(packed, n), &back, &has_scope) == 0);
	EXPECT(str_eq(back.address, e->address) && back.reason == e->reason);
	EXPECT(back.created == e->created && back.expires == e->expires);
	EXPECT(str_eq(back.source, e->source));
	EXPECT(str_eq(back.evidence, e->evidence));
	EXPECT(has_scope == (scope != NULL));
}

static void
check_rows(struct import_source *s, size_t size)
{
	struct import_rules rules = { .source = STR("import"), .now = NOW,
		.scope = scope_of };
	struct arena *a = arena_new();
	const struct suppress_scope *scope;
	struct suppress_entry e;
	struct import_row row;
	const char *cause = NULL;
	enum import_got got;
	uint64_t line = 0;
	size_t n = 0;

	while ((got = import_source_next(s, &row, &cause)) == IMPORT_ROW ||
	    got == IMPORT_BAD) {
		arena_reset(a);
		EXPECT(++n <= size);
		EXPECT(row.line >= line);
		line = row.line;
		EXPECT(got == IMPORT_ROW || cause != NULL);
		if (got == IMPORT_BAD)
			continue;
		rules.kind = s->kind;
		switch (import_entry_make(&rules, &row, a, &e, &scope,
		    &cause)) {
		case IMPORT_MADE:
		case IMPORT_EXPIRED:
			check_entry(&e, scope, a);
			break;
		case IMPORT_LEFT_OUT:
			break;
		case IMPORT_REFUSED:
			EXPECT(cause != NULL);
			break;
		}
	}
	if (got == IMPORT_ERROR)
		EXPECT(errno == 0 && s->error.n > 0 && !s->error.failed);
	else
		EXPECT(s->in.nread == size);
	arena_free(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct import_source s;
	struct str text;

	if (size > 0) {
		text = str_make((const char *)data + 1, size - 1);
		EXPECT(fd >= 0 && file_write_all(fd, text) == 0);
		EXPECT(lseek(fd, 0, SEEK_SET) == 0);
		if (import_source_open(&s, fd, STR("list"),
			str_from(froms[data[0] % NFROMS]),
			IMPORT_FORMAT_ANY) == 0)
			check_rows(&s, text.n);
		else
			EXPECT(s.error.n > 0);
		import_source_close(&s);
	}
	close(fd);
	return 0;
}
