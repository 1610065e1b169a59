#!/usr/bin/python3
"""kill -9 at random moments, of policyd and of who adds, under load: no
suppression that was acknowledged is lost or let through once, and limits
forget a second at the most.  A hundred times; with BULKHEAD_LONG a
thousand."""
import os
import random
import re
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
import policyd as daemons  # noqa: E402
import tap  # noqa: E402
from policyd import Policyd, admit, block, charge, rcpt  # noqa: E402

KILLS = 1000 if os.environ.get("BULKHEAD_LONG") else 100
# Limits are saved every second: of five lives one is long enough for that.
SHORT, LONG, ONE_IN = (0.0, 0.25), (1.8, 3.0), 5
BURST = 500
CONFIG = 'limit "all" { rate = "3600/h" burst = %d }\n' % BURST
FORGOTTEN = 1.5  # seconds before a kill: one, and the time to save
ADDERS, ASKERS, CHARGERS = 2, 12, 4
DUNNO = "action=DUNNO"
REFUSED = "action=550 5.7.1 <"
OVER = "action=450 4.7.1 over limit "
UNKNOWN = ("action=DEFER_IF_PERMIT 4.3.0 ", "action=450 4.3.0 ")


class Connection:
    """One that is opened again when policyd was killed."""

    def __init__(self, opener):
        self.opener, self.client = opener, None

    def ask(self, request):
        """The reply, or None: there was nobody."""
        try:
            if self.client is None:
                self.client = self.opener()
            reply = self.client.ask(request)
        except (OSError, AssertionError):  # half a reply is none
            reply = None
        if reply is None:
            self.close()
            time.sleep(0.01)
        return reply

    def close(self):
        """Hangs up."""
        if self.client is not None:
            self.client.close()
        self.client = None


class Load:
    """Adds, asks and charges until it is stopped, whatever is killed."""

    def __init__(self, p):
        self.p, self.stop = p, threading.Event()
        self.added = []  # acknowledged; appended to only
        self.passed = []  # when a charge that passed was asked for
        self.wrong, self.errors = [], []
        self.asked = [0] * ASKERS
        work = ([(self._add, n) for n in range(ADDERS)] +
                [(self._ask, n) for n in range(ASKERS)] +
                [(self._charge, n) for n in range(CHARGERS)])
        self.threads = [threading.Thread(target=self._guarded, args=w)
                        for w in work]
        for t in self.threads:
            t.start()

    def _guarded(self, what, number):
        try:
            what(number)
        except Exception as e:  # told by end()
            self.errors.append(e)

    def _add(self, number):
        """One after the other; one in five is killed as it adds."""
        chance, count = random.Random(number), 0
        while not self.stop.is_set():
            count += 1
            name = "k%d.%d@b.example" % (number, count)
            child = subprocess.Popen(
                [daemons.COMMAND, "suppress", "add", "-c",
                 self.p.path("bulkhead.conf"), "--reason", "manual", name],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if count % 5 == 0:
                time.sleep(chance.random() * 0.02)
                child.kill()
            if child.wait(60) == 0:
                self.added.append(name)
            time.sleep(0.02)

    def _ask(self, number):
        """Of three questions two are about one who is listed by now, the
        newest often; who is not is never refused."""
        chance = random.Random(100 + number)
        policy = Connection(self.p.policy)
        control = Connection(self.p.control)
        while not self.stop.is_set():
            kind, listed = chance.randrange(3), None
            if self.added:
                listed = self.added[-1] if chance.random() < 0.5 else \
                    chance.choice(self.added)
            if kind == 0 or listed is None:
                reply = policy.ask(rcpt("x@y.example"))
                good = (DUNNO, OVER)
            elif kind == 1:
                reply = policy.ask(rcpt(listed))
                good = (REFUSED + listed + ">: suppressed (manual 20",)
            else:
                reply = control.ask(admit("x@y.example", listed))
                good = (DUNNO + "\nsuppressed=1 manual suppressed (",)
            if reply is not None:
                self.asked[number] += 1
                if not reply.startswith(good + UNKNOWN):
                    self.wrong.append((listed, reply))
            time.sleep(0.002)
        policy.close()
        control.close()

    def _charge(self, number):
        """A message after the other; when one passed is noted."""
        connection, count = Connection(self.p.control), 0
        while not self.stop.is_set():
            count += 1
            begin = time.monotonic()
            if connection.ask(charge("4K%d.%d" % (number, count),
                                     "x@y.example")) == DUNNO:
                self.passed.append(begin)
            time.sleep(0.004)
        connection.close()

    def end(self):
        """Stops; fails where a thread did."""
        self.stop.set()
        for t in self.threads:
            t.join(90)
        if self.errors:
            raise self.errors[0]


def kill_again_and_again(p):
    """When they were."""
    chance, kills = random.Random(2), []
    for n in range(KILLS):
        time.sleep(chance.uniform(*(LONG if n % ONE_IN == 0 else SHORT)))
        kills.append(time.monotonic())
        p.kill()
        p.start()
    return kills


def expect_listed(p, names):
    """Each is refused, in one breath."""
    lost = []
    with p.policy(60) as c:
        for at in range(0, len(names), 50):
            some = names[at:at + 50]
            c.send(b"".join(rcpt(n) for n in some))
            for n in some:
                if not c.reply().startswith(REFUSED + n):
                    lost.append(n)
    tap.equal(lost, [], "lost of %d" % len(names))


def expect_limited(load, kills, seconds):
    """What passed is the burst, what time won back, and what a kill may make
    it forget."""
    forgotten = sum(1 for t in load.passed
                    if any(k - FORGOTTEN < t <= k for k in kills))
    most = BURST + int(seconds) + 1 + forgotten
    print("# %d kills in %d s: %d added, %d answers, %d charged of at most "
          "%d + %d s * 1/s + %d asked within %.1f s before a kill" % (
              len(kills), seconds, len(load.added), sum(load.asked),
              len(load.passed), BURST, seconds, forgotten, FORGOTTEN))
    tap.true(len(load.passed) <= most, "too many passed")
    tap.true(len(load.passed) >= BURST, "too few passed")


def used(p):
    """Tokens of the bucket."""
    reply = p.ask_control(block(request="bulkhead_limits"))
    return int((re.search(r'"used": (\d+)', reply) or [0, 0])[1])


def killed_under_load():
    """All that was promised holds behind the last kill."""
    with Policyd(CONFIG).start() as p:
        begin = time.monotonic()
        load = Load(p)
        try:
            kills = kill_again_and_again(p)
        finally:
            load.end()
        tap.equal(load.wrong[:5], [], "wrong answers")
        tap.true(len(load.added) > KILLS and
                 min(load.asked) > KILLS, "too little was done")
        expect_listed(p, load.added)
        expect_limited(load, kills, time.monotonic() - begin)


def limits_kept():
    """What was charged longer than that ago is known behind a kill."""
    with Policyd('limit "all" { rate = "400/d" }\n').start() as p:
        with p.control() as c:
            for n in range(300):
                tap.equal(c.ask(charge("4L%d" % n, "x@y.example")), DUNNO)
        time.sleep(2 * FORGOTTEN)
        p.kill()
        p.start()
        # a token comes back in 216 s
        tap.true(298 <= used(p) <= 300, "used %d" % used(p))


if __name__ == "__main__":
    daemons.why_not()
    sys.exit(tap.run([("kill -9, %d times" % KILLS, killed_under_load),
                      ("limits are kept", limits_kept)]))
