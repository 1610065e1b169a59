#!/usr/bin/python3
"""Newsletters cut short and with bits turned over: never a crash, and what
leaves verifies or is what came.

Everything is drawn from a seed, so that a failure comes back; the time for
each group is bounded.
"""
import os
import random
import sys
import time

sys.dont_write_bytecode = True
import corpus  # noqa: E402
import lib_checker  # noqa: E402
import lib_groups  # noqa: E402
import lib_message  # noqa: E402

SEED = int(os.environ.get("BULKHEAD_SEED") or 20260105)
SECONDS = 600 if os.environ.get("BULKHEAD_LONG") else 15
CUTS, FLIPS = "cut short", "bits turned over"
MAX_FLIPS = 12
MAX_SIZE = 150000


def cuts(text, chance):
    """The text up to some place: ends of lines, and anywhere."""
    header = text.find(b"\r\n\r\n")
    places = [chance.randrange(1, len(text)) for _ in range(3)]
    places += [text.rfind(b"\n", 0, p) + 1 for p in places[:1]]
    if header > 0:
        places += [chance.randrange(1, header), header + 4, header + 2]
    return [text[:p] for p in places if p > 0]


def flips(text, chance):
    """A few octets changed: one bit, or to one that means something."""
    found = []
    for _ in range(3):
        octets = bytearray(text)
        for _ in range(chance.randrange(1, MAX_FLIPS)):
            at = chance.randrange(len(octets))
            octets[at] = chance.choice(
                [octets[at] ^ 1 << chance.randrange(8),
                 chance.choice(b"\0\r\n=<>\"'&-:; \xff\x80")])
        found.append(bytes(octets))
    return found


MUTATORS = {CUTS: cuts, FLIPS: flips}


def is_as_it_came(text, output):
    """Fields and body alike."""
    def plain(message):
        fields, body = lib_message.split(message)
        return [(n, v.strip()) for n, v in fields], body
    return plain(text) == plain(output)


def judge(name, group, text, installation):
    """No crash; signatures that verify, or the message as it came."""
    outcome = lib_groups.Outcome(name, group)
    text = lib_message.canonical(text)
    preview = installation.preview(text)
    if preview.crashed() or preview.status not in (0, 65):
        outcome.violations.append("exit: %d: %s" % (
            preview.status, preview.notes[-2000:]))
    elif preview.status == 0 and not is_as_it_came(text, preview.output):
        result = lib_checker.check(text, preview.output,
                                   installation.world())
        outcome.take(result)
        # Which parts a broken message has is anybody's guess: not compared.
        outcome.violations = [v for v in result.violations if v.startswith(
            ("signature", "line", "field", "token"))]
    return outcome


def work(installation, item):
    """All mutations of a message that there is time for."""
    row, group, until = item
    chance = random.Random("%d %s %s" % (SEED, row["path"], group))
    with open(corpus.path(row["path"]), "rb") as f:
        text = lib_message.canonical(f.read())
    found = []
    if len(text) > MAX_SIZE:
        return found
    for number, mutant in enumerate(MUTATORS[group](text, chance)):
        if time.monotonic() > until:
            break
        found.append(judge("%s: %s %d of seed %d" % (
            row["path"], group, number, SEED), group, mutant, installation))
    return found


def outcomes():
    """Newsletters in a drawn order, each group until its time is over."""
    rows = [r for r in corpus.rows("index.tsv")
            if r["kind"] in ("newsletter", "newsletter-composed", "mime")]
    random.Random(SEED).shuffle(rows)
    rows.sort(key=lambda r: r["kind"] == "mime")
    found = []
    for group in MUTATORS:
        until = time.monotonic() + SECONDS
        found += lib_groups.Work(work).run([(r, group, until) for r in rows])
    corpus.say("seed %d: BULKHEAD_SEED sets another" % SEED)
    return found


if __name__ == "__main__":
    sys.exit(lib_groups.run(list(MUTATORS), outcomes))
