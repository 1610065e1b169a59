/*
 * fuzz_trackd.c - requests of any shape to trackd's pages: only what a token
 * of ours holds is ever a Location, and only a POST ever wishes for anything,
 * for that token's recipient alone.
 *
 * Octets: method, host, peer and result of a wish; then texts, each behind its
 * length: the names and values of fields, a count first; the body; the path is
 * the rest.  Octets from 1 to 7 in path and body stand for tokens.
 */
#include "tests/fuzz/fuzz.h"

#include "base/base64.h"
#include "bulkhead/token.h"
#include "trackd/forwarded.h"
#include "trackd/pages.h"
#include "trackd/track.h"

#define COUNT(v)   (sizeof(v) / sizeof((v)[0]))
#define NOW	   (INT64_C(1795000000) * 1000000)
#define READER	   "jane@example.net"
#define PLAIN_URL  "https://www.example.com/offer?id=1"
#define ODD_URL	   "https://www.example.com/\r\nX: \xc3\xa4 \""
#define ODD_SHOWN  "https://www.example.com/%0D%0AX:%20%C3%A4%20%22"
#define FIELDS_MAX 8

static const struct {
	enum token_kind kind;
	const char *host, *recipient, *url;
} tokens[] = {
	{ TOKEN_CLICK, "t.example.com", READER, PLAIN_URL },
	{ TOKEN_CLICK, "t.example.com", READER, ODD_URL },
	{ TOKEN_CLICK, "t.mailer.example", READER, "javascript:alert(1)" },
	{ TOKEN_OPEN, "t.example.com", READER, "" },
	{ TOKEN_UNSUBSCRIBE, "t.example.com", READER, "" },
	{ TOKEN_UNSUBSCRIBE, "t.example.com", "", "" }, /* shared */
	{ TOKEN_UNSUBSCRIBE, "t.mailer.example", READER, "" },
};

struct seen {
	bool post; /* the request's method */
	unsigned nevents;
};

/* What lives as long as the process. */
static struct {
	struct settings settings;
	struct domain_settings domains[2];
	const struct domain_settings *by_name[2];
	struct net_cidr proxies[1];
	struct keyring keyring;
	struct robots *robots;
	struct pages *pages;
	struct str text[COUNT(tokens)];
	struct arena *arena;
} the;

static void
make_keys(void)
{
	char key[TOKEN_KEY_SIZE], text[BASE64_SIZE(TOKEN_KEY_SIZE)];
	struct str why;

	memset(key, 't', sizeof(key));
	base64_write(text, key, sizeof(key));
	the.keyring.tokens = token_keys_parse(the.arena,
	    arena_printf(the.arena, "a %.*s\n", (int)sizeof(text), text),
	    &why);
	EXPECT(the.keyring.tokens != NULL);
}

static void
make_tokens(void)
{
	for (size_t i = 0; i < COUNT(tokens); i++) {
		struct token_sealer *s = token_sealer_new(the.keyring.tokens,
		    str_from(tokens[i].host));
		struct token t = {
			.kind = tokens[i].kind,
			.domain = STR("example.com"),
			.stream = 1,
			.recipient = str_from(tokens[i].recipient),
			.hours = 498000,
			.url = str_from(tokens[i].url),
		};

		EXPECT(token_seal(s, the.arena, &t, &the.text[i]) == 0);
		token_sealer_free(&s);
	}
}

static void
set_up(void)
{
	struct buf errors;

	if (the.arena != NULL)
		return;
	the.arena = arena_new();
	the.domains[0].name = STR("example.com");
	the.domains[0].tracking_host = STR("t.example.com");
	the.domains[1].name = STR("mailer.example");
	the.domains[1].tracking_host = STR("t.mailer.example");
	the.settings.domains = the.domains;
	the.settings.ndomains = 2;
	the.by_name[0] = &the.domains[0];
	the.by_name[1] = &the.domains[1];
	the.settings.by_name = the.by_name;
	EXPECT(net_parse_cidr(STR("10.0.0.0/8"), &the.proxies[0]) == 0);
	the.settings.trackd.proxies = the.proxies;
	the.settings.trackd.nproxies = 1;
	the.settings.trackd.keep_visitors = true;
	the.keyring.settings = &the.settings;
	make_keys();
	make_tokens();
	the.robots = robots_default();
	buf_init(&errors, 65536);
	the.pages = pages_load(STR(""), &errors);
	EXPECT(the.pages != NULL);
	buf_free(&errors);
}

static void
take_event(void *arg, const struct event *e)
{
	struct seen *seen = arg;

	seen->nevents++;
	EXPECT(e->id != 0 && e->at == NOW);
	EXPECT(e->kind == EVENT_CLICKED || e->kind == EVENT_OPENED ||
	    (e->kind == EVENT_UNSUBSCRIBED && seen->post));
	EXPECT(e->verdict != EVENT_NOBODY && e->verdict < EVENT_VERDICTS);
	EXPECT(e->recipient.n == 0 || str_eq(e->recipient, STR(READER)));
}

/* s with octets 1 to 7 replaced by tokens. */
static struct str
fill(struct arena *a, struct str s, size_t max, bool *has_token)
{
	struct buf b;
	struct str out;

	buf_init(&b, max);
	for (size_t i = 0; i < s.n; i++) {
		unsigned c = (unsigned char)s.p[i];
		struct str add = str_sub(s, i, i + 1);

		if (c >= 1 && c <= COUNT(tokens))
			add = the.text[c - 1];
		if (b.n + add.n > max)
			break;
		*has_token |= c >= 1 && c <= COUNT(tokens);
		buf_str(&b, add);
	}
	out = fuzz_exact(a, buf_view(&b));
	buf_free(&b);
	return out;
}

static void
check_location(const struct answer *a, bool has_token)
{
	EXPECT((a->status == 302) == (a->location.n > 0));
	if (a->status != 302)
		return;
	EXPECT(has_token);
	EXPECT(str_eq(a->location, STR(PLAIN_URL)) ||
	    str_eq(a->location, STR(ODD_SHOWN)));
}

static void
check_wish(const struct request_wish *w, bool is_post)
{
	EXPECT(is_post);
	EXPECT(str_eq(w->entry.address, STR(READER)));
	EXPECT(str_eq(w->entry.scope.domain, STR("example.com")));
	EXPECT(w->entry.reason == SUPPRESS_UNSUBSCRIBE);
}

static void
check_answer(const struct answer *a)
{
	static const unsigned known[] = { 200, 204, 302, 400, 404, 405, 413,
		415, 503 };
	bool is_known = false;

	for (size_t i = 0; i < COUNT(known); i++)
		is_known |= a->status == known[i];
	EXPECT(is_known);
	EXPECT((a->body.n > 0) == (a->type.n > 0));
	EXPECT((a->retry_after > 0) == (a->status == 503));
	EXPECT((a->allow.n > 0) == (a->status == 405 || a->status == 204));
}

/* The disk says yes or no, as the input has it. */
static void
come_true(struct request_wish *w, unsigned how)
{
	w->result = how % 3 == 0 ? WISH_STORED : how % 3 == 1 ? WISH_SPOOLED :
	    WISH_LOST;
	if (w->what == SUPPRESS_PUT)
		w->outcome = how & 8 ? SUPPRESS_ALREADY : SUPPRESS_ADDED;
	else
		w->outcome = how & 8 ? SUPPRESS_ABSENT : SUPPRESS_REMOVED;
}

static void
take_fields(struct fuzz_input *in, struct request *r,
    struct request_field fields[FIELDS_MAX])
{
	static const char *const names[] = { "Host", "X-Forwarded-Host",
		"X-Forwarded-For", "Content-Type", "User-Agent",
		"Accept-Language", "Accept" };
	size_t n = fuzz_byte(in) % (FIELDS_MAX + 1);

	r->fields = fields;
	for (r->nfields = 0; r->nfields < n; r->nfields++) {
		unsigned which = fuzz_byte(in);

		fields[r->nfields].name = which < COUNT(names) ?
		    str_from(names[which]) : fuzz_text(in, r->arena);
		fields[r->nfields].value = fuzz_text(in, r->arena);
	}
}

static void
ask(struct fuzz_input *in, struct request *r)
{
	static const char *const methods[] = { "GET", "POST", "HEAD",
		"OPTIONS", "PUT", "get" };
	struct request_field fields[FIELDS_MAX];
	unsigned method = fuzz_byte(in), peer = fuzz_byte(in);
	unsigned how = fuzz_byte(in);
	struct net_addr addr = { { [10] = 0xff, [11] = 0xff,
	    [12] = peer & 1 ? 10 : 192, [15] = (unsigned char)peer } };
	struct seen seen = { 0 };
	struct track track = { .event = take_event, .event_arg = &seen,
		.robots = the.robots, .pages = the.pages };
	struct answer a = { .status = 0 };
	bool has_token = false;

	r->method = str_from(methods[method % COUNT(methods)]);
	seen.post = str_eq(r->method, STR("POST"));
	take_fields(in, r, fields);
	r->body = fill(r->arena, fuzz_text(in, r->arena), REQUEST_BODY_MAX,
	    &(bool){ false });
	r->path = fill(r->arena, fuzz_rest(in, r->arena), REQUEST_PATH_MAX,
	    &has_token);
	forwarded_apply(r, peer & 2 ? &addr : NULL,
	    peer & 4 ? STR("T.example.com.:443") : STR(""));
	track_answer(&track, r, &a);
	if (a.wish != NULL) {
		EXPECT(has_token && a.finish != NULL);
		check_wish(a.wish, seen.post);
		come_true(a.wish, how);
		a.finish(r, &a);
	}
	check_answer(&a);
	check_location(&a, has_token);
	EXPECT(seen.nevents == 0 || has_token);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct request r = {
		.arena = arena_new(),
		.keyring = &the.keyring,
		.now = NOW,
	};

	set_up();
	ask(&in, &r);
	arena_free(&r.arena);
	return 0;
}
