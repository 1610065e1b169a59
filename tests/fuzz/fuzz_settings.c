/*
 * fuzz_settings.c - a settings file: settings or errors come of it, never
 * both or neither, and what is written loads again and says the same.
 */
#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "bulkhead/settings.h"
#include "engine/control_json.h"

#define MAX_TEXT (16u << 20)

/* Loads a text from a file that has no name. */
static struct settings *
load(struct str text, struct buf *messages)
{
	char path[64];
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct settings *s;

	EXPECT(fd >= 0 && file_write_all(fd, text) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	buf_init(messages, MAX_TEXT);
	s = settings_load(path, messages);
	close(fd);
	EXPECT(!messages->failed);
	return s;
}

/* A line for each message; warnings say so behind the position. */
static bool
has_error(struct str messages)
{
	struct str line;

	for (size_t at = 0, lf; at < messages.n; at = lf + 1) {
		lf = str_chr(messages, '\n', at);
		line = str_sub(messages, at, lf);
		if (str_find(line, STR(": warning: "), 0) !=
		    str_find(line, STR(": "), 0))
			return true;
	}
	return false;
}

/* Our own scan is to see everything that libconfuse would not take. */
static bool
has_slipped_through(struct str messages)
{
	const struct str text = STR(": libconfuse cannot read this\n");
	size_t at = str_find(messages, text, 0);

	return at > 0 && at < messages.n && str_is_digit(messages.p[at - 1]);
}

static void
check_json(const struct settings *s)
{
	struct arena *a = arena_new();
	struct json_t *json;
	struct str why;
	struct buf out;

	buf_init(&out, MAX_TEXT);
	settings_write_json(s, &out);
	EXPECT(!out.failed);
	json = control_json_parse(a, buf_view(&out), &why);
	EXPECT(json != NULL);
	control_json_free(&json);
	buf_free(&out);
	arena_free(&a);
}

static void
check_written(const struct settings *s)
{
	struct settings *again;
	struct buf out, once_more, messages;

	buf_init(&out, MAX_TEXT);
	buf_init(&once_more, MAX_TEXT);
	settings_write(s, &out);
	EXPECT(!out.failed);
	again = load(buf_view(&out), &messages);
	if (again == NULL)
		fprintf(stderr, "%.*s\n%.*s", STR_ARG(buf_view(&messages)),
		    STR_ARG(buf_view(&out)));
	EXPECT(again != NULL);
	settings_write(again, &once_more);
	EXPECT_SAME(buf_view(&once_more), buf_view(&out));
	settings_free(&again);
	buf_free(&out);
	buf_free(&once_more);
	buf_free(&messages);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf messages;
	struct settings *s = load(str_make((const char *)data, size),
	    &messages);

	EXPECT((s == NULL) == has_error(buf_view(&messages)));
	EXPECT(!has_slipped_through(buf_view(&messages)));
	if (s != NULL) {
		check_json(s);
		check_written(s);
	}
	settings_free(&s);
	buf_free(&messages);
	return 0;
}
