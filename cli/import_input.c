/*
 * import_input.c - a list to be imported as bytes: read in blocks, hashed,
 * cut into lines.  What the lines say is not known here.
 */
#include "cli/import.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK	 ((size_t)256 * 1024)
#define ROOM_MIN 64

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
	free(in->raw);
	in->hash = NULL;
	in->raw = NULL;
	in->p = NULL;
}

static ssize_t
read_some(struct import_input *in, char *out, size_t size)
{
	ssize_t n;

	do
		n = read(in->fd, out, size);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n;
	EVP_DigestUpdate(in->hash, out, (size_t)n);
	in->nread += (uint64_t)n;
	return n;
}

/* 1: there may be more now, 0: the end, or -1. */
static int
read_text(struct import_input *in)
{
	size_t room = in->cap - in->to;
	ssize_t n;

	if (in->utf16.order == UTF16_NONE) {
		n = read_some(in, in->p + in->to, room);
		in->to += n > 0 ? (size_t)n : 0;
	} else {
		if (in->raw == NULL)
			in->raw = mem_alloc(BLOCK);
		n = read_some(in, in->raw, room / 2 < BLOCK ? room / 2 : BLOCK);
		if (n > 0)
			in->to += import_utf16_convert(&in->utf16, in->raw,
			    (size_t)n, in->p + in->to);
	}
	return n < 0 ? -1 : n > 0;
}

/* The first octets tell the encoding. */
static int
begin_reading(struct import_input *in)
{
	ssize_t n = 1;

	while (in->to < 4 && n > 0) {
		n = read_some(in, in->p + in->to, 4 - in->to);
		if (n < 0)
			return -1;
		in->to += (size_t)n;
	}
	import_utf16_begin(&in->utf16, in->p, in->to);
	if (in->utf16.order != UTF16_NONE) {
		char head[4];

		memcpy(head, in->p, in->to);
		in->to = import_utf16_convert(&in->utf16, head, in->to, in->p);
	}
	return 0;
}

int
import_input_more(struct import_input *in)
{
	size_t had = in->to - in->from;
	int got;

	if (in->nread == 0 && !in->is_eof && begin_reading(in) != 0)
		return -1;
	if (in->is_eof)
		return 0;
	if (in->cap - in->to < BLOCK / 4 && in->from > 0) {
		memmove(in->p, in->p + in->from, in->to - in->from);
		in->to -= in->from;
		in->from = 0;
	}
	if (in->cap - in->to < ROOM_MIN) {
		errno = EMSGSIZE; /* nobody takes records that long */
		return -1;
	}
	do
		got = read_text(in);
	while (got > 0 && in->to - in->from == had);
	if (got < 0)
		return -1;
	in->is_eof = got == 0;
	return in->to - in->from > had;
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
