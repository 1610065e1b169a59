#!/usr/bin/python3
"""The circle: a newsletter leaves through Postfix, its reader unsubscribes
with what stands in it, and the next one is refused within a second, at RCPT
where the envelope decides, else at the end of the message; nothing else is."""
import re
import sys
import time

sys.dont_write_bytecode = True
import bulkhead  # noqa: E402
import lab as labs  # noqa: E402
import policy  # noqa: E402
import policyd as daemons  # noqa: E402
import tap  # noqa: E402
import trackd  # noqa: E402
from circle import Circle, unsubscribe_url, urls  # noqa: E402
from client import Client  # noqa: E402

NEWS = re.sub(rb"(?m)^List-Id:.*\n", b"",
              dict(bulkhead.mails())["qp-alternative.eml"])
FROM = "bounces@example.com"
ALPHA = b"List-Id: <alpha.example.com>\n" + NEWS
BETA = b"List-Id: <beta.example.com>\n" + NEWS
OFFERS = b"X-Kind: offers\n" + NEWS
ELSEWHERE = NEWS.replace(b"@example.com", b"@mailer.example")
DIGEST, RECEIPTS = "digest@example.com", "receipts@example.com"


def refused_soon(ask):
    """ask() says 550 within a second from now; that reply."""
    end = time.monotonic() + 1
    while True:
        reply = ask()
        if reply.code == 550 or time.monotonic() > end:
            break
    tap.equal(reply.code, 550, repr(reply))
    tap.true("suppressed (unsubscribe 20" in reply.text, repr(reply))
    return reply


def at_rcpt(product, sender, recipient):
    """What Postfix says to RCPT."""
    with Client(product.lab.bulk) as c:
        c.command("MAIL FROM:<%s>" % sender)
        return c.command("RCPT TO:<%s>" % recipient)


def told(product, kind, recipient):
    """Waits for events of that kind about somebody: all of them."""
    found = []

    def there():
        found.extend(product.events.read())
        return [e for e in found if e["kind"] == kind and
                e.get("recipient") == recipient]
    return labs.wait_for(kind, there)


def by_the_header(product):
    """A list's mail, which only its header tells: refused at its end."""
    who = "ann@reader.example"
    message = product.deliver(who, ALPHA, FROM)
    reply = product.one_click(message)
    tap.equal(reply.status, 200, repr(reply))
    refused_soon(lambda: product.offer(who, ALPHA, FROM))
    tap.equal(at_rcpt(product, FROM, who).code, 250, "RCPT")
    event = told(product, "unsubscribed", who)[0]
    tap.equal((event["stream"], event["list"], event["detail"]),
              ("newsletter", "alpha.example.com", "one-click"))
    # another list, another stream, mail of no list, another sender, and
    # another reader
    for data, sender in ((BETA, FROM), (OFFERS, FROM), (NEWS, FROM),
                         (NEWS, DIGEST), (NEWS, RECEIPTS),
                         (ELSEWHERE, FROM)):
        product.deliver(who, data, sender)
    product.deliver("bob@reader.example", ALPHA, FROM)
    # again: the same answer, and one entry
    tap.equal(product.one_click(message).status, 200)
    refused_soon(lambda: product.offer(who, ALPHA, FROM))


def by_the_envelope(product):
    """A stream whose envelope tells: refused before DATA."""
    who = "cleo@reader.example"
    message = product.deliver(who, NEWS, DIGEST)
    tap.equal(product.one_click(message).status, 200)
    reply = refused_soon(lambda: at_rcpt(product, DIGEST, who))
    tap.true("<cleo@reader.example>" in reply.text, repr(reply))
    tap.equal(at_rcpt(product, RECEIPTS, who).code, 250)
    product.deliver(who, NEWS, RECEIPTS)
    product.deliver(who, NEWS, FROM)
    product.deliver("dan@reader.example", NEWS, DIGEST)
    # of a list only its header tells: that list alone, at the end
    product.one_click(product.deliver("dan@reader.example", ALPHA, DIGEST))
    refused_soon(lambda: product.offer("dan@reader.example", ALPHA, DIGEST))
    product.deliver("dan@reader.example", BETA, DIGEST)
    product.deliver("dan@reader.example", NEWS, DIGEST)
    event = told(product, "suppressed", who)[0]
    tap.equal((event["stream"], event["detail"]), ("digest", "unsubscribe"))


def looked_at_only(product):
    """GET, HEAD and OPTIONS unsubscribe nobody."""
    who = "eve@reader.example"
    message = product.deliver(who, NEWS, DIGEST)
    url = unsubscribe_url(message)
    for method in ("GET", "HEAD", "OPTIONS", "GET"):
        product.ask(url, method)
    time.sleep(1)
    product.deliver(who, NEWS, DIGEST)


def undone(product):
    """The page, and back again: as if nothing had been."""
    who = "fay@reader.example"
    for data, sender, ask in (
            (ALPHA, FROM, lambda: product.offer(who, ALPHA, FROM)),
            (NEWS, DIGEST, lambda: at_rcpt(product, DIGEST, who))):
        url = unsubscribe_url(product.deliver(who, data, sender))
        page = product.ask(url)
        tap.equal(page.status, 200)
        done = product.submit(url, page, scope="list")
        tap.equal(done.status, 200, repr(done))
        refused_soon(ask)
        back = product.submit(url, done)
        tap.equal(back.status, 200, repr(back))
        tap.equal(ask().code, 250, "after undo")
        product.deliver(who, data, sender)


def all_of_the_domain(product):
    """Everything that this sender sends; another domain's goes on."""
    who = "gil@reader.example"
    url = unsubscribe_url(product.deliver(who, ALPHA, FROM))
    done = product.submit(url, product.ask(url), scope="domain")
    tap.equal(done.status, 200, repr(done))
    for data in (ALPHA, BETA, NEWS, OFFERS):
        refused_soon(lambda d=data: product.offer(who, d, FROM))
    for sender in (DIGEST, RECEIPTS):
        refused_soon(lambda s=sender: at_rcpt(product, s, who))
    product.deliver(who, ELSEWHERE, FROM)
    product.submit(url, done)
    product.deliver(who, ALPHA, FROM)
    product.deliver(who, NEWS, RECEIPTS)


def clicked_and_opened(product):
    """What readers do is found by recipient and campaign in what was
    handed."""
    who = "hal@reader.example"
    message = product.deliver(who, b"X-Bulkhead-Campaign: spring\n" + ALPHA,
                              FROM)
    links, pixels = urls(message, "c"), urls(message, "o")
    tap.true(links and len(pixels) == 1, "%r %r" % (links, pixels))
    reply = product.ask(links[0])
    tap.equal(reply.status, 302)
    tap.equal(product.ask(pixels[0]).status, 200)
    found = {}

    def all_there():
        for event in product.events.read():
            if event.get("recipient") == who:
                found[event["kind"]] = event
        return {"handed", "opened", "clicked"} <= set(found)
    labs.wait_for("three events", all_there)
    for name, want in (("campaign", "spring"), ("domain", "example.com"),
                       ("stream", "newsletter"),
                       ("list", "alpha.example.com")):
        tap.equal({k: e[name] for k, e in found.items()},
                  dict.fromkeys(found, want), name)
    tap.equal(found["clicked"]["url"], reply.fields["location"])
    tap.true(reply.fields["location"].encode() in NEWS.replace(
        b"=\n", b"").replace(b"=3D", b"=").replace(b"&amp;", b"&"),
        reply.fields["location"])


POINTS = (
    ("by the header", by_the_header), ("by the envelope", by_the_envelope),
    ("looked at only", looked_at_only), ("undone", undone),
    ("all of the domain", all_of_the_domain),
    ("clicked and opened", clicked_and_opened),
)


def main():
    """Runs the points named, or all."""
    daemons.why_not()
    trackd.why_not()
    if bulkhead.why_not():
        return tap.skip_all(bulkhead.why_not())
    with policy.Lab() as lab, Circle(lab) as product:
        chosen = [p for p in POINTS
                  if len(sys.argv) < 2 or p[0] in sys.argv[1:]]
        return tap.run([(name, lambda t=test: t(product))
                        for name, test in chosen], product.logs)


if __name__ == "__main__":
    sys.exit(main())
