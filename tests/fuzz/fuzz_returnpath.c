/*
 * fuzz_returnpath.c - an address that comes back: what is read was made,
 * folding its case is harmless, any other change is refused.
 *
 * First octet: 0 a local part as it came, else its fields and a change.
 */
#include "tests/fuzz/fuzz.h"

#include "base/hash.h"
#include "mail/addr.h"
#include "mail/returnpath.h"

#define DOMAIN STR("b.example.com")

static struct returnpath_key
the_key(void)
{
	static struct hash_mac *mac;

	if (mac == NULL)
		mac = hash_mac_new(STR("0123456789abcdef0123456789abcdef"));
	return (struct returnpath_key){ hash_id32(STR("a")), mac };
}

static int
read_local(struct arena *a, struct str local, struct returnpath *out)
{
	struct returnpath_key key = the_key();
	bool is_forged = true;
	int rc = returnpath_read(a, &key, 1, local, DOMAIN, out, &is_forged);

	EXPECT(rc != 0 || !is_forged);
	return rc;
}

static struct str
upper(struct arena *a, struct str s)
{
	char *p = arena_bytes(a, s.n);

	for (size_t i = 0; i < s.n; i++)
		p[i] = s.p[i] >= 'a' && s.p[i] <= 'z' ?
		    (char)(s.p[i] - 'a' + 'A') : s.p[i];
	return fuzz_exact(a, str_make(p, s.n));
}

static void
check_same(struct arena *a, const struct returnpath *got,
    const struct returnpath *want)
{
	EXPECT(got->kind == want->kind && got->scope == want->scope &&
	    got->day == want->day);
	if (got->user.n == 0 && got->host.n == 0)
		return; /* left out, as it did not fit */
	EXPECT_SAME(got->user, arena_lower(a, want->user));
	EXPECT_SAME(got->host, arena_lower(a, want->host));
}

static struct returnpath
read_fields(struct fuzz_input *in, struct arena *a)
{
	static const enum returnpath_kind kinds[] = { RETURNPATH_BOUNCE,
		RETURNPATH_COMPLAINT, RETURNPATH_UNSUBSCRIBE };
	struct returnpath r = { .kind = kinds[fuzz_byte(in) % 3] };

	for (int i = 0; i < 4; i++)
		r.scope = r.scope << 8 | fuzz_byte(in);
	r.day = (uint16_t)(fuzz_byte(in) << 8);
	r.day = (uint16_t)(r.day | fuzz_byte(in));
	r.user = fuzz_text(in, a);
	r.host = fuzz_rest(in, a);
	return r;
}

static void
check_refused(struct arena *a, struct str local, unsigned where,
    unsigned change)
{
	char *p = arena_bytes(a, local.n);
	struct returnpath got;

	memcpy(p, local.p, local.n);
	where %= (unsigned)local.n;
	p[where] = (char)(p[where] ^ change);
	if (str_lower(p[where]) != local.p[where])
		EXPECT(read_local(a, fuzz_exact(a, str_make(p, local.n)),
		    &got) != 0);
}

static void
check_made(struct arena *a, struct fuzz_input *in)
{
	unsigned where = fuzz_byte(in), change = fuzz_byte(in);
	struct returnpath_key key = the_key();
	struct returnpath r = read_fields(in, a), got;
	struct str local = fuzz_exact(a, returnpath_make(a, &key, &r, DOMAIN));

	EXPECT(local.n > 0 && local.n <= RETURNPATH_MAX_LOCAL);
	EXPECT(addr_is_mailbox(arena_printf(a, "%.*s@%.*s", STR_ARG(local),
	    STR_ARG(DOMAIN))));
	EXPECT(read_local(a, local, &got) == 0);
	check_same(a, &got, &r);
	EXPECT(read_local(a, upper(a, local), &got) == 0);
	check_same(a, &got, &r);
	check_refused(a, local, where, change);
}

/* What is taken is what would be made. */
static void
check_text(struct arena *a, struct str local)
{
	struct returnpath_key key = the_key();
	struct returnpath r;

	if (read_local(a, local, &r) == 0)
		EXPECT_SAME(returnpath_make(a, &key, &r, DOMAIN),
		    arena_lower(a, local));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct arena *a = arena_new();

	if (fuzz_byte(&in) == 0)
		check_text(a, fuzz_rest(&in, a));
	else
		check_made(a, &in);
	arena_free(&a);
	return 0;
}
