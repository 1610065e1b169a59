/*
 * trackd_fixture.c - asks trackd's pages without a socket.
 */
#include "trackd_fixture.h"

#include "base/base64.h"

static void
keep_event(void *arg, const struct event *e)
{
	static const char *const kinds[EVENT_KINDS] = {
		[EVENT_OPENED] = "opened", [EVENT_CLICKED] = "clicked",
		[EVENT_UNSUBSCRIBED] = "unsubscribed"
	};
	struct desk *d = arg;

	assert_true(e->id != 0);
	assert_int_equal(e->at, TRACKD_NOW);
	assert_non_null(kinds[e->kind]);
	buf_printf(&d->events, "%s %.*s %.*s", kinds[e->kind],
	    STR_ARG(e->recipient), STR_ARG(e->url));
	if (e->visitor.n > 0)
		buf_printf(&d->events, " by %.*s", STR_ARG(e->visitor));
	buf_char(&d->events, '\n');
}

static struct token_keys *
make_keys(struct arena *a)
{
	char key[TOKEN_KEY_SIZE], text[BASE64_SIZE(TOKEN_KEY_SIZE)];
	struct str why = STR("");
	struct token_keys *k;
	size_t n;

	memset(key, 7, sizeof(key));
	n = base64_write(text, key, sizeof(key));
	k = token_keys_parse(a, arena_printf(a, "k1 %.*s\n", (int)n, text),
	    &why);
	assert_non_null(k);
	return k;
}

int
desk_open(void **state)
{
	struct desk *d = calloc(1, sizeof(*d));

	d->arena = arena_new();
	d->domains[0].name = STR("example.com");
	d->domains[0].tracking_host = TRACKD_HOST;
	d->domains[1].name = STR("mailer.example");
	d->domains[1].tracking_host = TRACKD_OTHER;
	d->domains[2].name = STR("third.example");
	d->domains[2].tracking_host = TRACKD_PORT;
	d->settings.domains = d->domains;
	d->settings.ndomains = 3;
	for (size_t i = 0; i < 3; i++)
		d->by_name[i] = &d->domains[i];
	d->settings.by_name = d->by_name;
	assert_int_equal(net_parse_cidr(STR("10.0.0.0/8"), &d->proxies[0]), 0);
	d->settings.trackd.proxies = d->proxies;
	d->settings.trackd.nproxies = 1;
	d->keyring.settings = &d->settings;
	d->keyring.tokens = make_keys(d->arena);
	buf_init(&d->events, 1000000);
	d->track = (struct track){
		.metrics = &d->metrics,
		.event = keep_event,
		.event_arg = d,
		.robots = robots_default(),
	};
	*state = d;
	return 0;
}

int
desk_close(void **state)
{
	struct desk *d = *state;
	struct robots *robots = (struct robots *)(uintptr_t)d->track.robots;

	robots_free(&robots);
	token_keys_free(&d->keyring.tokens);
	buf_free(&d->events);
	arena_free(&d->arena);
	free(d);
	return 0;
}

struct str
desk_token(struct desk *d, enum token_kind kind, struct str host,
    struct str url)
{
	struct token_sealer *s = token_sealer_new(d->keyring.tokens, host);
	struct token t = {
		.kind = kind,
		.domain = STR("example.com"),
		.stream = 4711,
		.campaign = STR("spring"),
		.recipient = STR("jane@example.net"),
		.hours = 498611,
		.url = url,
	};
	struct str text;

	assert_int_equal(token_seal(s, d->arena, &t, &text), 0);
	token_sealer_free(&s);
	return exact(d->arena, text);
}

struct request
desk_request(struct desk *d, const char *method, struct str path)
{
	return (struct request){
		.arena = d->arena,
		.keyring = &d->keyring,
		.now = TRACKD_NOW,
		.method = str_from(method),
		.path = exact(d->arena, path),
		.host = TRACKD_HOST,
	};
}

struct answer
desk_ask(struct desk *d, const struct request *r)
{
	struct answer a = { .status = 0 };

	buf_clear(&d->events);
	track_answer(&d->track, r, &a);
	return a;
}
