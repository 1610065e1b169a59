#!/usr/bin/python3
"""Mail that comes back: requeued, through content filters, to aliases, over
two hops, and signatures that were forged or have grown old.  However it goes:
one rewrite, one set of signatures, and what leaves verifies."""
import os
import re
import sys

sys.dont_write_bytecode = True
import dkim  # noqa: E402

import bulkhead  # noqa: E402
import filter as filters  # noqa: E402
import lab as labs  # noqa: E402
import tap  # noqa: E402
from client import Client  # noqa: E402

FROM = "bounces@example.com"
ONE = ["ann@reader.example"]
NEWS = dict(bulkhead.mails())["qp-alternative.eml"]
LINKS = 4   # of NEWS that are tracked
DONE = "already signed by us"
OURS = {(d, s) for d in bulkhead.DOMAINS for s in bulkhead.SELECTORS}

MASTER = """\
127.0.0.1:{before} inet n - n - - smtpd
  -o {{ smtpd_milters = {chain} }}
  -o content_filter=scan:[127.0.0.1]:{scan}
127.0.0.1:{bare} inet n - n - - smtpd
  -o content_filter=scan:[127.0.0.1]:{scan}
127.0.0.1:{back} inet n - n - - smtpd
  -o receive_override_options=no_milters,no_unknown_recipient_checks
  -o content_filter=
127.0.0.1:{again} inet n - n - - smtpd
  -o {{ smtpd_milters = {chain} }}
  -o content_filter=
scan unix - - n - 4 smtp
  -o disable_mime_output_conversion=yes
"""


class Loop:
    """A lab whose Postfix sends mail through a filter and takes it back.

    Ports: before has our milter, bare has none, and both send what they take
    to the filter; back has no milter, again has ours.
    """

    def __init__(self, lab, product):
        self.lab, self.product = lab, product
        self.filter = filters.Filter()
        self.ports = {name: labs.free_port() for name in
                      ("before", "bare", "back", "again")}
        chain = ", ".join("{ unix:%s, default_action=tempfail }"
                          % lab.path(m) for m in ("rec.sock", "mil.sock"))
        with open(lab.path("etc/master.cf"), "a", encoding="ascii") as f:
            f.write(MASTER.format(chain=chain, scan=self.filter.port,
                                  **self.ports))
        self.configure()

    def configure(self, *settings):
        """Settings of main.cf, then a reload that has arrived."""
        if settings:
            self.lab.tool("postconf", "-e", *settings)
        done = self.lab.log().count("reload -- version")
        self.lab.tool("postfix", "reload")
        labs.wait_for("reload", lambda: self.lab.log().count(
            "reload -- version") > done)

    def clear(self):
        """Forgets what was received, filtered, recorded and logged."""
        self.lab.wait_empty()
        self.lab.receiver.clear()
        self.filter.clear()
        self.filter.edit = self.filter.mark
        self.filter.submit = self.filter.by_smtp
        for name in os.listdir(self.lab.path("rec")):
            os.unlink(os.path.join(self.lab.path("rec"), name))
        self.logged = len(self.product.log())

    def send(self, data, port=None, recipients=None, sender=FROM, **who):
        """Hands it in; the queue id."""
        with Client(port or self.lab.bulk, **who) as c:
            reply = c.send(sender, recipients or ONE, data)
        tap.true(reply.queue_id, "not queued: %r" % reply)
        return reply.queue_id

    def runs(self):
        """How often milters saw a message's end."""
        return len([n for n in os.listdir(self.lab.path("rec"))
                    if n.endswith(".eml") and not n.startswith(".")])

    def actions(self):
        """What the milter said it did since clear(), in order."""
        lines = [x for x in self.product.log()[self.logged:].splitlines()
                 if " action=" in x]
        return [DONE if DONE in x else re.search(
            r" action=(\w+)", x).group(1) for x in lines]


def flat(data):
    """The body without soft line breaks, the header."""
    return data.replace(b"=\r\n", b"").replace(b"=3D", b"=")


def expect_once(product, data, links=LINKS):
    """One rewrite, one set of signatures, all good."""
    found = product.verify(data)
    tap.equal({k for k in found if k[0] in bulkhead.DOMAINS}, OURS,
              "signatures")
    tap.true(all(found.values()), "signatures: %r" % found)
    head = data.partition(b"\r\n\r\n")[0].lower()
    for name, count in ((b"dkim-signature", len(OURS)),
                        (b"list-unsubscribe", 1), (b"feedback-id", 1),
                        (b"list-unsubscribe-post", 1), (b"cfbl-address", 1)):
        tap.equal(len(re.findall(rb"(?m)^" + name + rb":", head)), count,
                  name.decode())
    text = flat(data)
    tap.equal(len(re.findall(rb"https://t\.example\.com/o/", text)), 1,
              "pixels")
    tap.equal(len(re.findall(rb"=.?https://t\.example\.com/c/", text)),
              links, "tracked links")
    tap.true(b"{{" not in text, "a placeholder is left")


def requeued(loop):
    """postsuper -r, from deferred and from hold: no milter runs again."""
    loop.clear()
    loop.configure("defer_transports=smtp,relay")
    loop.send(NEWS)
    loop.send(NEWS)
    labs.wait_for("deferral", lambda: loop.lab.log().count(
        "status=deferred (deferred transport)") >= 2)
    loop.lab.tool("postsuper", "-h", loop.lab.queue()[0])
    tap.equal((loop.runs(), loop.actions()), (2, ["signed"] * 2))
    loop.configure("defer_transports=")
    before = set(loop.lab.queue())
    done = loop.lab.tool("postsuper", "-r", "ALL")
    tap.true(b"Requeued: 2 messages" in done.stdout, repr(done.stdout))
    loop.lab.tool("postkick", "public", "pickup", "W")
    for message in loop.lab.receiver.wait(2):
        expect_once(loop.product, message.data)
        tap.true(message.sender.endswith("@b.example.com>"), message.sender)
        tap.true(any(i.encode() in message.data for i in before),
                 "none of %r in its trace" % before)
    tap.equal((loop.runs(), loop.actions()), (2, ["signed"] * 2))


# What a path through the filter must end in.
PATHS = {
    "milter, filter, no milter": ("before", "back", ["signed"]),
    "milter, filter, milter": ("before", "again", ["signed", DONE]),
    "filter, milter": ("bare", "again", ["signed"]),
}


def filtered(loop, name):
    """Through the filter on one of the paths."""
    port, back, actions = PATHS[name]
    loop.clear()
    loop.filter.port_back = loop.ports[back]
    loop.send(NEWS, loop.ports[port])
    message = loop.lab.receiver.wait(1)[0]
    expect_once(loop.product, message.data)
    tap.true(b"X-Virus-Scanned" in message.data, "not filtered")
    tap.true(message.sender.endswith("@b.example.com>"), message.sender)
    tap.equal(loop.actions(), actions)


def footer(loop):
    """The filter changes what we signed: signed anew, nothing twice."""
    loop.clear()
    loop.filter.port_back = loop.ports["again"]
    loop.filter.edit = loop.filter.add_footer
    loop.send(NEWS, loop.ports["before"])
    message = loop.lab.receiver.wait(1)[0]
    tap.true(b"Scanned" in message.data, "no footer")
    expect_once(loop.product, message.data)
    tap.true(b"https://filter.example/" in message.data, "its link")
    tap.true(b"https://bank.example/login" in message.data, "an opted-out one")
    tap.equal(message.sender, loop.filter.messages[0].sender, "return path")
    tap.equal(loop.actions(), ["signed"] * 2)
    log = loop.product.log()[loop.logged:]
    tap.true("signatures-removed=%d" % len(OURS) in log, log)
    tap.true("a DKIM-Signature of ours does not match the body" in log, log)


def amavisd(loop):
    """The real one between us and us."""
    if not os.access(filters.AMAVISD, os.X_OK):
        raise tap.Skip("no amavisd")
    loop.clear()
    loop.filter.port_back = labs.free_port()
    loop.filter.edit = lambda data: data
    filters.start_amavisd(loop.lab, loop.filter.port_back,
                          loop.ports["again"])
    loop.send(NEWS, loop.ports["before"])
    message = loop.lab.receiver.wait(1)[0]
    tap.true(b"(amavis" in message.data, "not through amavisd")
    expect_once(loop.product, message.data)
    tap.equal(loop.actions(), ["signed", DONE])


def by_sendmail(loop):
    """A filter that hands back by sendmail(1): non_smtpd_milters."""
    loop.clear()
    loop.filter.submit = lambda sender, recipients, data, args: \
        loop.lab.sendmail(sender, recipients, data)
    loop.send(NEWS, loop.ports["before"])
    message = loop.lab.receiver.wait(1)[0]
    expect_once(loop.product, message.data)
    tap.equal(loop.actions(), ["signed", DONE])
    tap.true("by=sendmail" in loop.product.log()[loop.logged:], "the path")


def strangers(loop):
    """What a stranger sent gets nothing where the filter's way back has no
    milter; where it has one, mail of the internet must not take that way."""
    loop.clear()
    loop.filter.port_back = loop.ports["back"]
    loop.send(NEWS, loop.ports["before"], address=bulkhead.OUTSIDE)
    tap.equal(loop.product.verify(loop.lab.receiver.wait(1)[0].data), {})


def expand(loop, recipients, copies, *settings):
    """Addresses added or replaced before us: each copy is the same mail."""
    loop.clear()
    loop.configure(*settings)
    try:
        loop.send(NEWS, recipients=recipients)
        arrived = set()
        labs.wait_for("copies", lambda: arrived.update(
            r for m in loop.lab.receiver.messages for r in m.recipients)
            or len(arrived) >= copies)
        for message in loop.lab.receiver.messages:
            if len(recipients) == 1:
                expect_once(loop.product, message.data)
            bulkhead.expect_signed(loop.product, message.data)
        tap.equal((loop.runs(), loop.actions()), (1, ["signed"]))
        tap.equal(len(arrived), copies, "recipients")
    finally:
        loop.configure(*[s.partition("=")[0] + "=" for s in settings])


EXPANSIONS = {
    "always_bcc": (ONE, 2, "always_bcc=archive@reader.example"),
    "recipient_bcc_maps": (ONE, 2, "recipient_bcc_maps=inline:"
                           "{ann@reader.example=archive@reader.example}"),
    "an alias of two": (["both@list.example"], 2, "virtual_alias_maps=inline:"
                        "{{both@list.example=ann@reader.example, "
                        "bo@reader.example}}"),
    "an alias among several": (
        ONE + ["both@list.example"], 3, "virtual_alias_maps=inline:"
        "{{both@list.example=cy@reader.example, bo@reader.example}}"),
}


def broken(pattern, replacement, count=1):
    """A change of the first places that match; it must be one."""
    def change(data):
        new = re.sub(pattern, replacement, data, count=count)
        tap.true(new != data, "nothing changed")
        return new
    return change


# What is done to a message that we made, before it is handed in again.
FORGERIES = {
    "random b=": broken(rb"(?s)\tb=\S+", b"\tb=AAAA", 0),
    "another Subject": broken(rb"\r\nSubject: ", b"\r\nSubject: [SPAM] "),
    "another From": broken(rb'"The Workshop"', b'"The Workshops"'),
    "another body": broken(rb"your weekly letter", b"your daily letter", 0),
    "another letter in a link": broken(rb"\.com/c/(.)", b".com/c/_\\1"),
    "a signature taken to other mail": lambda data: b"".join(
        f for f in bulkhead.fields(data)
        if f.startswith(b"DKIM-Signature")) + NEWS,
}


def made(loop):
    """A message as it leaves us, without the lab's trace."""
    loop.clear()
    loop.send(NEWS)
    data = bulkhead.without_trace(loop.lab.receiver.wait(1)[0])
    loop.clear()
    return data


def forged(loop, change):
    """Done as new mail, and once; from a stranger it is left alone."""
    data = change(made(loop))
    loop.send(data)
    message = loop.lab.receiver.wait(1)[0]
    tap.equal(loop.actions(), ["signed"])
    expect_once(loop.product, message.data)
    loop.clear()
    queue_id = loop.send(data, address=bulkhead.OUTSIDE)
    message = loop.lab.receiver.wait(1)[0]
    tap.equal(bulkhead.without_trace(message),
              loop.lab.recorded(queue_id), "a stranger's mail")


def handed_in_again(loop):
    """Unchanged: passes as it is, whoever of ours brings it."""
    data = made(loop)
    queue_id = loop.send(data)
    message = loop.lab.receiver.wait(1)[0]
    tap.equal(bulkhead.without_trace(message), loop.lab.recorded(queue_id))
    expect_once(loop.product, message.data)
    tap.equal((loop.actions(), message.sender),
              ([DONE], "<%s>" % FROM))


def second_from(loop):
    """From is oversigned: it is no mail of ours, and gets no signature."""
    loop.send(b"From: x@example.org\r\n" + made(loop))
    data = loop.lab.receiver.wait(1)[0].data
    tap.true(not any(loop.product.verify(data).values()), "still good")
    tap.equal(loop.actions(), ["passed"])


def partial_body(loop):
    """A signature with l=, right in itself, with more behind it."""
    loop.clear()
    with open(loop.lab.path("conf/example.com-s2026a.pem"), "rb") as f:
        key = f.read()
    data = re.sub(rb"\r?\n", b"\r\n", NEWS)
    signature = dkim.sign(data, b"s2026a", b"example.com", key, length=True,
                          canonicalize=(b"relaxed", b"relaxed"))
    tap.true(b"l=" in signature, "no l= in it")
    data = signature + data + b"more\r\n"
    tap.true(all(loop.product.verify(data).values()), "not good at all")
    loop.send(data)
    expect_once(loop.product, loop.lab.receiver.wait(1)[0].data)
    tap.equal(loop.actions(), ["signed"])


def too_old(loop):
    """Signed eight days ago with our keys."""
    loop.clear()
    queue_id = loop.send(NEWS)
    loop.lab.receiver.wait(1)
    text = loop.product.preview(queue_id, "--time", "2026-11-01T00:00:00Z")
    loop.clear()
    loop.send(text)
    expect_once(loop.product, loop.lab.receiver.wait(1)[0].data)
    tap.equal(loop.actions(), ["signed"])
    tap.true("of ours is too old" in loop.product.log()[loop.logged:],
             "the reason")


def restart(product, config):
    """The milter with these settings."""
    with open(product.config, "w", encoding="utf-8") as f:
        f.write(config.format(dir=product.lab.dir))
    product.child.kill()
    product.child.wait()
    os.unlink(product.lab.path("mil.sock"))
    product.start()


def removed_selector(loop):
    """The keys that signed it are no longer in the settings."""
    data = made(loop)
    product = loop.product
    product.zone["n2027a._domainkey.example.com."] = bulkhead.make_key(
        product.lab.path("conf/example.com-n2027a.pem"), "rsa")
    config = re.sub(r"    sign \"e2026a\" .*example\.com-e.*\n", "",
                    bulkhead.CONFIG)
    config = config.replace("conf/example.com-s2026a", "conf/"
                            "example.com-n2027a").replace(
                                'sign "s2026a"', 'sign "n2027a"', 1)
    restart(product, config)
    try:
        loop.send(data)
        message = loop.lab.receiver.wait(1)[0]
    finally:
        restart(product, bulkhead.CONFIG)
    found = product.verify(message.data)
    tap.true(found.get(("example.com", "n2027a")), "not signed: %r" % found)
    tap.true(all(found.values()), "signatures: %r" % found)
    tap.equal(loop.actions(), ["signed"])
    tap.equal(len(re.findall(rb"t\.example\.com/o/", flat(message.data))), 1)


def two_hops(has_same_keys):
    """Postfix and Bulkhead, then Postfix and Bulkhead once more."""
    with labs.Lab(["mil.sock"]) as second, labs.Lab(
            ["mil.sock"], extra="relayhost = [127.0.0.1]:%d"
            % second.bulk) as first:
        one, two = bulkhead.Bulkhead(first), bulkhead.Bulkhead(second)
        if has_same_keys:
            with open(two.config, "w", encoding="utf-8") as f:
                f.write(bulkhead.CONFIG.format(dir=first.dir).replace(
                    first.path("mil.sock"), second.path("mil.sock")))
            two.zone = one.zone
        one.start()
        two.start()
        with Client(first.bulk) as c:
            tap.true(c.send(FROM, ONE, NEWS).queue_id, "not queued")
        # other token keys cannot tell that a link was left on purpose
        expect_once(two, second.receiver.wait(1)[0].data,
                    LINKS if has_same_keys else LINKS + 1)
        tap.true("action=signed" in one.log(), one.log())
        tap.equal(DONE in two.log(), has_same_keys, two.log())


def points(loop):
    """All tests, as pairs of name and function."""
    found = [("requeued", lambda: requeued(loop))]
    found += [(n, lambda n=n: filtered(loop, n)) for n in PATHS]
    found += [(t.__name__, lambda t=t: t(loop)) for t in (
        footer, amavisd, by_sendmail, strangers, handed_in_again, second_from,
        partial_body, too_old, removed_selector)]
    found += [(n, lambda v=v: expand(loop, *v))
              for n, v in EXPANSIONS.items()]
    found += [("forged: " + n, lambda c=c: forged(loop, c))
              for n, c in FORGERIES.items()]
    found += [("two hops, " + n, lambda b=b: two_hops(b)) for n, b in (
        ("the same keys", True), ("other keys", False))]
    return found


def main():
    """All but the two hops in one lab."""
    reason = bulkhead.why_not()
    if reason:
        return tap.skip_all(reason)
    with labs.Lab(["rec.sock", "mil.sock"]) as lab:
        lab.start_recorder()
        product = bulkhead.Bulkhead(lab)
        product.start()
        loop = Loop(lab, product)
        try:
            return tap.run(points(loop), lambda: product.log()[-1500:]
                           + lab.log()[-1500:])
        finally:
            loop.filter.close()


if __name__ == "__main__":
    sys.exit(main())
