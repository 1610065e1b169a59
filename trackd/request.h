/*
 * request.h - one HTTP request and its answer as trackd's pages see them: no
 * connection, no library.  Tests, the fuzzer and http.c make them.
 */
#ifndef BULKHEAD_TRACKD_REQUEST_H
#define BULKHEAD_TRACKD_REQUEST_H

#include "base/net.h"
#include "bulkhead/keyring.h"
#include "store/suppress.h"

#define REQUEST_PATH_MAX    8192
#define REQUEST_HEADERS_MAX 64	  /* further fields are not looked at */
#define REQUEST_BODY_MAX    16384 /* a longer body is 413 */

struct request_field {
	struct str name, value;
};

/* All texts live in the arena or longer. */
struct request {
	struct arena *arena;
	struct keyring *keyring; /* borrowed */
	int64_t now;		 /* microseconds since 1970 */
	struct str method;	 /* "GET" */
	/*
	 * As it came, without its query: percent escapes are still there.  At
	 * most REQUEST_PATH_MAX octets, else http.c has answered 414.
	 */
	struct str path;
	struct str query;	 /* without "?"; may be empty */
	/*
	 * Lower case, "t.example.com" or "t.example.com:8443", without a
	 * default port; from a proxy's X-Forwarded-Host where it is believed;
	 * empty: HTTP/1.0 without.
	 */
	struct str host;
	const struct request_field *fields;
	size_t nfields;
	struct str body; /* POST */
	struct net_addr visitor; /* X-Forwarded-For of believed proxies */
	bool has_visitor;
};

/* The first field of that name (any case), trimmed; empty: none. */
struct str request_field(const struct request *r, const char *name);

/* What is to be durable before the answer may go out. */
struct request_wish {
	enum suppress_what what;
	struct suppress_entry entry; /* REMOVE: created must match (undo) */
	/* Filled when it came true, or did not. */
	enum {
		WISH_STORED, /* on disk in the store: outcome counts */
		WISH_SPOOLED, /* on disk in the spool */
		WISH_LOST /* neither: 503 */
	} result;
	enum suppress_outcome outcome;
};

struct answer {
	unsigned status; /* 200, 302, 404, ... */
	struct str type; /* Content-Type; empty with an empty body */
	struct str body; /* of HEAD, too: http.c leaves it out */
	struct str location;	/* 302 */
	struct str allow;	/* 405, OPTIONS */
	struct str language;	/* Content-Language; may be empty */
	unsigned retry_after;	/* seconds; 0: none */
	/*
	 * Not NULL: the wish first; then its page is called once more, by
	 * finish(), to fill in the rest.
	 */
	struct request_wish *wish;
	void (*finish)(const struct request *r, struct answer *a);
	void *page; /* the page's own, for finish() */
};

#endif
