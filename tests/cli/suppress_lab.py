"""A store of its own for each test of `bulkhead suppress`, and the command
over it.
"""
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

BULKHEAD = os.path.join(os.path.abspath(os.environ.get(
    "BULKHEAD_BUILDDIR", ".")), "bulkhead")
IMPORTS = os.path.join(HERE, "imports")
WORK = tempfile.mkdtemp(prefix="suppress-")

CONF = """store = "sqlite:%s"
domain "example.com" { sign s { key = /k } }
stream "newsletter" { match { sender = { "*@n" } } }
stream "a/b" { match { sender = { "*@b" } } alias = { "former" } }
"""


class Store:
    """A store of its own, and the command over it."""
    count = 0

    def __init__(self):
        Store.count += 1
        self.dir = os.path.join(WORK, str(Store.count))
        os.mkdir(self.dir)
        self.conf = os.path.join(self.dir, "conf")
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(CONF % os.path.join(self.dir, "store"))

    def run(self, *args, code=0, stdin=b""):
        """stdout of `bulkhead suppress ARGS`."""
        done = subprocess.run(
            [BULKHEAD, "suppress", *args, "-c", self.conf], input=stdin,
            cwd=self.dir, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            check=False)
        self.err = done.stderr.decode()
        tap.equal(done.returncode, code, "exit of %s: %s" % (
            " ".join(args), self.err))
        return done.stdout.decode()

    def json(self, *args, code=0, stdin=b""):
        """The one object that a verb prints."""
        return json.loads(self.run(*args, "--json", code=code, stdin=stdin))

    def entries(self, *args):
        """What is listed, by address."""
        found = [json.loads(line) for line in
                 self.run("list", "--json", *args).splitlines()]
        return {e["address"]: e for e in found}

    def text(self, name, content, *args, code=0):
        """Imports a file of that name and content."""
        path = os.path.join(self.dir, name)
        with open(path, "wb") as f:
            f.write(content if isinstance(content, bytes) else
                    content.encode())
        return self.json("import", path, *args, code=code)


def run(points):
    """Runs the tests, and cleans up."""
    status = tap.run(points)
    shutil.rmtree(WORK)
    sys.exit(status)
