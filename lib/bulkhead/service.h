/*
 * service.h - the life of a daemon, written once: arguments, settings, keys,
 * log, signals, readiness, reload, end.  A program's main() is a table and
 * one call.
 */
#ifndef BULKHEAD_BULKHEAD_SERVICE_H
#define BULKHEAD_BULKHEAD_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "bulkhead/keyring.h"
#include "bulkhead/metrics.h"

struct service;

struct service_spec {
	const char *name;    /* "bulkhead-milter" */
	const char *summary; /* one line for --help */
	unsigned keys;	     /* KEYRING_ bits to load */
	/* Of metrics_write(); NULL: the program has no stages. */
	const char *(*stage_name)(unsigned place);
	/* Opens what must be open before privileges go; 0 or an exit code. */
	int (*open)(struct service *s);
	/* Serves, in a thread of its own; an exit code if it cannot go on. */
	int (*run)(struct service *s);
	/*
	 * Called before reloaded(), by the same thread: says what of the new
	 * settings only a restart brings into force.  May be NULL.
	 */
	void (*changed)(struct service *s, const struct settings *old,
	    const struct settings *fresh);
	/* Called when settings were loaded anew, by a thread of its own. */
	void (*reloaded)(struct service *s);
	/* Called every second by the thread that waits for signals. */
	void (*tick)(struct service *s);
	/*
	 * Ends what is served, asking service_is_urged() as it waits; called
	 * by the thread that waits for signals.  True: nothing of the program
	 * will be called any more, though run() need not have returned.
	 */
	bool (*stop)(struct service *s);
	/*
	 * Where settings have the socket of the exporter:
	 * offsetof(struct settings, trackd.metrics); 0: there is none.
	 */
	size_t metrics;
	/*
	 * The keyring that it works by, with a reference, where that is not
	 * service_keyring(): /status tells its keys.  As status().
	 */
	struct keyring *(*in_force)(struct service *s);
	/*
	 * Adds members of /status (exporter.h) that are the program's own:
	 * json_key(), then a value, each.  By a thread of the exporter, until
	 * the process ends: after stop(), too.  May be NULL.
	 */
	void (*status)(struct service *s, struct buf *out);
};

/*
 * Parses the arguments (-c FILE, -p SOCKET, -u USER, -f, -h, -V), loads
 * settings and keys, serves, and returns a sysexits code.  SIGTERM and SIGINT
 * end it as stop() does, a second one at once; SIGHUP loads settings and keys
 * anew, all or nothing; SIGUSR2, and the end, log the counters.  The exporter
 * follows the settings and ends last.  Says READY=1,
 * RELOADING=1 and STOPPING=1 to NOTIFY_SOCKET (sd_notify(3)).
 */
int service_main(const struct service_spec *spec, int argc, char **argv);

/*
 * Waits that long.  True when a signal says that it is to end at once: for
 * stop(), which must not wait in any other way.
 */
bool service_is_urged(struct service *s, int millis);

/* The keyring in force, with a reference for the caller.  Any thread. */
struct keyring *service_keyring(struct service *s);

/* The daemon's counters; live as long as it does.  Any thread. */
struct metrics *service_metrics(struct service *s);

/* The socket given with -p, or NULL. */
const char *service_socket(const struct service *s);

/* The settings' file, for messages. */
const char *service_file(const struct service *s);

#endif
