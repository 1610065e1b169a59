UNIT_TESTS = tests/unit/test_base
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)

tests_unit_test_base_LDADD = $(UNIT_LIBS)
