/*
 * import_input.c - a list to be imported as bytes: read in blocks, hashed,
 * cut into lines.  What the lines say is not known here.
 */
#include "cli/import.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>

#define BLOCK ((size_t)256 * 1024)

void
import_input_open(struct import_input *in, int fd)
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();

	if (hash == NULL || EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1)
		abort();
	*in = (struct import_input){ .fd = fd, .line = 1, .hash = hash };
	in->cap = IMPORT_RECORD_MAX + BLOCK;
	in->p = mem_alloc(in->cap);
}

void
import_input_close(struct import_input *in)
{
	EVP_MD_CTX_free(in->hash);
	free(in->p);
	in->hash = NULL;
	in->p = NULL;
}

int
import_input_more(struct import_input *in)
{
	ssize_t n;

	if (in->is_eof)
		return 0;
	if (in->cap - in->to < BLOCK / 4 && in->from > 0) {
		memmove(in->p, in->p + in->from, in->to - in->from);
		in->to -= in->from;
		in->from = 0;
	}
	if (in->to == in->cap) {
		errno = EMSGSIZE; /* nobody takes records that long */
		return -1;
	}
	do
		n = read(in->fd, in->p + in->to, in->cap - in->to);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -1;
	in->is_eof = n == 0;
	EVP_DigestUpdate(in->hash, in->p + in->to, (size_t)n);
	in->to += (size_t)n;
	in->nread += (uint64_t)n;
	return n > 0;
}

/* Drops the rest of a line that is too long. */
static enum import_got
skip_line(struct import_input *in)
{
	for (;;) {
		char *end = memchr(in->p + in->from, '\n', in->to - in->from);
		int more;

		if (end != NULL) {
			in->from = (size_t)(end - in->p) + 1;
			in->line++;
			return IMPORT_BAD;
		}
		in->from = in->to;
		more = import_input_more(in);
		if (more <= 0)
			return more < 0 ? IMPORT_ERROR : IMPORT_BAD;
	}
}

enum import_got
import_input_line(struct import_input *in, struct str *line)
{
	size_t seen = 0;
	char *end;

	for (;;) {
		end = in->to - in->from > seen
		    ? memchr(in->p + in->from + seen, '\n',
			  in->to - in->from - seen)
		    : NULL;
		if (end != NULL)
			break;
		seen = in->to - in->from;
		if (seen > IMPORT_RECORD_MAX) {
			*line = str_make("", 0);
			return skip_line(in);
		}
		switch (import_input_more(in)) {
		case 1:
			continue;
		case 0:
			break;
		default:
			return IMPORT_ERROR;
		}
		if (seen == 0)
			return IMPORT_END;
		end = in->p + in->to;
		break;
	}
	*line = str_make(in->p + in->from,
	    (size_t)(end - in->p) - in->from);
	in->from += line->n + (end < in->p + in->to);
	in->line++;
	if (line->n > 0 && line->p[line->n - 1] == '\r')
		line->n--;
	return line->n > IMPORT_RECORD_MAX ? IMPORT_BAD : IMPORT_ROW;
}

void
import_input_digest(const struct import_input *in, unsigned char out[32])
{
	EVP_MD_CTX *copy = EVP_MD_CTX_new();

	if (copy == NULL || EVP_MD_CTX_copy_ex(copy, in->hash) != 1 ||
	    EVP_DigestFinal_ex(copy, out, NULL) != 1)
		abort();
	EVP_MD_CTX_free(copy);
}
