#!/usr/bin/python3
"""The lab itself, before anything is built on it: a plain Postfix, the
recorder, the receiver.  Nothing of Bulkhead runs here."""
import os
import sys

sys.dont_write_bytecode = True
import lab as labs  # noqa: E402
import tap  # noqa: E402
from client import Client, crlf  # noqa: E402

MESSAGE = (b"From: News <news@example.com>\r\nTo: a@example.net\r\n"
           b"Subject:no blank\r\nX-Tab:\tvalue\r\n folded\r\n"
           b"Date: Mon, 23 Nov 2026 00:00:00 +0000\r\n"
           b"Message-ID: <1@example.com>\r\n\r\n"
           b"one\r\n.dot\r\n..two dots\r\nno 8-bit\r\n")
USER = ("news@example.com", "a secret")


def without_received(data):
    """The message without the fields above the first of ours."""
    start = data.index(b"From: News")
    return data[start:]


def arrived(lab, n):
    """The last of n messages."""
    return lab.receiver.wait(n)[-1]


def expect_sent(lab, reply):
    """It was queued, recorded as it was sent, and arrived so."""
    tap.true(reply and reply.queue_id, "not queued: %r" % reply)
    got = arrived(lab, 1)
    tap.equal(without_received(got.data), MESSAGE, "arrived")
    tap.equal(without_received(lab.recorded(reply.queue_id)), MESSAGE,
              "recorded")
    lab.receiver.clear()


def trusted(lab):
    """A client on a trusted network."""
    with Client(lab.bulk) as c:
        expect_sent(lab, c.send("bounce@example.com", ["a@example.net"],
                                MESSAGE))


def foreign(lab):
    """XCLIENT makes the client a stranger to every milter."""
    with Client(lab.bulk, address="203.0.113.9") as c:
        reply = c.send("x@example.com", ["a@example.net"], MESSAGE)
    expect_sent(lab, reply)
    macros = dict(lab.recorded_envelope(reply.queue_id))
    tap.equal(macros["macro {client_addr}"], "203.0.113.9")
    tap.true("macro {auth_authen}" not in macros, "authenticated?")


def sasl(lab):
    """AUTH PLAIN from outside; a wrong password is refused."""
    with Client(lab.bulk, address="203.0.113.9") as c:
        tap.equal(c.auth(USER[0], "wrong").code, 535)
    with Client(lab.bulk, address="203.0.113.9", user=USER) as c:
        reply = c.send("x@example.com", ["a@example.net"], MESSAGE)
    expect_sent(lab, reply)
    macros = dict(lab.recorded_envelope(reply.queue_id))
    tap.equal(macros["macro {auth_authen}"], USER[0])


def pipelined(lab):
    """Several messages in one session, each in one write."""
    with Client(lab.bulk) as c:
        for _ in range(3):
            expect_sent(lab, c.send_pipelined(
                "x@example.com", ["a@example.net", "b@example.net"],
                MESSAGE))


def chunked(lab):
    """BDAT in chunks that end in mid-line."""
    with Client(lab.bulk) as c:
        expect_sent(lab, c.send_chunks("x@example.com", ["a@example.net"],
                                       MESSAGE, 7))


def by_sendmail(lab):
    """sendmail(1): its text has LF, it arrives with CRLF."""
    queue_id = lab.sendmail("x@example.com", ["a@example.net"],
                            MESSAGE.replace(b"\r\n", b"\n"))
    got = arrived(lab, 1)
    tap.equal(without_received(got.data), crlf(MESSAGE), "arrived")
    tap.equal(without_received(lab.recorded(queue_id)), MESSAGE, "recorded")
    lab.receiver.clear()


def empties(lab):
    """Nothing stays behind."""
    lab.wait_empty()


def killed(lab, recorder):
    """Without its milter the listener defers; the plain one does not."""
    recorder.kill()
    recorder.wait()
    with Client(lab.bulk) as c:
        reply = c.send("x@example.com", ["a@example.net"], MESSAGE)
        tap.equal(reply.code, 451)
    with Client(lab.plain) as c:
        tap.true(c.send("x@example.com", ["a@example.net"], MESSAGE),
                 "the plain listener refused")
    tap.equal(len(lab.receiver.wait(1)), 1)


def main():
    """Runs all in one lab, in order."""
    reason = labs.why_not()
    if reason:
        return tap.skip_all(reason)
    before = os.listdir("/etc/postfix")
    with labs.Lab(["rec.sock"], users=[USER]) as lab:
        recorder = lab.start_recorder()
        points = [(t.__name__, lambda t=t: t(lab)) for t in (
            trusted, foreign, sasl, pipelined, chunked, by_sendmail, empties)]
        points.append(("killed", lambda: killed(lab, recorder)))
        points.append(("system's Postfix untouched", lambda: tap.equal(
            os.listdir("/etc/postfix"), before)))
        return tap.run(points, lab.log)


if __name__ == "__main__":
    sys.exit(main())
