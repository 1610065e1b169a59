/*
 * replay.c - gives a fuzz target the inputs that were kept, one after the
 * other, and prints TAP.  It finds nothing new: see campaign.
 *
 * fuzz_NAME [FILE...]: without arguments all of tests/fuzz/corpus/NAME.
 */
#include <dirent.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

#include "base/file.h"

#define REPLAY_MAX ((size_t)1 << 20)

void
fuzz_replays(void)
{
}

static int
is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The name is said first: a crash leaves it as the last line. */
static void
replay_file(const char *path)
{
	struct arena *a = arena_new();
	struct str input;

	printf("# %s\n", path);
	fflush(stdout);
	EXPECT(file_read(a, path, REPLAY_MAX, &input) == 0);
	input = fuzz_exact(a, input);
	EXPECT(LLVMFuzzerTestOneInput((const uint8_t *)input.p, input.n) == 0);
	arena_free(&a);
}

static size_t
replay_corpus(const char *name)
{
	const char *root = getenv("BULKHEAD_SRCDIR");
	struct arena *a = arena_new();
	struct dirent **entries = NULL;
	struct str dir = arena_printf(a, "%s/tests/fuzz/corpus/%s",
	    root != NULL ? root : ".", name);
	int n = scandir(dir.p, &entries, is_input, alphasort);

	for (int i = 0; i < n; i++) {
		replay_file(arena_printf(a, "%.*s/%s", STR_ARG(dir),
		    entries[i]->d_name).p);
		free(entries[i]);
	}
	free(entries);
	arena_free(&a);
	return n > 0 ? (size_t)n : 0;
}

/* What stands behind "fuzz_" in the program's name. */
static const char *
target_name(const char *program)
{
	const char *slash = strrchr(program, '/'), *name;

	name = strstr(slash != NULL ? slash : program, "fuzz_");
	return name != NULL ? name + strlen("fuzz_") : program;
}

int
main(int argc, char **argv)
{
	size_t n = (size_t)argc - 1;

	puts("1..1");
	for (int i = 1; i < argc; i++)
		replay_file(argv[i]);
	if (argc == 1)
		n = replay_corpus(target_name(argv[0]));
	printf("%s 1 - %zu inputs of %s\n", n > 0 ? "ok" : "not ok", n,
	    target_name(argv[0]));
	return n > 0 ? 0 : 1;
}
