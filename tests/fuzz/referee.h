/*
 * referee.h - libopendkim's opinion of a message.  Its header and ours have a
 * name in common, hence a file of its own.
 */
#ifndef BULKHEAD_TESTS_FUZZ_REFEREE_H
#define BULKHEAD_TESTS_FUZZ_REFEREE_H

#include "base/str.h"

/*
 * Verifies the first n signatures of a message: its fields as they travel,
 * without their last line end, and its body.  records is the path of a file
 * of public keys, the same in all calls.  NULL when they are good, or when
 * libopendkim refuses to look at the message; else what it says.
 */
const char *referee_verify(const char *records, const struct str *fields,
    size_t nfields, struct str body, size_t n);

#endif
