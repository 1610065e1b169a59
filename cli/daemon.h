/*
 * daemon.h - asks the daemons of this host how they are: /status at their
 * metrics sockets.
 */
#ifndef BULKHEAD_CLI_DAEMON_H
#define BULKHEAD_CLI_DAEMON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "bulkhead/settings.h"

#define DAEMONS 3

struct daemon_rate {
	struct str name;
	double value; /* a second */
};

/* Names of keys in their order; not loaded: the daemon needs none. */
struct daemon_keys {
	bool is_loaded;
	struct str *names;
	size_t n;
};

/* Something that went wrong, or a reload; time 0: never. */
struct daemon_event {
	int64_t time; /* seconds since 1970 */
	struct str text;
};

/* All texts live in the arena; they may hold any character. */
struct daemon {
	const char *section; /* "milter" */
	const char *program; /* "bulkhead-milter" */
	bool is_configured;  /* settings say where it serves */
	struct str socket;   /* its metrics; empty: it cannot be asked */
	bool is_up;
	int error;	/* errno of connecting, 0: it was another reason */
	struct str why; /* it is not */
	struct str json; /* what it said, one line */
	struct str version;
	int64_t pid, started, now;
	bool is_ending;
	int64_t settings_age;
	bool is_changed_on_disk, has_reload_failed;
	struct daemon_event reload; /* the text: its error */
	struct str store, breaker;  /* empty: it did not say */
	int64_t spool_waiting;
	bool asks_policyd;
	int64_t policyd_answered; /* seconds since 1970; 0: never */
	struct daemon_event policyd_failed, last_error, last_warning;
	struct daemon_keys token_keys, return_path_keys;
	int64_t rate_seconds;
	struct daemon_rate *rates;
	size_t nrates;
};

/* The three daemons with their sockets, not asked yet. */
void daemon_list(const struct settings *s, struct daemon out[DAEMONS]);

/* Asks one, within two seconds; nothing happens where it has no socket. */
void daemon_ask(struct arena *a, struct daemon *d);

/*
 * Why not all is well with a daemon that was asked, one line in the arena;
 * empty: it is.
 */
struct str daemon_complaint(struct arena *a, const struct daemon *d);

#endif
