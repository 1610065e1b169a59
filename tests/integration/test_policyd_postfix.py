#!/usr/bin/python3
"""Postfix asks bulkhead-policyd, at RCPT and at DATA: what clients see, and
what arrives."""
import os
import signal
import sys
import threading
import time

sys.dont_write_bytecode = True
import lab as labs  # noqa: E402
import policyd as daemons  # noqa: E402
import tap  # noqa: E402
from client import Client  # noqa: E402
from lab import Lab  # noqa: E402
from policyd import Policyd, block  # noqa: E402

SENDER = "news@example.com"
MAIL = b"From: news@example.com\r\nTo: x@y.example\r\nSubject: s\r\n\r\nb\r\n"
OUTSIDE = "203.0.113.9"
USER = ("shop", "a secret")
SESSIONS = 200
BURST = 300
FORGOTTEN = 1.5  # seconds before a kill: one, and the time to save


class Both:
    """A Postfix that asks a policyd."""

    def __init__(self, config="", at_data=False):
        if at_data:
            config = ("policyd {{ socket = \"unix:{dir}/policy.sock\"\n"
                      "control = \"unix:{dir}/control.sock\"\n"
                      "charge-at = data }}\n") + config
        self.policyd = Policyd(config if not at_data else "")
        if at_data:
            self._own_section(config)
        self.policyd.start()
        try:
            self.lab = Lab(users=(USER,), extra=daemons.postfix_settings(
                self.policyd.dir, at_data))
        except BaseException:
            self.policyd.__exit__()
            raise

    def _own_section(self, config):
        text = 'store = "sqlite:{dir}/store"\n' + config
        with open(self.policyd.path("bulkhead.conf"), "w",
                  encoding="utf-8") as f:
            f.write(text.format(dir=self.policyd.dir))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lab.close()
        self.policyd.__exit__()

    def client(self, **kwargs):
        """An SMTP session."""
        return Client(self.lab.bulk, **kwargs)

    def arrived(self):
        """The recipients of all that arrived, once the queue is empty."""
        self.lab.wait_empty(60)
        return [r.split(">")[0].strip("<") for m in self.lab.receiver.messages
                for r in m.recipients]


def refused_and_sent():
    """The listed recipient is refused, the others get the message."""
    with Both() as both:
        both.policyd.suppress("a@b.example")
        with both.client() as c:
            c.command("MAIL FROM:<%s>" % SENDER)
            reply = c.command("RCPT TO:<A@B.example>")
            tap.equal(reply.code, 550)
            tap.true("5.7.1 <A@B.example>: " in reply.text and
                     "suppressed (hard-bounce 20" in reply.text, reply)
            tap.equal(c.command("RCPT TO:<x@y.example>").code, 250)
            tap.equal(c.command("DATA").code, 354)
            c.write(MAIL + b".\r\n")
            tap.equal(c.reply().code, 250)
        tap.equal(both.arrived(), ["x@y.example"])
        tap.true("action=rejected step=rcpt client=127.0.0.1" in
                 both.policyd.log(), "no line")


def whose():
    """A stranger's mail and bounces are not judged; who logged in is."""
    with Both() as both:
        both.policyd.suppress("a@b.example")
        with both.client(address=OUTSIDE) as c:
            tap.equal(c.send("who@else.example", ["a@b.example"],
                             MAIL).code, 250)
        with both.client() as c:
            tap.equal(c.send("", ["a@b.example"], MAIL).code, 250)
        with both.client(address=OUTSIDE, user=USER) as c:
            tap.equal(c.send(SENDER, ["a@b.example"], MAIL).code, 550)
        tap.equal(both.arrived(), ["a@b.example"] * 2)


SPELLINGS = (
    "A@B.EXAMPLE", "a@b.example.", '"a"@b.example', '"\\a"@b.example',
    "@x.example:a@b.example", "a(c)@b.example", "(x)a @ b.example",
    "a%b.example", "a%b.example@", '"a%b.example"', "b.example!a",
    "a@b.example@", '"x y"@b.example', "x\\ y@b.example")
OTHERS = ('"(c)a"@b.example', "a%b.example@y.example", "a+x@b.example",
          '"a@b.example"@y.example')


def spellings():
    """Whatever Postfix delivers to who is listed is refused, and no more."""
    with Both() as both:
        both.policyd.suppress("a@b.example", '"x y"@b.example')
        for names, want in ((SPELLINGS, 550), (OTHERS, 250)):
            for name in names:
                with both.client() as c:
                    tap.equal(c.send(SENDER, [name], MAIL).code, want, name)
        both.arrived()
        tap.equal(len(both.lab.receiver.messages), len(OTHERS))


def many_refused():
    """200 listed recipients in a row, by one session, without a pause."""
    with Both() as both:
        names = ["l%d@b.example" % i for i in range(200)]
        both.policyd.suppress(*names)
        with both.client() as c:
            c.command("MAIL FROM:<%s>" % SENDER)
            begin = time.monotonic()
            codes = {c.command("RCPT TO:<%s>" % n).code for n in names}
            took = time.monotonic() - begin
            tap.equal(codes, {550})
            tap.true(took < 40, "took %f s" % took)
            tap.equal(c.command("RCPT TO:<x@y.example>").code, 250)
        print("# 200 refusals in %.2f s" % took)


def cumulated():
    """More recipients than the limit lets go: the others later."""
    with Both('limit "all" { rate = "3/d" }\n') as both:
        with both.client() as c:
            c.command("MAIL FROM:<%s>" % SENDER)
            replies = [c.command("RCPT TO:<r%d@y.example>" % i)
                       for i in range(5)]
            tap.equal([r.code for r in replies], [250] * 3 + [450] * 2)
            tap.true("4.7.1" in replies[4].text, replies[4])
            # RSET forgets nothing of another message
            c.command("RSET")
            c.command("MAIL FROM:<%s>" % SENDER)
            tap.equal(c.command("RCPT TO:<r9@y.example>").code, 250)


def charged_at_data():
    """Sessions at once: no more than the bucket holds goes out, and all of
    it; refused recipients are not charged."""
    config = 'limit "all" {{ rate = "60/d" }}\n'
    with Both(config, at_data=True) as both:
        both.policyd.suppress("a@b.example")
        sent, lock = [], threading.Lock()

        def session(number):
            with both.client() as c:
                for n in range(4):
                    c.command("MAIL FROM:<%s>" % SENDER)
                    c.command("RCPT TO:<a@b.example>")
                    c.command("RCPT TO:<r%d.%d@y.example>" % (number, n))
                    c.command("RCPT TO:<q%d.%d@y.example>" % (number, n))
                    if c.command("DATA").code != 354:
                        c.command("RSET")
                        continue
                    c.write(MAIL + b".\r\n")
                    with lock:
                        sent.append(c.reply().code)

        run(session, 20)
        tap.equal(sent, [250] * 30)
        tap.equal(len(both.arrived()), 60)
        reply = both.policyd.ask_control(block(request="bulkhead_limits"))
        tap.true('"used": 60,' in reply, reply)


def run(target, count):
    """That many threads; fails where one did."""
    errors = []

    def guarded(number):
        try:
            target(number)
        except Exception as e:  # told below
            errors.append(e)

    threads = [threading.Thread(target=guarded, args=(n,))
               for n in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(200)
    if errors:
        raise errors[0]


def absent():
    """Without policyd mail is put off, and goes on when it is back."""
    with Both() as both:
        both.policyd.suppress("a@b.example")
        both.policyd.kill()
        with both.client() as c:
            c.command("MAIL FROM:<%s>" % SENDER)
            tap.equal(c.command("RCPT TO:<x@y.example>").code, 451)
            both.policyd.start()
            labs.wait_for("250", lambda: c.command(
                "RCPT TO:<x@y.example>").code == 250)
            tap.equal(c.command("RCPT TO:<a@b.example>").code, 550)


def store_down():
    """What cannot be looked up is put off, in time."""
    with Both() as both:
        both.policyd.kill()
        store = both.policyd.path("store")
        os.rename(store, store + ".away")
        with open(store, "w", encoding="ascii"):
            pass
        both.policyd.start()
        with both.client() as c:
            c.command("MAIL FROM:<%s>" % SENDER)
            took = []
            for _ in range(3):  # a machine may be busy for once
                seconds, reply = daemons.seconds_of(lambda: c.command(
                    "RCPT TO:<x@y.example>"))
                took.append(seconds)
                tap.equal(reply.code, 450)
                tap.true("4.3.0" in reply.text, reply)
            tap.true(min(took) < 2, "took %r" % took)


class Sessions:
    """What many clients saw, each with one who is listed, one listed
    meanwhile, and one who is to get the mail."""

    def __init__(self, both):
        self.both = both
        self.stop, self.lock = threading.Event(), threading.Lock()
        self.tally, self.sent = {}, []  # (recipient, DATA asked, answered)
        self.added = []  # listed meanwhile; appended to when acknowledged
        self.let_through = []

    def session(self, number):
        """Until it is stopped: five messages a connection."""
        count = 0
        while not self.stop.is_set():
            with self.both.client() as c:
                for _ in range(5):
                    count += 1
                    self._one(c, "s%d.%d@y.example" % (number, count),
                              "l%d@b.example" % (count % 50))

    def _listed(self, c, name):
        code = c.command("RCPT TO:<%s>" % name).code
        with self.lock:
            if code == 250:
                self.let_through.append(name)
        return code

    def _one(self, c, name, listed):
        c.command("MAIL FROM:<%s>" % SENDER)
        codes = [self._listed(c, listed)]
        if self.added:
            codes.append(self._listed(c, self.added[-1]))
        codes.append(c.command("RCPT TO:<%s>" % name).code)
        begin, code = time.monotonic(), 0
        if codes[-1] == 250:
            codes.append(c.command("DATA").code)
        answered = time.monotonic()
        if codes[-1] == 354:
            c.write(MAIL + b".\r\n")
            code = c.reply().code
        else:
            c.command("RSET")
        with self.lock:
            for of in codes:
                self.tally[of] = self.tally.get(of, 0) + 1
            if code == 250:
                self.sent.append((name, begin, answered))

    def add(self):
        """One more is listed."""
        name = "m%d@b.example" % len(self.added)
        self.both.policyd.suppress(name)
        self.added.append(name)

    def run(self, disturb):
        """Many, until disturb() has ended."""
        def other():
            try:
                disturb()
            finally:
                self.stop.set()

        run(lambda n: self.session(n) if n else other(), SESSIONS + 1)
        print("# replies: %r, %d messages" % (self.tally, len(self.sent)))

    def expect_arrived(self):
        """Nobody who is listed got mail, all others did in the end."""
        tap.equal(self.let_through[:9], [], "let through")
        arrived = self.both.arrived()
        tap.equal([r for r in arrived if r[0] in "lm"], [], "listed")
        tap.equal(sorted(arrived), sorted(s[0] for s in self.sent),
                  "arrived")
        tap.true(len(arrived) > 100, "too few")
        tap.equal(sorted(set(self.tally) - {250, 354, 550, 450, 451, 421}),
                  [])


def killed_under_load():
    """Hundreds of sessions while policyd is killed, restarted, reloaded."""
    with Both() as both:
        both.policyd.suppress(*["l%d@b.example" % i for i in range(50)])
        sessions = Sessions(both)

        def disturb():
            for n in range(6):
                time.sleep(1.5)
                sessions.add()
                if n % 3 == 0:
                    both.policyd.kill()
                    time.sleep(0.3)
                    both.policyd.start()
                elif n % 3 == 1:
                    both.policyd.reload()
                else:
                    both.policyd.stop()
                    both.policyd.start()

        sessions.run(disturb)
        sessions.expect_arrived()


def limited_under_load():
    """The same with charges at DATA: no more is delivered than the burst,
    what time won back, and what a kill makes forget: the second before."""
    config = 'limit "all" {{ rate = "3600/h" burst = %d }}\n' % BURST
    with Both(config, at_data=True) as both:
        both.policyd.suppress(*["l%d@b.example" % i for i in range(50)])
        sessions, kills = Sessions(both), []
        begin = time.monotonic()

        def disturb():
            for n in range(8):
                time.sleep((0.3, 2.5)[n % 2])
                sessions.add()
                kills.append(time.monotonic())
                both.policyd.kill()
                both.policyd.start()

        sessions.run(disturb)
        seconds = time.monotonic() - begin
        sessions.expect_arrived()
        forgotten = sum(1 for _, a, b in sessions.sent
                        if any(a <= k and b > k - FORGOTTEN for k in kills))
        print("# %d delivered of at most %d + %d s * 1/s + %d" % (
            len(sessions.sent), BURST, seconds, forgotten))
        tap.true(len(sessions.sent) <= BURST + int(seconds) + 1 +
                 forgotten, "too many")


POINTS = (
    ("refused, and sent to the others", refused_and_sent),
    ("whose mail", whose), ("spellings", spellings),
    ("200 in a row", many_refused),
    ("cumulated", cumulated), ("charged at DATA", charged_at_data),
    ("absent", absent), ("store down", store_down),
    ("killed under load", killed_under_load),
    ("limited under load", limited_under_load),
)

if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    daemons.why_not()
    if labs.why_not():
        sys.exit(tap.skip_all(labs.why_not()))
    chosen = [p for p in POINTS if len(sys.argv) < 2 or p[0] in sys.argv[1:]]
    sys.exit(tap.run(chosen))
