/*
 * service.c - the life of a daemon.
 */
#include "bulkhead/service.h"

#include <getopt.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "bulkhead/service_status.h"
#include "config.h"
#include "mail/dkim.h"

#define ERRORS_MAX   (256 * 1024)
#define COUNTERS_MAX 1900

struct service {
	const struct service_spec *spec;
	const char *file, *socket, *user;
	bool in_foreground;
	pthread_mutex_t lock; /* guards keyring */
	struct keyring *keyring;
	struct metrics metrics;
	struct service_status tells;
	sem_t reloads;	   /* posted for each SIGHUP */
	sigset_t signals;  /* that are waited for */
	atomic_bool is_ending;
	atomic_int status; /* why run() returned; 0 while it serves */
};

struct keyring *
service_keyring(struct service *s)
{
	struct keyring *k;

	pthread_mutex_lock(&s->lock);
	k = keyring_ref(s->keyring);
	pthread_mutex_unlock(&s->lock);
	return k;
}

struct metrics *
service_metrics(struct service *s)
{
	return &s->metrics;
}

const char *
service_socket(const struct service *s)
{
	return s->socket;
}

const char *
service_file(const struct service *s)
{
	return s->file;
}

static void
print_usage(const struct service_spec *spec, FILE *to)
{
	fprintf(to,
	    "usage: %s [-c FILE] [-p SOCKET] [-u USER] [-fhV]\n"
	    "%s\n\n"
	    "  -c FILE    settings (%s)\n"
	    "  -p SOCKET  listen here instead of where the settings say:\n"
	    "             unix:/PATH, inet:HOST:PORT or fd:NUMBER\n"
	    "  -u USER    give up root for this user once the socket is open\n"
	    "  -f         log to standard error instead of syslog\n"
	    "  -h, -V     this text; the version\n",
	    spec->name, spec->summary, SETTINGS_DEFAULT_FILE);
}

/* -1: go on; else the exit code. */
static int
parse_args(struct service *s, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:p:u:fhV", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			s->file = optarg;
			break;
		case 'p':
			s->socket = optarg;
			break;
		case 'u':
			s->user = optarg;
			break;
		case 'f':
			s->in_foreground = true;
			break;
		case 'h':
			print_usage(s->spec, stdout);
			return EX_OK;
		case 'V':
			printf("%s " VERSION " (dkim %s)\n", s->spec->name,
			    dkim_engine_default()->name);
			return EX_OK;
		default:
			print_usage(s->spec, stderr);
			return EX_USAGE;
		}
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "%s: unexpected argument \"%s\"\n", s->spec->name,
	    argv[optind]);
	return EX_USAGE;
}

static void
log_lines(struct str lines)
{
	while (lines.n > 0) {
		size_t end = str_chr(lines, '\n', 0);
		struct str line = str_sub(lines, 0, end);
		struct str mark = STR(": warning: ");
		size_t at = str_find(line, mark, 0);

		if (at < line.n)
			log_warning("%.*s: %.*s", STR_ARG(str_sub(line, 0, at)),
			    STR_ARG(str_sub(line, at + mark.n, line.n)));
		else
			log_error("%.*s", STR_ARG(line));
		lines = str_sub(lines, end + 1, lines.n);
	}
}

/* Settings and keys as they are on disk now, or NULL, logged. */
static struct keyring *
load(struct service *s, bool is_reload)
{
	struct timespec changed = service_status_look(&s->tells);
	struct settings *settings;
	struct keyring *k = NULL;
	struct buf errors;

	buf_init(&errors, ERRORS_MAX);
	settings = settings_load(s->file, &errors);
	if (settings != NULL)
		k = keyring_load(settings, s->spec->keys, &errors);
	log_lines(buf_view(&errors));
	if (k != NULL)
		service_status_loaded(&s->tells, changed, is_reload);
	else
		service_status_failed(&s->tells, buf_view(&errors));
	buf_free(&errors);
	settings_free(&settings);
	return k;
}

static int64_t
loaded(void *arg)
{
	struct service *s = arg;

	return service_status_age(&s->tells);
}

static void
write_status(void *arg, struct buf *out)
{
	struct service *s = arg;
	struct keyring *k = s->spec->in_force != NULL ?
	    s->spec->in_force(s) : service_keyring(s);

	json_key(out, "ending");
	json_bool(out, atomic_load(&s->is_ending));
	service_status_write(&s->tells, k, s->spec->keys, out);
	keyring_free(&k);
	if (s->spec->status != NULL)
		s->spec->status(s, out);
}

/* The exporter, where settings want it. */
static void
follow_metrics(struct service *s)
{
	const struct exporter_spec spec = {
		.program = s->spec->name,
		.metrics = &s->metrics,
		.stage_name = s->spec->stage_name,
		.started = s->tells.started,
		.loaded = loaded,
		.status = write_status,
		.arg = s,
	};
	struct keyring *k = service_keyring(s);
	const char *base = (const char *)k->settings;
	struct str socket;

	if (s->spec->metrics != 0) {
		memcpy(&socket, base + s->spec->metrics, sizeof(socket));
		service_status_follow(&s->tells, &spec, socket);
	}
	keyring_free(&k);
}

static void
reload(struct service *s)
{
	struct keyring *fresh = load(s, true), *old;

	metrics_add(&s->metrics,
	    fresh != NULL ? METRIC_RELOADS : METRIC_RELOADS_FAILED, 1);
	if (fresh == NULL) {
		log_error("settings kept as they were: %s has errors", s->file);
		return;
	}
	pthread_mutex_lock(&s->lock);
	old = s->keyring;
	s->keyring = fresh;
	pthread_mutex_unlock(&s->lock);
	if (s->spec->changed != NULL)
		s->spec->changed(s, old->settings, fresh->settings);
	keyring_free(&old);
	log_info("settings loaded anew from %s; socket and user stay", s->file);
	if (s->spec->reloaded != NULL)
		s->spec->reloaded(s);
	follow_metrics(s);
}

static int
drop_privileges(struct service *s)
{
	struct passwd *pw;

	if (s->user == NULL) {
		if (geteuid() == 0)
			log_warning("running as root: use -u USER");
		return EX_OK;
	}
	pw = getpwnam(s->user);
	if (pw == NULL) {
		log_error("no user is named \"%s\"", s->user);
		return EX_NOUSER;
	}
	if (pw->pw_uid == getuid() && pw->pw_uid == geteuid())
		return EX_OK; /* as systemd's User= has it */
	if (initgroups(s->user, pw->pw_gid) != 0 || setgid(pw->pw_gid) != 0 ||
	    setuid(pw->pw_uid) != 0) {
		log_error("cannot become user %s: %m", s->user);
		return EX_NOPERM;
	}
	return EX_OK;
}

/* sd_notify(3) without its library: one datagram. */
static void
notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd;

	if (path == NULL || (path[0] != '/' && path[0] != '@') ||
	    strlen(path) >= sizeof(sun.sun_path))
		return;
	memcpy(sun.sun_path, path, strlen(path));
	if (path[0] == '@')
		sun.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL,
	    (struct sockaddr *)&sun,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
		strlen(path))) < 0)
		log_warning("NOTIFY_SOCKET: %m");
	close(fd);
}

static void *
run_thread(void *arg)
{
	struct service *s = arg;
	int status = s->spec->run(s);

	if (!atomic_load(&s->is_ending)) {
		log_error("ended without being asked to");
		/* to be restarted */
		atomic_store(&s->status,
		    status == EX_OK ? EX_UNAVAILABLE : status);
		kill(getpid(), SIGTERM); /* wakes who waits for signals */
	}
	return NULL;
}

static void *
reload_thread(void *arg)
{
	struct service *s = arg;

	for (;;) {
		while (sem_wait(&s->reloads) != 0)
			continue;
		while (sem_trywait(&s->reloads) == 0)
			continue; /* one answers all that came so far */
		if (atomic_load(&s->is_ending))
			return NULL;
		notify("RELOADING=1");
		reload(s);
		notify("READY=1");
	}
}

/* The signal that came within that time, or 0. */
static int
wait_for_signal(struct service *s, int millis)
{
	struct timespec time = { millis / 1000, millis % 1000 * 1000000L };
	int sig = sigtimedwait(&s->signals, NULL, &time);

	return sig > 0 ? sig : 0;
}

/* docs/LOGGING.md; in lines of a length that syslog takes. */
static void
say_counters(struct service *s)
{
	struct buf line;

	buf_init(&line, COUNTERS_MAX);
	metrics_write(&s->metrics, s->spec->stage_name, &line);
	log_info("counters:%.*s", STR_ARG(buf_view(&line)));
	buf_free(&line);
}

/*
 * Signals are waited for, never handled, by the main thread, which therefore
 * does nothing that takes time: reloading is done by a thread of its own.
 */
static void
wait_for_end(struct service *s)
{
	for (;;) {
		int sig = wait_for_signal(s, 1000);

		if (sig == SIGTERM || sig == SIGINT)
			return;
		if (sig == SIGHUP)
			sem_post(&s->reloads);
		if (sig == SIGUSR2)
			say_counters(s);
		if (s->spec->tick != NULL)
			s->spec->tick(s);
	}
}

bool
service_is_urged(struct service *s, int millis)
{
	int sig = wait_for_signal(s, millis);

	return sig == SIGTERM || sig == SIGINT;
}

static void
block_signals(struct service *s)
{
	sigemptyset(&s->signals);
	sigaddset(&s->signals, SIGTERM);
	sigaddset(&s->signals, SIGINT);
	sigaddset(&s->signals, SIGHUP);
	sigaddset(&s->signals, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &s->signals, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void
say_ready(struct service *s)
{
	struct keyring *k = service_keyring(s);
	const struct settings *c = k->settings;

	log_info("ready: version " VERSION ", settings %s, %zu domains, %zu "
		 "streams, mode %s, uid %u", s->file, c->ndomains, c->nstreams,
	    c->milter.mode == MODE_OBSERVE ? "observe" : "act",
	    (unsigned)geteuid());
	keyring_free(&k);
}

/*
 * Ends without a word to the library that serves: its way to end may drop
 * sessions or remove a socket that is a successor's by now.
 */
static int
end(struct service *s, pthread_t reloader)
{
	int status = atomic_load(&s->status);
	bool is_quiet;

	notify("STOPPING=1");
	atomic_store(&s->is_ending, true);
	sem_post(&s->reloads);
	if (status != EX_OK)
		_exit(status);
	is_quiet = s->spec->stop(s);
	say_counters(s);
	log_info("ended");
	if (!is_quiet) {
		pthread_detach(reloader);
		_exit(EX_OK);
	}
	pthread_join(reloader, NULL);
	return EX_OK;
}

static int
serve(struct service *s)
{
	pthread_t runner, reloader;
	int rc;

	block_signals(s);
	if ((rc = s->spec->open(s)) != EX_OK ||
	    (rc = drop_privileges(s)) != EX_OK)
		return rc;
	follow_metrics(s);
	if (pthread_create(&reloader, NULL, reload_thread, s) != 0 ||
	    pthread_create(&runner, NULL, run_thread, s) != 0) {
		log_error("cannot start a thread: %m");
		return EX_OSERR;
	}
	pthread_detach(runner);
	/* until here errors are for who started it, on standard error */
	if (!s->in_foreground)
		log_open(s->spec->name, LOG_TARGET_SYSLOG);
	say_ready(s);
	notify("READY=1");
	wait_for_end(s);
	return end(s, reloader);
}

int
service_main(const struct service_spec *spec, int argc, char **argv)
{
	struct service s = { .spec = spec, .file = SETTINGS_DEFAULT_FILE };
	int rc;

	log_open(spec->name, LOG_TARGET_STDERR);
	if ((rc = parse_args(&s, argc, argv)) >= 0)
		return rc;
	pthread_mutex_init(&s.lock, NULL);
	sem_init(&s.reloads, 0, 0);
	service_status_init(&s.tells, s.file);
	if ((s.keyring = load(&s, false)) == NULL)
		return EX_CONFIG;
	rc = serve(&s);
	service_status_free(&s.tells);
	keyring_free(&s.keyring);
	sem_destroy(&s.reloads);
	pthread_mutex_destroy(&s.lock);
	return rc;
}
