#!/usr/bin/python3
"""Both DKIM engines over the same messages, as they came and edited.

They must write the same field octet for octet, which both algorithms allow,
being deterministic; libopendkim must verify it, having hashed what we hash,
and we what libopendkim makes when it signs in the way of opendkim(8).  Over
our own messages, made ones and all mail of the corpus.
"""
import collections
import concurrent.futures
import os
import random
import re
import sys
import tempfile

import corpus
import dkim_verifiers as verifiers
import tap

Line = collections.namedtuple(
    "Line", "path variant selector text engine hashes verified raw")

SELECTORS = ("r1", "e1")
VARIANTS = ("came", "edited")
KINDS = re.compile(r"(mime|newsletter|bounce|nonbounce|arf|autoreply|dkim)\b")
NOT_MAIL = ("dkim-aux",)


def judged(paths, records=None):
    """The lines of the tool over those messages."""
    keys = verifiers.Keys.get()

    def batch(at):
        return verifiers.run(
            [corpus.tool("dkim_differential"), verifiers.DOMAIN,
             records or keys.records, keys.option]
            + paths[at:at + verifiers.BATCH], check=True).stdout

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        out = b"".join(pool.map(batch, range(0, len(paths), verifiers.BATCH)))
    lines = [Line(*line.decode("utf-8", "surrogateescape").split("\t"))
             for line in out.split(b"\n") if line]
    tap.equal([(l.path, l.variant, l.selector) for l in lines],
              [(p, v, s) for p in paths for v in VARIANTS for s in SELECTORS],
              "the lines of the tool")
    return lines


SIGNED = re.compile(
    rb"(from|reply-to|subject|date|to|cc|message-id|mime-version|content-type|"
    rb"content-transfer-encoding|list-id|list-unsubscribe|"
    rb"list-unsubscribe-post)[ \t]*:", re.I)


def fields(data):
    """The fields of a message, until the first line that is none."""
    found = []
    for line in re.sub(rb"\r\n", b"\n", data).split(b"\n"):
        if line[:1] in (b" ", b"\t") and found:
            found[-1] += line
        elif re.match(rb"[!-9;-~]+[ \t]*:", line):
            found.append(line)
        elif found or not line.startswith(b"From "):
            break
    return found


def may_be_left(path):
    """Whether a reason for not asking libopendkim is in sight."""
    with open(path, "rb") as f:
        data = f.read()
    signed = [f for f in fields(data) if SIGNED.match(f)]
    return (re.search(rb"\r(?!\n)", data) or not signed or
            any(len(f) > 60000 or re.search(rb"[\0\v\f]", f)
                for f in signed))


def wrong(line):
    """What is wrong with a line, or None."""
    is_left = line.engine == "left"
    if line.text != "same":
        return "the engines differ"
    if is_left and not may_be_left(line.path):
        return "libopendkim was not asked"
    if is_left and line.hashes != "equal":
        return None  # libopendkim drops a CR, which we and the RFC do not
    if line.hashes in ("header", "body"):
        return "libopendkim hashes another " + line.hashes
    if line.verified == "fail":
        return "libopendkim does not verify it"
    if line.raw not in ("pass", "refused"):
        return "we do not verify libopendkim's: " + line.raw
    if (not is_left and verifiers.readable(line.path) and
            (line.verified, line.raw) != ("pass", "pass")):
        return "libopendkim did not read it: %s, %s" % (
            line.verified, line.raw)
    return None


def check(paths):
    """All is right with those messages; says what was compared."""
    lines = judged(paths)
    bad = [(l, wrong(l)) for l in lines if wrong(l)]
    corpus.say("%d messages, %d signatures: %d by libopendkim, of which it "
               "read %d" % (
                   len(paths), len(lines),
                   sum(l.engine == "signed" for l in lines),
                   sum(l.engine == "signed" and l.verified == "pass"
                       for l in lines)))
    for line, why in bad[:20]:
        corpus.say("%s, %s, %s: %s" % (line[:3] + (why,)))
    tap.equal(len(bad), 0, "wrong")


HEAD = (b"From: a@example.com\nTo: b@example.net\nSubject: hello\n"
        b"Date: Thu, 1 Jan 2026 00:00:00 +0000\n")


def made():
    """Messages that nobody sends."""
    yield HEAD
    yield HEAD + b"\n"
    yield HEAD + b"\n\n\n \n\t\n"
    yield HEAD + b"\nno line end"
    yield HEAD + b"\nblanks without line end \t "
    yield HEAD + b"\n" + b"x" * 300000
    yield HEAD + b"\n" + b"a line  of blanks\t\t \n" * 50000
    yield HEAD + b"\n" + b"\n" * 20000 + b"text" + b"\n" * 20000
    yield HEAD + b"\n" + bytes(set(range(256)) - {13}) * 20
    yield HEAD + b"\n" + bytes(range(256)) * 20
    yield HEAD.replace(b"\n", b"\r\n") + b"\r\nbody\r\n"
    # 800 and more it signs wrongly itself: its list is cut at 4096 octets
    yield HEAD + b"".join(b"To: %d\n" % i for i in range(150)) + b"\nx\n"
    yield HEAD + b"Cc:" + b" many@example.com,\n" * 2500 + b" z@x\n\nx\n"
    yield HEAD + b"X;odd: field\nDKIM-Signature: ;;=\n\nx\n"
    yield b"Subject: no From\n\nx\n"
    yield b"X-Only: nothing to sign\n\nx\n"
    yield b"\nno header\n"
    yield HEAD + b"List-Id: form\x0cfeed\n\nx\n"
    yield HEAD + b"\nreturns\r\rin \rtext\r\n\r"
    tokens = [b"a", b"word", b" ", b"  ", b"\t", b"\n", b"\n", b"\n\n",
              b" \n", b"\r\n", b"=3D", b"\xe9", b"."]
    names = [b"From", b"TO", b"to", b"Cc ", b"Subject", b"Date", b"List-Id",
             b"X-Y", b"Received", b"DKIM-Signature"]
    rng = random.Random(6376)
    for i in range(200):
        head = HEAD if i % 4 else b""
        for _ in range(rng.randrange(9)):
            value = b"".join(rng.choices(tokens, k=rng.randrange(30)))
            head += rng.choice(names) + b":" + re.sub(
                rb"[\r\n]+", b"\n ", value) + b"\n"
        body = b"".join(rng.choices(tokens, k=rng.randrange(200)))
        yield head + b"\n" + body


def test_made():
    """Messages that nobody sends are signed alike."""
    with tempfile.TemporaryDirectory() as directory:
        paths = []
        for i, message in enumerate(made()):
            paths.append(os.path.join(directory, str(i)))
            with open(paths[-1], "wb") as f:
                f.write(message)
        check(paths)


def test_own():
    """Our own messages are signed alike."""
    check(verifiers.own_messages())


def test_corpus():
    """All mail of the corpus is signed alike."""
    if not corpus.is_there():
        raise tap.Skip("no corpus")
    paths = [corpus.path(r["path"]) for r in corpus.rows("index.tsv")
             if KINDS.match(r["kind"]) and r["kind"] not in NOT_MAIL]
    tap.true(len(paths) > 100, "mail in the corpus")
    check(paths)


def test_judge_sees():
    """The tool tells a wrong key, and a body hashed in two ways."""
    with tempfile.TemporaryDirectory() as directory:
        path, records = (os.path.join(directory, n) for n in "mr")
        with open(path, "wb") as f:
            f.write(HEAD + b"\nA return\rin text.\n")
        with open(records, "w", encoding="ascii") as f:
            for s in SELECTORS:
                how = ["RSA"] if s == "r1" else ["ED25519"]
                f.write(verifiers.make_key(directory, s, *how)[1] + "\n")
        line = judged([path])[0]
        tap.equal((line.engine, line.hashes, line.verified),
                  ("left", "body", "fail"), "a bare CR")
        for line in judged(verifiers.own_messages()[:1], records):
            tap.equal((line.hashes, line.verified), ("equal", "fail"),
                      "another key")


def test_symbols():
    """No name of ours takes the place of one inside libopendkim."""
    def names(*argv):
        out = verifiers.run(["nm", "--defined-only"] + list(argv), check=True)
        return set(re.findall(r"^\w+ [A-Z] (\w+)", out.stdout.decode(), re.M))
    out = verifiers.run(["ldd", corpus.tool("dkim_referee")]).stdout.decode()
    path = re.search(r"libopendkim\S* => (\S+)", out).group(1)
    theirs = names("-D", path)
    ours = names(os.path.join(corpus.BUILDDIR, "libbulkhead.a"))
    tap.true("dkim_eom" in theirs, "the names of libopendkim")
    tap.true("dkim_sign_message" in ours, "our names")
    tap.equal(sorted(ours & theirs), [], "names of both")


if __name__ == "__main__":
    sys.exit(tap.run([
        ("no symbols in common", test_symbols),
        ("the judge sees", test_judge_sees),
        ("own messages", test_own),
        ("made messages", test_made),
        ("corpus", test_corpus),
    ]))
