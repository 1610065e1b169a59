/*
 * exporter_text.c - what the exporter tells: counters for Prometheus, state as
 * JSON.  Labels hold words of ours only: nothing in them needs an escape.
 */
#include "bulkhead/exporter.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "bulkhead/metrics_help.h"
#include "config.h"

#define BILLION UINT64_C(1000000000)

static void
write_head(struct buf *out, const char *name, const char *type,
    const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
	    type);
}

/* One sample with whole and billionth parts. */
static void
write_fraction(struct buf *out, const char *name, const char *labels,
    uint64_t nanos)
{
	buf_printf(out, "%s{%s} %" PRIu64 ".%09" PRIu64 "\n", name, labels,
	    nanos / BILLION, nanos % BILLION);
}

static void
write_gauge(struct buf *out, const char *name, const char *labels,
    int64_t value, const char *help)
{
	write_head(out, name, "gauge", help);
	buf_printf(out, "%s{%s} %" PRId64 "\n", name, labels, value);
}

static void
write_counters(const struct exporter_spec *spec, const char *labels,
    struct buf *out)
{
	for (int i = 0; i < METRIC_COUNT; i++) {
		enum metric which = (enum metric)i;
		uint64_t n = metrics_get(spec->metrics, which);
		bool is_gauge = metric_is_gauge(which);
		char name[80];

		/* a table that forgot a daemon hides nothing */
		if (n == 0 && !metric_is_of(which, spec->program))
			continue;
		snprintf(name, sizeof(name), "bulkhead_%s%s",
		    metric_name(which), is_gauge ? "" : "_total");
		write_head(out, name, is_gauge ? "gauge" : "counter",
		    metric_help(which));
		buf_printf(out, "%s{%s} %" PRIu64 "\n", name, labels, n);
	}
}

enum stage_value { STAGE_RUNS, STAGE_STOPS, STAGE_NANOS };

static void
write_stages(const struct exporter_spec *spec, enum stage_value which,
    const char *name, const char *help, struct buf *out)
{
	const char *stage;

	write_head(out, name, "counter", help);
	for (unsigned i = 0; i < METRICS_STAGES &&
	    (stage = spec->stage_name(i)) != NULL; i++) {
		uint64_t v[3];
		char labels[160];

		metrics_get_stage(spec->metrics, i, &v[STAGE_RUNS],
		    &v[STAGE_STOPS], &v[STAGE_NANOS]);
		snprintf(labels, sizeof(labels), "program=\"%s\",stage=\"%s\"",
		    spec->program, stage);
		if (which == STAGE_NANOS)
			write_fraction(out, name, labels, v[which]);
		else
			buf_printf(out, "%s{%s} %" PRIu64 "\n", name, labels,
			    v[which]);
	}
}

/* Pages of memory in use, or 0 where the system does not say. */
static uint64_t
resident_pages(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	uint64_t all, resident = 0;

	if (f == NULL)
		return 0;
	if (fscanf(f, "%" SCNu64 " %" SCNu64, &all, &resident) != 2)
		resident = 0;
	fclose(f);
	return resident;
}

/* Without the one that is opened to count; -1: not known. */
static int64_t
open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	int64_t n = -1;

	if (d == NULL)
		return -1;
	for (const struct dirent *e; (e = readdir(d)) != NULL;)
		if (e->d_name[0] != '.')
			n++;
	closedir(d);
	return n;
}

static void
write_process(const char *labels, struct buf *out)
{
	uint64_t pages = resident_pages();
	int64_t files = open_files();
	struct timespec cpu;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu) == 0) {
		write_head(out, "process_cpu_seconds_total", "counter",
		    "CPU time, of user and system");
		write_fraction(out, "process_cpu_seconds_total", labels,
		    (uint64_t)cpu.tv_sec * BILLION + (uint64_t)cpu.tv_nsec);
	}
	if (pages > 0)
		write_gauge(out, "process_resident_memory_bytes", labels,
		    (int64_t)(pages * (uint64_t)sysconf(_SC_PAGESIZE)),
		    "Memory in use");
	if (files >= 0)
		write_gauge(out, "process_open_fds", labels, files,
		    "Open file descriptors");
}

void
exporter_write(const struct exporter_spec *spec, struct buf *out)
{
	char labels[80];

	snprintf(labels, sizeof(labels), "program=\"%s\"", spec->program);
	write_head(out, "bulkhead_info", "gauge", "The version");
	buf_printf(out, "bulkhead_info{%s,version=\"" VERSION "\"} 1\n",
	    labels);
	write_gauge(out, "bulkhead_start_time_seconds", labels, spec->started,
	    "When the daemon started, since 1970");
	if (spec->loaded != NULL)
		write_gauge(out, "bulkhead_settings_loaded_seconds", labels,
		    spec->loaded(spec->arg),
		    "When its settings were loaded, since 1970");
	write_counters(spec, labels, out);
	if (spec->stage_name != NULL) {
		write_stages(spec, STAGE_RUNS, "bulkhead_stage_runs_total",
		    "Runs of a stage of the engine", out);
		write_stages(spec, STAGE_NANOS, "bulkhead_stage_seconds_total",
		    "Time that a stage took", out);
		write_stages(spec, STAGE_STOPS, "bulkhead_stage_stops_total",
		    "Messages that a stage said the last word on", out);
	}
	write_process(labels, out);
}

static void
write_problem(struct buf *out, const char *key, enum log_level level)
{
	struct log_problem p;

	json_key(out, key);
	if (!log_last(level, &p)) {
		buf_puts(out, "null");
		return;
	}
	buf_char(out, '{');
	json_key(out, "time");
	json_number(out, p.time);
	json_key(out, "text");
	json_string(out, str_from(p.text));
	buf_char(out, '}');
}

static void
write_counts(const struct exporter_spec *spec, struct buf *out)
{
	json_key(out, "counters");
	buf_char(out, '{');
	for (int i = 0; i < METRIC_COUNT; i++) {
		uint64_t n = metrics_get(spec->metrics, (enum metric)i);

		if (n == 0 && !metric_is_of((enum metric)i, spec->program))
			continue;
		json_key(out, metric_name((enum metric)i));
		buf_printf(out, "%" PRIu64, n);
	}
	buf_char(out, '}');
}

void
exporter_write_status(const struct exporter_spec *spec,
    const struct rates *rates, struct buf *out)
{
	const struct clock clock = clock_system();

	buf_char(out, '{');
	json_key(out, "program");
	json_string(out, str_from(spec->program));
	json_key(out, "version");
	json_string(out, STR(VERSION));
	json_key(out, "pid");
	json_number(out, getpid());
	json_key(out, "started");
	json_number(out, spec->started);
	json_key(out, "now");
	json_number(out, clock_seconds(&clock));
	if (spec->status != NULL)
		spec->status(spec->arg, out);
	write_problem(out, "last_error", LOG_LEVEL_ERROR);
	write_problem(out, "last_warning", LOG_LEVEL_WARNING);
	write_counts(spec, out);
	if (rates != NULL) {
		json_key(out, "rates");
		rates_write(rates, spec->metrics, clock_monotonic(), out);
	}
	buf_puts(out, "}\n");
}
