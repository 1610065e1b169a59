#!/usr/bin/python3
"""What our signer hashes, against published vectors and signed messages.

A message that others signed and that verifies says what its canonical form
is: our body hash must be its bh=, and its signature must verify over our
header data with the published key.
"""
import base64
import glob
import hashlib
import os
import re
import subprocess
import sys
import tempfile

import dkim
import dkim.crypto
import nacl.exceptions
import nacl.signing

import corpus
import tap

sys.path.insert(0, os.path.join(corpus.SRCDIR, "tests", "tools"))

import verify  # noqa: E402  (it lies in tests/tools)


def canon(message, names=None, signature=None):
    """(body hash in base64, fields or header data) by our code."""
    with tempfile.NamedTemporaryFile() as f:
        f.write(message)
        f.flush()
        argv = [corpus.tool("dkim_canon"), f.name]
        if names is not None:
            argv += [names, signature]
        out = subprocess.run(argv, stdout=subprocess.PIPE, check=True,
                             timeout=20).stdout
    bh, data = out.split(b"\n", 1)
    return bh.decode(), data


def wanted(*kinds):
    """The index rows of those kinds."""
    rows = [r for r in corpus.rows("index.tsv") if r["kind"] in kinds]
    tap.true(rows, "no rows of " + " ".join(kinds))
    return rows


def read(path):
    with open(corpus.path(path), "rb") as f:
        return f.read()


def test_canonical_forms():
    """dkim-canon: MESSAGE and its relaxed.expected."""
    compared = 0
    for row in wanted("dkim-canon"):
        message = read(row["path"])
        expected = read(row["path"].replace("email.", "relaxed.expected."))
        head, body = expected.split(b"\r\n\r\n", 1)
        bh, fields = canon(message)
        tap.equal(fields, head + b"\r\n", row["path"])
        if re.search(rb"[ \t]\Z", message):
            # SMTP ends every line, so these blanks end one and go; the
            # vector keeps them, as its writer never sends it
            corpus.say("%s ends in blanks without a line end: header only"
                       % row["path"])
        else:
            tap.equal(bh, base64.b64encode(
                hashlib.sha256(body).digest()).decode(), row["path"])
        compared += 1
    corpus.say("%d vectors" % compared)


def fields_of(message):
    """[(name, raw value)] of the header, folds as they are."""
    head = re.split(rb"\r?\n\r?\n", message, 1)[0]
    head = re.sub(rb"\r?\n", b"\n", head)
    return [(m.group(1), m.group(2)) for m in re.finditer(
        rb"^([!-9;-~]+)[ \t]*:(.*(?:\n[ \t].*)*)", head, re.M)]


def tags_of(value):
    """{tag: value} of a DKIM-Signature, blanks gone from values."""
    tags = {}
    for item in value.split(b";"):
        name, eq, text = item.partition(b"=")
        if eq:
            tags[name.strip().decode("latin-1")] = re.sub(
                rb"\s+", b"", text).decode("latin-1")
    return tags


def without_b(value):
    """The field's value with an empty b=."""
    return re.sub(rb"((?:^|;)\s*b\s*=)[^;]*", rb"\1", value, 1)


def public_key(record):
    """("rsa" or "ed25519", key) of a DNS record; None when it is none."""
    tags = tags_of(record)
    try:
        der = base64.b64decode(tags.get("p", ""))
        if tags.get("k", "rsa") == "ed25519":
            return "ed25519", nacl.signing.VerifyKey(der)
        return "rsa", dkim.crypto.parse_public_key(der)
    except (ValueError, dkim.crypto.UnparsableKeyError,
            nacl.exceptions.CryptoError):
        return None


def verifies(key, algorithm, signature, data):
    """Does the signature hold over the header data?"""
    kind, public = key
    if kind == "ed25519":
        try:
            public.verify(hashlib.sha256(data).digest(), signature)
            return True
        except nacl.exceptions.BadSignatureError:
            return False
    digest = hashlib.new("sha256" if algorithm.endswith("sha256") else "sha1",
                         data)
    return dkim.crypto.RSASSA_PKCS1_v1_5_verify(digest, signature, public)


def split_records(data):
    """(records, message): some files begin with lines of DNS records."""
    records = {}
    while re.match(rb"[\w.-]+\._domainkey\.\S+ ", data):
        line, data = data.split(b"\n", 1)
        name, value = line.strip().split(None, 1)
        records[name.decode().lower()] = value
    return records, data.lstrip(b"\r\n") if records else data


def published_records():
    """All records that lie beside the messages."""
    records = {}
    for row in wanted("dkim-aux"):
        records.update(verify.read_records(corpus.path(row["path"])))
    for path in glob.glob(corpus.path("dkim/*/*.dns")):
        records.update(verify.read_records(path))
    return records


def check_signature(name, message, value, records, counts):
    """One DKIM-Signature of a message that is known to verify."""
    tags = tags_of(value)
    header, _, body = tags.get("c", "simple/simple").partition("/")
    algorithm = tags.get("a", "")
    if tags.get("v") != "1" or "bh" not in tags or "b" not in tags:
        return
    bh, data = canon(message, tags.get("h", ""), without_b(value))
    if body == "relaxed" and algorithm.endswith("sha256") and "l" not in tags:
        tap.equal(bh, tags["bh"], name + ": bh=")
        counts["body"] += 1
    record = records.get("%s._domainkey.%s" % (
        tags.get("s", "").lower(), tags.get("d", "").lower()))
    key = public_key(record) if record else None
    if header != "relaxed" or key is None:
        return
    tap.true(verifies(key, algorithm, base64.b64decode(tags["b"]), data),
             name + ": the signature does not hold over our header data")
    counts["header"] += 1


def test_signed_messages():
    """Messages that verify elsewhere: dkim-verify and dkim-vector."""
    counts = {"body": 0, "header": 0}
    published = published_records()
    for row in wanted("dkim-verify", "dkim-vector"):
        if not row["path"].endswith((".txt", ".msg")):
            continue
        result = corpus.field(row["expected"], "result")
        if row["kind"] == "dkim-verify" and result not in (
                "pass", "see file: DNS records then message"):
            continue
        records, message = split_records(read(row["path"]))
        records.update(published)
        signatures = [v for n, v in fields_of(message)
                      if n.lower() == b"dkim-signature"]
        passed = verify.verify(message, records)
        for value, judged in zip(signatures, passed):
            if judged["passed"]:
                check_signature(row["path"], message, value, records, counts)
    corpus.say("%(body)d body hashes, %(header)d signatures" % counts)
    tap.true(counts["body"] > 0 and counts["header"] > 0, "nothing compared")


def test_a_changed_message_differs():
    """The comparison can fail: one octet more in body or header."""
    message = (b"From: a@example.com\r\nSubject: x\r\n\r\nbody text\r\n")
    bh, data = canon(message, "from:subject", b"v=1; b=")
    tap.equal(data, b"from:a@example.com\r\nsubject:x\r\n"
              b"dkim-signature:v=1; b=")
    other, _ = canon(message.replace(b"text", b"texts"))
    tap.true(bh != other, "another body, the same hash")


def over_corpus(test):
    """The test, skipped without a corpus."""
    def run():
        if not corpus.is_there():
            raise tap.Skip("no corpus")
        test()
    return run


if __name__ == "__main__":
    sys.exit(tap.run([("dkim canonical forms",
                       over_corpus(test_canonical_forms)),
                      ("dkim signed messages",
                       over_corpus(test_signed_messages)),
                      ("dkim differences are seen",
                       test_a_changed_message_differs)]))
