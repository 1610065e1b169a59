#!/usr/bin/python3
"""Events of mail through a real Postfix with policyd and the milter: one for
each recipient, whichever way it came in and whatever became of it; and mail
that flows while they cannot be stored."""
import calendar
import os
import re
import signal
import sys
import time

sys.dont_write_bytecode = True
import bulkhead  # noqa: E402
import lab as labs  # noqa: E402
import policy  # noqa: E402
import policyd as daemons  # noqa: E402
import tap  # noqa: E402
from client import Client  # noqa: E402
from events import Events, brief  # noqa: E402
from test_reentry import Loop  # noqa: E402

FROM = "bounces@example.com"
RECEIPTS = "receipts@example.com"
NEWS = dict(bulkhead.mails())["qp-alternative.eml"]
CONFIG = """
events = "sqlite:{dir}/events"
limit "four" {{ recipient-domain = {{ "four.example" }} rate = "4/d" }}
"""
DOWN = "events are not stored, mail goes on"
BACK = "events are stored again"


class Place:
    """All of Bulkhead in a lab, and what it tells."""

    def __init__(self, lab):
        self.lab = lab
        os.mkdir(lab.path("events"))
        self.product = policy.Installation(lab, CONFIG)
        self.events = Events(self.product.config)
        # at once: a reload may leave postqueue(1) waiting for ever
        lab.start_recorder()
        self.loop = Loop(lab, self.product)

    def send(self, recipients, data=NEWS, sender=FROM, **who):
        """Hands a message in; Postfix's reply."""
        with Client(self.lab.bulk, **who) as c:
            return c.send(sender, recipients, data)

    def counters(self):
        """What the milter has counted."""
        before = self.product.log().count("counters:")
        self.product.child.send_signal(signal.SIGUSR2)
        labs.wait_for("counters", lambda: self.product.log().count(
            "counters:") > before and self.product.log().endswith("\n"))
        line = self.product.log().rsplit("counters:", 1)[1].split("\n")[0]
        return {k: int(v) for k, v in re.findall(r" (\w+)=(\d+)(?!\S)", line)}

    def reload(self):
        """SIGHUP to the milter; returns when it has taken the settings."""
        before = self.product.log().count("settings loaded anew")
        self.product.child.send_signal(signal.SIGHUP)
        labs.wait_for("reload", lambda: self.product.log().count(
            "settings loaded anew") > before)

    def nothing_more(self):
        """What was told before was all there is."""
        self.send(["marker@reader.example"])
        tap.equal(brief(self.events.take(1)),
                  [("handed", "marker@reader.example", "")])


def by_smtp(place):
    """One recipient: everything that is known of the message is in it."""
    data = (b"X-Bulkhead-Campaign: spring\n"
            b"X-Bulkhead-Metadata: order=17; note=a \"b\"\n"
            b"List-Id: News <News.Example.com>\n" + NEWS)
    before = time.time()
    reply = place.send(["Ann@Reader.EXAMPLE"], data)
    found = place.events.take(1)
    tap.equal(brief(found), [("handed", "ann@reader.example", "")])
    event = found[0]
    message = place.lab.receiver.wait(1)[0]
    want = {"domain": "example.com", "stream": "newsletter",
            "campaign": "spring", "list": "news.example.com",
            "queue-id": reply.queue_id,
            "message-id": message_id(message),
            "metadata": {"order": "17", "note": "a \"b\""}}
    tap.equal({k: event.get(k) for k in want}, want)
    tap.true(event["instance"], "no instance")
    line = place.product.line(reply.queue_id)
    tap.true("campaign=spring list=news.example.com" in line, line)
    tap.true(before - 2 < labs_time(event) < time.time() + 2, event)


def labs_time(event):
    """Its time as seconds since 1970."""
    text = re.sub(r"\.\d+", "", event["time"])
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def message_id(message):
    """What stands in the brackets of its Message-ID."""
    return re.search(rb"(?mi)^message-id:\s*<([^>]+)>",
                     message.head).group(1).decode()


def by_sendmail(place):
    """sendmail(1), which has no client."""
    queue_id = place.lab.sendmail(FROM, ["bob@reader.example"], NEWS)
    found = place.events.take(1)
    tap.equal(brief(found), [("handed", "bob@reader.example", "")])
    tap.equal(found[0]["queue-id"], queue_id)


def several(place):
    """One each; of suppressed ones why; whose mail is refused, no other."""
    place.product.suppress("s1@reader.example", "example.com",
                           "complaint")
    place.product.suppress("s2@reader.example", "example.com/newsletter")
    tap.true(place.send(["r1@reader.example", "s1@reader.example",
                         "r2@reader.example", "s2@reader.example"]), "sent")
    tap.equal(brief(place.events.take(4)), [
        ("handed", "r1@reader.example", ""),
        ("handed", "r2@reader.example", ""),
        ("suppressed", "s1@reader.example", "complaint"),
        ("suppressed", "s2@reader.example", "unsubscribe")])
    tap.equal(place.send(["s1@reader.example"]).code, 550)
    tap.true(place.send(["s2@reader.example"], sender="dropped@example.com"),
             "another stream")
    tap.equal(brief(place.events.take(2)), [
        ("handed", "s2@reader.example", ""),
        ("suppressed", "s1@reader.example", "complaint")])


def at_rcpt(place):
    """Refused before the milter sees anything: policyd tells."""
    place.product.suppress("gone@reader.example", reason="hard-bounce")
    tap.equal(place.send(["Gone@Reader.example"]).code, 550)
    tap.equal(place.send(["gone@reader.example"], sender=RECEIPTS,
                         user=bulkhead.USER).code, 550)
    found = place.events.take(2)
    tap.equal(brief(found), [("suppressed", "gone@reader.example",
                              "hard-bounce")] * 2)
    tap.equal([(e.get("domain") or "", e.get("stream") or "")
               for e in found], [("", ""), ("example.com", "receipts")])
    # bounces are for everybody
    tap.true(place.send(["gone@reader.example"], sender=""), "a bounce")
    place.nothing_more()


def limited(place):
    """Put off at the message's end, and at RCPT; what went before counts."""
    four = ["f%d@four.example" % i for i in range(6)]
    for name in four[:3]:
        tap.true(place.send([name]), name)
    place.events.take(3)
    with Client(place.lab.bulk) as c:
        c.command("MAIL FROM:<%s>" % FROM)
        tap.equal(c.command("RCPT TO:<%s>" % four[3]).code, 250)
        tap.equal(c.command("RCPT TO:<%s>" % four[4]).code, 450)
        c.command("RSET")
    tap.equal(brief(place.events.take(1)), [("limited", four[4], "four")])
    # asked at RCPT there is room for each; charged, for one
    clients = [Client(place.lab.bulk) for _ in range(2)]
    for c, name in zip(clients, four[3:5]):
        tap.true(c.envelope(FROM, [name]), name)
    codes = []
    for c in clients:
        tap.equal(c.command("DATA").code, 354)
        c.write(b"From: news@example.com\r\n\r\nx\r\n.\r\n")
        codes.append(c.reply().code)
        c.close()
    tap.equal(codes, [250, 450])
    tap.equal(brief(place.events.take(2)), [
        ("handed", four[3], ""), ("limited", four[4], "four")])


def paused(place):
    """The stop button, by the milter's question and at RCPT."""
    limits = place.product.policyd
    for stream, who in (("newsletter", {}), ("receipts", {
            "sender": RECEIPTS, "user": bulkhead.USER})):
        limits.command("limit", "pause", "--stream", stream)
        tap.equal(place.send(["p@reader.example"], **who).code, 450, stream)
        found = place.events.take(1)
        tap.equal(brief(found), [("limited", "p@reader.example", "paused")])
        tap.equal(found[0]["stream"], stream)
        limits.command("limit", "resume", "--stream", stream)
    place.nothing_more()


def no_business_of_ours(place):
    """Strangers' mail, bounces, what no domain covers: no event."""
    tap.true(place.send(["a@reader.example"], address="203.0.113.9"), "1")
    tap.true(place.send(["a@reader.example"], sender=""), "2")
    tap.true(place.send(["a@reader.example"],
                        b"From: <>\nSubject: s\n\nx\n"), "3")
    place.nothing_more()


def as_hash(place):
    """event-addresses = hash, by a reload."""
    with open(place.product.config, encoding="utf-8") as f:
        before = f.read()
    try:
        with open(place.product.config, "w", encoding="utf-8") as f:
            f.write("event-addresses = hash\n" + before)
        place.reload()
        place.send(["ann@reader.example", "bob@reader.example"])
        place.send(["Ann@reader.example"])
        names = [e["recipient"] for e in place.events.take(3)]
        tap.true(all(re.fullmatch("hash:[0-9a-f]{32}", n) for n in names),
                 names)
        tap.equal((names[0] == names[2], names[0] == names[1]),
                  (True, False))
    finally:
        with open(place.product.config, "w", encoding="utf-8") as f:
            f.write(before)
        place.reload()


def observed(place):
    """mode = observe: nothing is done, nothing is told."""
    with open(place.product.config, encoding="utf-8") as f:
        before = f.read()
    try:
        with open(place.product.config, "w", encoding="utf-8") as f:
            f.write(before.replace("milter {", "milter { mode = observe\n"))
        place.reload()
        tap.true(place.send(["ann@reader.example"]), "sent")
    finally:
        with open(place.product.config, "w", encoding="utf-8") as f:
            f.write(before)
        place.reload()
    place.nothing_more()


def store_gone_and_back(place):
    """Mail flows all the while; said once each; nothing that fits is lost."""
    lab, product = place.lab, place.product
    place.nothing_more()
    os.rename(lab.path("events"), lab.path("away"))
    names = ["g%d@reader.example" % i for i in range(20)]
    for name in names:
        tap.true(place.send([name]), name)
    labs.wait_for("the line", lambda: DOWN in product.log())
    time.sleep(2)
    tap.true(not os.path.exists(lab.path("events")), "was made")
    tap.equal(product.log().count(DOWN), 1, "lines")
    os.rename(lab.path("away"), lab.path("events"))
    tap.equal(brief(place.events.take(20)),
              sorted(("handed", n, "") for n in names))
    labs.wait_for("the other line", lambda: BACK in product.log())
    tap.equal(place.counters().get("events_lost", 0), 0, "lost")
    lab.wait_empty()


def starts_without(place):
    """No directory: said, not made, and mail is signed all the same."""
    lab, product = place.lab, place.product
    product.child.terminate()
    product.child.wait(30)
    os.rename(lab.path("events"), lab.path("away"))
    before = product.log().count(DOWN), product.log().count(BACK)
    product.start()
    tap.true(place.send(["w@reader.example"]), "sent")
    labs.wait_for("line", lambda: product.log().count(DOWN) == before[0] + 1)
    tap.true(not os.path.exists(lab.path("events")), "was made")
    os.rename(lab.path("away"), lab.path("events"))
    tap.equal(brief(place.events.take(1)),
              [("handed", "w@reader.example", "")])
    labs.wait_for("line", lambda: product.log().count(BACK) == before[1] + 1)


def ended_at_once(place):
    """What was answered 250 is told, though the milter ends behind it."""
    names = ["e%d@reader.example" % i for i in range(30)]
    with Client(place.lab.bulk) as c:
        for name in names:
            tap.true(c.send(FROM, [name], NEWS), name)
    place.product.child.terminate()
    place.product.child.wait(30)
    tap.equal(brief(place.events.take(30)),
              sorted(("handed", n, "") for n in names))
    place.product.start()


def as_many_as_arrived(place):
    """Everything that arrived from our streams was told, and nothing else."""
    lab = place.lab
    place.nothing_more()
    lab.wait_empty()
    lab.receiver.clear()
    place.product.suppress("m7@reader.example", "example.com")
    for i in range(12):
        data = NEWS.replace(b"Message-ID: <", b"Message-ID: <%d." % i)
        place.send(["m%d@reader.example" % j for j in range(i, i + 3)], data)
    lab.wait_empty()
    arrived = sorted((message_id(m), r.split(">")[0].strip("<"))
                     for m in lab.receiver.messages for r in m.recipients)
    tap.true(len(arrived) == 33, "%d arrived" % len(arrived))
    found = place.events.take(36)
    tap.equal(sorted((e["message-id"], e["recipient"]) for e in found
                     if e["kind"] == "handed"), arrived)
    tap.equal(len(found), 36)


def through_a_filter(place):
    """What a content filter hands back was told before, changed or not."""
    loop = place.loop
    for port, back, edit in (("before", "again", loop.filter.mark),
                             ("before", "again", loop.filter.add_footer),
                             ("bare", "again", loop.filter.mark)):
        loop.clear()
        loop.filter.port_back = loop.ports[back]
        loop.filter.edit = edit
        loop.send(NEWS, loop.ports[port])
        loop.lab.receiver.wait(1)
        tap.equal(brief(place.events.take(1)),
                  [("handed", "ann@reader.example", "")])
    place.nothing_more()


POINTS = (
    ("by SMTP", by_smtp), ("by sendmail(1)", by_sendmail),
    ("several recipients", several), ("suppressed at RCPT", at_rcpt),
    ("limited", limited), ("paused", paused),
    ("no business of ours", no_business_of_ours),
    ("as a hash", as_hash), ("observed", observed),
    ("as many as arrived", as_many_as_arrived),
    ("the store is gone and back", store_gone_and_back),
    ("ended at once", ended_at_once),
    ("no store at the start", starts_without),
    ("through a filter", through_a_filter),
)


def main():
    """Runs the points named, or all."""
    daemons.why_not()
    if bulkhead.why_not():
        return tap.skip_all(bulkhead.why_not())
    with policy.Lab() as lab:
        place = Place(lab)
        with place.product:
            chosen = [p for p in POINTS
                      if len(sys.argv) < 2 or p[0] in sys.argv[1:]]
            return tap.run([(name, lambda t=test: t(place))
                            for name, test in chosen], place.product.logs)


if __name__ == "__main__":
    sys.exit(main())
