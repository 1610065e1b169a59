#!/usr/bin/python3
"""bulkhead-policyd beside a server that does nothing, and postfwd, by paired
rounds: every server is asked the same once in a round, and what is compared
are two runs of one round.  Asserts nothing but that every server does its
work.  And what a look-up costs in Postfix's hash: map of the same list.
"""
import argparse
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import daemons  # noqa: E402
import lab as labs  # noqa: E402
import policy_daemons as servers  # noqa: E402
import run_bench as plain  # noqa: E402

LOAD = os.path.join(labs.BUILD, "tests/tools/policy_load")
KINDS = {"rcpt": "1:0", "charge": "0:1", "mix": "1:1"}
# ours, theirs, requests, connections, field, what was promised
TARGETS = (
    ("policyd", "null", "rcpt", 64, "cpu", 3),
    ("policyd-list", "null", "rcpt", 64, "cpu", 3),
    ("policyd-list", "null", "charge", 64, "cpu", 4),
    ("policyd-list", "policyd", "rcpt", 64, "cpu", 1.3),
    ("policyd", "postfwd", "rcpt", 16, "rate", 10),
    ("policyd-list", "postfwd-list", "rcpt", 16, "rate", 1000),
)


class Result:
    """What one server did in one run; none is as good as one."""

    def __init__(self, cpu, seconds, counts):
        n = max(counts["requests"], 1)
        self.cpu = cpu / n * 1e6
        self.rate = n / seconds
        self.p50, self.p99 = counts["p50_ms"], counts["p99_ms"]


def load(server, kind, connections, options):
    """The load's counts; fails unless every answer was DUNNO."""
    done = subprocess.run(
        [LOAD, "-j", "-m", KINDS[kind], "-n", str(connections), "-t",
         str(options.seconds * server.patience), "-a", servers.ASKED, "-k",
         str(max(options.entries, 1000)), "unix:" + server.socket] +
        (["unix:" + server.control] if server.charges else []),
        stdout=subprocess.PIPE, timeout=600, check=True)
    counts = json.loads(done.stdout)
    if counts["dunno"] != counts["requests"]:
        raise RuntimeError("%s: %s" % (server.name, done.stdout.decode()))
    return counts


def measure(server, kind, connections, options):
    """One run."""
    before = server.cpu()
    counts = load(server, kind, connections, options)
    result = Result(server.cpu() - before,
                    options.seconds * server.patience, counts)
    server.settle()
    return result


class Bench:
    """Servers that run, and what was measured."""

    def __init__(self, options):
        self.options = options
        for program in (LOAD, servers.NULL, servers.clients.PROGRAM,
                        servers.clients.COMMAND):
            if not os.access(program, os.X_OK):
                sys.exit("not built: %s (make check TESTS=, and name the "
                         "directory in BULKHEAD_BUILDDIR)" % program)
        self.dir = tempfile.mkdtemp(prefix="bh-bench-", dir="/tmp")
        os.chmod(self.dir, 0o755)
        self.store = options.store or os.path.join(self.dir, "store")
        self.servers, self.absent = [], {}
        self.results = {}

    def start(self):
        """Starts who is here and wanted; notes who is absent."""
        o = self.options
        for server in servers.all_servers(self.dir, self.store, o.entries,
                                          o.postfwd_entries):
            if o.only and not re.search(o.only, server.name):
                continue
            reason = server.why_not()
            if reason is not None:
                self.absent[server.name] = reason
                continue
            if isinstance(server, servers.Policyd) and server.listed > 0:
                server.fill()
            self.servers.append(server)
            server.start()

    def prove_all(self):
        """Every server refuses whom it should."""
        for server in self.servers:
            server.prove()

    def runs(self):
        """What is measured in a round: server, requests, connections."""
        for n in self.options.connections:
            for kind in KINDS:
                for server in self.servers:
                    if n in server.connections and (
                            server.charges or kind == "rcpt"):
                        yield server, kind, n

    def run(self):
        """All rounds."""
        for server in self.servers:  # caches, allocators
            measure(server, "rcpt", server.connections[-1], self.options)
        for number in range(self.options.rounds):
            for server, kind, n in self.runs():
                self.results.setdefault((server.name, kind, n), []).append(
                    measure(server, kind, n, self.options))
            print("round %d of %d" % (number + 1, self.options.rounds),
                  file=sys.stderr)

    def close(self):
        """Ends and removes everything."""
        for server in self.servers:
            server.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def median(self, key, field):
        """The median over the rounds."""
        return statistics.median(getattr(r, field)
                                 for r in self.results[key])

    def ratios(self, ours, theirs, kind, n, field="cpu"):
        """The ratios of paired rounds, or None."""
        a, b = (self.results.get((name, kind, n)) for name in (ours, theirs))
        if not a or not b:
            return None
        return [getattr(x, field) / getattr(y, field) for x, y in zip(a, b)]


HEAD = ["requests", "server", "connections", "CPU µs", "requests/s",
        "p50 ms", "p99 ms", "CPU / null's (range)"]


def rows(bench):
    """Lines of the table: lists of text."""
    for kind in KINDS:
        for server in bench.servers:
            for n in bench.options.connections:
                key = server.name, kind, n
                if key not in bench.results:
                    continue
                ratios = bench.ratios(server.name, "null", kind, n)
                yield [kind, server.name, "%d" % n] + [
                    form % bench.median(key, f) for form, f in (
                        ("%.1f", "cpu"), ("%.0f", "rate"), ("%.2f", "p50"),
                        ("%.2f", "p99"))] + [
                            plain.spread(ratios) if ratios else "–"]


TARGET_HEAD = ["ours", "theirs", "requests", "of", "connections", "promised",
               "ratio (range)", "kept"]


def targets(bench):
    """Lines that say which promise is kept."""
    for ours, theirs, kind, n, field, want in TARGETS:
        ratios = bench.ratios(ours, theirs, kind, n, field)
        if ratios is None:
            continue
        ratio = statistics.median(ratios)
        is_kept = ratio <= want if field == "cpu" else ratio >= want
        yield [ours, theirs, kind, "CPU" if field == "cpu" else "rate",
               "%d" % n, ("≤ %g" if field == "cpu" else "≥ %g") % want,
               plain.spread(ratios), "yes" if is_kept else "no"]


class HashMap:
    """Postfix's hash: map of a list, asked by `postmap -q -`.

    What is measured is the CPU of a look-up alone: no protocol, no limits,
    no scopes.
    """

    def __init__(self, directory, count):
        self.path = os.path.join(directory, "hash-%d" % count)
        self.count = count
        self.etc = os.path.join(directory, "etc")
        os.makedirs(self.etc, exist_ok=True)
        with open(os.path.join(self.etc, "main.cf"), "w",
                  encoding="ascii") as f:
            f.write("compatibility_level = 3.6\n")
        servers.write_list(self.path, count)
        with open(self.path, encoding="ascii") as f:
            lines = [line.rstrip() + " REJECT\n" for line in f]
        with open(self.path, "w", encoding="ascii") as f:
            f.writelines(lines)
        self._postmap(["hash:" + self.path])

    def _postmap(self, argv, keys=b""):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            ["postmap", "-c", self.etc] + argv, input=keys, stdout=subprocess.PIPE,
            env={"PATH": daemons.PATH}, check=False)
        if done.returncode not in (0, 1):
            raise RuntimeError("postmap: %d" % done.returncode)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - \
            before.ru_stime, done.stdout

    def look_ups(self, form, n):
        """Microseconds of CPU that one of n look-ups takes."""
        keys = "".join(form % (i * servers.STRIDE % self.count) + "\n"
                       for i in range(n)).encode()
        base = self._postmap(["-q", "-", "hash:" + self.path])[0]
        used, out = self._postmap(["-q", "-", "hash:" + self.path], keys)
        found = out.count(b"\n")
        if found != (n if form == servers.LISTED else 0):
            raise RuntimeError("hash: %d of %d found" % (found, n))
        return (used - base) / n * 1e6

    @staticmethod
    def why_not():
        """Why it cannot be asked here, or None."""
        return None if shutil.which("postmap", path=daemons.PATH) else \
            "Postfix is not installed"


HASH_HEAD = ["hash: map of", "CPU µs, listed", "CPU µs, not listed"]


def hash_rows(bench):
    """Lines of the table of Postfix's own map."""
    o = bench.options
    for count in o.hash_entries:
        look = HashMap(bench.dir, count)
        yield ["%d" % count] + [
            "%.2f" % statistics.median(
                look.look_ups(form, o.hash_look_ups)
                for _ in range(o.rounds))
            for form in (servers.LISTED,
                         servers.ASKED.replace("%u", "%d"))]


def report(bench):
    """Prints all tables."""
    o = bench.options
    print("%s; load %.1f; %d rounds of %d s; lists: %s" % (
        plain.machine(), os.getloadavg()[0], o.rounds, o.seconds, ", ".join(
            "%s %d" % (s.name, s.listed) for s in bench.servers)))
    for name, reason in bench.absent.items():
        print("not measured: %s: %s" % (name, reason))
    print("\n" + plain.table(HEAD, rows(bench), o.markdown))
    print("\n" + plain.table(TARGET_HEAD, targets(bench), o.markdown, 4))
    reason = HashMap.why_not()
    if reason is not None:
        print("\nnot measured: hash: " + reason)
    elif o.hash_entries:
        print("\n" + plain.table(HASH_HEAD, hash_rows(bench), o.markdown, 1))


def numbers(text):
    """A list of numbers, with commas."""
    return [int(word) for word in text.split(",") if word]


def parse(argv):
    """The options."""
    p = argparse.ArgumentParser(prog="run_policy_bench.py")
    p.add_argument("--rounds", type=int, default=7)
    p.add_argument("--seconds", type=int, default=2, help="of a run")
    p.add_argument("--connections", default=[1, 16, 64], type=numbers)
    p.add_argument("--only", metavar="PATTERN", help="servers")
    p.add_argument("--entries", type=int, default=10**7,
                   help="of policyd-list; 10^7 need 1 GB in /tmp")
    p.add_argument("--postfwd-entries", type=int, default=1000)
    p.add_argument("--hash-entries", default=[1000, 10**6], type=numbers)
    p.add_argument("--hash-look-ups", type=int, default=10**6)
    p.add_argument("--store", metavar="DIR", help="made if it is not there, "
                   "and kept: the list of a former run with as many entries")
    p.add_argument("--markdown", action="store_true")
    return p.parse_args(argv)


def main(argv):
    """Runs the bench and prints it."""
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
