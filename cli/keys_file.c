/*
 * keys_file.c - edits a file of token keys.
 */
#include "cli/keys_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"

#define FILE_MAX 65536
#define NAME_MAX_SIZE 64

/* What keys_file_add() writes above the key, up to its name. */
static const char mark[] = "# rotation: ";

void
keys_file_line(struct str name, char out[KEYS_FILE_LINE])
{
	unsigned char key[TOKEN_KEY_SIZE];
	char text[BASE64_SIZE(TOKEN_KEY_SIZE)];

	if (RAND_priv_bytes(key, sizeof(key)) != 1)
		abort(); /* no randomness */
	snprintf(out, KEYS_FILE_LINE, "%.*s %.*s\n",
	    STR_ARG(str_sub(name, 0, NAME_MAX_SIZE)),
	    (int)base64_write(text, key, sizeof(key)), text);
	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_cleanse(text, sizeof(text));
}

static struct str
first_word(struct str line)
{
	size_t n = 0;

	while (n < line.n && !str_is_space(line.p[n]))
		n++;
	return str_sub(line, 0, n);
}

/* The name in a line that keys_file_add() wrote, else nothing. */
static struct str
marked_name(struct str line)
{
	if (!str_starts(line, str_from(mark)))
		return STR("");
	return first_word(str_sub(line, sizeof(mark) - 1, line.n));
}

/* The next line, trimmed; *whole is all of it, its end included. */
static bool
next_line(struct str text, size_t *at, struct str *line, struct str *whole)
{
	size_t end = str_chr(text, '\n', *at);

	if (*at >= text.n)
		return false;
	*whole = str_sub(text, *at, end + 1);
	*line = str_trim(*whole);
	*at = end + 1;
	return true;
}

static bool
is_key(struct str line)
{
	return line.n > 0 && line.p[0] != '#';
}

static int
fail(struct arena *a, const char *what, const char *path, struct str *why)
{
	int saved = errno;

	*why = arena_printf(a, "%s %s: %s", what, path, strerror(saved));
	errno = saved;
	return -1;
}

/* A pending key that is gone, or first, is none. */
static void
find_pending(struct keys_file *f)
{
	struct str line, whole;
	size_t at = 0;

	while (next_line(f->text, &at, &line, &whole)) {
		struct str name = marked_name(line);
		size_t i = keys_file_find(f, name);

		if (name.n > 0 && i > 0 && i < f->n)
			f->pending = name;
	}
}

int
keys_file_read(struct arena *a, const char *path, struct keys_file *out,
    struct str *why)
{
	char *real = realpath(path, NULL);
	struct token_keys *keys;

	*out = (struct keys_file){ .path = path };
	if (real == NULL)
		return fail(a, "cannot read", path, why);
	out->path = arena_cstr(a, str_from(real));
	free(real);
	if (stat(out->path, &out->st) != 0 ||
	    file_read_secret(a, out->path, FILE_MAX, &out->text) != 0)
		return fail(a, "cannot read", path, why);
	keys = token_keys_parse(a, out->text, why);
	if (keys == NULL) {
		*why = arena_printf(a, "%s: %.*s", path, STR_ARG(*why));
		errno = EINVAL;
		return -1;
	}
	out->n = token_keys_count(keys);
	out->names = arena_array(a, out->n, sizeof(struct str));
	for (size_t i = 0; i < out->n; i++)
		out->names[i] = arena_copy(a, token_keys_at(keys, i)->name);
	token_keys_free(&keys);
	find_pending(out);
	return 0;
}

size_t
keys_file_find(const struct keys_file *f, struct str name)
{
	size_t i = 0;

	while (i < f->n && !str_eq(f->names[i], name))
		i++;
	return i;
}

struct str
keys_file_new_name(struct arena *a, const struct keys_file *f)
{
	const struct clock clock = clock_system();
	char now[CLOCK_TEXT];
	struct str name;

	clock_rfc3339(clock_seconds(&clock), now);
	/* the 27th of a year is 2026aa: the file has room for 100 */
	for (unsigned i = 0;; i++) {
		if (i < 26)
			name = arena_printf(a, "%.4s%c", now, (char)('a' + i));
		else
			name = arena_printf(a, "%.4s%c%c", now,
			    (char)('a' + (i - 26) / 26 % 26),
			    (char)('a' + (i - 26) % 26));
		if (keys_file_find(f, name) == f->n)
			return name;
	}
}

/* As owner, group and mode of the former file have it. */
static int
fill(int fd, const struct keys_file *f, struct str text)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return -1;
	if ((st.st_uid != f->st.st_uid || st.st_gid != f->st.st_gid) &&
	    fchown(fd, f->st.st_uid, f->st.st_gid) != 0)
		return -1;
	if (fchmod(fd, f->st.st_mode & 07777) != 0 ||
	    file_write_all(fd, text) != 0 || fsync(fd) != 0)
		return -1;
	return 0;
}

static int
sync_directory(struct arena *a, const char *path)
{
	size_t n = strlen(path);
	int fd, rc;

	while (n > 1 && path[n - 1] != '/')
		n--;
	fd = open(arena_cstr(a, str_make(path, n)),
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

/* Somebody may have edited it since it was read. */
static bool
is_as_read(const struct keys_file *f)
{
	struct stat st;

	return stat(f->path, &st) == 0 && st.st_ino == f->st.st_ino &&
	    st.st_size == f->st.st_size &&
	    st.st_mtim.tv_sec == f->st.st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == f->st.st_mtim.tv_nsec;
}

/* False: somebody else has it locked, or took it away before it was. */
static bool
is_locked(int fd, const char *path)
{
	struct stat here, there;

	return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &here) == 0 &&
	    lstat(path, &there) == 0 && here.st_dev == there.st_dev &&
	    here.st_ino == there.st_ino;
}

/* Removes what a run that was cut off left; false: a run is under way. */
static bool
is_left_over(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	bool is_left = fd >= 0 && is_locked(fd, path) && unlink(path) == 0;

	if (fd >= 0)
		close(fd);
	return is_left;
}

/* A new file, locked: one run at a time writes. */
static int
create(const char *path)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	int fd = open(path, flags, 0600);

	if (fd < 0 && errno == EEXIST) {
		if (is_left_over(path))
			fd = open(path, flags, 0600);
		else
			errno = EEXIST;
	}
	if (fd >= 0 && !is_locked(fd, path)) {
		close(fd);
		errno = EEXIST;
		return -1;
	}
	return fd;
}

static int
replace(struct arena *a, const struct keys_file *f, struct str text,
    struct str *why)
{
	const char *path = arena_cstr(a, arena_printf(a, "%s.new", f->path));
	int fd = create(path), saved;

	if (fd < 0 && errno == EEXIST) {
		*why = arena_printf(a, "%s is there: another rotation writes "
		    "it: try again", path);
		errno = EAGAIN;
		return -1;
	}
	if (fd < 0)
		return fail(a, "cannot create", path, why);
	if (fill(fd, f, text) != 0) {
		fail(a, "cannot write", path, why);
	} else if (!is_as_read(f)) {
		*why = arena_printf(a, "%s was changed meanwhile: try again",
		    f->path);
		errno = EAGAIN;
	} else if (rename(path, f->path) != 0) {
		fail(a, "cannot replace", f->path, why);
	} else {
		close(fd);
		return sync_directory(a, f->path) == 0 ? 0 :
		    fail(a, "cannot sync the directory of", f->path, why);
	}
	saved = errno;
	close(fd);
	unlink(path);
	errno = saved;
	return -1;
}

static bool
has_key(const struct token_keys *keys, struct str name)
{
	for (size_t i = 0; i < token_keys_count(keys); i++)
		if (str_eq(token_keys_at(keys, i)->name, name))
			return true;
	return false;
}

/* Nothing that cannot be loaded, or lacks that key, is written. */
static int
check_and_replace(struct arena *a, const struct keys_file *f, struct buf *text,
    struct str name, struct str *why)
{
	struct token_keys *keys = token_keys_parse(a, buf_view(text), why);
	int rc = -1;

	if (keys != NULL && !has_key(keys, name)) {
		*why = arena_printf(a, "there would be no key named \"%.*s\" "
		    "in %s: a name is letters, digits, '.', '_' and '-'",
		    STR_ARG(name), f->path);
		token_keys_free(&keys);
	}
	if (keys == NULL)
		errno = EINVAL;
	else
		rc = replace(a, f, buf_view(text), why);
	token_keys_free(&keys);
	OPENSSL_cleanse(text->p, text->n);
	buf_free(text);
	return rc;
}

/* Room for all at once: no copy of a key stays in freed memory. */
static void
begin_text(struct buf *out, const struct keys_file *f)
{
	buf_init(out, 2 * FILE_MAX);
	buf_room(out, f->text.n + 1024);
}

int
keys_file_add(struct arena *a, const struct keys_file *f, struct str name,
    struct str *why)
{
	const struct clock clock = clock_system();
	char line[KEYS_FILE_LINE], now[CLOCK_TEXT];
	struct buf text;
	int rc;

	if (name.n > NAME_MAX_SIZE) {
		*why = STR("a name has at most 64 characters");
		errno = EINVAL;
		return -1;
	}
	clock_rfc3339(clock_seconds(&clock), now);
	begin_text(&text, f);
	buf_str(&text, f->text);
	if (f->text.p[f->text.n - 1] != '\n')
		buf_char(&text, '\n');
	buf_printf(&text, "%s%.*s was added %s and comes first once every "
	    "daemon has it\n", mark, STR_ARG(name), now);
	keys_file_line(name, line);
	buf_puts(&text, line);
	OPENSSL_cleanse(line, sizeof(line));
	rc = check_and_replace(a, f, &text, name, why);
	return rc;
}

int
keys_file_promote(struct arena *a, const struct keys_file *f, struct str name,
    struct str *why)
{
	struct str line, whole, moved = STR("");
	bool is_placed = false;
	struct buf text;
	size_t at = 0;

	while (next_line(f->text, &at, &line, &whole))
		if (is_key(line) && str_eq(first_word(line), name))
			moved = line;
	begin_text(&text, f);
	for (at = 0; next_line(f->text, &at, &line, &whole);) {
		if (str_eq(marked_name(line), name))
			continue;
		if (is_key(line) && !is_placed) {
			buf_str(&text, moved);
			buf_char(&text, '\n');
			is_placed = true;
		}
		if (is_key(line) && str_eq(first_word(line), name))
			continue;
		buf_str(&text, whole);
	}
	return check_and_replace(a, f, &text, name, why);
}
