#!/usr/bin/python3
"""bulkhead-policyd's sockets: any chunking, many, slow and broken clients,
reload, drain, restarts, and stores that fail.  Without an MTA."""
import os
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
import lab as labs  # noqa: E402
import policyd as daemons  # noqa: E402
import tap  # noqa: E402
from policyd import Policyd, admit, block, charge, rcpt  # noqa: E402

LIMIT = 'limit "all" { rate = "100/d" burst = 100 }\n'
REFUSED = "action=550 5.7.1 <a@b.example>: suppressed (hard-bounce "
DEFERRED = "action=DEFER_IF_PERMIT 4.3.0 "
DUNNO = "action=DUNNO"
IDLE = 1000
MANY = 1000000
LATE = 2.0  # a decision takes less
TRIES = 3  # but a machine may be busy for once


def expect_refused(reply):
    """The answer about the one who is on the list."""
    tap.true(reply is not None and reply.startswith(REFUSED),
             "not refused: %r" % reply)


def expect_no_dunno(reply):
    """Refused or put off, but never let through."""
    tap.true(reply is not None and reply.startswith((REFUSED, DEFERRED)),
             "let through: %r" % reply)


def in_time(call, most=LATE):
    """What it returns; late each time is too late."""
    took = []
    for _ in range(TRIES):
        seconds, answer = daemons.seconds_of(call)
        took.append(seconds)
        if seconds < most:
            return answer
    raise AssertionError("took %r" % took)


def told(reply):
    """None where a busy machine could not look up so many in time."""
    return None if reply.startswith("action=450 4.3.0") else reply


def sockets():
    """Modes and groups; a socket in use is not taken."""
    with Policyd().start() as p:
        for name in ("policy.sock", "control.sock"):
            mode = stat.S_IMODE(os.stat(p.path(name)).st_mode)
            tap.equal(oct(mode), "0o660", name)
        done = subprocess.run(
            [daemons.PROGRAM, "-c", p.path("bulkhead.conf"), "-f"],
            stderr=subprocess.PIPE, check=False, timeout=20)
        tap.equal(done.returncode, 69, "second one")
        tap.true(b"another process listens there" in done.stderr,
                 done.stderr)
        tap.equal(p.ask(rcpt("x@y.example")), DUNNO)
        tap.equal(p.stop(), 0, "exit")
        p.start()  # over the stale sockets
        tap.equal(p.ask(rcpt("x@y.example")), DUNNO)


def chunks():
    """However a request is cut, its answer is the same."""
    with Policyd().start() as p:
        p.suppress("a@b.example")
        request = rcpt("a@b.example", instance="1.2")
        with p.policy() as c:
            for octet in request:
                c.send(bytes([octet]))
            expect_refused(c.reply())
            for at in range(1, len(request), 7):
                c.send(request[:at])
                time.sleep(0.002)
                c.send(request[at:])
                expect_refused(c.reply())
            c.send(request * 50 + request[:30])
            for _ in range(50):
                expect_refused(c.reply())
            c.send(request[30:])
            expect_refused(c.reply())
            tap.equal(c.ask(rcpt("c@b.example")), DUNNO)


def large_requests():
    """A control request of nearly 1 MiB, a policy request of 64 KiB."""
    with Policyd().start() as p:
        p.suppress("a@b.example")
        names = ["user-%d@b.example" % i for i in range(30000)]
        names[29999] = "a@b.example"
        request = admit(*names)
        tap.true(len(request) < 1 << 20, "request")
        reply = labs.wait_for("an answer in time", lambda: told(
            p.ask_control(request)), 60)
        tap.equal(reply.count("\n"), 1, "lines")
        tap.true("suppressed=29999 hard-bounce suppressed (" in reply, reply)
        pad = b"".join(b"unknown_%d=%s\n" % (i, b"x" * 900)
                       for i in range(70))
        expect_refused(p.ask(pad + rcpt("a@b.example")))


def idle_clients():
    """A thousand that say nothing, and then all of them do."""
    with Policyd().start() as p:
        p.suppress("a@b.example")
        clients = [p.policy() for _ in range(IDLE)]
        try:
            labs.wait_for("all", lambda: p.status()["clients"] == IDLE + 1)
            expect_refused(in_time(lambda: p.ask(rcpt("a@b.example")), 1))
            for c in clients:
                c.send(rcpt("a@b.example"))
            for c in clients:
                expect_refused(c.reply())
            counters = p.status()["counters"]
            print("# %d requests in %d batches" % (
                counters["requests"], counters["batches"]))
        finally:
            for c in clients:
                c.close()
        labs.wait_for("all gone", lambda: p.status()["clients"] == 1)


BROKEN = {
    "a line without =": b"request=smtpd_access_policy\nnonsense\n\n",
    "a CR": rcpt("a@b.example").replace(b"\n", b"\r\n"),
    "a NUL": rcpt("a\0@b.example"),
    "an empty block": b"\n",
    "a name that is empty or too long": b"=x\n",
    "no request=": b"recipient=a@b.example\n\n",
    "a request= that is not answered here": b"request=other\n\n",
    "several recipients": b"request=smtpd_access_policy\nrecipient=a@b\n"
                          b"recipient=c@d\n\n",
    "an attribute that is there twice":
        b"request=smtpd_access_policy\nrequest=smtpd_access_policy\n\n",
    "a line that is too long": b"request=" + b"x" * 9000,
    "it is too large": b"request=smtpd_access_policy\n" + (
        b"x=" + b"y" * 1000 + b"\n") * 66,
    "it hung up within a request": None,
}


def broken_clients():
    """One line in the log, the connection closed, and no answer."""
    with Policyd().start() as p:
        for why, text in BROKEN.items():
            line = ": %s: connection closed without an answer" % why
            with p.policy() as c:
                if text is None:
                    c.send(b"request=smtpd")
                    c.close()
                    p.wait_log(line)
                    continue
                c.send(text)
                tap.equal(c.reply(), None, why)
            tap.equal(p.log().count(line), 1, why)
        with p.policy() as c:  # what is good before it is answered
            c.send(rcpt("x@y.example") + b"nonsense\n\n")
            tap.equal(c.reply(), DUNNO)
            tap.equal(c.reply(), None, "after")
        with p.policy() as c:
            tap.equal(c.ask(admit("a@b.example")), None, "admit here")
        with p.control() as c:
            c.send(b"x=" + b"y" * 500 + b"\n")
            c.send((b"x=" + b"y" * 500 + b"\n") * 2200)
            tap.equal(c.reply(), None, "1 MiB")
        counters = p.status()["counters"]
        tap.equal(counters["requests_broken"], len(BROKEN) + 3)


def slow_clients():
    """One that does not end its request, one that takes no reply, one that
    is slow; others do not notice."""
    with Policyd().start() as p:
        p.suppress("a@b.example")
        half, deaf, slow = p.policy(60), p.control(60), p.policy(60)
        begin = time.monotonic()
        half.send(rcpt("a@b.example")[:-1])
        deaf.send(admit(*["a@b.example"] * 2000) * 10)
        request = rcpt("a@b.example")
        for octet in request[:40]:
            slow.send(bytes([octet]))
            time.sleep(0.05)
            expect_refused(in_time(lambda: p.ask(request)))
        slow.send(request[40:])
        expect_refused(slow.reply())
        tap.equal(half.reply(), None, "half")
        tap.true(18 < time.monotonic() - begin < 40, "patience")
        p.wait_log("its request does not end: connection closed", seconds=30)
        p.wait_log("it does not take its reply: connection closed",
                   seconds=30)
        expect_refused(slow.ask(request))
        for c in (half, deaf, slow):
            c.close()


def reply_taken_late():
    """A large reply to one that reads slowly is whole."""
    with Policyd().start() as p:
        p.suppress("a@b.example")
        with p.control() as c:
            c.send(admit(*["a@b.example"] * 9000) + admit("a@b.example"))
            time.sleep(1)
            reply = c.reply()
            tap.equal(reply.count("\n"), 9000, "lines")
            tap.true("\nsuppressed=8999 hard-bounce" in reply, "last")
            tap.true(c.reply().startswith(DUNNO + "\nsuppressed=0 "), "next")


def many_files():
    """No more clients than files; the others wait, and are served later."""
    with Policyd().start(files=160) as p:
        clients = [p.policy() for _ in range(120)]
        for c in clients:
            c.send(rcpt("x@y.example"))
        for c in clients[:90]:
            tap.equal(c.reply(), DUNNO)
        p.wait_log("further ones wait")
        for c in clients[:90]:
            c.close()
        for c in clients[90:]:
            tap.equal(c.reply(), DUNNO)
            c.close()
        tap.equal(p.log().count("further ones wait"), 1, "said")


def reload():
    """New settings count at once; connections stay; errors change nothing."""
    domain = LIMIT + 'domain "example.com" {}\n'
    stream = ('stream "shop" { match { sasl-user = { "%s" } } '
              'envelope-domain = true }\n')
    with Policyd(domain + stream % "other").start() as p:
        p.suppress("s@b.example", scope="example.com/shop")
        with p.policy() as c, p.control() as k:
            tap.equal(c.ask(rcpt("s@b.example", sasl_username="shop")),
                      DUNNO)
            tap.equal(k.ask(charge("4A", "x@y.example")), DUNNO)
            p.configure(domain.replace("burst = 100", "burst = 1")
                        + stream % "shop")
            p.reload()
            reply = c.ask(rcpt("s@b.example", sasl_username="shop"))
            tap.true(reply.startswith("action=550 5.7.1 <s@b.example>: "),
                     reply)
            reply = k.ask(charge("4B", "x@y.example"))
            tap.true(reply.startswith("action=450 4.7.1 over limit"), reply)
            p.configure("nonsense\n")
            p.reload("settings kept as they were")
            reply = c.ask(rcpt("s@b.example", sasl_username="shop"))
            tap.true(reply.startswith("action=550 5.7.1 <s@b.example>: "),
                     reply)
        p.configure(LIMIT + 'rates = "sqlite:/tmp/elsewhere"\n')
        p.reload()
        p.wait_log("the store has changed: restart to use it")


def reload_under_load():
    """Fifty reloads while ten clients ask: every answer is right."""
    with Policyd().start() as p:
        p.suppress("a@b.example")
        stop, bad = threading.Event(), []

        def ask():
            with p.policy() as c:
                while not stop.is_set():
                    reply = c.ask(rcpt("a@b.example"))
                    if reply is None or not reply.startswith(REFUSED):
                        bad.append(reply)
                        return

        threads = [threading.Thread(target=ask) for _ in range(10)]
        for t in threads:
            t.start()
        for _ in range(50):
            p.reload()
        stop.set()
        for t in threads:
            t.join()
        tap.equal(bad, [], "answers")


def drain():
    """What has arrived is answered, connections are closed, limits saved."""
    with Policyd(LIMIT).start() as p:
        p.suppress("a@b.example")
        idle, half, asking = p.policy(), p.policy(), p.control()
        request = rcpt("a@b.example")
        tap.equal(asking.ask(charge("4A", "x@y.example")), DUNNO)
        half.send(request[:50])
        p.signal(signal.SIGSTOP)  # it arrives while nobody reads
        idle.send(request)
        asking.send(charge("4B", "x@y.example", "z@y.example"))
        p.signal(signal.SIGTERM)
        p.signal(signal.SIGCONT)
        expect_refused(idle.reply())
        tap.equal(idle.reply(), None, "closed")
        tap.equal(asking.reply(), DUNNO)
        half.send(request[50:])
        expect_refused(half.reply())
        tap.equal(half.reply(), None, "closed")
        tap.equal(p.child.wait(30), 0, "exit")
        for c in (idle, half, asking):
            c.close()
        p.start()
        reply = p.ask_control(block(request="bulkhead_limits"))
        tap.true('"used": 3,' in reply, reply)
        # a half request is not waited for longer
        with p.policy() as c:
            c.send(request[:50])
            took, status = daemons.seconds_of(p.stop)
            tap.equal(status, 0, "exit")
            tap.true(took < 15, "took %f s" % took)
            tap.equal(c.reply(), None, "closed")


def successor():
    """A successor serves while asking goes on: who asks again is answered."""
    with Policyd().start() as p:
        p.suppress("a@b.example")
        stop, bad, count = threading.Event(), [], [0]

        def ask():
            while not stop.is_set():
                try:
                    reply = p.ask(rcpt("a@b.example"))
                except OSError:
                    continue  # nobody listens just now
                if reply is not None and not reply.startswith(
                        (REFUSED, DEFERRED)):
                    bad.append(reply)
                count[0] += reply is not None

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for t in threads:
            t.start()
        for _ in range(5):
            time.sleep(0.2)
            tap.equal(p.stop(), 0, "exit")
            p.start()
        stop.set()
        for t in threads:
            t.join()
        tap.equal(bad, [], "answers")
        tap.true(count[0] > 50, "only %d answers" % count[0])


def killed():
    """kill -9 loses no suppression, and no more than a second of limits."""
    with Policyd(LIMIT).start() as p:
        for n in range(5):
            p.suppress("k%d@b.example" % n)
            reply = p.ask_control(charge("4K%d" % n, "x@y.example"))
            tap.equal(reply, DUNNO)
            time.sleep(2.5 if n == 3 else 0)
            p.kill()
            p.start()
            for i in range(n + 1):
                reply = p.ask(rcpt("k%d@b.example" % i))
                tap.true(reply.startswith("action=550 5.7.1 "), reply)
        reply = p.ask_control(block(request="bulkhead_limits"))
        used = int((re.search(r'"used": (\d+)', reply) or [0, 0])[1])
        tap.true(1 <= used <= 5, reply)


def many_buckets():
    """A million buckets are loaded before limits are decided, and nobody
    else waits for that."""
    with Policyd('limit "u" { per = recipient-domain rate = "9/d" }\n'
                 ).start() as p:
        p.suppress("a@b.example")
        tap.equal(p.ask_control(charge("4A", "x@y.example")), DUNNO)
        tap.equal(p.stop(), 0, "exit")
        db = sqlite3.connect(p.path("store/rates.db"))
        key, *rest = db.execute(
            "SELECT key, tat, period, count, burst, expires FROM rates"
        ).fetchone()
        tap.true(b"y.example" in key, "%r" % key)
        db.executemany("INSERT INTO rates (key, tat, period, count, burst,"
                       " expires) VALUES (?, ?, ?, ?, ?, ?)",
                       ([key.replace(b"y", b"d%d" % n)] + rest
                        for n in range(MANY)))
        db.commit()
        db.close()
        p.start()
        expect_refused(in_time(lambda: p.ask(rcpt("a@b.example"))))
        begin = time.monotonic()
        labs.wait_for("limits", lambda: p.ask_control(charge(
            "4B", "x@d7.example")) == DUNNO, 120)
        print("# %d buckets: %.1f s" % (MANY, time.monotonic() - begin))
        reply = p.ask_control(block(request="bulkhead_limits", name="u",
                                    value="d7.example"))
        tap.true('"used": 2,' in reply, reply)


def charges_of_many():
    """64 at once charge a bucket of 100: 100 pass, each id once."""
    with Policyd(LIMIT).start() as p:
        passed, lock = [], threading.Lock()

        def ask(number):
            with p.control() as c:
                for n in range(5):
                    request = charge("4Q%d.%d" % (number, n), "x@y.example")
                    replies = {c.ask(request) for _ in range(3)}
                    with lock:
                        passed.append(DUNNO in replies)

        threads = [threading.Thread(target=ask, args=(n,))
                   for n in range(64)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        tap.equal(len(passed), 320, "messages")
        tap.equal(sum(passed), 100, "passed")
        reply = p.ask_control(block(request="bulkhead_limits"))
        tap.true('"used": 100,' in reply, reply)


def ask_in_time(p, expect=expect_no_dunno):
    """The listed one is not let through, and soon."""
    expect(in_time(lambda: p.ask(rcpt("a@b.example"))))
    reply = in_time(lambda: p.ask_control(admit("a@b.example")))
    tap.true(reply.startswith("action=450 4.3.0") or
             "suppressed=0 hard-bounce" in reply, reply)
    # pauses are looked up, too
    reply = in_time(lambda: p.ask_control(admit("a@b.example",
                                                domain="example.com")))
    tap.true(reply.startswith("action=450 4.3.0") or
             "suppressed=0 hard-bounce" in reply, reply)


def recovers(p):
    """Some time later it tells again."""
    labs.wait_for("right answers", lambda: p.ask(
        rcpt("a@b.example")).startswith(REFUSED), 60)
    labs.wait_for("limits", lambda: p.ask(rcpt("x@y.example")) == DUNNO, 60)


def store_locked():
    """A writer that holds its lock delays nobody; one that locks all out is
    waited for, but not by the mail."""
    with Policyd('domain "example.com" {}\n').start() as p:
        p.suppress("a@b.example")
        db = sqlite3.connect(p.path("store/suppress.db"),
                             isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        ask_in_time(p, expect_refused)
        db.execute("ROLLBACK")
        p.kill()
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("BEGIN EXCLUSIVE")
        p.start()
        ask_in_time(p)
        db.execute("ROLLBACK")
        db.close()
        recovers(p)


def store_corrupted():
    """Garbage in the file, at the start and under a running policyd."""
    with Policyd().start() as p:
        p.suppress("a@b.example")
        tap.equal(p.stop(), 0, "exit")
        path = p.path("store/suppress.db")
        for name in os.listdir(p.path("store")):
            if name.startswith("suppress.db-"):
                os.unlink(p.path("store/" + name))
        with open(path, "rb") as f:
            good = f.read()
        with open(path, "wb") as f:
            f.write(os.urandom(len(good)))
        p.start()
        ask_in_time(p)
        tap.true("suppress.db" in p.log(), "not named")
        with open(path, "wb") as f:
            f.write(good)
        recovers(p)
        with open(path, "r+b") as f:
            f.seek(0)
            f.write(os.urandom(len(good)))
        ask_in_time(p)
        with open(path, "r+b") as f:
            f.write(good)
        recovers(p)


def mounted(p, options):
    """A file system of its own for the store; Skip where that may not be."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "none", p.path("store")],
        stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise tap.Skip("no mount: " + done.stderr.decode().strip())


def unmount(p):
    """Takes the file system away, whatever is open there."""
    subprocess.run(["umount", "-l", p.path("store")], check=True)


def store_read_only():
    """A file system that became read-only."""
    with Policyd(LIMIT) as p:
        mounted(p, "size=8m,mode=0755")
        try:
            p.start()
            p.suppress("a@b.example")
            tap.equal(p.stop(), 0, "exit")
            subprocess.run(["mount", "-o", "remount,ro", p.path("store")],
                           check=True)
            p.start()
            ask_in_time(p)
            reply = in_time(lambda: p.ask_control(charge("4A",
                                                         "x@y.example")))
            tap.true(reply.startswith("action=450 4.3.0 limits"), reply)
            subprocess.run(["mount", "-o", "remount,rw", p.path("store")],
                           check=True)
            recovers(p)
            labs.wait_for("limits", lambda: p.ask_control(charge(
                "4B", "x@y.example")) == DUNNO, 60)
        finally:
            p.kill()
            unmount(p)


def fill(path):
    """A file that takes what room there is."""
    f = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        while os.write(f, b"x" * 4096) > 0:
            pass
    except OSError:
        pass
    finally:
        os.close(f)


def disk_full():
    """No room: what is listed is refused, limits hold in memory, and the log
    says that they are not saved."""
    with Policyd('limit "u" { per = recipient-domain rate = "9/d" }\n') as p:
        mounted(p, "size=2m,mode=0755")
        try:
            p.start()
            p.suppress("a@b.example")
            fill(p.path("store/fill"))
            with p.control() as c:
                for n in range(2000):
                    tap.equal(c.ask(charge("4F%d" % n, "x@d%d.example" % n)),
                              DUNNO)
            ask_in_time(p, expect_refused)
            p.wait_log("limits cannot be saved")
            os.unlink(p.path("store/fill"))
            p.wait_log("limits are saved again")
        finally:
            p.kill()
            unmount(p)


def hide_store(p):
    """Where its directory should be is a file."""
    os.rmdir(p.path("store"))
    with open(p.path("store"), "w", encoding="ascii"):
        pass


def store_missing():
    """No directory at the start: put off, until it is there."""
    with Policyd() as p:
        hide_store(p)
        p.start()
        reply = in_time(lambda: p.ask(rcpt("a@b.example")))
        tap.true(reply.startswith(DEFERRED), reply)
        os.unlink(p.path("store"))
        p.suppress("a@b.example")
        recovers(p)


def accept_when_down():
    """on-store-failure = accept lets through, and says so."""
    with Policyd("on-store-failure = accept\n" + LIMIT) as p:
        hide_store(p)
        p.start()
        tap.equal(p.ask(rcpt("a@b.example")), DUNNO)
        tap.equal(p.ask_control(admit("a@b.example")), DUNNO + "\nopen=1")
        tap.equal(p.ask_control(charge("4A", "a@b.example")),
                  DUNNO + "\nopen=1")
        counters = p.status()["counters"]
        tap.true(counters["opened"] == 3, counters)
        tap.true(p.log().count("policy=open") == 3, p.log())


def other_user():
    """-u: the store is that user's, and decisions go on."""
    if os.geteuid() != 0:
        raise tap.Skip("not root")
    with Policyd(LIMIT, user="nobody").start() as p:
        tap.equal(p.ask_control(charge("4A", "x@y.example")), DUNNO)
        labs.wait_for("saved", lambda: os.path.exists(
            p.path("store/rates.db")))
        owner = os.stat(p.path("store/rates.db")).st_uid
        tap.true(owner != 0, "root's")


def paused():
    """The stop button counts for the next request."""
    with Policyd('domain "example.com" {}\nstream "shop" { match { '
                 'sasl-user = { "shop" } } envelope-domain = true }\n'
                 ).start() as p:
        request = admit("x@y.example", domain="example.com", stream="shop")
        at_rcpt = rcpt("x@y.example", sasl_username="shop")
        with p.control() as k, p.policy() as c:
            tap.equal(k.ask(request), DUNNO)
            p.command("limit", "pause", "shop")
            tap.true(k.ask(request).startswith(
                "action=450 4.7.1 stream shop is paused"), "admit")
            tap.true(c.ask(at_rcpt).startswith(
                "action=450 4.7.1 stream shop is paused"), "rcpt")
            tap.equal(p.status()["paused"], ["stream/shop"])
            p.kill()
        p.start()
        tap.true(p.ask(at_rcpt).startswith("action=450 4.7.1"), "restart")
        p.command("limit", "resume", "shop")
        tap.equal(p.ask(at_rcpt), DUNNO)


def expired():
    """What expires stops counting then, and is taken away later."""
    with Policyd().start() as p:
        p.command("suppress", "add", "--reason", "manual", "--expires", "5s",
                  "e@b.example")
        reply = p.ask(rcpt("e@b.example"))
        tap.true(reply.startswith("action=550"), reply)
        labs.wait_for("expiry", lambda: p.ask(rcpt("e@b.example")) == DUNNO,
                      30)
        labs.wait_for("purge", lambda: p.status()["counters"].get(
            "purged_slices", 0) > 0, 60)


def usage():
    """Settings without sockets, and wrong options."""
    with Policyd() as p:
        with open(p.path("bulkhead.conf"), "w", encoding="ascii") as f:
            f.write('store = "sqlite:%s"\n' % p.path("store"))
        for argv, want in (([], 78), (["-x"], 64), (["-h"], 0), (["-V"], 0),
                           (["-p", "nonsense"], 78),
                           (["-p", "unix:/nowhere/at/all.sock"], 69)):
            done = subprocess.run(
                [daemons.PROGRAM, "-c", p.path("bulkhead.conf"), "-f"]
                + argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                check=False, timeout=20)
            tap.equal(done.returncode, want, "%r: %s" % (
                argv, done.stdout.decode()))


POINTS = (
    ("sockets", sockets), ("usage", usage), ("chunks", chunks),
    ("large requests", large_requests), ("1,000 idle", idle_clients),
    ("broken clients", broken_clients), ("slow clients", slow_clients),
    ("a reply taken late", reply_taken_late), ("too few files", many_files),
    ("reload", reload), ("reload under load", reload_under_load),
    ("drain", drain), ("successor", successor), ("kill -9", killed),
    ("charges of many", charges_of_many),
    ("many buckets", many_buckets), ("pause", paused),
    ("expiry", expired), ("store locked", store_locked),
    ("store corrupted", store_corrupted),
    ("store read-only", store_read_only), ("disk full", disk_full),
    ("store missing", store_missing), ("accept", accept_when_down),
    ("another user", other_user),
)

if __name__ == "__main__":
    daemons.why_not()
    if not shutil.which("prlimit"):
        sys.exit(tap.skip_all("no prlimit"))
    chosen = [p for p in POINTS if len(sys.argv) < 2 or p[0] in sys.argv[1:]]
    sys.exit(tap.run(chosen))
