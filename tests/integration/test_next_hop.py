#!/usr/bin/python3
"""Next hops with and without 8BITMIME, and lines that are too long: what
Postfix converts or cuts behind the signature.  A control run with
encode = false says what Postfix alone breaks; with the stage all arrives whole.
"""
import email
import sys

sys.dont_write_bytecode = True
import bulkhead  # noqa: E402
import lab as labs  # noqa: E402
import tap  # noqa: E402
from client import Client, crlf  # noqa: E402

SENDER, READER = "bounces@example.com", "ann@reader.example"
CONTROL = bulkhead.CONFIG.replace("    unsubscribe = one-click",
                                  "    encode = false\n"
                                  "    unsubscribe = one-click")
TAGGED = " BODY=8BITMIME"
HEAD = b"""From: News <news@example.com>
To: ann@reader.example
Subject: what hops do
Date: Mon, 05 Jan 2026 07:59:00 +0000
Message-ID: <%s@example.com>
MIME-Version: 1.0
"""
TEXT = "Gr\u00fc\u00dfe aus K\u00f6ln: http://x.example/\n"
HTML = "<p>Gr\u00fc\u00dfe <a href=\"http://x.example/\">K\u00f6ln</a></p>\n"
IMAGE = b"\x89PNG\x01\xff\xfe \xe9" * 40 + b"\n"
EIGHT = b"Content-Transfer-Encoding: 8bit\n"
NESTED = (
    b"Content-Type: multipart/mixed; boundary=b\n" + EIGHT + b"\n--b\n"
    b"Content-Type: multipart/alternative; boundary=c\n" + EIGHT + b"\n--c\n"
    b"Content-Type: text/plain; charset=utf-8\n" + EIGHT + b"\n" +
    TEXT.encode() + b"\n--c\nContent-Type: text/html; charset=iso-8859-1\n" +
    EIGHT + b"\n" + HTML.encode("latin-1") + b"\n--c--\n\n--b\n"
    b"Content-Type: image/png\n%s\n" + IMAGE + b"\n--b--\n")
ATTACHED = (
    b"Content-Type: multipart/mixed; boundary=b\n" + EIGHT + b"\n--b\n\n"
    b"see below\n--b\nContent-Type: message/rfc822\n" + EIGHT +
    b"\nFrom: a@other.example\nContent-Type: text/plain; charset=utf-8\n" +
    EIGHT + b"\n" + TEXT.encode() + b"--b--\n")
SEALED = (
    b"Content-Type: multipart/mixed; boundary=b\n" + EIGHT + b"\n--b\n"
    b"Content-Type: text/html; charset=utf-8\n" + EIGHT + b"\n" +
    HTML.encode() + b"--b\nContent-Type: multipart/%s; boundary=c\n" +
    EIGHT + b"\n%s\n--b--\n")
INNER = (b"--c\nContent-Type: text/html; charset=utf-8\n" + EIGHT + b"\n" +
         HTML.encode() + b"\n--c\nContent-Type: application/octet-stream\n" +
         EIGHT + b"\n\xe9\n--c--\n")


class Case:
    """A mail, and which hops break it where nobody encodes."""

    def __init__(self, name, rest, args=TAGGED, plain=True, any_hop=False,
                 hazard="", decoded=None, kept=None, says=()):
        self.name, self.args, self.hazard = name, args, hazard
        self.data = HEAD % name.replace(" ", ".").encode() + rest
        self.plain = plain or any_hop  # a hop without 8BITMIME
        self.any_hop = any_hop         # one with it, too
        self.decoded = decoded         # the text that readers see
        self.says = says               # words of the log line
        self.kept = kept               # octets that nobody may touch

    def breaks(self, eightbit):
        """Whether Postfix alone breaks it on the way to such a hop."""
        return self.any_hop if eightbit else self.plain


def text(extra, body):
    """A text part as a message."""
    return b"Content-Type: text/plain; charset=utf-8\n" + extra + b"\n" + body


def cases():
    """What Postfix does to each was measured with 3.7.11."""
    line = b"x" * 60 + b" " + b"y" * 937  # 998 octets
    fold = b"References: <%s@a>\n <%s@b> <%s@b>\n" % (
        b"a" * 700, b"b" * 700, b"c" * 700)
    return [
        Case("html", b"Content-Type: text/html; charset=utf-8\n" + EIGHT +
             b"\n" + HTML.encode()),
        Case("no tag in the body", text(b"", TEXT.encode()), TAGGED, False),
        Case("no tag in the envelope", text(EIGHT, TEXT.encode()), ""),
        Case("no tag at all", text(b"", TEXT.encode()), "", False,
             decoded=TEXT),
        Case("nested", NESTED % EIGHT),
        Case("nested, image untagged", NESTED % b""),
        Case("nested, image binary", NESTED %
             b"Content-Transfer-Encoding: binary\n"),
        Case("Cyrillic", text(EIGHT, ("\u041f\u0440\u0438\u0432\u0435\u0442 "
                                      * 30 + "\n").encode()),
             decoded="\u041f\u0440\u0438\u0432\u0435\u0442 " * 30 + "\n"),
        Case("ASCII called 8bit", text(EIGHT, b"plain\n"), "",
             decoded="plain\n"),
        Case("ASCII multipart called 8bit",
             b"Content-Type: multipart/mixed; boundary=b\n" + EIGHT +
             b"\n--b\n" + EIGHT + b"\nplain\n--b--\n", ""),
        Case("998 octets", text(b"", line + b"\n"), "", False),
        Case("999 octets", text(b"", line + b"z\n"), "", any_hop=True,
             decoded=line.decode() + "z\n"),
        Case("3000 octets", text(b"", b"w" * 3000 + b"\n"), "", any_hop=True,
             decoded="w" * 3000 + "\n"),
        Case("3000 octets attached",
             b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\n"
             b"Content-Type: application/json\n\n" + b"[1,2,3],\t" * 333 +
             b"\n--b--\n", "", any_hop=True),
        Case("3000 octets of base64", b"Content-Transfer-Encoding: base64\n\n"
             + b"eHh4" * 750 + b"\n", "", any_hop=True,
             decoded="xxx" * 750),
        Case("a long field", fold + text(b"", b"plain\n"), "", any_hop=True),
        Case("a long field without a blank", b"References: <%s@a>\n"
             % (b"a" * 1400) + text(b"", b"plain\n"), "", any_hop=True,
             hazard="long-header-line"),
        Case("a message attached", ATTACHED, hazard="8bit",
             kept=ATTACHED.partition(b"rfc822\n")[2]),
        Case("a signed part", SEALED % (b"signed", INNER), hazard="8bit",
             kept=INNER, says=(" links=1 ", " encoded=1 ")),
        Case("an encrypted part", SEALED % (b"encrypted", INNER),
             hazard="8bit", kept=INNER, says=(" links=1 ", " encoded=1 ")),
        Case("CR alone", text(b"", b"a\rb\n"), "", False, decoded="a b\n"),
        Case("NUL", text(b"", b"a\0b\n"), "", False, decoded="a\0b\n"),
        Case("LF alone", text(b"", b"a\nb\n"), "", False),
    ]


def send(product, data, args, sender=SENDER, reader=READER):
    """(log line, what arrived); LF alone stays so."""
    lab = product.lab
    lab.receiver.clear()
    with Client(lab.bulk) as c:
        reply = c.envelope(sender, [reader], args)
        tap.true(reply, "refused: %r" % reply)
        c.command("DATA")
        c.write(data + b".\r\n")
        reply = c.reply()
    tap.true(reply.queue_id, "not queued: %r" % reply)
    return product.line(reply.queue_id), lab.receiver.wait(1)[0]


def on_the_wire(case):
    """With CRLF, but for the one LF that the case is about."""
    data = crlf(case.data)
    if case.name == "LF alone":
        return data.replace(b"a\r\nb", b"a\nb")
    return data


def check(product, case, eightbit):
    """Arrives whole, as what it was, unless the log names the hazard."""
    product.lab.receiver.eightbit = eightbit
    line, message = send(product, on_the_wire(case), case.args)
    tap.equal(case.hazard in line and "hazards=" in line, bool(case.hazard),
              line)
    for word in case.says:
        tap.true(word in line, "no %r in %s" % (word, line))
    if not case.hazard or (eightbit and not case.any_hop):
        bulkhead.expect_signed(product, message.data)
    if not case.hazard:
        tap.true(message.data.isascii(), "eight bits left")
    if case.kept is not None and eightbit:
        tap.true(crlf(case.kept) in message.data,
                 "touched: %r" % message.data)
    if case.decoded is not None:
        got = email.message_from_bytes(message.data).get_payload(decode=True)
        tap.equal(got.decode().replace("\r\n", "\n"), case.decoded)


def check_control(product, case, eightbit):
    """Without the stage: broken exactly where it is said to be."""
    product.lab.receiver.eightbit = eightbit
    line, message = send(product, on_the_wire(case), case.args)
    tap.true(" encoded=" not in line, line)
    found = [ok for (d, _), ok in product.verify(message.data).items()
             if d in bulkhead.DOMAINS]
    tap.true(found, "not signed: " + line)
    tap.equal(not all(found), case.breaks(eightbit), "broken")
    # What Postfix breaks is named; more may be, for hops of other makes.
    tap.true(not case.breaks(eightbit) or "hazards=" in line, line)


def check_mail(product, data, eightbit):
    """One of our newsletters."""
    product.lab.receiver.eightbit = eightbit
    line, message = send(product, crlf(data), TAGGED)
    bulkhead.expect_signed(product, message.data)
    tap.true(message.data.isascii() and "hazards=" not in line, line)


def check_utf8(product):
    """Internationalized mail: tracked, signed, in its own eight bits."""
    product.lab.receiver.utf8 = product.lab.receiver.eightbit = True
    data = crlf(b"Subject: " + TEXT.encode() + HEAD.replace(
        b"Subject: what hops do\n", b"") % b"utf8" +
        b"Content-Type: text/html; charset=utf-8\n" + EIGHT + b"\n" +
        HTML.encode())
    line, message = send(product, data, " BODY=8BITMIME SMTPUTF8",
                         "gr\u00fc\u00dfe@example.com",
                         "k\u00f6ln@reader.example")
    tap.true("SMTPUTF8" in message.mail_args, repr(message.mail_args))
    tap.true(" links=1 " in line and " encoded=" not in line and
             " hazards=" not in line, line)
    bulkhead.expect_signed(product, message.data)
    tap.true(b"https://t.example.com/c/" in message.body and
             "Gr\u00fc\u00dfe".encode() in message.body, repr(message.body))


def check_utf8_in_name_only(product, control):
    """SMTPUTF8 was asked for and nothing needs it: goes to any hop."""
    product.lab.receiver.utf8 = product.lab.receiver.eightbit = False
    data = crlf(HEAD % b"ascii" + text(EIGHT, TEXT.encode()))
    line, message = send(product, data, " BODY=8BITMIME SMTPUTF8")
    tap.true(" encoded=1" in line and message.data.isascii(), line)
    bulkhead.expect_signed(product, message.data)
    control.lab.receiver.utf8 = control.lab.receiver.eightbit = False
    _, message = send(control, data, " BODY=8BITMIME SMTPUTF8")
    tap.true(not all(control.verify(message.data).values()),
             "Postfix does not convert it any more")


def points(product, control):
    """(name, function) pairs."""
    found = []
    for eightbit, hop in ((False, "without 8BITMIME"), (True, "with it")):
        for name, data in bulkhead.mails():
            found.append(("%s to a hop %s" % (name, hop), lambda d=data,
                          e=eightbit: check_mail(product, d, e)))
        for case in cases():
            found.append(("%s to a hop %s" % (case.name, hop), lambda c=case,
                          e=eightbit: check(product, c, e)))
            found.append((
                "%s to a hop %s, control: %s" % (
                    case.name, hop, "broken" if case.breaks(eightbit)
                    else "whole"),
                lambda c=case, e=eightbit: check_control(control, c, e)))
    return found + [
        ("SMTPUTF8", lambda: check_utf8(product)),
        ("SMTPUTF8 without need", lambda: check_utf8_in_name_only(
            product, control))]


def main():
    """All mails to both sorts of hop, and what happens without the stage."""
    reason = bulkhead.why_not()
    if reason:
        return tap.skip_all(reason)
    with labs.Lab(["mil.sock"]) as lab, labs.Lab(["mil.sock"]) as other:
        product = bulkhead.Bulkhead(lab)
        control = bulkhead.Bulkhead(other, CONTROL)
        product.start()
        control.start()
        return tap.run(points(product, control),
                       lambda: product.log()[-1000:] + control.log()[-1000:])


if __name__ == "__main__":
    sys.exit(main())
