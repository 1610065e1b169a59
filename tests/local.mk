# Every test prints TAP.  tests/run counts them; make check runs the quick ones.
UNIT_LIBS = $(BULKHEAD_LIBS) $(CMOCKA_LIBS)

include tests/unit/local.mk
