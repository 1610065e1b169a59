#!/usr/bin/python3
"""Our own newsletters in every way that mail is submitted: what arrives is
what preview says, and verifies with a foreign verifier."""
import sys

sys.dont_write_bytecode = True
import bulkhead  # noqa: E402
import lab as labs  # noqa: E402
import tap  # noqa: E402
from client import Client  # noqa: E402

FROM = "bounces@example.com"
ONE = ["Ann@Reader.example"]
TWO = ["ann@reader.example", "bo@reader.example"]


def by_sasl(lab, name, data):
    """Each from outside, by its password, in a session of its own."""
    with Client(lab.bulk, address=bulkhead.OUTSIDE,
                user=bulkhead.USER) as c:
        return c.send(FROM, ONE, data, body_arg(data)).queue_id


def by_network(session, name, data):
    """All in one session from a trusted network."""
    return session.send(FROM, ONE, data, body_arg(data)).queue_id


def pipelined(session, name, data):
    """All in one session, two recipients, one write."""
    return session.send_pipelined(FROM, TWO, data).queue_id


def chunked(session, name, data):
    """BDAT in chunks that end anywhere."""
    return session.send_chunks(FROM, ONE, data, 337).queue_id


def by_sendmail(lab, name, data):
    """sendmail(1)."""
    return lab.sendmail(FROM, ONE, data)


def body_arg(data):
    """An honest client declares eight bits."""
    return " BODY=8BITMIME" if max(data) > 127 else ""


def arrived(lab, queue_id):
    """The one message that went through the queue under that id."""
    def find():
        found = [m for m in lab.receiver.messages
                 if bulkhead.queue_id_of(m) == queue_id]
        return found or None
    found = labs.wait_for("arrival of %s" % queue_id, find)
    tap.equal(len(found), 1, "copies")
    return found[0]


def check(product, way, where, name, data, options):
    """Sends one message one way and judges it."""
    queue_id = way(where, name, data)
    tap.true(queue_id, "not queued")
    message = arrived(product.lab, queue_id)
    bulkhead.expect_as_previewed(product, message, *options)
    tap.true(message.sender.lower().endswith("@b.example.com>"),
             "return path %s" % message.sender)


def points(product, session):
    """(name, test) of each message in each way."""
    lab = product.lab
    outside = ("--sasl-user", bulkhead.USER[0], "--client", bulkhead.OUTSIDE)
    for way, where, options in (
            (by_sasl, lab, outside), (by_network, session, ()),
            (pipelined, session, ()), (chunked, session, ()),
            (by_sendmail, lab, ())):
        for name, data in bulkhead.mails():
            yield ("%s: %s" % (way.__name__, name),
                   lambda w=way, a=where, n=name, d=data, o=options:
                   check(product, w, a, n, d, o))


def expect_links(product):
    """The tests above can fail: a link did change, another did not."""
    data = dict(bulkhead.mails())["8bit-html.eml"]
    with Client(product.lab.bulk) as c:
        queue_id = by_network(c, "", data)
    got = bulkhead.without_trace(arrived(product.lab, queue_id))
    text = got.replace(b"=\r\n", b"")
    tap.true(b"https://t.example.com/c/" in text, "no link was rewritten")
    tap.true(b"https://shop.example.com/plain" not in text, "a link was left")
    tap.true(b"https://bank.example/login" in text, "opted-out link changed")


def main():
    """All in one lab."""
    reason = bulkhead.why_not()
    if reason:
        return tap.skip_all(reason)
    with labs.Lab(["rec.sock", "mil.sock"], users=[bulkhead.USER]) as lab:
        lab.start_recorder()
        product = bulkhead.Bulkhead(lab)
        product.start()
        with Client(lab.bulk) as session:
            todo = list(points(product, session))
            todo.append(("links were rewritten",
                         lambda: expect_links(product)))
            todo.append(("queue is empty", lab.wait_empty))
            todo += [("verified by " + j, lambda j=j: bulkhead.judge_all(
                product, j, [m.data for m in lab.receiver.messages]))
                for j in bulkhead.JUDGES]
            return tap.run(todo, lambda: product.log()[-1500:])


if __name__ == "__main__":
    sys.exit(main())
