/*
 * test_settings.c - what bulkhead.conf comes to: the contract file, defaults,
 * every kind of error at its line, all of them at once, and files that were
 * cut or garbled.
 */
#include "conf_file.h"

#include "base/file.h"
#include "base/hash.h"
#include "bulkhead/settings.h"
#include "bulkhead/settings_check.h"
#include "bulkhead/settings_table.h"

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static const char contract[] =
    "store      = \"sqlite:/var/lib/bulkhead\"\n"
    "token-keys = \"/etc/bulkhead/token.keys\"\n"
    "return-path-keys = \"/etc/bulkhead/return-path.keys\"\n"
    "trusted-networks = { \"127.0.0.0/8\", \"::1/128\" }\n"
    "on-store-failure = defer                               # defer | accept, "
    "for policyd and milter alike\n"
    "log-addresses    = full                                # full | hash | "
    "none\n"
    "\n"
    "milter  { socket = \"unix:/var/spool/postfix/bulkhead/milter.sock\" }\n"
    "policyd { socket  = \"unix:/var/spool/postfix/bulkhead/policy.sock\"     "
    "# Postfix asks here\n"
    "          control = \"unix:/run/bulkhead/policy.sock\"                  # "
    "the milter and the command: admit, charge, limits\n"
    "          charge-at = milter }                                        # "
    "milter | data (no milter installed)\n"
    "trackd  { listen = \"inet:127.0.0.1:8025\"  spool = "
    "\"/var/spool/bulkhead\" }\n"
    "\n"
    "domain \"example.com\" {\n"
    "    sign \"s2026a\" { key = \"/etc/bulkhead/keys/example.com/s2026a.pem\" "
    "}     # the algorithm is the key's\n"
    "    sign \"e2026a\" { key = \"/etc/bulkhead/keys/example.com/e2026a.pem\" "
    "}\n"
    "    tracking-url = \"https://t.example.com\"\n"
    "    return-path-domain = \"b.example.com\"\n"
    "    unsubscribe-mailto = \"unsubscribe@b.example.com\"\n"
    "    may-send = { \"sasl-user:news@example.com\", \"client:127.0.0.0/8\" } "
    "      # default: whoever is ours\n"
    "}\n"
    "domain \"mailer.example\" {\n"
    "    sign \"m1\" { key = \"/etc/bulkhead/keys/mailer.example/m1.pem\" }\n"
    "    tracking-url = \"https://t.mailer.example\"\n"
    "    return-path-domain = \"b.mailer.example\"\n"
    "}\n"
    "\n"
    "stream \"newsletter\" {\n"
    "    match {\n"
    "        from-domain = { \"example.com\", \"*.example.com\" }\n"
    "        header      = { \"List-Id\" }                    # also: sender, "
    "sasl-user, client, daemon; header = \"Name\" or \"Name: glob\"\n"
    "    }\n"
    "    unsubscribe        = one-click                     # none | header | "
    "one-click\n"
    "    existing-unsubscribe = keep                        # keep | replace\n"
    "    track              = { clicks, opens }\n"
    "    return-path        = true\n"
    "    several-recipients = shared                        # shared | reject\n"
    "    suppressed         = reject                        # reject | drop\n"
    "    control-headers    = strip                         # strip (and "
    "honour) | pass\n"
    "    domain     = \"mailer.example\"                      # for From "
    "domains without a section\n"
    "    also-sign  = { \"mailer.example\" }                  # the service's "
    "signature beside the customer's\n"
    "}\n"
    "stream \"receipts\" {                                    # decided by the "
    "envelope alone: RCPT can already refuse\n"
    "    match { sasl-user = { \"shop@example.com\" } }\n"
    "    envelope-domain = true\n"
    "    suppressed = drop\n"
    "}\n"
    "\n"
    "limit \"google\" {                                       # every limit "
    "that applies is charged, together or not at all\n"
    "    recipient-domain = { \"gmail.com\", \"googlemail.com\" }\n"
    "    rate  = \"20000/h\"\n"
    "    burst = 500\n"
    "    count = recipients                                 # recipients | "
    "messages\n"
    "}\n"
    "limit \"each-domain\" {\n"
    "    per  = domain                                      # one bucket for "
    "each value: domain, recipient-domain, sasl-user, client (IPv6 by /64), "
    "stream\n"
    "    rate = \"50000/d\"\n"
    "    override \"example.com\" { rate = \"500000/d\" }\n"
    "}\n";

struct loaded {
	struct arena *arena;
	struct settings *s;
	struct buf messages;
};

static void
load_text(struct loaded *l, void **state, struct str text)
{
	l->arena = arena_new();
	buf_init(&l->messages, 1000000);
	l->s = settings_load(conf_write(l->arena, state, "a.conf", text),
	    &l->messages);
}

static void
unload(struct loaded *l)
{
	settings_free(&l->s);
	assert_null(l->s);
	buf_free(&l->messages);
	arena_free(&l->arena);
}

/* Loads a text that must be good; warnings are allowed. */
static void
load_good(struct loaded *l, void **state, const char *text)
{
	load_text(l, state, str_from(text));
	if (l->s == NULL)
		fail_msg("refused:\n%s\n%.*s", text,
		    STR_ARG(buf_view(&l->messages)));
}

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

struct error_case {
	const char *name, *text;
	unsigned line;
	const char *want;
};

/* Each text has one error, of that line and with those words. */
static void
run_errors(void **state, const struct error_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct loaded l;

		load_text(&l, state, str_from(cases[i].text));
		if (l.s != NULL)
			fail_msg("%s: taken", cases[i].name);
		expect_message(cases[i].name, buf_view(&l.messages), "a.conf",
		    cases[i].line, cases[i].want);
		if (conf_errors(buf_view(&l.messages)) != 1)
			fail_msg("%s: not one error:\n%.*s", cases[i].name,
			    STR_ARG(buf_view(&l.messages)));
		unload(&l);
	}
}

static void
test_unknown_keys_and_shapes(void **state)
{
	static const struct error_case cases[] = {
		{ "near", "\ntoken-key = /x", 2,
		    "\"token-key\" is no key of the top level: did you mean "
		    "\"token-keys\"?" },
		{ "underscore", "log_addresses = full", 1,
		    "did you mean \"log-addresses\"" },
		{ "typing", "stream s {\n unsubcribe = none }", 2,
		    "of section \"stream\": did you mean \"unsubscribe\"" },
		{ "far", "colour = blue", 1, "bulkhead.conf(5) lists them" },
		{ "other section", "rate = \"1/s\"", 1,
		    "belongs into a section \"limit\"" },
		{ "nested home", "stream s {\n\nheader = { x } }", 3,
		    "belongs into a section \"match\"" },
		{ "top level key below", "domain d { sign s { key = /k }\n"
		    "store = \"sqlite:/x\" }", 2, "belongs to the top level" },
		{ "unknown section", "\nwibble \"x\" { a = 1 }", 2,
		    "\"wibble\" is no key" },
		{ "very long", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa = 1", 1,
		    "is no key" },
		{ "list for one value", "store = { \"sqlite:/x\" }", 1,
		    "takes one value" },
		{ "setting for a section", "milter = x", 1,
		    "\"milter\" is a section: NAME {" },
		{ "setting for a titled one", "domain = x.example", 1,
		    "\"domain\" is a section: NAME \"TITLE\"" },
		{ "section for a setting", "store { }", 1,
		    "is a setting, not a section" },
		{ "section for a list", "stream s { track { } }", 1,
		    "write a = before the {" },
		{ "title too many", "milter \"x\" { }", 1, "takes no title" },
		{ "title missing", "domain { }", 1, "needs a title" },
		{ "title empty", "stream \"\" { }", 1, "needs a title" },
	};

	run_errors(state, cases, COUNT(cases));
}

static void
test_bad_values(void **state)
{
	static const struct error_case cases[] = {
		{ "store", "store = mysql", 1, "write \"sqlite:/DIRECTORY\"" },
		{ "store relative", "store = \"sqlite:x\"", 1, "a whole path" },
		{ "valkey", "store = \"valkey://h:6379/0\"", 1,
		    "no driver for Valkey yet" },
		{ "rates", "\nrates = \"valkey://h\"", 2,
		    "rates = \"valkey://h\"" },
		{ "events", "events = \"file:/x\"", 1, "write \"sqlite:" },
		{ "path", "token-keys = \"token.keys\"", 1, "starts with /" },
		{ "path empty", "return-path-keys = \"\"", 1, "starts with /" },
		{ "spool", "trackd { spool = \"spool\" }", 1, "starts with /" },
		{ "word", "on-store-failure = tempfail", 1,
		    "defer or accept is possible" },
		{ "three words", "log-addresses = some", 1,
		    "full, hash or none is possible" },
		{ "word case", "milter { mode = Act }", 1, "act or observe" },
		{ "boolean", "stream s { return-path = yes }", 1,
		    "false or true is possible" },
		{ "network", "trusted-networks = { \"10.0.0.0/8\",\n"
		    "\"10.0.0.1/8\" }", 2, "no bits set behind the prefix" },
		{ "no network", "trusted-networks = { localhost }", 1,
		    "is no network" },
		{ "socket", "milter { socket = \"/run/x\" }", 1,
		    "write unix:/PATH" },
		{ "socket path", "policyd { control = \"unix:run/x\" }", 1,
		    "starts with /" },
		{ "socket port", "trackd { listen = \"inet:127.0.0.1:0\" }", 1,
		    "inet:HOST:PORT" },
		{ "domain", "domain \"a b\" { sign s { key = /k } }", 1,
		    "is no domain name" },
		{ "domain label", "domain \"-a.example\" { sign s { key = /k }"
		    " }", 1, "is no domain name" },
		{ "domain dots", "domain \"a..example\" { sign s { key = /k }"
		    " }", 1, "is no domain name" },
		{ "selector", "domain d.example { sign \"s_1\" { key = /k } }",
		    1, "the selector \"s_1\" is none" },
		{ "selector case", "domain d.example {\nsign \"s\" { key = /k }"
		    "\nsign \"S\" { key = /k } }", 3, "twice in a domain" },
		{ "sign without key", "domain d.example {\nsign s { } }", 2,
		    "has no key" },
		{ "key relative", "domain d.example { sign s {\nkey = k.pem } }",
		    2, "starts with /" },
		{ "no signs at all is a warning", "domain d.example { }\n"
		    "store = x", 2, "store" },
		{ "may-send", "domain d.example { sign s { key = /k }\n"
		    "may-send = { \"user:x\" } }", 2, "\"sasl-user:USER\"" },
		{ "may-send network", "domain d.example { sign s { key = /k }\n"
		    "may-send = { \"client:x\" } }", 2, "is no network" },
		{ "may-send nobody", "domain d.example { sign s { key = /k }\n"
		    "may-send = { } }", 2, "empty may-send" },
		{ "mailto", "return-path-keys = /k domain d.example { sign s "
		    "{ key = /k }\nunsubscribe-mailto = unsubscribe }", 2,
		    "an address such as" },
		{ "domain twice", "domain d.example { sign s { key = /k } }\n"
		    "domain D.Example { sign s { key = /k } }", 2,
		    "a second section for the domain d.example" },
		{ "return path domain", "domain d.example { sign s { key = /k }"
		    "\nreturn-path-domain = \"b@d.example\" }", 2,
		    "is no domain name" },
		{ "track", "stream s { track = { clicks2 } }", 1,
		    "clicks or opens is possible" },
		{ "header name", "stream s { match {\nheader = { \"List Id\" }"
		    " } }", 2, "\"Name: glob\"" },
		{ "header glob", "stream s { match {\nheader = { \"X:\" } } }",
		    2, "\"Name: glob\"" },
		{ "from-domain", "stream s { match { from-domain = { "
		    "\"a@b.example\" } } }", 1, "*.example.com" },
		{ "empty glob", "stream s { match { sender = { \"\" } } }", 1,
		    "matches nothing" },
		{ "empty list", "stream s { match {\nsender = { } } }", 2,
		    "\"sender\" is an empty list" },
		{ "client", "stream s { match { client = { \"::1/129\" } } }",
		    1, "is no network" },
		{ "no such domain", "stream s {\ndomain = x.example }", 2,
		    "no section domain \"x.example\"" },
		{ "no such also-sign", "stream s {\nalso-sign = { x.example } "
		    "}", 2, "no section domain" },
		{ "also-sign unsigned", "domain d.example { }\nstream s {\n"
		    "also-sign = { d.example } }", 3, "has no sign section" },
	};

	run_errors(state, cases, COUNT(cases));
}

static void
test_bad_urls(void **state)
{
	static const struct {
		const char *url, *want;
	} cases[] = {
		{ "t.example.com", "write https://HOST" },
		{ "ftp://t.example.com", "write https://HOST" },
		{ "https://", "is no host name" },
		{ "https:///x", "is no host name" },
		{ "https://t_x.example", "is no host name" },
		{ "https://u:p@t.example", "it must name no user" },
		{ "https://t.example:0", "the port in it is none" },
		{ "https://t.example:x", "the port in it is none" },
		{ "https://t.example:65536/", "the port in it is none" },
		{ "https://[::g]/", "the IPv6 address" },
		{ "https://[::1", "the IPv6 address" },
		{ "https://[::1]x", "behind the host" },
		{ "https://t.example/?a=b", "no query and no fragment" },
		{ "https://t.example?a", "no query and no fragment" },
		{ "https://t.example/#x", "no query and no fragment" },
		{ "https://t.example/a b", "its path may hold" },
		{ "https://t.example/%41", "its path may hold" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[256];
		struct error_case one = { cases[i].url, text, 2,
			cases[i].want };

		snprintf(text, sizeof(text), "domain d.example { sign s { key "
		    "= /k }\ntracking-url = \"%s\" }", cases[i].url);
		run_errors(state, &one, 1);
	}
}

static void
test_good_urls(void **state)
{
	static const struct {
		const char *url, *want, *host;
	} cases[] = {
		{ "https://t.example/", "https://t.example", "t.example" },
		{ "https://t.example//", "https://t.example", "t.example" },
		{ "http://127.0.0.1:8025", "http://127.0.0.1:8025",
		    "127.0.0.1:8025" },
		{ "https://[2001:DB8::1]:443/x-y/~z", "https://[2001:db8::1]:"
		    "443/x-y/~z", "[2001:db8::1]:443" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct loaded l;
		char text[256];

		snprintf(text, sizeof(text), "domain d.example { sign s { key "
		    "= /k }\ntracking-url = \"%s\" }", cases[i].url);
		load_good(&l, state, text);
		expect_str("url", l.s->domains[0].tracking_url,
		    str_from(cases[i].want));
		expect_str("host", l.s->domains[0].tracking_host,
		    str_from(cases[i].host));
		unload(&l);
	}
}

static void
test_bad_limits(void **state)
{
	static const struct error_case cases[] = {
		{ "no rate", "\nlimit l { }", 2, "limit \"l\" has no rate" },
		{ "unit", "limit l {\nrate = \"5/w\" }", 2, "\"20/s\"" },
		{ "no unit", "limit l { rate = 500 }", 1, "\"20/s\"" },
		{ "zero", "limit l { rate = \"0/s\" }", 1, "\"20/s\"" },
		{ "leading zero", "limit l { rate = \"010/s\" }", 1, "\"20/s\"" },
		{ "fraction", "limit l { rate = \"1.5/s\" }", 1, "\"20/s\"" },
		{ "burst zero", "limit l { rate = \"1/s\" burst = 0 }", 1,
		    "a whole number from 1" },
		{ "burst octal", "limit l { rate = \"1/s\" burst = 010 }", 1,
		    "leading zero" },
		{ "burst unit", "limit l { rate = \"1/s\" burst = 5k }", 1,
		    "without unit" },
		{ "burst negative", "limit l { rate = \"1/s\" burst = -5 }", 1,
		    "from 1" },
		{ "burst huge", "limit l { rate = \"1/s\" burst = "
		    "99999999999999999999 }", 1, "from 1" },
		{ "per", "limit l { rate = \"1/s\" per = sender }", 1,
		    "none, domain, recipient-domain, sasl-user, client or "
		    "stream is possible" },
		{ "count", "limit l { rate = \"1/s\" count = bytes }", 1,
		    "recipients or messages" },
		{ "recipient-domain", "limit l { rate = \"1/s\" "
		    "recipient-domain = { \"a b\" } }", 1, "no domain name" },
		{ "recipient-domain empty", "limit l { rate = \"1/s\" "
		    "recipient-domain = { } }", 1, "leave it out" },
		{ "override alone", "limit l { rate = \"1/s\"\n"
		    "override x { rate = \"2/s\" } }", 1, "but no per" },
		{ "override no rate", "limit l { rate = \"1/s\" per = "
		    "sasl-user\noverride x { } }", 2, "\"x\" has no rate" },
		{ "override domain", "limit l { rate = \"1/s\" per = domain\n"
		    "override \"a b\" { rate = \"2/s\" } }", 2,
		    "no domain name" },
		{ "override client", "limit l { rate = \"1/s\" per = client\n"
		    "override x { rate = \"2/s\" } }", 2, "an address is" },
		{ "override stream", "limit l { rate = \"1/s\" per = stream\n"
		    "override x { rate = \"2/s\" } }", 2, "no stream of that" },
	};

	run_errors(state, cases, COUNT(cases));
}

#define SIGNED "domain d.example { sign s { key = /k } "

static void
test_impossible_combinations(void **state)
{
	static const struct error_case cases[] = {
		{ "one-click, no domain", "token-keys = /t\nstream s {\n"
		    "unsubscribe = one-click }", 3, "needs an https" },
		{ "one-click over http", "token-keys = /t\n" SIGNED
		    "tracking-url = \"http://t.example\" }\nstream s {\n"
		    "unsubscribe = one-click }", 4, "needs an https" },
		{ "one-click, no keys", SIGNED "tracking-url = "
		    "\"https://t.example\" }\nstream s { unsubscribe = "
		    "one-click }", 2, "needs token-keys" },
		{ "one-click, other domain", "token-keys = /t\n" SIGNED
		    "tracking-url = \"https://t.example\" }\nstream s { match "
		    "{ from-domain = { \"x.example\" } }\nunsubscribe = "
		    "one-click }", 4, "needs an https" },
		{ "header without address", "token-keys = /t\n" SIGNED "}\n"
		    "stream s { unsubscribe = header }", 3,
		    "needs unsubscribe-mailto" },
		{ "mailto without keys", SIGNED "\nunsubscribe-mailto = "
		    "u@b.example }\nstream s { unsubscribe = header }", 2,
		    "unsubscribe-mailto needs return-path-keys" },
		{ "track without url", "token-keys = /t\n" SIGNED "}\n"
		    "stream s { track = { opens } }", 3,
		    "track needs a tracking-url" },
		{ "track without keys", SIGNED "tracking-url = "
		    "\"http://t.example\" }\nstream s { track = { opens } }",
		    2, "track needs token-keys" },
		{ "return path without domain", "return-path-keys = /k\n" SIGNED
		    "}\nstream s { return-path = true }", 3,
		    "needs a return-path-domain" },
		{ "return path without keys", SIGNED "return-path-domain = "
		    "b.example }\nstream s { return-path = true }", 2,
		    "return-path needs return-path-keys" },
		{ "alias of another", "stream a { }\nstream b { match { sender "
		    "= { x } } alias = { a } }", 2, "share one id" },
		{ "alias of itself", "stream a { alias = { a } }", 1,
		    "give each name once" },
		{ "one alias twice", "stream a { match { sender = { x } } alias"
		    " = { o } }\nstream b { alias = { o } }", 2,
		    "share one id" },
		{ "data, per domain", "policyd { charge-at = data }\n"
		    "limit l {\nper = domain rate = \"1/s\" }", 3,
		    "cannot work with charge-at = data" },
		{ "data, per domain, header stream", "policyd { charge-at = "
		    "data }\nstream s { match { header = { X } } "
		    "envelope-domain = true }\nlimit l { rate = \"1/s\"\nper = "
		    "domain }", 4, "cannot work with charge-at = data" },
		{ "data, per stream", "policyd { charge-at = data }\n"
		    "stream s { match { from-domain = { x.example } } }\n"
		    "limit l { rate = \"1/s\" per = stream }", 3,
		    "stream \"s\" (line 2) is matched by the header" },
	};

	run_errors(state, cases, COUNT(cases));
}

/* What is possible in spite of the neighbouring impossible case. */
static void
test_possible_combinations(void **state)
{
	static const char *const cases[] = {
		"token-keys = /t\n" SIGNED "tracking-url = \"https://t.example"
		"\" }\nstream s { match { from-domain = { \"*.d.example\" } } "
		"unsubscribe = one-click track = { clicks } }",
		"token-keys = /t\n" SIGNED "tracking-url = \"https://t.example"
		"\" }\nstream s { match { from-domain = { \"x.example\" } } "
		"domain = d.example unsubscribe = one-click }",
		"token-keys = /t\n" SIGNED "tracking-url = \"https://t.example"
		"\" }\nstream s { unsubscribe = header }",
		"return-path-keys = /t\n" SIGNED "unsubscribe-mailto = "
		"u@b.example }\nstream s { unsubscribe = header }",
		SIGNED "unsubscribe-mailto = u@b.example }\nstream s { }",
		"token-keys = /t\n" SIGNED "tracking-url = \"http://t.example"
		"\" }\nstream s { track = { opens } }",
		"policyd { charge-at = data }\nstream s { match { sasl-user = {"
		" x } } envelope-domain = true }\nlimit l { rate = \"1/s\" per "
		"= domain }\nlimit m { rate = \"1/s\" per = stream }",
		"policyd { charge-at = data }\nstream s { match { header = { X "
		"} } }\nlimit l { rate = \"1/s\" per = recipient-domain }",
		"limit l { rate = \"1/s\" per = client override \"::1\" { rate "
		"= \"2/s\" } }",
		"stream a { }\nlimit l { rate = \"1/s\" per = stream override a"
		" { rate = \"2/s\" } }",
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct loaded l;

		load_good(&l, state, cases[i]);
		unload(&l);
	}
}

static void
test_warnings(void **state)
{
	static const struct error_case cases[] = {
		{ "unreachable", "stream a { }\nstream b { }", 2,
		    "stream \"b\" gets no mail: \"a\" (line 1)" },
		{ "empty match", "stream a {\nmatch { } }", 2, "empty match" },
		{ "unsigned", "\ndomain d.example { }", 2, "goes out unsigned" },
		{ "http", SIGNED "\ntracking-url = \"http://t.example\" }", 2,
		    "is not https" },
		{ "the world", "trusted-networks = { \"0.0.0.0/0\" }", 1,
		    "as wide as the internet" },
		{ "the other world", "trusted-networks = { \"::/0\" }", 1,
		    "as wide as the internet" },
		{ "partly https", "token-keys = /t\n" SIGNED "tracking-url = "
		    "\"https://t.example\" }\ndomain e.example { sign s { key "
		    "= /k } }\nstream s {\nunsubscribe = one-click }", 5,
		    "domain \"e.example\" does not have" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct loaded l;
		char want[160];

		snprintf(want, sizeof(want), "%s", cases[i].want);
		load_good(&l, state, cases[i].text);
		expect_message(cases[i].name, buf_view(&l.messages), "a.conf",
		    cases[i].line, "warning: ");
		expect_message(cases[i].name, buf_view(&l.messages), "a.conf",
		    cases[i].line, want);
		assert_int_equal(conf_count(buf_view(&l.messages), "\n"), 1);
		unload(&l);
	}
}

static void
test_everything_wrong_at_once(void **state)
{
	static const char text[] =
	    "store = \"valkey://x\"\n"		    /* 1 */
	    "stoer = \"sqlite:/x\"\n"		    /* 2 */
	    "on-store-failure = maybe;\n"	    /* 3 */
	    "trusted-networks = { \"10.0.0.1/8\",\n" /* 4 */
	    "  \"x\" }\n"			    /* 5 */
	    "milter { socket = tcp }\n"		    /* 6 */
	    "milter { }\n"			    /* 7 */
	    "domain \"example.com\" {\n"
	    "  sign \"s\" { }\n"		    /* 9 */
	    "  tracking-url = \"t.example.com\"\n"  /* 10 */
	    "  may-send = { \"x\" }\n"		    /* 11 */
	    "}\n"
	    "stream \"n\" {\n"
	    "  match { header = { \"a b\" } }\n"    /* 14 */
	    "  match { }\n"			    /* 15 */
	    "  unsubscribe = one_click\n"	    /* 16 */
	    "  return-path = true\n"		    /* 17 */
	    "  domain = \"other.example\"\n"	    /* 18 */
	    "}\n"
	    "limit \"l\" { rate = \"5/y\"\n"	    /* 20 */
	    "  burst = 5k\n"			    /* 21 */
	    "  burst = 5 }\n";			    /* 22 */
	static const unsigned lines[] = { 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 14,
		15, 16, 17, 18, 20, 21, 22 };
	struct loaded l;

	load_text(&l, state, STR(text));
	assert_null(l.s);
	for (size_t i = 0; i < COUNT(lines); i++)
		expect_message("all", buf_view(&l.messages), "a.conf", lines[i],
		    " ");
	unload(&l);
}

static void
test_errors_in_included_files(void **state)
{
	struct loaded l;

	l.arena = arena_new();
	buf_init(&l.messages, 100000);
	conf_write(l.arena, state, "d.conf",
	    STR("\ndomain d.example {\n  sign s { key = k } }\n"));
	l.s = settings_load(conf_write(l.arena, state, "a.conf",
	    STR("# first\ninclude(\"d.conf\")\nlog-addresses = loud\n")),
	    &l.messages);
	assert_null(l.s);
	expect_message("included", buf_view(&l.messages), "d.conf", 3,
	    "starts with /");
	expect_message("including", buf_view(&l.messages), "a.conf", 3,
	    "full, hash or none");
	unload(&l);
}

static void
test_no_such_file(void **state)
{
	struct loaded l = { arena_new(), NULL, { 0 } };

	(void)state;
	buf_init(&l.messages, 1000);
	l.s = settings_load("/nonexistent/bulkhead.conf", &l.messages);
	assert_null(l.s);
	expect_str("message", buf_view(&l.messages),
	    STR("/nonexistent/bulkhead.conf: cannot read "
		"/nonexistent/bulkhead.conf: No such file or directory\n"));
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

static void
test_ten_thousand_domains(void **state)
{
	struct buf text;
	struct loaded l;

	buf_init(&text, 4000000);
	for (int i = 0; i < 10000; i++)
		buf_printf(&text, "domain \"d%d.example\" { sign s { key = "
		    "\"/k\" } }\n", i);
	load_good(&l, state, text.p);
	assert_int_equal(l.s->ndomains, 10000);
	assert_non_null(settings_domain(l.s, STR("d9999.example")));
	assert_null(settings_domain(l.s, STR("d10000.example")));
	unload(&l);
	buf_free(&text);
}

/* A small generator of its own: the same bytes in every run. */
static unsigned
next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*seed >> 33);
}

/* Either settings, or at least one error: never neither, never both. */
static void
load_damaged(void **state, struct str text)
{
	struct loaded l;

	load_text(&l, state, text);
	assert_false(l.messages.failed);
	if ((l.s == NULL) != (conf_errors(buf_view(&l.messages)) != 0))
		fail_msg("settings %p, messages:\n%.*s\nfor:\n%.*s",
		    (void *)l.s, STR_ARG(buf_view(&l.messages)),
		    STR_ARG(text));
	if (conf_count(buf_view(&l.messages), "libconfuse cannot") != 0)
		fail_msg("the scan let through:\n%.*s\n%.*s", STR_ARG(text),
		    STR_ARG(buf_view(&l.messages)));
	unload(&l);
}

static void
test_cut_files(void **state)
{
	struct str whole = STR(contract);

	for (size_t n = 0; n < whole.n; n += 7)
		load_damaged(state, str_sub(whole, 0, n));
}

static void
test_garbled_files(void **state)
{
	static const char alphabet[] = "{}=,;\"'\\#/*()$ \n\t+-a0.\xff\x01";
	struct str whole = STR(contract);
	char *copy = malloc(whole.n);
	uint64_t seed = 20261123;

	assert_non_null(copy);
	for (int round = 0; round < 1500; round++) {
		memcpy(copy, whole.p, whole.n);
		for (unsigned k = next_random(&seed) % 4 + 1; k > 0; k--) {
			size_t at = next_random(&seed) % whole.n;

			copy[at] = alphabet[next_random(&seed) %
			    (sizeof(alphabet) - 1)];
		}
		load_damaged(state, str_make(copy, whole.n));
	}
	free(copy);
}

/* Lines in another order, twice or not at all. */
static void
test_shuffled_lines(void **state)
{
	struct str whole = STR(contract), lines[100];
	uint64_t seed = 7;
	size_t n = 0;
	struct buf text;

	buf_init(&text, 100000);
	for (size_t at = 0; at < whole.n && n < 100; n++) {
		size_t end = str_chr(whole, '\n', at) + 1;

		lines[n] = str_sub(whole, at, end);
		at = end;
	}
	for (int round = 0; round < 500; round++) {
		buf_clear(&text);
		for (size_t k = 0; k < n; k++)
			if (next_random(&seed) % 12 != 0)
				buf_str(&text, lines[next_random(&seed) % 8 ?
				    k : next_random(&seed) % n]);
		load_damaged(state, buf_view(&text));
	}
	buf_free(&text);
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
		CASE(test_unknown_keys_and_shapes),
		CASE(test_bad_values),
		CASE(test_bad_urls),
		CASE(test_good_urls),
		CASE(test_bad_limits),
		CASE(test_impossible_combinations),
		CASE(test_possible_combinations),
		CASE(test_warnings),
		CASE(test_everything_wrong_at_once),
		CASE(test_errors_in_included_files),
		CASE(test_no_such_file),
		CASE(test_show_is_a_fixed_point),
		CASE(test_json),
		CASE(test_references),
		CASE(test_could_use),
		CASE(test_sample_loads),
		CASE(test_every_key_is_documented),
		CASE(test_manual_example_loads),
		CASE(test_ten_thousand_domains),
		CASE(test_cut_files),
		CASE(test_garbled_files),
		CASE(test_shuffled_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
