#!/usr/bin/python3
"""The parts of the corpus's messages against what others found in them.

A message in which we report no fault must have the tree of the index.  A
difference counts as explained only if a second parser (Python's), given the
same message without the quirk that is named as the reason, arrives at our
tree.
"""
import email
import hashlib
import re
import subprocess
import sys
import tempfile

import corpus
import tap

KINDS = ("mime", "mime-charset", "newsletter", "newsletter-composed")
BATCH = 200


def our_trees(paths):
    """path -> (faults, tree) from tests/tools/mime_tree."""
    found = {}
    for at in range(0, len(paths), BATCH):
        done = subprocess.run(
            [corpus.tool("mime_tree")] + paths[at:at + BATCH],
            stdout=subprocess.PIPE, timeout=120, check=True)
        text = done.stdout.decode("utf-8", "surrogateescape")
        for line in text.split("\n")[:-1]:
            path, faults, tree = line.split("\t")
            found[path] = (faults, tree)
    return found


def decode_qp(raw):
    """Quoted-printable after RFC 2045: blanks at line ends do not count."""
    raw = re.sub(rb"[ \t]+(?=\r?\n|\Z)", b"", raw)
    return re.sub(rb"=(?:\r?\n|\Z|([0-9A-Fa-f]{2}))",
                  lambda m: bytes.fromhex((m.group(1) or b"").decode()), raw)


def leaf(part, strict_qp):
    """type|coding|charset|decoded length|hash."""
    coding = re.sub(r"\s", "", str(part.get("content-transfer-encoding", "")))
    text = part.get_payload(decode=True) or b""
    if strict_qp and coding.lower() == "quoted-printable":
        # get_payload() would convert 8-bit text by its charset.
        text = decode_qp(part._payload.encode("ascii", "surrogateescape"))
    return "|".join([part.get_content_type(), coding.lower(),
                     part.get_content_charset() or "", str(len(text)),
                     hashlib.sha256(text).hexdigest()[:8]])


def python_tree(text, strict_qp=True):
    """The tree that Python's email package finds."""
    return ",".join(
        p.get_content_type() if p.is_multipart() else leaf(p, strict_qp)
        for p in email.message_from_bytes(text).walk())


def fold_boundaries_out(text):
    """A quoted boundary that is folded: Python keeps the line break."""
    return re.sub(rb'(boundary="[^"\r\n]*)\r?\n([ \t][^"\r\n]*")', rb"\1\2",
                  text, flags=re.I)


def join_name_and_colon(text):
    """Blanks before the colon: Python sees no field there, Postfix does."""
    header = re.match(rb"([!-9;-~]+[ \t]*:[^\n]*\n([ \t][^\n]*\n)*)*",
                      text).end()
    return re.sub(rb"(?m)^([!-9;-~]+)[ \t]+:", rb"\1:",
                  text[:header]) + text[header:]


def end_header_at_blank(text):
    """A first line that begins with a blank ends the header for Postfix."""
    return b"\n" + text if text[:1] in (b" ", b"\t") else text


def part_repeated_delimiters(text):
    """Two delimiter lines in a row: an empty part, for Python it is none."""
    return re.sub(rb"(?m)^(--[^\r\n]+)(\r?\n)(?=\1[ \t]*\r?$)", rb"\1\2\2",
                  text)


def add_semicolon(text):
    """No semicolon between the type and a parameter."""
    return re.sub(rb"(?im)^(content-type:[ \t]*[-\w]+/[-\w.+]+)[ \t\r\n]+"
                  rb"(?=[-\w]+=)", rb"\1; ", text)


def strip_comments(text):
    """Comments in Content-Type: Python takes them for text."""
    return re.sub(rb"(?im)^(content-type:[^\r\n(]*)\([^()\r\n]*\)", rb"\1",
                  text)


def nothing(text):
    """Blanks at line ends of quoted-printable; odd escapes."""
    return text


REPAIRS = (
    ("quoted-printable: blanks at line ends, '==', are Python's own reading",
     nothing),
    ("folded boundary: Python keeps the line break", fold_boundaries_out),
    ("blank before the colon: a field for Postfix, none for Python",
     join_name_and_colon),
    ("first line begins with a blank: no header for Postfix",
     end_header_at_blank),
    ("two delimiters in a row: an empty part, none for Python",
     part_repeated_delimiters),
    ("no semicolon before a parameter", add_semicolon),
    ("comment in Content-Type, part of the value for Python",
     strip_comments),
)


def is_cut(tree):
    """The index cuts very long trees."""
    return re.search(r"\|[0-9a-f]{8}$|^[^|]+$", tree.split(",")[-1]) is None


def reason_for(text, ours, wanted):
    """Why our tree may differ from the index, "" if it may not."""
    if is_cut(wanted) and ours.startswith(wanted):
        return "the expectation is cut off"
    everything = text
    for name, repair in REPAIRS:
        everything = repair(everything)
        if python_tree(repair(text)) == ours:
            return name
    if python_tree(everything) == ours:
        return "several of these"
    return ""


class Comparison:
    """All messages of the corpus, compared once."""

    def __init__(self):
        self.rows = [r for r in corpus.rows("index.tsv")
                     if r["kind"] in KINDS and
                     corpus.field(r["expected"], "tree")]
        self.trees = our_trees([corpus.path(r["path"]) for r in self.rows])

    def of_kind(self, kind):
        """(path, faults, ours, wanted) of each message of a kind."""
        for row in self.rows:
            if row["kind"] == kind:
                faults, ours = self.trees[corpus.path(row["path"])]
                yield (row["path"], faults, ours,
                       corpus.field(row["expected"], "tree"))

    def check_kind(self, kind):
        """Fails on a difference without a reason."""
        same, groups, unexplained = 0, {}, []
        for path, faults, ours, wanted in self.of_kind(kind):
            if ours == wanted:
                same += 1
                continue
            with open(corpus.path(path), "rb") as f:
                text = f.read()
            reason = "not well-formed: " + faults if faults else \
                reason_for(text, ours, wanted)
            groups.setdefault(reason, []).append(path)
            if not reason:
                unexplained.append("%s\n ours   %s\n wanted %s" % (
                    path, ours, wanted))
        corpus.say("%s: %d agree, %d differ" % (
            kind, same, sum(len(g) for g in groups.values())))
        for reason, paths in sorted(groups.items()):
            corpus.say("  %d %s" % (len(paths), reason or "UNEXPLAINED"))
            for path in paths:
                corpus.say("    " + path)
        tap.true(same > 0, "nothing was compared")
        tap.true(not unexplained, "\n".join(unexplained))


MESSAGE = (b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nA\n"
           b"--b\nContent-Type: text/html; charset=utf-8\n"
           b"Content-Transfer-Encoding: quoted-printable\n\n=C3=A4 \n--b--\n")


def test_tool_and_python_agree():
    """Our tool and the second parser read a plain message alike."""
    with tempfile.NamedTemporaryFile() as f:
        f.write(MESSAGE)
        f.flush()
        faults, ours = our_trees([f.name])[f.name]
    tap.equal(faults, "")
    tap.equal(ours, python_tree(MESSAGE))
    tap.true(ours.startswith("multipart/mixed,text/plain|||1|559aead0,"
                             "text/html|quoted-printable|utf-8|2|"), ours)


def test_reasons_are_not_given_away():
    """A wrong tree finds no reason."""
    ours = python_tree(MESSAGE)
    tap.equal(reason_for(MESSAGE, ours.replace("|2|", "|3|"), ours), "")
    tap.equal(reason_for(MESSAGE, "text/plain|||0|e3b0c442", ours), "")
    tap.true(reason_for(MESSAGE, ours, python_tree(MESSAGE, False)) != "",
             "trailing blank")


def main():
    """Runs all points; those over the corpus are skipped without it."""
    points = [
        ("mime_tree reads as Python does", test_tool_and_python_agree),
        ("a wrong tree has no reason", test_reasons_are_not_given_away),
    ]
    comparison = Comparison() if corpus.is_there() else None
    for kind in KINDS:
        def check(kind=kind):
            if comparison is None:
                raise tap.Skip("no corpus")
            comparison.check_kind(kind)
        points.append(("trees of kind " + kind, check))
    return tap.run(points)


if __name__ == "__main__":
    sys.exit(main())
