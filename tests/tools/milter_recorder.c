/*
 * milter_recorder.c - a milter that changes nothing and keeps each message as
 * the MTA hands it over: DIR/QUEUEID.eml with CRLF, DIR/QUEUEID.env with the
 * envelope and macros.  A test's tool; no part of Bulkhead.
 */
#include <sys/types.h>

#include <libmilter/mfapi.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* One connection's record; files are open between MAIL and the end. */
struct record {
	FILE *eml, *env;
	char eml_path[512], env_path[512];
};

static const char *directory;

static void
put_crlf(FILE *f, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			fputc('\r', f);
		fputc(*text, f);
	}
}

static void
discard(struct record *r)
{
	if (r->eml != NULL) {
		fclose(r->eml);
		unlink(r->eml_path);
	}
	if (r->env != NULL) {
		fclose(r->env);
		unlink(r->env_path);
	}
	r->eml = r->env = NULL;
}

static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
    unsigned long unused2, unsigned long unused3, unsigned long *want_actions,
    unsigned long *want_steps, unsigned long *want2, unsigned long *want3)
{
	char macros[] = "i j {auth_authen} {auth_type} {client_addr} "
			"{client_port} {daemon_name} {mail_addr}";

	(void)actions, (void)unused2, (void)unused3;
	smfi_setsymlist(ctx, SMFIM_EOM, macros);
	*want_actions = 0;
	*want_steps = steps & SMFIP_HDR_LEADSPC;
	*want2 = *want3 = 0;
	return SMFIS_CONTINUE;
}

static sfsistat
on_mail(SMFICTX *ctx, char **argv)
{
	struct record *r = smfi_getpriv(ctx);
	char name[256];

	if (r == NULL) {
		r = calloc(1, sizeof(*r));
		if (r == NULL)
			return SMFIS_TEMPFAIL;
		smfi_setpriv(ctx, r);
	}
	discard(r);
	snprintf(name, sizeof(name), "%s/.%ld-%p", directory, (long)getpid(),
	    (void *)r);
	snprintf(r->eml_path, sizeof(r->eml_path), "%s.eml", name);
	snprintf(r->env_path, sizeof(r->env_path), "%s.env", name);
	r->eml = fopen(r->eml_path, "w");
	r->env = fopen(r->env_path, "w");
	if (r->eml == NULL || r->env == NULL)
		return SMFIS_TEMPFAIL;
	fprintf(r->env, "sender=%s\n", argv[0]);
	for (argv++; *argv != NULL; argv++)
		fprintf(r->env, "sender-arg=%s\n", *argv);
	return SMFIS_CONTINUE;
}

static sfsistat
on_rcpt(SMFICTX *ctx, char **argv)
{
	struct record *r = smfi_getpriv(ctx);

	if (r != NULL && r->env != NULL)
		fprintf(r->env, "recipient=%s\n", argv[0]);
	return SMFIS_CONTINUE;
}

static sfsistat
on_header(SMFICTX *ctx, char *name, char *value)
{
	struct record *r = smfi_getpriv(ctx);

	if (r == NULL || r->eml == NULL)
		return SMFIS_TEMPFAIL;
	fprintf(r->eml, "%s:", name);
	put_crlf(r->eml, value);
	fputs("\r\n", r->eml);
	return SMFIS_CONTINUE;
}

static sfsistat
on_end_of_header(SMFICTX *ctx)
{
	struct record *r = smfi_getpriv(ctx);

	if (r == NULL || r->eml == NULL)
		return SMFIS_TEMPFAIL;
	fputs("\r\n", r->eml);
	return SMFIS_CONTINUE;
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *chunk, size_t n)
{
	struct record *r = smfi_getpriv(ctx);

	if (r == NULL || r->eml == NULL || fwrite(chunk, 1, n, r->eml) != n)
		return SMFIS_TEMPFAIL;
	return SMFIS_CONTINUE;
}

static void
put_macro(SMFICTX *ctx, FILE *f, const char *name)
{
	char copy[64];
	const char *value;

	snprintf(copy, sizeof(copy), "%s", name);
	value = smfi_getsymval(ctx, copy);
	if (value != NULL)
		fprintf(f, "macro %s=%s\n", name, value);
}

/* The .env file appears last: who sees it finds the whole message. */
static sfsistat
on_end_of_message(SMFICTX *ctx)
{
	static const char *const names[] = { "i", "j", "{auth_authen}",
		"{auth_type}", "{client_addr}", "{client_port}",
		"{daemon_name}", "{mail_addr}" };
	struct record *r = smfi_getpriv(ctx);
	char id[] = "i", path[512];
	const char *queue_id = smfi_getsymval(ctx, id);
	bool ok;

	if (r == NULL || r->eml == NULL || queue_id == NULL)
		return SMFIS_TEMPFAIL;
	for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++)
		put_macro(ctx, r->env, names[n]);
	ok = fclose(r->eml) == 0;
	ok = fclose(r->env) == 0 && ok;
	r->eml = r->env = NULL;
	snprintf(path, sizeof(path), "%s/%s.eml", directory, queue_id);
	ok = ok && rename(r->eml_path, path) == 0;
	snprintf(path, sizeof(path), "%s/%s.env", directory, queue_id);
	ok = ok && rename(r->env_path, path) == 0;
	return ok ? SMFIS_CONTINUE : SMFIS_TEMPFAIL;
}

static sfsistat
on_abort(SMFICTX *ctx)
{
	struct record *r = smfi_getpriv(ctx);

	if (r != NULL)
		discard(r);
	return SMFIS_CONTINUE;
}

static sfsistat
on_close(SMFICTX *ctx)
{
	struct record *r = smfi_getpriv(ctx);

	if (r != NULL)
		discard(r);
	free(r);
	smfi_setpriv(ctx, NULL);
	return SMFIS_CONTINUE;
}

int
main(int argc, char **argv)
{
	static char name[] = "recorder";
	struct smfiDesc callbacks = {
		.xxfi_name = name,
		.xxfi_version = SMFI_VERSION,
		.xxfi_envfrom = on_mail,
		.xxfi_envrcpt = on_rcpt,
		.xxfi_header = on_header,
		.xxfi_eoh = on_end_of_header,
		.xxfi_body = on_body,
		.xxfi_eom = on_end_of_message,
		.xxfi_abort = on_abort,
		.xxfi_close = on_close,
		.xxfi_negotiate = on_negotiate,
	};

	if (argc != 3) {
		fprintf(stderr, "usage: milter_recorder SOCKET DIR\n");
		return EX_USAGE;
	}
	directory = argv[2];
	if (smfi_setconn(argv[1]) != MI_SUCCESS ||
	    smfi_register(callbacks) != MI_SUCCESS)
		return EX_SOFTWARE;
	return smfi_main() == MI_SUCCESS ? EX_OK : EX_SOFTWARE;
}
