/*
 * http_answer.c - the fields that all answers have, and those of each.
 */
#include "trackd/http_answer.h"

#define POLICY                                                                 \
	"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "  \
	"base-uri 'none'; frame-ancestors 'none'"

/* Nothing is kept, passed on, guessed or listed. */
static const char *const common[][2] = {
	{ "Cache-Control", "no-store" },
	{ "Referrer-Policy", "no-referrer" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "X-Robots-Tag", "noindex, nofollow" },
};

static void
add(struct MHD_Response *response, struct arena *arena, const char *name,
    struct str value)
{
	if (value.n > 0)
		MHD_add_response_header(response, name,
		    arena_cstr(arena, value));
}

static void
add_fields(struct MHD_Response *response, struct arena *arena,
    const struct answer *a)
{
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		MHD_add_response_header(response, common[i][0], common[i][1]);
	add(response, arena, "Content-Type", a->type);
	add(response, arena, "Location", a->location);
	add(response, arena, "Allow", a->allow);
	add(response, arena, "Content-Language", a->language);
	if (str_istarts(a->type, STR("text/html")))
		MHD_add_response_header(response, "Content-Security-Policy",
		    POLICY);
	if (a->retry_after > 0)
		add(response, arena, "Retry-After",
		    arena_printf(arena, "%u", a->retry_after));
}

enum MHD_Result
http_answer_queue(struct MHD_Connection *connection, struct arena *arena,
    const struct answer *a, bool is_last)
{
	/* which is not changed, whatever the library's prototype says */
	void *body = (void *)(uintptr_t)(a->body.n > 0 ? a->body.p : "");
	struct MHD_Response *response = MHD_create_response_from_buffer(
	    a->body.n, body, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result rc;

	if (response == NULL)
		return MHD_NO;
	add_fields(response, arena, a);
	if (is_last)
		MHD_add_response_header(response, "Connection", "close");
	rc = MHD_queue_response(connection, a->status, response);
	MHD_destroy_response(response);
	return rc;
}
