/*
 * log.h - one line a fact, to syslog (daemons) or stderr (commands, tests).
 * The one who can act logs; those below return.  A line about a message
 * starts with its queue id, as Postfix does.  Safe from any thread.
 */
#ifndef BULKHEAD_BASE_LOG_H
#define BULKHEAD_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO };

/* Where lines go.  The default, before any call, is stderr without time. */
enum log_target { LOG_TARGET_STDERR, LOG_TARGET_SYSLOG };

/*
 * Chooses the target and the program's name, which must live for ever.  To be
 * called once, before there are threads.
 */
void log_open(const char *program, enum log_target target);

/*
 * Writes one line.  Control characters in it are written as '?', so that
 * nothing from a message can start a line of its own.
 */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The last line of its kind, cut to what is kept of it. */
#define LOG_PROBLEM_MAX 512

struct log_problem {
	int64_t time; /* seconds since 1970 */
	char text[LOG_PROBLEM_MAX];
};

/*
 * The last error or the last warning that this process logged; false: none so
 * far, or another level.
 */
bool log_last(enum log_level level, struct log_problem *out);

#endif
