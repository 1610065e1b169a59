/*
 * html.h - tags, attributes and comments of an HTML text with their exact
 * spans, after the tokenizer of the WHATWG HTML standard (section 13.2.5).
 * It produces no text tokens, no tree, and changes nothing.
 */
#ifndef BULKHEAD_MAIL_HTML_H
#define BULKHEAD_MAIL_HTML_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

#define HTML_MAX_ATTRS 256

enum html_kind { HTML_START, HTML_END, HTML_COMMENT };

struct html_attr {
	struct str name;  /* as spelled in the text */
	struct str value; /* as spelled, without quotes, still with entities */
	size_t at;	  /* offset of the name */
	size_t value_at;  /* offset of the value; == end when it is empty */
	size_t end;	  /* behind the value and its closing quote */
	char quote;	  /* '"', '\'' or 0 */
	bool has_value;	  /* there is a '=' */
	bool is_duplicate; /* same name earlier in this tag: browsers drop it */
};

struct html_token {
	enum html_kind kind;
	struct str name; /* tag name as spelled; compare with str_ieq() */
	struct str text; /* HTML_COMMENT: what is inside, as spelled */
	size_t at, end;	 /* span of the whole token */
	bool self_closing;
	bool in_conditional; /* inside an MSO conditional comment entered */
	const struct html_attr *attrs; /* until the next call */
	size_t nattrs; /* attributes beyond HTML_MAX_ATTRS are left out */
};

/* Content models that a tokenizer test may start in. */
enum html_state {
	HTML_DATA,
	HTML_RCDATA,
	HTML_RAWTEXT,
	HTML_SCRIPT,
	HTML_PLAINTEXT
};

struct html_lexer {
	struct str text;
	size_t at;
	enum html_state state;
	struct str last_start;	 /* what ends RCDATA, RAWTEXT, script */
	bool follow_content;	 /* <script>, <style>, ... switch the state */
	bool follow_conditional; /* enter <!--[if ...]> ... <![endif]--> */
	size_t conditional_end;	 /* behind the one entered; 0: none is */
	size_t limit;		 /* end of what is read now */
	size_t open_tag;	 /* see html_next(); text.n: there is none */
	struct html_attr attrs[HTML_MAX_ATTRS + 1]; /* the last: left out */
	size_t nattrs;
};

/*
 * Starts at the beginning of text in the data state, following content models
 * (script, style, textarea, title, xmp, iframe, noembed, noframes, plaintext)
 * and MSO conditional comments, as a mail reader would.
 */
void html_init(struct html_lexer *l, struct str text);

/*
 * As html_init() for the html5lib tokenizer tests: a given state and last
 * start tag, nothing followed.
 */
void html_init_state(struct html_lexer *l, struct str text,
    enum html_state state, struct str last_start);

/*
 * The next tag or comment; false at the end.  A tag that the text ends in the
 * middle of is not given, as in the standard (eof-in-tag).  l->open_tag is then
 * where it begins, as for a comment or a doctype that the text ends in.
 *
 * A conditional comment, <!--[if ...]> at its very beginning, that is entered
 * gives no token of its own: what is inside is read as if it stood alone, up
 * to <![endif] or to the comment's end as the standard has it, whichever is
 * first, and never beyond.  Downlevel-revealed ones (<![if ...]>) are bogus
 * comments with nothing hidden in them.  SVG and MathML are read as HTML.
 */
bool html_next(struct html_lexer *l, struct html_token *t);

/*
 * Character references of an attribute value decoded to UTF-8 ("attribute
 * mode": a named one without semicolon before '=' or an alphanumeric is
 * text).  Everything else is copied byte for byte.  0, or -1 when out failed.
 */
int html_decode_attr(struct str value, struct buf *out);

/*
 * A value written so that it can stand between the given quotes (0: none) and
 * decodes to itself: & < > and quotes as references; blanks, ', ", =, ` as
 * references where there are no quotes.
 */
int html_encode_attr(struct str value, char quote, struct buf *out);

#endif
