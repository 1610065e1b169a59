BENCH_SHAPES = tests/bench/shapes.c tests/bench/shapes.h

check_PROGRAMS += tests/bench/bench_engine tests/bench/make_shapes \
	tests/bench/null_milter
tests_bench_bench_engine_SOURCES = tests/bench/bench_engine.c $(BENCH_SHAPES)
tests_bench_bench_engine_LDADD = $(BULKHEAD_LIBS)
tests_bench_make_shapes_SOURCES = tests/bench/make_shapes.c $(BENCH_SHAPES)
tests_bench_make_shapes_LDADD = $(BULKHEAD_LIBS)
tests_bench_null_milter_SOURCES = tests/bench/null_milter.c
tests_bench_null_milter_LDADD = $(MILTER_LIBS)
EXTRA_DIST += tests/bench/daemons.py tests/bench/deps tests/bench/mta.py \
	tests/bench/policy_daemons.py tests/bench/run_policy_bench.py \
	tests/bench/run_bench.py tests/bench/run_import_bench.py
EXTRA_DIST += tests/bench/run_trackd_bench.py tests/bench/trackd_load.lua \
	tests/bench/trackd_servers.py
EXTRA_DIST += tests/bench/run_report_bench.py
