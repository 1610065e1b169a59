STYLE_TESTS = \
	tests/style/banned.py \
	tests/style/counting.py \
	tests/style/documented.py \
	tests/style/headers.py \
	tests/style/layers.py \
	tests/style/selftest.py \
	tests/style/size.py \
	tests/style/state.py \
	tests/style/text.py
TESTS += $(STYLE_TESTS)
EXTRA_DIST += $(STYLE_TESTS) tests/style/common.py
