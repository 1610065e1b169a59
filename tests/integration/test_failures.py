#!/usr/bin/python3
"""What must never leave: forged mail with our signature, our mail without it.

The milter is killed, stopped and missing here."""
import os
import signal
import sys
import threading
import time

sys.dont_write_bytecode = True
import bulkhead  # noqa: E402
import lab as labs  # noqa: E402
import tap  # noqa: E402
from client import Client, crlf, stuffed  # noqa: E402

FROM = "bounces@example.com"
ONE = ["ann@reader.example"]
NEWS = dict(bulkhead.mails())["qp-alternative.eml"]
LARGE = NEWS.replace(b"--=_part=1--", b"--=_part=1\nContent-Type: text/plain"
                     b"\n\n" + b"large enough\n" * 40000 + b"--=_part=1--")


def spoofed(product):
    """A stranger's From of ours: untouched, unsigned."""
    lab = product.lab
    with Client(lab.bulk, address=bulkhead.OUTSIDE) as c:
        reply = c.send(FROM, ONE, NEWS)
    message = lab.receiver.wait(1)[0]
    tap.equal(bulkhead.without_trace(message), lab.recorded(reply.queue_id),
              "spoofed")
    tap.equal(product.verify(message.data), {}, "signatures")
    tap.equal(message.sender, "<%s>" % FROM)
    tap.true(b"example.com/c/" not in message.data, "a token for a stranger")


def stranger_then_friend(product):
    """Without and with AUTH on the same address: only the second is ours."""
    lab = product.lab
    with Client(lab.bulk, address=bulkhead.OUTSIDE) as c:
        c.send(FROM, ONE, NEWS)
        c.auth(*bulkhead.USER)
        c.send(FROM, ONE, NEWS)
    first, second = lab.receiver.wait(2)
    signed = sorted(bool(product.verify(m.data)) for m in (first, second))
    tap.equal(signed, [False, True], "signed")


def expect_nothing(lab, reply):
    """451, and neither the receiver nor the queue has anything."""
    tap.equal(reply.code, 451, "reply %r" % reply)
    tap.true(lab.is_queue_empty(), "something is queued")
    tap.equal(len(lab.receiver.messages), 0, "arrived")


def absent(product):
    """No milter at all: 451 to SMTP."""
    with Client(product.lab.bulk) as c:
        expect_nothing(product.lab, c.send(FROM, ONE, NEWS))


def absent_sendmail(product):
    """No milter: sendmail(1) mail waits and leaves signed afterwards."""
    lab = product.lab
    lab.sendmail(FROM, ONE, NEWS)
    time.sleep(1)
    tap.equal(len(lab.receiver.messages), 0, "arrived")
    product.start()
    lab.tool("postfix", "flush")
    lab.tool("postqueue", "-f")
    bulkhead.expect_signed(product, lab.receiver.wait(1, 90)[0].data)


def kill_after(product, steps):
    """Does the steps of a session, kills the milter, goes on to the end."""
    child = product.start()
    with Client(product.lab.bulk) as c:
        todo = [lambda: c.command("MAIL FROM:<%s>" % FROM),
                lambda: c.command("RCPT TO:<%s>" % ONE[0]),
                lambda: c.command("DATA")]
        replies = [step() for step in todo[:steps]]
        if steps > 3:
            c.write(stuffed(LARGE)[:200000])
            time.sleep(0.3)
        child.kill()
        child.wait()
        for step in todo[steps:]:
            replies.append(step())
            if replies[-1].code >= 400:
                break
        if replies and replies[-1].code == 354:
            c.write(stuffed(LARGE)[200000 if steps > 3 else 0:])
            replies.append(c.reply())
        expect_nothing(product.lab, replies[-1])


def kill_any_time(product, delay):
    """Killed somewhere while a message is under way: all or nothing."""
    child = product.start()
    timer = threading.Timer(delay, child.kill)
    with Client(product.lab.bulk) as c:
        timer.start()
        reply = c.send(FROM, ONE, LARGE)
        timer.join()
        child.wait()
    if reply.code == 250:
        bulkhead.expect_signed(product, product.lab.receiver.wait(1)[0].data)
    else:
        expect_nothing(product.lab, reply)


def terminated(product):
    """SIGTERM while a message is under way: 250 and signed; then 421 at MAIL,
    and the milter is gone."""
    lab = product.lab
    child = product.start()
    with Client(lab.bulk) as c:
        c.envelope(FROM, ONE)
        tap.equal(c.command("DATA").code, 354)
        c.write(stuffed(NEWS)[:300])
        time.sleep(0.2)
        os.kill(child.pid, signal.SIGTERM)
        time.sleep(0.5)
        c.write(stuffed(NEWS)[300:])
        tap.equal(c.reply().code, 250, "the end of the message")
        reply = c.command("MAIL FROM:<%s>" % FROM)
        tap.equal((reply.code, reply.text[:5]), (421, "4.3.2"), "MAIL")
        tap.equal(child.wait(5), 0, "exit status")
    bulkhead.expect_signed(product, lab.receiver.wait(1)[0].data)
    lab.wait_empty()
    tap.equal(len(lab.receiver.messages), 1, "arrived")


def many_in_one_session(product):
    """After a refusal the session goes on, and nothing sticks to it."""
    lab = product.lab
    product.start()
    with Client(lab.bulk) as c:
        c.envelope(FROM, ONE)
        c.command("RSET")
        replies = [c.send(FROM, ONE, crlf(NEWS)) for _ in range(20)]
    tap.true(all(replies), "replies %r" % replies)
    for message in lab.receiver.wait(20):
        bulkhead.expect_as_previewed(product, message)


def fresh(product, test, *args):
    """A test that begins without milter and with an empty receiver."""
    if product.child is not None and product.child.poll() is None:
        product.child.kill()
        product.child.wait()
    product.lab.receiver.clear()
    test(product, *args)


def points(product):
    """(name, test), each of them fresh."""
    yield "spoofed", lambda: (product.start(), spoofed(product))
    yield "stranger, then friend", lambda: fresh(
        product, lambda p: (p.start(), stranger_then_friend(p)))
    for test in (absent, absent_sendmail, terminated, many_in_one_session):
        yield test.__name__, lambda t=test: fresh(product, t)
    for steps in range(5):
        yield "killed after step %d" % steps, lambda s=steps: fresh(
            product, kill_after, s)
    for delay in (0.002, 0.005, 0.01, 0.02, 0.03, 0.05):
        yield "killed after %d ms" % (delay * 1000), lambda d=delay: fresh(
            product, kill_any_time, d)


def main():
    """All in one lab."""
    reason = bulkhead.why_not()
    if reason:
        return tap.skip_all(reason)
    with labs.Lab(["rec.sock", "mil.sock"], users=[bulkhead.USER]) as lab:
        lab.start_recorder()
        product = bulkhead.Bulkhead(lab)
        return tap.run(list(points(product)), lambda: product.log()[-1500:]
                       + lab.log()[-1500:])


if __name__ == "__main__":
    sys.exit(main())
