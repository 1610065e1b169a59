/*
 * addr.h - mail addresses: SMTP paths as a milter and a command line hand
 * them over (RFC 5321 section 4.1.2), and address lists of header fields (RFC
 * 5322 section 3.4, with the obsolete forms).
 */
#ifndef BULKHEAD_MAIL_ADDR_H
#define BULKHEAD_MAIL_ADDR_H

#include "base/arena.h"
#include "base/str.h"

/* One mailbox.  The null reverse-path has two empty parts. */
struct addr {
	struct str local;  /* unquoted: "x y" without its quotes */
	struct str domain; /* as spelled, comments gone; "[127.0.0.1]" too */
};

/*
 * A path in any of the forms `<a@x>`, `a@x`, `<>`, "", `<"x y"@z>`, with a
 * source route or without.  0 with *out in the arena, or -1 when it is no
 * address, or there is a line break inside.  A local part alone ("root", as
 * sendmail(1) may hand over) has an empty domain; '@' at the end are dropped.
 */
int addr_parse_path(struct arena *a, struct str path, struct addr *out);

/*
 * An address in Postfix's internal form, as its policy delegation protocol
 * hands it over: the last '@' parts it, nothing is quoted, nothing is a
 * comment.  Any text is one; slices of it.
 */
struct addr addr_from_internal(struct str text);

struct addr_list {
	struct addr *v;
	size_t n;
	bool has_group; /* a group, even an empty one, stood in the list */
};

/*
 * The mailboxes of an address list field; folds, comments, display names,
 * groups and empty members are understood.  0, or -1 when the text is no
 * address list: *out then holds what came before the error.
 */
int addr_parse_list(struct arena *a, struct str value, struct addr_list *out);

/* `local@domain`, the local part quoted where it must be; in the arena. */
struct str addr_text(struct arena *a, const struct addr *addr);

/*
 * The domain in the form in which domains are compared: lower case A-labels
 * (IDNA 2008, non-transitional), no final dot.  What IDNA refuses is only
 * lower-cased.  In the arena.
 */
struct str addr_domain_ascii(struct arena *a, struct str domain);

/*
 * The one normal form of an address for look-ups and tokens: local part
 * lower-cased (ASCII), domain by addr_domain_ascii(); `user%domain` and
 * `domain!user` without another domain are user@domain.  In the arena.
 */
struct str addr_normal(struct arena *a, const struct addr *addr);

/*
 * Stricter than the parsers: an address that may stand in an envelope (RFC
 * 5321 section 4.1.2 and 4.5.3.1: lengths, labels, no comments or blanks
 * outside quotes; UTF-8 after RFC 6531).  '_' passes in a domain, as in
 * Postfix.
 */
bool addr_is_mailbox(struct str text);

#endif
