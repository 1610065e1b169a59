/*
 * session.c - one SMTP session: collects a message, runs the stages over it,
 * tells the MTA.
 */
#include "engine/session.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/emit.h"
#include "engine/report.h"
#include "engine/stage.h"

/* Why a message is not taken in any more. */
enum refusal {
	REFUSAL_NONE,
	REFUSAL_RECIPIENTS,
	REFUSAL_HEADER,
	REFUSAL_BODY,
	REFUSAL_MEMORY, /* there is none left now */
	REFUSAL_SPOOL	/* its directory does not take the body */
};

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
	struct spool body;
	int spool_error; /* errno of REFUSAL_SPOOL */
	enum refusal refusal;
	bool has_ended; /* m is readable, nothing more may be added */
};

struct session *
session_new(const struct session_env *env)
{
	struct session *s = mem_alloc(sizeof(*s));

	*s = (struct session){ .env = env };
	s->client_arena = arena_new();
	s->arena = arena_new();
	arena_set_budget(s->arena, env->budget);
	return s;
}

void
session_abort(struct session *s)
{
	s->m = NULL;
	s->has_ended = false;
	s->refusal = REFUSAL_NONE;
	s->header_size = 0;
	arena_reset(s->arena);
	spool_clear(&s->body);
	keyring_free(&s->keyring);
}

void
session_free(struct session **s)
{
	if (*s == NULL)
		return;
	session_abort(*s);
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
	s->client.mta = arena_copy(s->client_arena, client->mta);
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

/* An empty message in the empty arena. */
static struct message *
new_message(struct session *s, struct str path)
{
	struct message *m = arena_alloc(s->arena, sizeof(*m));

	m->arena = s->arena;
	m->keyring = s->keyring;
	m->settings = s->keyring->settings;
	m->client = s->client;
	m->wants_notes = s->env->wants_notes;
	m->policy = s->env->policy;
	m->sender_raw = arena_copy(s->arena, path);
	if (addr_parse_path(s->arena, m->sender_raw, &m->sender) != 0)
		m->sender = (struct addr){ m->sender_raw, STR("") };
	m->is_null_sender = m->sender.local.n == 0 && m->sender.domain.n == 0;
	headers_init(&m->headers, s->arena);
	s->cap_recipients = 0;
	return m;
}

/* The settings in force rule the message from here to its end. */
static void
begin_memory(struct session *s)
{
	const struct settings *settings = s->keyring->settings;

	budget_set_limit(s->env->budget,
	    settings->milter.max_memory < SIZE_MAX ?
		(size_t)settings->milter.max_memory : SIZE_MAX);
	spool_begin(&s->body, s->env->budget, settings->milter.spool,
	    s->env->in_memory ? s->env->in_memory : SPOOL_IN_MEMORY,
	    settings->milter.max_message);
}

bool
session_mail(struct session *s, struct str path, struct str args)
{
	session_abort(s);
	s->keyring = s->env->keyring(s->env->arg);
	if (!client_is_ours(s->keyring->settings, &s->client)) {
		metrics_add(s->env->metrics, METRIC_NOT_OURS, 1);
		if (!s->env->is_quiet && !s->is_stranger)
			report_stranger(s->keyring->settings, s->arena,
			    &s->client);
		s->is_stranger = true;
		session_abort(s);
		return false;
	}
	begin_memory(s);
	s->m = new_message(s, path);
	s->m->is_smtputf8 = has_word(args, STR("SMTPUTF8"));
	return true;
}

/* True while the message under way takes more. */
static bool
is_open(const struct session *s)
{
	return s->m != NULL && !s->has_ended && s->refusal == REFUSAL_NONE;
}

/*
 * It will be refused at its end, where the MTA takes a reply that names the
 * reason; what it holds is given back now.  Its sender and the number of its
 * recipients stay, for the log.
 */
static void
give_up(struct session *s, enum refusal refusal)
{
	struct str sender = s->m->sender_raw;
	size_t nrecipients = s->m->nrecipients;
	char *copy = mem_alloc(sender.n);

	if (sender.n > 0)
		memcpy(copy, sender.p, sender.n);
	spool_clear(&s->body);
	arena_reset(s->arena);
	s->m = new_message(s, str_make(copy, sender.n));
	s->m->nrecipients = nrecipients;
	s->refusal = refusal;
	free(copy);
}

/* Room for n octets, and for twice the members of an array that is full. */
static bool
has_memory(struct session *s, size_t n, size_t members, size_t cap, size_t size)
{
	if (members == cap)
		n += (cap ? 2 * cap : 8) * size;
	if (arena_reserve(s->arena, n))
		return true;
	give_up(s, REFUSAL_MEMORY);
	return false;
}

void
session_rcpt(struct session *s, struct str path)
{
	struct message *m = s->m;
	struct recipient *r;

	if (!is_open(s))
		return;
	if (m->nrecipients >= SESSION_MAX_RCPTS) {
		give_up(s, REFUSAL_RECIPIENTS);
		return;
	}
	/* as it came, parsed, in normal form */
	if (!has_memory(s, 3 * path.n, m->nrecipients, s->cap_recipients,
	    sizeof(*r)))
		return;
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
	struct headers *h;

	if (!is_open(s))
		return;
	h = &s->m->headers;
	s->header_size += name.n + value.n + 2;
	if (s->header_size > SESSION_MAX_HEADER ||
	    h->n >= SESSION_MAX_FIELDS) {
		give_up(s, REFUSAL_HEADER);
		return;
	}
	if (has_memory(s, name.n + value.n, h->n, h->cap, sizeof(*h->v)))
		headers_append(h, arena_copy(s->arena, name),
		    arena_copy(s->arena, value));
}

/* spool_clear() in give_up() forgets the error. */
static void
give_up_body(struct session *s, enum spool_result result)
{
	s->spool_error = s->body.error;
	give_up(s, result == SPOOL_TOO_LONG ? REFUSAL_BODY : REFUSAL_SPOOL);
}

void
session_body(struct session *s, struct str chunk)
{
	enum spool_result result;

	if (!is_open(s))
		return;
	result = spool_add(&s->body, chunk);
	if (result != SPOOL_OK)
		give_up_body(s, result);
}

/* Sends the edits or the reply; may turn an acceptance into a failure. */
static void
tell(struct message *m, struct mta *mta)
{
	if ((m->verdict == VERDICT_ACCEPT || m->verdict == VERDICT_PASS) &&
	    emit_edits(m, mta) != 0) {
		log_error("%.*s: the MTA did not take an edit",
		    STR_ARG(m->queue_id));
		m->verdict = VERDICT_TEMPFAIL;
	}
	if (m->verdict != VERDICT_REJECT && m->verdict != VERDICT_TEMPFAIL)
		return;
	if (m->reply.code[0] != '\0')
		mta->ops->set_reply(mta, m->reply.code, m->reply.status,
		    m->reply.text);
	else
		mta->ops->set_reply(mta, "451", "4.3.0",
		    "temporary problem, please try again");
}

/* The directory is the administrator's business, not the client's. */
static void
refuse_spool(struct session *s)
{
	struct message *m = s->m;

	errno = s->spool_error;
	if (!s->env->is_quiet)
		log_error("%.*s: cannot keep a message in %.*s: %m",
		    STR_ARG(m->queue_id), STR_ARG(m->settings->milter.spool));
	message_defer(m, "4.3.1", "no room to keep the message");
}

static void
refuse_shortage(struct session *s)
{
	if (s->m->shortage == SHORTAGE_EVER)
		message_refuse(s->m, "552", "5.3.4", "message refused: it "
		    "needs more memory than there is for all messages");
	else
		message_defer(s->m, "4.3.1",
		    "out of memory for messages under way");
	metrics_add(s->env->metrics, METRIC_NO_MEMORY, 1);
}

static void
run_stages(struct session *s)
{
	stages_run(s->m, s->env->metrics);
	if (s->m->shortage != SHORTAGE_NONE)
		refuse_shortage(s);
}

/* The stages, if the whole message is there. */
static void
judge(struct session *s)
{
	struct message *m = s->m;

	switch (s->refusal) {
	case REFUSAL_NONE:
		run_stages(s);
		break;
	case REFUSAL_RECIPIENTS:
		message_refuse(m, "552", "5.3.4",
		    "message refused: too many recipients");
		break;
	case REFUSAL_HEADER:
		message_refuse(m, "552", "5.3.4",
		    "message refused: its header is too long");
		break;
	case REFUSAL_BODY:
		message_refuse(m, "552", "5.3.4",
		    "message refused: its body is too long");
		break;
	case REFUSAL_MEMORY:
		m->shortage = SHORTAGE_NOW;
		refuse_shortage(s);
		break;
	case REFUSAL_SPOOL:
		refuse_spool(s);
		break;
	}
}

static void
find_body(struct session *s)
{
	enum spool_result result = spool_view(&s->body, &s->m->body);

	if (s->refusal == REFUSAL_NONE && result != SPOOL_OK)
		give_up_body(s, result);
	else if (s->body.is_mapped)
		metrics_add(s->env->metrics, METRIC_SPILLED, 1);
}

enum verdict
session_end(struct session *s, struct str queue_id, struct mta *mta)
{
	int64_t start = clock_thread_cpu();
	struct message *m;

	if (s->m == NULL || s->has_ended)
		return VERDICT_PASS;
	find_body(s);
	m = s->m;
	s->has_ended = true;
	m->queue_id = arena_copy(s->arena, queue_id);
	m->now = clock_seconds(&s->env->clock);
	m->verdict = VERDICT_TEMPFAIL;
	judge(s);
	if (m->settings->milter.mode == MODE_ACT)
		tell(m, mta);
	if (!s->env->is_quiet)
		report_log(m, clock_thread_cpu() - start);
	report_count(m, s->env->metrics);
	report_events(m, s->env);
	return m->settings->milter.mode == MODE_ACT ? m->verdict :
						      VERDICT_PASS;
}

const struct message *
session_message(const struct session *s)
{
	return s->has_ended ? s->m : NULL;
}
