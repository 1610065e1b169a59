# Run by tests/run, not by make check: they need root and a Postfix.
check_PROGRAMS += tests/tools/milter_recorder
tests_tools_milter_recorder_SOURCES = tests/tools/milter_recorder.c
tests_tools_milter_recorder_LDADD = $(MILTER_LIBS)
check_PROGRAMS += tests/tools/milter_editor
tests_tools_milter_editor_SOURCES = tests/tools/milter_editor.c
tests_tools_milter_editor_LDADD = $(MILTER_LIBS)
EXTRA_DIST += conf/examples/newsletter.eml \
	tests/integration/bulkhead.py \
	tests/integration/client.py \
	tests/integration/demo.py \
	tests/integration/handover.py \
	tests/integration/filter.py \
	tests/integration/lab.py \
	tests/integration/load.py \
	tests/integration/receiver.py \
	tests/integration/sasl.py \
	tests/integration/tap.py \
	tests/integration/test_corpus.py \
	tests/integration/test_chain.py \
	tests/integration/test_drain.py \
	tests/integration/test_failures.py \
	tests/integration/test_inet.py \
	tests/integration/test_lab.py \
	tests/integration/test_limits.py \
	tests/integration/test_log.py \
	tests/integration/test_newsletter.py \
	tests/integration/test_reload.py \
	tests/integration/test_sessions.py \
	tests/integration/test_reentry.py \
	tests/integration/test_settings.py \
	tests/integration/test_next_hop.py \
	tests/integration/test_quickstart.py \
	tests/integration/mails/7bit-plain.eml \
	tests/integration/mails/8bit-html.eml \
	tests/integration/mails/base64-html.eml \
	tests/integration/mails/empty-body.eml \
	tests/integration/mails/latin1-qp.eml \
	tests/integration/mails/long-lines.eml \
	tests/integration/mails/mixed-related.eml \
	tests/integration/mails/no-newline.eml \
	tests/integration/mails/own-unsubscribe.eml \
	tests/integration/mails/qp-alternative.eml \
	tests/integration/mails/signed-by-other.eml \
	tests/integration/mails/signed.eml

# A load on a milter without an MTA, and its parts.
check_PROGRAMS += tests/tools/milter_load
tests_tools_milter_load_SOURCES = tests/tools/milter_load.c \
	tests/tools/mail_in.h \
	tests/tools/milter_client.c tests/tools/milter_client.h \
	tests/tools/milter_edited.c tests/tools/milter_edited.h \
	tests/tools/milter_tally.c tests/tools/milter_tally.h
tests_tools_milter_load_LDADD = $(BULKHEAD_LIBS)
EXTRA_DIST += tests/integration/milter_memory.py \
	tests/integration/test_large.py \
	tests/integration/test_long_sessions.py

# What the sanitizers say of many threads.
check_PROGRAMS += tests/tools/racy_milter
tests_tools_racy_milter_SOURCES = tests/tools/racy_milter.c
tests_tools_racy_milter_LDADD = $(MILTER_LIBS)
EXTRA_DIST += tests/integration/test_threads.py
EXTRA_DIST += tests/integration/policyd.py \
	tests/integration/test_policyd.py \
	tests/integration/test_policyd_crash.py \
	tests/integration/test_policyd_crash.py \
	tests/integration/test_policyd_postfix.py

# A load on a policy server, and one that says DUNNO to all.
check_PROGRAMS += tests/tools/policy_load tests/tools/policy_null
tests_tools_policy_load_SOURCES = tests/tools/policy_load.c
tests_tools_policy_load_LDADD = $(BULKHEAD_LIBS)
tests_tools_policy_null_SOURCES = tests/tools/policy_null.c
tests_tools_policy_null_LDADD = $(BULKHEAD_LIBS) $(EVENT_LIBS)
EXTRA_DIST += tests/integration/policy.py \
	tests/integration/test_policy.py
EXTRA_DIST += tests/integration/proxies.py \
	tests/integration/test_proxies.py
EXTRA_DIST += tests/integration/browser.py \
	tests/integration/test_browser.py
EXTRA_DIST += tests/integration/trackd.py
EXTRA_DIST += tests/integration/test_trackd.py
EXTRA_DIST += tests/integration/test_rotate.py
EXTRA_DIST += tests/integration/circle.py \
	tests/integration/events.py \
	tests/integration/test_circle.py \
	tests/integration/test_events.py
EXTRA_DIST += tests/integration/test_robots.py
EXTRA_DIST += tests/integration/test_unsubscribe.py \
	tests/integration/test_unsubscribe_kill.py
EXTRA_DIST += tests/integration/daemons.py tests/integration/test_rotate.py
