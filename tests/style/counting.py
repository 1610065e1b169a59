#!/usr/bin/python3
"""The runner counts honestly: tables of outputs and what they come to.

Also runs programs that crash, hang and leave children behind.
"""
import os
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))))
import runner  # noqa: E402

# (name, output, exit status, passed, failed, skipped)
TAP = [
    ("all well", "1..2\nok 1 - a\nok 2 - b\n", 0, 2, 0, 0),
    ("plan at the end", "ok 1\nok 2\n1..2\n", 0, 2, 0, 0),
    ("one fails", "1..2\nok 1\nnot ok 2\n", 1, 1, 1, 0),
    ("fails, yet exits with 0", "1..1\nnot ok 1\n", 0, 0, 1, 0),
    ("skipped", "1..2\nok 1 # SKIP no corpus\nok 2 - b # skip\n", 0, 0, 0, 2),
    ("wholly skipped", "1..0 # SKIP no Postfix\n", 0, 0, 0, 1),
    ("no plan", "ok 1\n", 0, 1, 1, 0),
    ("nothing at all", "", 0, 0, 1, 0),
    ("plan of none", "1..0\n", 0, 0, 1, 0),
    ("crash behind the last point", "1..1\nok 1\n", -11, 1, 1, 0),
    ("too few", "1..3\nok 1\nok 2\n", 0, 2, 1, 0),
    ("too many", "1..1\nok 1\nok 2\n", 0, 2, 1, 0),
    ("two groups", "1..1\nok 1\n1..2\nok 1\nok 2\n", 0, 3, 0, 0),
    ("gives up", "1..1\nok 1\nBail out! no disk\n", 0, 1, 1, 0),
    ("timed out", "1..2\nok 1\n", "no end after 1 s", 1, 1, 0),
    ("skip must be said of ok", "1..1\nnot ok 1 # SKIP\n", 0, 0, 1, 0),
    ("text that begins with ok", "1..1\nokay\nok 1\n", 0, 1, 0, 0),
]

# (name, .trs text, passed, failed, skipped)
TRS = [
    ("automake: well", ":test-result: PASS 1\n:test-result: SKIP 2\n",
     1, 0, 1),
    ("automake: fail and error", ":test-result: FAIL 1\n"
     ":test-result: ERROR - exited with status 1\n", 0, 2, 0),
    ("automake: expected failures are none", ":test-result: XFAIL 1\n",
     0, 1, 0),
    ("automake: nothing", ":recheck: no\n", 0, 1, 0),
]


def counted(count, want):
    """True when the three numbers are those."""
    return (count.passed, count.failed, count.skipped) == want


def status_of(script, seconds=5):
    """What execute() says of a shell script."""
    with tempfile.NamedTemporaryFile() as log:
        return runner.execute(["/bin/sh", "-c", script], log.name, seconds,
                              "/")


def hangs():
    """A program that ignores being asked is killed in bounded time."""
    start = time.monotonic()
    status = status_of("sleep 60", 1)
    return str(status).startswith("no end") and time.monotonic() - start < 20


def leaves_child():
    """What a test leaves running is ended with it."""
    with tempfile.NamedTemporaryFile() as pid:
        status = status_of("sleep 60 & echo $! > %s" % pid.name)
        child = int(pid.read())
    for _ in range(50):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return status == 0
        with open("/proc/%d/stat" % child, encoding="ascii") as f:
            if f.read().rsplit(")", 1)[1].split()[0] == "Z":
                return status == 0
        time.sleep(0.1)
    return False


def main():
    """Prints TAP."""
    points = []
    for name, text, status, *want in TAP:
        count, _ = runner.count_tap(text, status)
        points.append((name, counted(count, tuple(want))))
    for name, text, *want in TRS:
        points.append((name, counted(runner.count_trs(text), tuple(want))))
    points.append(("exit status", status_of("exit 3") == 3))
    points.append(("signal", status_of("kill -SEGV $$") == -11))
    points.append(("hangs", hangs()))
    points.append(("leaves a child", leaves_child()))
    print("1..%d" % len(points))
    for n, (name, ok) in enumerate(points, 1):
        print("%sok %d - %s" % ("" if ok else "not ", n, name))
    sys.exit(0 if all(ok for _, ok in points) else 1)


if __name__ == "__main__":
    main()
