/*
 * settings_lex.h - words, strings and braces of a settings file, copied to the
 * text for libconfuse as they are read.  The grammar is settings_scan.c's.
 */
#ifndef BULKHEAD_BULKHEAD_SETTINGS_LEX_H
#define BULKHEAD_BULKHEAD_SETTINGS_LEX_H

#include "base/arena.h"
#include "base/buf.h"
#include "bulkhead/settings_report.h"

enum lex_kind {
	LEX_END,   /* of the file */
	LEX_WORD,  /* unquoted */
	LEX_STRING,
	LEX_PUNCT, /* one of { } = , ( ) in token.c */
	LEX_BROKEN /* reported; nothing sensible can follow */
};

struct lex_token {
	enum lex_kind kind;
	char c;
	bool bad; /* reported, but what follows can be read */
	struct str text;
	struct settings_pos pos;
	size_t from; /* where it starts in the text */
};

/* One file being read; in, file and line are set by the caller. */
struct lexer {
	struct arena *arena;
	struct buf *text; /* grows by what is read, comments as blanks */
	struct settings_report *report;
	struct str in;
	size_t i;
	struct str file;
	unsigned line; /* starts at 1 */
};

/* The next token.  LEX_END is given again and again. */
struct lex_token lex_next(struct lexer *lx);

/* Overwrites [from, to) of the text with blanks, keeping line breaks. */
void lex_blank(struct buf *text, size_t from, size_t to);

#endif
