/*
 * coding_qp_edit.c - edits of a decoded text as splices of its
 * quoted-printable form.  Octets without an edit are never copied.
 *
 * Edits that touch each other make one run, which becomes one splice.  What
 * stands between two runs on a line stays, behind a soft break if need be.
 */
#include "mail/coding_private.h"

struct run {
	size_t from, to;      /* octets of raw that go */
	struct qp_line line;  /* in which to lies */
	struct qp_writer out; /* what comes */
};

struct editor {
	const struct coded *c;
	struct arena *a;
	struct str eol;
	size_t offset;
	struct splices *out;
	struct qp_place place;
	/*
	 * New column of the octet at raw offset base, on the line at hand; no
	 * run may reach back before it.
	 */
	size_t base, column;
};

/* Is there an '=' at pos that stands for itself? */
static bool
is_bare_equals(struct str raw, size_t pos, size_t end)
{
	return raw.p[pos] == '=' && qp_unit(raw, pos, end) == 1;
}

/*
 * A soft break at the end of the run.  A line that is full already has no room
 * for the '=': its last octet goes to the next line.
 */
static void
run_break(struct editor *e, struct run *r)
{
	struct str raw = e->c->raw;
	size_t unit = 1;

	if (r->out.n > 0 || r->out.column < CODED_LINE || r->from <= e->base) {
		qp_write_soft_break(&r->out);
		return;
	}
	if (r->from >= e->base + 3 && raw.p[r->from - 3] == '=' &&
	    qp_unit(raw, r->from - 3, r->from) == 3)
		unit = 3;
	r->from -= unit;
	qp_write_soft_break(&r->out);
	if (raw.p[r->from] == '-') /* "--" there could be a delimiter */
		qp_write_escape(&r->out, '-');
	else
		qp_write_raw(&r->out, str_sub(raw, r->from, r->from + unit));
}

/* A run that begins where its line is full already begins with a break. */
static void
run_need_room(struct editor *e, struct run *r)
{
	if (r->out.n == 0 && r->out.column >= CODED_LINE)
		run_break(e, r);
}

/*
 * An '=' that is no escape would become one by a new neighbour: the run begins
 * with it then.
 */
static void
take_bare_equals(struct editor *e, struct run *r, size_t tail)
{
	struct str raw = e->c->raw;
	size_t pos = r->from;

	for (size_t i = 1; i <= 2 && pos >= e->base + i; i++) {
		if (pos > tail || !is_bare_equals(raw, pos - i, tail))
			continue;
		r->from = pos - i;
		r->out.column -= i;
		run_need_room(e, r);
		qp_write_text(&r->out, str_sub(raw, pos - i, pos));
		return;
	}
}

static void
run_begin(struct editor *e, struct run *r)
{
	const struct qp_line *l = &e->place.line;
	bool splits_crlf = e->place.pos > l->tail && e->base <= l->eol;
	size_t pos = e->place.pos;

	if (e->base < l->start) {
		e->base = l->start;
		e->column = 0;
	}
	if (splits_crlf)
		pos = l->tail;
	if (pos < e->base)
		pos = e->base;
	*r = (struct run){ .from = pos, .to = pos, .line = *l };
	r->out = (struct qp_writer){ .a = e->a, .eol = e->eol,
		.column = e->column + (pos - e->base) };
	take_bare_equals(e, r, l->tail);
	if (splits_crlf) {
		r->to = l->eol + 1;
		run_need_room(e, r);
		qp_write_escape(&r->out, '\r');
	}
}

/*
 * A blank, or a CR, that comes to stand before a line end: escaped, also when
 * it was there before the run.
 */
static void
run_seal(struct editor *e, struct run *r)
{
	char last;

	if (r->out.n > 0) {
		qp_write_seal(&r->out);
		return;
	}
	if (r->from <= e->base)
		return;
	last = e->c->raw.p[r->from - 1];
	if (last != ' ' && last != '\t' && last != '\r')
		return;
	r->from--;
	r->out.column--;
	run_need_room(e, r);
	qp_write_escape(&r->out, last);
}

/* New text; line ends of it stay line ends when they look like raw's. */
static void
run_write(struct editor *e, struct run *r, struct str s)
{
	size_t at = 0;

	if (s.n != 0 && !str_starts(s, e->eol))
		run_need_room(e, r);
	while (at < s.n) {
		size_t end = str_find(s, e->eol, at);

		qp_write_text(&r->out, str_sub(s, at, end));
		if (end == s.n)
			break;
		run_seal(e, r);
		qp_write_line_end(&r->out);
		at = end + e->eol.n;
	}
}

/* Takes del more octets of the decoded text, from text on, into the run. */
static void
run_delete(struct editor *e, struct run *r, size_t text, size_t del)
{
	const struct qp_place *p = &e->place;
	const struct qp_line *l = &p->line;

	if (del != 0) {
		qp_place_seek(e->c, &e->place, text + del - 1);
		if (p->pos < l->tail)
			r->to = p->pos + qp_unit(e->c->raw, p->pos, l->tail);
		else if (p->pos == l->tail && l->next - l->eol == 2)
			r->to = l->eol + 1;
		else
			r->to = l->next;
	}
	r->line = *l;
	if (r->to == l->next && l->next > l->eol)
		r->line = qp_line_at(e->c->raw, r->to);
	if (r->to == r->line.tail && !r->line.is_soft)
		r->to = r->line.eol;
}

/* Ends the run; what stays behind it on its line goes up to stop. */
static void
run_end(struct editor *e, struct run *r, size_t stop, bool is_last)
{
	size_t rest = stop > r->to ? stop - r->to : 0;
	size_t room = is_last ? CODED_LINE : CODED_LINE - 1;

	if (rest == 0 && is_last)
		run_seal(e, r);
	if (rest != 0 && r->out.column != 0 && r->out.column + rest > room)
		run_break(e, r);
	/* what came in mid-line must not become a MIME delimiter */
	if (rest != 0 && r->out.column == 0 && r->out.n != 0 &&
	    e->c->raw.p[r->to] == '-' && r->to < r->line.tail) {
		qp_write_escape(&r->out, '-');
		r->to++;
		if (--rest != 0 && r->out.column + rest > room)
			qp_write_soft_break(&r->out);
	}
	e->base = r->to;
	e->column = r->out.column;
	if (r->from != r->to || r->out.n != 0)
		splices_add(e->out, e->a, r->from + e->offset, r->to - r->from,
		    str_make(r->out.p, r->out.n));
}

void
coded_qp_edit(const struct coded *c, struct arena *a,
    const struct splices *edits, size_t offset, struct splices *out)
{
	struct editor e = { .c = c, .a = a, .offset = offset, .out = out,
		.eol = coded_line_end(c->raw), .place = qp_place_first(c) };
	struct run r;
	bool is_open = false;

	for (size_t i = 0; i < edits->n; i++) {
		const struct splice *s = &edits->v[i];
		bool same_line;

		if (s->del == 0 && s->ins.n == 0)
			continue;
		qp_place_seek(c, &e.place, s->at);
		same_line = is_open &&
		    e.place.line.start == r.line.start;
		if (!same_line || e.place.pos > r.to) {
			if (is_open)
				run_end(&e, &r, same_line ? e.place.pos :
				    r.line.eol, !same_line);
			run_begin(&e, &r);
			is_open = true;
		}
		run_write(&e, &r, s->ins);
		run_delete(&e, &r, s->at, s->del);
	}
	if (is_open)
		run_end(&e, &r, r.line.eol, true);
}
