#!/usr/bin/python3
"""What may leave: suppressions and limits through a real Postfix with policyd
and the milter, whichever way the mail comes in."""
import re
import signal
import socket
import sys
import threading
import time

sys.dont_write_bytecode = True
import bulkhead  # noqa: E402
import lab as labs  # noqa: E402
import policy  # noqa: E402
import policyd as daemons  # noqa: E402
import tap  # noqa: E402
from client import Client  # noqa: E402

FROM = "bounces@example.com"
RECEIPTS = "receipts@example.com"
NEWS = dict(bulkhead.mails())["qp-alternative.eml"]
OFFERS = b"X-Kind: offers\n" + NEWS
SPRING = b"X-Bulkhead-List: spring\n" + NEWS
LIMITS = """
limit "four" {{ recipient-domain = {{ "four.example" }} rate = "4/d" }}
limit "messages" {{ recipient-domain = {{ "two.example" }} rate = "2/d"
    count = messages }}
limit "slow" {{ recipient-domain = {{ "slow.example" }} rate = "20/m"
    burst = 1 }}
limit "free" {{ recipient-domain = {{ "free.example" }} rate = "50/d" }}
limit "hung" {{ recipient-domain = {{ "hung.example" }} rate = "50/d" }}
limit "once" {{ recipient-domain = {{ "once.example" }} rate = "50/d" }}
"""
ALIASES = """\
both@alias.example one@reader.example, two@reader.example
team@alias.example one@reader.example
pair@alias.example one@reader.example, two@reader.example
hidden@alias.example expanded@reader.example
"""


def refused(reply, code, *words):
    """The reply has that code and says these words."""
    tap.equal(reply.code, code, "%r" % reply)
    for word in words:
        tap.true(word in reply.text, "%r does not say %r" % (reply, word))


def address(path):
    """The address of a path as the next hop got it, with parameters."""
    return re.match(r'<((?:"(?:\\.|[^"])*"|[^">])*)>', path).group(1)


def arrived(product, n):
    """Envelope recipients of each of the n messages that arrived."""
    messages = product.lab.receiver.wait(n)
    product.lab.wait_empty()
    tap.equal(len(product.lab.receiver.messages), n, "arrived")
    return [sorted(address(r) for r in m.recipients) for m in messages]


def nothing_arrives(product):
    """The queue is empty and the next hop has nothing."""
    product.lab.wait_empty()
    tap.equal(len(product.lab.receiver.messages), 0, "arrived")


def says(product, pattern):
    """Waits for a line of the milter's log."""
    labs.wait_for(pattern, lambda: re.search(pattern, product.log()))


def at_rcpt(product):
    """Globally suppressed: refused at RCPT, with reason and date."""
    product.policyd.command(
        "suppress", "add", "gone@reader.example", "--reason", "hard-bounce",
        "--note", "550 5.1.1 no such user")
    with Client(product.lab.bulk) as c:
        refused(c.envelope(FROM, ["Gone@Reader.EXAMPLE"]), 550,
                "5.7.1 <Gone@Reader.EXAMPLE>: ", "suppressed (hard-bounce 20",
                ": 550 5.1.1 no such user)")
        # nothing of the refused one is left in the transaction
        tap.equal(c.command("DATA").code, 554)
        c.command("RSET")
        tap.true(c.send(FROM, ["here@reader.example"], NEWS), "the next one")
    tap.equal(arrived(product, 1), [["here@reader.example"]])


def same_unsubscribe(product):
    """One entry: refused at RCPT where the envelope tells the domain, at the
    end of the message where its header does."""
    product.suppress("ann@reader.example", "example.com")
    with Client(product.lab.bulk, user=bulkhead.USER) as c:
        refused(c.envelope(RECEIPTS, ["ann@reader.example"]), 550,
                "<ann@reader.example>: suppressed (unsubscribe 20")
        c.command("RSET")
        tap.true(c.envelope(FROM, ["ann@reader.example"]), "not known yet")
        c.command("RSET")
        refused(c.send(FROM, ["ann@reader.example"], NEWS), 550,
                "5.7.1 <ann@reader.example>: suppressed (unsubscribe 20")
    nothing_arrives(product)
    tap.true("step=rcpt stream=receipts" in product.policyd.log(), "rcpt")
    tap.true("step=admit stream=newsletter" in product.policyd.log(), "admit")


# recipient, scope, sender, message, is it refused?
SCOPES = (
    ("s1@scope.example", "global", FROM, NEWS, True),
    ("s2@scope.example", "example.com", FROM, NEWS, True),
    ("s2@scope.example", "example.com", FROM, OFFERS, True),
    ("s3@scope.example", "mailer.example", FROM, NEWS, False),
    ("s4@scope.example", "example.com/newsletter", FROM, NEWS, True),
    ("s4@scope.example", "example.com/newsletter", FROM, OFFERS, False),
    ("s4@scope.example", "example.com/newsletter", RECEIPTS, NEWS, False),
    ("s5@scope.example", "example.com/offers", FROM, OFFERS, True),
    ("s6@scope.example", "example.com/receipts", RECEIPTS, NEWS, True),
    ("s7@scope.example", "example.com/newsletter/spring", FROM, SPRING, True),
    ("s7@scope.example", "example.com/newsletter/spring", FROM, NEWS, False),
    ("s8@scope.example", "mailer.example/newsletter", FROM, NEWS, False),
)


def by_scope(product):
    """An entry holds in its scope, and nowhere else."""
    for scope in sorted({s[:2] for s in SCOPES}):
        product.suppress(*scope)
    for to, scope, sender, data, is_refused in SCOPES:
        with Client(product.lab.bulk, user=bulkhead.USER) as c:
            reply = c.send(sender, [to], data)
            what = "%s of %s from %s: %r" % (to, scope, sender, reply)
            tap.equal(reply.code, 550 if is_refused else 250, what)
    expected = [[s[0]] for s in SCOPES if not s[4]]
    tap.equal(sorted(arrived(product, len(expected))), sorted(expected))


# as the client says it to RCPT TO, whom Postfix sends that to
SPELLINGS = (
    ("<BOB@Spell.EXAMPLE>", "BOB@Spell.EXAMPLE"),
    ('<"quo ted"@spell.example>', '"quo ted"@spell.example'),
    ('<"dora"@spell.example>', "dora@spell.example"),
    ("<@relay.example,@hop.example:eve@spell.example>", "eve@spell.example"),
    ("@hop.example:lee@spell.example", "lee@spell.example"),
    ("< @hop.example:moe@spell.example>", "moe@spell.example"),
    ("fay@spell.example", "fay@spell.example"),
    ("< gus@spell.example >", "gus@spell.example"),
    ("<hal@spell.example> NOTIFY=NEVER", "hal@spell.example"),
    ('<"i>n"@spell.example>', '"i>n"@spell.example'),
    ('<"j\\\"o\\\\"@spell.example>', '"j\\\"o\\\\"@spell.example'),
    ('<"k\\im"@spell.example>', "kim@spell.example"),
    ("<nan..x@spell.example>", '"nan..x"@spell.example'),
    ("<(x)oli@spell.example(y)>", "oli@spell.example"),
    ("<pam @ spell.example.>", "pam@spell.example"),
    ('<"qu@x"@spell.example>', '"qu@x"@spell.example'),
    ("<Rob+Tag=x@spell.example>", "Rob+Tag=x@spell.example"),
    ("<spell.example!sam>", "sam@spell.example"),
    ("<tom%spell.example>", "tom@spell.example"),
    ("<uwe@spell.example@>", "uwe@spell.example"),
)
# What Postfix takes and bends, and suppressions cannot be looked up for.
BENT = ("<a@b@bent.example>", "<a:b@bent.example>", "<a\\b@bent.example>",
        "<<a@bent.example>>", "<@bent.example>", "<@b@bent.example>",
        "<@[IPv6:::1]:a@bent.example>", "<@b,@c:@d:a@bent.example>")


def send_to(product, paths, data, args=""):
    """One message to paths as they are."""
    with Client(product.lab.bulk) as c:
        c.command("MAIL FROM:<%s>%s" % (FROM, args))
        for path in paths:
            reply = c.command("RCPT TO:" + path)
            tap.true(reply, "RCPT TO:%s: %r" % (path, reply))
        c.command("DATA")
        c.write(data.replace(b"\n", b"\r\n") + b"\r\n.\r\n")
        return c.reply()


def by_spelling(product):
    """Each is removed by the spelling that it came with; the others stay."""
    paths = ["<stays@spell.example>"] + [p for p, _ in SPELLINGS] + [
        "<bobby@spell.example>"]
    stay = ["bobby@spell.example", "stays@spell.example"]
    tap.true(send_to(product, paths, OFFERS), "before they are listed")
    tap.equal(arrived(product, 1), [sorted(stay + [
        delivered for _, delivered in SPELLINGS])])
    product.lab.receiver.clear()
    for _, delivered in SPELLINGS:
        product.suppress(delivered, "example.com/newsletter")
    reply = send_to(product, paths, NEWS)
    tap.true(reply, "%r" % reply)
    tap.equal(arrived(product, 1), [stay])
    says(product, r"action=suppressed recipient=bob@spell\.example "
                  r"reason=unsubscribe")
    tap.equal(len(re.findall("action=suppressed .*@spell.example",
                             product.log())), len(SPELLINGS), "log lines")


def by_spelling_at_rcpt(product):
    """The policy service is told addresses without their quotes."""
    for path, delivered in SPELLINGS:
        at = delivered.rindex("@")
        listed = delivered[:at] + "@rcpt.example"
        product.suppress(listed)
        with Client(product.lab.bulk) as c:
            c.command("MAIL FROM:<%s>" % FROM)
            refused(c.command("RCPT TO:" + path.replace(
                "spell.example", "rcpt.example").replace(
                    "Spell.EXAMPLE", "Rcpt.EXAMPLE")), 550, "suppressed")


def bent(product):
    """Whom Postfix would make of it is not guessed: it is refused."""
    for path in BENT:
        reply = send_to(product, [path, "<stays@bent.example>"], NEWS)
        refused(reply, 550, "5.1.3", "recipient 1 of 2 is no address")
    nothing_arrives(product)


def long_list_id(product):
    """A field that no request has room for hides nobody."""
    product.suppress("l@long.example", "example.com/newsletter")
    data = b"List-Id: <" + b"x.\n " * 9000 + b"y>\n" + NEWS.replace(
        b"List-Id:", b"X-Id:")
    with Client(product.lab.bulk) as c:
        refused(c.send(FROM, ["l@long.example"], data), 550, "suppressed")
        tap.true(c.send(FROM, ["m@long.example"], data), "another")
    tap.equal(arrived(product, 1), [["m@long.example"]])


def by_spelling_in_utf8(product):
    """SMTPUTF8: the same."""
    product.lab.receiver.utf8 = True
    product.suppress("j\u00fcrgen@utf.example", "example.com/newsletter")
    product.suppress("max@m\u00fcnchen.example", "example.com/newsletter")
    product.suppress("eva@xn--kln-sna.example", "example.com/newsletter")
    reply = send_to(product, [
        "<J\u00fcrgen@Utf.example>", "<stays@utf.example>",
        "<max@xn--mnchen-3ya.example>", "<max@m\u00fcnchen.example>",
        "<eva@k\u00f6ln.example>"], NEWS, " SMTPUTF8")
    tap.true(reply, "%r" % reply)
    tap.equal(arrived(product, 1), [["stays@utf.example"]])


def all_suppressed(product):
    """Nobody is left: refused with the first one's reason; drop: gone, with
    a line.  Never a message without recipients."""
    for name in ("ann", "bob"):
        for scope in ("example.com/newsletter", "example.com/dropped"):
            product.suppress(name + "@none.example", scope)
    both = ["ann@none.example", "bob@none.example"]
    with Client(product.lab.bulk) as c:
        refused(c.send(FROM, both, NEWS), 550, "5.7.1",
                "all 2 recipients are suppressed; <ann@none.example>: ")
        refused(c.send(FROM, both[1:], NEWS), 550, "<bob@none.example>: ")
        tap.true(c.send("dropped@example.com", both, NEWS), "accepted")
        nothing_arrives(product)
        says(product, "action=discarded stream=dropped .*suppressed=2")
        tap.true(c.send("dropped@example.com", both + ["x@none.example"],
                        NEWS), "one is left")
    tap.equal(arrived(product, 1), [["x@none.example"]])


def hundreds_of_recipients(product):
    """As many as a message of Postfix's may have by default, half of them
    removed."""
    product.suppress("@half.example", "example.com/newsletter")
    to = ["u%d@%s.example" % (i, ("half", "whole")[i % 2])
          for i in range(1000)]
    start = time.monotonic()
    tap.true(send_to(product, ["<%s>" % t for t in to], NEWS), "accepted")
    print("# 500 of 1000 removed in %.1f s" % (time.monotonic() - start))
    product.lab.wait_empty()
    # Postfix parts it for its next hop
    got = [address(r) for m in product.lab.receiver.messages
           for r in m.recipients]
    tap.equal(sorted(got), sorted(to[1::2]), "arrived")


def whole_domain(product):
    """"@domain" is that domain and no other."""
    product.suppress("@closed.example")
    product.suppress("@unsubscribed.example", "example.com/newsletter")
    with Client(product.lab.bulk) as c:
        refused(c.envelope(FROM, ["x@Closed.example"]), 550, "suppressed")
        c.command("RSET")
        refused(c.send(FROM, ["x@unsubscribed.example"], NEWS), 550)
        tap.true(c.send(FROM, ["x@sub.closed.example",
                               "y@unsubscribed.example"], NEWS), "subdomain")
    tap.equal(arrived(product, 1), [["x@sub.closed.example"]])


def by_sendmail(product):
    """sendmail(1) never meets the policy service: the milter removes, and
    refuses where nobody is left."""
    lab = product.lab
    product.suppress("left@reader.example")
    lab.sendmail(FROM, ["left@reader.example", "here@reader.example"], NEWS)
    tap.equal(arrived(product, 1), [["here@reader.example"]])
    lab.receiver.clear()
    lab.sendmail("author@elsewhere.example", ["left@reader.example"],
                 b"From: author@elsewhere.example\nSubject: s\n\ntext\n")
    bounce = lab.receiver.wait(1)[0]
    tap.equal(address(bounce.sender), "")
    tap.true(b"suppressed (unsubscribe" in bounce.data, "the reason")


def by_login(product):
    """A login makes it ours, from wherever; a stranger's mail is not judged."""
    product.suppress("away@reader.example")
    product.suppress("off@reader.example", "example.com/newsletter")
    lab = product.lab
    with Client(lab.bulk, address=bulkhead.OUTSIDE,
                user=bulkhead.USER) as c:
        refused(c.envelope(FROM, ["away@reader.example"]), 550, "suppressed")
        c.command("RSET")
        refused(c.send(FROM, ["off@reader.example"], NEWS), 550)
        tap.true(c.send(FROM, ["off@reader.example", "x@reader.example"],
                        NEWS), "one is left")
    tap.equal(arrived(product, 1), [["x@reader.example"]])
    lab.receiver.clear()
    with Client(lab.bulk, address=bulkhead.OUTSIDE) as c:
        tap.true(c.send(FROM, ["away@reader.example"], NEWS), "a stranger's")
    tap.equal(arrived(product, 1), [["away@reader.example"]])


def alias_that_expands(product):
    """Postfix shows milters and policy services the address before virtual
    aliases: that one is looked up and removed, with all it expands to.  An
    address that only the expansion names is not seen."""
    lab = product.lab
    product.suppress("team@alias.example")
    product.suppress("pair@alias.example", "example.com/newsletter")
    product.suppress("expanded@reader.example")
    with Client(lab.bulk) as c:
        refused(c.envelope(FROM, ["team@alias.example"]), 550, "suppressed")
        c.command("RSET")
        refused(c.envelope(FROM, ["expanded@reader.example"]), 550)
        c.command("RSET")
        tap.true(c.send(FROM, ["both@alias.example", "x@reader.example"],
                        NEWS), "not listed")
        tap.equal(arrived(product, 1), [[
            "one@reader.example", "two@reader.example", "x@reader.example"]])
        lab.receiver.clear()
        tap.true(c.send(FROM, ["pair@alias.example", "x@reader.example"],
                        NEWS), "pair is removed")
        tap.equal(arrived(product, 1), [["x@reader.example"]])
        lab.receiver.clear()
        tap.true(c.send(FROM, ["hidden@alias.example"], NEWS), "not seen")
    tap.equal(arrived(product, 1), [["expanded@reader.example"]])


def two_hundred_in_a_row(product):
    """No delay and no hang-up, at RCPT nor at the end of the message, with
    the listener's error limits raised."""
    product.suppress("@row.example")
    product.suppress("@end.example", "example.com/newsletter")
    start = time.monotonic()
    with Client(product.lab.bulk) as c:
        c.command("MAIL FROM:<%s>" % FROM)
        for i in range(200):
            refused(c.command("RCPT TO:<u%d@row.example>" % i), 550)
        tap.true(c.command("RCPT TO:<x@reader.example>"), "afterwards")
        c.command("RSET")
        at_rcpt_took = time.monotonic() - start
        for i in range(50):
            refused(c.send(FROM, ["u%d@end.example" % i], NEWS), 550)
        tap.true(c.send(FROM, ["here@reader.example"], NEWS), "afterwards")
    print("# 200 refusals at RCPT in %.1f s, 50 at the end in %.1f s" % (
        at_rcpt_took, time.monotonic() - start - at_rcpt_took))
    # stock limits: a second each from the 10th, a hang-up at the 20th
    tap.true(at_rcpt_took < 40, "took %.1f s" % at_rcpt_took)
    arrived(product, 1)


def limit_of_recipients(product):
    """Four recipients a day, whole messages or none of them."""
    to = ["%s@four.example" % name for name in "abcdef"]
    with Client(product.lab.bulk) as c:
        tap.true(c.send(FROM, to[:3], NEWS), "three")
        c.command("MAIL FROM:<%s>" % FROM)
        tap.true(c.command("RCPT TO:<%s>" % to[0]), "the fourth")
        refused(c.command("RCPT TO:<%s>" % to[1]), 450, "4.7.1",
                'over limit "four"', "retry in ")
        c.command("RSET")
        tap.equal(product.used("four"), 3, "RCPT charges nothing")
        # over at the end of the message, where RCPT never looked
        product.lab.sendmail(FROM, to[:2], NEWS)
        says(product, 'action=tempfailed .*limit=four|'
                      'action=rejected .*limit=four')
        tap.equal(product.used("four"), 3, "all or nothing")
        tap.true(c.send(FROM, to[3:4], NEWS), "the fourth")
        refused(c.send(FROM, to[4:5], NEWS), 450, 'over limit "four"')
        c.command("RSET")
        tap.true(c.send(FROM, ["x@elsewhere.example"], NEWS), "another")
    for queue_id in product.lab.queue():
        product.lab.tool("postsuper", "-d", queue_id)
    arrived(product, 3)
    tap.equal(product.used("four"), 4)


def limit_of_messages(product):
    """count = messages, over SMTP and sendmail(1) alike."""
    lab = product.lab
    lab.sendmail(FROM, ["a@two.example", "b@two.example"], NEWS)
    lab.receiver.wait(1)
    with Client(lab.bulk) as c:
        tap.true(c.send(FROM, ["a@two.example", "b@two.example"], NEWS),
                 "the second")
        refused(c.send(FROM, ["a@two.example"], NEWS), 450, "messages")
    arrived(product, 2)
    tap.equal(product.used("messages"), 2)


def retried_in_time(product):
    """450 says when to come again; who does gets through."""
    with Client(product.lab.bulk) as c:
        tap.true(c.send(FROM, ["a@slow.example"], NEWS), "the first")
        reply = c.send(FROM, ["b@slow.example"], NEWS)
        refused(reply, 450, "4.7.1", 'over limit "slow"')
        found = re.search(r"retry in (\d+) s", reply.text)
        tap.true(found and 1 <= int(found.group(1)) <= 3, "%r" % reply)
        time.sleep(int(found.group(1)))
        c.command("RSET")
        tap.true(c.send(FROM, ["b@slow.example"], NEWS), "in time")
    arrived(product, 2)


def refused_is_free(product):
    """What Bulkhead refuses or removes is never charged."""
    product.suppress("gone@free.example")
    product.suppress("left@free.example", "example.com/newsletter")
    product.suppress("left@free.example", "example.com/dropped")
    with Client(product.lab.bulk) as c:
        refused(c.envelope(FROM, ["gone@free.example"]), 550)
        c.command("RSET")
        refused(c.send(FROM, ["left@free.example"], NEWS), 550)
        tap.true(c.send("dropped@example.com", ["left@free.example"], NEWS),
                 "dropped")
        tap.equal(product.used("free"), 0)
        tap.true(c.send(FROM, ["left@free.example", "a@free.example",
                               "b@free.example"], NEWS), "two are left")
    arrived(product, 1)
    tap.equal(product.used("free"), 2)
    with Client(product.lab.bulk, address=bulkhead.OUTSIDE) as c:
        tap.true(c.send(FROM, ["a@free.example"], NEWS), "a stranger's")
    arrived(product, 2)
    tap.equal(product.used("free"), 2)


def charged_once(product):
    """A message that comes to the milter again, is requeued, or whose charge
    is asked for again costs once."""
    lab = product.lab
    product.policyd.command("limit", "pause", "newsletter")
    lab.sendmail(FROM, ["a@once.example"], NEWS)
    says(product, "paused")
    product.policyd.command("limit", "resume", "newsletter")
    tap.equal(product.used("once"), 0, "while it was put off")
    before = len(product.log())
    lab.receiver.busy = True
    lab.kick_pickup()
    queue_id = labs.wait_for("the queue", lambda: re.findall(
        r" (\w+): action=signed", product.log()[before:]))[0]
    tap.equal(product.used("once"), 1, "when it went")
    tap.equal(lab.queue(), [queue_id], "it waits")
    ask = daemons.charge(queue_id, "a@once.example").replace(
        b"instance=mx\n", b"instance=lab.example\n")
    tap.equal(product.policyd.ask_control(ask), "action=DUNNO")
    tap.equal(product.used("once"), 1, "asked again")
    labs.wait_for("450", lambda: "450 4.2.1 later" in lab.log())
    lab.receiver.busy = False
    lab.tool("postsuper", "-r", "ALL")
    lab.kick_pickup()
    arrived(product, 1)
    tap.equal(product.used("once"), 1, "requeued")


def paused(product):
    """The stop button: 450 until resumed; a restart does not forget it."""
    command = product.policyd.command
    command("limit", "pause", "offers")
    with Client(product.lab.bulk) as c:
        refused(c.send(FROM, ["a@reader.example"], OFFERS), 450, "4.7.1",
                "paused")
        tap.true(c.send(FROM, ["a@reader.example"], NEWS), "another stream")
        product.restart_policyd()
        refused(c.send(FROM, ["a@reader.example"], OFFERS), 450, "paused")
        tap.true("offers" in command("limit", "list"), "listed")
        command("limit", "resume", "offers")
        tap.true(c.send(FROM, ["a@reader.example"], OFFERS), "resumed")
        command("limit", "pause", "example.com")
        refused(c.send(FROM, ["a@reader.example"], NEWS), 450, "paused")
        with Client(product.lab.bulk, user=bulkhead.USER) as other:
            refused(other.envelope(RECEIPTS, ["a@reader.example"]), 450,
                    "paused")
        command("limit", "resume", "example.com")
    arrived(product, 2)


def down_and_deferred(product):
    """Nobody to ask: 4yz, and mail leaves when it is back, but not to those
    who are suppressed."""
    product.suppress("dead@reader.example")
    product.policyd.kill()
    with Client(product.lab.bulk) as c:
        reply = c.send(FROM, ["a@reader.example"], NEWS)
        refused(reply, 451, "4.3.5")
        c.command("RSET")
        product.lab.sendmail(FROM, ["dead@reader.example",
                                    "b@reader.example"], NEWS)
        says(product, 'reply="45. 4.3.0 policy service unavailable"|'
                      'action=tempfailed')
        tap.equal(len(product.lab.receiver.messages), 0, "arrived")
        product.policyd.start()
        c.command("RSET")
        tap.true(c.send(FROM, ["a@reader.example"], NEWS), "back")
    product.lab.kick_pickup()
    tap.equal(sorted(arrived(product, 2)),
              [["a@reader.example"], ["b@reader.example"]])


def hanging(product):
    """policyd takes questions and does not answer: put off in time, and sent
    when it does."""
    product.suppress("hung@reader.example")
    half = product.policyd.control()
    product.policyd.signal(signal.SIGSTOP)
    try:
        half.send(daemons.charge("4HALF", "a@hung.example"))
        half.sock.shutdown(socket.SHUT_WR)
        with product.policyd.control() as gone:
            gone.send(daemons.charge("4GONE", "b@hung.example"))
        before, start = len(product.log()), time.monotonic()
        product.lab.sendmail(FROM, ["hung@reader.example",
                                    "h@reader.example"], NEWS)
        labs.wait_for("a line", lambda: "action=tempfailed" in
                      product.log()[before:])
        took = time.monotonic() - start
        tap.true("policyd gave no answer" in product.log(), "told")
    finally:
        product.policyd.signal(signal.SIGCONT)
    # who gave up is not charged; who said that this was all is answered
    tap.equal(half.reply(), "action=DUNNO")
    half.close()
    tap.equal(product.used("hung"), 1)
    tap.true("it did not wait for the answer" in product.policyd.log(), "told")
    print("# put off after %.1f s" % took)
    tap.true(1.2 < took < 10, "took %.1f s" % took)
    product.lab.kick_pickup()
    tap.equal(arrived(product, 1), [["h@reader.example"]])


class Load:
    """Many sessions; every third recipient is suppressed, some of them at the
    end of the message only."""

    def __init__(self, product):
        self.product, self.lock = product, threading.Lock()
        self.replies = []  # (recipients, Reply)
        self.errors = []
        self.stop = threading.Event()

    def session(self, number):
        """Messages until it is stopped, 3 a connection."""
        count = 0
        try:
            while not self.stop.is_set():
                with Client(self.product.lab.bulk) as c:
                    for _ in range(3):
                        count += 1
                        self._one(c, number, count)
        except Exception as e:  # told by run()
            self.errors.append(e)

    def _one(self, c, number, count):
        to = ["u%d-%d@load.example" % (number, count)]
        if count % 3 == 0:
            to = [("gone", "left")[number % 2] + "@load.example"]
        elif count % 3 == 1:
            to.append("left@load.example")
        reply = c.send(FROM, to, NEWS)
        with self.lock:
            self.replies.append((to, reply))
        c.command("RSET")

    def run(self, sessions, disturb):
        """That many at once until disturb() has ended."""
        threads = [threading.Thread(target=self.session, args=(n,))
                   for n in range(sessions)]
        for t in threads:
            t.start()
        try:
            disturb()
        finally:
            self.stop.set()
            for t in threads:
                t.join(120)
        if self.errors:
            raise self.errors[0]

    def expected(self):
        """Who must have got mail: accepted, and not suppressed."""
        return sorted(to[0] for to, reply in self.replies if reply)


def killed_under_load(product):
    """policyd is killed and restarted under load: nobody who is suppressed
    gets anything, whoever was accepted gets one."""
    product.suppress("gone@load.example")
    product.suppress("left@load.example", "example.com/newsletter")
    load = Load(product)

    def disturb():
        for n in range(6):
            time.sleep(0.8)
            product.restart_policyd((signal.SIGKILL, signal.SIGTERM)[n % 2])
        time.sleep(0.5)

    load.run(100, disturb)
    codes = [r.code for _, r in load.replies]
    print("# replies: %r" % {c: codes.count(c) for c in sorted(set(codes))})
    tap.true(set(codes) <= {250, 421, 450, 451, 550}, "codes")
    bad = [(to, r) for to, r in load.replies if r.code == 550 and
           to[0][:4] not in ("gone", "left")]
    tap.equal(bad[:3], [], "refused for good")
    expected = load.expected()
    product.lab.wait_empty(60)
    got = sorted(sum(arrived(product, len(expected)), []))
    tap.equal([a for a in got if a[0] in "gl"], [], "suppressed")
    tap.equal(got, expected, "arrived")
    tap.true(len(expected) > 50, "%d accepted" % len(expected))


POINTS = [at_rcpt, same_unsubscribe, by_scope, by_spelling,
          by_spelling_at_rcpt, bent, long_list_id, by_spelling_in_utf8,
          all_suppressed, hundreds_of_recipients, whole_domain, by_sendmail,
          by_login, alias_that_expands, two_hundred_in_a_row,
          limit_of_recipients, limit_of_messages, retried_in_time,
          refused_is_free, charged_once, paused, down_and_deferred, hanging,
          killed_under_load]


def down_and_accepted():
    """on-store-failure = accept: mail leaves without policyd, and it shows."""
    with policy.Lab(default="DUNNO") as lab, policy.Installation(
            lab, "on-store-failure = accept\n" + LIMITS) as product:
        product.suppress("gone@reader.example")
        with Client(lab.bulk) as c:
            refused(c.envelope(FROM, ["gone@reader.example"]), 550)
            product.policyd.kill()
            c.command("RSET")
            tap.true(c.send(FROM, ["gone@reader.example",
                                   "a@four.example"], NEWS), "accepted")
        arrived(product, 1)
        says(product, "action=signed .* policy=down")
        tap.equal(product.log().count("policyd gave no answer"), 1, "told")
        product.policyd.start()
        with Client(lab.bulk) as c:
            refused(c.send(FROM, ["gone@reader.example"], NEWS), 550)


def run_point(product, point):
    """Own addresses and limits for each: one installation does."""
    product.lab.receiver.clear()
    product.lab.receiver.utf8 = product.lab.receiver.busy = False
    point(product)


def main():
    """The points that were named, or all."""
    if labs.why_not():
        return tap.skip_all(labs.why_not())
    daemons.why_not()
    names = sys.argv[1:]
    with policy.Lab(aliases=ALIASES) as lab, \
            policy.Installation(lab, LIMITS) as product:
        points = [(p.__name__, lambda p=p: run_point(product, p))
                  for p in POINTS]
        points.append(("down_and_accepted", down_and_accepted))
        return tap.run([p for p in points if not names or p[0] in names],
                       product.logs)


if __name__ == "__main__":
    sys.exit(main())
