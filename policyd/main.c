/*
 * main.c - bulkhead-policyd: may this recipient, this message leave?
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sysexits.h>

#include "base/log.h"
#include "bulkhead/event_sink.h"
#include "bulkhead/listen.h"
#include "bulkhead/service.h"
#include "policyd/loop.h"

/* Files wanted; those that are no client's. */
#define FILES 65536
#define SPARE 64
/* How long mail waits for the store at the start before it is put off. */
#define START_MILLIS 2000
/* For the last events. */
#define EVENTS_MILLIS 500

static struct {
	pthread_mutex_t lock; /* for who tells of the loop as it goes */
	struct loop *loop;
	struct upkeep *upkeep;
	struct event_sink events;
	atomic_bool has_ended;
} the = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct keyring *
current_keyring(void *arg)
{
	return service_keyring(arg);
}

/* As many as the system allows; how many those are. */
static unsigned
raise_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 1024;
	limit.rlim_cur = limit.rlim_max < FILES ? limit.rlim_max : FILES;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 &&
	    getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 1024;
	return (unsigned)limit.rlim_cur;
}

static int
open_socket(struct loop *l, struct str name, const char *group,
    bool is_control)
{
	char *text = strndup(name.n > 0 ? name.p : "", name.n);
	int fd, rc = listen_open(text, group, &fd);

	free(text);
	if (rc != EX_OK)
		return rc;
	return loop_listen(l, fd, is_control) == 0 ? EX_OK : EX_OSERR;
}

static int
open_sockets(struct service *s, const struct settings *c)
{
	struct str socket = service_socket(s) != NULL ?
	    str_from(service_socket(s)) : c->policyd.socket;
	int rc;

	if (socket.n == 0 && c->policyd.control.n == 0) {
		log_error("no socket: set policyd { socket = ... control = "
			  "... } or use -p");
		return EX_CONFIG;
	}
	if (socket.n == 0)
		log_warning("no policyd { socket }: Postfix cannot ask");
	else if ((rc = open_socket(the.loop, socket, "postfix", false)) !=
	    EX_OK)
		return rc;
	if (c->policyd.control.n == 0) {
		log_warning("no policyd { control }: the milter cannot ask");
		return EX_OK;
	}
	return open_socket(the.loop, c->policyd.control, "bulkhead", true);
}

static int
policyd_open(struct service *s)
{
	struct keyring *k = service_keyring(s);
	unsigned files = raise_files();
	struct loop_spec spec = {
		.keyring = current_keyring,
		.arg = s,
		.metrics = service_metrics(s),
		.clock = clock_system(),
		.event = event_sink_add,
		.event_arg = &the.events,
		.max_clients = files > 2 * SPARE ? files - SPARE : SPARE,
	};
	int rc;

	the.loop = loop_new(&spec);
	rc = the.loop != NULL ? open_sockets(s, k->settings) : EX_OSERR;
	keyring_free(&k);
	return rc;
}

static void
on_opened(void *arg)
{
	(void)arg;
	loop_wake(the.loop);
}

static int
policyd_run(struct service *s)
{
	struct keyring *k = service_keyring(s);

	the.upkeep = upkeep_start(k->settings, service_metrics(s), on_opened,
	    NULL);
	if (the.upkeep == NULL) {
		keyring_free(&k);
		return EX_OSERR;
	}
	loop_set_upkeep(the.loop, the.upkeep);
	/* it makes the directory */
	upkeep_wait(the.upkeep, START_MILLIS);
	event_sink_start(&the.events, k->settings, service_metrics(s));
	keyring_free(&k);
	loop_run(the.loop);
	event_sink_stop(&the.events, EVENTS_MILLIS);
	upkeep_stop(&the.upkeep);
	pthread_mutex_lock(&the.lock);
	loop_free(&the.loop);
	pthread_mutex_unlock(&the.lock);
	atomic_store(&the.has_ended, true);
	return EX_OK;
}

static void
policyd_changed(struct service *s, const struct settings *old,
    const struct settings *fresh)
{
	const char *file = service_file(s);

	if (service_socket(s) == NULL &&
	    !str_eq(old->policyd.socket, fresh->policyd.socket))
		log_warning("%s: socket has changed: restart to listen there",
		    file);
	if (!str_eq(old->policyd.control, fresh->policyd.control))
		log_warning("%s: control has changed: restart to listen there",
		    file);
	if (!str_eq(old->store, fresh->store) ||
	    !str_eq(old->rates, fresh->rates))
		log_warning("%s: the store has changed: restart to use it",
		    file);
	if (event_sink_has_moved(old, fresh))
		log_warning("%s: the store of events has changed: restart to "
			    "use it", file);
}

static void
policyd_reloaded(struct service *s)
{
	struct keyring *k = service_keyring(s);

	event_sink_use(&the.events, k->settings);
	keyring_free(&k);
}

static void
policyd_tick(struct service *s)
{
	(void)s;
	event_sink_tick(&the.events);
}

/*
 * The loop answers what has arrived, in 2 s at the most, and saves limits;
 * upkeep ends with its transaction.
 */
static bool
policyd_stop(struct service *s)
{
	loop_drain(the.loop);
	for (int i = 0; i < 100 && !atomic_load(&the.has_ended); i++)
		if (service_is_urged(s, 50))
			break;
	return atomic_load(&the.has_ended);
}

static void
policyd_status(struct service *s, struct buf *out)
{
	(void)s;
	pthread_mutex_lock(&the.lock);
	if (the.loop != NULL)
		loop_write_status(the.loop, out);
	pthread_mutex_unlock(&the.lock);
}

int
main(int argc, char **argv)
{
	static const struct service_spec spec = {
		.name = "bulkhead-policyd",
		.summary = "Refuses suppressed recipients and keeps limits, "
			   "for Postfix and bulkhead-milter.",
		.open = policyd_open,
		.run = policyd_run,
		.changed = policyd_changed,
		.reloaded = policyd_reloaded,
		.tick = policyd_tick,
		.stop = policyd_stop,
		.metrics = offsetof(struct settings, policyd.metrics),
		.status = policyd_status,
	};

	return service_main(&spec, argc, argv);
}
