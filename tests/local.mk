# Every test prints TAP.  tests/run counts them; make check runs the quick ones.
UNIT_LIBS = $(BULKHEAD_LIBS) $(CMOCKA_LIBS)

include tests/unit/local.mk
include tests/bench/local.mk
include tests/cli/local.mk
include tests/corpus/local.mk
include tests/fuzz/local.mk
include tests/integration/local.mk
include tests/store/local.mk
include tests/style/local.mk

EXTRA_DIST += tests/run tests/runner.py tests/deps tests/deps-tests tests/install-deps .ci/run
