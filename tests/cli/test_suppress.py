#!/usr/bin/python3
"""The verbs of `bulkhead suppress` but import: what they change, print and
return, through the real command and store.
"""
import json
import os
import pty
import sqlite3
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import suppress_lab  # noqa: E402
import tap  # noqa: E402
from suppress_lab import BULKHEAD, Store  # noqa: E402

VERBS = ("add", "remove", "check", "list", "import", "export", "stats",
         "undo", "imports", "history")


def usage():
    """Help for each verb on stdout; what is wrong is told, exit 64."""
    store = Store()
    tap.true("history" in store.run("--help"), "help")
    for verb in VERBS:
        text = store.run(verb, "--help")
        tap.true(text.startswith("usage: bulkhead suppress " + verb), text)
        tap.true("Exit: 0" in text, text)
        tap.true(all(len(line) <= 80 for line in text.splitlines()),
                 "wide: " + text)
    for args in ([], ["frob"], ["add"], ["check"], ["undo"], ["import"],
                 ["import", "a", "b"], ["stats", "x"], ["imports", "x"],
                 ["list", "a@b", "c@d"], ["add", "--frob", "a@b"],
                 ["add", "--from", "ses", "a@b"], ["check", "--reason",
                                                   "manual", "a@b"],
                 ["add", "--dry-run", "a@b"], ["stats", "--expired"],
                 ["add", "--reason", "spite", "a@b"],
                 ["add", "--expires", "soon", "a@b"],
                 ["add", "--expires", "2001-01-01", "a@b"],
                 ["list", "--since", "yesterday"],
                 ["list", "--import", "x"], ["list", "--domain", "@"],
                 ["export", "--format", "xml"]):
        store.run(*args, code=64)
        tap.true(store.err.startswith("bulkhead suppress: ") or (
            not args and store.err != ""), "%r: %s" % (args, store.err))
    store.run("list", "--frob", code=64)
    tap.true('--frob: no such option' in store.err, store.err)
    done = subprocess.run([BULKHEAD, "suppress", "list", "--reason"],
                          stderr=subprocess.PIPE, check=False)
    tap.true(done.returncode == 64 and
             b"--reason: wants a value" in done.stderr, done.stderr)
    store.run("list", "--expired", code=69)  # nothing was stored yet


def no_settings():
    """Settings that are not there: 78."""
    done = subprocess.run([BULKHEAD, "suppress", "list", "-c", "/nonexistent"],
                          stderr=subprocess.PIPE, check=False)
    tap.equal(done.returncode, 78, "exit")
    tap.true(b"/nonexistent" in done.stderr, done.stderr)


def add():
    """Normal forms; the same again; a longer one; one that is wrong."""
    store = Store()
    tap.equal(store.run("add", " <User@EXAMPLE.org> ", "x@bücher.example"),
              "user@example.org: added (manual, global)\n"
              "x@xn--bcher-kva.example: added (manual, global)\n", "added")
    tap.equal(store.run("add", "user@example.org"),
              "user@example.org: already listed (manual, global)\n", "again")
    store.run("add", "short@example.org", "--expires", "1d")
    tap.equal(store.run("add", "short@example.org", "--expires", "2d"),
              "short@example.org: extended (manual, global)\n", "longer")
    told = store.json("add", "e@example.org", "--note", "so\nthere",
                      "--reason", "complaint")
    tap.equal((told["outcome"], told["reason"], told["evidence"],
               told["source"]), ("added", "complaint", "so there", "cli"),
              "JSON")
    store.run("add", "good@example.org", "not an address", code=65)
    tap.true("nothing was done" in store.err, store.err)
    store.run("check", "good@example.org", code=1)
    out = store.run("add", "-", stdin=b"in1@example.org\n\nIN2@example.org")
    tap.equal(out.count(": added"), 2, out)
    store.run("add", "-", stdin=b"x" * 70000, code=65)


def check():
    """0 listed, 1 not; with a scope only what applies to it."""
    store = Store()
    store.run("add", "a@b.example", "--reason", "unsubscribe", "--scope",
              "example.com/newsletter")
    store.run("add", "a@b.example", "--reason", "soft-bounces")
    store.run("add", "@dom.example", "--note", "closed")
    store.run("check", "A@B.example")
    store.run("check", "c@b.example", code=1)
    store.run("check", "who@dom.example")
    store.run("check", "who@sub.dom.example", code=1)
    store.run("check", "c@b.example", "a@b.example")
    store.run("check", "-", stdin=b"c@b.example\nd@b.example\n", code=1)
    store.run("list", "nobody", code=65)
    store.run("export", "nobody", code=65)
    store.run("check", "nobody", code=65)
    told = [json.loads(line) for line in store.run(
        "check", "c@b.example", "who@dom.example", "--json").splitlines()]
    tap.equal([(t["asked"], t["listed"], t.get("address")) for t in told],
              [("c@b.example", False, None),
               ("who@dom.example", True, "@dom.example")], "each of them")
    told = store.json("check", "c@b.example", "--scope", "global", code=1)
    tap.equal(told, {"asked": "c@b.example", "listed": False}, "not listed")
    told = store.json("check", "a@b.example", "--scope",
                      "example.com/newsletter/l")
    tap.equal(told["reason"], "unsubscribe", "the strongest")
    told = store.json("check", "a@b.example", "--scope", "global")
    tap.equal(told["reason"], "soft-bounces", "globally")
    told = store.json("check", "x@dom.example", "--scope", "global")
    tap.equal((told["address"], told["evidence"]),
              ("@dom.example", "closed"), "by its domain")
    out = store.run("check", "a@b.example", "--json")
    tap.equal(len(out.splitlines()), 2, "wherever")
    store.run("add", "gone@b.example", "--expires", "1s")
    time.sleep(2.1)
    store.run("check", "gone@b.example", code=1)


def scopes():
    """Titles, ids, lists; what is not in the settings is told."""
    store = Store()
    for text, want in (
            ("global", "global"), ("Example.COM", "example.com"),
            ("example.com/newsletter", None), ("example.com/a/b", "#"),
            ("example.com/former", "#"),
            ("example.com/#00c0ffee", "example.com/#00c0ffee"),
            ("example.com/#00c0ffee/k", "example.com/#00c0ffee/k"),
            ("example.com/*/k", None), ("example.com//k",
                                        "example.com/*/k"),
            ("example.com/newsletter/a/b,c", None)):
        told = store.json("add", "a@b.example", "--scope", text)
        if want == "#":
            tap.true(told["scope"].startswith("example.com/#"), told["scope"])
        else:
            tap.equal(told["scope"], want or text, text)
        back = store.json("check", "a@b.example", "--scope", told["scope"])
        tap.true(back["address"] == "a@b.example", "reads back")
    for text in ("other.example", "example.com/nothing", "example.com/#12",
                 "example.com/#00000000", "/newsletter",
                 "example.com/*/" + "k" * 256):
        store.run("add", "a@b.example", "--scope", text, code=64)
        tap.true("--scope" in store.err, store.err)
    tap.true("newsletter" in store.run("add", "a@b.example", "--scope",
                                       "example.com/x", code=64) +
             store.err, "streams are named")
    store.run("check", "q@b.example", "--scope", "other.example", code=1)


def remove():
    """All of an address, or one scope or reason; what stays is told."""
    store = Store()
    for reason, scope in (("manual", "global"), ("complaint", "global"),
                          ("unsubscribe", "example.com/newsletter")):
        store.run("add", "a@b.example", "--reason", reason, "--scope", scope)
    store.run("remove", "a@b.example", "--reason", "hard-bounce", code=1)
    tap.equal(store.run("remove", "a@b.example", "--reason", "manual"),
              "a@b.example: removed (manual, global)\n", "one")
    store.run("remove", "a@b.example", "--scope", "global")
    told = store.json("check", "a@b.example")
    tap.equal(told["reason"], "unsubscribe", "another scope's stays")
    tap.equal(store.run("remove", "--dry-run", "-", stdin=b"a@b.example\n"),
              "a@b.example: would be removed (unsubscribe, "
              "example.com/newsletter)\n", "dry run")
    told = [json.loads(line) for line in store.run(
        "remove", "a@b.example", "z@b.example", "--dry-run",
        "--json").splitlines()]
    tap.equal(sorted((t["address"], t["outcome"]) for t in told),
              [("a@b.example", "would be removed"),
               ("z@b.example", "not listed")], "dry run in JSON")
    store.run("remove", "--dry-run", "z@b.example", code=1)
    tap.equal(list(store.entries()), ["a@b.example"], "still there")
    store.run("add", "@b.example")
    store.run("remove", "A@b.example")
    tap.true("still suppressed" in store.err, store.err)
    store.run("remove", "a@b.example", code=1)
    store.run("remove", "@b.example")
    store.run("check", "a@b.example", code=1)


def history():
    """What, when, by whom: sudo does not hide it."""
    store = Store()
    store.run("add", "a@b.example", "--expires", "1d", "--note", "first")
    store.run("add", "a@b.example", "--note", "second")
    subprocess.run([BULKHEAD, "suppress", "remove", "a@b.example", "-c",
                    store.conf], env=dict(os.environ, SUDO_USER="alice"),
                   stdout=subprocess.DEVNULL, check=True)
    store.run("add", "a@b.example", "--reason", "complaint")
    lines = [json.loads(line) for line in store.run(
        "history", "--json", "a@b.example").splitlines()]
    tap.equal([line["what"] for line in lines],
              ["replaced", "removed", "listed"], "what")
    tap.equal([line["entry"]["evidence"] for line in lines],
              ["first", "second", None], "how it was")
    if os.geteuid() == 0:
        tap.equal(lines[1]["by"], "alice", "by whom")
    text = store.run("history", "a@b.example")
    tap.equal(len(text.splitlines()), 3, text)
    store.run("history", "z@b.example", code=1)


def lists():
    """Each filter takes what it says and nothing else."""
    store = Store()
    store.run("add", "a@one.example", "--reason", "complaint")
    store.run("add", "b@one.example", "--scope", "example.com")
    store.run("add", "c@two.example", "@two.example", "--expires", "1d")
    told = store.text("x", "d@three.example,bounce,2001-02-03\n"
                      "a@one.example,bounce,2002-02-03\n")
    for args, want in (
            ([], "@two.example a@one.example a@one.example b@one.example "
                 "c@two.example d@three.example"),
            (["--reason", "complaint"], "a@one.example"),
            (["--reason", "soft-bounces"], ""),
            (["--scope", "example.com"], "b@one.example"),
            (["--source", "import"], "a@one.example d@three.example"),
            (["--domain", "One.example"],
             "a@one.example a@one.example b@one.example"),
            (["--domain", "@two.example"], "@two.example c@two.example"),
            (["--until", "2002-01-01"], "d@three.example"),
            (["--since", "2002-01-01", "--until", "2003-01-01"],
             "a@one.example"),
            (["--since", "1h", "--reason", "manual"],
             "@two.example b@one.example c@two.example"),
            (["--import", str(told["import"])],
             "a@one.example d@three.example"),
            (["A@one.example"], "a@one.example a@one.example")):
        out = store.run("list", "--json", *args)
        got = " ".join(json.loads(line)["address"]
                       for line in out.splitlines())
        tap.equal(got, want, " ".join(args))
    store.run("add", "over@one.example", "--expires", "1s")
    time.sleep(2.1)
    tap.true("over@" not in store.run("list"), "expired")
    tap.true("over@" in store.run("list", "--expired"), "--expired")
    told = store.json("stats")
    tap.equal((told["entries"], told["expired"], told["reason"],
               told["scope"], told["source"]),
              (6, 1, {"manual": 3, "complaint": 1, "hard-bounce": 2},
               {"global": 5, "example.com": 1}, {"cli": 4, "import": 2}),
              "stats")
    tap.true("by scope:" in store.run("stats"), "for people")


def owner():
    """Run as root it makes no file of root's; the owner can go on."""
    if os.geteuid() != 0:
        raise tap.Skip("only root can become somebody else")
    store = Store()
    directory = os.path.join(store.dir, "store")
    os.mkdir(directory)
    os.chown(directory, 65534, 65534)
    os.chmod(directory, 0o750)
    os.chmod(suppress_lab.WORK, 0o755)
    store.run("add", "a@b.example")
    store.text("x", "c@b.example\nbad\n", code=65)
    for name in os.listdir(directory):
        tap.equal(os.stat(os.path.join(directory, name)).st_uid, 65534, name)
    tap.equal(os.stat(os.path.join(store.dir, "x.rejects")).st_uid, 0,
              "the rejects lie beside the file")
    # a build may lie where nobody else gets to
    command = shutil.copy(BULKHEAD, store.dir)
    done = subprocess.run(
        [command, "suppress", "add", "d@b.example", "-c", store.conf],
        user=65534, group=65534, extra_groups=[], stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, check=False)
    tap.equal(done.returncode, 0, done.stdout)
    store.run("check", "d@b.example")


def unavailable():
    """A store that cannot answer: 69 and why; never a 1."""
    store = Store()
    store.run("check", "a@b.example", code=69)
    store.run("add", "a@b.example")
    path = os.path.join(store.dir, "store", "suppress.db")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    began = time.monotonic()
    store.run("add", "c@b.example", code=69)
    tap.true("suppress.db" in store.err and "locked" in store.err, store.err)
    tap.true(time.monotonic() - began < 20, "it waited for ever")
    other.execute("ROLLBACK")
    other.close()
    store.run("add", "c@b.example")
    with open(path, "r+b") as f:
        f.write(b"\xff" * 4096)
    for name in ("suppress.db-wal", "suppress.db-shm"):
        if os.path.exists(os.path.join(store.dir, "store", name)):
            os.unlink(os.path.join(store.dir, "store", name))
    store.run("check", "a@b.example", code=69)
    tap.true("suppress.db" in store.err, store.err)


def full():
    """Output that nobody takes is an error."""
    store = Store()
    store.run("add", "a@b.example")
    for verb in ("list", "export", "stats"):
        with open("/dev/full", "w", encoding="utf-8") as f:
            done = subprocess.run(
                [BULKHEAD, "suppress", verb, "-c", store.conf], stdout=f,
                stderr=subprocess.PIPE, check=False)
        tap.equal(done.returncode, 74, verb)
        tap.true(b"cannot write" in done.stderr, done.stderr)


def terminal():
    """A bar with rate and time left on a terminal, nothing elsewhere."""
    store = Store()
    path = os.path.join(store.dir, "x")
    with open(path, "w", encoding="utf-8") as f:
        f.writelines("user%d@r.example\n" % (i * 7919 % 300000)
                     for i in range(300000))
    main, side = pty.openpty()
    with subprocess.Popen(
            [BULKHEAD, "suppress", "import", path, "-c", store.conf],
            stdout=subprocess.DEVNULL, stderr=side) as process:
        os.close(side)
        shown = b""
        try:
            while chunk := os.read(main, 4096):
                shown += chunk
        except OSError:
            pass  # the other side is closed
        tap.equal(process.wait(), 0, "exit")
    os.close(main)
    for text in (b"storing [", b"###", b"/s", b"ETA ", b" %"):
        tap.true(text in shown, "%r not in %r" % (text, shown[:500]))
    store.run("import", path)
    tap.equal(store.err, "", "no terminal")


POINTS = [(f.__name__.replace("_", " "), f) for f in (
    usage, no_settings, add, check, scopes, remove, history, lists, owner,
    unavailable, full, terminal)]

if __name__ == "__main__":
    suppress_lab.run(POINTS)
