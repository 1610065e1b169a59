"""Runs groups of messages through an installation and the checker, two at a
time, and says what came of it.
"""
import collections
import concurrent.futures
import multiprocessing
import re

import corpus
import lib_checker
import lib_installation
import lib_message
import tap

WORKERS = 2
SHOWN = 40
# Why a link that the index counts is not tracked.
SPARED = ("opted out", "merge tag", "unsubscribe", "a style sheet",
          "counted twice")


class Outcome:
    """What is known of one message afterwards; travels between processes."""

    def __init__(self, name, group):
        self.name, self.group = name, group
        self.violations, self.explained = [], []
        self.left, self.spared = collections.Counter(), collections.Counter()
        self.links = self.pixels = self.html = self.exact = 0
        self.parts = self.same = self.encoded = 0
        self.signed = self.touched = False
        self.passed = ""

    def take(self, result):
        """The numbers of a checker's Result."""
        self.violations = list(result.violations)
        for name in ("left", "spared", "links", "pixels", "html", "exact",
                     "parts", "same", "encoded", "signed", "touched"):
            setattr(self, name, getattr(result, name))


def compare_index(outcome, row):
    """Compares the number of tracked links with the index.

    The index has every http link; those that are none of ours have a reason.
    Nothing can be said where a part was left alone.
    """
    indexed = number(row, "http") + number(row, "cchref")
    spared = dict(outcome.spared)
    spared["merge tag"] = spared.get("merge tag", 0) - number(row, "merge")
    missing = indexed - outcome.links
    if outcome.left or not outcome.html:
        return
    for reason in SPARED:
        if missing > 0 and spared.get(reason, 0) > 0:
            missing -= spared[reason]
            outcome.explained.append((reason, ""))
    if missing != 0:
        outcome.violations.append("index: %d links, the index has %d %r" % (
            outcome.links, indexed, spared))


def number(row, name):
    """A count of the index: in a table's own field, or among links=."""
    found = corpus.field(row["expected"], name)
    if row["kind"] != "html":
        links = corpus.field(row["expected"], "links").replace(":", "=")
        found = corpus.field(links.replace(" ", ";"), name)
    return int(found or 0)


def judge(row, group, text, installation):
    """One message of the index through preview and the checker."""
    outcome = Outcome(row["path"], group)
    text = lib_message.canonical(text)
    preview = installation.preview(text)
    if preview.crashed() or preview.status != 0:
        outcome.violations.append("exit: %d: %s" % (
            preview.status, preview.notes[-2000:]))
        return outcome
    outcome.take(lib_checker.check(text, preview.output,
                                   installation.world()))
    reason = re.search("left as it came: (.*)", preview.notes)
    outcome.passed = reason.group(1) if reason else ""
    if row["kind"] == "html" or "links=" in row["expected"]:
        compare_index(outcome, row)
    return outcome


class Work:
    """An installation and a function that gives Outcomes, in processes."""

    def __init__(self, function):
        self.function = function

    def run(self, items):
        """function(installation, item) for all items: [Outcome]."""
        installation = lib_installation.Installation()
        try:
            with concurrent.futures.ProcessPoolExecutor(
                    WORKERS, multiprocessing.get_context("fork")) as pool:
                jobs = [pool.submit(self.function, installation, item)
                        for item in items]
                return [outcome for job in jobs for outcome in job.result()]
        finally:
            installation.close()


def report(outcomes):
    """Counts, and what was found, as TAP comments."""
    html = sum(o.html for o in outcomes)
    exact = sum(o.exact for o in outcomes)
    corpus.say("%d messages, %d signed, %d touched; %d parts, %d as they were,"
               " %d encoded; %d HTML parts, %d exact; %d links, %d pixels" % (
                   len(outcomes), sum(o.signed for o in outcomes),
                   sum(o.touched for o in outcomes),
                   sum(o.parts for o in outcomes),
                   sum(o.same for o in outcomes),
                   sum(o.encoded for o in outcomes), html, exact,
                   sum(o.links for o in outcomes),
                   sum(o.pixels for o in outcomes)))
    passed = collections.Counter(o.passed for o in outcomes if o.passed)
    for reason, times in sorted(passed.items()):
        corpus.say("  %d as they came: %s" % (times, reason))
    left = sum((o.left for o in outcomes), collections.Counter())
    for reason, times in sorted(left.items()):
        corpus.say("  %d HTML parts left alone: %s" % (times, reason))
    explained = collections.defaultdict(list)
    for outcome in outcomes:
        for reason, _ in outcome.explained:
            explained[reason].append(outcome.name)
    for reason, names in sorted(explained.items()):
        corpus.say("  %d explained: %s" % (len(names), reason))
        for name in sorted(set(names)):
            corpus.say("    " + name)


def expect_clean(outcomes):
    """A TAP point: something was looked at, and nothing is unexplained."""
    report(outcomes)
    bad = [o for o in outcomes if o.violations]
    lines = ["%s\n   %s" % (o.name, "\n   ".join(
        v[:1500] for v in o.violations[:4])) for o in bad[:SHOWN]]
    tap.true(outcomes, "no message was looked at")
    tap.true(not bad, "%d of %d messages:\n%s" % (
        len(bad), len(outcomes), "\n".join(lines)))


def run(groups, outcomes_of, needs_corpus=True):
    """A TAP point for each group, skipped where there is no corpus."""
    lib_installation.expect_built()
    reason = None
    if needs_corpus and not corpus.is_there():
        reason = "no corpus"
    outcomes = [] if reason else outcomes_of()
    points = []
    for group in groups:
        def point(group=group):
            if reason:
                raise tap.Skip(reason)
            expect_clean([o for o in outcomes if o.group == group])
        points.append(("properties of " + group, point))
    return tap.run(points)
