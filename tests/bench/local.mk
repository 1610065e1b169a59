check_PROGRAMS += tests/bench/bench_engine
tests_bench_bench_engine_LDADD = $(BULKHEAD_LIBS)
