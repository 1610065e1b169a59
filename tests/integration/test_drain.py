#!/usr/bin/python3
"""The milter is replaced while mail flows: what was begun ends well, what
would begin is sent away with 421, nothing is lost, nothing leaves unsigned."""
import os
import signal
import sys
import threading
import time

sys.dont_write_bytecode = True
import bulkhead  # noqa: E402
import handover  # noqa: E402
import lab as labs  # noqa: E402
import load  # noqa: E402
import tap  # noqa: E402
from client import Client, stuffed  # noqa: E402

RESTARTS = 4


def handed_over(product):
    """Thousands of messages over several hand-overs, no 451."""
    with handover.listen_unix(product.lab.path("mil.sock")) as listening:
        handover.under_load(product, listening)


def in_the_middle(product):
    """Sessions in the middle of DATA end it, idle ones get 421 at MAIL."""
    lab, ledger = product.lab, load.Ledger()
    go_on = threading.Event()
    waiting, done = [], []

    def wait():
        waiting.append(1)
        go_on.wait(60)

    def in_data():
        with Client(lab.bulk) as c:
            load.deliver(c, ledger)
            load.deliver(c, ledger, pause=wait)
            done.append(c.command("MAIL FROM:<%s>" % load.FROM).code)

    def between():
        with Client(lab.bulk) as c:
            load.deliver(c, ledger)
            wait()
            done.append(c.command("MAIL FROM:<%s>" % load.FROM).code)

    def at_rcpt():
        with Client(lab.bulk) as c:
            tap.true(c.envelope(load.FROM, load.ONE), "envelope")
            wait()
            number = ledger.number()
            c.command("DATA")
            c.write(stuffed(load.message(number)))
            ledger.note(number, "end", c.reply())

    with handover.listen_unix(lab.path("mil.sock")) as listening:
        chain = handover.Handover(product, listening)
        chain.start()
        threads = [threading.Thread(target=t) for t in
                   (in_data, between, at_rcpt) * 5]
        for t in threads:
            t.start()
        labs.wait_for("sessions in the middle",
                      lambda: len(waiting) == len(threads), 60)
        old = chain.replace()
        for _ in range(50):  # it has better to do
            os.kill(old.pid, signal.SIGHUP)
        with Client(lab.bulk) as c:  # new ones are the successor's
            load.deliver(c, ledger)
            load.deliver(c, ledger)
        tap.true(old.poll() is None, "did not wait for its sessions")
        go_on.set()
        for t in threads:
            t.join(30)
        tap.equal(old.wait(5), 0, "exit status")
        chain.children[-1].terminate()
        tap.equal(chain.children[-1].wait(25), 0, "exit status")
    tap.equal(done, [421] * 10)
    tap.equal(len(ledger.accepted), 22)
    handover.expect_no_loss(product, ledger)
    tap.true("10 messages answered 421" in product.log(), "log")


def bounded(product):
    """A session that does nothing holds the end up for 20 s; then it gets
    451 until it connects again, as the manual says."""
    lab, ledger = product.lab, load.Ledger()
    child = product.start()
    with Client(lab.bulk) as idle:
        load.deliver(idle, ledger)
        begin = time.monotonic()
        child.terminate()
        tap.equal(child.wait(25), 0, "exit status")
        took = time.monotonic() - begin
        tap.true(19.5 < took < 21, "ended after %.1f s" % took)
        tap.true("1 sessions are cut off" in product.log(), product.log())
        product.start()
        load.deliver(idle, ledger)
        load.deliver(idle, ledger)
    with Client(lab.bulk) as again:
        load.deliver(again, ledger)
    tap.equal(ledger.codes(), {("mail", 451): 2})
    load.expect_all(lab, ledger)


def urged(product):
    """A second SIGTERM ends it at once."""
    child = product.start()
    with Client(product.lab.bulk) as c:
        load.deliver(c, load.Ledger())
        child.terminate()
        time.sleep(0.3)
        tap.true(child.poll() is None, "did not wait")
        begin = time.monotonic()
        child.terminate()
        tap.equal(child.wait(5), 0, "exit status")
        tap.true(time.monotonic() - begin < 1, "not at once")


def at_the_path(product):
    """A unix socket: the successor takes it while the other one drains."""
    lab, ledger = product.lab, load.Ledger()
    old = product.start()
    with Client(lab.bulk) as c:
        load.deliver(c, ledger)
        old.terminate()
        labs.wait_for("drain", lambda: ": draining" in product.log())
        product.start()  # fails if the path is not free at once
        with Client(lab.bulk) as d:
            load.deliver(d, ledger)
        load.deliver(c, ledger)
        tap.equal(old.wait(5), 0, "exit status")
        tap.true(os.path.exists(lab.path("mil.sock")), "removed the socket")
        with Client(lab.bulk) as d:
            load.deliver(d, ledger)
    tap.equal(ledger.codes(), {("mail", 421): 1})
    load.expect_all(lab, ledger)


def restarted(product):
    """A unix socket under load: 451 only to sessions that begin while no
    milter is there, and to none of them in the middle."""
    lab, ledger = product.lab, load.Ledger()
    product.start()
    with load.Senders(lab.bulk, ledger, per_session=7):
        for _ in range(RESTARTS):
            time.sleep(1)
            old, before = product.child, product.log().count(": draining")
            old.terminate()
            labs.wait_for("drain", lambda n=before:
                          product.log().count(": draining") > n)
            product.start()
            tap.equal(old.wait(25), 0, "exit status")
        time.sleep(0.5)
    late = [r for r in ledger.refused if r[2] != 421 and r[4] > 0]
    tap.equal(late, [], "451 in the middle of a session")
    tap.equal({step for step, _ in ledger.codes()} - {"mail", "greeting"},
              set(), "refused: %r" % ledger.codes())
    load.expect_all(lab, ledger)
    print("# %d messages, %r" % (len(ledger.accepted), ledger.codes()))


def by_sendmail(product):
    """What sendmail(1) submits during a drain waits for the successor."""
    lab = product.lab
    old = product.start()
    with Client(lab.bulk) as c:
        load.deliver(c, load.Ledger())
        old.terminate()
        labs.wait_for("drain", lambda: ": draining" in product.log())
        lab.sendmail(load.FROM, load.ONE, load.message(7))
        product.start()
    tap.equal(old.wait(5), 0, "exit status")
    lab.tool("postfix", "flush")
    bulkhead.expect_signed(product, [
        m for m in lab.receiver.wait(2, 90) if b"X-Number: 7\r\n" in m.data
    ][0].data)


def fresh(product, test):
    """A test that begins without milter and with an empty receiver."""
    for child in product.lab.children[1:]:
        if child.poll() is None:
            child.kill()
            child.wait()
    product.lab.wait_empty(60)
    product.lab.receiver.clear()
    open(product.lab.path("milter.log"), "w", encoding="utf-8").close()
    test(product)


def main():
    """All in one lab."""
    reason = bulkhead.why_not()
    if reason:
        return tap.skip_all(reason)
    with labs.Lab(["mil.sock"]) as lab:
        product = bulkhead.Bulkhead(lab)
        return tap.run([(t.__name__, lambda t=t: fresh(product, t)) for t in (
            handed_over, in_the_middle, at_the_path, restarted, by_sendmail,
            urged, bounded)],
            lambda: product.log()[-1500:] + lab.log()[-1500:])


if __name__ == "__main__":
    sys.exit(main())
