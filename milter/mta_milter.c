/*
 * mta_milter.c - edits go to the MTA through libmilter.
 */
#include "milter/milter.h"

#include <stdio.h>

#define CHUNK 65535

static struct mta_milter *
self(struct mta *mta)
{
	return (struct mta_milter *)(void *)mta;
}

/* Memory for the C strings of one call; the last call's go. */
static struct arena *
scratch(struct mta *mta)
{
	arena_reset(self(mta)->scratch);
	return self(mta)->scratch;
}

static int
result(int rc)
{
	return rc == MI_SUCCESS ? 0 : -1;
}

/* A header value as the protocol version in force wants it. */
static char *
value_text(struct arena *a, const struct mta_milter *m, struct str value)
{
	struct str text = arena_printf(a, "%s%.*s", m->has_leadspc ? " " : "",
	    STR_ARG(value));

	return arena_cstr(a, text);
}

static int
set_sender(struct mta *mta, struct str path, struct str args)
{
	struct arena *a = scratch(mta);

	return result(smfi_chgfrom(self(mta)->ctx, arena_cstr(a, path),
	    args.n ? arena_cstr(a, args) : NULL));
}

static int
remove_recipient(struct mta *mta, struct str raw)
{
	struct arena *a = scratch(mta);

	return result(smfi_delrcpt(self(mta)->ctx, arena_cstr(a, raw)));
}

static int
delete_header(struct mta *mta, struct str name, unsigned index)
{
	struct arena *a = scratch(mta);

	return result(smfi_chgheader(self(mta)->ctx, arena_cstr(a, name),
	    (int)index, NULL));
}

static int
change_header(struct mta *mta, struct str name, unsigned index,
    struct str value)
{
	struct arena *a = scratch(mta);

	return result(smfi_chgheader(self(mta)->ctx, arena_cstr(a, name),
	    (int)index, value_text(a, self(mta), value)));
}

static int
add_header(struct mta *mta, struct str name, struct str value)
{
	struct arena *a = scratch(mta);

	return result(smfi_addheader(self(mta)->ctx, arena_cstr(a, name),
	    value_text(a, self(mta), value)));
}

static int
insert_top(struct mta *mta, struct str name, struct str value)
{
	struct arena *a = scratch(mta);

	return result(smfi_insheader(self(mta)->ctx, 0, arena_cstr(a, name),
	    value_text(a, self(mta), value)));
}

static int
send_chunk(struct mta *mta, struct buf *chunk)
{
	union {
		char *text;
		unsigned char *octets;
	} u = { .text = chunk->p };
	int rc = smfi_replacebody(self(mta)->ctx, u.octets, (int)chunk->n);

	buf_clear(chunk);
	return result(rc);
}

/* Back to back: Postfix takes no other edit in between (FACTS section 1). */
static int
replace_body(struct mta *mta, const struct splices *edits, struct str body)
{
	struct splice_cursor cursor = { 0 };
	struct buf chunk;
	struct str piece;
	int rc = 0;

	buf_init(&chunk, CHUNK);
	buf_room(&chunk, CHUNK); /* at once: doubling copies as much again */
	while (rc == 0 && splices_next(edits, body, &cursor, &piece)) {
		while (rc == 0 && piece.n > 0) {
			size_t n = CHUNK - chunk.n;

			if (n > piece.n)
				n = piece.n;
			buf_add(&chunk, piece.p, n);
			piece = str_sub(piece, n, piece.n);
			if (chunk.n == CHUNK)
				rc = send_chunk(mta, &chunk);
		}
	}
	if (rc == 0 && chunk.n > 0)
		rc = send_chunk(mta, &chunk);
	buf_free(&chunk);
	return rc;
}

/* libmilter formats the text: a '%' of ours is written twice. */
static int
set_reply(struct mta *mta, const char *code, const char *status,
    const char *text)
{
	char rcode[4], xcode[12], line[1100];
	size_t n = 0;

	for (; *text != '\0' && n < sizeof(line) - 3; text++) {
		if (*text == '%')
			line[n++] = '%';
		line[n++] = *text;
	}
	line[n] = '\0';
	snprintf(rcode, sizeof(rcode), "%s", code);
	snprintf(xcode, sizeof(xcode), "%s", status);
	return result(smfi_setreply(self(mta)->ctx, rcode, xcode, line));
}

void
mta_milter_init(struct mta_milter *m, SMFICTX *ctx, bool has_leadspc)
{
	static const struct mta_ops ops = {
		.set_sender = set_sender,
		.remove_recipient = remove_recipient,
		.delete_header = delete_header,
		.change_header = change_header,
		.add_header = add_header,
		.insert_top = insert_top,
		.replace_body = replace_body,
		.set_reply = set_reply,
	};

	*m = (struct mta_milter){ { &ops }, ctx, arena_new(), has_leadspc };
}

void
mta_milter_close(struct mta_milter *m)
{
	arena_free(&m->scratch);
}
