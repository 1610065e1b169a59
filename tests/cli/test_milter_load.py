#!/usr/bin/python3
"""The load on a milter says what it saw: against a recorder, our milter, and
scripted milters that answer, refuse and close in every way.
"""
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "integration"))
import bulkhead  # noqa: E402
import lab as labs  # noqa: E402
import tap  # noqa: E402

LOAD = os.path.join(labs.BUILD, "tests/tools/milter_load")
RECORDER = os.path.join(labs.BUILD, "tests/tools/milter_recorder")
MAIL = os.path.join(bulkhead.MAILS, "qp-alternative.eml")
CONTINUE, NO_REPLIES, LEADSPC = b"c", 0xff080, 0x100000
ADD = b"hX-Added\0 there\0"
# the commands that get no answer when the milter said so
SILENT = {b"C": 0x1000, b"H": 0x2000, b"M": 0x4000, b"R": 0x8000,
          b"T": 0x10000, b"L": 0x80, b"N": 0x40000, b"B": 0x80000}

work = tempfile.mkdtemp(prefix="bh-load-", dir="/tmp")


def load(sock, *options, want=0):
    """Runs the load; its counts."""
    done = subprocess.run(
        [LOAD, "-s", "unix:%s/%s" % (work, sock), "-f", MAIL, "--json",
         "--timeout", "20"] + list(options), stdout=subprocess.PIPE,
        timeout=120, check=False)
    tap.equal(done.returncode, want, "exit: " + done.stdout.decode())
    return json.loads(done.stdout)


class Milter:
    """A milter as a child, on a socket of its own."""

    def __init__(self, sock, *argv):
        self.log = open(os.path.join(work, sock + ".log"), "wb")
        self.child = subprocess.Popen(argv, stdout=self.log,
                                      stderr=self.log, cwd=work)
        labs.wait_for(argv[0], lambda: self._listens(sock))

    def _listens(self, sock):
        tap.true(self.child.poll() is None, "it ended")
        with socket.socket(socket.AF_UNIX) as s:
            return s.connect_ex(os.path.join(work, sock)) == 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()
        self.log.close()


def pack(data):
    """A packet of the protocol."""
    return struct.pack(">I", len(data)) + data


class Script:
    """A milter in this process: what it answers to which command.

    answers: packets for a command letter; None closes the connection.
    """

    def __init__(self, sock, answers, steps=0, lists=b""):
        self.answers = {c: [] for c, bit in SILENT.items() if steps & bit}
        self.answers.update(answers)
        self.answers.setdefault(b"O", [b"O" + struct.pack(
            ">III", 6, 0x1ff, steps) + lists])
        self.talks = []  # (thread, what it saw) of each connection
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(os.path.join(work, sock))
        self.socket.listen(50)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            seen = []
            talk = threading.Thread(target=self._talk, args=(peer, seen),
                                    daemon=True)
            self.talks.append((talk, seen))
            talk.start()

    def _talk(self, peer, seen):
        with peer, peer.makefile("rb") as f:
            try:
                while True:
                    head = f.read(4)
                    if len(head) < 4:
                        return
                    data = f.read(struct.unpack(">I", head)[0])
                    seen.append(data)
                    if not self._answer(peer, data):
                        return
            except OSError:
                pass  # they went away in the middle

    def _answer(self, peer, data):
        command = data[:1]
        if command in (b"D", b"A", b"Q"):
            return True
        answer = self.answers.get(command, [CONTINUE])
        if answer is None:
            return False
        peer.sendall(b"".join(map(pack, answer)))
        return True

    def seen(self):
        """Every packet, connection by connection, once they have ended."""
        for talk, _ in self.talks:
            talk.join(10)
        return [d for _, seen in self.talks for d in seen]

    def commands(self):
        """What came, a letter each, macros left out."""
        return b"".join(d[:1] for d in self.seen() if d[:1] != b"D").decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def test_recorder():
    """Every message arrives whole, once, with its own recipient."""
    directory = os.path.join(work, "rec")
    os.mkdir(directory)
    with Milter("rec.sock", RECORDER, "unix:%s/rec.sock" % work, directory):
        got = load("rec.sock", "-c", "7", "-n", "5", "-A",
                   "SIZE=99 BODY=8BITMIME", "--sasl-user", "shop",
                   "--client", "203.0.113.9")
    tap.equal((got["messages"], got["continue"], got["connections"]),
              (35, 35, 7), "counts")
    names = sorted(n for n in os.listdir(directory) if n.endswith(".eml"))
    tap.equal(len(names), 35, "recorded")
    with open(MAIL, "rb") as f:
        want = f.read().replace(b"\r\n", b"\n")
    recipients = set()
    for name in names:
        with open(os.path.join(directory, name), "rb") as f:
            tap.equal(f.read().replace(b"\r\n", b"\n"), want, name)
        with open(os.path.join(directory, name[:-3] + "env"),
                  encoding="ascii") as f:
            lines = f.read().splitlines()
        tap.true("sender-arg=BODY=8BITMIME" in lines and
                 "macro {auth_authen}=shop" in lines and
                 "macro {client_addr}=203.0.113.9" in lines, repr(lines))
        recipients.update(x for x in lines if x.startswith("recipient="))
    tap.equal(len(recipients), 35, "recipients")


def test_many_at_once():
    """300 sessions are open at the same time; some messages are given up."""
    directory = os.path.join(work, "many")
    os.mkdir(directory)
    with Milter("many.sock", RECORDER, "unix:%s/many.sock" % work, directory):
        got = load("many.sock", "-c", "300", "-n", "4", "--abort-every", "2")
    tap.equal(got["messages"], 600, "whole messages")
    tap.equal(got["aborted"] + got["dropped"], 600, "given up")
    tap.true(got["aborted"] > 0 and got["dropped"] > 0, "both ways")
    tap.true(300 <= got["connections"] <= 300 + got["dropped"], "sessions")


def test_bulkhead():
    """Our milter's edits applied: both signatures are valid."""
    class Here:
        """As much of a lab as its keys need."""
        dir = work

        @staticmethod
        def path(name):
            """A path in the directory."""
            return os.path.join(work, name)
    product = bulkhead.Bulkhead(Here)
    with Milter("mil.sock", bulkhead.MILTER, "-f", "-c", product.config):
        got = load("mil.sock", "-c", "3", "-n", "4", "-O", work)
        with open(os.path.join(work, "2-3.eml"), "rb") as f:
            one = f.read()
        foreign = load("mil.sock", "-n", "2", "--client", "203.0.113.9")
    valid = product.verify(one)
    tap.true(valid and all(valid.values()), "signatures: %r" % valid)
    tap.equal((got["continue"], got["edits"]["inserted"]),
              (12, 12 * len(valid)), "edits")
    tap.equal(foreign["edits"]["inserted"], 0, "a stranger's mail is not ours")


def test_sequence():
    """ABORT stands before the next MAIL, two go before QUIT at most."""
    with Script("seq.sock", {}) as m:
        got = load("seq.sock", "-n", "2", "-r", "a@b.example", "-r",
                   "c@d.example")
    fields = m.commands().count("L") // 2
    once = "MRRT" + "L" * fields + "NBE"
    tap.equal(m.commands(), "OCH" + once + "A" + once + "AQ", "sequence")
    tap.equal(got["continue"], 2, "answers")
    macros = [d for d in m.seen() if d[:2] == b"DR"]
    tap.true(b"i\0" not in macros[0] and b"i\0" in macros[1],
             "the queue id is known from the second recipient on")


def test_macro_lists():
    """A list that the milter gave replaces the default; replies may go."""
    lists = struct.pack(">I", 5) + b"{client_addr},i\0"
    with Script("mac.sock", {}, NO_REPLIES, lists) as m:
        load("mac.sock")
    end = [d for d in m.seen() if d[:2] == b"DE"]
    tap.equal(end, [b"DE{client_addr}\x00127.0.0.1\0i\x004L000000000000\0"],
              "macros")


def test_answers():
    """Each kind of answer at the end of a message is counted as such."""
    for packets, kind in (([b"a"], "accept"), ([b"d"], "discard"),
                          ([b"r"], "reject"), ([b"t"], "tempfail"),
                          ([b"p", b"p", b"c"], "continue"),
                          ([ADD, b"c"], "continue"),
                          ([b"y452 4.3.1 no room\0"], "reply"),
                          ([b"4"], "shutdown"), (None, "lost"),
                          ([b"ynonsense\0"], "broken"),
                          ([b"bx\r\n", ADD, b"by\r\n", b"c"], "broken")):
        name = "a%d.sock" % len(os.listdir(work))
        with Script(name, {b"E": packets}, NO_REPLIES | LEADSPC):
            got = load(name, "-n", "2", "--expect",
                       "452" if kind == "reply" else
                       "accept" if kind == "continue" else kind)
        tap.equal(got["at"], {kind: {"eom": 2}}, repr(packets))
        if kind == "reply":
            tap.equal((got["codes"], got["last_reply"]),
                      ({"452": 2}, "452 4.3.1 no room"), "reply")


def test_unexpected():
    """What was not asked for makes the exit status 1, wherever it comes."""
    for command, stage in ((b"O", "negotiate"), (b"C", "connect"),
                           (b"M", "mail"), (b"T", "data"), (b"E", "eom")):
        name = "u%d.sock" % len(os.listdir(work))
        with Script(name, {command: None}):
            got = load(name, "-n", "3", want=1)
        tap.equal((got["at"], got["unexpected"]), ({"lost": {stage: 3}}, 3),
                  stage)
    got = load("nobody.sock", "-n", "3", want=1)
    tap.equal(got["refused"], 3, "nobody listens")
    got = load("nobody.sock", "-n", "3", "--expect", "accept,refused")
    tap.equal(got["refused"], 3, "as expected")


def test_421():
    """After 421 at MAIL a new session is opened for the next message."""
    with Script("t421.sock", {b"M": [b"y421 4.3.2 go away\0"]}) as m:
        got = load("t421.sock", "-n", "3", "--expect", "421")
    tap.equal((got["connections"], got["codes"]), (3, {"421": 3}), "counts")
    tap.equal(m.commands(), "OCHMAQ" * 3, "sequence")


def test_edited():
    """Edits land where Postfix would put them."""
    edits = [b"m\0\0\0\1Subject\0 new\n line\0", b"m\0\0\0\1To\0\0",
             b"m\0\0\0\7None\0 n\0", ADD, b"i\0\0\0\0X-Top\0 t\0",
             b"i\0\0\0\1X-Second\0 s\0", b"e<b@c.example>\0RET=HDRS\0",
             b"-<c@d.example>\0", b"bnew ", b"bbody\r\n", b"c"]
    out = os.path.join(work, "edited.eml")
    with Script("ed.sock", {b"E": edits}, LEADSPC):
        load("ed.sock", "-r", "a@b.example", "-r", "c@d.example", "-o", out)
    with open(out, "rb") as f:
        head, _, body = f.read().partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    tap.equal(body, b"new body\r\n", "body")
    tap.equal(lines[:2], [b"X-Second: s", b"X-Top: t"], "above")
    tap.equal(lines[-2:], [b"None: n", b"X-Added: there"], "below")
    tap.true(b"Subject: new\r\n line" in head, "changed")
    tap.true(b"\r\nTo:" not in head, "deleted")
    with open(out + ".env", encoding="ascii") as f:
        tap.equal(f.read(), "sender=b@c.example\nargs=RET=HDRS\n"
                  "recipient=a@b.example\n", "envelope")


def main():
    """Runs all; removes what they left."""
    points = [(n[5:].replace("_", " "), f) for n, f in sorted(
        globals().items()) if n.startswith("test_")]
    try:
        return tap.run(points)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
