/*
 * wire.c - looks at every octet of a text, eight at a time or with memchr()
 * where it can.  It knows nothing of parts or encodings.
 */
#include "mail/wire.h"

#include <stdint.h>

bool
wire_is_8bit(struct str s)
{
	uint64_t all = 0, word;
	size_t i = 0;

	for (; i + sizeof(word) <= s.n; i += sizeof(word)) {
		memcpy(&word, s.p + i, sizeof(word));
		all |= word;
	}
	for (; i < s.n; i++)
		all |= (unsigned char)s.p[i] & 0x80;
	return (all & UINT64_C(0x8080808080808080)) != 0;
}

static size_t
count(struct str s, char c)
{
	size_t n = 0;

	for (size_t at = 0; (at = str_chr(s, c, at)) < s.n; at++)
		n++;
	return n;
}

static void
end_line(struct wire *w)
{
	if (w->column > w->longest)
		w->longest = w->column;
	w->column = 0;
	w->after_cr = false;
}

/* Text of one line, without its LF.  A CR that ends it waits for what comes. */
static void
look_in_line(struct wire *w, struct str s)
{
	if (s.n == 0)
		return;
	w->nodd += w->after_cr;
	w->after_cr = s.p[s.n - 1] == '\r';
	w->nodd += count(str_sub(s, 0, s.n - 1), '\r');
	w->column += s.n;
}

void
wire_look(struct wire *w, struct str piece)
{
	size_t at = 0;

	w->is_8bit = w->is_8bit || wire_is_8bit(piece);
	w->nodd += count(piece, '\0');
	while (at < piece.n) {
		size_t lf = str_chr(piece, '\n', at);

		look_in_line(w, str_sub(piece, at, lf));
		if (lf == piece.n)
			break;
		if (w->after_cr)
			w->column--;
		else
			w->has_lone_lf = true;
		end_line(w);
		at = lf + 1;
	}
}

void
wire_end(struct wire *w)
{
	w->nodd += w->after_cr;
	end_line(w);
}

struct wire
wire_of(struct str text)
{
	struct wire w = { 0 };

	wire_look(&w, text);
	wire_end(&w);
	return w;
}
