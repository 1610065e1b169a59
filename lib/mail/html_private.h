/*
 * html_private.h - what the files of mail/html share; for nobody else.
 */
#ifndef BULKHEAD_MAIL_HTML_PRIVATE_H
#define BULKHEAD_MAIL_HTML_PRIVATE_H

#include "mail/html.h"

/* White space of the standard, and CR, which it has made LF before. */
bool html_is_space(char c);

/* What may follow a tag name: white space, '/' or '>'. */
bool html_ends_name(char c);

/*
 * A tag whose '<' is at lt and whose name is at name.  True with *t filled
 * and l->at behind it, or false when the text ends inside: l->at is there.
 */
bool html_read_tag(struct html_lexer *l, enum html_kind kind, size_t lt,
    size_t name, struct html_token *t);

/* The text ends in what begins at lt: l->at and l->open_tag say so. */
void html_end_inside(struct html_lexer *l, size_t lt);

/*
 * What "<!" at lt begins (section 13.2.5.42 ff.).  True with a comment in *t;
 * false with l->at moved on: a doctype, the way into or out of a conditional
 * comment.
 */
bool html_read_markup(struct html_lexer *l, size_t lt, struct html_token *t);

/* A bogus comment whose text begins at from; as html_read_markup(). */
bool html_read_bogus(struct html_lexer *l, size_t lt, size_t from,
    struct html_token *t);

/* Back to what stands behind the conditional comment. */
void html_leave_conditional(struct html_lexer *l);

/*
 * Where the end tag stands that ends a script (with its escaped states), or
 * RCDATA and RAWTEXT: the offset of its '<', or l->limit.
 */
size_t html_find_script_end(const struct html_lexer *l);
size_t html_find_text_end(const struct html_lexer *l);

/*
 * Named character references, sorted by name: name, ';' or '&' (works without
 * a semicolon, too), UTF-8, NUL.
 */
extern const char html_entities[];
extern const size_t html_entities_size;

#endif
