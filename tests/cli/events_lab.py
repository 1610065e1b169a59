"""A store with events of its own for each test of `bulkhead events`, and the
command over it.
"""
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
import tap  # noqa: E402

BUILD = os.path.abspath(os.environ.get("BULKHEAD_BUILDDIR", "."))
BULKHEAD = os.path.join(BUILD, "bulkhead")
PUT = os.path.join(BUILD, "tests", "tools", "event_put")
WORK = tempfile.mkdtemp(prefix="events-")

CONF = """store = "sqlite:%s"
domain "example.com" { sign s { key = /k } }
stream "newsletter" { match { sender = { "*@n" } } }
stream "notices" { match { sender = { "*@b" } } }
"""

DAY = 86400
NOON = 1795435200  # 2026-11-23T12:00:00Z


class Events:
    """A store of its own."""
    count = 0

    def __init__(self):
        Events.count += 1
        self.dir = os.path.join(WORK, str(Events.count))
        self.store = os.path.join(self.dir, "store")
        os.mkdir(self.dir)
        self.conf = os.path.join(self.dir, "conf")
        self.err = ""
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(CONF % self.store)

    def put(self, at, first, count, recipient="reader@x.example", *more):
        """Adds events numbered from first on, at those seconds."""
        subprocess.run([PUT, "sqlite:" + self.store, str(at), str(first),
                        str(count), recipient, *more], check=True)

    def start(self, *args, **kwargs):
        """`bulkhead events ARGS`, running."""
        return subprocess.Popen(
            [BULKHEAD, "events", *args, "-c", self.conf],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kwargs)

    def run(self, *args, code=0):
        """stdout of `bulkhead events ARGS`."""
        with self.start(*args) as process:
            out, err = process.communicate(timeout=60)
        self.err = err.decode()
        tap.equal(process.returncode, code, "exit of %s: %s" % (
            " ".join(args), self.err))
        return out.decode()

    def json(self, *args, code=0):
        """The objects that it prints, one a line."""
        return [json.loads(line) for line in
                self.run("--json", *args, code=code).splitlines()]

    def report(self):
        """The campaign of all events, as an object."""
        out = subprocess.run(
            [BULKHEAD, "report", "-c", self.conf, "--json", "winter"],
            check=True, stdout=subprocess.PIPE).stdout
        return json.loads(out)

    def files(self):
        """The names of the days' files."""
        return sorted(os.path.basename(p) for p in glob.glob(
            os.path.join(self.store, "events-*.db")))


def ids(events):
    """The numbers of events, as the test gave them."""
    return [int(e["url"].rsplit("/", 1)[1]) for e in events]


def run(points):
    """Runs the tests, and cleans up."""
    status = tap.run(points)
    shutil.rmtree(WORK)
    sys.exit(status)
