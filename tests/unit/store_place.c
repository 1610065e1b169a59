/*
 * store_place.c - helpers of the tests of files, see store_place.h.
 */
#include "store_place.h"

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

struct place
place_make(void)
{
	struct place p = { .a = arena_new() };

	p.dir = fixture_directory(p.a);
	p.spec = arena_cstr(p.a, arena_printf(p.a, "sqlite:%s", p.dir));
	p.file = arena_cstr(p.a, arena_printf(p.a, "%s/suppress.db", p.dir));
	return p;
}

void
place_free(struct place *p)
{
	fixture_remove(p->dir);
	arena_free(&p->a);
}

void
place_put(struct store *s, const char *address)
{
	fixture_do(s, SUPPRESS_PUT, fixture_entry(address, SUPPRESS_MANUAL,
	    1000, 0));
}

enum store_answer
place_try_put(struct store *s, const char *address, unsigned millis)
{
	struct suppress_change c = fixture_change(SUPPRESS_PUT,
	    fixture_entry(address, SUPPRESS_MANUAL, 1000, 0));

	return store_suppress_change(s, &c, 1, store_deadline(millis));
}

/* Answers, and the reason where it is not known. */
enum store_answer
place_look(struct place *p, struct store *s, const char *address)
{
	return fixture_find(s, p->a, address, NULL).answer;
}

void
place_refuses(struct place *p, enum store_access access, const char *why)
{
	const char *errors;
	struct store *s = fixture_try(p->a, p->spec, STORE_SUPPRESS, access,
	    2000, &errors);

	if (s != NULL || strstr(errors, why) == NULL)
		fail_msg("want \"%s\", got \"%s\"", why, errors);
}

void
place_sleep(long millis)
{
	struct timespec t = { .tv_sec = millis / 1000,
		.tv_nsec = millis % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* Runs it in a child; its exit status. */
int
place_in_child(void (*run)(struct place *p), struct place *p)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		run(p);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* Enough entries for several pages; all in the file, none in the WAL. */
void
place_fill(struct place *p)
{
	struct store *s = fixture_open(p->spec, PLACE_KINDS, STORE_CHANGE,
	    2000);
	struct suppress_change v[1000];

	for (size_t i = 0; i < 1000; i++) {
		v[i] = fixture_change(SUPPRESS_PUT, fixture_entry("",
		    SUPPRESS_MANUAL, 1000, 0));
		v[i].entry.address = arena_printf(p->a, "u%04zu@x.example", i);
	}
	assert_int_equal(store_suppress_change(s, v, 1000,
	    store_deadline(FIXTURE_MILLIS)), STORE_YES);
	store_close(&s);
}
