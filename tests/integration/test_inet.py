#!/usr/bin/python3
"""The milter on an inet socket: handed over, restarted, and without the 40 ms
that Nagle's algorithm costs."""
import ctypes
import errno
import os
import socket
import sys

sys.dont_write_bytecode = True
import bulkhead  # noqa: E402
import handover  # noqa: E402
import lab as labs  # noqa: E402
import load  # noqa: E402
import tap  # noqa: E402
from client import Client  # noqa: E402

PIDFD_OPEN, PIDFD_GETFD = 434, 438


def files_of(pid):
    """The sockets of another process, as sockets of this one."""
    libc = ctypes.CDLL(None, use_errno=True)
    pidfd = libc.syscall(PIDFD_OPEN, pid, 0)
    if pidfd < 0 and ctypes.get_errno() == errno.ENOSYS:
        raise tap.Skip("no pidfd_open")
    for name in os.listdir("/proc/%d/fd" % pid):
        if not os.readlink("/proc/%d/fd/%s" % (pid, name)).startswith(
                "socket:"):
            continue
        fd = libc.syscall(PIDFD_GETFD, pidfd, int(name), 0)
        if fd < 0:
            raise tap.Skip("no pidfd_getfd")
        yield socket.socket(fileno=fd)
    os.close(pidfd)


def nodelay(pid, port):
    """TCP_NODELAY of each connection that the milter has accepted."""
    found = []
    for s in files_of(pid):
        with s:
            if s.family == socket.AF_INET and s.getsockname()[1] == port and \
                    not s.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                found.append(bool(s.getsockopt(socket.IPPROTO_TCP,
                                               socket.TCP_NODELAY)))
    return found


def expect_nodelay(lab, child, port):
    """While a session is open its connection does not wait for more."""
    with Client(lab.bulk) as c:
        reply = load.deliver(c, load.Ledger())
        tap.equal(reply.code, 250, repr(reply))
        tap.equal(nodelay(child.pid, port), [True])


def start(product, port):
    """The milter on that port; fails when the port is not free."""
    before = product.log().count(": ready: ")
    child = product.lab.spawn(
        [bulkhead.MILTER, "-c", product.config, "-f", "-p",
         "inet:127.0.0.1:%d" % port], "milter.log")
    labs.wait_for("ready", lambda: product.log().count(": ready: ") > before)
    return child


def forget(lab):
    """Nothing is under way, nothing has arrived."""
    lab.wait_empty()
    lab.receiver.clear()


def at_the_port(product, port):
    """The successor listens at the port while the other one drains."""
    lab, ledger = product.lab, load.Ledger()
    old = start(product, port)
    expect_nodelay(lab, old, port)
    forget(lab)
    with Client(lab.bulk) as c:
        load.deliver(c, ledger)
        old.terminate()
        labs.wait_for("drain", lambda: ": draining" in product.log())
        new = start(product, port)
        load.deliver(c, ledger)
    tap.equal(old.wait(5), 0, "exit status")
    with Client(lab.bulk) as c:
        load.deliver(c, ledger)
    tap.equal(ledger.codes(), {("mail", 421): 1})
    load.expect_all(lab, ledger)
    new.terminate()
    tap.equal(new.wait(5), 0, "exit status")
    forget(lab)


def inherited(product, port):
    """A port that somebody else listens at: nothing waits there either."""
    with handover.listen_inet(port) as listening:
        chain = handover.Handover(product, listening)
        child = chain.start()
        expect_nodelay(product.lab, child, port)
        child.terminate()
        tap.equal(child.wait(5), 0, "exit status")
    forget(product.lab)


def handed_over(product, port):
    """Messages over several hand-overs, no 451."""
    with handover.listen_inet(port) as listening:
        handover.under_load(product, listening)


def main():
    """All in one lab."""
    reason = bulkhead.why_not()
    if reason:
        return tap.skip_all(reason)
    port = labs.free_port()
    with labs.Lab(["inet:127.0.0.1:%d" % port]) as lab:
        product = bulkhead.Bulkhead(lab)
        return tap.run([(t.__name__, lambda t=t: t(product, port)) for t in (
            at_the_port, inherited, handed_over)],
            lambda: product.log()[-1500:] + lab.log()[-1500:])


if __name__ == "__main__":
    sys.exit(main())
