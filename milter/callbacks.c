/*
 * callbacks.c - libmilter's callbacks: thin adapters to engine/session.h.
 * The callbacks of one connection run on different threads; all state hangs
 * on the connection.
 */
#include "milter/milter.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "milter/intake.h"
#include "milter/listener.h"

/* Actions that edits need, all of them offered by Postfix and Sendmail. */
#define ACTIONS                                                                \
	(SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_CHGBODY | SMFIF_CHGFROM |       \
	    SMFIF_DELRCPT)

/* Events that nobody needs. */
#define SKIPPED (SMFIP_NOHELO | SMFIP_NOUNKNOWN)

/* Events that need no reply: a round trip less for each. */
#define SILENT (SMFIP_NR_RCPT | SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY)

#define PARAMETERS_MAX 4096 /* octets of one MAIL command */

struct connection {
	struct session *session; /* NULL: to be refused */
	struct mta_milter mta;
	bool is_silent; /* the MTA takes SILENT */
	bool is_silent_data;
	bool has_leadspc;
	bool has_data; /* DATA came, and no end of message yet */
};

/* libmilter hands no context to a first callback: set once, before threads. */
static const struct session_env *the_env;

/*
 * NULL where there is no session: it is one too many, or nothing was
 * negotiated (libmilter insists on no order).
 */
static struct connection *
connection_of(SMFICTX *ctx)
{
	struct connection *c = smfi_getpriv(ctx);

	return c != NULL && c->session != NULL ? c : NULL;
}

static sfsistat
quiet(const struct connection *c)
{
	return c->is_silent ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

static struct str
macro(SMFICTX *ctx, const char *name)
{
	char copy[32];

	snprintf(copy, sizeof(copy), "%s", name);
	return str_from(smfi_getsymval(ctx, copy));
}

/* FACTS section 1: the MTA's defaults lack what step 0 and the log need. */
static bool
ask_for_macros(SMFICTX *ctx)
{
	char on_connect[] = "i j {daemon_name}";
	char on_mail[] = "i {auth_authen}";
	char on_end[] = "i";

	return smfi_setsymlist(ctx, SMFIM_CONNECT, on_connect) == MI_SUCCESS &&
	    smfi_setsymlist(ctx, SMFIM_ENVFROM, on_mail) == MI_SUCCESS &&
	    smfi_setsymlist(ctx, SMFIM_EOM, on_end) == MI_SUCCESS;
}

static void
count_session(bool is_taken)
{
	struct metrics *m = the_env->metrics;

	metrics_add(m, is_taken ? METRIC_SESSIONS : METRIC_SESSIONS_REFUSED, 1);
	if (is_taken)
		metrics_add(m, METRIC_SESSIONS_OPEN, 1);
}

static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
    unsigned long f2, unsigned long f3, unsigned long *want_actions,
    unsigned long *want_steps, unsigned long *want_f2, unsigned long *want_f3)
{
	struct connection *c;

	(void)f2;
	(void)f3;
	if ((actions & ACTIONS) != ACTIONS) {
		log_error("the MTA does not offer the edits that we need "
			  "(offered 0x%lx, needed 0x%lx)", actions,
		    (unsigned long)ACTIONS);
		return SMFIS_REJECT;
	}
	if (intake_is_short())
		listener_pause();
	c = mem_alloc(sizeof(*c));
	*c = (struct connection){ 0 };
	if (intake_enter())
		c->session = session_new(the_env);
	count_session(c->session != NULL);
	c->is_silent = (steps & SILENT) == SILENT;
	c->has_leadspc = (steps & SMFIP_HDR_LEADSPC) != 0;
	c->is_silent_data = listener_is_local() &&
	    (steps & SMFIP_NR_DATA) != 0;
	mta_milter_init(&c->mta, ctx, c->has_leadspc);
	smfi_setpriv(ctx, c);
	if (!ask_for_macros(ctx))
		log_warning("the MTA takes no list of macros");
	*want_actions = ACTIONS | (actions & SMFIF_SETSYMLIST);
	*want_steps = (steps & SKIPPED) | (c->is_silent ? SILENT : 0) |
	    (c->is_silent_data ? SMFIP_NR_DATA : 0) |
	    (c->has_leadspc ? SMFIP_HDR_LEADSPC : 0);
	*want_f2 = 0;
	*want_f3 = 0;
	return SMFIS_CONTINUE;
}

/* The client's address, and its port where it has one. */
static unsigned
read_address(const _SOCK_ADDR *addr, struct client *client)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (addr == NULL)
		return 0;
	if (addr->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)addr;

		memcpy(client->addr.b, mapped, sizeof(mapped));
		memcpy(client->addr.b + 12, &in->sin_addr, 4);
		client->has_addr = true;
		return ntohs(in->sin_port);
	}
	if (addr->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)addr;

		memcpy(client->addr.b, &in6->sin6_addr, 16);
		client->has_addr = true;
		return ntohs(in6->sin6_port);
	}
	return 0;
}

/* 421 makes Postfix take leave of its client, and of us (ARCHITECTURE §13). */
static sfsistat
send_away(SMFICTX *ctx, const char *why)
{
	char code[] = "421", status[] = "4.3.2", text[64];

	snprintf(text, sizeof(text), "%s", why);
	smfi_setreply(ctx, code, status, text);
	return SMFIS_TEMPFAIL;
}

static sfsistat
on_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *addr)
{
	struct connection *c = connection_of(ctx);
	struct client client = { 0 };
	unsigned port = read_address(addr, &client);

	(void)host;
	if (c == NULL)
		return send_away(ctx, "too many sessions, try again later");
	client.daemon = macro(ctx, "{daemon_name}");
	client.mta = macro(ctx, "j");
	/* sendmail(1): a queue id before any message (ARCHITECTURE §13) */
	client.is_sendmail = macro(ctx, "i").n > 0 && port == 0 &&
	    client.has_addr && net_is_loopback(&client.addr);
	session_connect(c->session, &client);
	return SMFIS_CONTINUE;
}

/* argv behind the address, with blanks between. */
static struct str
mail_parameters(char **argv, struct buf *out)
{
	for (size_t i = 1; argv[i] != NULL; i++) {
		buf_puts(out, i > 1 ? " " : "");
		buf_puts(out, argv[i]);
	}
	return buf_view(out);
}

static sfsistat
on_mail(SMFICTX *ctx, char **argv)
{
	struct connection *c = connection_of(ctx);
	struct buf args;
	bool is_ours;

	if (c == NULL)
		return send_away(ctx, "too many sessions, try again later");
	if (!intake_takes_message())
		return send_away(ctx, "restarting, connect again");
	buf_init(&args, PARAMETERS_MAX);
	session_login(c->session, macro(ctx, "{auth_authen}"));
	is_ours = session_mail(c->session, str_from(argv[0]),
	    mail_parameters(argv, &args));
	buf_free(&args);
	return is_ours ? SMFIS_CONTINUE : SMFIS_ACCEPT;
}

static sfsistat
on_rcpt(SMFICTX *ctx, char **argv)
{
	struct connection *c = connection_of(ctx);

	if (c == NULL)
		return SMFIS_TEMPFAIL;
	session_rcpt(c->session, str_from(argv[0]));
	return quiet(c);
}

static sfsistat
on_data(SMFICTX *ctx)
{
	struct connection *c = connection_of(ctx);

	if (c == NULL)
		return SMFIS_TEMPFAIL;
	c->has_data = true;
	return c->is_silent_data ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

static sfsistat
on_header(SMFICTX *ctx, char *name, char *value)
{
	struct connection *c = connection_of(ctx);

	if (c == NULL)
		return SMFIS_TEMPFAIL;
	if (c->has_leadspc) {
		session_header(c->session, str_from(name), str_from(value));
	} else {
		struct arena *a = arena_new();

		session_header(c->session, str_from(name),
		    arena_printf(a, " %s", value));
		arena_free(&a);
	}
	return quiet(c);
}

static sfsistat
on_end_of_header(SMFICTX *ctx)
{
	const struct connection *c = connection_of(ctx);

	return c == NULL ? SMFIS_TEMPFAIL : quiet(c);
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *chunk, size_t n)
{
	struct connection *c = connection_of(ctx);

	if (c == NULL)
		return SMFIS_TEMPFAIL;
	session_body(c->session, str_make((const char *)chunk, n));
	return quiet(c);
}

/* libmilter takes a 4yz reply only with TEMPFAIL, a 5yz only with REJECT. */
static sfsistat
answer(enum verdict verdict, bool is_temporary)
{
	switch (verdict) {
	case VERDICT_ACCEPT:
	case VERDICT_PASS:
		return SMFIS_CONTINUE;
	case VERDICT_REJECT:
		return is_temporary ? SMFIS_TEMPFAIL : SMFIS_REJECT;
	case VERDICT_DISCARD:
		return SMFIS_DISCARD;
	case VERDICT_TEMPFAIL:
		break;
	}
	return SMFIS_TEMPFAIL;
}

static sfsistat
on_end(SMFICTX *ctx)
{
	struct connection *c = connection_of(ctx);
	const struct message *m;
	enum verdict v;
	sfsistat status;

	if (c == NULL)
		return SMFIS_TEMPFAIL;
	c->has_data = false;
	v = session_end(c->session, macro(ctx, "i"), &c->mta.mta);
	m = session_message(c->session);
	status = answer(v, m != NULL && m->reply.code[0] == '4');
	session_abort(c->session); /* an idle connection holds no message */
	return status;
}

/*
 * May come any number of times, without a MAIL too (FACTS section 3).  What an
 * earlier milter quarantines ends here: Postfix goes on to no other one.
 */
static sfsistat
on_abort(SMFICTX *ctx)
{
	struct connection *c = connection_of(ctx);

	if (c == NULL)
		return SMFIS_CONTINUE;
	if (c->has_data) {
		struct str id = macro(ctx, "i");

		log_info("%.*s: not seen to its end: the client went away, or "
			 "another milter refused it or put it on hold",
		    STR_ARG(id.n > 0 ? id : STR("NOQUEUE")));
	}
	c->has_data = false;
	session_abort(c->session);
	return SMFIS_CONTINUE;
}

static sfsistat
on_close(SMFICTX *ctx)
{
	struct connection *c = smfi_getpriv(ctx);
	bool was_taken = connection_of(ctx) != NULL;

	if (c != NULL) {
		smfi_setpriv(ctx, NULL);
		session_free(&c->session);
		mta_milter_close(&c->mta);
		free(c);
	}
	if (was_taken) {
		metrics_subtract(the_env->metrics, METRIC_SESSIONS_OPEN, 1);
		intake_leave(); /* last: the process may end now */
	}
	return SMFIS_CONTINUE;
}

int
callbacks_register(const struct session_env *env)
{
	char name[] = "bulkhead";
	struct smfiDesc desc = {
		.xxfi_name = name,
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = ACTIONS | SMFIF_SETSYMLIST,
		.xxfi_connect = on_connect,
		.xxfi_envfrom = on_mail,
		.xxfi_envrcpt = on_rcpt,
		.xxfi_header = on_header,
		.xxfi_eoh = on_end_of_header,
		.xxfi_body = on_body,
		.xxfi_eom = on_end,
		.xxfi_abort = on_abort,
		.xxfi_close = on_close,
		.xxfi_data = on_data,
		.xxfi_negotiate = on_negotiate,
	};

	the_env = env;
	return smfi_register(desc) == MI_SUCCESS ? 0 : -1;
}
