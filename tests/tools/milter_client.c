/*
 * milter_client.c - the MTA's side of the milter protocol.  Not a library
 * for products: it trusts nobody but hides nothing either.
 */
#include "tests/tools/milter_client.h"

#include <sys/types.h>

#include <arpa/inet.h>
#include <errno.h>
#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/net.h"

/* Postfix writes in pieces of its stream buffer (VSTREAM_BUFSIZE). */
#define WRITE_SIZE  4096
#define PACKET_MAX  (1 << 20)
#define HOST_NAME   "mta.example"
#define CLIENT_NAME "client.example"

#define OFFERED_ACTIONS 0x1ffu
#define OFFERED_STEPS	((uint32_t)SMFI_CURR_PROT)

const char *const milter_answer_names[MILTER_ANSWERS] = { "continue", "accept",
	"discard", "reject", "tempfail", "reply", "shutdown", "lost", "broken",
	"refused" };
const char *const milter_stage_names[MILTER_STAGES] = { "negotiate", "connect",
	"helo", "mail", "rcpt", "data", "header", "eoh", "body", "eom" };

/* What there is to know of a stage; the lists are Postfix 3.7's defaults. */
static const struct event {
	char command;
	int list; /* SMFIM_* */
	uint32_t no_event, no_reply;
	const char *macros;
} events[MILTER_STAGES] = {
	[MILTER_AT_CONNECT] = { SMFIC_CONNECT, SMFIM_CONNECT, SMFIP_NOCONNECT,
	    SMFIP_NR_CONN, "j {daemon_name} {daemon_addr} v _" },
	[MILTER_AT_HELO] = { SMFIC_HELO, SMFIM_HELO, SMFIP_NOHELO,
	    SMFIP_NR_HELO, "{tls_version} {cipher} {cipher_bits} "
			   "{cert_subject} {cert_issuer}" },
	[MILTER_AT_MAIL] = { SMFIC_MAIL, SMFIM_ENVFROM, SMFIP_NOMAIL,
	    SMFIP_NR_MAIL, "i {auth_type} {auth_authen} {auth_author} "
			   "{mail_addr} {mail_host} {mail_mailer}" },
	[MILTER_AT_RCPT] = { SMFIC_RCPT, SMFIM_ENVRCPT, SMFIP_NORCPT,
	    SMFIP_NR_RCPT, "i {rcpt_addr} {rcpt_host} {rcpt_mailer}" },
	[MILTER_AT_DATA] = { SMFIC_DATA, SMFIM_DATA, SMFIP_NODATA,
	    SMFIP_NR_DATA, "i" },
	[MILTER_AT_HEADER] = { SMFIC_HEADER, SMFIM_EOH, SMFIP_NOHDRS,
	    SMFIP_NR_HDR, "i" },
	[MILTER_AT_EOH] = { SMFIC_EOH, SMFIM_EOH, SMFIP_NOEOH, SMFIP_NR_EOH,
	    "i" },
	[MILTER_AT_BODY] = { SMFIC_BODY, SMFIM_EOM, SMFIP_NOBODY,
	    SMFIP_NR_BODY, "i" },
	[MILTER_AT_EOM] = { SMFIC_BODYEOB, SMFIM_EOM, 0, 0, "i" },
};

void
milter_client_init(struct milter_client *c, const struct milter_identity *who,
    milter_edit_fn *edit, void *arg)
{
	*c = (struct milter_client){ .who = who, .edit = edit, .arg = arg,
		.fd = -1 };
	buf_init(&c->out, PACKET_MAX);
	buf_init(&c->in, PACKET_MAX);
}

bool
milter_client_is_open(const struct milter_client *c)
{
	return c->fd >= 0;
}

void
milter_client_drop(struct milter_client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->abort_pending = false;
	for (size_t i = 0; i < sizeof(c->macros) / sizeof(c->macros[0]); i++) {
		free(c->macros[i]);
		c->macros[i] = NULL;
	}
	buf_free(&c->out);
	buf_free(&c->in);
}

/* ---- octets -------------------------------------------------------- */

static int
write_all(struct milter_client *c, const char *p, size_t n)
{
	while (n > 0) {
		size_t piece = n < WRITE_SIZE ? n : WRITE_SIZE;
		ssize_t done = send(c->fd, p, piece, MSG_NOSIGNAL);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return -1;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

static int
flush(struct milter_client *c)
{
	int rc = write_all(c, c->out.p, c->out.n);

	buf_clear(&c->out);
	return rc;
}

/* Whole pieces go at once, the rest waits, as in Postfix. */
static int
put(struct milter_client *c, const void *p, size_t n)
{
	size_t whole;
	int rc;

	if (buf_add(&c->out, p, n) != 0)
		return -1;
	whole = c->out.n - c->out.n % WRITE_SIZE;
	if (whole == 0)
		return 0;
	rc = write_all(c, c->out.p, whole);
	memmove(c->out.p, c->out.p + whole, c->out.n - whole);
	c->out.n -= whole;
	return rc;
}

static int
put_packet(struct milter_client *c, char command, struct str data)
{
	uint32_t n = htonl((uint32_t)(data.n + 1));

	return put(c, &n, 4) != 0 || put(c, &command, 1) != 0 ||
		put(c, data.p, data.n) != 0 ? -1 : 0;
}

static int
read_all(struct milter_client *c, char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = recv(c->fd, p, n, 0);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return -1;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

/* The next packet into c->in: its command first.  0, or why not. */
static enum milter_answer
read_packet(struct milter_client *c)
{
	uint32_t n;
	char *room;

	if (read_all(c, (char *)&n, 4) != 0)
		return MILTER_LOST;
	n = ntohl(n);
	buf_clear(&c->in);
	if (n == 0 || n >= PACKET_MAX)
		return MILTER_BROKEN;
	room = buf_room(&c->in, n);
	if (read_all(c, room, n) != 0)
		return MILTER_LOST;
	c->in.n = n;
	return MILTER_CONTINUE;
}

/* ---- macros -------------------------------------------------------- */

/* The value of a macro as smtpd and cleanup would give it; NULL for none. */
static const char *
macro_value(const struct milter_client *c, const char *name)
{
	const struct {
		const char *name, *value;
	} known[] = {
		{ "i", c->has_queue_id ? c->mail->queue_id : NULL },
		{ "j", HOST_NAME },
		{ "v", "Postfix 3.7.11" },
		{ "_", CLIENT_NAME },
		{ "{daemon_name}", c->who->daemon },
		{ "{daemon_addr}", "127.0.0.1" },
		{ "{client_addr}", c->who->client_addr },
		{ "{client_name}", CLIENT_NAME },
		{ "{client_port}", "40000" },
		{ "{auth_type}", c->who->user != NULL ? "PLAIN" : NULL },
		{ "{auth_authen}", c->who->user },
		{ "{mail_addr}", c->mail != NULL ? c->mail->sender : NULL },
		{ "{mail_mailer}", c->mail != NULL ? "smtp" : NULL },
		{ "{rcpt_addr}", c->recipient },
		{ "{rcpt_mailer}", c->recipient != NULL ? "smtp" : NULL },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].name, name) == 0)
			return known[i].value;
	return NULL;
}

/* The list of a stage with its values, even when there are none. */
static int
put_macros(struct milter_client *c, const struct event *e)
{
	const char *list = c->macros[e->list];
	struct buf data;
	int rc;

	if (list == NULL || list[0] == '\0')
		list = e->macros;
	buf_init(&data, 4096);
	buf_char(&data, e->command);
	while (*list != '\0') {
		size_t n = strcspn(list, " ,\t");
		char name[64];
		const char *value;

		snprintf(name, sizeof(name), "%.*s", (int)n, list);
		value = macro_value(c, name);
		if (value != NULL) {
			buf_add(&data, name, strlen(name) + 1);
			buf_add(&data, value, strlen(value) + 1);
		}
		list += n;
		list += strspn(list, " ,\t");
	}
	rc = put_packet(c, SMFIC_MACRO, buf_view(&data));
	buf_free(&data);
	return rc;
}

/* ---- answers ------------------------------------------------------- */

static enum milter_answer
take_reply(struct milter_client *c)
{
	struct str text = str_sub(buf_view(&c->in), 1, c->in.n);

	if (text.n < 5 || (text.p[0] != '4' && text.p[0] != '5') ||
	    !str_is_digit(text.p[1]) || !str_is_digit(text.p[2]) ||
	    (text.p[3] != ' ' && text.p[3] != '-'))
		return MILTER_BROKEN;
	snprintf(c->code, sizeof(c->code), "%.3s", text.p);
	snprintf(c->text, sizeof(c->text), "%.*s", STR_ARG(text));
	return MILTER_REPLY;
}

/* The answer that a packet is, or -1 for an edit. */
static int
as_answer(struct milter_client *c)
{
	static const struct {
		char command;
		enum milter_answer answer;
	} simple[] = {
		{ SMFIR_CONTINUE, MILTER_CONTINUE },
		{ SMFIR_ACCEPT, MILTER_ACCEPT },
		{ SMFIR_DISCARD, MILTER_DISCARD },
		{ SMFIR_REJECT, MILTER_REJECT },
		{ SMFIR_TEMPFAIL, MILTER_TEMPFAIL },
		{ SMFIR_SHUTDOWN, MILTER_SHUTDOWN },
		{ SMFIR_SKIP, MILTER_CONTINUE },
	};
	char command = c->in.p[0];

	if (command == SMFIR_REPLYCODE)
		return take_reply(c);
	if (command == SMFIR_SKIP)
		c->skipped = events[c->at].command;
	for (size_t i = 0; i < sizeof(simple) / sizeof(simple[0]); i++)
		if (simple[i].command == command)
			return c->in.n == 1 ? simple[i].answer : MILTER_BROKEN;
	return -1;
}

static bool
is_edit(char command)
{
	return command != '\0' && strchr("hime+2-bq", command) != NULL;
}

/*
 * Reads up to the answer of this stage.  Postfix takes a body only in one go:
 * another edit in between is an error (milter8.c, body_edit_lockout).
 */
static enum milter_answer
read_answer(struct milter_client *c)
{
	enum { BODY_NONE, BODY_OPEN, BODY_DONE } body = BODY_NONE;

	for (;;) {
		enum milter_answer rc = read_packet(c);
		char command;
		int answer;

		if (rc != MILTER_CONTINUE)
			return rc;
		command = c->in.p[0];
		answer = as_answer(c);
		if (answer >= 0)
			return (enum milter_answer)answer;
		if (command != SMFIR_PROGRESS && (c->at != MILTER_AT_EOM ||
		    !is_edit(command)))
			return MILTER_BROKEN;
		if (command == SMFIR_REPLBODY && body == BODY_DONE)
			return MILTER_BROKEN;
		if (command == SMFIR_REPLBODY)
			body = BODY_OPEN;
		else if (body == BODY_OPEN)
			body = BODY_DONE;
		if (c->edit != NULL)
			c->edit(c->arg, command,
			    str_sub(buf_view(&c->in), 1, c->in.n));
	}
}

/* After these the session is over for Postfix, too. */
static enum milter_answer
closing(struct milter_client *c, enum milter_answer answer)
{
	bool is_421 = answer == MILTER_REPLY && strcmp(c->code, "421") == 0;

	if (answer == MILTER_LOST || answer == MILTER_BROKEN)
		milter_client_drop(c);
	else if (answer == MILTER_SHUTDOWN || is_421 ||
	    (answer != MILTER_CONTINUE && c->at < MILTER_AT_MAIL))
		milter_client_quit(c);
	return answer;
}

/* One event: macros always, the event and its answer unless not wanted. */
static enum milter_answer
tell(struct milter_client *c, enum milter_stage at, struct str data)
{
	const struct event *e = &events[at];

	c->at = at;
	if (c->skipped == e->command)
		return MILTER_CONTINUE;
	c->skipped = 0;
	if (put_macros(c, e) != 0)
		return MILTER_LOST;
	if ((c->steps & e->no_event) != 0)
		return MILTER_CONTINUE;
	if (put_packet(c, e->command, data) != 0)
		return MILTER_LOST;
	if ((c->steps & e->no_reply) != 0)
		return MILTER_CONTINUE;
	return flush(c) == 0 ? read_answer(c) : MILTER_LOST;
}

/* ---- the session --------------------------------------------------- */

static int
connect_unix(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(sun.sun_path))
		return -1;
	memcpy(sun.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&sun, sizeof(sun)) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static int
connect_inet(const struct net_socket *where)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	char port[8];
	int fd = -1;

	snprintf(port, sizeof(port), "%u", where->port);
	if (getaddrinfo(where->host, port, &hints, &list) != 0)
		return -1;
	for (struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next) {
		fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(list);
	return fd;
}

static int
connect_to(const struct milter_identity *who)
{
	struct arena *a = arena_new();
	struct timeval limit = { .tv_sec = who->timeout };
	struct net_socket where;
	const char *why;
	int fd = -1;

	if (net_parse_socket(a, str_from(who->socket), &where, &why) != 0)
		fprintf(stderr, "%s: %s\n", who->socket, why);
	else if (where.kind == NET_UNIX)
		fd = connect_unix(where.path);
	else if (where.kind == NET_INET)
		fd = connect_inet(&where);
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	}
	arena_free(&a);
	return fd;
}

static uint32_t
long_at(struct str s, size_t at)
{
	uint32_t n;

	memcpy(&n, s.p + at, 4);
	return ntohl(n);
}

/* Lists of macros behind the flags: SMFIM_* and a text each. */
static int
take_lists(struct milter_client *c, struct str s)
{
	while (s.n > 0) {
		size_t end = s.n > 4 ? str_chr(s, '\0', 4) : s.n;
		uint32_t list;

		if (end == s.n)
			return -1;
		list = long_at(s, 0);
		if (list < sizeof(c->macros) / sizeof(c->macros[0])) {
			free(c->macros[list]);
			c->macros[list] = strdup(s.p + 4);
		}
		s = str_sub(s, end + 1, s.n);
	}
	return 0;
}

static enum milter_answer
negotiate(struct milter_client *c)
{
	uint32_t offer[3] = { htonl(6), htonl(OFFERED_ACTIONS),
		htonl(OFFERED_STEPS) };
	enum milter_answer rc;
	struct str s;

	c->at = MILTER_AT_NEGOTIATE;
	c->skipped = 0;
	if (put_packet(c, SMFIC_OPTNEG, str_make((char *)offer, 12)) != 0 ||
	    flush(c) != 0)
		return MILTER_LOST;
	rc = read_packet(c);
	if (rc != MILTER_CONTINUE)
		return rc;
	s = buf_view(&c->in);
	if (s.n < 13 || s.p[0] != SMFIC_OPTNEG || long_at(s, 1) > 6 ||
	    (long_at(s, 5) & ~OFFERED_ACTIONS) != 0)
		return MILTER_BROKEN;
	c->steps = long_at(s, 9);
	return take_lists(c, str_sub(s, 13, s.n)) == 0 ? MILTER_CONTINUE :
							  MILTER_BROKEN;
}

static enum milter_answer
tell_connect(struct milter_client *c)
{
	const char *addr = c->who->client_addr;
	uint16_t port = htons(40000);
	enum milter_answer rc;
	struct buf data;

	buf_init(&data, 1024);
	buf_add(&data, CLIENT_NAME, sizeof(CLIENT_NAME));
	buf_char(&data, strchr(addr, ':') != NULL ? SMFIA_INET6 : SMFIA_INET);
	buf_add(&data, &port, 2);
	if (strchr(addr, ':') != NULL)
		buf_puts(&data, "IPv6:");
	buf_add(&data, addr, strlen(addr) + 1);
	rc = tell(c, MILTER_AT_CONNECT, buf_view(&data));
	buf_free(&data);
	return rc;
}

enum milter_answer
milter_client_open(struct milter_client *c)
{
	enum milter_answer rc;

	milter_client_drop(c);
	c->mail = NULL;
	c->recipient = NULL;
	c->has_queue_id = false;
	c->at = MILTER_AT_NEGOTIATE;
	c->fd = connect_to(c->who);
	if (c->fd < 0)
		return MILTER_REFUSED;
	rc = negotiate(c);
	if (rc == MILTER_CONTINUE)
		rc = tell_connect(c);
	if (rc == MILTER_CONTINUE)
		rc = tell(c, MILTER_AT_HELO,
		    str_make(CLIENT_NAME, sizeof(CLIENT_NAME)));
	return closing(c, rc);
}

/* ---- the message --------------------------------------------------- */

static enum milter_answer
tell_mail(struct milter_client *c)
{
	enum milter_answer rc;
	struct buf data;

	if (c->abort_pending && put_packet(c, SMFIC_ABORT, STR("")) != 0)
		return MILTER_LOST;
	c->abort_pending = true;
	buf_init(&data, 65536);
	buf_printf(&data, "<%s>", c->mail->sender);
	buf_char(&data, '\0');
	for (const char *p = c->mail->args; p != NULL && *p != '\0';) {
		size_t n = strcspn(p, " ");

		buf_add(&data, p, n);
		buf_char(&data, '\0');
		p += n;
		p += strspn(p, " ");
	}
	rc = tell(c, MILTER_AT_MAIL, buf_view(&data));
	buf_free(&data);
	return rc;
}

/* The queue id is known from behind the first recipient on. */
static enum milter_answer
tell_rcpts(struct milter_client *c)
{
	enum milter_answer rc = MILTER_CONTINUE;
	struct buf data;

	buf_init(&data, 65536);
	for (size_t i = 0; rc == MILTER_CONTINUE && i < c->mail->nrecipients;
	     i++) {
		c->recipient = c->mail->recipients[i];
		buf_clear(&data);
		buf_printf(&data, "<%s>", c->recipient);
		buf_char(&data, '\0');
		rc = tell(c, MILTER_AT_RCPT, buf_view(&data));
		c->has_queue_id = true;
	}
	buf_free(&data);
	return rc;
}

static enum milter_answer
tell_data(struct milter_client *c)
{
	enum milter_answer rc = tell(c, MILTER_AT_DATA, STR(""));

	/* smtpd hands the connection over to cleanup here */
	return rc == MILTER_CONTINUE && flush(c) != 0 ? MILTER_LOST : rc;
}

static enum milter_answer
tell_headers(struct milter_client *c)
{
	bool verbatim = (c->steps & SMFIP_HDR_LEADSPC) != 0;
	enum milter_answer rc = MILTER_CONTINUE;
	struct buf data;

	buf_init(&data, 1 << 19);
	for (size_t i = 0; rc == MILTER_CONTINUE && i < c->mail->headers->n;
	     i++) {
		struct str value = c->mail->headers->v[i].value;

		if (!verbatim && value.n > 0 && value.p[0] == ' ')
			value = str_sub(value, 1, value.n);
		buf_clear(&data);
		buf_str(&data, c->mail->headers->v[i].name);
		buf_char(&data, '\0');
		buf_str(&data, value);
		buf_char(&data, '\0');
		rc = tell(c, MILTER_AT_HEADER, buf_view(&data));
	}
	buf_free(&data);
	return rc;
}

static enum milter_answer
tell_eoh(struct milter_client *c)
{
	return tell(c, MILTER_AT_EOH, STR(""));
}

static enum milter_answer
tell_body(struct milter_client *c)
{
	enum milter_answer rc = MILTER_CONTINUE;

	for (size_t at = 0; rc == MILTER_CONTINUE && at < c->mail->body.n;
	     at += MILTER_CHUNK_SIZE)
		rc = tell(c, MILTER_AT_BODY,
		    str_sub(c->mail->body, at, at + MILTER_CHUNK_SIZE));
	return rc;
}

static enum milter_answer
tell_eom(struct milter_client *c)
{
	return tell(c, MILTER_AT_EOM, STR(""));
}

enum milter_answer
milter_client_send(struct milter_client *c, const struct milter_mail *mail)
{
	static enum milter_answer (*const stages[])(struct milter_client *) = {
		[MILTER_AT_MAIL] = tell_mail,
		[MILTER_AT_RCPT] = tell_rcpts,
		[MILTER_AT_DATA] = tell_data,
		[MILTER_AT_HEADER] = tell_headers,
		[MILTER_AT_EOH] = tell_eoh,
		[MILTER_AT_BODY] = tell_body,
		[MILTER_AT_EOM] = tell_eom,
	};
	enum milter_answer rc = MILTER_CONTINUE;

	c->mail = mail;
	c->recipient = NULL;
	c->has_queue_id = false;
	for (int at = MILTER_AT_MAIL; rc == MILTER_CONTINUE &&
	     at < (int)mail->stop && at < MILTER_STAGES; at++)
		rc = stages[at](c);
	return closing(c, rc);
}

void
milter_client_abort(struct milter_client *c)
{
	if (c->fd < 0)
		return;
	c->abort_pending = false;
	if (put_packet(c, SMFIC_ABORT, STR("")) != 0 || flush(c) != 0)
		milter_client_drop(c);
}

void
milter_client_quit(struct milter_client *c)
{
	if (c->fd >= 0 && put_packet(c, SMFIC_ABORT, STR("")) == 0 &&
	    put_packet(c, SMFIC_QUIT, STR("")) == 0)
		(void)flush(c);
	milter_client_drop(c);
}
