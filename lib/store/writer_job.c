/*
 * writer_job.c - copies a job into one block: freed by whichever thread ends
 * it.
 */
#include "store/writer_job.h"

#include <stdlib.h>

/* The texts of a job, whatever its kind: those not used are empty. */
#define NTEXTS 8

static void
list_texts(struct writer_job *job, struct str *out[NTEXTS])
{
	out[0] = &job->change.entry.address;
	out[1] = &job->change.entry.scope.domain;
	out[2] = &job->change.entry.scope.list;
	out[3] = &job->change.entry.source;
	out[4] = &job->change.entry.evidence;
	out[5] = &job->change.actor;
	out[6] = &job->item.key;
	out[7] = &job->item.value;
}

struct writer_job *
writer_job_copy(const struct writer_job *job)
{
	struct writer_job source = *job, *copy;
	struct str *from[NTEXTS], *to[NTEXTS];
	size_t total = 0;
	char *p;

	list_texts(&source, from);
	for (size_t i = 0; i < NTEXTS; i++)
		total += from[i]->n;
	copy = mem_alloc(sizeof(*copy) + total);
	*copy = source;
	list_texts(copy, to);
	p = (char *)(copy + 1);
	for (size_t i = 0; i < NTEXTS; i++) {
		if (from[i]->n > 0)
			memcpy(p, from[i]->p, from[i]->n);
		to[i]->p = p;
		p += from[i]->n;
	}
	return copy;
}

void
writer_job_end(struct writer_job *job, enum store_answer answer)
{
	job->done(job->arg, answer,
	    job->kind == STORE_SUPPRESS ? &job->change : NULL);
	free(job);
}
