/*
 * pages.h - the pages that people see: built in, in five languages, or the
 * operator's own.  Immutable: shared by threads.
 */
#ifndef BULKHEAD_TRACKD_PAGES_H
#define BULKHEAD_TRACKD_PAGES_H

#include "base/arena.h"
#include "base/buf.h"

enum page {
	PAGE_UNSUBSCRIBE, /* asks; its form acts */
	PAGE_DONE,
	PAGE_UNDONE,
	PAGE_SHARED, /* the link names no recipient */
	PAGE_ERROR,
	PAGE_COUNT
};

/* What {{message}} says. */
enum page_message {
	MESSAGE_NONE,
	MESSAGE_LIST,	/* done: no more mail of this list or stream */
	MESSAGE_DOMAIN, /* done: no more mail of this sender */
	MESSAGE_EMPTY,	/* errors: the request had no body */
	MESSAGE_FORM,	/* it was no form that asks for something known */
	MESSAGE_STAMP,	/* undo: too late, or no stamp of ours */
	MESSAGE_GONE,	/* undo: there is nothing of it left */
	MESSAGE_LATER,	/* cannot be stored now */
	MESSAGE_COUNT
};

struct page_values {
	enum page_message message;
	struct str recipient; /* in full: it is shown masked */
	struct str sender;    /* domain */
	struct str stream;    /* list key or stream title; empty: sender */
	struct str stamp;     /* PAGE_DONE: of the undo form; empty: none */
};

struct pages;

/*
 * The built-in pages, and those of a directory in their place; "": none.
 * NULL with a line for each error added to *errors as "FILE:LINE: ...".
 */
struct pages *pages_load(struct str directory, struct buf *errors);

/* *p becomes NULL; a NULL *p is fine. */
void pages_free(struct pages **p);

/*
 * A page as HTML, in the arena, in the language that the Accept-Language field
 * asks for (RFC 9110, section 12.5.4), else English.  *language: of the page,
 * empty where the operator's file does not say; lives as long as p.
 */
struct str page_write(const struct pages *p, struct arena *a, enum page page,
    struct str accept_language, const struct page_values *v,
    struct str *language);

/* "j…@example.org" */
struct str page_mask(struct arena *a, struct str address);

#endif
