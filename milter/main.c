/*
 * main.c - bulkhead-milter: the engine behind libmilter.
 */
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/json.h"
#include "base/log.h"
#include "bulkhead/event_sink.h"
#include "bulkhead/policy_client.h"
#include "bulkhead/service.h"
#include "engine/stage.h"
#include "milter/drain.h"
#include "milter/intake.h"
#include "milter/listener.h"
#include "milter/milter.h"
#include "milter/processor.h"

static struct session_env env;
static struct budget budget;
static struct policy policy;
static struct policy_client *policyd;
static struct event_sink events;

/* Milliseconds for each of two questions a message. */
#define POLICY_PATIENCE 1500
/* For the last events, when all sessions have ended. */
#define EVENTS_PATIENCE 3000
/* In which the writer commits what it was given. */
#define EVENTS_GATHERED 300

static struct keyring *
current_keyring(void *arg)
{
	return service_keyring(arg);
}

/*
 * What a long message held goes back to the system.  By default glibc moves
 * its limits up with each large block that is freed and keeps tens of MB for
 * each of many threads: 150 MB after a few messages of 20 MB, 14 MB with these
 * (measured; the CPU is the same).
 */
static void
bound_malloc(void)
{
#ifdef __GLIBC__
	mallopt(M_ARENA_MAX, 4);
	mallopt(M_MMAP_THRESHOLD, 512 * 1024);
	mallopt(M_TRIM_THRESHOLD, 4 * 1024 * 1024);
#endif
}

static int
milter_open(struct service *s)
{
	struct keyring *k = service_keyring(s);
	char *socket = service_socket(s) != NULL ?
	    strdup(service_socket(s)) :
	    strndup(k->settings->milter.socket.p, k->settings->milter.socket.n);
	int rc = intake_init(k->settings->milter.max_sessions);

	bound_malloc();
	budget_init(&budget, (size_t)k->settings->milter.max_memory);
	policyd = policy_client_new(k->settings->policyd.control,
	    POLICY_PATIENCE);
	policy = policy_client_policy(policyd);
	keyring_free(&k);
	signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes: write(2) says so */
	env = (struct session_env){
		.keyring = current_keyring,
		.arg = s,
		.clock = clock_system(),
		.metrics = service_metrics(s),
		.budget = &budget,
		.policy = &policy,
		.event = event_sink_add,
		.event_arg = &events,
	};
	if (rc != EX_OK) {
		free(socket);
		return rc;
	}
	if (socket == NULL || socket[0] == '\0') {
		log_error("no socket: set milter { socket = ... } or use -p");
		rc = EX_CONFIG;
	} else if (callbacks_register(&env) != 0) {
		log_error("libmilter does not take the callbacks");
		rc = EX_SOFTWARE;
	} else {
		rc = listener_open(socket);
	}
	free(socket);
	return rc;
}

/* Said when privileges are gone, and once for settings: later there is 451. */
static void
check_spool(struct service *s)
{
	struct keyring *k = service_keyring(s);
	struct str spool = k->settings->milter.spool;

	if (spool_check(spool) != 0)
		log_warning("milter { spool }: no file can be made in %.*s: "
			    "%m; long messages will get 451", STR_ARG(spool));
	keyring_free(&k);
}

static void
milter_reloaded(struct service *s)
{
	struct keyring *k = service_keyring(s);

	check_spool(s);
	policy_client_use(policyd, k->settings->policyd.control);
	event_sink_use(&events, k->settings);
	keyring_free(&k);
}

static void
milter_changed(struct service *s, const struct settings *old,
    const struct settings *fresh)
{
	if (service_socket(s) == NULL &&
	    !str_eq(old->milter.socket, fresh->milter.socket))
		log_warning("%s: socket has changed: restart to listen there",
		    service_file(s));
	if (old->milter.max_sessions != fresh->milter.max_sessions)
		log_warning("%s: max-sessions has changed: restart for it to "
			    "hold", service_file(s));
	if (event_sink_has_moved(old, fresh))
		log_warning("%s: the store of events has changed: restart to "
			    "use it", service_file(s));
}

static int
milter_run(struct service *s)
{
	struct keyring *k = service_keyring(s);

	check_spool(s);
	event_sink_start(&events, k->settings, service_metrics(s));
	keyring_free(&k);
	return listener_run() == MI_SUCCESS ? EX_OK : EX_UNAVAILABLE;
}

static void
milter_tick(struct service *s)
{
	(void)s;
	intake_tick();
	event_sink_tick(&events);
	if (intake_is_short())
		listener_pause();
	else
		listener_resume();
}

static void
milter_status(struct service *s, struct buf *out)
{
	(void)s;
	json_key(out, "sessions");
	json_number(out, intake_sessions());
	policy_client_write(policyd, out);
}

/* What is cut off may yet call: the writer goes on with what came before. */
static bool
milter_stop(struct service *s)
{
	bool is_over = drain_run(s);

	if (is_over)
		event_sink_stop(&events, EVENTS_PATIENCE);
	else
		service_is_urged(s, EVENTS_GATHERED);
	return is_over;
}

int
main(int argc, char **argv)
{
	static const struct service_spec spec = {
		.name = "bulkhead-milter",
		.summary = "Signs, tracks and makes unsubscribable what "
			   "leaves through Postfix or Sendmail.",
		.keys = KEYRING_DKIM | KEYRING_TOKEN | KEYRING_RETURN_PATH,
		.stage_name = stage_name,
		.open = milter_open,
		.run = milter_run,
		.changed = milter_changed,
		.reloaded = milter_reloaded,
		.tick = milter_tick,
		.stop = milter_stop,
		.metrics = offsetof(struct settings, milter.metrics),
		.status = milter_status,
	};

	processor_choose(argv);
	return service_main(&spec, argc, argv);
}
