#!/usr/bin/python3
"""More sessions than may be, more connections than descriptors, many at once:
who is over is told so, who is in is served, and no CPU is burnt."""
import os
import resource
import socket
import struct
import sys
import time

sys.dont_write_bytecode = True
import bulkhead  # noqa: E402
import lab as labs  # noqa: E402
import load  # noqa: E402
import tap  # noqa: E402
from client import Client  # noqa: E402

FULL = "as many as max-sessions allows"
MANY = 500


def restart(product, sessions=None):
    """The milter anew, with that max-sessions."""
    if product.child is not None:
        product.child.kill()
        product.child.wait()
    config = bulkhead.CONFIG
    if sessions is not None:
        config = config.replace("milter {{ ", "milter {{\n max-sessions = %d\n"
                                % sessions)
    with open(product.config, "w", encoding="utf-8") as f:
        f.write(config.format(dir=product.lab.dir))
    open(product.lab.path("milter.log"), "w", encoding="utf-8").close()
    product.lab.wait_empty()
    product.lab.receiver.clear()
    return product.start()


def descriptors(child):
    """How many files the milter has open."""
    return len(os.listdir("/proc/%d/fd" % child.pid))


def cpu_seconds(child):
    """CPU that the milter has used."""
    with open("/proc/%d/stat" % child.pid, encoding="ascii") as f:
        words = f.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def sessions(lab, n):
    """(greeted, refused) of n SMTP sessions, all of them open at once."""
    clients = [Client(lab.bulk, timeout=120) for _ in range(n)]
    greeted = [c for c in clients if c.greeting.code == 220]
    return greeted, [c for c in clients if c.greeting.code != 220]


def too_many(product):
    """80 sessions where 50 may be: 30 get 421 and can go elsewhere."""
    lab, ledger = product.lab, load.Ledger()
    child = restart(product, 50)
    greeted, refused = sessions(lab, 80)
    tap.equal((len(greeted), len(refused)), (50, 30))
    tap.equal({c.greeting.code for c in refused}, {421}, "greeting")
    for c in greeted:
        load.deliver(c, ledger)
    tap.equal(len(ledger.accepted), 50, repr(ledger.refused[:3]))
    tap.equal(product.log().count(FULL), 1, "lines that say so")
    tap.true(descriptors(child) < 50 + 64, "%d files" % descriptors(child))
    for c in greeted[:10] + refused:
        c.close()
    labs.wait_for("end of refusal", lambda:
                  "sessions are taken again, 30 were answered 421"
                  in product.log())
    later, _ = sessions(lab, 10)
    for c in later + greeted[10:]:
        load.deliver(c, ledger)
        c.close()
    tap.equal(len(ledger.accepted), 100, repr(ledger.refused[:3]))
    load.expect_all(lab, ledger)


def by_sendmail(product):
    """sendmail(1) mail waits while there are too many sessions."""
    lab = product.lab
    restart(product, 1)
    with Client(lab.bulk) as c:
        load.deliver(c, load.Ledger())
        lab.sendmail(load.FROM, load.ONE, load.message(7))
        labs.wait_for("refusal", lambda: FULL in product.log())
        time.sleep(0.5)
        tap.equal(len(lab.receiver.messages), 1, "arrived")
    lab.tool("postfix", "flush")
    bulkhead.expect_signed(product, [
        m for m in lab.receiver.wait(2, 90) if b"X-Number: 7\r\n" in m.data
    ][0].data)


def many(product):
    """500 sessions at once, all of them served."""
    lab, ledger = product.lab, load.Ledger()
    child = restart(product)
    greeted, refused = sessions(lab, MANY)
    tap.equal(len(refused), 0, "refused: %r" % refused[:1])
    for _ in range(2):
        for c in greeted:
            load.deliver(c, ledger)
    tap.equal(len(ledger.accepted), 2 * MANY, repr(ledger.refused[:3]))
    tap.true(MANY <= descriptors(child) < MANY + 64, "files")
    before = cpu_seconds(child)
    time.sleep(2)
    spent = cpu_seconds(child) - before
    tap.true(spent < 0.2, "%.2f s of CPU in 2 s of idling" % spent)
    for c in greeted:
        c.close()
    labs.wait_for("end of sessions", lambda: descriptors(child) < 64)
    load.expect_all(lab, ledger, 120)


def no_descriptors(product):
    """Connections that never say anything eat every descriptor: nothing spins,
    Postfix's wait, and are served when there is room."""
    lab, ledger = product.lab, load.Ledger()
    child = restart(product, 20)
    silent = []
    for _ in range(300):
        s = socket.socket(socket.AF_UNIX)
        s.connect(lab.path("mil.sock"))
        silent.append(s)
    labs.wait_for("pause", lambda: "too many files are open" in product.log())
    time.sleep(1)
    before = cpu_seconds(child)
    time.sleep(2)
    spent = cpu_seconds(child) - before
    tap.true(spent < 0.2, "%.2f s of CPU in 2 s" % spent)
    tap.true(descriptors(child) <= 2 * 20 + 64,
             "%d files" % descriptors(child))
    for s in silent:
        s.close()
    with Client(lab.bulk) as c:
        load.deliver(c, ledger)
    tap.equal(len(ledger.accepted), 1, repr(ledger.refused))
    tap.true("new sessions are taken" in product.log(), product.log())
    load.expect_all(lab, ledger)


NEGOTIATE = b"O" + struct.pack("!III", 6, 0x1ff, 0x1fffff)
CONNECT = b"Chost\0004" + struct.pack("!H", 25) + b"127.0.0.1\0"
MAIL = b"M<bounces@example.com>\0"
STEPS = (CONNECT, b"Hhelo\0", MAIL, b"R<ann@reader.example>\0", b"T",
         b"LSubject\0 x\0", b"N", b"Bbody\r\n", b"E", b"A", b"K")


def rude(product):
    """Packets that come without a negotiation, or behind a farewell: no such
    peer disturbs the others."""
    lab, ledger = product.lab, load.Ledger()
    child = restart(product)
    talks = [(step,) for step in STEPS] + [STEPS, STEPS[2:],
             (NEGOTIATE, b"K") + STEPS, (NEGOTIATE,) + STEPS[1:] + STEPS,
             (NEGOTIATE, NEGOTIATE, MAIL, b"E", b"E", MAIL, b"B", b"Q"),
             (b"",), (b"\0",), (b"O",), (b"?",)]
    for packets in talks:
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(0.2)
            s.connect(lab.path("mil.sock"))
            try:
                for packet in packets:
                    s.sendall(struct.pack("!I", len(packet)) + packet)
                while s.recv(4096):
                    pass
            except (socket.timeout, ConnectionError):
                pass
    tap.true(child.poll() is None, "it ended: %r" % child.poll())
    with Client(lab.bulk) as c:
        load.deliver(c, ledger)
    tap.equal(len(ledger.accepted), 1, repr(ledger.refused))
    load.expect_all(lab, ledger)
    child.terminate()
    tap.equal(child.wait(5), 0, "sessions are left, or none was counted")


def drained_while_paused(product):
    """The end comes in the middle of that, too."""
    lab = product.lab
    child = restart(product, 20)
    silent = []
    for _ in range(300):
        s = socket.socket(socket.AF_UNIX)
        s.connect(lab.path("mil.sock"))
        silent.append(s)
    labs.wait_for("pause", lambda: "too many files are open" in product.log())
    child.terminate()
    labs.wait_for("drain", lambda: ": draining" in product.log())
    for s in silent:
        s.close()
    tap.equal(child.wait(5), 0, "exit status")


def main():
    """All in one lab."""
    reason = bulkhead.why_not()
    if reason:
        return tap.skip_all(reason)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    with labs.Lab(["mil.sock"],
                  extra="default_process_limit = %d" % (MANY + 100)) as lab:
        product = bulkhead.Bulkhead(lab)
        return tap.run([(t.__name__, lambda t=t: t(product)) for t in (
            too_many, by_sendmail, rude, no_descriptors, drained_while_paused,
            many)], lambda: product.log()[-1500:] + lab.log()[-1500:])


if __name__ == "__main__":
    sys.exit(main())
