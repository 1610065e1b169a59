#!/usr/bin/python3
"""Token keys are rotated while mail is sent and its links are followed.

A milter takes messages without a pause, each link in what it made is followed
at once, and again at the end: none may be refused, whatever key is first.
"""
import email
import email.policy
import fcntl
import glob
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
import bulkhead as bulkheads  # noqa: E402
import daemons  # noqa: E402
import lab as labs  # noqa: E402
import tap  # noqa: E402

LINK = re.compile(r"https://t\.example\.com(/c/[A-Za-z0-9_-]+)")


class World(daemons.World):
    """The daemons, and what is asked of their keys."""

    def rotate(self, *options):
        """(exit code, output) of `bulkhead token rotate`."""
        return self.command("token", "rotate", *options)

    def names(self):
        """The keys in the file, in their order."""
        with open(self.path("token.keys"), encoding="ascii") as f:
            return [line.split()[0] for line in f
                    if line.strip() and not line.startswith("#")]

    def one_link(self):
        """A link of a message made now, beside what others make."""
        out = self.path("alone")
        os.makedirs(out, exist_ok=True)
        child = self.load("-n", "1", "-O", out)
        tap.equal(child.wait(60), 0, "load: %r" % child.stdout.read())
        newest = max(glob.glob(out + "/*.eml"), key=os.path.getmtime)
        return links(newest)[0]


def links(path):
    """The paths of the links in a message."""
    with open(path, "rb") as f:
        mail = email.message_from_binary_file(f, policy=email.policy.default)
    return LINK.findall(mail.get_content())


class Follower(threading.Thread):
    """Follows each link of each message as soon as it is there."""

    def __init__(self, world):
        super().__init__()
        self.world = world
        self.seen = set()
        self.found = []  # in the order of making
        self.refused = []
        self.error = None
        self.is_over = False

    def follow(self, path):
        """One link."""
        reply = self.world.trackd.get(path)
        if reply.status != 302:
            self.refused.append((path, reply.status))

    def round(self):
        """What is new; a message that is being written comes next time."""
        for name in sorted(glob.glob(self.world.path("out/*.eml"))):
            if name in self.seen:
                continue
            here = links(name)
            if len(here) < 2:
                continue
            self.seen.add(name)
            self.found += here
            for path in here:
                self.follow(path)

    def run(self):
        try:
            while not self.is_over:
                self.round()
                time.sleep(0.02)
            self.round()
        except Exception as e:  # told by the test
            self.error = e


def key_of(path):
    """What a token begins with: its version and the id of its key."""
    return path[len("/c/"):len("/c/") + 6]


def test_under_load():
    """Two rotations; more than one key was used, and no link was refused."""
    with World() as w:
        w.start()
        load = w.load("--seconds", "8", "-c", "2", "--pause-ms", "25")
        follower = Follower(w)
        follower.start()
        labs.wait_for("messages", lambda: len(follower.seen) > 5, 30)
        made = []
        for _ in range(2):
            time.sleep(1)
            code, said = w.rotate()
            tap.equal(code, 0, said)
            # a slow machine's load may be over by now
            made.append(w.one_link())
        tap.equal(load.wait(60), 0, "load: %r" % load.stdout.read())
        follower.is_over = True
        follower.join(60)
        tap.equal(follower.error, None, "following")
        tap.equal(follower.refused, [], "refused")
        follower.found += made
        keys = {key_of(p) for p in follower.found}
        tap.equal(len(keys), 3, "keys that links were made with")
        tap.true(len(follower.found) > 20, "only %d links" %
                 len(follower.found))
        for path in follower.found[:20] + follower.found[-20:]:
            follower.follow(path)
        tap.equal(follower.refused, [], "refused at the end")
        tap.equal(len(w.names()), 3, "no key went away")
        tap.equal(w.names()[-1], "k1", "the oldest key is last")


def test_can_fail():
    """A key that comes first at once is refused by who has not loaded it."""
    with World() as w:
        w.start()
        w.trackd.add_key("early", first=True)
        w.children["milter"].send_signal(signal.SIGHUP)
        labs.wait_for("the reload", lambda: "loaded anew" in w.log("milter"), 30)
        tap.equal(w.trackd.get(w.one_link()).status, 404, "before its reload")


def test_resumes():
    """Cut off behind its first step, a second run goes on with that key."""
    with World() as w:
        w.start()
        w.configure(without=("milter",))  # for the command: it cannot be asked
        code, said = w.rotate("--name", "second")
        tap.equal(code, 75, said)
        tap.true("--promote second" in said, said)
        tap.equal(w.names(), ["k1", "second"], "the key waits")
        tap.equal(w.rotate("--name", "third")[0], 64, "another one meanwhile")
        w.configure()
        code, said = w.rotate("--json")
        answer = json.loads(said)
        tap.equal(code, 0, said)
        tap.equal((answer["name"], answer["resumed"], answer["added"],
                   answer["done"]), ("second", True, False, True), said)
        tap.equal(w.names(), ["second", "k1"], "it is first")
        before = os.stat(w.path("token.keys"))
        tap.equal(before.st_mode & 0o7777, 0o600, "the mode is kept")
        with open(w.path("token.keys"), encoding="ascii") as f:
            tap.true("#" not in f.read(), "no comment of it stays")


def test_names():
    """What no key can be named, and what is none: the file stays as it is."""
    with World() as w:
        w.start("policyd")
        with open(w.path("token.keys"), "rb") as f:
            before = f.read()
        for name in ("#new", "a b", "x" * 65, "new\nk2"):
            code, said = w.rotate("--name", name, "--timeout", "5s")
            tap.equal(code, 78, "%r: %s" % (name, said))
        tap.equal(w.rotate("--promote", "none")[0], 64, "no such key")
        with open(w.path("token.keys"), "rb") as f:
            tap.equal(f.read(), before, "the file")


def test_leftovers():
    """What a run that was killed left goes; one that is under way stays."""
    with World() as w:
        w.start("policyd")
        rest = w.path("token.keys.new")
        with open(rest, "w", encoding="ascii") as f:
            f.write("half a k")
            fcntl.flock(f, fcntl.LOCK_EX)
            code, said = w.rotate("--name", "second")
            tap.equal(code, 75, said)
            tap.true("another rotation" in said, said)
            tap.equal(w.names(), ["k1"], "the keys")
            tap.equal(os.path.exists(rest), True, "its file")
        code, said = w.rotate("--name", "second")
        tap.equal(code, 0, said)
        tap.equal(w.names(), ["second", "k1"], "the keys")
        tap.equal(os.path.exists(rest), False, "its file")


def test_together():
    """Several at once: one key more each time, none is lost or torn."""
    with World() as w:
        w.start("policyd")
        argv = [bulkheads.COMMAND, "token", "rotate", "-c",
                w.path("bulkhead.conf")]
        children = [subprocess.Popen(
            argv + ["--name", "n%d" % i], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL) for i in range(6)]
        codes = [c.wait(90) for c in children]
        names = w.names()
        tap.true(set(codes) <= {0, 64, 75} and 0 in codes, codes)
        done = {"n%d" % i for i, code in enumerate(codes) if code == 0}
        tap.equal(done - set(names), set(), "%r %r" % (codes, names))
        tap.equal(names[-1], "k1", "the oldest key is last")
        tap.equal(w.command("token", "list")[0], 0, "it can be read")
        tap.equal(os.path.exists(w.path("token.keys.new")), False, "a rest")


def test_ending():
    """A daemon that drains is no sign of a rotation that was cut off."""
    with World() as w:
        w.start()
        load = w.load("-n", "2", "--pause-ms", "60000", "--expect", "any")
        labs.wait_for("a session", lambda: w.status(
            "milter")["counters"]["messages"] == 1, 30)
        w.children["milter"].send_signal(signal.SIGTERM)
        w.wait_log("milter", "draining")
        code, said = w.rotate("--dry-run")
        tap.equal(code, 0, said)
        tap.true("would add" in said, said)
        load.kill()


def test_unloaded():
    """Put first, not loaded: the next run has that done, and adds nothing."""
    with World() as w:
        w.start()
        w.trackd.add_key("newer", first=True)
        code, said = w.rotate()
        tap.equal(code, 0, said)
        tap.equal(w.names(), ["newer", "k1"], said)
        tap.equal(w.trackd.get(w.one_link()).status, 302, "its links open")


def test_broken_settings():
    """A daemon that refuses its settings: nothing is put first."""
    with World() as w:
        w.start()
        with open(w.path("return-path.keys"), "a", encoding="ascii") as f:
            f.write("no key\n")
        code, said = w.rotate()
        tap.equal(code, 78, said)
        tap.true("bulkhead-milter did not load" in said, said)
        tap.equal(w.names()[0], "k1", "the first key")
        tap.equal(len(w.names()), 2, "it was added")
        tap.equal(w.trackd.get(w.one_link()).status, 302, "links go on")


def test_dry_run():
    """Nothing is touched."""
    with World() as w:
        w.start()
        with open(w.path("token.keys"), "rb") as f:
            before = f.read()
        code, said = w.rotate("--dry-run")
        tap.equal(code, 0, said)
        tap.true("would add" in said and "bulkhead-trackd" in said, said)
        with open(w.path("token.keys"), "rb") as f:
            tap.equal(f.read(), before, "the file")
        tap.equal(os.path.exists(w.path("token.keys.new")), False, "no rest")


def test_return_path():
    """The other keys, which trackd does not load."""
    with World() as w:
        w.start()
        code, said = w.rotate("--return-path", "--json")
        tap.equal(code, 0, said)
        answer = json.loads(said)
        tap.equal(answer["daemons"], {"milter": "ready", "policyd": "idle",
                                      "trackd": "idle"}, said)
        tap.equal(w.names(), ["k1"], "token.keys")
        with open(w.path("return-path.keys"), encoding="ascii") as f:
            tap.equal(f.read().split()[0], answer["name"], "first")


def main():
    """Runs them all."""
    daemons.why_not()
    return tap.run([
        ("rotated under load: no link is refused", test_under_load),
        ("a key that comes too early is", test_can_fail),
        ("a second run goes on", test_resumes),
        ("names", test_names),
        ("leftovers", test_leftovers),
        ("several at once", test_together),
        ("a daemon that ends", test_ending),
        ("what is first and not loaded", test_unloaded),
        ("a reload that fails", test_broken_settings),
        ("--dry-run", test_dry_run),
        ("--return-path", test_return_path),
    ])


if __name__ == "__main__":
    sys.exit(main())
