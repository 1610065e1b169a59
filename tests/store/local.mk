# What the store costs, for people: built by make check, run by hand.
check_PROGRAMS += tests/store/bench_store
tests_store_bench_store_LDADD = $(BULKHEAD_LIBS)
check_PROGRAMS += tests/store/load_store
tests_store_load_store_LDADD = $(BULKHEAD_LIBS)
# Crashes: quick enough for make check; BULKHEAD_RUNS=N for more of them.
CRASH_SOURCES = tests/store/crash.c tests/store/crash.h \
	tests/unit/store_fixture.c tests/unit/store_fixture.h
STORE_TESTS = tests/store/test_kill tests/store/test_power \
	tests/store/test_sieve
check_PROGRAMS += $(STORE_TESTS)
TESTS += $(STORE_TESTS)
tests_store_test_kill_SOURCES = tests/store/test_kill.c $(CRASH_SOURCES)
tests_store_test_kill_LDADD = $(UNIT_LIBS)
tests_store_test_power_SOURCES = tests/store/test_power.c \
	tests/store/forgetful_vfs.c tests/store/forgetful_vfs.h \
	$(CRASH_SOURCES)
tests_store_test_power_LDADD = $(UNIT_LIBS)
tests_store_test_sieve_SOURCES = tests/store/test_sieve.c \
	tests/unit/store_fixture.c tests/unit/store_fixture.h
tests_store_test_sieve_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/store/test_events_kill
TESTS += tests/store/test_events_kill
tests_store_test_events_kill_SOURCES = tests/store/test_events_kill.c \
	$(EVENTS_FIXTURE)
tests_store_test_events_kill_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/store/test_events_hard
TESTS += tests/store/test_events_hard
tests_store_test_events_hard_SOURCES = tests/store/test_events_hard.c \
	$(EVENTS_FIXTURE)
tests_store_test_events_hard_LDADD = $(UNIT_LIBS)
# The power goes while people unsubscribe; the spool's syncs are this test's.
STORE_TESTS += tests/store/test_wishes_power
tests_store_test_wishes_power_SOURCES = tests/store/test_wishes_power.c \
	tests/store/forgetful_vfs.c tests/store/forgetful_vfs.h \
	tests/unit/store_fixture.c tests/unit/store_fixture.h $(TRACKD_PARTS)
tests_store_test_wishes_power_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=fdatasync -Wl,--wrap=fsync
tests_store_test_wishes_power_LDADD = $(UNIT_LIBS)
