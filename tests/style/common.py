"""What the style tests share: the tree, its files, and TAP.

Not a rule: the rules are in the modules beside it.
"""
import os
import re
import sys

SOURCE_DIRS = ("lib", "milter", "policyd", "trackd", "logd", "cli")
TEXT_DIRS = SOURCE_DIRS + ("tests", "conf", "docs", "packaging", ".ci")
SKIPPED_DIRS = {".git", ".deps", "autom4te.cache", "build-aux", "__pycache__",
                ".quickstart"}


def default_root():
    """The source tree: where automake says, or two levels up."""
    here = os.path.dirname(os.path.abspath(__file__))
    return os.environ.get("BULKHEAD_SRCDIR") or os.path.dirname(
        os.path.dirname(here))


def walk(root, dirs, suffixes=None):
    """Relative paths of regular files below dirs, sorted."""
    found = []
    for top in dirs:
        for base, subdirs, names in os.walk(os.path.join(root, top)):
            subdirs[:] = sorted(d for d in subdirs if d not in SKIPPED_DIRS)
            for name in names:
                if suffixes is None or name.endswith(suffixes):
                    found.append(os.path.relpath(
                        os.path.join(base, name), root))
    return sorted(f for f in found if os.path.isfile(os.path.join(root, f)))


def sources(root, suffixes=(".c", ".h"), tests=True):
    """C sources of the product and, by default, of the tests."""
    return walk(root, SOURCE_DIRS + (("tests",) if tests else ()), suffixes)


def read(root, path):
    """A file as text; bytes that are not UTF-8 survive as surrogates."""
    with open(os.path.join(root, path), encoding="utf-8",
              errors="surrogateescape") as f:
        return f.read()


def _blank(match):
    text = match.group(0)
    if text.startswith("/"):
        return re.sub(r"[^\n]", " ", text)
    return text[0] + re.sub(r"[^\n]", " ", text[1:-1]) + text[-1]


# Comments and literals together, so that neither hides in the other.
TOKEN = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def code_only(text):
    """C with comments and the contents of literals blanked, lines kept."""
    return TOKEN.sub(_blank, text)


def comments(text):
    """A match for each comment of C."""
    return [m for m in TOKEN.finditer(text) if m.group(0)[0] == "/"]


def line_of(text, offset):
    """The line number of an offset."""
    return text.count("\n", 0, offset) + 1


def run_rules(rules, root, out=sys.stdout):
    """Prints TAP, one point a rule; a rule yields one text a violation.

    A rule may return (violations, diagnostics).  Returns how many failed.
    """
    failed = 0
    print("1..%d" % len(rules), file=out)
    for number, (name, rule) in enumerate(rules.items(), 1):
        result = rule(root)
        notes = []
        if isinstance(result, tuple):
            result, notes = result
        violations = list(result)
        failed += bool(violations)
        print("%sok %d - %s" % ("not " if violations else "", number, name),
              file=out)
        for text in list(notes) + violations[:200]:
            print("# " + text.encode("ascii", "backslashreplace").decode(),
                  file=out)
    out.flush()
    return failed


def main(rules):
    """The whole of a style test's main."""
    sys.exit(1 if run_rules(rules, default_root()) else 0)
