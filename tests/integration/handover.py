"""Milters that follow each other on a socket that this process owns, as
systemd owns it with socket activation."""
import os
import signal
import socket
import time

import bulkhead
import lab as labs
import load
import tap

TIMES = 6


class Handover:
    """Milters one after the other on a socket that this process owns."""

    def __init__(self, product, listening):
        self.product, self.listening = product, listening
        self.children = []

    def start(self):
        """One more milter; returns when it serves."""
        fd = self.listening.fileno()
        before = self.product.log().count(": ready: ")
        child = self.product.lab.spawn(
            [bulkhead.MILTER, "-c", self.product.config, "-f", "-p",
             "fd:%d" % fd], "milter.log", pass_fds=(fd,))
        self.children.append(child)
        labs.wait_for("ready", lambda: self.product.log().count(
            ": ready: ") > before)
        return child

    def replace(self):
        """SIGTERM, and the successor at once, as systemd does it."""
        old = self.children[-1]
        os.kill(old.pid, signal.SIGTERM)
        self.start()
        return old


def listen_unix(path):
    """A listening socket where Postfix looks for the milter."""
    if os.path.exists(path):
        os.unlink(path)
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    os.chmod(path, 0o666)
    s.listen(128)
    return s


def listen_inet(port):
    """The same on a port of 127.0.0.1."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", port))
    s.listen(128)
    return s


def expect_no_loss(product, ledger):
    """All that was accepted is there, signed; the refusals are 421 at MAIL."""
    load.expect_all(product.lab, ledger)
    bulkhead.judge_all(product, "libopendkim",
                       [m.data for m in product.lab.receiver.messages])
    tap.equal(set(ledger.codes()) - {("mail", 421)}, set(),
              "refused: %r" % ledger.refused[:5])


def under_load(product, listening):
    """20 sessions send and milters come and go: each message that was
    answered 250 is there, signed."""
    lab, ledger = product.lab, load.Ledger()
    chain = Handover(product, listening)
    chain.start()
    with load.Senders(lab.bulk, ledger):
        for _ in range(TIMES):
            time.sleep(2)
            begin = time.monotonic()
            tap.equal(chain.replace().wait(25), 0, "exit status")
            tap.true(time.monotonic() - begin < 20, "drained too long")
        time.sleep(0.5)
    os.kill(chain.children[-1].pid, signal.SIGTERM)
    tap.equal(chain.children[-1].wait(25), 0, "exit status")
    print("# %d messages, %r" % (len(ledger.accepted), ledger.codes()))
    tap.true(len(ledger.accepted) > 500, "only %d" % len(ledger.accepted))
    expect_no_loss(product, ledger)
