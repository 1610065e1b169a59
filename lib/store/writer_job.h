/*
 * writer_job.h - one job of the writer: a change or an item, copied, and whom
 * to tell; for writer.c alone.
 */
#ifndef BULKHEAD_STORE_WRITER_JOB_H
#define BULKHEAD_STORE_WRITER_JOB_H

#include "store/writer.h"

struct writer_job {
	unsigned kind; /* STORE_SUPPRESS or STORE_META */
	struct suppress_change change;
	struct meta_item item;
	int64_t deadline;
	writer_done *done;
	void *arg;
};

/* A copy in one block of memory, texts and all. */
struct writer_job *writer_job_copy(const struct writer_job *job);

/* Tells whom it concerns, and frees it. */
void writer_job_end(struct writer_job *job, enum store_answer answer);

#endif
