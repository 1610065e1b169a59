#!/usr/bin/python3
"""Our milter beside others under the same load, by paired rounds.

A round runs every daemon once, one after the other; what is compared is two
daemons of the same round, so that a slow hour hits both.  Prints medians and
the ratios' range.  Asserts nothing but that every daemon does its work: its
signatures verify, every message is accepted.
"""
import argparse
import datetime
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import daemons  # noqa: E402
import bulkhead  # noqa: E402
import mta  # noqa: E402
import lab as labs  # noqa: E402

LOAD = os.path.join(labs.BUILD, "tests/tools/milter_load")
SHAPES = os.path.join(labs.BUILD, "tests/bench/make_shapes")
NAMES = ("text", "newsletter", "attachment")
# ours, theirs, shape, the ratio of CPU that was promised
TARGETS = (("everything", "opendkim", "newsletter", 0.4),
           ("everything-rsa", "opendkim", "newsletter", 0.4),
           ("sign-only", "opendkim", "text", 0.3),
           ("sign-only", "rspamd", "text", 0.6))
RATE_TARGET = ("everything", "plain", 0.7)


class Result:
    """What one daemon did in one round."""

    def __init__(self, cpu, counts):
        self.cpu = cpu / counts["messages"] * 1e6
        self.rate = counts["rate"]
        self.p50, self.p99 = counts["p50_us"], counts["p99_us"]


def load(daemon, mail, sessions, messages, *options):
    """The load's counts; fails unless every message was accepted."""
    done = subprocess.run(
        [LOAD, "-s", "unix:" + daemon.socket, "-f", mail, "-c",
         str(sessions), "-n", str(messages), "--json"] + list(options),
        stdout=subprocess.PIPE, timeout=600, check=False)
    counts = json.loads(done.stdout)
    if done.returncode != 0 or counts["messages"] != sessions * messages:
        raise RuntimeError("%s: %s" % (daemon.name, done.stdout.decode()))
    return counts


def prove(daemon, mail):
    """Fails unless its signatures are there and python3-dkim takes them."""
    out = os.path.join(daemon.keys.dir, daemon.name + ".out")
    load(daemon, mail, 1, 1, "-o", out)
    with open(out, "rb") as f:
        found = bulkhead.verify(f.read(), daemon.keys.zone)
    if len(found) != daemon.signatures or not all(found.values()):
        raise RuntimeError("%s, %s: signatures %r, %d wanted" % (
            daemon.name, os.path.basename(mail), found, daemon.signatures))


def measure(daemon, mail, sessions, messages):
    """One run."""
    before = daemon.cpu()
    counts = load(daemon, mail, sessions, messages)
    return Result(daemon.cpu() - before, counts)


class Bench:
    """Daemons that run, their mails, and what was measured."""

    def __init__(self, options):
        self.options = options
        for program in (LOAD, SHAPES, bulkhead.MILTER):
            if not os.access(program, os.X_OK):
                sys.exit("not built: %s (make check TESTS=, and name the "
                         "directory in BULKHEAD_BUILDDIR)" % program)
        self.dir = tempfile.mkdtemp(prefix="bh-bench-", dir="/tmp")
        os.chmod(self.dir, 0o755)
        subprocess.run([SHAPES, self.dir], check=True)
        self.daemons, self.absent = [], {}
        self.results = {}

    def mail(self, shape):
        """The file of a shape."""
        return os.path.join(self.dir, shape + ".eml")

    def start(self):
        """Starts who is here and wanted; notes who is absent."""
        for daemon in daemons.all_daemons(daemons.Keys(self.dir)):
            if self.options.only and not re.search(self.options.only,
                                                   daemon.name):
                continue
            reason = daemon.why_not()
            if reason is not None:
                self.absent[daemon.name] = reason
                continue
            self.daemons.append(daemon)
            daemon.start()

    def prove_all(self):
        """Every daemon signs every shape rightly."""
        for daemon in self.daemons:
            for shape in self.options.shapes:
                prove(daemon, self.mail(shape))

    def run(self):
        """All rounds of all shapes."""
        o = self.options
        for shape in o.shapes:
            for daemon in self.daemons:  # caches, allocators, threads
                measure(daemon, self.mail(shape), o.sessions,
                        max(o.messages // 10, 1))
            for number in range(o.rounds):
                for daemon in self.daemons:
                    self.results.setdefault((daemon.name, shape), []).append(
                        measure(daemon, self.mail(shape), o.sessions,
                                o.messages))
                print("%s: round %d of %d" % (shape, number + 1, o.rounds),
                      file=sys.stderr)

    def close(self):
        """Ends and removes everything."""
        for daemon in self.daemons:
            daemon.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def median(self, name, shape, field):
        """The median over the rounds, or None."""
        rows = self.results.get((name, shape))
        return statistics.median(
            getattr(r, field) for r in rows) if rows else None

    def ratio(self, ours, theirs, shape, field="cpu"):
        """Median, least and greatest ratio of paired rounds, or None."""
        a, b = (self.results.get((n, shape)) for n in (ours, theirs))
        if not a or not b:
            return None
        ratios = [getattr(x, field) / getattr(y, field)
                  for x, y in zip(a, b)]
        return statistics.median(ratios), min(ratios), max(ratios)


def bare_rsa():
    """Microseconds of an RSA-2048 signature by OpenSSL alone, as text.

    It is most of what signing costs, and differs by four between machines.
    """
    done = subprocess.run(["openssl", "speed", "-mr", "-seconds", "1",
                           "rsa2048"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False)
    found = re.search(rb"\+F2:\d+:2048:([\d.]+)", done.stdout)
    return "%.0f" % (1e6 / float(found.group(1))) if found else "?"


def machine():
    """What the numbers were measured on."""
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
        model = re.search(r"model name\s*: (.*)", f.read())
    version = subprocess.run(["openssl", "version"], stdout=subprocess.PIPE,
                             check=False).stdout.decode().split(" (")[0]
    return "%s, %s, %d cores, Linux %s, %s" % (
        datetime.date.today().isoformat(),
        model.group(1) if model else platform.machine(), os.cpu_count(),
        platform.release(), version.strip())


def rows(bench):
    """Lines of the table: lists of text."""
    for shape in bench.options.shapes:
        for daemon in bench.daemons:
            name = daemon.name
            ratio = bench.ratio(name, "opendkim", shape)
            yield [shape, name] + [
                "%.0f" % bench.median(name, shape, f)
                for f in ("cpu", "rate", "p50", "p99")] + [
                    "%.2f (%.2f–%.2f)" % ratio if ratio else "–"]


HEAD = ["message", "milter", "CPU µs", "msg/s", "p50 µs", "p99 µs",
        "CPU / opendkim's (range)"]


def table(head, lines, markdown, texts=2):
    """The lines as text or as Markdown; so many columns are text."""
    lines = list(lines)
    widths = [max(len(line[i]) for line in [head] + lines)
              for i in range(len(head))]

    def form(line):
        cells = [c.ljust(w) if i < texts else c.rjust(w)
                 for i, (c, w) in enumerate(zip(line, widths))]
        return "| " + " | ".join(cells) + " |" if markdown else \
            "  ".join(cells)
    out = [form(head)]
    if markdown:
        out.append("|" + "|".join(
            "-" * (w + 1) + ("-" if i < texts else ":")
            for i, w in enumerate(widths)) + "|")
    return "\n".join(out + [form(line) for line in lines])


def targets(bench):
    """Lines that say which promise is kept."""
    for ours, theirs, shape, want in TARGETS:
        ratio = bench.ratio(ours, theirs, shape)
        if ratio is not None:
            yield [ours, theirs, shape, "%.2f" % want,
                   "%.2f (%.2f–%.2f)" % ratio,
                   "yes" if ratio[0] <= want else "no"]


def spread(ratios):
    """A median and its range as text."""
    return "%.2f (%.2f–%.2f)" % (statistics.median(ratios), min(ratios),
                                 max(ratios))


def mta_rows(runs):
    """Lines of the table of the runs through Postfix."""
    for name, own in runs.items():
        yield [name] + ["%.0f" % statistics.median(
            getattr(r, f) for r in own) for f in (
                "rate", "postfix", "milter")] + [spread(
                    [a.rate / b.rate for a, b in zip(own, runs["plain"])])]


MTA_HEAD = ["milter in Postfix", "msg/s arrived", "Postfix CPU µs",
            "milter CPU µs", "rate / plain's (range)"]


def end_to_end(bench):
    """Runs and prints the rates through Postfix."""
    o = bench.options
    reason = mta.why_not()
    if reason is not None:
        print("\nnot measured: end to end: " + reason)
        return
    through = mta.EndToEnd(bench.daemons)
    try:
        mail = bench.mail("newsletter")
        through.prove_all(mail)
        through.run(mail, o.sessions, o.mta_messages, o.rounds)
        print("\nEnd to end, newsletter, %d sessions, %d messages a round, "
              "%d rounds:\n" % (o.sessions, o.mta_messages, o.rounds))
        print(table(MTA_HEAD, mta_rows(through.runs), o.markdown, 1))
        ours, theirs, want = RATE_TARGET
        if ours in through.runs:
            ratios = [a.rate / b.rate for a, b in zip(through.runs[ours],
                                                      through.runs[theirs])]
            print("\npromised: %s at least %.2f of %s's rate: %s" % (
                ours, want, theirs,
                "kept" if statistics.median(ratios) >= want else "not kept"))
    finally:
        through.close()


def parse(argv):
    """The options."""
    p = argparse.ArgumentParser(prog="run_bench.py")
    p.add_argument("--rounds", type=int, default=7)
    p.add_argument("--messages", type=int, default=100,
                   help="of each session in a round")
    p.add_argument("--sessions", type=int, default=20)
    p.add_argument("--only", metavar="PATTERN", help="daemons")
    p.add_argument("--shapes", default=",".join(NAMES),
                   type=lambda text: text.split(","))
    p.add_argument("--mta-messages", type=int, default=1000,
                   help="of a round through Postfix; 0: none")
    p.add_argument("--markdown", action="store_true")
    return p.parse_args(argv)


def main(argv):
    """Runs the bench and prints it."""
    options = parse(argv)
    bench = Bench(options)
    try:
        bench.start()
        bench.prove_all()
        bench.run()
        print("%s; load %.1f; a bare RSA-2048 signature %s µs; %d rounds of "
              "%d sessions with %d messages" % (
                  machine(), os.getloadavg()[0], bare_rsa(), options.rounds,
                  options.sessions, options.messages))
        for name, reason in bench.absent.items():
            print("not measured: %s: %s" % (name, reason))
        print("\n" + table(HEAD, rows(bench), options.markdown))
        print("\n" + table(["ours", "theirs", "message", "promised",
                            "CPU ratio (range)", "kept"],
                           targets(bench), options.markdown, 3))
        if options.mta_messages > 0:
            end_to_end(bench)
    finally:
        bench.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
