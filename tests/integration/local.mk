# Run by tests/run, not by make check: they need root and a Postfix.
check_PROGRAMS += tests/tools/milter_recorder
tests_tools_milter_recorder_SOURCES = tests/tools/milter_recorder.c
tests_tools_milter_recorder_LDADD = $(MILTER_LIBS)
EXTRA_DIST += \
	tests/integration/client.py \
	tests/integration/lab.py \
	tests/integration/receiver.py \
	tests/integration/sasl.py \
	tests/integration/tap.py \
	tests/integration/test_lab.py
