# Run by tests/run: they need the whole command.
check_PROGRAMS += tests/tools/token_make
tests_tools_token_make_SOURCES = tests/tools/token_make.c
tests_tools_token_make_LDADD = $(BULKHEAD_LIBS)
EXTRA_DIST += tests/cli/key_token.sh tests/cli/milter.sh \
	tests/cli/test_milter_load.py tests/cli/test_bench.py
EXTRA_DIST += tests/cli/limit.sh tests/cli/test_policy_bench.py
EXTRA_DIST += tests/cli/suppress_lab.py tests/cli/test_suppress.py \
	tests/cli/test_suppress_import.py tests/cli/test_suppress_beside.py \
	tests/cli/test_import_bench.py \
	tests/cli/imports
EXTRA_DIST += tests/cli/events_lab.py tests/cli/test_events.py \
	tests/cli/test_webhook.py
check_PROGRAMS += tests/tools/event_put
tests_tools_event_put_SOURCES = tests/tools/event_put.c
tests_tools_event_put_LDADD = $(BULKHEAD_LIBS)
check_PROGRAMS += tests/tools/events_make
tests_tools_events_make_SOURCES = tests/tools/events_make.c
tests_tools_events_make_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
tests_tools_events_make_LDADD = $(BULKHEAD_LIBS)
EXTRA_DIST += tests/cli/test_trackd_bench.py
EXTRA_DIST += tests/cli/test_report.py
EXTRA_DIST += tests/cli/test_status.py
EXTRA_DIST += tests/cli/test_report.py tests/cli/test_report_bench.py
