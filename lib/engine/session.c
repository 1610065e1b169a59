/*
 * session.c - one SMTP session: collects a message, runs the stages over it,
 * tells the MTA.
 */
#include "engine/session.h"

#include <stdlib.h>

#include "base/log.h"
#include "engine/emit.h"
#include "engine/report.h"
#include "engine/stage.h"

struct session {
	const struct session_env *env;
	struct arena *client_arena;
	struct client client;
	bool is_stranger; /* and that was logged */
	struct arena *arena;
	struct keyring *keyring; /* of the message under way */
	struct message *m;	 /* NULL: none under way */
	size_t cap_recipients;
	size_t header_size;
	struct buf body;
	const char *too_large; /* which limit it passed, or NULL */
	bool has_ended; /* m is readable, nothing more may be added */
};

struct session *
session_new(const struct session_env *env)
{
	struct session *s = mem_alloc(sizeof(*s));

	*s = (struct session){ .env = env };
	s->client_arena = arena_new();
	s->arena = arena_new();
	buf_init(&s->body, SESSION_MAX_BODY);
	return s;
}

void
session_abort(struct session *s)
{
	s->m = NULL;
	s->has_ended = false;
	s->too_large = NULL;
	s->header_size = 0;
	arena_reset(s->arena);
	keyring_free(&s->keyring);
	if (s->body.cap > 1024 * 1024)
		buf_free(&s->body);
	buf_clear(&s->body);
}

void
session_free(struct session **s)
{
	if (*s == NULL)
		return;
	session_abort(*s);
	buf_free(&(*s)->body);
	arena_free(&(*s)->arena);
	arena_free(&(*s)->client_arena);
	free(*s);
	*s = NULL;
}

void
session_connect(struct session *s, const struct client *client)
{
	session_abort(s);
	arena_reset(s->client_arena);
	s->client = *client;
	s->is_stranger = false;
	s->client.sasl_user = arena_copy(s->client_arena, client->sasl_user);
	s->client.daemon = arena_copy(s->client_arena, client->daemon);
}

void
session_login(struct session *s, struct str user)
{
	if (!str_eq(s->client.sasl_user, user))
		s->client.sasl_user = arena_copy(s->client_arena, user);
}

/* RFC 6531 section 3.4: the parameter stands alone, in any case. */
static bool
has_word(struct str args, struct str word)
{
	for (size_t at = 0; at < args.n;) {
		size_t end = str_chr(args, ' ', at);

		if (str_ieq(str_sub(args, at, end), word))
			return true;
		at = end + 1;
	}
	return false;
}

bool
session_mail(struct session *s, struct str path, struct str args)
{
	struct message *m;

	session_abort(s);
	s->keyring = s->env->keyring(s->env->arg);
	if (!client_is_ours(s->keyring->settings, &s->client)) {
		metrics_add(s->env->metrics, METRIC_NOT_OURS, 1);
		if (!s->env->is_quiet && !s->is_stranger)
			report_stranger(s->keyring->settings, s->arena,
			    &s->client);
		s->is_stranger = true;
		keyring_free(&s->keyring);
		return false;
	}
	m = arena_alloc(s->arena, sizeof(*m));
	m->arena = s->arena;
	m->keyring = s->keyring;
	m->settings = s->keyring->settings;
	m->client = s->client;
	m->wants_notes = s->env->wants_notes;
	m->sender_raw = arena_copy(s->arena, path);
	m->is_smtputf8 = has_word(args, STR("SMTPUTF8"));
	if (addr_parse_path(s->arena, m->sender_raw, &m->sender) != 0)
		m->sender = (struct addr){ m->sender_raw, STR("") };
	m->is_null_sender = m->sender.local.n == 0 && m->sender.domain.n == 0;
	headers_init(&m->headers, s->arena);
	s->cap_recipients = 0;
	s->m = m;
	return true;
}

/* True while the message under way takes more. */
static bool
is_open(const struct session *s)
{
	return s->m != NULL && !s->has_ended && s->too_large == NULL;
}

void
session_rcpt(struct session *s, struct str path)
{
	struct message *m = s->m;
	struct recipient *r;

	if (!is_open(s))
		return;
	if (m->nrecipients >= SESSION_MAX_RCPTS) {
		s->too_large = "too many recipients";
		return;
	}
	m->recipients = arena_grow(s->arena, m->recipients, m->nrecipients,
	    &s->cap_recipients, sizeof(*m->recipients));
	r = &m->recipients[m->nrecipients++];
	*r = (struct recipient){ .raw = arena_copy(s->arena, path) };
	if (addr_parse_path(s->arena, r->raw, &r->addr) == 0)
		r->normal = addr_normal(s->arena, &r->addr);
}

void
session_header(struct session *s, struct str name, struct str value)
{
	if (!is_open(s))
		return;
	s->header_size += name.n + value.n + 2;
	if (s->header_size > SESSION_MAX_HEADER ||
	    s->m->headers.n >= SESSION_MAX_FIELDS) {
		s->too_large = "its header is too long";
		return;
	}
	headers_append(&s->m->headers, arena_copy(s->arena, name),
	    arena_copy(s->arena, value));
}

void
session_body(struct session *s, struct str chunk)
{
	if (is_open(s) && buf_str(&s->body, chunk) != 0)
		s->too_large = "its body is too long";
}

/* Sends the edits or the reply; may turn an acceptance into a failure. */
static void
tell(struct message *m, struct mta *mta)
{
	if (m->verdict == VERDICT_ACCEPT && emit_edits(m, mta) != 0) {
		log_error("%.*s: the MTA did not take an edit",
		    STR_ARG(m->queue_id));
		m->verdict = VERDICT_TEMPFAIL;
	}
	if (m->verdict == VERDICT_REJECT)
		mta->ops->set_reply(mta, m->reply.code, m->reply.status,
		    m->reply.text);
	else if (m->verdict == VERDICT_TEMPFAIL)
		mta->ops->set_reply(mta, "451", "4.3.0",
		    "temporary problem, please try again");
}

enum verdict
session_end(struct session *s, struct str queue_id, struct mta *mta)
{
	struct message *m = s->m;
	int64_t start = clock_thread_cpu();

	if (m == NULL || s->has_ended)
		return VERDICT_PASS;
	s->has_ended = true;
	m->queue_id = arena_copy(s->arena, queue_id);
	m->now = clock_seconds(&s->env->clock);
	m->body = buf_view(&s->body);
	m->verdict = VERDICT_TEMPFAIL;
	if (s->too_large != NULL)
		message_refuse(m, "552", "5.3.4", "message refused: %s",
		    s->too_large);
	else
		stages_run(m, s->env->metrics);
	if (m->settings->milter.mode == MODE_ACT)
		tell(m, mta);
	if (!s->env->is_quiet)
		report_log(m, clock_thread_cpu() - start);
	report_count(m, s->env->metrics);
	return m->settings->milter.mode == MODE_ACT ? m->verdict :
						      VERDICT_PASS;
}

const struct message *
session_message(const struct session *s)
{
	return s->has_ended ? s->m : NULL;
}
