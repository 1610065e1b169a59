/*
 * placeholder.c - the placeholders for an unsubscribe URL.
 */
#include "engine/placeholder.h"

#include "bulkhead/names.h"

/*
 * Whole placeholders as their services document them.  "%7B..." is what HTML
 * editors make of braces in an href.
 */
#define TEXT(lit) { (lit), sizeof(lit) - 1 }

static const struct str placeholders[] = {
	TEXT(NAME_UNSUBSCRIBE_PLACEHOLDER),
	TEXT("%7B%7Bbulkhead-unsubscribe-url%7D%7D"),
	TEXT("{{amazonSESUnsubscribeUrl}}"), /* Amazon SES */
	TEXT("%7B%7BamazonSESUnsubscribeUrl%7D%7D"),
	TEXT("{{{ pm:unsubscribe }}}"), /* Postmark */
	TEXT("{{{pm:unsubscribe}}}"),
	TEXT("{{{ pm:unsubscribe_url }}}"),
	TEXT("{{{pm:unsubscribe_url}}}"),
	TEXT("%unsubscribe_url%"), /* Mailgun */
	TEXT("%tag_unsubscribe_url%"),
	TEXT("%mailing_list_unsubscribe_url%"),
	TEXT("<%asm_group_unsubscribe_raw_url%>"), /* SendGrid */
	TEXT("<%asm_group_unsubscribe_url%>"),
	TEXT("*|UNSUB|*"), /* Mailchimp */
};

static size_t
match_at(struct str text, size_t at)
{
	struct str rest = str_sub(text, at, text.n);

	for (size_t i = 0; i < sizeof(placeholders) / sizeof(*placeholders);
	     i++)
		if (str_istarts(rest, placeholders[i]))
			return placeholders[i].n;
	return 0;
}

/* "<%asm...": the '<' is common, so '%' is looked for. */
static const char starts[3] = { '{', '%', '*' };

/* The next octet that a placeholder may start with. */
static size_t
next_start(struct placeholder_search *s)
{
	size_t least = s->text.n;

	for (int i = 0; i < 3; i++) {
		if (s->next[i] < s->at)
			s->next[i] = str_chr(s->text, starts[i], s->at);
		if (s->next[i] < least)
			least = s->next[i];
	}
	return least;
}

static size_t
scheme_before(struct str text, size_t at)
{
	struct str before = str_sub(text, 0, at);

	if (str_iends(before, STR("https://")))
		return 8;
	return str_iends(before, STR("http://")) ? 7 : 0;
}

void
placeholder_search_init(struct placeholder_search *s, struct str text)
{
	*s = (struct placeholder_search){ .text = text };
	for (int i = 0; i < 3; i++)
		s->next[i] = str_chr(text, starts[i], 0);
}

bool
placeholder_next(struct placeholder_search *s, size_t *at, size_t *len)
{
	struct str text = s->text;
	size_t from = s->at;

	while ((s->at = next_start(s)) < text.n) {
		size_t start = s->at, n, scheme;

		if (text.p[start] == '%' && start > from &&
		    text.p[start - 1] == '<')
			start--;
		n = match_at(text, start);
		if (n == 0 && start < s->at)
			n = match_at(text, start = s->at);
		if (n > 0) {
			scheme = scheme_before(str_sub(text, from, text.n),
			    start - from);
			*at = start - scheme;
			*len = n + scheme;
			s->at = start + n;
			return true;
		}
		s->at++;
	}
	return false;
}

bool
placeholder_is_in(struct str text)
{
	struct placeholder_search s;
	size_t at, len;

	placeholder_search_init(&s, text);
	return placeholder_next(&s, &at, &len);
}
