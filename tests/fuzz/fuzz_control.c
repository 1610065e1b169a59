/*
 * fuzz_control.c - a header with control fields: what is believed holds no
 * control characters and is bounded, and each field that is stripped is one.
 */
#include "tests/fuzz/fuzz.h"

#include "engine/control.h"
#include "engine/control_json.h"

#define MAX_PROBLEMS (1u << 16)

static void
check_text(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		EXPECT((unsigned char)s.p[i] >= ' ' && s.p[i] != 127);
		EXPECT((unsigned char)s.p[i] != 0xc2 || i + 1 == s.n ||
		    ((unsigned char)s.p[i + 1] & 0xe0) != 0x80);
	}
}

static void
check_problems(struct str problems)
{
	size_t lines = 0, lf;

	for (size_t at = 0; at < problems.n; at = lf + 1, lines++) {
		lf = str_chr(problems, '\n', at);
		EXPECT(lf < problems.n && lf - at <= 200);
		check_text(str_sub(problems, at, lf));
	}
	EXPECT(lines <= 20);
}

static void
check_control(const struct control *c, const struct headers *h)
{
	size_t n = 0;

	check_text(c->stream);
	check_text(c->campaign);
	check_text(c->list);
	EXPECT(c->stream.n <= 255 && c->campaign.n <= 255 &&
	    c->list.n <= 255);
	EXPECT(c->nmetadata <= 100);
	for (size_t i = 0; i < c->nmetadata; i++) {
		EXPECT(c->metadata[i].key.n > 0 &&
		    c->metadata[i].key.n <= 255);
		check_text(c->metadata[i].key);
		check_text(c->metadata[i].value);
	}
	for (size_t i = 0; i < h->n; i++)
		if (n < c->nfields && c->fields[n] == &h->v[i]) {
			EXPECT(control_is_field(h->v[i].name));
			n++;
		} else {
			EXPECT(!control_is_field(h->v[i].name));
		}
	EXPECT(n == c->nfields);
}

static void
count_member(void *arg, struct str key, struct str value)
{
	(void)key;
	(void)value;
	++*(size_t *)arg;
}

static void
check_json(struct arena *a, struct str text)
{
	struct str why = { 0 }, out;
	struct json_t *json = control_json_parse(a, text, &why);
	size_t n = 0;

	EXPECT((json == NULL) == (why.n > 0));
	if (json == NULL)
		return;
	control_json_each(json, a, "", count_member, &n);
	control_json_text(json, a, "a/b", &out);
	control_json_free(&json);
	EXPECT(json == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str text = fuzz_exact(a, str_make((const char *)data, size));
	struct buf problems;
	struct control c;
	struct headers h;
	size_t body = 0;

	headers_init(&h, a);
	headers_parse(&h, text, &body);
	buf_init(&problems, MAX_PROBLEMS);
	control_read(&c, a, &h, &problems);
	EXPECT(!problems.failed);
	check_problems(buf_view(&problems));
	check_control(&c, &h);
	check_json(a, str_sub(text, body, text.n));
	buf_free(&problems);
	arena_free(&a);
	return 0;
}
