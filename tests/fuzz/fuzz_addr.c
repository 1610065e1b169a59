/*
 * fuzz_addr.c - a text read as path, as address list and as mailbox: what is
 * read and written is read again as the same.
 */
#include "tests/fuzz/fuzz.h"

#include "mail/addr.h"

/* Text, normal form and mailbox check of one address that was read. */
static void
check_addr(struct arena *a, const struct addr *addr)
{
	struct str text = fuzz_exact(a, addr_text(a, addr)), normal;
	struct addr again;

	EXPECT(str_chr(text, '\n', 0) == text.n);
	EXPECT(str_chr(text, '\r', 0) == text.n);
	EXPECT(addr_parse_path(a, text, &again) == 0);
	EXPECT_SAME(again.local, addr->local);
	EXPECT_SAME(again.domain, addr->domain);
	normal = fuzz_exact(a, addr_normal(a, addr));
	EXPECT(addr_parse_path(a, normal, &again) == 0);
	EXPECT_SAME(addr_normal(a, &again), normal);
}

static void
check_path(struct arena *a, struct str text)
{
	struct addr addr;

	if (addr_parse_path(a, text, &addr) == 0)
		check_addr(a, &addr);
}

static void
check_list(struct arena *a, struct str text)
{
	struct addr_list list;

	addr_parse_list(a, text, &list);
	for (size_t i = 0; i < list.n && i < 50; i++) {
		struct addr_list one;

		check_addr(a, &list.v[i]);
		EXPECT(list.v[i].domain.n > 0);
		EXPECT(addr_parse_list(a, fuzz_exact(a, addr_text(a,
		    &list.v[i])), &one) == 0);
		EXPECT(one.n == 1 && !one.has_group);
		EXPECT_SAME(one.v[0].local, list.v[i].local);
		EXPECT_SAME(one.v[0].domain, list.v[i].domain);
	}
}

static void
check_mailbox(struct arena *a, struct str text)
{
	struct addr addr;

	if (!addr_is_mailbox(text))
		return;
	EXPECT(text.n <= 254);
	EXPECT(addr_parse_path(a, text, &addr) == 0);
	EXPECT(addr.domain.n > 0);
	EXPECT(addr_is_mailbox(addr_text(a, &addr)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str text = fuzz_exact(a, str_make((const char *)data, size));
	struct str domain;

	check_path(a, text);
	check_list(a, text);
	check_mailbox(a, text);
	domain = addr_domain_ascii(a, text);
	EXPECT_SAME(addr_domain_ascii(a, domain), domain);
	arena_free(&a);
	return 0;
}
