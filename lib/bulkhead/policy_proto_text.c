/*
 * policy_proto_text.c - what the blocks of the policy protocol ask and answer.
 */
#include "bulkhead/policy_proto.h"

#include <stddef.h>

#include "base/num.h"

static const char *const kind_names[] = {
	[POLICY_ACCESS] = "smtpd_access_policy",
	[POLICY_ADMIT] = "bulkhead_admit",
	[POLICY_CHARGE] = "bulkhead_charge",
	[POLICY_LIMITS] = "bulkhead_limits",
	[POLICY_LIMIT_RESET] = "bulkhead_limit_reset",
	[POLICY_REFRESH] = "bulkhead_refresh",
	[POLICY_STATUS] = "bulkhead_status",
};

#define NKINDS (sizeof(kind_names) / sizeof(kind_names[0]))

const char *
policy_kind_name(enum policy_kind kind)
{
	return kind < NKINDS ? kind_names[kind] : NULL;
}

static enum policy_kind
find_kind(struct str name)
{
	for (size_t i = 1; i < NKINDS; i++)
		if (str_eq(name, str_from(kind_names[i])))
			return (enum policy_kind)i;
	return POLICY_OTHER;
}

#define IN_REQUEST(field) offsetof(struct policy_request, field)

/* Attributes that are one text each. */
static const struct {
	struct str name;
	size_t at;
} attrs[] = {
	{ { "request", 7 }, IN_REQUEST(request) },
	{ { "protocol_state", 14 }, IN_REQUEST(protocol_state) },
	{ { "instance", 8 }, IN_REQUEST(message.instance) },
	{ { "queue_id", 8 }, IN_REQUEST(message.queue_id) },
	{ { "sender", 6 }, IN_REQUEST(message.sender) },
	{ { "sasl_username", 13 }, IN_REQUEST(message.sasl_user) },
	{ { "client_address", 14 }, IN_REQUEST(message.client) },
	{ { "recipient_count", 15 }, IN_REQUEST(recipient_count) },
	{ { "domain", 6 }, IN_REQUEST(message.domain) },
	{ { "stream", 6 }, IN_REQUEST(message.stream) },
	{ { "list", 4 }, IN_REQUEST(message.list) },
	{ { "name", 4 }, IN_REQUEST(name) },
	{ { "value", 5 }, IN_REQUEST(value) },
};

#define NATTRS (sizeof(attrs) / sizeof(attrs[0]))

/* One request under way to its struct. */
struct reading {
	struct arena *arena;
	struct policy_request *r;
	unsigned seen; /* bit i: attrs[i] was there */
	struct str *recipients;
	size_t cap;
	bool has_dry_run;
};

static const char *
take_text(struct reading *in, size_t i, struct str value)
{
	struct str *to = (struct str *)(void *)((char *)in->r + attrs[i].at);

	if (in->seen & 1u << i)
		return "an attribute that is there twice";
	in->seen |= 1u << i;
	*to = value;
	return NULL;
}

static void
take_recipient(struct reading *in, struct str value)
{
	struct policy_message *m = &in->r->message;

	in->recipients = arena_grow(in->arena, in->recipients, m->nrecipients,
	    &in->cap, sizeof(*in->recipients));
	in->recipients[m->nrecipients++] = value;
	m->recipients = in->recipients;
}

static const char *
take_dry_run(struct reading *in, struct str value)
{
	if (in->has_dry_run)
		return "an attribute that is there twice";
	if (!str_eq(value, STR("0")) && !str_eq(value, STR("1")))
		return "a dry_run that is neither 0 nor 1";
	in->has_dry_run = true;
	in->r->message.is_dry = value.p[0] == '1';
	return NULL;
}

static const char *
take_attr(struct reading *in, struct str name, struct str value)
{
	for (size_t i = 0; i < NATTRS; i++)
		if (attrs[i].name.n == name.n &&
		    attrs[i].name.p[0] == name.p[0] &&
		    memcmp(attrs[i].name.p, name.p, name.n) == 0)
			return take_text(in, i, value);
	if (str_eq(name, STR("recipient")))
		take_recipient(in, value);
	else if (str_eq(name, STR("dry_run")))
		return take_dry_run(in, value);
	return NULL;
}

int
policy_request_read(struct arena *a, struct str block,
    struct policy_request *out, const char **why)
{
	struct reading in = { .arena = a, .r = out };
	struct str name, value;

	*out = (struct policy_request){ .kind = POLICY_OTHER };
	while (policy_next_attr(&block, &name, &value)) {
		*why = take_attr(&in, name, value);
		if (*why != NULL)
			return -1;
	}
	if (out->request.n == 0) {
		*why = "no request=";
		return -1;
	}
	out->kind = find_kind(out->request);
	if (out->message.nrecipients > 1 && out->kind != POLICY_ADMIT &&
	    out->kind != POLICY_CHARGE) {
		*why = "several recipients";
		return -1;
	}
	return 0;
}

/* An empty text is as good as none. */
static void
write_some(struct buf *out, const char *name, struct str value)
{
	if (value.n > 0)
		policy_write_attr(out, name, value);
}

void
policy_write_message(struct buf *out, enum policy_kind kind,
    const struct policy_message *m)
{
	policy_write_attr(out, "request", str_from(policy_kind_name(kind)));
	write_some(out, "instance", m->instance);
	write_some(out, "queue_id", m->queue_id);
	write_some(out, "sender", m->sender);
	write_some(out, "sasl_username", m->sasl_user);
	write_some(out, "client_address", m->client);
	write_some(out, "domain", m->domain);
	write_some(out, "stream", m->stream);
	write_some(out, "list", m->list);
	if (m->is_dry)
		policy_write_attr(out, "dry_run", STR("1"));
	for (size_t i = 0; i < m->nrecipients; i++)
		policy_write_attr(out, "recipient", m->recipients[i]);
	policy_write_end(out);
}

/* What Postfix and a client's terminal take: one line of printable ASCII. */
static void
write_text(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.n && i < POLICY_TEXT_MAX; i++)
		buf_char(out, text.p[i] >= ' ' && text.p[i] <= '~' ?
		    text.p[i] : '?');
}

void
policy_write_action(struct buf *out, const struct policy_reply *r)
{
	buf_puts(out, "action=");
	if (r->answer == POLICY_ACCEPT) {
		buf_puts(out, "DUNNO\n");
		return;
	}
	buf_str(out, r->code);
	buf_char(out, ' ');
	buf_str(out, r->status);
	buf_char(out, ' ');
	write_text(out, r->text);
	buf_char(out, '\n');
}

void
policy_write_reply(struct buf *out, const struct policy_reply *r)
{
	policy_write_action(out, r);
	for (size_t i = 0; i < r->nsuppressed; i++) {
		const struct policy_suppressed *s = &r->suppressed[i];

		buf_printf(out, "suppressed=%zu %.*s ", s->recipient,
		    STR_ARG(s->reason));
		write_text(out, s->text);
		buf_char(out, '\n');
	}
	write_some(out, "limit", r->limit);
	if (r->is_paused)
		policy_write_attr(out, "paused", STR("1"));
	if (r->was_open)
		policy_write_attr(out, "open", STR("1"));
	policy_write_end(out);
}

/* The word up to a blank, taken off *rest with the blank. */
static struct str
take_word(struct str *rest)
{
	size_t end = str_chr(*rest, ' ', 0);
	struct str word = str_sub(*rest, 0, end);

	*rest = str_sub(*rest, end + 1, rest->n);
	return word;
}

/* "4.7.1" behind a code that begins with the same digit (RFC 3463). */
static bool
is_status(struct str s, char first)
{
	size_t ndots = 0;

	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '.' && s.p[i - 1] != '.')
			ndots++;
		else if (!str_is_digit(s.p[i]))
			return false;
	}
	return s.n >= 5 && s.n <= 9 && s.p[0] == first && s.p[1] == '.' &&
	    ndots == 2 && s.p[s.n - 1] != '.';
}

static bool
is_code(struct str s)
{
	return s.n == 3 && (s.p[0] == '4' || s.p[0] == '5') &&
	    s.p[1] >= '0' && s.p[1] <= '5' && str_is_digit(s.p[2]);
}

static bool
is_text(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < ' ' || s.p[i] > '~')
			return false;
	return s.n > 0 && s.n <= POLICY_TEXT_MAX;
}

static int
read_action(struct arena *a, struct str value, struct policy_reply *out)
{
	struct str code, status;

	if (str_eq(value, STR("DUNNO"))) {
		out->answer = POLICY_ACCEPT;
		return 0;
	}
	code = take_word(&value);
	status = take_word(&value);
	if (!is_code(code) || !is_status(status, code.p[0]) || !is_text(value))
		return -1;
	out->answer = code.p[0] == '4' ? POLICY_DEFER : POLICY_REFUSE;
	out->code = arena_copy(a, code);
	out->status = arena_copy(a, status);
	out->text = arena_copy(a, value);
	return 0;
}

/* They come in order, so none comes twice. */
static int
read_suppressed(struct arena *a, struct str value, size_t nrecipients,
    struct policy_reply *out, size_t *cap)
{
	struct str index = take_word(&value), reason = take_word(&value);
	struct policy_suppressed *s;
	uint64_t i;

	if (num_parse(index, UINT32_MAX, &i) != 0 || i >= nrecipients ||
	    reason.n == 0 || !is_text(value))
		return -1;
	if (out->nsuppressed > 0 &&
	    i <= out->suppressed[out->nsuppressed - 1].recipient)
		return -1;
	out->suppressed = arena_grow(a, out->suppressed, out->nsuppressed, cap,
	    sizeof(*out->suppressed));
	s = &out->suppressed[out->nsuppressed++];
	s->recipient = (size_t)i;
	s->reason = arena_copy(a, reason);
	s->text = arena_copy(a, value);
	return 0;
}

int
policy_reply_read(struct arena *a, struct str block, size_t nrecipients,
    struct policy_reply *out, const char **why)
{
	struct str name, value;
	size_t cap = 0;

	*out = (struct policy_reply){ .answer = POLICY_UNAVAILABLE };
	*why = "an action that we do not know";
	if (!policy_next_attr(&block, &name, &value) ||
	    !str_eq(name, STR("action")) || read_action(a, value, out) != 0)
		return -1;
	while (policy_next_attr(&block, &name, &value)) {
		if (str_eq(name, STR("limit")))
			out->limit = arena_copy(a, value);
		else if (str_eq(name, STR("paused")))
			out->is_paused = str_eq(value, STR("1"));
		else if (str_eq(name, STR("open")))
			out->was_open = str_eq(value, STR("1"));
		else if (str_eq(name, STR("suppressed")) &&
		    read_suppressed(a, value, nrecipients, out, &cap) != 0) {
			*why = "a suppressed= that fits no recipient";
			out->answer = POLICY_UNAVAILABLE;
			return -1;
		}
	}
	return 0;
}
