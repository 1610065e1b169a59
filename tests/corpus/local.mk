# Skipped where there is no corpus.
CORPUS_TESTS = tests/corpus/mime_trees.py tests/corpus/addresses.py
TESTS += $(CORPUS_TESTS)
EXTRA_DIST += $(CORPUS_TESTS) tests/corpus/corpus.py tests/corpus/README.md

check_PROGRAMS += tests/tools/mime_tree tests/tools/addr_check
tests_tools_mime_tree_SOURCES = tests/tools/mime_tree.c
tests_tools_mime_tree_LDADD = $(BULKHEAD_LIBS)
tests_tools_addr_check_SOURCES = tests/tools/addr_check.c
tests_tools_addr_check_LDADD = $(BULKHEAD_LIBS)

CORPUS_TESTS += tests/corpus/html5lib.py tests/corpus/html_links.py
EXTRA_DIST += tests/tools/gen_entities.py
check_PROGRAMS += tests/tools/html_tokens
tests_tools_html_tokens_SOURCES = tests/tools/html_tokens.c
tests_tools_html_tokens_LDADD = $(BULKHEAD_LIBS)

CORPUS_TESTS += tests/corpus/properties_selftest.py
EXTRA_DIST += tests/corpus/properties_encode.py \
	tests/corpus/properties_html.py tests/corpus/properties_made.py \
	tests/corpus/properties_mail.py tests/corpus/properties_mutations.py \
	tests/corpus/lib_checker.py tests/corpus/lib_groups.py \
	tests/corpus/lib_html.py tests/corpus/lib_installation.py \
	tests/corpus/lib_message.py

CORPUS_TESTS += tests/corpus/dkim_vectors.py tests/corpus/dkim_verifiers.py
EXTRA_DIST += tests/tools/verify.py tests/tools/verify.pl
check_PROGRAMS += tests/tools/dkim_canon tests/tools/dkim_referee \
	tests/tools/dkim_sign
tests_tools_dkim_canon_SOURCES = tests/tools/dkim_canon.c \
	tests/tools/mail_in.h
tests_tools_dkim_canon_LDADD = $(BULKHEAD_LIBS)
tests_tools_dkim_referee_SOURCES = tests/tools/dkim_referee.c \
	tests/tools/mail_in.h tests/tools/opendkim_in.h
tests_tools_dkim_referee_LDADD = $(BULKHEAD_LIBS) $(OPENDKIM_LIBS)
tests_tools_dkim_sign_SOURCES = tests/tools/dkim_sign.c \
	tests/tools/mail_in.h tests/tools/signer_in.h
tests_tools_dkim_sign_LDADD = $(BULKHEAD_LIBS)
CORPUS_TESTS += tests/corpus/dkim_differential.py
check_PROGRAMS += tests/tools/dkim_differential
tests_tools_dkim_differential_SOURCES = tests/tools/dkim_differential.c \
	tests/tools/mail_in.h tests/tools/opendkim_in.h \
	tests/tools/opendkim_leak.h tests/tools/signer_in.h
tests_tools_dkim_differential_LDADD = $(BULKHEAD_LIBS) $(OPENDKIM_LIBS)
