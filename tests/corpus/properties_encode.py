#!/usr/bin/python3
"""Messages put together at random from what hops convert or cut: parts of all
sorts in all encodings, nested, sealed, called what they are not.  All is fit
for any hop afterwards, decodes to what it did and verifies; with encode = false
parts stay.

Needs no corpus.  Everything is drawn from a seed.
"""
import base64
import os
import quopri
import random
import sys
import time

sys.dont_write_bytecode = True
import corpus  # noqa: E402
import lib_checker  # noqa: E402
import lib_groups  # noqa: E402

SEED = int(os.environ.get("BULKHEAD_SEED") or 20260105)
LONG = bool(os.environ.get("BULKHEAD_LONG"))
ROUNDS, SECONDS = (20000, 600) if LONG else (600, 30)
ON, OFF = "what is encoded", "what is not to be encoded"
HEADER = (b"From: News <news@example.com>\r\nTo: ann.reader@reader.example\r\n"
          b"Subject: parts\r\nDate: Mon, 05 Jan 2026 07:59:00 +0000\r\n"
          b"Message-ID: <parts@example.com>\r\nMIME-Version: 1.0\r\n")
TEXTS = (
    ("<p>\u00fc</p> <a href=\"http://x.example/1\">l</a>\n", "utf-8"),
    ("<a href=http://x.example/2>l</a>\n", "us-ascii"),
    ("Gr\u00fc\u00dfe, <a href=\"http://x.example/\">l</a> \u20ac\n", "utf-8"),
    ("\u041f\u0440\u0438\u0432\u0435\u0442 \u043c\u0438\u0440\n", "koi8-r"),
    ("\u65e5\u672c\u8a9e\u306e\u6587\n", "shift_jis"),
    ("\u4e2d\u6587\u6587\u672c <p>\n", "gb18030"), ("caf\u00e9\n", "latin1"),
    ("\u65e5\u672c\n", "iso-2022-jp"), ("plain = text \t\n", "us-ascii"),
    ("-- \nsignature\n--b--x\n", "utf-8"), ("From here\n.\n..\n", "utf-8"),
    ("", "utf-8"), ("\n\n", "utf-8"))
TYPES = ("text/plain", "text/html", "text/html", "text/html", "text/calendar",
         "image/png", "application/json", "application/pkcs7-mime",
         "message/rfc822", "text/x-amp-html")
MULTIPARTS = ("mixed", "mixed", "mixed", "alternative", "alternative",
              "related", "related", "signed", "encrypted")
CODINGS = (None, None, "7bit", "8bit", "8BIT", "binary", "quoted-printable",
           "base64", "x-none")


def content(chance):
    """(octets with CRLF, charset)."""
    texts = [chance.choice(TEXTS)]
    text, charset = texts[0]
    octets = b"".join(
        (text * chance.randrange(1, 40)).encode(charset) +
        chance.choice((b"", b"", b"x" * 998, b"x" * 999 + b"\n", b" " * 1200,
                       b"tail")) for _ in range(chance.randrange(1, 4)))
    if chance.random() < 0.05:
        octets += b"-----BEGIN PGP MESSAGE-----\n"
    return octets.replace(b"\n", b"\r\n"), charset


def encoded(octets, coding, chance):
    """In that encoding, now and then not quite."""
    if coding == "base64":
        out = base64.encodebytes(octets) if chance.random() < 0.7 else \
            base64.b64encode(octets)
        if chance.random() < 0.1:
            out += chance.choice((b"\xe9", b"AAAA", b"-- ", b"="))
        return out.replace(b"\n", b"\r\n")
    if coding == "quoted-printable":
        out = quopri.encodestring(octets.replace(b"\r\n", b"\n")).replace(
            b"\n", b"\r\n")
        if chance.random() < 0.3:
            out += chance.choice((b"\xe9", b"x" * 1200, b"=X\xe9", b" \r\n",
                                  b"=\xe9"))
        return out
    return octets


def part(chance, depth):
    """Header and body of a part."""
    coding = chance.choice(CODINGS)
    fields = []
    if coding is not None:
        fields.append(b"Content-Transfer-Encoding: " + coding.encode())
    if depth < 4 and chance.random() < (0.7, 0.5, 0.3, 0.2)[depth]:
        if coding in ("quoted-printable", "base64", "x-none"):
            fields = []
        boundary = b"b%d%d" % (depth, chance.randrange(10))
        fields.append(b"Content-Type: multipart/%s;\r\n boundary=\"%s\"" % (
            chance.choice(MULTIPARTS).encode(), boundary))
        body = chance.choice((b"", b"", b"preamble\r\n", b"pr\xe9\r\n"))
        for _ in range(chance.randrange(1, 4)):
            head, inside = part(chance, depth + 1)
            body += b"--" + boundary + b"\r\n" + head + b"\r\n" + inside + \
                b"\r\n"
        return finish(chance, fields, body + b"--" + boundary + b"--" +
                      chance.choice((b"", b"\r\n", b"\r\nepilogue\xe9")))
    octets, charset = content(chance)
    kind = chance.choice(TYPES)
    if kind.startswith("message/"):
        if coding in ("quoted-printable", "base64"):
            fields = []
        octets = b"Subject: x\r\n\r\n" + octets
        return finish(chance, fields + [b"Content-Type: message/rfc822"],
                      octets)
    if chance.random() < 0.9:
        fields.append(b"Content-Type: %s; charset=%s" % (
            kind.encode(), charset.encode()))
    if chance.random() < 0.2:
        fields.append(b"Content-Disposition: attachment; filename=a")
    return finish(chance, fields, encoded(octets, coding, chance))


def finish(chance, fields, body):
    """The fields in any order."""
    chance.shuffle(fields)
    if not fields:
        fields = [b"X-Nothing: x"]
    return b"\r\n".join(fields) + b"\r\n", body


def message(chance):
    """A whole one; its header may have long lines, too."""
    head, body = part(chance, 0)
    more = chance.choice((b"", b"", b"References: <%s@x>\r\n" % b"> <".join(
        [b"r" * chance.randrange(100, 1100)] * 4)))
    if not body.endswith(b"\r\n"):
        body += b"\r\n"
    return HEADER + more + head + b"\r\n" + body


def without_encoding(installation):
    """The same configuration with encode = false; its file."""
    path = os.path.join(installation.dir, "off.conf")
    if not os.path.exists(path):
        with open(installation.config, encoding="utf-8") as f:
            text = f.read().replace("    return-path = true\n",
                                    "    return-path = true\n"
                                    "    encode = false\n")
        with open(path + ".%d" % os.getpid(), "w", encoding="utf-8") as f:
            f.write(text)
        os.rename(f.name, path)
    return path


def judge(installation, name, group, text):
    """One message, with the stage or without."""
    outcome = lib_groups.Outcome(name, group)
    world, config = installation.world(), installation.config
    if group == OFF:
        world.encodes = False
        installation.config = without_encoding(installation)
    try:
        preview = installation.preview(text)
        if preview.crashed() or preview.status != 0:
            outcome.violations.append("exit: %d: %s" % (
                preview.status, preview.notes[-2000:]))
            return outcome
        outcome.take(lib_checker.check(text, preview.output, world))
    finally:
        installation.config = config
    body = preview.output.partition(b"\r\n\r\n")[2]
    if not body.isascii() and "hazard: 8-bit" not in preview.notes:
        outcome.violations.append("hazard: 8-bit octets are not named")
    if any(len(x) > 998 for x in body.split(b"\r\n")) and \
            "hazard: a body line" not in preview.notes:
        outcome.violations.append("hazard: a long line is not named")
    return outcome


def work(installation, item):
    """One message both ways."""
    number, until = item
    if time.monotonic() > until:
        return []
    text = message(random.Random("%d %d" % (SEED, number)))
    name = "message %d of seed %d" % (number, SEED)
    return [judge(installation, name, group, text) for group in (ON, OFF)]


def outcomes():
    """As many as there is time for."""
    until = time.monotonic() + SECONDS
    corpus.say("seed %d: BULKHEAD_SEED sets another" % SEED)
    return lib_groups.Work(work).run([(n, until) for n in range(ROUNDS)])


if __name__ == "__main__":
    sys.exit(lib_groups.run((ON, OFF), outcomes, needs_corpus=False))
