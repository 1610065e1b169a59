/*
 * make_shapes.c - writes the benches' messages to a directory, one file each
 * with LF line ends: NAME.eml.
 */
#include <stdio.h>
#include <sysexits.h>

#include "tests/bench/shapes.h"

static void
put(FILE *f, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != '\r')
			fputc(p[i], f);
}

static int
write_shape(const char *directory, enum shape shape)
{
	char path[4096];
	struct buf body;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.eml", directory,
	    shape_names[shape]);
	f = fopen(path, "w");
	if (f == NULL)
		return -1;
	for (const struct shape_field *h = shape_header(shape);
	     h->name != NULL; h++)
		fprintf(f, "%s:%s\n", h->name, h->value);
	fputc('\n', f);
	buf_init(&body, 1 << 20);
	shape_body(shape, &body);
	put(f, body.p, body.n);
	buf_free(&body);
	return fclose(f);
}

int
main(int argc, char **argv)
{
	if (argc != 2) {
		fputs("usage: make_shapes DIRECTORY\n", stderr);
		return EX_USAGE;
	}
	for (int shape = 0; shape < SHAPES; shape++)
		if (write_shape(argv[1], (enum shape)shape) != 0) {
			perror(argv[1]);
			return EX_CANTCREAT;
		}
	return EX_OK;
}
