/*
 * load.h - settings and keys for a verb, with what is wrong on stderr, and its
 * output on stdout.
 */
#ifndef BULKHEAD_CLI_LOAD_H
#define BULKHEAD_CLI_LOAD_H

#include "base/buf.h"
#include "bulkhead/keyring.h"
#include "bulkhead/settings.h"

/*
 * Loads the settings and the kinds of keys asked for (KEYRING_ bits, or 0).
 * Returns one reference, or NULL with the errors on stderr: EX_CONFIG then.
 * Warnings are for `config check` and the daemons' logs.
 */
struct keyring *load_keyring(const char *file, unsigned kinds);

/* Writes all of out to stdout and empties it: 0, or EX_IOERR. */
int load_flush(struct buf *out, const char *verb);

#endif
