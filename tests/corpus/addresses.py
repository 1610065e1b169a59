#!/usr/bin/python3
"""Addresses against the tables of other address parsers.

addr_is_mailbox() says what an envelope may hold; addr_normal() is the form in
which addresses are looked up.  A table that judges something else by design
gives a reason; every other difference fails.
"""
import subprocess
import sys
import unicodedata

import corpus
import tap


def octets(text):
    """An address as octets; U+24xx stands for a control character."""
    return "".join(chr(ord(c) - 0x2400) if 0x2400 <= ord(c) < 0x2420 else c
                   for c in text).encode("utf-8", "surrogateescape")


def check(addresses):
    """(is mailbox, is path, normal form) of each address."""
    done = subprocess.run(
        [corpus.tool("addr_check")], stdout=subprocess.PIPE, timeout=60,
        input=b"".join(octets(a) + b"\0" for a in addresses), check=True)
    lines = [line.split(" ") for line in done.stdout.decode().splitlines()]
    tap.equal(len(lines), len(addresses), "answers")
    return [(l[0] == "1", l[1] == "1",
             bytes.fromhex(l[2]).decode("utf-8", "surrogateescape"))
            for l in lines]


def report(name, total, differences):
    """Lists differences by reason; fails on those without."""
    groups = {}
    for text, reason in differences:
        groups.setdefault(reason, []).append(text)
    corpus.say("%s: %d agree, %d differ" % (
        name, total - len(differences), len(differences)))
    for reason, texts in sorted(groups.items()):
        corpus.say("  %d %s" % (len(texts), reason or "UNEXPLAINED"))
        for text in texts:
            corpus.say("    %r" % text)
    tap.true(total > 0, "nothing was compared")
    tap.equal(groups.get("", []), [], "unexplained")


def flanker_reason(address):
    """flanker takes header forms, which no envelope holds."""
    if address.endswith(">"):
        return "a display name is no part of an envelope address"
    if "(" in address:
        return "a comment is no part of an envelope address"
    return ""


def test_flanker():
    """Mailboxes, and local parts at a domain of ours."""
    rows = [r for r in corpus.rows("address/flanker.tsv")
            if r["set"] in ("mailbox", "abridged_localpart")]
    texts = [r["address"] if r["set"] == "mailbox" else
             r["address"] + "@example.com" for r in rows]
    differences = [
        (text, flanker_reason(text))
        for row, text, got in zip(rows, texts, check(texts))
        if got[0] != (row["expected"] == "valid")]
    report("flanker", len(rows), differences)


ISEMAIL_VALID = ("ISEMAIL_VALID_CATEGORY", "ISEMAIL_DNSWARN",
                 "ISEMAIL_RFC5321")


def test_isemail():
    """Valid in SMTP: its categories up to RFC5321."""
    rows = corpus.rows("address/isemail.tsv")
    answers = check([r["address"] for r in rows])
    report("isemail", len(rows), [
        (row["address"] + " " + row["diagnosis"], "")
        for row, got in zip(rows, answers)
        if got[0] != (row["category"] in ISEMAIL_VALID)])


def validator_reason(row):
    """The validator is stricter than SMTP, by its default options."""
    if row["valid"] == "valid":
        return ""
    if row["address"].startswith('"'):
        return "it refuses quoted local parts by default"
    if "@[" in row["address"]:
        return "it refuses address literals by default"
    if "not supported" in row["smtputf8_or_error"]:
        return "it was told to refuse UTF-8 local parts"
    if "two letters followed by two dashes" in row["smtputf8_or_error"]:
        return "it refuses labels that IDNA reserves; SMTP does not"
    return ""


def test_email_validator():
    """Valid or not."""
    rows = corpus.rows("address/python-email-validator.tsv")
    answers = check([r["address"] for r in rows])
    report("python-email-validator", len(rows), [
        (row["address"], validator_reason(row))
        for row, got in zip(rows, answers)
        if got[0] != (row["valid"] == "valid")])


def normal_reason(ours, theirs):
    """Local parts keep their octets: only ASCII letters change."""
    if unicodedata.normalize("NFC", ours) == theirs:
        return "the local part is not in NFC; we leave it so"
    return ""


def test_normal_forms():
    """What the validator normalises to is the same address for us."""
    rows = [r for r in corpus.rows("address/python-email-validator.tsv")
            if r["valid"] == "valid"]
    ours = check([r["address"] for r in rows])
    theirs = check([r["ascii_email"] or r["normalized"] for r in rows])
    report("normal forms", len(rows), [
        (row["address"], normal_reason(a[2], b[2]) if a[1] else "")
        for row, a, b in zip(rows, ours, theirs)
        if a[2] != b[2] or not a[1]])


def test_tool():
    """addr_check says what it is asked."""
    tap.equal(check(["A@B\u00fccher.Example", "a b@x", "<a@x>", ""]), [
        (True, True, "a@xn--bcher-kva.example"), (False, False, ""),
        (False, True, "a@x"), (False, True, "")])


def over_corpus(test):
    """The test, skipped without a corpus."""
    def run():
        if not corpus.is_there():
            raise tap.Skip("no corpus")
        test()
    return run


if __name__ == "__main__":
    sys.exit(tap.run([
        ("addr_check answers", test_tool),
        ("mailboxes of flanker", over_corpus(test_flanker)),
        ("mailboxes of isemail", over_corpus(test_isemail)),
        ("mailboxes of email-validator", over_corpus(test_email_validator)),
        ("normal forms of email-validator", over_corpus(test_normal_forms)),
    ]))
