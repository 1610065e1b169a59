/*
 * shapes.c - generated messages for benches.  What they look like follows
 * shops' and newsletters' mail; the text means nothing.
 */
#include "tests/bench/shapes.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/base64.h"

#define TEXT_SIZE	2000
#define NEWSLETTER_SIZE 52000
#define HTML_SIZE	90000
#define ATTACHMENT_SIZE 56000
#define BASE64_LINE	57 /* octets that make 76 characters */

const char *const shape_names[SHAPES] = { "text", "newsletter", "attachment" };

#define COMMON                                                                 \
	{ "From", " Shop <news@example.com>" },                                \
	{ "To", " user@example.net" },                                         \
	{ "Subject", " What is new this week" },                               \
	{ "Date", " Tue, 01 Dec 2026 08:00:00 +0000" },                        \
	{ "Message-ID", " <bench@example.com>" },                              \
	{ "MIME-Version", " 1.0" }

const struct shape_field *
shape_header(enum shape shape)
{
	static const struct shape_field fields[SHAPES][9] = {
		[SHAPE_TEXT] = { COMMON,
		    { "Content-Type", " text/plain; charset=us-ascii" },
		    { "Content-Transfer-Encoding", " 7bit" }, { NULL, NULL } },
		[SHAPE_NEWSLETTER] = { COMMON,
		    { "List-Id", " Shop news <news.example.com>" },
		    { "Content-Type",
			" multipart/alternative;\n boundary=\"=_b\"" },
		    { NULL, NULL } },
		[SHAPE_ATTACHMENT] = { COMMON,
		    { "List-Id", " Shop news <news.example.com>" },
		    { "Content-Type",
			" multipart/mixed;\n boundary=\"=_b\"" },
		    { NULL, NULL } },
	};

	return fields[shape];
}

static void
text_body(struct buf *b)
{
	for (unsigned line = 1; b->n < TEXT_SIZE; line++)
		buf_printf(b,
		    "Position %u of your order 2026-%u left our house today"
		    " and should be\r\nwith you within %u days.\r\n",
		    line, line * 7919, line % 5 + 2);
}

static void
add_text(struct buf *b, unsigned line)
{
	buf_printf(b,
	    "Line %u of the letter tells what is new in the shop this w=\r\n"
	    "eek, how much it costs =E2=80=93 and where it is.\r\n",
	    line);
}

static void
add_html(struct buf *b, unsigned line, unsigned every)
{
	buf_printf(b,
	    "<tr><td style=3D\"padding:0 0 10px;font-family:Arial,sans-se=\r\n"
	    "rif;font-size:14px\">Item %u =C2=B7 a bargain</td></tr>\r\n",
	    line);
	if (line % every == 0)
		buf_printf(b,
		    "<tr><td><a href=3D\"https://shop.example.com/item/%u?ut=\r\n"
		    "m_source=3Dnews&amp;utm_campaign=3Dspring&amp;id=3D%u\" "
		    "style=3D\"c=\r\nolor:#123456\">Buy now</a></td></tr>\r\n",
		    line, line * 7919);
}

static void
newsletter_body(struct buf *b)
{
	unsigned lines = 0;

	buf_puts(b, "--=_b\r\nContent-Type: text/plain; charset=utf-8\r\n"
		    "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
	while (b->n < NEWSLETTER_SIZE / 6)
		add_text(b, ++lines);
	buf_puts(b, "--=_b\r\nContent-Type: text/html; charset=utf-8\r\n"
		    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
		    "<!DOCTYPE html><html><body><table>\r\n");
	for (lines = 1; lines <= SHAPE_LINKS * 6; lines++)
		add_html(b, lines, 6);
	while (b->n < NEWSLETTER_SIZE)
		add_html(b, lines++, 1u << 30);
	buf_puts(b, "</table></body></html>\r\n--=_b--\r\n");
}

static void
add_base64(struct buf *b, const char *p, size_t n)
{
	for (size_t at = 0; at < n; at += BASE64_LINE) {
		char line[BASE64_SIZE(BASE64_LINE)];
		size_t piece = n - at < BASE64_LINE ? n - at : BASE64_LINE;

		buf_add(b, line, base64_write(line, p + at, piece));
		buf_puts(b, "\r\n");
	}
}

static void
add_html_base64(struct buf *b)
{
	struct buf html;

	buf_init(&html, HTML_SIZE * 2);
	buf_puts(&html, "<!DOCTYPE html>\r\n<html><body><table>\r\n");
	for (unsigned line = 1; html.n < HTML_SIZE; line++) {
		buf_printf(&html,
		    "<tr><td style=\"font-family:Arial\">Item %u \xc2\xb7 a "
		    "bargain</td></tr>\r\n", line);
		if (line % 30 == 0 && line / 30 <= SHAPE_LINKS)
			buf_printf(&html,
			    "<tr><td><a href=\"https://shop.example.com/item/"
			    "%u?a=b&amp;id=%u\">Buy now</a></td></tr>\r\n",
			    line, line * 7919);
	}
	buf_puts(&html, "</table></body></html>\r\n");
	add_base64(b, html.p, html.n);
	buf_free(&html);
}

static void
add_attachment(struct buf *b)
{
	char *p = mem_alloc(ATTACHMENT_SIZE);
	uint32_t x = 1;

	for (size_t i = 0; i < ATTACHMENT_SIZE; i++) {
		x = x * 1664525 + 1013904223;
		p[i] = (char)(x >> 24);
	}
	add_base64(b, p, ATTACHMENT_SIZE);
	free(p);
}

static void
attachment_body(struct buf *b)
{
	buf_puts(b, "--=_b\r\nContent-Type: text/html; charset=utf-8\r\n"
		    "Content-Transfer-Encoding: base64\r\n\r\n");
	add_html_base64(b);
	buf_puts(b, "--=_b\r\nContent-Type: application/pdf\r\n"
		    "Content-Disposition: attachment; filename=\"a.pdf\"\r\n"
		    "Content-Transfer-Encoding: base64\r\n\r\n");
	add_attachment(b);
	buf_puts(b, "--=_b--\r\n");
}

void
shape_body(enum shape shape, struct buf *b)
{
	static void (*const makers[SHAPES])(struct buf *) = {
		[SHAPE_TEXT] = text_body,
		[SHAPE_NEWSLETTER] = newsletter_body,
		[SHAPE_ATTACHMENT] = attachment_body,
	};

	makers[shape](b);
}
