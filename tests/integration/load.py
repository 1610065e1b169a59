"""Many SMTP sessions at once, and what came of each of their messages."""
import threading
import time

import tap
from client import Client, stuffed

FROM = "bounces@example.com"
ONE = ["ann@reader.example"]
MESSAGE = (b"From: News <news@example.com>\r\nTo: ann@reader.example\r\n"
           b"Subject: number %d\r\nX-Number: %d\r\n\r\n"
           b"first line of %d\r\nlast line of %d\r\n")


def message(number):
    """A small message that tells its number at both ends."""
    return MESSAGE % ((number,) * 4)


class Ledger:
    """The replies to all messages of a test; safe from any thread."""

    def __init__(self):
        self.lock = threading.Lock()
        self.last = 0
        self.accepted = []
        self.refused = []  # (number, step, code, text, before)

    def number(self):
        """The next message's number."""
        with self.lock:
            self.last += 1
            return self.last

    def note(self, number, step, reply, before=0):
        """What the MTA said to that step; "end" is the end of message."""
        with self.lock:
            if step == "end" and reply:
                self.accepted.append(number)
            else:
                self.refused.append((number, step, reply.code, reply.text,
                                     before))

    def codes(self):
        """{(step, code): how often} of the refusals."""
        found = {}
        for _, step, code, _, _ in self.refused:
            found[step, code] = found.get((step, code), 0) + 1
        return found


def deliver(client, ledger, before=0, pause=None):
    """One message; the last reply.

    pause() is called in the middle of DATA.  before: how many messages of
    the session were accepted before.
    """
    number = ledger.number()
    for step, text in (("mail", "MAIL FROM:<%s>" % FROM),
                       ("rcpt", "RCPT TO:<%s>" % ONE[0]),
                       ("data", "DATA")):
        reply = client.command(text)
        if reply.code >= 400:
            ledger.note(number, step, reply, before)
            return reply
    data = stuffed(message(number))
    if pause is not None:
        client.write(data[:len(data) // 2])
        pause()
        data = data[len(data) // 2:]
    client.write(data)
    reply = client.reply()
    ledger.note(number, "end", reply, before)
    return reply


class Sender(threading.Thread):
    """Sends on until it is stopped: per_session messages, then anew."""

    def __init__(self, port, ledger, per_session=1000, pause=0.0):
        super().__init__(daemon=True)
        self.port, self.ledger = port, ledger
        self.per_session, self.pause = per_session, pause
        self.is_stopped = threading.Event()
        self.error = None
        self.start()

    def run(self):
        try:
            while not self.is_stopped.is_set():
                self._session()
        except Exception as e:  # told by stop()
            self.error = e

    def _session(self):
        client = Client(self.port)
        try:
            if client.greeting.code != 220:
                self.ledger.note(0, "greeting", client.greeting)
                time.sleep(0.05)
                return
            accepted = 0
            for _ in range(self.per_session):
                if self.is_stopped.is_set():
                    return
                reply = deliver(client, self.ledger, accepted)
                if reply.code == 421:
                    return
                accepted += 1 if reply else 0
                time.sleep(self.pause if reply else 0.05)
        finally:
            client.close()

    def stop(self, is_strict=True):
        """Ends with the message under way; fails where it did."""
        self.is_stopped.set()
        self.join(60)
        if not is_strict:
            return
        tap.true(not self.is_alive(), "a sender hangs")
        if self.error is not None:
            raise self.error


class Senders:
    """Sends as long as the with statement lasts, in that many sessions: some
    of 1000 messages, some of 7, some with pauses, or all of per_session."""

    def __init__(self, port, ledger, sessions=20, per_session=None):
        self.all = []
        for n in range(sessions):
            self.all.append(Sender(
                port, ledger, per_session or (1000, 7)[n % 2],
                0.1 if per_session is None and n % 5 == 0 else 0.0))

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for sender in self.all:
            sender.is_stopped.set()
        for sender in self.all:
            sender.stop(kind is None)


def expect_all(lab, ledger, seconds=60):
    """Each accepted message arrived once and whole, no other did."""
    want = sorted(ledger.accepted)
    lab.receiver.wait(len(want), seconds)
    lab.wait_empty(seconds)
    got = []
    for m in lab.receiver.messages:
        number = int(m.data.partition(b"X-Number: ")[2].split(b"\r\n")[0])
        tap.true(m.data.endswith(b"first line of %d\r\nlast line of %d\r\n"
                                 % (number, number)), "torn: %r" % m.data)
        got.append(number)
    tap.equal(sorted(got), want, "arrived")
