#!/usr/bin/python3
"""The bench of policyd works: every server that is here refuses whom it
should, and a short round gives numbers.  No time is asserted.
"""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "bench"))
import run_policy_bench as run  # noqa: E402
import policy_daemons as servers  # noqa: E402
import tap  # noqa: E402

bench = run.Bench(run.parse([
    "--rounds", "1", "--seconds", "1", "--connections", "1,16", "--entries",
    "2000", "--postfwd-entries", "20", "--hash-entries", "200",
    "--hash-look-ups", "1000", "--markdown"]))


def has(name):
    """Fails, or skips, when a server does not run."""
    if name in bench.absent:
        raise tap.Skip(bench.absent[name])
    return next(s for s in bench.servers if s.name == name)


def check_lists():
    """A list has each address once, in no order."""
    path = os.path.join(bench.dir, "list")
    servers.write_list(path, 1000)
    with open(path, encoding="ascii") as f:
        lines = f.read().splitlines()
    tap.equal(sorted(lines), sorted(servers.LISTED % i for i in range(1000)))
    tap.true(lines != sorted(lines), "sorted")


def check_proof():
    """The proof can fail: one that refuses nobody, one that refuses more."""
    for name, listed in (("null", 10), ("policyd-list", 0)):
        server = has(name)
        before, server.listed = server.listed, listed
        try:
            server.prove()
        except RuntimeError:
            continue
        finally:
            server.listed = before
        raise AssertionError(name + " is proven to do what it does not")


def check_rounds():
    """A round gives CPU and rates of all, ratios, and tables."""
    bench.run()
    for server, kind, n in bench.runs():
        key = server.name, kind, n
        tap.equal(len(bench.results[key]), 1, repr(key))
        tap.true(bench.median(key, "cpu") > 0, "CPU of %r" % (key,))
        tap.true(bench.median(key, "rate") > 0, "rate of %r" % (key,))
    lines = list(run.rows(bench))
    tap.equal(len(lines), len(bench.results), "rows")
    text = run.plain.table(run.HEAD, lines, True)
    tap.equal(text.count("\n"), len(lines) + 1, "lines of the table")
    wanted = [t for t in run.TARGETS if t[3] == 16 and not bench.absent]
    tap.equal(len(list(run.targets(bench))), len(wanted), "promises")
    tap.equal(bench.ratios("null", "null", "mix", 16), [1.0], "a ratio")


def check_hash():
    """Postfix's map finds who is listed, and nobody else."""
    reason = run.HashMap.why_not()
    if reason is not None:
        raise tap.Skip(reason)
    lines = list(run.hash_rows(bench))
    tap.equal([line[0] for line in lines], ["200"], "rows")


def main():
    """Starts who is here; ends them all."""
    try:
        bench.start()
        names = [s.name for s in bench.servers] + list(bench.absent)
        return tap.run(
            [("lists", check_lists), ("the proof can fail", check_proof)] +
            [(n + " refuses whom it should", lambda n=n: has(n).prove())
             for n in names] +
            [("rounds", check_rounds), ("hash: maps", check_hash)])
    finally:
        bench.close()


if __name__ == "__main__":
    sys.exit(main())
