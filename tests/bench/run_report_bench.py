#!/usr/bin/python3
"""How fast events are added up, and a report over them.  Asserts nothing but
that the report has all of them.

The events are random ones of 30 days (tests/tools/events_make), in a directory
of its own that goes away; 10,000,000 of them take 1.2 GB there.
"""
import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

BUILD = os.path.abspath(os.environ.get("BULKHEAD_BUILDDIR", "."))
BULKHEAD = os.path.join(BUILD, "bulkhead")
MAKE = os.path.join(BUILD, "tests", "tools", "events_make")
CONF = """store = "sqlite:%s"
domain "example.com" { sign s { key = /k } }
stream "newsletter" { match { sender = { "*@n" } } }
stream "offers" { match { sender = { "*@o" } } }
"""
REPORTS = (("all streams, text", []), ("all streams, HTML", ["--html"]),
           ("one stream, text", ["newsletter"]),
           ("one stream, HTML", ["newsletter", "--html"]))


def run(*args):
    """stdout, and the seconds of wall time and CPU it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    done = subprocess.run(args, stdout=subprocess.PIPE, check=True)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout.decode(), wall, (after.ru_utime - before.ru_utime +
                                        after.ru_stime - before.ru_stime)


def prove(conf, lines):
    """The report has as many events as there are, but for corrections."""
    told = json.loads(run(BULKHEAD, "report", "-c", conf, "--json", "--since",
                          "31d")[0])["all"]
    total = sum(told[k] if isinstance(told[k], int) else told[k]["total"]
                for k in ("handed", "opened", "clicked", "unsubscribed",
                          "suppressed", "limited"))
    if total != lines:
        raise RuntimeError("%d events of %d in the report" % (total, lines))


def measure(events, rounds, directory):
    """Rows: what, how often a second or how long, CPU."""
    work = tempfile.mkdtemp(prefix="report-bench-", dir=directory)
    try:
        store, conf = os.path.join(work, "store"), os.path.join(work, "conf")
        with open(conf, "w", encoding="ascii") as f:
            f.write(CONF % store)
        told = run(MAKE, store, str(events))[0]
        _, wall, cpu = run(BULKHEAD, "report", "-c", conf)
        prove(conf, events)
        written = int(told)
        yield ("adding %d events up" % written, wall, cpu, written / cpu)
        for what, args in REPORTS:
            times = [run(BULKHEAD, "report", "-c", conf, *args)[1:]
                     for _ in range(rounds)]
            yield (what, statistics.median(t[0] for t in times),
                   statistics.median(t[1] for t in times), None)
    finally:
        shutil.rmtree(work)


def main():
    """Measures, and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10000000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dir", default="/tmp")
    args = parser.parse_args()
    print("| what | s | CPU s | events a CPU second |\n|---|--:|--:|--:|")
    for what, wall, cpu, rate in measure(args.events, args.rounds, args.dir):
        print("| %s | %.2f | %.2f | %s |" % (
            what, wall, cpu, "" if rate is None else "%.0f" % rate))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
