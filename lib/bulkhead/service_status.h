/*
 * service_status.h - what a daemon tells of itself besides its counters: how
 * old its settings are, whether the last reload failed, which keys it holds;
 * and the exporter that tells it, as settings want it.  For service.c.
 */
#ifndef BULKHEAD_BULKHEAD_SERVICE_STATUS_H
#define BULKHEAD_BULKHEAD_SERVICE_STATUS_H

#include <pthread.h>
#include <sys/stat.h>

#include "bulkhead/exporter.h"
#include "bulkhead/keyring.h"

#define SERVICE_ERROR_MAX 512

struct service_status {
	pthread_mutex_t lock; /* guards all below but exporter and socket */
	const char *file;     /* of settings; lives for ever */
	int64_t started, loaded, tried; /* seconds since 1970; tried 0: none */
	struct timespec changed;	/* of the file that was loaded */
	bool has_failed;		/* the last reload */
	char error[SERVICE_ERROR_MAX];
	struct exporter *exporter; /* of the thread that follows */
	char *socket;
};

void service_status_init(struct service_status *t, const char *file);
void service_status_free(struct service_status *t);

/* When the file was changed, to be asked before it is read. */
struct timespec service_status_look(const struct service_status *t);

/*
 * Settings were loaded from the file as it was then; a reload failed, with
 * lines of which the first error is kept.
 */
void service_status_loaded(struct service_status *t, struct timespec changed,
    bool is_reload);
void service_status_failed(struct service_status *t, struct str lines);

/* When settings were loaded, seconds since 1970.  Any thread. */
int64_t service_status_age(struct service_status *t);

/*
 * Has an exporter at that socket, or none when it is empty; one that is there
 * already stays.  One thread at a time.
 */
void service_status_follow(struct service_status *t,
    const struct exporter_spec *spec, struct str socket);

/* Adds members of the JSON object; keys: KEYRING_ bits of the program. */
void service_status_write(struct service_status *t, const struct keyring *k,
    unsigned keys, struct buf *out);

#endif
