#!/usr/bin/python3
"""Long lives: 10,000 messages in one session, 500 sessions at once, tens of
thousands of messages with some given up: memory and files stay as they were.

With BULKHEAD_LONG five times as many."""
import os
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import bulkhead  # noqa: E402
import lab as labs  # noqa: E402
import milter_memory as mm  # noqa: E402
import tap  # noqa: E402

KB = 1024
MIX = [2 * KB, 4 * KB, 9 * KB, 20 * KB, 52 * KB]
MANY = 500
# What a session may hold between two messages: some 15 kB of its own and of
# its thread's stack; the rest is free memory that malloc keeps, 28 to 42 kB in
# all as it happens.  One that kept its buffers would hold more than 80 kB, one
# that kept its message 300.
IDLE_MAX = 64 * KB
# What malloc may keep more than before: 4 MB at the end of each of 4 arenas,
# of which all never do at once.
SLACK = 8 * KB * KB


def expect_same(child, what, rss, files):
    """Not more memory than malloc's share, and no file, over before."""
    labs.wait_for("closed files", lambda: mm.descriptors(child) <= files)
    now = mm.status(child, "RssAnon")
    mm.note("%s: RssAnon %d kB, then %d kB" % (what, rss // KB, now // KB))
    mm.bounded(now <= rss + SLACK,
               "%s: RssAnon grew from %d kB to %d kB" % (
                   what, rss // KB, now // KB))


def one_session(place, child):
    """10,000 messages in one session."""
    files = mm.descriptors(child)
    mix = [mm.newsletter(n) for n in MIX[:3]]
    mm.load(place, mix, "-n", 1000)
    rss = mm.status(child, "RssAnon")
    counts = mm.load(place, mix, "-n", 10000)
    tap.equal(counts["connections"], 1)
    tap.equal(counts["messages"], 10000)
    mm.note("%.0f messages a second" % counts["rate"])
    expect_same(child, "one session", rss, files)


def many_sessions(place, child):
    """500 at once: served, and between two messages they hold little."""
    files = mm.descriptors(child)
    before = mm.status(child, "RssAnon")
    argv = mm.load_argv(place, [mm.newsletter(n) for n in MIX], "-c", MANY,
                        "-n", 2, "--pause-ms", 8000)
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as loader:
        labs.wait_for("sessions", lambda: place.read("milter.log").count(
            "action=signed") >= 10000 + 1000 + MANY, 60)
        time.sleep(1)
        tap.true(mm.descriptors(child) >= files + MANY, "not all are open")
        idle = mm.status(child, "RssAnon") - before
        tap.equal(loader.wait(120), 0, "load")
    mm.note("%d bytes an idle session" % (idle // MANY))
    mm.bounded(idle < MANY * IDLE_MAX, "%d bytes a session" % (idle // MANY))
    expect_same(child, "500 sessions", before + MANY * IDLE_MAX, files)


def steady(place, child):
    """A mix of sizes over 8 sessions, every 7th given up in between."""
    total = 100000 if os.environ.get("BULKHEAD_LONG") else 20000
    files = mm.descriptors(child)
    mix = [mm.newsletter(n) for n in MIX]
    rss = []
    for part in range(5):
        mm.load(place, mix, "-c", 8, "-n", total // 40, "--abort-every", 7,
                "--seed", part + 1)
        rss.append(mm.status(child, "RssAnon"))
    mm.note("RssAnon after each fifth of %d: %s kB" % (
        total, " ".join(str(r // KB) for r in rss)))
    expect_same(child, "%d messages" % total, rss[0], files)


def spilled(place, child):
    """Bodies in files: given up or ended, no file and no memory stays."""
    files = mm.descriptors(child)
    mix = [mm.newsletter(n * 1024 * KB) for n in (2, 3)]
    mm.load(place, mix, "-c", 4, "-n", 20)
    rss = mm.status(child, "RssAnon")
    mm.load(place, mix, "-c", 4, "-n", 40, "--abort-every", 3)
    expect_same(child, "spilled", rss, files)
    tap.equal(os.listdir(place.path("spool")), [], "the spool directory")


def main():
    """One milter for all."""
    if bulkhead.why_not() == "not root":
        return tap.skip_all("not root")
    place = mm.Place()
    try:
        os.mkdir(place.path("spool"))
        product = bulkhead.Bulkhead(place, mm.config(
            'spool = "%s"' % place.path("spool")))
        child = product.start()
        return tap.run([(t.__name__, lambda t=t: t(place, child)) for t in (
            one_session, many_sessions, steady, spilled)],
            lambda: product.log()[-800:])
    finally:
        place.close()


if __name__ == "__main__":
    sys.exit(main())
