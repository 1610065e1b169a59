/*
 * template.h - text with {{placeholders}}.
 */
#ifndef BULKHEAD_TRACKD_TEMPLATE_H
#define BULKHEAD_TRACKD_TEMPLATE_H

#include "base/buf.h"

enum template_value {
	TEMPLATE_RECIPIENT,
	TEMPLATE_SENDER,
	TEMPLATE_STREAM,
	TEMPLATE_ACTION,
	TEMPLATE_FIELDS,
	TEMPLATE_LANG,
	TEMPLATE_MESSAGE,
	TEMPLATE_VALUES
};

#define TEMPLATE_PLACES_MAX 100

/*
 * Adds a line to *errors for each thing wrong with it: "FILE:LINE: ...":
 * a placeholder that is unknown or not closed, {{#undo}} without {{/undo}} or
 * where it may not be, too many of them, no UTF-8.  0 or -1.
 */
int template_check(struct str text, const char *file, bool may_undo,
    struct buf *errors);

/* True when the placeholder stands in the text. */
bool template_has(struct str text, enum template_value value);

/*
 * Appends the text with the values, which are HTML, in their places; what
 * stands between {{#undo}} and {{/undo}} only with_undo.
 */
void template_expand(struct str text, const struct str *values,
    bool with_undo, struct buf *out);

#endif
