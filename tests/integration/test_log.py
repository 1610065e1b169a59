#!/usr/bin/python3
"""The log as docs/LOGGING.md has it: each line is read by the expression that
stands there, has its keys in the order of the table, and the counters are the
sums of the lines.
"""
import os
import re
import signal
import sys

sys.dont_write_bytecode = True
import bulkhead  # noqa: E402
import lab as labs  # noqa: E402
import milter_memory as mm  # noqa: E402
import tap  # noqa: E402

MB = 1024 * 1024
LOGGING = os.path.join(labs.ROOT, "docs/LOGGING.md")
ACTIONS = ("signed", "passed", "rejected", "discarded", "tempfailed")
SUMS = {"octets": "size", "recipients": "nrcpt", "links": "links",
        "links_left": "left", "pixels": "pixels", "encoded": "encoded",
        "placeholders": "placeholders",
        "signatures_removed": "signatures-removed"}
MILTER = 'spool = "/nonexistent"'
FIELDS = (b"From: news@example.com\n" + b"X-A: b\n" * 20001 + b"\nbody\n")
TWO = b"From: a@example.com\nFrom: b@example.com\nSubject: x\n\nx\n"
ODD = (b"From: news@example.com\nX-Bulkhead-Campaign: a \"b\" \\ c=d\n"
       b"List-Id: <odd.example>\nContent-Type: text/html; charset=utf-8\n\n"
       b"<p>Gr\xc3\xbc\xc3\x9fe <a href=\"http://a.example/\">a</a></p>\n")


class Log:
    """What the milter wrote: its lines about messages, its counters."""

    def __init__(self, text):
        with open(LOGGING, encoding="utf-8") as f:
            manual = f.read()
        self.pattern = re.search(r"re\.findall\(r'(.*)', line\)",
                                 manual).group(1)
        self.order = [name for row in re.findall(
            r"(?m)^\| (`.*?) \|", manual.partition("## Counters")[0])
            for name in re.findall(r"`([\w-]+)`", row)]
        self.lines = [self.read(x) for x in text.splitlines()
                      if " action=" in x and "NOQUEUE" not in x]
        self.counters = [self.read(x) for x in text.splitlines()
                         if "counters:" in x]

    def read(self, line):
        """The pairs of a line, in their order, as LOGGING.md reads them."""
        pairs = [(k, re.sub(r"\\(.)", r"\1", q) if q else v)
                 for k, v, q in re.findall(self.pattern, line)]
        tap.equal(len(dict(pairs)), len(pairs), "a key comes twice: " + line)
        return dict(pairs)

    def sum(self, key):
        """Of a number in all lines."""
        return sum(int(pairs.get(key, 0)) for pairs in self.lines)

    def count(self, key, *values):
        """Lines in which the key has one of the values."""
        return sum(pairs.get(key) in values for pairs in self.lines)


def play(place, child):
    """Mail of all kinds; the log, counters at SIGUSR2 and at the end."""
    mails = [data for _, data in bulkhead.mails()]
    place.loads = [
        mm.load(place, mails + [ODD], "-n", 2 * len(mails), "-c", 3,
                "-S", "bounces@example.com", "-r", "ann@reader.example"),
        mm.load(place, mails, "-n", len(mails), "-r", "a@reader.example",
                "-r", "b@reader.example", "--sasl-user", "some one"),
        mm.load(place, mails, "-n", 20, "--abort-every", "2"),
        mm.load(place, [TWO], "-n", 2),
        mm.load(place, [mm.newsletter(2 * MB)], "-n", 3, "--expect",
                "451"),
        mm.load(place, [FIELDS], "--expect", "552"),
        mm.load(place, mails, "-n", 4, "--client", bulkhead.OUTSIDE,
                "--expect", "accept"),
    ]
    labs.wait_for("sessions", lambda: not re.search(
        r"sessions_open=", last_counters(place, child)))
    child.terminate()
    tap.equal(child.wait(25), 0, "exit status")
    return Log(place.read("milter.log"))


def last_counters(place, child):
    """The counters as they are now."""
    before = place.read("milter.log").count("counters:")
    os.kill(child.pid, signal.SIGUSR2)
    labs.wait_for("counters", lambda: place.read(
        "milter.log").count("counters:") > before)
    return place.read("milter.log").rpartition("counters:")[2]


def check_lines(log):
    """Keys that are documented, in that order; values as they were."""
    tap.true(len(log.lines) > 50, "%d lines" % len(log.lines))
    for pairs in log.lines:
        places = [log.order.index(key) for key in pairs]
        tap.equal(places, sorted(places), "order of %r" % list(pairs))
        tap.true(pairs["action"] in ACTIONS, repr(pairs))
        tap.true({"client", "sender", "nrcpt", "size", "time", "cpu_us"}
                 <= set(pairs), repr(pairs))
    tap.true(log.count("campaign", 'a "b" \\ c=d') > 0, "a campaign")
    tap.true(log.count("sasl-user", "some one") > 0, "a login")


def check_actions(log):
    """The counters of what came of messages; all came to pass but one."""
    now = log.counters[-1]
    for action in ACTIONS:
        tap.equal(int(now.get(action, 0)), log.count("action", action),
                  action)
        tap.true(action in now or action == "discarded", "none " + action)
    tap.equal(int(now["messages"]), len(log.lines), "messages")


def check_sums(log):
    """Counters are the sums of what the lines say."""
    now = log.counters[-1]
    for counter, key in SUMS.items():
        tap.equal(int(now.get(counter, 0)), log.sum(key), counter)
    for counter in ("octets", "links", "pixels", "encoded"):
        tap.true(int(now[counter]) > 0, "no " + counter)
    tap.equal(int(now["signatures"]), sum(
        p["signatures"].count(",") + 1 for p in log.lines
        if "signatures" in p), "signatures")
    for counter, key, values in (
            ("return_paths", "return-path", ("yes",)),
            ("unsubscribes_kept", "unsubscribe", ("kept",)),
            ("unsubscribes", "unsubscribe", ("one-click", "header",
                                             "shared"))):
        tap.equal(int(now.get(counter, 0)), log.count(key, *values), counter)


def check_stages(log):
    """Each signed message went through all of them, in some time."""
    stages = {name: [int(n) for n in value.split("/")]
              for name, value in log.counters[-1].items()
              if name.startswith("stage-")}
    tap.equal(sorted(stages), sorted("stage-" + n for n in (
        "select", "admit", "returnpath", "unsubscribe", "track", "complete",
        "encode", "sign", "charge")), "stages")
    signed = log.count("action", "signed")
    for name in ("stage-track", "stage-encode", "stage-sign"):
        tap.equal(stages[name][0], signed, name)
    passed = log.count("action", "passed")
    tap.equal(stages["stage-select"][0], signed + passed, "stage-select")
    # mail of ours that is left as it came is asked about and charged
    bare = log.count("reason", "it has several From fields")
    tap.equal(stages["stage-charge"][0], signed + bare, "stage-charge")
    tap.equal(sum(s[1] for s in stages.values()), passed - bare,
              "last words")
    tap.true(stages["stage-sign"][2] > 20 * signed, "time of signing")


def check_load(log, loads):
    """And they are what was sent."""
    now = log.counters[-1]
    tap.equal(int(now["sessions"]), sum(c["connections"] for c in loads),
              "sessions")
    tap.equal(int(now["not_ours"]), loads[-1]["messages"], "not ours")
    ended = sum(c["messages"] for c in loads[:2])
    tap.true(int(now["messages"]) >= ended + 6, "messages")
    # there is no store here: what waits for one is given up at the end
    tap.equal(now["events_lost"], now["events"], "events lost")
    before = dict(log.counters[-2], events_lost=now["events_lost"])
    tap.equal(now, before, "at the end and before")


def main():
    """One milter, one load, many looks at what it wrote."""
    place = mm.Place()
    try:
        product = bulkhead.Bulkhead(place, mm.config(MILTER))
        log = play(place, product.start())
        return tap.run([(t.__name__, lambda t=t: t(log)) for t in (
            check_lines, check_actions, check_sums, check_stages)] +
            [("check_load", lambda: check_load(log, place.loads))],
            lambda: product.log()[-1500:])
    finally:
        place.close()


if __name__ == "__main__":
    sys.exit(main())
