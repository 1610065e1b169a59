#!/usr/bin/python3
"""The bench of reports works: small, and its proof can fail.  No time is
asserted.
"""
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "bench"))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
import run_report_bench as bench  # noqa: E402
import tap  # noqa: E402


def everything():
    """A row for adding up, and one for each report."""
    rows = list(bench.measure(5000, 2, "/tmp"))
    tap.equal([row[0] for row in rows[1:]], [r[0] for r in bench.REPORTS],
              "rows")
    tap.true(all(row[1] > 0 for row in rows), "times")
    tap.true(rows[0][3] > 0, "rate")


def proof():
    """Events that are missing are seen."""
    real = bench.prove

    def wrong(conf, lines):
        real(conf, lines + 1)

    bench.prove = wrong
    try:
        list(bench.measure(100, 1, "/tmp"))
    except RuntimeError as error:
        tap.equal(str(error), "100 events of 101 in the report", "says so")
    else:
        raise AssertionError("not seen")
    finally:
        bench.prove = real


if __name__ == "__main__":
    sys.exit(tap.run([("everything", everything), ("proof", proof)]))
