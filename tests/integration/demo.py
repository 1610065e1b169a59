#!/usr/bin/python3
"""What quickstart shows, after it has built: one newsletter's way through a
private Postfix with Bulkhead, and what its readers do with it.  No test:
test_quickstart.py looks at it."""
import email
import html
import os
import re
import signal
import subprocess
import sys
import urllib.parse

sys.dont_write_bytecode = True
import bulkhead  # noqa: E402
import circle  # noqa: E402
import lab as labs  # noqa: E402
import trackd as trackers  # noqa: E402
from client import Client  # noqa: E402

NEWSLETTER = os.path.join(labs.ROOT, "conf/examples/newsletter.eml")
POLICYD = os.path.join(labs.BUILD, "bulkhead-policyd")
SENDER, READER = "news@example.com", "ann@reader.example"
BOUNCED, LEFT = "bob@reader.example", "cleo@reader.example"
DIGEST, LEAVER = "digest@example.com", "dora@reader.example"
DOMAIN = "example.com"
WIDTH = 76

CONFIG = """\
store = "sqlite:{dir}/store"
token-keys = "{dir}/conf/token.keys"
return-path-keys = "{dir}/conf/return-path.keys"
milter {{ socket  = "unix:{dir}/mil.sock"
         metrics = "unix:{dir}/milter.metrics" }}
policyd {{ socket  = "unix:{dir}/policy.sock"
          control = "unix:{dir}/control.sock"
          metrics = "unix:{dir}/policyd.metrics" }}
trackd {{ listen  = "inet:127.0.0.1:{port}"
         spool   = "{dir}/spool"
         metrics = "unix:{dir}/trackd.metrics" }}

domain "example.com" {{
    sign "s1" {{ key = "{dir}/conf/keys/example.com/s1.pem" }}
    sign "e1" {{ key = "{dir}/conf/keys/example.com/e1.pem" }}
    tracking-url = "https://t.example.com"
    return-path-domain = "b.example.com"
    unsubscribe-mailto = "unsubscribe@b.example.com"
}}

stream "digest" {{
    match {{ sender = {{ "digest@*" }} }}
    envelope-domain = true
    unsubscribe     = one-click
}}
stream "newsletter" {{
    match {{ header = {{ "List-Id" }} }}
    unsubscribe = one-click
    track       = {{ clicks, opens }}
    return-path = true
}}

limit "new-host" {{
    recipient-domain = {{ "slow.example" }}
    rate = "2/m"
}}
"""

# How a person's program asks.
BROWSER = (("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) "
            "Gecko/20100101 Firefox/140.0"),
           ("Accept", "text/html,image/*;q=0.8"),
           ("Accept-Language", "en"))

# What Postfix is told: ask policyd about each recipient.
EXTRA = """\
smtpd_recipient_restrictions = check_policy_service
    { unix:{dir}/policy.sock, timeout=5s, default_action=DEFER }, permit
"""


def say(text=""):
    """A line, at once: with --keep somebody reads along."""
    print(text, flush=True)


def command(*argv):
    """Runs `bulkhead ...`; its output, or the end of the show."""
    done = subprocess.run([bulkhead.COMMAND] + list(argv), check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit("bulkhead %s: %s" % (
            " ".join(argv), done.stderr.decode("utf-8", "replace")))
    return done.stdout.decode("utf-8", "replace")


class Demo:
    """The running lab and what was sent through it."""

    def __init__(self, lab, state):
        self.lab, self.state = lab, state
        self.conf = lab.path("conf")
        self.config = os.path.join(self.conf, "bulkhead.conf")
        self.zone = {}
        self.milter = self.policyd = self.trackd = self.newsletter = None

    def setup(self):
        """Keys and configuration, by Bulkhead's own command."""
        os.mkdir(self.conf, 0o755)
        os.mkdir(self.lab.path("store"), 0o750)
        self.trackd = circle.Tracker(
            self.lab.dir, trackers.free_port(), "conf/bulkhead.conf")
        keys = os.path.join(self.conf, "keys")
        command("key", "create", DOMAIN, "--dir", keys, "--selector-rsa",
                "s1", "--selector-ed25519", "e1")
        for selector, kind in (("s1", "rsa"), ("e1", "ed25519")):
            self.zone["%s._domainkey.%s." % (selector, DOMAIN)] = \
                bulkhead.record(os.path.join(
                    keys, DOMAIN, selector + ".pem"), kind)
        command("token", "create", "--dir", self.conf)
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(CONFIG.format(dir=self.lab.dir, port=self.trackd.port))
        command("config", "check", "-c", self.config)

    def start(self):
        """The daemons, and a recorder before them for the comparison."""
        self.lab.start_recorder()
        self.policyd = self.lab.start_milter(
            [POLICYD, "-c", self.config, "-f"], "policy.sock", "policyd.log")
        self.milter = self.lab.start_milter(
            [bulkhead.MILTER, "-c", self.config, "-f"], "mil.sock")
        self.trackd.start()

    def send(self, data, address=None, recipient=READER, sender=SENDER):
        """Sends; (reply, what arrived or None)."""
        seen = len(self.lab.receiver.messages)
        with Client(self.lab.bulk, address=address) as c:
            reply = c.send(sender, [recipient], data)
        if not reply.queue_id:
            return reply, None
        return reply, self.lab.receiver.wait(seen + 1)[-1]

    def visit(self, url, method="GET", fields=BROWSER, body=None):
        """What trackd answers."""
        parts = urllib.parse.urlsplit(url)
        return self.trackd.ask(method, parts.path, host=parts.netloc,
                               fields=fields, body=body)

    def leave(self, message):
        """One click, as a mailbox provider sends it; the status."""
        post = circle.field(message, "List-Unsubscribe-Post")
        return self.visit(circle.unsubscribe_url(message), "POST", (
            ("Content-Type", "application/x-www-form-urlencoded"),),
                          post.encode()).status

    def count(self, kind):
        """How many events of a kind there are."""
        return len(command("events", "-c", self.config, "--json", "--kind",
                           kind).splitlines())

    def save(self, name, data):
        """Keeps a message where the reader can look at it."""
        path = os.path.join(self.state, name)
        with open(path, "wb") as f:
            f.write(data)
        return os.path.relpath(path, labs.ROOT)


def short(text):
    """One line of bounded width."""
    text = re.sub(r"\s+", " ", text)
    return text if len(text) <= WIDTH else text[:WIDTH - 3] + "..."


def header_lines(data):
    """The header's fields, unfolded, as text."""
    return [short(f.decode("utf-8", "replace").strip())
            for f in bulkhead.fields(data)]


def show_headers(before, after):
    """A diff of two headers; both in the order of the second."""
    old, new = header_lines(before), header_lines(after)
    for line in old:
        if line not in new:
            say("   - " + line)
    for line in new:
        if line not in old:
            say("   + " + line)


def html_of(data):
    """The first text/html part, decoded."""
    for part in email.message_from_bytes(data).walk():
        if part.get_content_type() == "text/html":
            return part.get_payload(decode=True).decode("utf-8", "replace")
    return ""


def show_links(before, after):
    """Each link of the HTML part before and after, in order."""
    pattern = r'<a\s[^>]*href=["\']?([^"\'\s>]+)'
    for old, new in zip(*(map(html.unescape, re.findall(
            pattern, html_of(data))) for data in (before, after))):
        if old == new:
            say("     %s\n       stays as it is" % short(old))
        else:
            say("     %s\n       -> %s" % (short(old), short(new)))
    pixel = re.search(r"<img[^>]*>", html_of(after))
    if pixel and pixel.group(0) not in html_of(before):
        say("     (added) " + short(pixel.group(0)))


def show_token(demo, data):
    """What the first click token says: no database has to be asked."""
    found = re.search(r"https://t\.example\.com/c/[\w-]+", html_of(data))
    if not found:
        return
    say("   in the first link (bulkhead token show):")
    for line in command("token", "show", "-c", demo.config,
                        found.group(0)).splitlines():
        if line.strip():
            say("     " + short(line))


def show_signatures(demo, data):
    """Verdicts of python3-dkim; True when all were as they should be."""
    broken = data.replace(b"workshop", b"Workshop")
    good = bulkhead.verify(data, demo.zone)
    bad = bulkhead.verify(broken, demo.zone)
    for (domain, selector), ok in sorted(good.items()):
        say("   d=%s s=%s: %s; with one letter changed: %s" % (
            domain, selector, "valid" if ok else "INVALID",
            "VALID" if bad.get((domain, selector)) else "invalid"))
    return len(good) == 2 and all(good.values()) and not any(bad.values())


def show_newsletter(demo):
    """The main act; True when it went as it should."""
    with open(NEWSLETTER, "rb") as f:
        data = f.read()
    say("\n3. A newsletter goes through (conf/examples/newsletter.eml)")
    reply, message = demo.send(data)
    if message is None:
        say("   refused: %r" % reply)
        return False
    before = demo.lab.recorded(reply.queue_id)
    after = bulkhead.without_trace(message)
    say("   envelope sender: <%s>\n                 -> %s" % (
        SENDER, message.sender))
    say("   header:")
    show_headers(before, after)
    say("   links:")
    show_links(before, after)
    show_token(demo, after)
    say("   before: %s\n   after:  %s" % (
        demo.save("before.eml", before), demo.save("after.eml",
                                                   message.data)))
    say("\n4. Do the signatures verify?  python3-dkim says:")
    demo.newsletter = message
    ok = show_signatures(demo, message.data)
    return show_readers(demo, message) and ok


def show_click(demo, message):
    """A link and the pixel; True when both did what they are for."""
    links, pixels = (circle.urls(message, kind) for kind in "co")
    click, pixel = demo.visit(links[0]), demo.visit(pixels[0])
    say("   %s clicks a link: %d -> %s" % (
        READER, click.status, click.fields.get("location")))
    say("   and her program loads the pixel: %d %s, %d octets" % (
        pixel.status, pixel.fields.get("content-type"), len(pixel.body)))
    return (click.status, pixel.status, len(pixel.body)) == (302, 200, 43)


def show_leave(demo, name, sender, data):
    """One who leaves, and the next mail; when it was refused."""
    _, message = demo.send(data, recipient=LEAVER, sender=sender)
    say("   %s leaves the %s by one click: %d" % (
        LEAVER, name, demo.leave(message)))
    with Client(demo.lab.bulk) as c:
        reply, when = c.envelope(sender, [LEAVER]), "RCPT"
        if reply:
            c.command("RSET")
            reply, when = c.send(sender, [LEAVER], data), "its end"
    say("     the next one, at %s: %d %s" % (when, reply.code, reply.text))
    return when if reply.code == 550 else None


def show_output(title, text, most):
    """What a command printed, or the first lines of it."""
    say("   %s:" % title)
    lines = [line for line in text.splitlines() if line.strip()]
    for line in lines[:most]:
        say("     " + line.rstrip()[:150])
    if len(lines) > most:
        say("     ...")


def show_readers(demo, message):
    """What readers do with it, and what is known of that afterwards."""
    say("\n5. What its readers do (bulkhead-trackd, on 127.0.0.1:%d)"
        % demo.trackd.port)
    with open(NEWSLETTER, "rb") as f:
        data = f.read()
    plain = re.sub(rb"(?m)^List-Id:.*\n", b"", data)
    ok = show_click(demo, message)
    ok = show_leave(demo, "newsletter", SENDER, data) == "its end" and ok
    ok = show_leave(demo, "digest", DIGEST, plain) == "RCPT" and ok
    labs.wait_for("events", lambda: [demo.count(k) for k in (
        "handed", "clicked", "opened", "unsubscribed", "suppressed")] ==
        [3, 1, 1, 2, 2])
    show_output("bulkhead events", command(
        "events", "-c", demo.config), 9)
    show_output("bulkhead report newsletter", command(
        "report", "-c", demo.config, "newsletter"), 3)
    show_output("bulkhead status", "\n".join(
        line for line in command("status", "-c", demo.config).splitlines()
        if line.startswith("bulkhead-")), 3)
    return ok


def say_reply(recipient, reply):
    """A recipient, and what Postfix said about it, on a line or two."""
    text = "%d %s" % (reply.code, re.sub(r"\s+", " ", reply.text))
    say("   %s\n     %s" % (recipient, text))


def show_suppressed(demo):
    """One who bounced, one who left this newsletter, one who reads it."""
    say("\n6. Who must not get it (bulkhead suppress add)")
    command("suppress", "add", "-c", demo.config, BOUNCED, "--reason",
            "hard-bounce", "--note", "550 5.1.1 no such user")
    command("suppress", "add", "-c", demo.config, LEFT, "--reason",
            "unsubscribe", "--scope", DOMAIN + "/newsletter")
    with open(NEWSLETTER, "rb") as f:
        data = f.read()
    codes = []
    for recipient in (BOUNCED, LEFT, READER):
        reply, _ = demo.send(data, recipient=recipient)
        say_reply(recipient, reply)
        codes.append((reply.code, "suppressed" in reply.text))
    return codes == [(550, True), (550, True), (250, False)]


def show_limit(demo):
    """A limit of two a minute, and the third."""
    say("\n7. No more than allowed (limit \"new-host\": 2/m to slow.example)")
    with open(NEWSLETTER, "rb") as f:
        data = f.read()
    codes = []
    for name in "dan", "eve", "fay":
        reply, _ = demo.send(data, recipient=name + "@slow.example")
        say_reply(name + "@slow.example", reply)
        codes.append(reply.code)
    say("   bulkhead limit show new-host:")
    for line in command("limit", "show", "-c", demo.config,
                        "new-host").splitlines():
        say("     " + line)
    return codes == [250, 250, 450] and "retry in" in reply.text


def show_refusals(demo):
    """What a stranger gets, and what happens without the milter."""
    with open(NEWSLETTER, "rb") as f:
        data = f.read()
    say("\n8. What Bulkhead does not do")
    reply, message = demo.send(data, bulkhead.OUTSIDE)
    same = message is not None and bulkhead.without_trace(message) == \
        demo.lab.recorded(reply.queue_id)
    say("   the same letter from a stranger (%s, no login): %s" % (
        bulkhead.OUTSIDE, "passed on unsigned and unchanged" if same
        else "NOT left alone"))
    demo.milter.terminate()
    demo.milter.wait(30)
    reply, message = demo.send(data)
    say("   the milter is stopped: Postfix says %r\n"
        "     so nothing leaves unsigned; the sender tries again" % reply)
    ok = same and reply.code == 451 and message is None
    demo.milter = demo.lab.start_milter(
        [bulkhead.MILTER, "-c", demo.config, "-f"], "mil.sock")
    return ok


def show_where(demo, keep):
    """Where to look and what to try."""
    where = os.path.relpath(demo.state, labs.ROOT)
    say("\n9. Where to look")
    for name in ("mail.log", "milter.log", "policyd.log", "trackd.log",
                 "conf/bulkhead.conf"):
        demo.save(os.path.basename(name), demo.lab.read(name).encode())
    with open(os.path.join(demo.state, "report.html"), "w",
              encoding="utf-8") as f:
        f.write(command("report", "-c", demo.config, "--html"))
    say("   %s: before.eml after.eml mail.log milter.log policyd.log\n"
        "     trackd.log bulkhead.conf report.html (open it in a browser)"
        % where)
    say("   the milter's line: " + short(next(
        (line for line in demo.lab.read("milter.log").splitlines()
         if "action=signed" in line), "?")))
    if not keep:
        say("   to play on:      ./quickstart --keep")
        return
    etc = demo.lab.path("etc")
    say("   still running, on 127.0.0.1:%d; try:" % demo.lab.bulk)
    say("     sendmail -C %s -i -f %s %s < conf/examples/newsletter.eml"
        % (etc, SENDER, READER))
    say("     %s preview -c %s -f %s -r %s conf/examples/newsletter.eml"
        % (os.path.relpath(bulkhead.COMMAND, labs.ROOT), demo.config,
           SENDER, READER))
    say("     curl -H 'Host: t.example.com' http://127.0.0.1:%d%s"
        % (demo.trackd.port, urllib.parse.urlsplit(
            circle.unsubscribe_url(demo.newsletter)).path))
    for verb in ("key dns", "suppress list", "limit list", "events", "report",
                 "status"):
        say("     %s %s -c %s" % (os.path.relpath(
            bulkhead.COMMAND, labs.ROOT), verb, demo.config))
    say("     tail %s     what arrives: %s/received-N.eml" % (
        demo.lab.path("milter.log"), where))
    say("     ./quickstart stop")


def stay(demo):
    """Keeps what arrives until somebody says stop."""
    with open(os.path.join(demo.state, "ready"), "w", encoding="ascii"):
        pass
    seen = len(demo.lab.receiver.messages)
    while True:
        try:
            message = demo.lab.receiver.wait(seen + 1, 3600)[seen]
        except TimeoutError:
            continue
        seen += 1
        demo.save("received-%d.eml" % seen, message.data)


def main(argv):
    """The whole show; 0 when everything was as it should be."""
    keep = argv[0] == "--keep"
    reason = bulkhead.why_not()
    if reason:
        sys.exit("quickstart: " + reason)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with labs.Lab(["rec.sock", "mil.sock"], extra=EXTRA) as lab:
        demo = Demo(lab, argv[-1])
        demo.setup()
        say("\n2. Keys (RSA and Ed25519), configuration, a private Postfix\n"
            "   on 127.0.0.1:%d with bulkhead-policyd at its RCPT and\n"
            "   bulkhead-milter in front of its queue; bulkhead-trackd for\n"
            "   what its readers do" % lab.bulk)
        demo.start()
        ok = show_newsletter(demo)
        ok = show_suppressed(demo) and ok
        ok = show_limit(demo) and ok
        ok = show_refusals(demo) and ok
        show_where(demo, keep)
        if not ok:
            say("\nSomething was NOT as it should be; see above.")
            return 1
        if keep:
            stay(demo)
        say("\nAll stopped; the system's own mail was not touched.\n"
            "Read next: README.md, docs/man/bulkhead.conf.5")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
