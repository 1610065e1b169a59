/*
 * stage_encode.c - makes the message fit for any hop: parts are rendered,
 * header lines folded, and what is left is named.  How is in encode.h.
 */
#include "engine/stage.h"

#include "base/log.h"
#include "engine/encode.h"

enum stage_result
stage_encode(struct message *m)
{
	if (encode_parts(m) != 0) {
		log_error("%.*s: edits of a part overlap: please report it",
		    STR_ARG(m->queue_id));
		m->verdict = VERDICT_TEMPFAIL;
		return STAGE_STOP;
	}
	if (parts_are_encoded(m) && m->malformed == NULL)
		encode_fold_header(m);
	encode_name_hazards(m);
	return STAGE_NEXT;
}
