/*
 * placeholder.c - the placeholders for an unsubscribe URL.
 */
#include "engine/placeholder.h"

#include "bulkhead/names.h"

/*
 * Whole placeholders as their services document them.  "%7B..." is what HTML
 * editors make of braces in an href.
 */
static const char *const placeholders[] = {
	NAME_UNSUBSCRIBE_PLACEHOLDER,
	"%7B%7Bbulkhead-unsubscribe-url%7D%7D",
	"{{amazonSESUnsubscribeUrl}}", /* Amazon SES */
	"%7B%7BamazonSESUnsubscribeUrl%7D%7D",
	"{{{ pm:unsubscribe }}}", /* Postmark */
	"{{{pm:unsubscribe}}}",
	"{{{ pm:unsubscribe_url }}}",
	"{{{pm:unsubscribe_url}}}",
	"%unsubscribe_url%", /* Mailgun */
	"%tag_unsubscribe_url%",
	"%mailing_list_unsubscribe_url%",
	"<%asm_group_unsubscribe_raw_url%>", /* SendGrid */
	"<%asm_group_unsubscribe_url%>",
	"*|UNSUB|*", /* Mailchimp */
};

static size_t
match_at(struct str text, size_t at)
{
	struct str rest = str_sub(text, at, text.n);

	for (size_t i = 0; i < sizeof(placeholders) / sizeof(*placeholders);
	     i++)
		if (str_istarts(rest, str_from(placeholders[i])))
			return strlen(placeholders[i]);
	return 0;
}

/* The next octet that a placeholder may start with. */
static size_t
next_start(struct str text, size_t from, size_t next[3])
{
	static const char starts[3] = { '{', '%', '*' };
	size_t least = text.n;

	for (int i = 0; i < 3; i++) {
		if (next[i] < from || next[i] == (size_t)-1)
			next[i] = str_chr(text, starts[i], from);
		if (next[i] < least)
			least = next[i];
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

bool
placeholder_find(struct str text, size_t from, size_t *at, size_t *len)
{
	size_t next[3] = { (size_t)-1, (size_t)-1, (size_t)-1 };

	while ((from = next_start(text, from, next)) < text.n) {
		size_t start = from, n, scheme;

		/* "<%asm...": the '<' is common, so '%' is looked for */
		if (text.p[from] == '%' && from > 0 && text.p[from - 1] == '<')
			start--;
		n = match_at(text, start);
		if (n == 0 && start < from)
			n = match_at(text, start = from);
		if (n > 0) {
			scheme = scheme_before(text, start);
			*at = start - scheme;
			*len = n + scheme;
			return true;
		}
		from++;
	}
	return false;
}
