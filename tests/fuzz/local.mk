# Fuzz targets: linked with libFuzzer by configure --enable-fuzzers, else with
# a main() that replays the inputs kept in tests/fuzz/corpus: make check.
FUZZ_TARGETS =
if FUZZERS
FUZZ_LIBS = $(BULKHEAD_LIBS) $(FUZZ_ENGINE)
else
check_LIBRARIES = libreplay.a
libreplay_a_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h
FUZZ_LIBS = libreplay.a $(BULKHEAD_LIBS)
TESTS += $(FUZZ_TARGETS)
endif
check_PROGRAMS += $(FUZZ_TARGETS)

.PHONY: fuzzers
fuzzers: $(BUILT_SOURCES) $(FUZZ_TARGETS)

FUZZ_TARGETS += tests/fuzz/fuzz_addr
tests_fuzz_fuzz_addr_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_charset
tests_fuzz_fuzz_charset_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_coding
tests_fuzz_fuzz_coding_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_control
tests_fuzz_fuzz_control_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_header
tests_fuzz_fuzz_header_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_html
tests_fuzz_fuzz_html_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_listhdr
tests_fuzz_fuzz_listhdr_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_mime
tests_fuzz_fuzz_mime_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_returnpath
tests_fuzz_fuzz_returnpath_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_settings
tests_fuzz_fuzz_settings_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_token
tests_fuzz_fuzz_token_LDADD = $(FUZZ_LIBS)
EXTRA_DIST += tests/fuzz/campaign tests/fuzz/corpus tests/fuzz/dict

FUZZ_TARGETS += tests/fuzz/fuzz_dkim
tests_fuzz_fuzz_dkim_LDADD = $(FUZZ_LIBS) $(OPENDKIM_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_engine
tests_fuzz_fuzz_engine_SOURCES = tests/fuzz/fuzz_engine.c \
	tests/fuzz/claims.h tests/fuzz/claims_body.c \
	tests/fuzz/claims_fields.c tests/fuzz/claims_html.c \
	tests/fuzz/claims_signatures.c tests/fuzz/referee.c \
	tests/fuzz/referee.h tests/fuzz/world.c tests/fuzz/world.h
tests_fuzz_fuzz_engine_CFLAGS = $(AM_CFLAGS) $(OPENDKIM_CFLAGS)
tests_fuzz_fuzz_engine_LDADD = $(FUZZ_LIBS) $(OPENDKIM_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_import
tests_fuzz_fuzz_import_SOURCES = tests/fuzz/fuzz_import.c $(IMPORT_SOURCES)
tests_fuzz_fuzz_import_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_policy
tests_fuzz_fuzz_policy_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_robots
tests_fuzz_fuzz_robots_SOURCES = tests/fuzz/fuzz_robots.c $(ROBOT_SOURCES)
tests_fuzz_fuzz_robots_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_trackd
tests_fuzz_fuzz_trackd_SOURCES = tests/fuzz/fuzz_trackd.c $(TRACKD_PARTS)
tests_fuzz_fuzz_trackd_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_form
tests_fuzz_fuzz_form_SOURCES = tests/fuzz/fuzz_form.c trackd/form.c \
	trackd/language.c
tests_fuzz_fuzz_form_LDADD = $(FUZZ_LIBS)
