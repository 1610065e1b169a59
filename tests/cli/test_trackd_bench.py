#!/usr/bin/python3
"""The bench of trackd works: both servers do what they should, a short round
gives numbers, and memory is bounded.  No time is asserted.
"""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "bench"))
import run_trackd_bench as run  # noqa: E402
import tap  # noqa: E402

bench = run.Bench(run.parse([
    "--rounds", "1", "--seconds", "1", "--connections", "8", "--tokens",
    "500", "--one-clicks", "3000", "--memory-requests", "50000",
    "--markdown"]))
GROWTH = 8  # MB that a few seconds of clicks may take


def check_tokens():
    """Each reader has a token of his own."""
    with open(bench.tokens["click"], encoding="ascii") as f:
        lines = f.read().splitlines()
    tap.equal((len(lines), len(set(lines))), (500, 500), "tokens")


def check_proof():
    """The proof can fail: nginx is no trackd."""
    before, bench.trackd.port = bench.trackd.port, bench.nginx.port
    try:
        bench.prove_all()
    except RuntimeError:
        return
    finally:
        bench.trackd.port = before
    raise AssertionError("nginx is proven to be trackd")


def check_refused():
    """Requests that trackd refuses are no result."""
    path = os.path.join(bench.dir, "forged")
    with open(bench.tokens["click"], encoding="ascii") as f:
        forged = ["x" + line for line in f]
    with open(path, "w", encoding="ascii") as f:
        f.writelines(forged)
    try:
        bench.load(bench.trackd, "click", "keep", path)
    except RuntimeError:
        return
    raise AssertionError("forged tokens are measured")


def check_round():
    """A round gives CPU and rates of all, ratios, and tables."""
    bench.run()
    for server, kind, manner in bench.runs():
        key = server.name, kind, manner
        tap.equal(len(bench.results[key]), 1, repr(key))
        tap.true(bench.median(key, "cpu") > 0, "CPU of %r" % (key,))
        tap.true(bench.median(key, "rate") > 0, "rate of %r" % (key,))
    lines = list(run.rows(bench))
    tap.equal(len(lines), len(bench.results), "rows")
    text = run.plain.table(run.HEAD, lines, True, 3)
    tap.equal(text.count("\n"), len(lines) + 1, "lines of the table")
    tap.equal(len(list(run.targets(bench))), 3, "promises")
    tap.equal(len(bench.syncs), 1, "single fsyncs")


def check_memory():
    """Memory does not grow with clicks."""
    steps = bench.grow()
    tap.true(steps[-1][0] >= 50000, "too few clicks: %r" % steps)
    tap.true(steps[-1][1] - steps[0][1] < GROWTH, "MB: %r" % steps)


def main():
    """Starts both; ends them."""
    run.end_servers_too()
    try:
        bench.start()
        return tap.run([
            ("tokens", check_tokens), ("servers work", bench.prove_all),
            ("the proof can fail", check_proof),
            ("refusals are no result", check_refused),
            ("a round", check_round), ("memory", check_memory)])
    finally:
        bench.close()


if __name__ == "__main__":
    sys.exit(main())
