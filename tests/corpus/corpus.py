"""Where the mail corpus is and how its index reads.  See README.md.

Not a test: the tests are beside it.
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SRCDIR = os.environ.get("BULKHEAD_SRCDIR") or os.path.dirname(
    os.path.dirname(HERE))
BUILDDIR = os.environ.get("BULKHEAD_BUILDDIR") or SRCDIR
CORPUS = os.environ.get("BULKHEAD_CORPUS") or os.path.join(
    SRCDIR, "..", "shared", "corpus")

sys.path.insert(0, os.path.join(SRCDIR, "tests", "integration"))


def is_there():
    """False when there is no corpus: tests are then skipped."""
    return os.path.isfile(os.path.join(CORPUS, "index.tsv"))


def path(name):
    """A file of the corpus."""
    return os.path.join(CORPUS, name)


def tool(name):
    """A program built from tests/tools."""
    return os.path.join(BUILDDIR, "tests", "tools", name)


def rows(name):
    """The rows of a table as dictionaries by its first line."""
    with open(path(name), encoding="utf-8", errors="surrogateescape",
              newline="\n") as f:
        lines = f.read().split("\n")
    names = lines[0].split("\t")
    return [dict(zip(names, line.split("\t"))) for line in lines[1:] if line]


def field(expected, name):
    """The value of k in "k=v;k=v", "" when there is none."""
    for item in expected.split(";"):
        if item.startswith(name + "="):
            return item[len(name) + 1:]
    return ""


def say(text):
    """A TAP comment."""
    print("# " + text.encode("ascii", "backslashreplace").decode())
