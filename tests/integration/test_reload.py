#!/usr/bin/python3
"""SIGHUP under load: settings and keys change all at once or not at all, for
whole messages, and nobody notices otherwise."""
import ctypes
import os
import re
import signal
import sys
import time

sys.dont_write_bytecode = True
import bulkhead  # noqa: E402
import lab as labs  # noqa: E402
import load  # noqa: E402
import tap  # noqa: E402
from client import Client  # noqa: E402

ROTATIONS = 12
OLD = bulkhead.CONFIG
NEW = OLD.replace("2026a", "2026b")
LOADED, KEPT = "settings loaded anew", "settings kept as they were"


def write(product, config):
    """The settings file, in one step."""
    with open(product.config + ".new", "w", encoding="utf-8") as f:
        f.write(config.format(dir=product.lab.dir))
    os.rename(product.config + ".new", product.config)


def reload(product, config, says=LOADED):
    """New settings; returns when the milter said that."""
    before = product.log().count(says)
    write(product, config)
    os.kill(product.child.pid, signal.SIGHUP)
    labs.wait_for(says, lambda: product.log().count(says) > before)


def selectors(message):
    """The selectors of all signatures of a message."""
    head = message.data.partition(b"\r\n\r\n")[0] + b"\r\n"
    return {re.search(rb"[;\s]s=([^;\s]+)", field).group(1).decode()
            for field in bulkhead.fields(head)
            if field.lower().startswith(b"dkim-signature:")}


def expect_one_set(product):
    """Every message has one of the two sets whole; how many have which."""
    old, new = {"s2026a", "e2026a"}, {"s2026b", "e2026b"}
    messages = product.lab.receiver.messages
    found = [selectors(m) for m in messages]
    bad = [f for f in found if f not in (old, new)]
    tap.equal(bad, [], "mixed")
    bulkhead.judge_all(product, "libopendkim", [m.data for m in messages])
    return found.count(old), found.count(new)


def rotated(product):
    """Keys change again and again while 20 sessions send."""
    lab, ledger = product.lab, load.Ledger()
    with load.Senders(lab.bulk, ledger):
        for n in range(ROTATIONS):
            time.sleep(0.4)
            reload(product, OLD if n % 2 else NEW)
        time.sleep(0.4)
    tap.equal(ledger.codes(), {}, "refused")
    load.expect_all(lab, ledger)
    old, new = expect_one_set(product)
    print("# %d with the old keys, %d with the new ones" % (old, new))
    tap.true(old > 50 and new > 50, "too few")


def begun_before(product):
    """A message that has begun ends with the keys that it began with."""
    lab, ledger = product.lab, load.Ledger()
    with Client(lab.bulk) as c:
        load.deliver(c, ledger, pause=lambda: reload(product, NEW))
        load.deliver(c, ledger, pause=lambda: reload(product, OLD))
        load.deliver(c, ledger)
    load.expect_all(lab, ledger)
    got = {int(m.data.partition(b"X-Number: ")[2].split(b"\r\n")[0]):
           sorted(selectors(m)) for m in lab.receiver.messages}
    tap.equal(got, {1: ["e2026a", "s2026a"], 2: ["e2026b", "s2026b"],
                    3: ["e2026a", "s2026a"]})
    expect_one_set(product)


def storm(product):
    """Many signals at once, good and bad files, while 20 sessions send."""
    lab, ledger = product.lab, load.Ledger()
    with load.Senders(lab.bulk, ledger):
        for n in range(30):
            write(product, (OLD, NEW, "nonsense {{",
                            OLD + "oops = 1\n")[n % 4])
            for _ in range(20):
                os.kill(product.child.pid, signal.SIGHUP)
            time.sleep(0.05)
    tap.true(product.child.poll() is None, "it ended")
    tap.equal(ledger.codes(), {}, "refused")
    load.expect_all(lab, ledger)
    expect_one_set(product)


def astray(product):
    """The kernel gives a signal to any thread that waits for it when the main
    one is busy: no other thread may, libmilter's would drop all sessions."""
    lab, ledger = product.lab, load.Ledger()
    pid, libc = product.child.pid, ctypes.CDLL(None)

    def to_all_others():
        for name in os.listdir("/proc/%d/task" % pid):
            for sig in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
                if int(name) != pid:
                    libc.tgkill(pid, int(name), sig)
        time.sleep(0.3)

    with Client(lab.bulk) as c:
        load.deliver(c, ledger)
        load.deliver(c, ledger, pause=to_all_others)
        load.deliver(c, ledger)
    tap.equal(len(ledger.accepted), 3, repr(ledger.refused))
    tap.true(product.child.poll() is None, "it ended")
    load.expect_all(lab, ledger)


def errors(product):
    """Any error in any file: everything stays, and the log says where."""
    lab, ledger = product.lab, load.Ledger()
    line = OLD.split("\n").index('    sign "s2026a" {{ key = "{dir}/conf/'
                                 'example.com-s2026a.pem" }}') + 1
    bad_key = NEW.replace("mailer.example-e2026b", "gone")
    public = lab.path("conf/public.pem")
    with open(public, "w", encoding="ascii") as f:
        f.write("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n")
    os.chmod(public, 0o640)
    cases = (
        (NEW + "stream {{ nonsense\n", "bulkhead.conf:%d: "
         % (NEW.count("\n") + 1)),
        (NEW + 'oops = "x"\n', "bulkhead.conf:%d: " % (NEW.count("\n") + 1)),
        (bad_key, "gone.pem"),
        (NEW.replace("{dir}/conf/example.com-s2026b.pem", public),
         "bulkhead.conf:%d: " % line),
        (NEW.replace("conf/token.keys", "conf/example.com-s2026a.pem"),
         "example.com-s2026a.pem:1: "),
    )
    with Client(lab.bulk) as c:
        for config, want in cases:
            before = len(product.log())
            reload(product, config, KEPT)
            said = product.log()[before:]
            tap.true(want in said, "%r is not in %r" % (want, said))
            load.deliver(c, ledger)
    tap.equal(len(ledger.accepted), len(cases), repr(ledger.refused))
    load.expect_all(lab, ledger)
    tap.equal(expect_one_set(product), (len(cases), 0))


def fresh(product, test):
    """A test that begins with the old settings and nothing under way."""
    reload(product, OLD)
    product.lab.wait_empty()
    product.lab.receiver.clear()
    test(product)


def main():
    """All in one lab, by one milter."""
    reason = bulkhead.why_not()
    if reason:
        return tap.skip_all(reason)
    with labs.Lab(["mil.sock"]) as lab:
        product = bulkhead.Bulkhead(lab)
        for domain in bulkhead.DOMAINS:
            for selector, kind in (("s2026b", "rsa"), ("e2026b", "ed25519")):
                product.zone["%s._domainkey.%s." % (selector, domain)] = \
                    bulkhead.make_key(lab.path("conf/%s-%s.pem" % (
                        domain, selector)), kind)
        product.start()
        return tap.run([(t.__name__, lambda t=t: fresh(product, t)) for t in (
            begun_before, astray, errors, rotated, storm)],
            lambda: product.log()[-1500:])


if __name__ == "__main__":
    sys.exit(main())
