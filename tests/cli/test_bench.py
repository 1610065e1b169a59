#!/usr/bin/python3
"""The bench works: every daemon that is here signs every shape rightly, and
a round of few messages gives numbers.  No time is asserted.
"""
import argparse
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "bench"))
import mta  # noqa: E402
import run_bench  # noqa: E402
import tap  # noqa: E402

bench = run_bench.Bench(argparse.Namespace(
    rounds=2, messages=2, sessions=3, only=None, shapes=run_bench.NAMES,
    mta_messages=10, markdown=True))


def has(name):
    """Fails, or skips, when a daemon does not run."""
    if name in bench.absent:
        raise tap.Skip(bench.absent[name])
    return next(d for d in bench.daemons if d.name == name)


def check_shapes():
    """Each is as large as its name says."""
    sizes = [os.path.getsize(bench.mail(s)) for s in run_bench.NAMES]
    for size, least, most in zip(sizes, (1800, 48000, 180000),
                                 (2500, 54000, 220000)):
        tap.true(least <= size <= most, "sizes %r" % sizes)


def check_signs(name):
    """Its signatures verify, for every shape."""
    daemon = has(name)
    for shape in run_bench.NAMES:
        run_bench.prove(daemon, bench.mail(shape))


def check_proof():
    """The proof can fail: a daemon that should sign and does not."""
    daemon = has("null")
    daemon.signatures = 1
    try:
        run_bench.prove(daemon, bench.mail("text"))
    except RuntimeError:
        return
    finally:
        daemon.signatures = 0
    raise AssertionError("no signature, and yet proven")


def check_everything():
    """What is called everything edits the body and the envelope."""
    counts = run_bench.load(has("everything"), bench.mail("newsletter"), 1, 2)
    edits = counts["edits"]
    tap.equal((edits["sender"], edits["inserted"]), (2, 4), "edits")
    tap.true(edits["body"] >= 2 and edits["added"] >= 4, repr(edits))
    counts = run_bench.load(has("sign-only"), bench.mail("newsletter"), 1, 2)
    tap.equal((counts["edits"]["body"], counts["edits"]["inserted"]),
              (0, 2), "sign-only")


def check_rounds():
    """Rounds give CPU, rates and ratios of all, and a table."""
    bench.run()
    for daemon in bench.daemons:
        for shape in run_bench.NAMES:
            tap.true(bench.median(daemon.name, shape, "cpu") > 0, "CPU")
            tap.true(bench.median(daemon.name, shape, "rate") > 0, "rate")
    lines = list(run_bench.rows(bench))
    tap.equal(len(lines), len(bench.daemons) * len(run_bench.NAMES), "rows")
    text = run_bench.table(run_bench.HEAD, lines, True)
    tap.equal(text.count("\n"), len(lines) + 1, "lines of the table")
    median, least, most = bench.ratio("sign-only", "null", "text")
    tap.true(least <= median <= most, "a ratio's range")


def check_end_to_end():
    """Through a Postfix for each set-up all arrives, signed as it should."""
    reason = mta.why_not()
    if reason is not None:
        raise tap.Skip(reason)
    through = mta.EndToEnd([d for d in bench.daemons if d.name in mta.SETUPS])
    try:
        mail = bench.mail("newsletter")
        through.prove_all(mail)
        through.run(mail, 3, 10, 1)
        names = [s.name for s in through.setups]
        tap.equal(sorted(through.runs), sorted(names), "set-ups")
        tap.true("plain" in names and "everything" in names, repr(names))
        lines = list(run_bench.mta_rows(through.runs))
        tap.equal([line[0] for line in lines], names, "rows")
        for name, runs in through.runs.items():
            tap.true(runs[0].rate > 0 and runs[0].postfix > 0, name)
            tap.equal(runs[0].milter > 0, name != "plain", name)
    finally:
        through.close()


def main():
    """Starts who is here; ends them all."""
    try:
        bench.start()
        names = [d.name for d in bench.daemons] + list(bench.absent)
        return tap.run(
            [("shapes", check_shapes), ("the proof can fail", check_proof)] +
            [(n + " signs every shape", lambda n=n: check_signs(n))
             for n in sorted(names)] +
            [("everything is on", check_everything),
             ("rounds", check_rounds),
             ("end to end", check_end_to_end)])
    finally:
        bench.close()


if __name__ == "__main__":
    sys.exit(main())
