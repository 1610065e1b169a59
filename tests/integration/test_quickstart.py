#!/usr/bin/python3
"""quickstart's show as a newcomer sees it, on the build under test; and,
with BULKHEAD_LONG, the script itself with --keep and stop."""
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import bulkhead  # noqa: E402
import lab as labs  # noqa: E402
import tap  # noqa: E402

SCRIPT = os.path.join(labs.ROOT, "quickstart")
WANT = [
    "s=s1: valid; with one letter changed: invalid",
    "s=e1: valid; with one letter changed: invalid",
    "+ List-Unsubscribe: ",
    "+ List-Unsubscribe-Post: List-Unsubscribe=One-Click",
    "-> https://t.example.com/c/",
    "https://bank.example/login",
    "clicks a link: 302 -> https://shop.example.com/",
    "200 image/gif, 43 octets",
    "leaves the newsletter by one click: 200",
    "the next one, at its end: 550 5.7.1 ",
    "the next one, at RCPT: 550 5.7.1 ",
    "  clicked       human     newsletter ",
    "stream newsletter, ",
    "bulkhead-trackd   up for ",
    "suppressed (hard-bounce 20",
    "suppressed (unsubscribe 20",
    "(2/m): retry in ",
    "passed on unsigned and unchanged",
    "Postfix says 451",
    "All stopped",
]


def run(argv, seconds):
    """(status, output)."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, timeout=seconds,
                          stdin=subprocess.DEVNULL, check=False,
                          stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def show(result):
    """The show runs to its end."""
    with tempfile.TemporaryDirectory() as state:
        status, result["text"] = run(
            [sys.executable, "-B", os.path.join(
                labs.ROOT, "tests/integration/demo.py"), state], 120)
        tap.equal(status, 0, "exit status; " + result["text"])


def says(result, text):
    """One line of it."""
    tap.true(text in result["text"], "no %r in:\n%s" % (
        text, result["text"]))


def is_readable(result):
    """Short enough for a newcomer: a screen or two, no wide lines."""
    lines = result["text"].splitlines()
    tap.true(len(lines) < 110, "%d lines" % len(lines))
    wide = [line for line in lines if len(line) > 160]
    tap.equal(wide, [], "wide lines")


def keep_and_stop():
    """The script itself; needs a build of its own."""
    if not os.environ.get("BULKHEAD_LONG"):
        raise tap.Skip("only with --long")
    status, text = run([SCRIPT, "--keep"], 280)
    try:
        tap.equal(status, 0, text)
        tap.true("still running" in text, text)
    finally:
        status, text = run([SCRIPT, "stop"], 60)
    tap.equal((status, text.strip()), (0, "stopped"))
    tap.equal(run([SCRIPT, "stop"], 60)[1].strip(), "nothing was running")


def main():
    """The show once, then what it said."""
    reason = bulkhead.why_not()
    if reason:
        return tap.skip_all(reason)
    result = {"text": ""}
    points = [("the show", lambda: show(result))]
    points += [("says: " + t, lambda t=t: says(result, t)) for t in WANT]
    points.append(("is readable", lambda: is_readable(result)))
    points.append(("--keep and stop", keep_and_stop))
    return tap.run(points)


if __name__ == "__main__":
    sys.exit(main())
