#!/usr/bin/python3
"""HTML templates as mail in four transfer encodings: exactly the links that
are due are tracked, and everything else is as it was.
"""
import base64
import quopri
import re
import sys

sys.dont_write_bytecode = True
import corpus  # noqa: E402
import lib_groups  # noqa: E402

CODINGS = ("quoted-printable", "base64", "8bit", "7bit")
HEADER = (b"From: News <news@example.com>\r\nTo: ann.reader@reader.example\r\n"
          b"Subject: a template\r\nDate: Mon, 05 Jan 2026 07:59:00 +0000\r\n"
          b"Message-ID: <template@example.com>\r\nMIME-Version: 1.0\r\n")
ALTERNATIVE = (b"Content-Type: multipart/alternative; boundary=\"=_b\"\r\n\r\n"
               b"--=_b\r\nContent-Type: text/plain\r\n\r\n"
               b"text http://plain.example/\r\n--=_b\r\n")


def quoted_printable(text):
    """As Python's quopri writes it."""
    return quopri.encodestring(text.replace(b"\r\n", b"\n")).replace(
        b"\n", b"\r\n")


def ascii_only(text, charset):
    """The rest as character references."""
    return text.decode(charset).encode("ascii", "xmlcharrefreplace")


def wrap(text, charset, coding):
    """A message; the quoted-printable one has a text part beside it."""
    if coding == "quoted-printable":
        body = quoted_printable(text)
    elif coding == "base64":
        body = base64.encodebytes(text).replace(b"\n", b"\r\n")
    elif coding == "7bit":
        body = ascii_only(text, charset)
    else:
        body = text
    part = b"Content-Type: text/html; charset=%s\r\n" % charset.encode() + \
        b"Content-Transfer-Encoding: %s\r\n\r\n" % coding.encode() + body
    if coding == "quoted-printable":
        return HEADER + ALTERNATIVE + part + b"\r\n--=_b--\r\n"
    return HEADER + part


def template(path):
    """A template as lines with CRLF, and its charset."""
    with open(corpus.path(path), "rb") as f:
        text = re.sub(rb"\r\n?|\n", b"\r\n", f.read())
    text += b"" if text.endswith(b"\r\n") else b"\r\n"
    try:
        text.decode("utf-8")
        return text, "utf-8"
    except UnicodeDecodeError:
        return text, "iso-8859-1"


def judge(installation, row):
    """A template in all its forms."""
    text, charset = template(row["path"])
    return [lib_groups.judge(row, coding, wrap(text, charset, coding),
                             installation) for coding in CODINGS]


def outcomes():
    """All templates."""
    return lib_groups.Work(judge).run(
        [r for r in corpus.rows("index.tsv") if r["kind"] == "html"])


if __name__ == "__main__":
    sys.exit(lib_groups.run(CODINGS, outcomes))
