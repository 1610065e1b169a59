/*
 * milter_tally.c - counts of a load on a milter.  Decides nothing.
 */
#include "tests/tools/milter_tally.h"

#include <sys/types.h>

#include <libmilter/mfdef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"

static const struct {
	const char *name;
	char command;
} edits[] = {
	{ "added", SMFIR_ADDHEADER },
	{ "inserted", SMFIR_INSHEADER },
	{ "changed", SMFIR_CHGHEADER },
	{ "body", SMFIR_REPLBODY },
	{ "sender", SMFIR_CHGFROM },
	{ "removed", SMFIR_DELRCPT },
	{ "recipient", SMFIR_ADDRCPT },
	{ "quarantine", SMFIR_QUARANTINE },
	{ "progress", SMFIR_PROGRESS },
};

#define EDITS (sizeof(edits) / sizeof(edits[0]))

void
tally_answer(struct tally *t, const struct milter_client *c,
    enum milter_answer answer)
{
	t->answers[answer][c->at]++;
	if (answer != MILTER_REPLY)
		return;
	t->codes[(c->code[0] - '0') * 100 + (c->code[1] - '0') * 10 +
	    (c->code[2] - '0')]++;
	memcpy(t->reply, c->text, sizeof(t->reply));
}

void
tally_time(struct tally *t, int64_t micros)
{
	if (t->nmicros == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 64;
		t->micros = mem_realloc(t->micros, t->cap * sizeof(uint32_t));
	}
	t->micros[t->nmicros++] = micros > UINT32_MAX ? UINT32_MAX :
							(uint32_t)micros;
}

void
tally_add(struct tally *sum, struct tally *t)
{
	for (int a = 0; a < MILTER_ANSWERS; a++)
		for (int s = 0; s < MILTER_STAGES; s++)
			sum->answers[a][s] += t->answers[a][s];
	for (int i = 0; i < TALLY_CODES; i++)
		sum->codes[i] += t->codes[i];
	for (int i = 0; i < 128; i++)
		sum->edits[i] += t->edits[i];
	sum->unexpected += t->unexpected;
	sum->aborted += t->aborted;
	sum->dropped += t->dropped;
	sum->connections += t->connections;
	for (size_t i = 0; i < t->nmicros; i++)
		tally_time(sum, t->micros[i]);
	if (t->reply[0] != '\0')
		memcpy(sum->reply, t->reply, sizeof(sum->reply));
	free(t->micros);
	t->micros = NULL;
	t->nmicros = t->cap = 0;
}

uint64_t
tally_count(const struct tally *t, enum milter_answer answer)
{
	uint64_t n = 0;

	for (int s = 0; s < MILTER_STAGES; s++)
		n += t->answers[answer][s];
	return n;
}

static int
by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static int64_t
percentile(const struct tally *t, unsigned percent)
{
	return t->nmicros == 0 ? 0 :
				 t->micros[(t->nmicros - 1) * percent / 100];
}

static void
add_stages(struct buf *b, const struct tally *t)
{
	for (int a = 0; a < MILTER_ANSWERS; a++) {
		if (tally_count(t, (enum milter_answer)a) == 0)
			continue;
		json_key(b, milter_answer_names[a]);
		buf_char(b, '{');
		for (int s = 0; s < MILTER_STAGES; s++)
			if (t->answers[a][s] != 0) {
				json_key(b, milter_stage_names[s]);
				json_number(b, (int64_t)t->answers[a][s]);
			}
		buf_char(b, '}');
	}
}

static void
add_codes(struct buf *b, const struct tally *t)
{
	for (int i = 0; i < TALLY_CODES; i++)
		if (t->codes[i] != 0) {
			char name[16];

			snprintf(name, sizeof(name), "%d", i);
			json_key(b, name);
			json_number(b, (int64_t)t->codes[i]);
		}
}

static void
add_edits(struct buf *b, const struct tally *t)
{
	for (size_t i = 0; i < EDITS; i++) {
		json_key(b, edits[i].name);
		json_number(b,
		    (int64_t)t->edits[(unsigned char)edits[i].command]);
	}
}

static void
add_object(struct buf *b, const char *name, const struct tally *t,
    void (*members)(struct buf *, const struct tally *))
{
	json_key(b, name);
	buf_char(b, '{');
	members(b, t);
	buf_char(b, '}');
}

static void
add_numbers(struct buf *b, const struct tally *t, unsigned sessions)
{
	const struct {
		const char *name;
		int64_t value;
	} numbers[] = {
		{ "sessions", sessions },
		{ "connections", (int64_t)t->connections },
		{ "messages", (int64_t)t->nmicros },
		{ "unexpected", (int64_t)t->unexpected },
		{ "aborted", (int64_t)t->aborted },
		{ "dropped", (int64_t)t->dropped },
		{ "p50_us", percentile(t, 50) },
		{ "p99_us", percentile(t, 99) },
		{ "max_us", percentile(t, 100) },
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		json_key(b, numbers[i].name);
		json_number(b, numbers[i].value);
	}
	for (int a = 0; a < MILTER_ANSWERS; a++) {
		json_key(b, milter_answer_names[a]);
		json_number(b, (int64_t)tally_count(t, (enum milter_answer)a));
	}
}

static void
print_json(const struct tally *t, unsigned sessions, double seconds)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	buf_char(&b, '{');
	add_numbers(&b, t, sessions);
	add_object(&b, "at", t, add_stages);
	add_object(&b, "codes", t, add_codes);
	add_object(&b, "edits", t, add_edits);
	json_key(&b, "last_reply");
	json_string_or_null(&b, str_from(t->reply));
	json_key(&b, "seconds");
	buf_printf(&b, "%.6f", seconds);
	json_key(&b, "rate");
	buf_printf(&b, "%.1f}", seconds > 0 ? (double)t->nmicros / seconds : 0);
	puts(b.p);
	buf_free(&b);
}

static void
print_text(const struct tally *t, unsigned sessions, double seconds)
{
	printf("%zu messages of %u sessions, %llu connections, %.2f s: "
	       "%.0f/s; us: p50 %lld, p99 %lld, max %lld\n",
	    t->nmicros, sessions, (unsigned long long)t->connections, seconds,
	    seconds > 0 ? (double)t->nmicros / seconds : 0,
	    (long long)percentile(t, 50), (long long)percentile(t, 99),
	    (long long)percentile(t, 100));
	for (int a = 0; a < MILTER_ANSWERS; a++)
		for (int s = 0; s < MILTER_STAGES; s++)
			if (t->answers[a][s] != 0)
				printf("  %s at %s: %llu\n",
				    milter_answer_names[a],
				    milter_stage_names[s],
				    (unsigned long long)t->answers[a][s]);
	if (t->reply[0] != '\0')
		printf("  last reply: %s\n", t->reply);
	if (t->aborted + t->dropped > 0)
		printf("  aborted by us: %llu, dropped: %llu\n",
		    (unsigned long long)t->aborted,
		    (unsigned long long)t->dropped);
	printf("  edits:");
	for (size_t i = 0; i < EDITS; i++)
		printf(" %s %llu", edits[i].name, (unsigned long long)
		    t->edits[(unsigned char)edits[i].command]);
	printf("\n  unexpected: %llu\n", (unsigned long long)t->unexpected);
}

void
tally_print(struct tally *t, unsigned sessions, double seconds, bool is_json)
{
	if (t->nmicros > 0)
		qsort(t->micros, t->nmicros, sizeof(uint32_t), by_size);
	(is_json ? print_json : print_text)(t, sessions, seconds);
	fflush(stdout);
}
