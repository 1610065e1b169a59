/*
 * http_call.c - gathers a request, has it answered, and waits for the disk
 * where the answer must.
 */
#include "trackd/http_call.h"

#include <stdlib.h>

#include "base/num.h"
#include "trackd/forwarded.h"
#include "trackd/http_answer.h"

/* What is read of a body that is too long before it is hung up on. */
#define SWALLOW_MAX (4 * REQUEST_BODY_MAX)

struct http_call {
	struct http_calls *all;
	struct line *line;
	struct MHD_Connection *connection;
	struct world *world;
	bool has_begun, has_answered;
	struct str uri;
	struct buf body;
	size_t nbody; /* that came, kept or not */
	struct request request;
	struct answer answer;
	/* of all fields, those beyond REQUEST_HEADERS_MAX, too */
	unsigned nhosts, nlengths, nencodings;
	bool is_chunked, is_odd, needs_host;
	uint64_t length; /* Content-Length; UINT64_MAX: it is no number */
	struct request_field fields[REQUEST_HEADERS_MAX]; /* last */
};

struct http_call *
http_call_new(struct http_calls *all, struct line *line, const char *uri)
{
	struct http_call *c = mem_alloc(sizeof(*c));

	memset(c, 0, offsetof(struct http_call, fields));
	c->all = all;
	c->line = line;
	c->request.arena = arena_new();
	c->uri = arena_copy(c->request.arena, str_from(uri));
	buf_init(&c->body, REQUEST_BODY_MAX);
	line_set(line, LINE_ASKING);
	return c;
}

void
http_call_free(struct http_call **call)
{
	struct http_call *c = *call;

	*call = NULL;
	if (c == NULL)
		return;
	line_set(c->line, LINE_IDLE);
	world_release(&c->world);
	buf_free(&c->body);
	arena_free(&c->request.arena);
	free(c);
}

/* RFC 9110, 5.6.2; a name with a blank behind it is for smugglers. */
static bool
is_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!str_is_alpha(s.p[i]) && !str_is_digit(s.p[i]) &&
		    (s.p[i] == '\0' ||
		    strchr("!#$%&'*+-.^_`|~", s.p[i]) == NULL))
			return false;
	return s.n > 0;
}

static bool
has_controls(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\0' || s.p[i] == '\r' || s.p[i] == '\n')
			return true;
	return false;
}

static enum MHD_Result
take_field(void *arg, enum MHD_ValueKind kind, const char *name, size_t nname,
    const char *value, size_t nvalue)
{
	struct http_call *c = arg;
	struct request_field f = { str_make(name, nname),
		str_make(value, value != NULL ? nvalue : 0) };

	(void)kind;
	c->is_odd |= !is_name(f.name) || has_controls(f.value);
	if (str_ieq(f.name, STR("Host"))) {
		c->nhosts++;
	} else if (str_ieq(f.name, STR("Content-Length"))) {
		c->nlengths++;
		if (num_parse(f.value, UINT64_MAX - 1, &c->length) != 0)
			c->length = UINT64_MAX;
	} else if (str_ieq(f.name, STR("Transfer-Encoding"))) {
		c->nencodings++;
		c->is_chunked = str_ieq(f.value, STR("chunked"));
	}
	if (c->request.nfields < REQUEST_HEADERS_MAX)
		c->fields[c->request.nfields++] = f;
	return MHD_YES;
}

/* Path, query, and the authority of an absolute-form target. */
static struct str
split_uri(struct http_call *c)
{
	struct str s = c->uri, authority = STR("");
	size_t query = str_chr(s, '?', 0), n = 0;

	c->request.query = str_sub(s, query + 1, s.n);
	s = str_sub(s, 0, query);
	if (str_istarts(s, STR("http://")))
		n = 7;
	else if (str_istarts(s, STR("https://")))
		n = 8;
	if (n > 0) {
		size_t slash = str_chr(s, '/', n);

		authority = str_sub(s, n, slash);
		s = slash < s.n ? str_sub(s, slash, s.n) : STR("/");
	}
	c->request.path = s;
	return authority;
}

/*
 * What two programs could read in two ways (RFC 9112, 6.3 and 3.2), or is too
 * long, is refused before a page sees it; 0: nothing is wrong.
 */
static unsigned
refusal(const struct http_call *c)
{
	if (c->is_odd || c->nhosts > 1 || (c->needs_host && c->nhosts == 0) ||
	    c->nlengths > 1 ||
	    c->nencodings > 1 || (c->nlengths > 0 && c->nencodings > 0) ||
	    c->length == UINT64_MAX)
		return 400;
	if (c->nencodings > 0 && !c->is_chunked)
		return 501;
	if (c->request.path.n > REQUEST_PATH_MAX)
		return 414;
	if (c->length > REQUEST_BODY_MAX || c->nbody > REQUEST_BODY_MAX)
		return 413;
	return 0;
}

static void
refuse(struct http_call *c, unsigned status)
{
	c->answer = (struct answer){
		.status = status,
		.type = STR("text/plain; charset=utf-8"),
		.body = status == 413 ? STR("Too large\n") :
		    status == 414 ? STR("URI too long\n") :
		    status == 501 ? STR("Not implemented\n") :
				    STR("Bad request\n"),
	};
}

static enum MHD_Result
queue(struct http_call *c, bool is_last)
{
	unsigned status = c->answer.status;

	c->has_answered = true;
	line_set(c->line, LINE_ANSWERING);
	metrics_add(c->all->metrics, METRIC_HTTP_REQUESTS, 1);
	if (status == 404)
		metrics_add(c->all->metrics, METRIC_TOKENS_REFUSED, 1);
	else if (status >= 400 && status < 500)
		metrics_add(c->all->metrics, METRIC_HTTP_REFUSED, 1);
	return http_answer_queue(c->connection, c->request.arena, &c->answer,
	    is_last || atomic_load(&c->all->is_draining));
}

/*
 * The fields are there, a body is not.  An answer now closes the connection,
 * as what follows is not looked at.
 */
static enum MHD_Result
begin(struct http_call *c, struct MHD_Connection *connection,
    const char *method, const char *version)
{
	struct clock clock = clock_system();
	unsigned status;
	struct str authority;

	c->has_begun = true;
	c->connection = connection;
	c->world = worlds_hold(c->all->worlds);
	c->request.keyring = c->world->keyring;
	c->request.now = clock_micros(&clock);
	c->request.method = str_from(method);
	c->request.fields = c->fields;
	c->needs_host = strcmp(version, "HTTP/1.0") != 0;
	MHD_get_connection_values_n(connection, MHD_HEADER_KIND, take_field,
	    c);
	authority = split_uri(c);
	forwarded_apply(&c->request, line_peer(c->line), authority);
	status = refusal(c);
	if (status == 0)
		return MHD_YES;
	refuse(c, status);
	return queue(c, true);
}

static enum MHD_Result
take_body(struct http_call *c, const char *data, size_t *size)
{
	c->nbody += *size;
	if (c->nbody > SWALLOW_MAX)
		return MHD_NO;
	if (c->nbody <= REQUEST_BODY_MAX)
		buf_add(&c->body, data, *size);
	*size = 0;
	return MHD_YES;
}

/* By the thread that made the wish come true; c may be gone behind it. */
static void
on_done(void *arg)
{
	struct http_call *c = arg;
	struct http_calls *all = c->all;

	MHD_resume_connection(c->connection);
	atomic_fetch_sub(&all->nwaiting, 1);
}

/*
 * Suspended first: it may be resumed before this returns.  Counted before it
 * is asked for the end: whoever ends sees the one or is seen.
 */
static enum MHD_Result
wait_for_disk(struct http_call *c)
{
	atomic_fetch_add(&c->all->nwaiting, 1);
	if (atomic_load(&c->all->is_ending)) {
		atomic_fetch_sub(&c->all->nwaiting, 1);
		return MHD_NO;
	}
	line_set(c->line, LINE_WAITING);
	MHD_suspend_connection(c->connection);
	durable_wish(c->all->durable, c->answer.wish, on_done, c);
	return MHD_YES;
}

static enum MHD_Result
answer(struct http_call *c)
{
	unsigned status = refusal(c);

	if (status != 0) {
		refuse(c, status);
		return queue(c, true);
	}
	c->request.body = buf_view(&c->body);
	track_answer(&c->world->track, &c->request, &c->answer);
	if (c->answer.wish != NULL)
		return wait_for_disk(c);
	return queue(c, false);
}

enum MHD_Result
http_call_step(struct http_call *c, struct MHD_Connection *connection,
    const char *method, const char *version, const char *data, size_t *size)
{
	if (!c->has_begun)
		return begin(c, connection, method, version);
	if (*size > 0)
		return take_body(c, data, size);
	if (c->has_answered)
		return MHD_YES;
	if (c->answer.wish == NULL)
		return answer(c);
	c->answer.finish(&c->request, &c->answer);
	return queue(c, false);
}
