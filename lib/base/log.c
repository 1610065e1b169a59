/*
 * log.c - the log sink: one of the two mutable globals that lib/ may have.
 */
#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

static struct {
	const char *program;
	enum log_target target;
	pthread_mutex_t lock;	    /* guards last */
	struct log_problem last[2]; /* error, warning; time 0: none */
} sink = { "bulkhead", LOG_TARGET_STDERR, PTHREAD_MUTEX_INITIALIZER,
	{ { 0, "" }, { 0, "" } } };

void
log_open(const char *program, enum log_target target)
{
	sink.program = program;
	sink.target = target;
	if (target == LOG_TARGET_SYSLOG)
		openlog(program, LOG_PID | LOG_NDELAY, LOG_MAIL);
}

static void
clean(char *line)
{
	for (; *line != '\0'; line++)
		if ((unsigned char)*line < ' ' || *line == 0x7f)
			*line = '?';
}

static void
remember(enum log_level level, const char *line)
{
	struct log_problem *p = &sink.last[level];

	pthread_mutex_lock(&sink.lock);
	p->time = time(NULL);
	snprintf(p->text, sizeof(p->text), "%.*s", LOG_PROBLEM_MAX - 1, line);
	pthread_mutex_unlock(&sink.lock);
}

bool
log_last(enum log_level level, struct log_problem *out)
{
	if (level > LOG_LEVEL_WARNING)
		return false;
	pthread_mutex_lock(&sink.lock);
	*out = sink.last[level];
	pthread_mutex_unlock(&sink.lock);
	return out->time != 0;
}

static void __attribute__((format(printf, 2, 0)))
write_line(enum log_level level, const char *fmt, va_list ap)
{
	static const int priority[] = { LOG_ERR, LOG_WARNING, LOG_INFO };
	static const char *const word[] = { "error: ", "warning: ", "" };
	char line[2048], out[2200];
	int n;

	vsnprintf(line, sizeof(line), fmt, ap);
	clean(line);
	if (level != LOG_LEVEL_INFO)
		remember(level, line);
	if (sink.target == LOG_TARGET_SYSLOG) {
		syslog(priority[level], "%s%s", word[level], line);
		return;
	}
	n = snprintf(out, sizeof(out), "%s: %s%s\n", sink.program, word[level],
	    line);
	if (n > 0 && write(STDERR_FILENO, out, (size_t)n) < 0)
		return; /* nowhere left to say so */
}

void
log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_line(LOG_LEVEL_ERROR, fmt, ap);
	va_end(ap);
}

void
log_warning(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_line(LOG_LEVEL_WARNING, fmt, ap);
	va_end(ap);
}

void
log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_line(LOG_LEVEL_INFO, fmt, ap);
	va_end(ap);
}
