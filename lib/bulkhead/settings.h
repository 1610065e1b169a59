/*
 * settings.h - what bulkhead.conf says: one immutable, reference-counted
 * snapshot.  Loading opens no keys: each program loads the keyring it needs.
 * bulkhead.conf(5) is the reference of the keys; settings_table.c their table.
 */
#ifndef BULKHEAD_BULKHEAD_SETTINGS_H
#define BULKHEAD_BULKHEAD_SETTINGS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/net.h"
#include "base/num.h"
#include "base/str.h"

#define SETTINGS_DEFAULT_FILE "/etc/bulkhead/bulkhead.conf"

enum settings_on_failure { ON_FAILURE_DEFER, ON_FAILURE_ACCEPT };
enum settings_log_addresses {
	LOG_ADDRESSES_FULL,
	LOG_ADDRESSES_HASH,
	LOG_ADDRESSES_NONE
};
enum settings_mode { MODE_ACT, MODE_OBSERVE };
enum settings_event_addresses { EVENT_ADDRESSES_FULL, EVENT_ADDRESSES_HASH };
enum settings_charge_at { CHARGE_AT_MILTER, CHARGE_AT_DATA };

/* Where a thing was set, for messages. */
struct settings_pos {
	struct str file;
	unsigned line;
};

struct sign_settings {
	struct str selector; /* the title */
	struct str key;	     /* path of the PEM file */
	struct settings_pos pos;
};

/* may-send: one entry, "sasl-user:GLOB" or "client:CIDR". */
struct may_send {
	enum { MAY_SEND_SASL_USER, MAY_SEND_CLIENT } kind;
	struct str user;
	struct net_cidr client;
};

struct domain_settings {
	struct str name; /* the title, lower case: scope everywhere */
	struct sign_settings *sign;
	size_t nsign;
	struct str tracking_url;    /* "https://t.example.com", no final / */
	struct str tracking_host;   /* lower case host (and :port) of it */
	struct str return_path_domain; /* lower case */
	struct str unsubscribe_mailto; /* address, empty: none */
	struct may_send *may_send;
	size_t nmay_send; /* 0: whoever is ours */
	struct settings_pos pos;
};

/* header = { "List-Id", "X-Kind: news*" } */
struct header_match {
	struct str name;
	struct str glob; /* empty: the field need only be there */
};

struct match_settings {
	struct str *from_domain; /* globs over the From domain */
	size_t nfrom_domain;
	struct header_match *header;
	size_t nheader;
	struct str *sender; /* globs over the envelope sender address */
	size_t nsender;
	struct str *sasl_user; /* globs */
	size_t nsasl_user;
	struct net_cidr *client;
	size_t nclient;
	struct str *daemon; /* globs over {daemon_name} */
	size_t ndaemon;
};

enum unsubscribe_mode {
	UNSUBSCRIBE_NONE,
	UNSUBSCRIBE_HEADER,
	UNSUBSCRIBE_ONE_CLICK
};

#define TRACK_CLICKS 1u
#define TRACK_OPENS  2u

struct stream_settings {
	struct str name;
	uint32_t id;	   /* hash_id32(name) */
	uint32_t *aliases; /* ids of former titles */
	struct str *alias_names; /* those titles */
	size_t naliases;
	bool has_match; /* false: takes everything that is ours */
	struct match_settings match;
	enum unsubscribe_mode unsubscribe;
	bool replace_unsubscribe; /* existing-unsubscribe = replace */
	unsigned track;		  /* TRACK_ bits */
	bool return_path;
	bool reject_several; /* several-recipients = reject */
	bool drop_suppressed; /* suppressed = drop */
	bool pass_control;    /* control-headers = pass */
	bool keep_8bit;	      /* encode = false */
	bool envelope_domain;
	struct str campaign;	  /* default campaign, empty: none */
	struct str *no_track_hosts; /* globs over link hosts left alone */
	size_t nno_track_hosts;
	const struct domain_settings *domain;	  /* NULL: none */
	const struct domain_settings **also_sign;
	size_t nalso_sign;
	struct settings_pos pos;
};

enum limit_per {
	LIMIT_PER_NONE,
	LIMIT_PER_DOMAIN,
	LIMIT_PER_RECIPIENT_DOMAIN,
	LIMIT_PER_SASL_USER,
	LIMIT_PER_CLIENT,
	LIMIT_PER_STREAM
};

/* One stage a UTC day from a day on; the first one holds before it, too. */
struct limit_warm_up {
	struct rate *stages; /* a stage's burst is its own number */
	size_t nstages;	     /* 0: none */
	int64_t from;	     /* midnight UTC, seconds since 1970 */
};

struct limit_override {
	struct str value; /* as limit.h has it in keys */
	struct rate rate; /* when it is warm */
	uint64_t burst;
	struct limit_warm_up warm_up; /* its own, never the limit's */
};

struct limit_settings {
	struct str name;
	struct str *recipient_domain;
	size_t nrecipient_domain; /* 0: all */
	enum limit_per per;
	bool count_messages; /* count = messages */
	struct rate rate; /* when it is warm */
	uint64_t burst;	  /* never 0: the rate's own number by default */
	struct limit_warm_up warm_up;
	struct limit_override *overrides;
	size_t noverrides;
	struct settings_pos pos;
};

struct settings {
	struct arena *arena;
	int refs; /* atomic; use settings_ref() and settings_free() */
	struct str file;
	struct str store;	 /* "sqlite:/DIR" */
	struct str rates, events; /* the same; empty: as store */
	struct str token_keys, return_path_keys; /* paths; empty: none */
	struct settings_pos token_keys_pos, return_path_keys_pos;
	struct net_cidr *trusted;
	size_t ntrusted;
	enum settings_on_failure on_store_failure;
	enum settings_log_addresses log_addresses;
	enum settings_event_addresses event_addresses;
	uint64_t event_retention; /* days; 0: for ever */
	struct {
		enum settings_mode mode;
		struct str socket; /* as written */
		unsigned max_sessions; /* further ones are refused */
		uint64_t max_message;  /* octets of a body: beyond it 552 */
		uint64_t max_memory;   /* octets of all: beyond it 451 */
		struct str spool;      /* directory of long bodies */
		struct str metrics;    /* socket; empty: none */
	} milter;
	struct {
		struct str socket, control; /* as written; may be empty */
		enum settings_charge_at charge_at;
		struct str metrics;
	} policyd;
	struct {
		struct str listen;   /* as written; may be empty */
		struct str spool;    /* directory; may be empty */
		bool is_public;	     /* public: not on loopback alone */
		unsigned threads;
		unsigned max_connections;
		struct net_cidr *proxies; /* whose X-Forwarded-* count */
		size_t nproxies;
		struct str templates; /* directory; empty: our own pages */
		struct str robots;    /* file; empty: our own rules */
		bool keep_visitors;   /* address and user agent in events */
		struct str metrics;
	} trackd;
	struct domain_settings *domains; /* as in the file */
	const struct domain_settings **by_name; /* sorted, for look-ups */
	size_t ndomains;
	struct stream_settings *streams; /* in order: first match wins */
	size_t nstreams;
	struct limit_settings *limits;
	size_t nlimits;
};

/*
 * Loads a file.  Errors and warnings are added to *errors as lines
 * "FILE:LINE: what is wrong, what would be right" (warnings say "warning:"
 * behind the position): all semantic errors at once; a syntax error may end
 * the list.  Returns a snapshot with one reference, or NULL when there was an
 * error.  Uses libconfuse, whose lexer is global: one thread at a time.
 */
struct settings *settings_load(const char *path, struct buf *errors);

/* References may be taken and dropped by any thread. */
struct settings *settings_ref(struct settings *s);
void settings_free(struct settings **s);

/* The section of exactly that name (lower case), or NULL. */
const struct domain_settings *settings_domain(const struct settings *s,
    struct str name);

/* The stream with that id or alias, or with that title; NULL. */
const struct stream_settings *settings_stream(const struct settings *s,
    uint32_t id);
const struct stream_settings *settings_stream_named(const struct settings *s,
    struct str name);

/* True when addr lies in trusted-networks. */
bool settings_trusts(const struct settings *s, const struct net_addr *addr);

/*
 * What is in force, defaults included, as text that loads again and gives the
 * same settings (`bulkhead config show`), or as JSON.
 */
void settings_write(const struct settings *s, struct buf *out);
void settings_write_json(const struct settings *s, struct buf *out);

#endif
