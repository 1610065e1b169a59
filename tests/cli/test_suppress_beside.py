#!/usr/bin/python3
"""An import runs while another process adds durably, as a daemon's writer
does it, a command adds, and a third looks addresses up: everything that was
acknowledged is there, every look-up is answered.  How long they waited is
reported, and no time is asserted.

BULKHEAD_IMPORT_LINES=10000000 makes it as large as the promise (an add waits
at most 300 ms beside an import of ten million lines).
"""
import json
import os
import random
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import suppress_lab  # noqa: E402
import tap  # noqa: E402
from suppress_lab import BULKHEAD, Store  # noqa: E402

LOAD = os.path.join(os.path.dirname(BULKHEAD), "tests/store/load_store")
LINES = int(os.environ.get("BULKHEAD_IMPORT_LINES", "100000"))
SLICE = 100000


class Beside:
    """An import, and what others saw meanwhile."""

    def __init__(self):
        if not os.access(LOAD, os.X_OK):
            raise tap.Skip("not built: " + LOAD)
        self.store = Store()
        self.list = os.path.join(self.store.dir, "list.txt")
        self.commands = 0
        write_list(self.list, LINES)
        self.store.run("add", "first@r.example")
        loads = {what: self.start(what) for what in ("add", "find")}
        try:
            self.told = self.run_import()
        finally:
            said = {what: p.communicate()[0] for what, p in loads.items()}
        for what, p in loads.items():
            tap.equal(p.returncode, 0, what)
        self.adds = json.loads(said["add"])
        self.finds = json.loads(said["find"])

    def start(self, what):
        """Somebody who works until his input ends."""
        return subprocess.Popen(
            [LOAD, what, "sqlite:" + os.path.join(self.store.dir, "store")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run_import(self):
        """The import; the command adds until it is done."""
        with subprocess.Popen(
                [BULKHEAD, "suppress", "import", self.list, "--json", "-c",
                 self.store.conf], stdout=subprocess.PIPE) as p:
            while p.poll() is None and self.commands < 1000:
                self.store.run("add", "command%d@r.example" % self.commands)
                self.commands += 1
            out = p.stdout.read()
            tap.equal(p.wait(), 0, "import")
        return json.loads(out)

    def report(self):
        """What people want to know."""
        for what, times in (("adds", self.adds), ("look-ups of 16",
                                                  self.finds)):
            print("# beside an import of %d lines, %s: %s" % (
                LINES, what, ", ".join("%s %.1f ms" % (
                    q, times[q + "_ms"]) for q in ("p50", "p99", "max"))))


def write_list(path, n):
    """So many addresses in no order."""
    numbers = list(range(n))
    random.Random(4).shuffle(numbers)
    with open(path, "w", encoding="ascii") as f:
        for at in range(0, n, SLICE):
            f.write("".join("%cuser%07d@mail%03d.example\n" % (
                97 + i * 31 % 26, i, i * 7919 % 997)
                for i in numbers[at:at + SLICE]))


def beside():
    """Nothing that was acknowledged lacks, nothing was left unanswered."""
    b = Beside()
    b.report()
    tap.equal(b.told["added"], LINES, "imported")
    tap.true(b.adds["acknowledged"] > 0 and b.finds["batches"] > 0 and
             b.commands > 0, "somebody did nothing")
    tap.equal(b.finds["unknown"], 0, "look-ups without an answer")
    found = b.store.entries("--source", "load")
    tap.equal(set(found), {
        "%c%d.load@added.example" % (97 + i % 26, i)
        for i in range(b.adds["acknowledged"])}, "added by the writer")
    tap.equal(b.store.json("stats")["entries"], LINES + 1 + b.commands +
              b.adds["acknowledged"], "all of them")


if __name__ == "__main__":
    suppress_lab.run([("adds and look-ups beside an import", beside)])
