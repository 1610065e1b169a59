UNIT_TESTS = tests/unit/test_base
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)

tests_unit_test_base_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_json
tests_unit_test_json_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_header
tests_unit_test_header_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_dkim
tests_unit_test_dkim_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_mime tests/unit/test_mime_param
tests_unit_test_mime_LDADD = $(UNIT_LIBS)
tests_unit_test_mime_param_LDADD = $(UNIT_LIBS)
