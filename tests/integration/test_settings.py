#!/usr/bin/python3
"""What the settings say, through a real Postfix: observe mode, who may send,
several recipients, settings loaded anew; and header fields of every shape."""
import os
import re
import signal
import sys

sys.dont_write_bytecode = True
import bulkhead  # noqa: E402
import lab as labs  # noqa: E402
import tap  # noqa: E402
from client import Client  # noqa: E402

FROM = "bounces@example.com"
ONE = ["ann@reader.example"]
TWO = ONE + ["bo@reader.example"]
NEWS = dict(bulkhead.mails())["qp-alternative.eml"]
SHAPES = (b"From: News <news@example.com>\n"
          b"To:ann@reader.example\n"
          b"Subject:\ttab first\n"
          b"References:\n <1@example.com>\n\t<2@example.com>  \n"
          b"In-Reply-To:   <2@example.com>\n"
          b"Reply-To:\n  folded@example.com\n")


def restart(product, config):
    """The milter anew, with these settings."""
    if product.child is not None and product.child.poll() is None:
        product.child.kill()
        product.child.wait()
    write(product, config)
    product.lab.wait_empty()
    product.lab.receiver.clear()
    product.start()


def write(product, config):
    """The settings file, nothing else."""
    with open(product.config, "w", encoding="utf-8") as f:
        f.write(config.format(dir=product.lab.dir))


def observe(product):
    """All is done in the log, nothing to the message."""
    restart(product, bulkhead.CONFIG.replace(
        "milter {{ ", "milter {{ mode = observe "))
    with Client(product.lab.bulk) as c:
        reply = c.send(FROM, ONE, NEWS)
    message = product.lab.receiver.wait(1)[0]
    tap.equal(bulkhead.without_trace(message),
              product.lab.recorded(reply.queue_id), "observed")
    tap.equal(message.sender, "<%s>" % FROM)
    line = product.line(reply.queue_id)
    tap.true("observe action=signed" in line, line)
    tap.true("links=0" not in line and "pixels=1" in line, line)


def may_send(product):
    """Who may not send as a domain is told so; nothing is queued."""
    restart(product, bulkhead.CONFIG.replace(
        'tracking-url = "https://t.example.com"',
        'tracking-url = "https://t.example.com"\n'
        '    may-send = {{ "sasl-user:news@*" }}'))
    with Client(product.lab.bulk) as c:
        reply = c.send(FROM, ONE, NEWS)
        tap.equal(reply.code, 550, repr(reply))
        tap.true("5.7.1 this client may not send as example.com"
                 in repr(reply), repr(reply))
        tap.true(product.lab.is_queue_empty(), "queued")
        c.command("RSET")
    with Client(product.lab.bulk, address=bulkhead.OUTSIDE,
                user=bulkhead.USER) as c:
        tap.equal(c.send(FROM, ONE, NEWS).code, 250)
    bulkhead.expect_signed(product, product.lab.receiver.wait(1)[0].data)


def one_recipient(product):
    """reject: 550 for several, the session goes on, one is fine."""
    restart(product, bulkhead.CONFIG.replace(
        "return-path = true",
        "return-path = true\n    several-recipients = reject"))
    with Client(product.lab.bulk) as c:
        reply = c.send(FROM, TWO, NEWS)
        tap.equal(reply.code, 550, repr(reply))
        tap.true("5.5.3 stream newsletter takes one recipient" in repr(reply),
                 repr(reply))
        tap.equal(c.send(FROM, ONE, NEWS).code, 250)
    message = product.lab.receiver.wait(1)[0]
    tap.equal(len(message.recipients), 1, "recipients")
    bulkhead.expect_signed(product, message.data)


def shared(product):
    """Several recipients: nobody is named, and there is no one-click."""
    restart(product, bulkhead.CONFIG)
    with Client(product.lab.bulk) as c:
        c.send(FROM, TWO, NEWS)
    data = product.lab.receiver.wait(1)[0].data
    head = data.partition(b"\r\n\r\n")[0].lower()
    tap.true(b"\r\nlist-unsubscribe:" in head, "no List-Unsubscribe")
    tap.true(b"\r\nlist-unsubscribe-post:" not in head, "one-click for two")
    bulkhead.expect_signed(product, data)


def loaded_anew(product):
    """SIGHUP: the next message of the same session has the new settings, a
    file with an error changes nothing."""
    restart(product, bulkhead.CONFIG)
    with Client(product.lab.bulk) as c:
        c.send(FROM, ONE, NEWS)
        write(product, bulkhead.CONFIG.replace("one-click", "none"))
        os.kill(product.child.pid, signal.SIGHUP)
        labs.wait_for("reload", lambda: "loaded anew" in product.log())
        c.send(FROM, ONE, NEWS)
        write(product, "stream {{ nonsense")
        os.kill(product.child.pid, signal.SIGHUP)
        labs.wait_for("refusal", lambda: "kept as they" in product.log())
        c.send(FROM, ONE, NEWS)
    heads = [m.data.partition(b"\r\n\r\n")[0].lower()
             for m in product.lab.receiver.wait(3)]
    tap.equal([b"\r\nlist-unsubscribe-post:" in h for h in heads],
              [True, False, False], "one-click")


def addresses(product):
    """log-addresses: in full, as a hash, not at all."""
    for how, want in (("full", "sender=<bounces@example.com>"),
                      ("hash", r"sender=<[0-9a-f]{16}> "),
                      ("none", "sender=<-> ")):
        restart(product, "log-addresses = %s\n" % how + bulkhead.CONFIG)
        with Client(product.lab.bulk, address=bulkhead.OUTSIDE,
                    user=bulkhead.USER) as c:
            line = product.line(c.send(FROM, ONE, NEWS).queue_id)
        tap.true(re.search(want, line), line)
        tap.true("client=" + bulkhead.OUTSIDE in line, line)
        tap.equal("sasl-user=" + bulkhead.USER[0] in line, how == "full")


def strangers(product):
    """Who is none of ours is named in the log, once a connection."""
    restart(product, bulkhead.CONFIG)
    with Client(product.lab.bulk, address=bulkhead.OUTSIDE) as c:
        c.send(FROM, ONE, NEWS)
        c.send(FROM, ONE, NEWS)
    product.lab.receiver.wait(2)
    said = re.findall("NOQUEUE: action=passed client=%s reason=" % re.escape(
        bulkhead.OUTSIDE), product.log())
    tap.equal(len(said), 1, product.log())


def unprivileged(product):
    """As another user than root: Postfix reaches it, mail leaves signed."""
    restart(product, bulkhead.CONFIG)
    product.child.kill()
    product.child.wait()
    os.chmod(product.lab.dir, 0o755)
    product.child = product.lab.start_milter(
        [bulkhead.MILTER, "-c", product.config, "-f", "-u", "nobody"],
        "mil.sock")
    with Client(product.lab.bulk) as c:
        c.send(FROM, ONE, NEWS)
    bulkhead.expect_signed(product, product.lab.receiver.wait(1)[0].data)


def shapes(product):
    """Blanks, tabs and folds behind the colon are signed as they stand."""
    restart(product, bulkhead.CONFIG)
    with Client(product.lab.bulk) as c:
        c.send(FROM, ONE, SHAPES + b"\nx\n")
    data = product.lab.receiver.wait(1)[0].data
    for line in (b"\r\nTo:ann@", b"\r\nSubject:\ttab first\r\n",
                 b"\r\nReferences:\r\n <1@example.com>\r\n\t<2@"):
        tap.true(line in data, "%r is gone from %r" % (line, data))
    bulkhead.expect_signed(product, data)


def main():
    """All in one lab."""
    reason = bulkhead.why_not()
    if reason:
        return tap.skip_all(reason)
    with labs.Lab(["rec.sock", "mil.sock"], users=[bulkhead.USER]) as lab:
        lab.start_recorder()
        product = bulkhead.Bulkhead(lab)
        return tap.run([(t.__name__, lambda t=t: t(product)) for t in (
            observe, may_send, one_recipient, shared, loaded_anew, shapes,
            addresses, strangers, unprivileged)],
            lambda: product.log()[-1500:])


if __name__ == "__main__":
    sys.exit(main())
