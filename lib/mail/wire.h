/*
 * wire.h - what a later hop may stumble over in a text: 8-bit octets, long
 * lines, octets that SMTP does not carry.  One cheap pass; nothing is changed.
 */
#ifndef BULKHEAD_MAIL_WIRE_H
#define BULKHEAD_MAIL_WIRE_H

#include "base/str.h"

/* Start with a zeroed one. */
struct wire {
	bool is_8bit;	  /* an octet over 127 */
	bool has_lone_lf; /* a line end without CR */
	size_t longest;	  /* octets of the longest line, line end not counted */
	size_t nodd;	  /* NUL, and CR without LF so far */
	/* the line under way */
	size_t column;
	bool after_cr;
};

/* Takes the next piece of the text. */
void wire_look(struct wire *w, struct str piece);

/* The text ends here: what was under way counts. */
void wire_end(struct wire *w);

/* Both, for a text in one piece. */
struct wire wire_of(struct str text);

/* The first member alone. */
bool wire_is_8bit(struct str text);

#endif
