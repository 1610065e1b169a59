#!/usr/bin/python3
"""bulkhead-trackd beside nginx that does nothing but `return 302`, by paired
rounds: each is asked the same once in a round, and what is compared are two
runs of one round.  And unsubscriptions that are on the disk before they are
answered, beside single fsyncs on the same file system.  Asserts nothing but
that every server does its work.
"""
import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import daemons  # noqa: E402
import lab as labs  # noqa: E402
import run_bench as plain  # noqa: E402
import trackd_servers as servers  # noqa: E402

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "trackd_load.lua")
PREFIX = {"click": ("/c/", ""), "open": ("/o/", ".gif"),
          "one-click": ("/u/", "")}
MANNERS = ("keep", "close")
COUNTED = {"click": "clicks", "open": "opens", "one-click": "unsubscribed"}
# page, how connections are used, the most CPU / nginx's that was promised
TARGETS = (("click", "keep", 2.0), ("click", "close", 1.4))
FSYNC_TARGET = 3.0
BLOCK = b"\0" * 4096


class Result:
    """What one server did in one run."""

    def __init__(self, cpu, counts):
        self.requests = max(counts["requests"], 1)
        self.cpu = cpu / self.requests * 1e6
        self.rate = self.requests / counts["seconds"]
        self.p50, self.p99 = counts["p50_ms"], counts["p99_ms"]


class Bench:
    """Servers that run, and what was measured."""

    def __init__(self, options):
        self.options = options
        for program in (servers.PROGRAM, servers.TOKEN_MAKE):
            if not os.access(program, os.X_OK):
                sys.exit("not built: %s (make check TESTS=, and name the "
                         "directory in BULKHEAD_BUILDDIR)" % program)
        for program in ("nginx", "wrk"):
            if not shutil.which(program, path=daemons.PATH):
                sys.exit(program + " is not installed: tests/deps-tests")
        self.dir = tempfile.mkdtemp(prefix="bh-bench-", dir=options.dir)
        os.chmod(self.dir, 0o755)
        self.nginx = servers.Nginx("nginx", self.dir)
        self.trackd = servers.Trackd("trackd", self.dir)
        self.results, self.syncs, self.lost = {}, [], 0
        self.tokens = {}

    def start(self):
        """Starts both and makes their tokens."""
        for kind in ("click", "open"):
            self.tokens[kind] = self.trackd.tokens(kind, self.options.tokens)
        self.nginx.start()
        self.trackd.start()

    def prove_all(self):
        """Both answer as they should."""
        paths = {}
        for kind, (before, behind) in PREFIX.items():
            path = self.trackd.tokens(kind, 1, "proof")
            with open(path, encoding="ascii") as f:
                paths[kind] = before + f.read().strip() + behind
        self.trackd.prove(paths)
        self.nginx.prove(paths)

    def load(self, server, kind, manner, tokens, once=False):
        """wrk's counts; fails on a request that was not answered."""
        o = self.options
        before, behind = PREFIX[kind]
        done = subprocess.run(
            ["wrk", "-t", "1", "-c", str(o.connections), "-d",
             "%ds" % o.seconds, "--timeout", "30s", "-s", SCRIPT, "-H",
             "Host: " + servers.HOST, server.url, "--", tokens, before,
             behind, "POST" if kind == "one-click" else "GET", manner,
             "once" if once else "again"],
            stdout=subprocess.PIPE, timeout=600, check=True,
            env={"PATH": daemons.PATH})
        counts = json.loads(done.stdout.splitlines()[-1])
        if counts["failed"] or not counts["requests"]:
            raise RuntimeError("%s: %r" % (server.name, counts))
        return counts

    def measure(self, server, kind, manner):
        """One run; of trackd every request must have been a visit."""
        before = server.cpu(), self.trackd.counters()
        if kind == "one-click":
            tokens = self.trackd.tokens(kind, self.options.one_clicks,
                                        "%d-" % len(self.syncs))
            before = server.cpu(), self.trackd.counters()
        else:
            tokens = self.tokens[kind]
        counts = self.load(server, kind, manner, tokens,
                           kind == "one-click")
        server.settle()
        result = Result(server.cpu() - before[0], counts)
        if server is self.trackd:
            self._expect(kind, before[1], result)
        return result

    def _expect(self, kind, before, result):
        """Those that were under way when the time was over count, too."""
        after = self.trackd.counters()
        done = after[COUNTED[kind]] - before[COUNTED[kind]]
        if not 0 <= done - result.requests <= self.options.connections:
            raise RuntimeError("%s: %d requests, %d counted" % (
                kind, result.requests, done))
        self.lost += after["events_lost"] - before["events_lost"]

    def sync_rate(self):
        """Appends of 4 KB that are on the disk, one after the other, a
        second."""
        path = os.path.join(self.dir, "syncs")
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            count, begin = 0, time.monotonic()
            while time.monotonic() - begin < self.options.seconds:
                os.write(fd, BLOCK)
                os.fdatasync(fd)
                count += 1
            return count / (time.monotonic() - begin)
        finally:
            os.close(fd)
            os.unlink(path)

    def runs(self):
        """What is measured in a round."""
        for manner in MANNERS:
            yield self.nginx, "click", manner
            yield self.trackd, "click", manner
            yield self.trackd, "open", manner
        yield self.trackd, "one-click", "keep"

    def run(self):
        """All rounds."""
        for number in range(self.options.rounds + 1):
            for server, kind, manner in self.runs():
                if kind == "one-click":
                    self.syncs.append(self.sync_rate())
                result = self.measure(server, kind, manner)
                if number > 0:  # the first is for caches and allocators
                    self.results.setdefault(
                        (server.name, kind, manner), []).append(result)
            print("round %d of %d" % (number, self.options.rounds),
                  file=sys.stderr)
        del self.syncs[0]

    def grow(self):
        """MB of trackd after each tenth of many requests: (requests, MB)."""
        done, want = 0, self.options.memory_requests
        next_at, steps = 0, []
        while done < want:
            done += self.load(self.trackd, "click", "keep",
                              self.tokens["click"])["requests"]
            if done >= next_at:
                self.trackd.settle()
                steps.append((done, self.trackd.memory()))
                next_at = done + want / 10
        return steps

    def close(self):
        """Ends and removes everything."""
        self.nginx.stop()
        self.trackd.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def median(self, key, field):
        """The median over the rounds."""
        return statistics.median(getattr(r, field)
                                 for r in self.results[key])

    def ratios(self, kind, manner):
        """CPU over nginx's of the same round."""
        return [a.cpu / b.cpu for a, b in zip(
            self.results["trackd", kind, manner],
            self.results["nginx", "click", manner])]

    def sync_ratios(self):
        """Unsubscriptions a second over single fsyncs of the same round."""
        return [a.rate / b for a, b in zip(
            self.results["trackd", "one-click", "keep"], self.syncs)]


HEAD = ["server", "request", "connections", "CPU µs", "requests/s", "p50 ms",
        "p99 ms", "CPU / nginx's (range)"]
NAMES = {"keep": "kept", "close": "closed"}


def rows(bench):
    """Lines of the table: lists of text."""
    for name, kind, manner in bench.results:
        key = name, kind, manner
        ratios = None if kind == "one-click" or name == "nginx" else \
            bench.ratios(kind, manner)
        yield [name, "return 302" if name == "nginx" else kind,
               NAMES[manner]] + [
                   form % bench.median(key, f) for form, f in (
                       ("%.1f", "cpu"), ("%.0f", "rate"), ("%.2f", "p50"),
                       ("%.2f", "p99"))] + [
                           plain.spread(ratios) if ratios else "–"]


TARGET_HEAD = ["what", "beside", "promised", "ratio (range)", "kept"]


def targets(bench):
    """Lines that say which promise is kept."""
    for kind, manner, want in TARGETS:
        ratios = bench.ratios(kind, manner)
        yield ["CPU of a %s, connections %s" % (kind, NAMES[manner]),
               "nginx", "≤ %g" % want, plain.spread(ratios),
               "yes" if statistics.median(ratios) <= want else "no"]
    ratios = bench.sync_ratios()
    yield ["rate of durable one-clicks", "single fsyncs",
           "≥ %g" % FSYNC_TARGET, plain.spread(ratios),
           "yes" if statistics.median(ratios) >= FSYNC_TARGET else "no"]


def report(bench):
    """Prints all tables."""
    o = bench.options
    print("%s; load %.1f; %d rounds of %d s with %d connections; a single "
          "fsync %.2f ms; events lost: %d" % (
              plain.machine(), os.getloadavg()[0], o.rounds, o.seconds,
              o.connections, 1000 / statistics.median(bench.syncs),
              bench.lost))
    print("\n" + plain.table(HEAD, rows(bench), o.markdown, 3))
    print("\n" + plain.table(TARGET_HEAD, targets(bench), o.markdown, 2))
    if o.memory_requests:
        print("\nMB of trackd after so many clicks: " + ", ".join(
            "%.1f (%d)" % (mb, done) for done, mb in bench.grow()))


def parse(argv):
    """The options."""
    p = argparse.ArgumentParser(prog="run_trackd_bench.py")
    p.add_argument("--rounds", type=int, default=7)
    p.add_argument("--seconds", type=int, default=2, help="of a run")
    p.add_argument("--connections", type=int, default=64)
    p.add_argument("--tokens", type=int, default=20000,
                   help="readers who click and open")
    p.add_argument("--one-clicks", type=int, default=100000,
                   help="readers who unsubscribe in a round, at most")
    p.add_argument("--memory-requests", type=int, default=0,
                   help="clicks over which memory is looked at")
    p.add_argument("--dir", default="/tmp", help="on a disk, not in memory")
    p.add_argument("--markdown", action="store_true")
    return p.parse_args(argv)


def end_servers_too():
    """Who is told to end leaves no server behind."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def main(argv):
    """Runs the bench and prints it."""
    end_servers_too()
    bench = Bench(parse(argv))
    try:
        bench.start()
        bench.prove_all()
        bench.run()
        report(bench)
    finally:
        bench.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
