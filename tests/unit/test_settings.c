/*
 * test_settings.c - what bulkhead.conf comes to: the contract file, defaults,
 * showing it, and that sample and manual agree with the table of keys.
 */
#include "conf_contract.h"
#include "conf_load.h"

#include "base/file.h"
#include "base/hash.h"
#include "bulkhead/settings_check.h"
#include "bulkhead/settings_table.h"

static void
test_contract_top_level(void **state)
{
	struct net_addr in, out;
	struct loaded l;

	load_good(&l, state, contract);
	assert_int_equal(conf_count(buf_view(&l.messages), "\n"), 1);
	expect_message("contract", buf_view(&l.messages), "a.conf", 36,
	    "warning: bounces need a mailbox");
	expect_str("store", l.s->store, STR("sqlite:/var/lib/bulkhead"));
	expect_str("rates", l.s->rates, STR(""));
	expect_str("token", l.s->token_keys, STR("/etc/bulkhead/token.keys"));
	expect_str("rp", l.s->return_path_keys,
	    STR("/etc/bulkhead/return-path.keys"));
	assert_int_equal(l.s->token_keys_pos.line, 2);
	assert_int_equal(l.s->return_path_keys_pos.line, 3);
	assert_int_equal(l.s->on_store_failure, ON_FAILURE_DEFER);
	assert_int_equal(l.s->log_addresses, LOG_ADDRESSES_FULL);
	assert_int_equal(l.s->milter.mode, MODE_ACT);
	expect_str("milter", l.s->milter.socket,
	    STR("unix:/var/spool/postfix/bulkhead/milter.sock"));
	expect_str("policyd", l.s->policyd.socket,
	    STR("unix:/var/spool/postfix/bulkhead/policy.sock"));
	expect_str("control", l.s->policyd.control,
	    STR("unix:/run/bulkhead/policy.sock"));
	assert_int_equal(l.s->policyd.charge_at, CHARGE_AT_MILTER);
	expect_str("listen", l.s->trackd.listen, STR("inet:127.0.0.1:8025"));
	expect_str("spool", l.s->trackd.spool, STR("/var/spool/bulkhead"));
	assert_int_equal(net_parse_addr(STR("127.9.9.9"), &in), 0);
	assert_int_equal(net_parse_addr(STR("128.0.0.1"), &out), 0);
	assert_true(settings_trusts(l.s, &in));
	assert_false(settings_trusts(l.s, &out));
	unload(&l);
}

static void
test_contract_domains(void **state)
{
	const struct domain_settings *d;
	struct loaded l;

	load_good(&l, state, contract);
	assert_int_equal(l.s->ndomains, 2);
	d = settings_domain(l.s, STR("example.com"));
	assert_non_null(d);
	assert_int_equal(d->nsign, 2);
	expect_str("selector", d->sign[1].selector, STR("e2026a"));
	expect_str("key", d->sign[1].key,
	    STR("/etc/bulkhead/keys/example.com/e2026a.pem"));
	assert_int_equal(d->sign[1].pos.line, 16);
	expect_str("url", d->tracking_url, STR("https://t.example.com"));
	expect_str("host", d->tracking_host, STR("t.example.com"));
	expect_str("rp", d->return_path_domain, STR("b.example.com"));
	expect_str("mailto", d->unsubscribe_mailto,
	    STR("unsubscribe@b.example.com"));
	assert_int_equal(d->nmay_send, 2);
	assert_int_equal(d->may_send[0].kind, MAY_SEND_SASL_USER);
	expect_str("user", d->may_send[0].user, STR("news@example.com"));
	assert_int_equal(d->may_send[1].kind, MAY_SEND_CLIENT);
	assert_int_equal(d->may_send[1].client.bits, 104);
	assert_int_equal(d->pos.line, 14);
	assert_null(settings_domain(l.s, STR("x.example.com")));
	assert_null(settings_domain(l.s, STR("")));
	assert_int_equal(settings_domain(l.s, STR("mailer.example"))->nmay_send,
	    0);
	unload(&l);
}

static void
test_contract_streams(void **state)
{
	const struct stream_settings *st;
	struct loaded l;

	load_good(&l, state, contract);
	assert_int_equal(l.s->nstreams, 2);
	st = settings_stream_named(l.s, STR("newsletter"));
	assert_ptr_equal(st, &l.s->streams[0]);
	assert_ptr_equal(settings_stream(l.s, hash_id32(STR("newsletter"))),
	    st);
	assert_true(st->has_match);
	assert_int_equal(st->match.nfrom_domain, 2);
	expect_str("glob", st->match.from_domain[1], STR("*.example.com"));
	assert_int_equal(st->match.nheader, 1);
	expect_str("header", st->match.header[0].name, STR("List-Id"));
	expect_str("any value", st->match.header[0].glob, STR(""));
	assert_int_equal(st->unsubscribe, UNSUBSCRIBE_ONE_CLICK);
	assert_false(st->replace_unsubscribe);
	assert_int_equal(st->track, TRACK_CLICKS | TRACK_OPENS);
	assert_true(st->return_path);
	assert_false(st->reject_several);
	assert_false(st->drop_suppressed);
	assert_false(st->pass_control);
	expect_str("domain", st->domain->name, STR("mailer.example"));
	assert_int_equal(st->nalso_sign, 1);
	assert_ptr_equal(st->also_sign[0], st->domain);
	st = settings_stream_named(l.s, STR("receipts"));
	expect_str("user", st->match.sasl_user[0], STR("shop@example.com"));
	assert_true(st->envelope_domain);
	assert_true(st->drop_suppressed);
	assert_int_equal(st->unsubscribe, UNSUBSCRIBE_NONE);
	assert_int_equal(st->track, 0);
	assert_false(st->return_path);
	assert_null(st->domain);
	assert_null(settings_stream_named(l.s, STR("Receipts")));
	assert_null(settings_stream(l.s, 1));
	unload(&l);
}

static void
test_contract_limits(void **state)
{
	const struct limit_settings *limit;
	struct loaded l;

	load_good(&l, state, contract);
	assert_int_equal(l.s->nlimits, 2);
	limit = &l.s->limits[0];
	expect_str("name", limit->name, STR("google"));
	assert_int_equal(limit->nrecipient_domain, 2);
	assert_int_equal(limit->per, LIMIT_PER_NONE);
	assert_int_equal(limit->rate.count, 20000);
	assert_int_equal(limit->rate.period, 3600);
	assert_int_equal(limit->burst, 500);
	assert_false(limit->count_messages);
	limit = &l.s->limits[1];
	assert_int_equal(limit->per, LIMIT_PER_DOMAIN);
	assert_int_equal(limit->burst, 50000);
	assert_int_equal(limit->noverrides, 1);
	expect_str("override", limit->overrides[0].value, STR("example.com"));
	assert_int_equal(limit->overrides[0].rate.count, 500000);
	assert_int_equal(limit->overrides[0].burst, 500000);
	unload(&l);
}

static void
test_defaults_of_an_empty_file(void **state)
{
	struct net_addr v4, v6;
	struct loaded l;

	load_good(&l, state, "");
	assert_int_equal(l.messages.n, 0);
	expect_str("store", l.s->store, STR("sqlite:/var/lib/bulkhead"));
	assert_int_equal(l.s->on_store_failure, ON_FAILURE_DEFER);
	assert_int_equal(l.s->log_addresses, LOG_ADDRESSES_FULL);
	assert_int_equal(l.s->milter.mode, MODE_ACT);
	assert_int_equal(l.s->policyd.charge_at, CHARGE_AT_MILTER);
	assert_int_equal(l.s->policyd.control.n, 0);
	assert_int_equal(l.s->trackd.listen.n, 0);
	assert_int_equal(net_parse_addr(STR("127.0.0.1"), &v4), 0);
	assert_int_equal(net_parse_addr(STR("::1"), &v6), 0);
	assert_true(settings_trusts(l.s, &v4));
	assert_true(settings_trusts(l.s, &v6));
	assert_int_equal(net_parse_addr(STR("::2"), &v6), 0);
	assert_false(settings_trusts(l.s, &v6));
	assert_null(settings_domain(l.s, STR("example.com")));
	assert_null(settings_stream(l.s, 0));
	unload(&l);
}

static void
test_values_are_normalised(void **state)
{
	const struct domain_settings *d;
	const struct stream_settings *st;
	struct loaded l;

	load_good(&l, state,
	    "trusted-networks = {}\n"
	    "token-keys = /t\n"
	    "domain \"EXAMPLE.com\" { sign S1 { key = /k }\n"
	    "  tracking-url = \"HTTPS://T.Example.com:8443/Go/\"\n"
	    "  return-path-domain = \"B.Example.COM\" }\n"
	    "domain \"b\xc3\xbc" "cher.example\" { sign s { key = /k } }\n"
	    "stream \"S\" { match {\n"
	    "  from-domain = { \"*.Example.COM\", \"*.b\xc3\xbc"
	    "cher.example\" }\n"
	    "  header = { \"X-Kind:  news*\", \"Precedence : bulk\" } }\n"
	    "  alias = { old, \"older\" } campaign = spring\n"
	    "  no-track-hosts = { \"*.Bank.example\" } track = clicks\n"
	    "  domain = \"Example.Com\" }\n");
	assert_int_equal(l.s->ntrusted, 0);
	d = settings_domain(l.s, STR("example.com"));
	assert_non_null(d);
	expect_str("selector", d->sign[0].selector, STR("s1"));
	expect_str("url", d->tracking_url,
	    STR("https://t.example.com:8443/Go"));
	expect_str("host", d->tracking_host, STR("t.example.com:8443"));
	expect_str("rp", d->return_path_domain, STR("b.example.com"));
	assert_non_null(settings_domain(l.s, STR("xn--bcher-kva.example")));
	st = &l.s->streams[0];
	expect_str("0", st->match.from_domain[0], STR("*.example.com"));
	expect_str("1", st->match.from_domain[1],
	    STR("*.xn--bcher-kva.example"));
	expect_str("name", st->match.header[1].name, STR("Precedence"));
	expect_str("glob", st->match.header[0].glob, STR("news*"));
	assert_ptr_equal(settings_stream(l.s, hash_id32(STR("older"))), st);
	expect_str("campaign", st->campaign, STR("spring"));
	expect_str("host", st->no_track_hosts[0], STR("*.bank.example"));
	assert_int_equal(st->track, TRACK_CLICKS);
	assert_ptr_equal(st->domain, d);
	unload(&l);
}

static void
test_enumerations(void **state)
{
	static const char *const good[] = {
		"on-store-failure = defer", "on-store-failure = accept",
		"log-addresses = full", "log-addresses = hash",
		"log-addresses = \"none\"", "milter { mode = act }",
		"milter { mode = observe }", "policyd { charge-at = data }",
		"policyd { charge-at = milter }",
		"stream s { existing-unsubscribe = replace }",
		"stream s { several-recipients = reject }",
		"stream s { suppressed = drop }",
		"stream s { control-headers = pass }",
		"stream s { envelope-domain = true }",
		"stream s { encode = false }",
		"milter { max-sessions = 100000 max-message = 64k }",
		"milter { max-memory = 1024G spool = \"/tmp\" }",
		"stream s { return-path = false }",
		"limit l { rate = \"1/s\" per = none }",
		"limit l { rate = \"1/m\" per = recipient-domain }",
		"limit l { rate = \"1/h\" per = sasl-user }",
		"limit l { rate = \"1/d\" per = client }",
		"limit l { rate = \"1/d\" per = stream count = messages }",
	};
	struct loaded l;

	for (size_t i = 0; i < COUNT(good); i++) {
		load_good(&l, state, good[i]);
		unload(&l);
	}
	load_good(&l, state, "stream s { existing-unsubscribe = replace "
	    "several-recipients = reject control-headers = pass }\n"
	    "on-store-failure = accept log-addresses = none milter { mode = "
	    "observe } policyd { charge-at = data }");
	assert_true(l.s->streams[0].replace_unsubscribe);
	assert_true(l.s->streams[0].reject_several);
	assert_true(l.s->streams[0].pass_control);
	assert_false(l.s->streams[0].drop_suppressed);
	assert_int_equal(l.s->on_store_failure, ON_FAILURE_ACCEPT);
	assert_int_equal(l.s->log_addresses, LOG_ADDRESSES_NONE);
	assert_int_equal(l.s->milter.mode, MODE_OBSERVE);
	assert_int_equal(l.s->policyd.charge_at, CHARGE_AT_DATA);
	unload(&l);
}

static void
test_milter_bounds(void **state)
{
	struct loaded l;

	load_good(&l, state, "stream s { }");
	assert_int_equal(l.s->milter.max_sessions, 1000);
	assert_int_equal(l.s->milter.max_message, 128 << 20);
	assert_int_equal(l.s->milter.max_memory, 512 << 20);
	assert_true(str_eq(l.s->milter.spool, STR("/var/tmp")));
	assert_false(l.s->streams[0].keep_8bit);
	unload(&l);
	load_good(&l, state, "stream s { encode = false } milter { "
	    "max-sessions = 7 max-message = 50M max-memory = 1M "
	    "spool = \"/var/spool/bulkhead\" }");
	assert_int_equal(l.s->milter.max_sessions, 7);
	assert_int_equal(l.s->milter.max_message, 50 << 20);
	assert_int_equal(l.s->milter.max_memory, 1 << 20);
	assert_true(str_eq(l.s->milter.spool, STR("/var/spool/bulkhead")));
	assert_true(l.s->streams[0].keep_8bit);
	unload(&l);
}

static void
test_trackd(void **state)
{
	struct net_addr addr;
	struct loaded l;

	load_good(&l, state, "stream s { }");
	assert_int_equal(l.s->trackd.threads, 1);
	assert_int_equal(l.s->trackd.max_connections, 16384);
	assert_int_equal(l.s->trackd.nproxies, 2);
	assert_false(l.s->trackd.is_public);
	assert_false(l.s->trackd.keep_visitors);
	assert_int_equal(l.s->milter.metrics.n, 0);
	assert_int_equal(l.s->event_addresses, EVENT_ADDRESSES_FULL);
	assert_int_equal(l.s->event_retention, 400);
	unload(&l);
	load_good(&l, state, "event-addresses = hash event-retention = 0\n"
	    "token-keys = /k\n"
	    "trackd { listen = \"inet:0.0.0.0:80\" public = true spool = /s "
	    "threads = 4 max-connections = 9 proxies = { \"192.0.2.7\" } "
	    "templates = /t robots = /r keep-visitors = true "
	    "metrics = \"unix:/m\" } "
	    "policyd { metrics = \"inet:[::1]:9\" } "
	    "milter { metrics = \"inet:localhost:9\" }");
	assert_int_equal(l.s->trackd.threads, 4);
	assert_int_equal(l.s->trackd.max_connections, 9);
	assert_int_equal(l.s->trackd.nproxies, 1);
	assert_int_equal(net_parse_addr(STR("192.0.2.7"), &addr), 0);
	assert_true(net_contains(&l.s->trackd.proxies[0], &addr));
	assert_true(l.s->trackd.is_public);
	assert_true(l.s->trackd.keep_visitors);
	expect_str("templates", l.s->trackd.templates, STR("/t"));
	expect_str("robots", l.s->trackd.robots, STR("/r"));
	expect_str("trackd's", l.s->trackd.metrics, STR("unix:/m"));
	expect_str("policyd's", l.s->policyd.metrics, STR("inet:[::1]:9"));
	expect_str("milter's", l.s->milter.metrics, STR("inet:localhost:9"));
	assert_int_equal(l.s->event_addresses, EVENT_ADDRESSES_HASH);
	assert_int_equal(l.s->event_retention, 0);
	unload(&l);
	load_good(&l, state, "event-retention = 90d trackd { proxies = { } }");
	assert_int_equal(l.s->event_retention, 90);
	assert_int_equal(l.s->trackd.nproxies, 0);
	unload(&l);
}

/* What settings_write() says loads again and is written alike. */
static void
expect_fixed_point(const char *name, void **state, const char *text)
{
	struct loaded first, second;
	struct buf one, two;

	buf_init(&one, 1000000);
	buf_init(&two, 1000000);
	load_good(&first, state, text);
	settings_write(first.s, &one);
	load_good(&second, state, one.p);
	settings_write(second.s, &two);
	expect_str(name, buf_view(&two), buf_view(&one));
	buf_clear(&one);
	buf_clear(&two);
	settings_write_json(first.s, &one);
	settings_write_json(second.s, &two);
	expect_str(name, buf_view(&two), buf_view(&one));
	buf_free(&one);
	buf_free(&two);
	unload(&first);
	unload(&second);
}

static void
test_show_is_a_fixed_point(void **state)
{
	expect_fixed_point("contract", state, contract);
	expect_fixed_point("empty", state, "");
	expect_fixed_point("no networks", state, "trusted-networks = { }");
	expect_fixed_point("odd texts", state,
	    "stream \"a \\\"b\\\" \\\\ c\" { match { header = { \"X: *, 'y'"
	    "\" } sender = { \"a#b\", 'c//d' } client = { \"::/0\", "
	    "\"10.0.0.0/8\" } daemon = { \"*\" } } campaign = \"q\\\"\" "
	    "alias = { \"x y\" } no-track-hosts = { \"*.x\" } }\n"
	    "rates = \"sqlite:/r\" events = \"sqlite:/e\"\n"
	    "limit \"l \" { rate = \"7/m\" per = client override \"10.0.0.1\" "
	    "{ rate = \"1/s\" burst = 3 } count = messages }");
	expect_fixed_point("trackd", state, "event-retention = 0 trackd { "
	    "listen = \"inet:[::1]:80\" proxies = { } public = true }\n"
	    "token-keys = /k event-addresses = hash");
	expect_fixed_point("warm-up", state,
	    "limit a { rate = \"7/m\" per = client warm-up = { \"200/d\", "
	    "\"1/h\" } from = \"2026-12-01\" override \"2001:db8::1\" "
	    "{ rate = \"1/s\" warm-up = \"5/s\" from = \"2028-02-29\" } }");
	expect_fixed_point("users", state, "limit u { rate = \"7/m\" per = "
	    "sasl-user override \"Bob\" { rate = \"1/s\" } }");
}

static void
test_json(void **state)
{
	struct loaded l;
	struct buf out;

	buf_init(&out, 100000);
	load_good(&l, state, "token-keys = /t domain d.example { sign s { key "
	    "= /k } }\nstream \"a\\\"b\" { match { sender = { x } } }");
	settings_write_json(l.s, &out);
	expect_message("json", buf_view(&out), "", 0,
	    "\"token-keys\": \"/t\", \"return-path-keys\": null");
	expect_message("json", buf_view(&out), "", 0,
	    "\"sign\": [{\"selector\": \"s\", \"key\": \"/k\"}]");
	expect_message("json", buf_view(&out), "", 0, "\"name\": \"a\\\"b\"");
	expect_message("json", buf_view(&out), "", 0, "\"limit\": []}");
	buf_free(&out);
	unload(&l);
}

static void
test_warm_up(void **state)
{
	const struct limit_settings *limit;
	struct loaded l;
	struct buf out;

	buf_init(&out, 100000);
	load_good(&l, state, "limit a { rate = \"7/m\" burst = 3 per = client "
	    "warm-up = { \"200/d\", \"500/d\" } from = \"2026-12-01\"\n"
	    "override \"2001:db8::1\" { rate = \"1/s\" } }");
	limit = &l.s->limits[0];
	assert_int_equal(limit->warm_up.nstages, 2);
	assert_int_equal(limit->warm_up.stages[1].count, 500);
	assert_int_equal(limit->warm_up.stages[1].period, 86400);
	assert_int_equal(limit->warm_up.from, 1796083200);
	assert_int_equal(limit->burst, 3);
	assert_int_equal(limit->overrides[0].warm_up.nstages, 0);
	expect_str("client", limit->overrides[0].value, STR("2001:db8::/64"));
	settings_write(l.s, &out);
	expect_message("text", buf_view(&out), "", 0,
	    "\twarm-up = { \"200/d\", \"500/d\" }");
	expect_message("text", buf_view(&out), "", 0,
	    "\tfrom = \"2026-12-01\"");
	buf_clear(&out);
	settings_write_json(l.s, &out);
	expect_message("json", buf_view(&out), "", 0, "\"warm-up\": "
	    "[\"200/d\", \"500/d\"], \"from\": \"2026-12-01\"");
	expect_message("json", buf_view(&out), "", 0,
	    "\"warm-up\": [], \"from\": null");
	buf_free(&out);
	unload(&l);
}

static void
test_references(void **state)
{
	struct loaded l;
	struct settings *second;

	load_good(&l, state, contract);
	second = settings_ref(l.s);
	assert_ptr_equal(second, l.s);
	settings_free(&l.s);
	assert_null(l.s);
	expect_str("alive", second->domains[0].name, STR("example.com"));
	settings_free(&second);
	settings_free(&second);
	unload(&l);
}

static void
test_could_use(void **state)
{
	static const struct {
		const char *glob, *domain;
		bool want;
	} cases[] = {
		{ "example.com", "example.com", true },
		{ "*.example.com", "example.com", true },
		{ "*.example.com", "a.example.com", true },
		{ "a.example.com", "example.com", true },
		{ "example.com", "a.example.com", false },
		{ "*.example.com", "example.org", false },
		{ "*xample.com", "ample.com", false },
		{ "*", "example.com", true },
		{ "news?.example.com", "example.com", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct str glob = str_from(cases[i].glob);
		struct domain_settings d = { .name =
			str_from(cases[i].domain) };
		struct stream_settings st = { .has_match = true, .match = {
			.from_domain = &glob, .nfrom_domain = 1 } };

		if (settings_could_use(&st, &d) != cases[i].want)
			fail_msg("%s, %s", cases[i].glob, cases[i].domain);
	}
}

static struct str
read_source(struct arena *a, const char *name)
{
	const char *dir = getenv("BULKHEAD_SRCDIR");
	struct str text = STR("");
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", dir ? dir : ".", name);
	if (file_read(a, path, 100000, &text) != 0)
		fail_msg("cannot read %s", path);
	return text;
}

static void
test_sample_loads(void **state)
{
	struct arena *a = arena_new();
	struct loaded l;
	struct buf shown;

	buf_init(&shown, 100000);
	load_text(&l, state, read_source(a, "conf/bulkhead.conf.sample"));
	if (l.s == NULL)
		fail_msg("%.*s", STR_ARG(buf_view(&l.messages)));
	settings_write(l.s, &shown);
	expect_fixed_point("sample", state, shown.p);
	unload(&l);
	buf_free(&shown);
	arena_free(&a);
}

/* Does text hold before, name and a character that ends a name? */
static bool
mentions(struct str text, const char *before, const char *name)
{
	char want[100];
	size_t at = 0, n;

	n = (size_t)snprintf(want, sizeof(want), "%s%s", before, name);
	while ((at = str_find(text, str_make(want, n), at)) < text.n) {
		at += n;
		if (at < text.n && strchr(" \t=\n", text.p[at]) != NULL)
			return true;
	}
	return false;
}

static void
expect_keys_documented(struct str sample, struct str page,
    const struct settings_key *keys)
{
	for (; keys->name != NULL; keys++) {
		if (!mentions(sample, "", keys->name))
			fail_msg("not in the sample: %s", keys->name);
		if (!mentions(page, "Ic ", keys->name) &&
		    !mentions(page, ".Ss ", keys->name) &&
		    !mentions(page, "{ ", keys->name))
			fail_msg("not in the manual: %s", keys->name);
		if (keys->keys != NULL)
			expect_keys_documented(sample, page, keys->keys);
	}
}

static void
test_every_key_is_documented(void **state)
{
	struct arena *a = arena_new();

	(void)state;
	expect_keys_documented(read_source(a, "conf/bulkhead.conf.sample"),
	    read_source(a, "docs/man/bulkhead.conf.5"), settings_table);
	arena_free(&a);
}

/* The example of the manual page is a settings file. */
static void
test_manual_example_loads(void **state)
{
	struct arena *a = arena_new();
	struct str page = read_source(a, "docs/man/bulkhead.conf.5"), example;
	size_t from = str_find(page, STR(".Sh EXAMPLES"), 0);
	struct loaded l;

	from = str_find(page, STR("-offset indent\n"), from);
	assert_true(from < page.n);
	from += strlen("-offset indent\n");
	example = str_sub(page, from, str_find(page, STR(".Ed"), from));
	load_text(&l, state, example);
	if (l.s == NULL)
		fail_msg("%.*s", STR_ARG(buf_view(&l.messages)));
	assert_int_equal(l.messages.n, 0);
	assert_int_equal(l.s->nstreams, 1);
	unload(&l);
	arena_free(&a);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, conf_setup, conf_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(test_contract_top_level),
		CASE(test_contract_domains),
		CASE(test_contract_streams),
		CASE(test_contract_limits),
		CASE(test_defaults_of_an_empty_file),
		CASE(test_values_are_normalised),
		CASE(test_enumerations),
		CASE(test_milter_bounds),
		CASE(test_trackd),
		CASE(test_show_is_a_fixed_point),
		CASE(test_json),
		CASE(test_warm_up),
		CASE(test_references),
		CASE(test_could_use),
		CASE(test_sample_loads),
		CASE(test_every_key_is_documented),
		CASE(test_manual_example_loads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
