/*
 * test_settings_errors.c - every kind of error at its line, all of them at
 * once, and what is only a warning or nothing at all.
 */
#include "conf_load.h"

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
		{ "key relative", "domain d.example { sign s {\nkey = k.pem } "
		    "}", 2, "starts with /" },
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
test_bad_trackd(void **state)
{
	static const struct error_case cases[] = {
		{ "public", "token-keys = /k trackd {\n"
		    "listen = \"inet:0.0.0.0:80\" spool = /s }", 2,
		    "public = true" },
		{ "public by no host", "token-keys = /k trackd {\n"
		    "listen = \"inet::80\" spool = /s }", 2, "public = true" },
		{ "trackd without keys", "trackd {\n"
		    "listen = \"inet:127.0.0.1:80\" spool = /s }", 2,
		    "needs token-keys" },
		{ "proxies", "trackd { proxies = { \"10.0.0.1/8\" } }", 1,
		    "no bits set behind the prefix" },
		{ "threads", "trackd { threads = 0 }", 1, "from 1 to 256" },
		{ "metrics elsewhere", "policyd {\n"
		    "metrics = \"inet:192.0.2.1:9\" }", 2,
		    "to this host only" },
		{ "retention", "event-retention = 36h", 1,
		    "a number of days such as 90d" },
		{ "retention without unit", "event-retention = 90", 1,
		    "a number of days such as 90d" },
		{ "event addresses", "event-addresses = none", 1,
		    "full or hash is possible" },
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
		{ "leading zero", "limit l { rate = \"010/s\" }", 1,
		    "\"20/s\"" },
		{ "fraction", "limit l { rate = \"1.5/s\" }", 1, "\"20/s\"" },
		{ "burst zero", "limit l { rate = \"1/s\" burst = 0 }", 1,
		    "a whole number from 1" },
		{ "no sessions", "milter {\nmax-sessions = 0 }", 2,
		    "a whole number from 1 to 100000" },
		{ "many sessions", "milter { max-sessions = 100001 }", 1,
		    "a whole number from 1 to 100000" },
		{ "small message", "milter { max-message = 1k }", 1,
		    "64k at least and 1024G at most" },
		{ "size unit", "milter { max-memory = 1T }", 1,
		    "a size such as 64M" },
		{ "size huge", "milter { max-memory = 1025G }", 1,
		    "1024k at least and 1024G at most" },
		{ "relative spool", "milter { spool = \"tmp\" }", 1,
		    "starts with /" },
		{ "encode", "stream s { encode = quoted-printable }", 1,
		    "false or true is possible" },
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
		{ "override /64 of IPv4", "limit l { rate = \"1/s\" per = "
		    "client\noverride \"10.0.0.1/64\" { rate = \"2/s\" } }", 2,
		    "counted singly" },
		{ "override twice", "limit l { rate = \"1/s\" per = client\n"
		    "override \"2001:db8::1\" { rate = \"2/s\" }\n"
		    "override \"2001:db8::2\" { rate = \"3/s\" } }", 3,
		    "second override for \"2001:db8::/64\"" },
		{ "override stream", "limit l { rate = \"1/s\" per = stream\n"
		    "override x { rate = \"2/s\" } }", 2, "no stream of that" },
	};

	run_errors(state, cases, COUNT(cases));
}

#define WARM "limit l { rate = \"9/s\"\n"

static void
test_bad_warm_up(void **state)
{
	static const struct error_case cases[] = {
		{ "no from", WARM "warm-up = { \"1/d\" } }", 2,
		    "warm-up needs the day of its first stage" },
		{ "no warm-up", WARM "from = \"2026-12-01\" }", 2,
		    "which is missing" },
		{ "empty", WARM "from = \"2026-12-01\"\nwarm-up = { } }", 3,
		    "an empty warm-up: leave it out" },
		{ "no rate", WARM "warm-up = { \"1/d\",\n\"200\" }\n"
		    "from = \"2026-12-01\" }", 3, "warm-up = \"200\": write" },
		{ "no day", WARM "warm-up = { \"1/d\" }\nfrom = soon }", 3,
		    "from = \"soon\": write a day that there is" },
		{ "30 February", WARM "warm-up = { \"1/d\" }\nfrom = "
		    "\"2027-02-30\" }", 3, "a day that there is" },
		{ "29 February", WARM "warm-up = { \"1/d\" }\nfrom = "
		    "\"2027-02-29\" }", 3, "a day that there is" },
		{ "month 13", WARM "warm-up = { \"1/d\" }\nfrom = "
		    "\"2026-13-01\" }", 3, "a day that there is" },
		{ "one digit", WARM "warm-up = { \"1/d\" }\nfrom = "
		    "\"2026-12-1\" }", 3, "a day that there is" },
		{ "with a time", WARM "warm-up = { \"1/d\" }\nfrom = "
		    "\"2026-12-01T00:00:00Z\" }", 3, "a day that there is" },
		{ "seconds", WARM "warm-up = { \"1/d\" }\nfrom = "
		    "\"1796083200\" }", 3, "a day that there is" },
		{ "before 1970", WARM "warm-up = { \"1/d\" }\nfrom = "
		    "\"1969-12-31\" }", 3, "a day that there is" },
		{ "from is a list", WARM "warm-up = { \"1/d\" }\nfrom = "
		    "{ \"2026-12-01\" } }", 3, "takes one value" },
		{ "in an override", "limit l { rate = \"9/s\" per = sasl-user\n"
		    "override u { rate = \"9/s\"\nwarm-up = { \"1/d\" } } }",
		    3, "warm-up needs the day" },
		{ "elsewhere", "warm-up = { \"1/d\" }", 1,
		    "belongs into a section \"limit\"" },
	};

	run_errors(state, cases, COUNT(cases));
}

static void
test_unwise_warm_up(void **state)
{
	static const struct {
		const char *stages;
		unsigned warnings;
		const char *want;
	} cases[] = {
		{ "\"1/d\", \"1/d\", \"9/d\"", 0, "" },
		{ "\"25/d\", \"1/h\"", 1, "goes down at \"1/h\"" },
		{ "\"1/h\", \"25/d\"", 0, "" },
		{ "\"1/d\", \"1/m\"", 1, "ends above the rate" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct loaded l;
		char text[400];

		snprintf(text, sizeof(text), "limit l {\nrate = \"2/h\"\n"
		    "warm-up = { %s } from = \"2028-02-29\" }",
		    cases[i].stages);
		load_good(&l, state, text);
		assert_int_equal(conf_count(buf_view(&l.messages), "\n"),
		    cases[i].warnings);
		if (cases[i].warnings != 0)
			expect_message(cases[i].stages, buf_view(&l.messages),
			    "a.conf", 3, cases[i].want);
		unload(&l);
	}
}

/* More stages than anybody has days for. */
static void
test_long_warm_up(void **state)
{
	struct loaded l;
	struct buf text;

	buf_init(&text, 100000);
	buf_puts(&text, WARM "from = \"2026-12-01\"\nwarm-up = {\n");
	for (int i = 0; i < 1001; i++)
		buf_puts(&text, i ? ", \"1/d\"" : "\"1/d\"");
	buf_puts(&text, "} }");
	load_text(&l, state, buf_view(&text));
	assert_null(l.s);
	expect_message("long", buf_view(&l.messages), "a.conf", 4,
	    "1000 stages are the most");
	unload(&l);
	buf_free(&text);
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
		{ "unsigned", "\ndomain d.example { }", 2,
		    "goes out unsigned" },
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

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, conf_setup, conf_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(test_unknown_keys_and_shapes),
		CASE(test_bad_values),
		CASE(test_bad_trackd),
		CASE(test_bad_urls),
		CASE(test_good_urls),
		CASE(test_bad_limits),
		CASE(test_bad_warm_up),
		CASE(test_unwise_warm_up),
		CASE(test_long_warm_up),
		CASE(test_impossible_combinations),
		CASE(test_possible_combinations),
		CASE(test_warnings),
		CASE(test_everything_wrong_at_once),
		CASE(test_errors_in_included_files),
		CASE(test_no_such_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
