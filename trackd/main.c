/*
 * main.c - bulkhead-trackd: follows links, shows pixels, unsubscribes.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "bulkhead/event_sink.h"
#include "bulkhead/listen.h"
#include "bulkhead/service.h"
#include "trackd/burst.h"
#include "trackd/http.h"
#include "trackd/upkeep.h"

/* Files that are no connection; of each thread. */
#define SPARE	     64
#define THREAD_FILES 2
/* Jobs that wait for the writer; further ones go to the spool. */
#define JOBS_MAX   16384
#define ERRORS_MAX 4096
/* Of the end: for requests under way; for what waits for the disk. */
#define DRAIN_MILLIS 5000
#define WRITE_MILLIS 3000

static struct {
	struct service *service;
	struct worlds *worlds;
	struct bursts *bursts;
	struct writer *writer;
	struct durable *durable;
	struct upkeep *upkeep;
	struct http *http;
	int fd;
	unsigned max_connections;
	struct event_sink events; /* into the writer */
	atomic_bool is_serving;
	pthread_mutex_t lock; /* guards is_ending */
	bool is_ending;
	pthread_cond_t ended;
} the = {
	.fd = -1,
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.ended = PTHREAD_COND_INITIALIZER,
};

/* As many connections as asked for, or as files may be open. */
static unsigned
raise_files(unsigned wanted, unsigned threads)
{
	struct rlimit limit;
	rlim_t spare = SPARE + (rlim_t)threads * THREAD_FILES;
	rlim_t need = wanted + spare, got;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return wanted;
	if (limit.rlim_cur >= need)
		return wanted;
	limit.rlim_cur = limit.rlim_max < need ? limit.rlim_max : need;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 &&
	    getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return wanted;
	got = limit.rlim_cur > spare + SPARE ? limit.rlim_cur - spare : SPARE;
	if (got >= wanted)
		return wanted;
	log_warning("max-connections = %u, but only %lu files may be open: "
		    "raise LimitNOFILE of the service; %lu connections are "
		    "taken", wanted, (unsigned long)limit.rlim_cur,
	    (unsigned long)got);
	return (unsigned)got;
}

static bool
is_local(struct str name)
{
	struct arena *a = arena_new();
	struct net_socket where;
	const char *why;
	bool out = net_parse_socket(a, name, &where, &why) != 0 ||
	    net_socket_is_local(&where);

	arena_free(&a);
	return out;
}

static int
open_socket(struct service *s, const struct settings *c)
{
	struct str name = service_socket(s) != NULL ?
	    str_from(service_socket(s)) : c->trackd.listen;
	char *text;
	int rc;

	if (name.n == 0) {
		log_error("no socket: set trackd { listen = ... } or use -p");
		return EX_CONFIG;
	}
	if (!c->trackd.is_public && !is_local(name)) {
		log_error("-p %.*s: others than this host could reach it; set "
			  "trackd { public = true } if they are to",
		    STR_ARG(name));
		return EX_CONFIG;
	}
	text = strndup(name.p, name.n);
	rc = listen_open(text, "bulkhead", &the.fd);
	free(text);
	return rc;
}

static int
trackd_open(struct service *s)
{
	struct keyring *k = service_keyring(s);
	const struct settings *c = k->settings;
	struct world_spec spec = {
		.metrics = service_metrics(s),
		.event = event_sink_add,
		.event_arg = &the.events,
	};
	int rc = EX_CONFIG;

	the.service = s;
	the.max_connections = raise_files(c->trackd.max_connections,
	    c->trackd.threads);
	the.bursts = spec.bursts = bursts_new();
	if (k->tokens == NULL)
		log_error("no token-keys: `bulkhead token create` makes them");
	else if ((the.worlds = worlds_new(&spec, k)) != NULL)
		rc = open_socket(s, c);
	keyring_free(&k);
	return rc;
}

static int
start_store(const struct settings *c)
{
	struct store_spec spec = {
		.store = c->store,
		.rates = c->rates,
		.events = c->events,
		.kinds = STORE_SUPPRESS | STORE_EVENTS,
		.access = STORE_CHANGE,
		.clock = clock_system(),
	};
	struct buf errors;

	buf_init(&errors, ERRORS_MAX);
	the.writer = writer_start(&spec, JOBS_MAX, true, &errors);
	if (the.writer == NULL)
		log_error("%.*s", STR_ARG(str_trim(buf_view(&errors))));
	buf_free(&errors);
	if (the.writer == NULL)
		return EX_CONFIG;
	event_sink_share(&the.events, the.writer, c,
	    service_metrics(the.service));
	the.durable = durable_start(the.writer, c->trackd.spool,
	    service_metrics(the.service));
	return the.durable != NULL ? EX_OK : EX_OSERR;
}

static int
start_all(const struct settings *c)
{
	struct http_spec spec = {
		.fd = the.fd,
		.threads = c->trackd.threads,
		.max_connections = the.max_connections,
		.metrics = service_metrics(the.service),
		.worlds = the.worlds,
	};
	int rc = start_store(c);

	if (rc != EX_OK)
		return rc;
	the.upkeep = upkeep_start(c);
	if (the.upkeep == NULL)
		return EX_OSERR;
	spec.durable = the.durable;
	the.http = http_start(&spec);
	return the.http != NULL ? EX_OK : EX_OSERR;
}

static int
trackd_run(struct service *s)
{
	struct keyring *k = service_keyring(s);
	int rc = start_all(k->settings);

	keyring_free(&k);
	if (rc != EX_OK)
		return rc;
	atomic_store(&the.is_serving, true);
	pthread_mutex_lock(&the.lock);
	while (!the.is_ending)
		pthread_cond_wait(&the.ended, &the.lock);
	pthread_mutex_unlock(&the.lock);
	return EX_OK;
}

static void
trackd_changed(struct service *s, const struct settings *old,
    const struct settings *fresh)
{
	const char *file = service_file(s);

	if (service_socket(s) == NULL &&
	    !str_eq(old->trackd.listen, fresh->trackd.listen))
		log_warning("%s: listen has changed: restart to listen there",
		    file);
	if (old->trackd.threads != fresh->trackd.threads ||
	    old->trackd.max_connections != fresh->trackd.max_connections)
		log_warning("%s: threads or max-connections have changed: "
			    "restart for that", file);
	if (!str_eq(old->trackd.spool, fresh->trackd.spool))
		log_warning("%s: spool has changed: restart to use it; what "
			    "waits in the former one is yours to move", file);
	if (!str_eq(old->store, fresh->store) ||
	    !str_eq(old->events, fresh->events))
		log_warning("%s: the store has changed: restart to use it",
		    file);
}

static void
trackd_reloaded(struct service *s)
{
	struct keyring *k = service_keyring(s);

	pthread_mutex_lock(&the.lock); /* not while all ends */
	if (atomic_load(&the.is_serving) && !the.is_ending) {
		event_sink_use(&the.events, k->settings);
		worlds_change(the.worlds, k);
		upkeep_set_retention(the.upkeep,
		    k->settings->event_retention);
	}
	pthread_mutex_unlock(&the.lock);
	keyring_free(&k);
}

/* True: nothing is open any more. */
static bool
drain(struct service *s)
{
	for (int i = 0; i < DRAIN_MILLIS / 20; i++) {
		http_drain(the.http);
		if (http_connections(the.http) == 0)
			return true;
		if (service_is_urged(s, 20))
			break;
	}
	return http_connections(the.http) == 0;
}

static void
stop_all(void)
{
	http_stop(&the.http);
	close(the.fd);
	durable_stop(&the.durable, WRITE_MILLIS);
	upkeep_stop(&the.upkeep);
	event_sink_stop(&the.events, WRITE_MILLIS);
	the.writer = NULL; /* ended by that */
	worlds_free(&the.worlds);
	bursts_free(&the.bursts);
}

static void
trackd_tick(struct service *s)
{
	(void)s;
	event_sink_tick(&the.events);
}

/*
 * Requests under way get their answers.  While one still waits for the disk
 * the library cannot be stopped: then the process ends as it is.
 */
static bool
trackd_stop(struct service *s)
{
	if (!atomic_load(&the.is_serving))
		return false;
	if (drain(s))
		log_info("drained");
	else
		log_warning("%zu connections are cut off",
		    http_connections(the.http));
	if (!http_may_stop(the.http))
		return false;
	pthread_mutex_lock(&the.lock);
	the.is_ending = true;
	pthread_cond_signal(&the.ended);
	pthread_mutex_unlock(&the.lock);
	stop_all();
	return true;
}

/* The exporter goes on when all else has ended. */
static void
trackd_status(struct service *s, struct buf *out)
{
	(void)s;
	pthread_mutex_lock(&the.lock);
	if (atomic_load(&the.is_serving) && !the.is_ending) {
		json_key(out, "store");
		json_string(out, writer_is_down(the.writer) ? STR("down") :
		    STR("up"));
		json_key(out, "spool_waiting");
		json_number(out, (int64_t)durable_waiting(the.durable));
	}
	pthread_mutex_unlock(&the.lock);
}

/* A new key counts once requests are answered with it. */
static struct keyring *
trackd_in_force(struct service *s)
{
	struct keyring *k = NULL;

	pthread_mutex_lock(&the.lock);
	if (atomic_load(&the.is_serving) && !the.is_ending) {
		struct world *w = worlds_hold(the.worlds);

		k = keyring_ref(w->keyring);
		world_release(&w);
	}
	pthread_mutex_unlock(&the.lock);
	return k != NULL ? k : service_keyring(s);
}

/*
 * Events come and go by the thousand: given back each time, their memory
 * comes again page by page, each with a system call.
 */
#define TRIM_OCTETS (8 * 1024 * 1024)

int
main(int argc, char **argv)
{
	static const struct service_spec spec = {
		.name = "bulkhead-trackd",
		.summary = "Follows links of tracked mail, counts opens and "
			   "unsubscribes.",
		.keys = KEYRING_TOKEN,
		.open = trackd_open,
		.run = trackd_run,
		.changed = trackd_changed,
		.reloaded = trackd_reloaded,
		.tick = trackd_tick,
		.stop = trackd_stop,
		.metrics = offsetof(struct settings, trackd.metrics),
		.in_force = trackd_in_force,
		.status = trackd_status,
	};

	mallopt(M_TRIM_THRESHOLD, TRIM_OCTETS);
	return service_main(&spec, argc, argv);
}
