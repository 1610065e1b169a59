"""TAP for tests that are Python functions.

A test is a function named test_*; it fails by raising.  Nothing else here.
"""
import sys
import traceback


class Skip(Exception):
    """Raised by a test that cannot be run here."""


def equal(got, want, what=""):
    """Fails, showing where two values begin to differ."""
    if got == want:
        return
    if isinstance(got, bytes) and isinstance(want, bytes):
        at = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b),
                  min(len(got), len(want)))
        raise AssertionError("%s: differ at octet %d:\n got  %r\n want %r" % (
            what, at, got[max(at - 60, 0):at + 60],
            want[max(at - 60, 0):at + 60]))
    raise AssertionError("%s: got %r, want %r" % (what, got, want))


def true(claim, what):
    """Fails with that text unless the claim holds."""
    if not claim:
        raise AssertionError(what)


def _comment(text):
    for line in text.splitlines():
        print("# " + line.encode("ascii", "backslashreplace").decode()[:500])


def run(points, explain=None):
    """Runs (name, function) pairs; prints TAP; the exit status.

    explain() gives more text after a failure, a log for example.
    """
    failed = 0
    print("1..%d" % len(points), flush=True)
    for number, (name, test) in enumerate(points, 1):
        try:
            test()
            print("ok %d - %s" % (number, name), flush=True)
        except Skip as e:
            print("ok %d - %s # SKIP %s" % (number, name, e), flush=True)
        except Exception as e:  # a test's failure must not end the others
            failed += 1
            print("not ok %d - %s" % (number, name))
            _comment("%s: %s" % (type(e).__name__, e))
            _comment("".join(traceback.format_tb(e.__traceback__)[-2:]))
            if explain is not None:
                _comment(explain())
            sys.stdout.flush()
    return 1 if failed else 0


def skip_all(reason):
    """The whole program is skipped."""
    print("1..0 # SKIP " + reason)
    return 0
