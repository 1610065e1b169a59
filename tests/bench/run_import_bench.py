#!/usr/bin/python3
"""`bulkhead suppress import` beside `sqlite3 .import` of the same addresses in
the same order, by paired rounds, and what a look-up costs in that list and in
an empty one.  Asserts nothing but that both have stored the list.

sqlite3 imports into the store's own table (its CREATE statements are taken
from the store's file), the other columns written out in its file, since
.import knows no defaults; into a new file, as it comes: one transaction, a
rollback journal.  "sqlite3 cached" is the same with 128 MB of page cache.
"""
import argparse
import array
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import run_bench as plain  # noqa: E402
import lab as labs  # noqa: E402

BULKHEAD = os.path.join(labs.BUILD, "bulkhead")
LOAD = os.path.join(labs.BUILD, "tests/store/load_store")
CONF = """store = "sqlite:%s"
domain "example.com" { sign s { key = /k } }
"""
REST = ",,0,,5,1796112000,0,import,,1"  # what an import's entry has, too
ROW = ("", 0, "", 5, 0, "import", "", 1)
CACHE = "PRAGMA cache_size = -131072"
PIECE = 100000
BATCHES = (1, 16, 64)
TIME_TARGET, SIZE_TARGET, MEMORY_TARGET = 0.4, 1000, 256
# The first syllable is in no order, so that neighbours in the list are not
# neighbours in the table.
SYLLABLES = ("ka", "lo", "mi", "ne", "ru", "sa", "to", "vi", "wa", "xe")


def address(number):
    """Some 26 octets."""
    mixed = number * 2654435761 % (1 << 32)
    return "%s%s%08d@mail%03d.example" % (
        SYLLABLES[mixed % 10], SYLLABLES[mixed // 10 % 10], number,
        mixed // 100 % 997)


def write_lists(directory, lines):
    """The same addresses, alone and with all columns."""
    numbers = array.array("L", range(lines))
    random.Random(10).shuffle(numbers)
    with open(os.path.join(directory, "list.txt"), "w",
              encoding="ascii") as short, \
            open(os.path.join(directory, "list.csv"), "w",
                 encoding="ascii") as full:
        for at in range(0, lines, PIECE):
            piece = [address(n) for n in numbers[at:at + PIECE]]
            short.write("".join(a + "\n" for a in piece))
            full.write("".join(a + REST + "\n" for a in piece))


class Result:
    """What one program took for the list."""

    def __init__(self, wall, usage, memory, path):
        self.wall = wall
        self.cpu = usage.ru_utime + usage.ru_stime
        self.memory = memory
        self.size = os.path.getsize(path) / 1e6


def peak(pid):
    """MB of memory so far (ru_maxrss would count this process's, too)."""
    try:
        with open("/proc/%d/status" % pid, encoding="ascii") as f:
            found = [line.split()[1] for line in f if "VmHWM" in line]
    except OSError:
        found = []
    return int(found[0]) / 1024 if found else 0


def run(argv, path):
    """Runs it; the file it made is there afterwards."""
    memory, pid = 0, 0
    began = time.monotonic()
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as p:
        while pid == 0:
            memory = max(memory, peak(p.pid))
            time.sleep(0.01)
            pid, status, usage = os.wait4(p.pid, os.WNOHANG)
        p.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - began
    if p.returncode != 0:
        raise RuntimeError("%s: exit %d" % (argv[0], p.returncode))
    return Result(wall, usage, memory, path)


class Bench:
    """Lists, stores, and what was measured."""

    def __init__(self, options):
        self.options = options
        for program in (BULKHEAD, LOAD):
            if not os.access(program, os.X_OK):
                sys.exit("not built: %s (make check TESTS=, and name the "
                         "directory in BULKHEAD_BUILDDIR)" % program)
        self.dir = tempfile.mkdtemp(prefix="bh-import-", dir=options.dir)
        self.names = ["bulkhead", "sqlite3"] + (
            ["sqlite3 cached"] if options.cached else [])
        self.results = {name: [] for name in self.names}
        self.finds = {}

    def close(self):
        """Removes everything."""
        shutil.rmtree(self.dir, ignore_errors=True)

    def path(self, *names):
        """A file of the bench."""
        return os.path.join(self.dir, *names)

    def command(self, store, *args):
        """`bulkhead suppress` over one of our stores."""
        conf = self.path(store + ".conf")
        with open(conf, "w", encoding="utf-8") as f:
            f.write(CONF % self.path(store))
        return [BULKHEAD, "suppress", *args, "-c", conf]

    def ours(self):
        """Bulkhead imports the list into a new store."""
        shutil.rmtree(self.path("store"), ignore_errors=True)
        return run(self.command("store", "import", self.path("list.txt"),
                                "--json"), self.path("store", "suppress.db"))

    def theirs(self, *options):
        """sqlite3 imports it into the same table."""
        path = self.path("theirs.db")
        if os.path.exists(path):
            os.unlink(path)
        own = sqlite3.connect(self.path("empty", "suppress.db"))
        other = sqlite3.connect(path)
        for (sql,) in own.execute("SELECT sql FROM sqlite_schema WHERE "
                                  "tbl_name = 'suppressions' AND sql <> ''"
                                  " AND type <> 'trigger'"):
            other.execute(sql)
        other.commit()
        other.close()
        own.close()
        return run(["sqlite3", "-csv", *options, path, ".import %s "
                    "suppressions" % self.path("list.csv")], path)

    def prove(self, path):
        """Fails unless the list is there."""
        db = sqlite3.connect(path)
        count, = db.execute("SELECT count(*) FROM suppressions").fetchone()
        some = [address(i) for i in range(0, self.options.lines,
                                          self.options.lines // 100 + 1)]
        found = [db.execute(
            "SELECT domain, stream, list, reason, expires, source, evidence, "
            "import FROM suppressions WHERE address = ?", (a,)).fetchone()
            for a in some]
        db.close()
        if count != self.options.lines or found != [ROW] * len(some):
            raise RuntimeError("%s: %d of %d lines, %r" % (
                path, count, self.options.lines, found[0]))

    def make_empty(self):
        """A store with nothing in it."""
        for verb in ("add", "remove"):
            subprocess.run(self.command("empty", verb, "a@b.example"),
                           check=True, stdout=subprocess.DEVNULL)

    def round(self):
        """Everybody once."""
        self.results["bulkhead"].append(self.ours())
        self.prove(self.path("store", "suppress.db"))
        for name in self.names[1:]:
            options = ("-cmd", CACHE) if name == "sqlite3 cached" else ()
            self.results[name].append(self.theirs(*options))
            self.prove(self.path("theirs.db"))
            os.unlink(self.path("theirs.db"))

    def find(self, store, kind, batch, lines):
        """One run of look-ups."""
        done = subprocess.run(
            [LOAD, "time", "sqlite:" + self.path(store), str(batch)],
            input=lines, stdout=subprocess.PIPE, check=True)
        said = json.loads(done.stdout)
        want = self.options.lookups if (store, kind) == ("store",
                                                         "hit") else 0
        if said["found"] != want:
            raise RuntimeError("%s, %s: %r" % (store, kind, said))
        self.finds.setdefault((store, kind, batch), []).append(
            said["cpu_us"])

    def find_all(self):
        """Random look-ups in the list and in the empty one, by turns."""
        rest = random.Random(11)
        numbers = [rest.randrange(self.options.lines)
                   for _ in range(self.options.lookups)]
        lines = {"hit": "".join(address(n) + "\n" for n in numbers),
                 "miss": "".join(address(n) + ".miss\n" for n in numbers)}
        for _ in range(self.options.find_rounds):
            for batch in BATCHES:
                for kind, text in lines.items():
                    for store in ("empty", "store"):
                        self.find(store, kind, batch, text.encode())

    def run(self):
        """All of it."""
        write_lists(self.dir, self.options.lines)
        self.make_empty()
        for number in range(self.options.rounds):
            self.round()
            print("round %d of %d" % (number + 1, self.options.rounds),
                  file=sys.stderr)
        self.find_all()

    def ratios(self, theirs, field):
        """Ours to theirs, of each round."""
        return [getattr(a, field) / getattr(b, field) for a, b in zip(
            self.results["bulkhead"], self.results[theirs])]

    def median(self, name, field):
        """Of the rounds."""
        return plain.statistics.median(
            getattr(r, field) for r in self.results[name])


HEAD = ["import", "wall s", "CPU s", "peak MB", "file MB",
        "wall: bulkhead's / this (range)", "CPU: likewise"]
FIND_HEAD = ["look-up", "at a time", "empty, CPU µs", "list, CPU µs",
             "ratio (range)"]


def rows(bench):
    """Lines of the imports' table."""
    for name in bench.names:
        yield [name] + ["%.1f" % bench.median(name, "wall"),
                        "%.1f" % bench.median(name, "cpu"),
                        "%.0f" % bench.median(name, "memory"),
                        "%.0f" % bench.median(name, "size")] + [
                            plain.spread(bench.ratios(name, field))
                            for field in ("wall", "cpu")]


def find_rows(bench):
    """Lines of the look-ups' table."""
    for kind in ("hit", "miss"):
        for batch in BATCHES:
            empty, full = (bench.finds[(store, kind, batch)]
                           for store in ("empty", "store"))
            yield [kind, str(batch)] + [
                "%.2f" % plain.statistics.median(v)
                for v in (empty, full)] + [
                    plain.spread([b / a for a, b in zip(empty, full)])]


def targets(bench):
    """Lines that say which promise is kept."""
    for name in bench.names[1:]:
        ratios = bench.ratios(name, "wall")
        yield ["time, to that of " + name, "%.2f" % TIME_TARGET,
               plain.spread(ratios), plain.statistics.median(ratios) <=
               TIME_TARGET]
    size = bench.median("bulkhead", "size")
    memory = max(r.memory for r in bench.results["bulkhead"])
    yield ["MB on disk", "%d" % SIZE_TARGET, "%.0f" % size,
           size <= SIZE_TARGET]
    yield ["MB of memory", "%d" % MEMORY_TARGET, "%.0f" % memory,
           memory <= MEMORY_TARGET]


def parse(argv):
    """The options."""
    p = argparse.ArgumentParser(prog="run_import_bench.py")
    p.add_argument("--lines", type=int, default=10000000)
    p.add_argument("--rounds", type=int, default=2)
    p.add_argument("--lookups", type=int, default=300000)
    p.add_argument("--find-rounds", type=int, default=5)
    p.add_argument("--cached", action="store_true",
                   help="sqlite3 with 128 MB of page cache, too")
    p.add_argument("--dir", default="/var/tmp",
                   help="some 3 GB for ten million lines")
    p.add_argument("--markdown", action="store_true")
    return p.parse_args(argv)


def why_not():
    """Why it cannot be run here, or None."""
    return None if shutil.which("sqlite3") else "no sqlite3 (apt: sqlite3)"


def main(argv):
    """Runs the bench and prints it."""
    options = parse(argv)
    if why_not() is not None:
        sys.exit(why_not())
    bench = Bench(options)
    try:
        bench.run()
        print("%s, SQLite %s; load %.1f; %d lines, %d rounds" % (
            plain.machine(), sqlite3.sqlite_version, os.getloadavg()[0],
            options.lines, options.rounds))
        print("\n" + plain.table(HEAD, rows(bench), options.markdown, 1))
        print("\n" + plain.table(FIND_HEAD, find_rows(bench),
                                 options.markdown, 1))
        print("\n" + plain.table(
            ["promised", "at most", "measured", "kept"],
            [line[:3] + ["yes" if line[3] else "no"]
             for line in targets(bench)], options.markdown, 1))
    finally:
        bench.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
