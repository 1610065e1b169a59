/*
 * charset.h - what the engine must know of character sets: which ones hide
 * ASCII bytes inside other characters, and how a URL becomes UTF-8.
 */
#ifndef BULKHEAD_MAIL_CHARSET_H
#define BULKHEAD_MAIL_CHARSET_H

#include "base/buf.h"
#include "base/str.h"

/*
 * True for charsets in which the octets of < > " ' & = may be part of another
 * character (ISO-2022-*, HZ, UTF-7, UTF-16, UTF-32, EBCDIC): texts in them
 * are not edited.  charset: lower case, may be empty.
 */
bool charset_hides_ascii(struct str charset);

/*
 * Adds in, which is text in the charset, as UTF-8 (iconv).  ASCII and valid
 * UTF-8 are taken as they are when the charset is empty or UTF-8; octets that
 * cannot be converted become "%XX", as this is for URLs.  0, or -1 when out
 * failed.
 */
int charset_url_utf8(struct str charset, struct str in, struct buf *out);

/* True when s is valid UTF-8 (RFC 3629). */
bool charset_is_utf8(struct str s);

#endif
