#!/usr/bin/python3
"""A next hop without 8BITMIME: Postfix converts what has eight bits and so
breaks its signature.  Either we converted it before, or we said so."""
import sys

sys.dont_write_bytecode = True
import bulkhead  # noqa: E402
import lab as labs  # noqa: E402
import tap  # noqa: E402
from client import Client  # noqa: E402


def check(product, name, data):
    """Arrives as seven bits; verifies unless the hazard was named."""
    lab = product.lab
    lab.receiver.clear()
    with Client(lab.bulk) as c:
        reply = c.send("bounces@example.com", ["ann@reader.example"], data,
                       " BODY=8BITMIME")
    tap.true(reply.queue_id, "not queued: %r" % reply)
    message = lab.receiver.wait(1)[0]
    if "8bit" not in product.line(reply.queue_id):
        bulkhead.expect_signed(product, message.data)
    tap.true(max(message.data) < 128, "eight bits to a hop without 8BITMIME")


def main():
    """All our newsletters."""
    reason = bulkhead.why_not()
    if reason:
        return tap.skip_all(reason)
    with labs.Lab(["rec.sock", "mil.sock"], eightbit=False) as lab:
        lab.start_recorder()
        product = bulkhead.Bulkhead(lab)
        product.start()
        return tap.run([
            (n, lambda n=n, d=d: check(product, n, d))
            for n, d in bulkhead.mails()], lambda: product.log()[-1500:])


if __name__ == "__main__":
    sys.exit(main())
