#!/usr/bin/python3
"""The bench of imports works: both programs store the same list, look-ups
find it, and numbers come out.  No time is asserted.
"""
import argparse
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "bench"))
import run_import_bench as bench  # noqa: E402
import tap  # noqa: E402

LINES, LOOKUPS = 10000, 500


def make():
    """A bench as small as can be."""
    if bench.why_not() is not None:
        raise tap.Skip(bench.why_not())
    return bench.Bench(argparse.Namespace(
        lines=LINES, rounds=2, lookups=LOOKUPS, find_rounds=2, cached=True,
        dir="/tmp", markdown=True))


def everything():
    """Two rounds give tables and say what is kept."""
    run = make()
    try:
        run.run()
        for name in run.names:
            tap.equal(len(run.results[name]), 2, name)
            for field in ("wall", "cpu", "memory", "size"):
                tap.true(run.median(name, field) > 0, name + field)
        tap.equal(len(list(bench.rows(run))), 3, "rows")
        tap.equal(len(list(bench.find_rows(run))), 2 * len(bench.BATCHES),
                  "rows of look-ups")
        kept = {line[0]: line[3] for line in bench.targets(run)}
        tap.equal((kept["MB on disk"], kept["MB of memory"]), (True, True),
                  "of so few")
    finally:
        run.close()
    tap.true(not os.path.exists(run.dir), "left behind")


def proof():
    """The proof can fail: a line lacks, or is another."""
    run = make()
    try:
        bench.write_lists(run.dir, LINES)
        run.make_empty()
        run.ours()
        run.prove(run.path("store", "suppress.db"))
        db = bench.sqlite3.connect(run.path("store", "suppress.db"))
        for sql in ("UPDATE suppressions SET reason = 4",
                    "DELETE FROM suppressions WHERE address > 'x'"):
            db.execute(sql)
            db.commit()
            try:
                run.prove(run.path("store", "suppress.db"))
            except RuntimeError:
                continue
            raise AssertionError("not seen: " + sql)
        db.close()
    finally:
        run.close()


def lists():
    """All addresses differ, in no order, of some 26 octets."""
    some = [bench.address(n) for n in range(LINES)]
    tap.equal(len(set(some)), LINES, "different ones")
    tap.true(25 <= len("".join(some)) / LINES <= 29, "length")
    tap.true(some != sorted(some), "order")


if __name__ == "__main__":
    sys.exit(tap.run([("lists", lists), ("rounds", everything),
                      ("the proof can fail", proof)]))
