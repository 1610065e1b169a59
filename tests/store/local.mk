# What the store costs, for people: built by make check, run by hand.
check_PROGRAMS += tests/store/bench_store
tests_store_bench_store_LDADD = $(BULKHEAD_LIBS)
check_PROGRAMS += tests/store/load_store
tests_store_load_store_LDADD = $(BULKHEAD_LIBS)
