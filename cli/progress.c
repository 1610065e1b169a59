/*
 * progress.c - how far, how fast, how long still.
 */
#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

#define NANOS ((int64_t)1000000000)
#define WIDTH 24

void
progress_begin(struct progress *p, const char *what, const char *unit,
    uint64_t first, uint64_t total)
{
	*p = (struct progress){ .is_on = isatty(STDERR_FILENO),
		.what = what,
		.unit = unit,
		.first = first,
		.total = total,
		.started = clock_monotonic() };
}

/* 12,345,678 */
static void
write_grouped(char *out, size_t size, uint64_t v)
{
	char digits[32];
	int n = snprintf(digits, sizeof(digits), "%" PRIu64, v);
	size_t used = 0;

	for (int i = 0; i < n && used + 2 < size; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			out[used++] = ',';
		out[used++] = digits[i];
	}
	out[used] = '\0';
}

void
progress_line(char *out, size_t size, const struct progress *p, uint64_t done,
    int64_t now)
{
	double seconds = (double)(now - p->started) / (double)NANOS;
	double rate = seconds > 0 ? (double)(done - p->first) / seconds : 0;
	char count[32], speed[32], bar[WIDTH + 1];
	unsigned filled, left;

	write_grouped(count, sizeof(count), done);
	write_grouped(speed, sizeof(speed), (uint64_t)rate);
	if (p->total == 0 || done > p->total) {
		snprintf(out, size, "%s  %s %s  %s/s", p->what, count, p->unit,
		    speed);
		return;
	}
	filled = (unsigned)(done * WIDTH / p->total);
	for (unsigned i = 0; i < WIDTH; i++)
		bar[i] = i < filled ? '#' : '.';
	bar[WIDTH] = '\0';
	left = rate > 0 ? (unsigned)((double)(p->total - done) / rate) : 0;
	snprintf(out, size, "%s [%s] %3u %%  %s %s  %s/s  ETA %u:%02u",
	    p->what, bar, (unsigned)(done * 100 / p->total), count, p->unit,
	    speed, left / 60, left % 60);
}

void
progress_show(struct progress *p, uint64_t done)
{
	int64_t now;
	char line[160];

	if (!p->is_on)
		return;
	now = clock_monotonic();
	if (now - p->shown < NANOS / 10)
		return;
	p->shown = now;
	progress_line(line, sizeof(line), p, done, now);
	fprintf(stderr, "\r%s\033[K", line);
	fflush(stderr);
}

void
progress_end(struct progress *p)
{
	if (p->is_on && p->shown != 0)
		fputs("\r\033[K", stderr);
	p->is_on = false;
}
