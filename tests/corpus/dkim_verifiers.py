#!/usr/bin/python3
"""Our signatures in the eyes of three other implementations.

Messages are signed with an RSA and an Ed25519 key and handed to libopendkim,
python3-dkim and, for RSA, Mail::DKIM.  The messages of tests/integration/mails
always, those of the corpus where there is one.
"""
import base64
import glob
import os
import re
import subprocess
import sys
import tempfile

import corpus
import tap

TOOLS = os.path.join(corpus.SRCDIR, "tests", "tools")
DOMAIN = "example.com"
BATCH = 50

def run(argv, **kwargs):
    return subprocess.run(argv, stdout=subprocess.PIPE, timeout=300, **kwargs)


def make_key(directory, selector, *how):
    """A key made by openssl; (selector=file, DNS record)."""
    path = os.path.join(directory, selector + ".pem")
    run(["openssl", "genpkey", "-out", path, "-algorithm"] + list(how),
        check=True, stderr=subprocess.DEVNULL)
    der = run(["openssl", "pkey", "-in", path, "-pubout", "-outform", "DER"],
              check=True).stdout
    kind = "rsa"
    if how[0] == "ED25519":
        kind, der = "ed25519", der[-32:]
    return "%s=%s" % (selector, path), "%s._domainkey.%s v=DKIM1; k=%s; p=%s" \
        % (selector, DOMAIN, kind, base64.b64encode(der).decode())


class Keys:
    """Both keys and a file of their records, made once."""
    directory = None

    @classmethod
    def get(cls):
        if cls.directory is None:
            cls.directory = tempfile.TemporaryDirectory()
            made = [make_key(cls.directory.name, "r1", "RSA", "-pkeyopt",
                             "rsa_keygen_bits:2048"),
                    make_key(cls.directory.name, "e1", "ED25519")]
            cls.option = ",".join(m[0] for m in made)
            cls.records = os.path.join(cls.directory.name, "records")
            with open(cls.records, "w", encoding="ascii") as f:
                f.write("".join(m[1] + "\n" for m in made))
        return cls


def answers(argv, count, selectors):
    """{number of the message: {selector: line}} of one verifier."""
    out = run(argv, stderr=subprocess.DEVNULL).stdout.decode("latin-1")
    found = {i: {} for i in range(count)}
    for line in out.splitlines():
        fields = line.split("\t")
        if len(fields) < 6 or fields[2] != DOMAIN or \
                fields[3] not in selectors:
            continue
        found[int(os.path.basename(fields[0]))][fields[3]] = fields
    return found


def sign(paths, directory):
    """Signs messages; the signed files in the same order."""
    keys = Keys.get()
    run([corpus.tool("dkim_sign"), DOMAIN, directory, keys.option] + paths,
        check=True)
    return [os.path.join(directory, str(i)) for i in range(len(paths))]


VERIFIERS = {
    "libopendkim": (lambda: [corpus.tool("dkim_referee")], ("r1", "e1")),
    "python3-dkim": (lambda: ["/usr/bin/python3", "-B",
                              os.path.join(TOOLS, "verify.py")], ("r1", "e1")),
    "Mail::DKIM": (lambda: ["perl", os.path.join(TOOLS, "verify.pl")],
                   ("r1",)),
}


def judge(verifier, signed, paths):
    """[(path, selector, why)] of what does not pass."""
    argv, selectors = VERIFIERS[verifier]
    found = answers(argv() + [Keys.get().records] + signed, len(signed),
                    selectors)
    refused = []
    for i, path in enumerate(paths):
        for s in selectors:
            line = found[i].get(s)
            if line is None:
                refused.append((path, s, "no answer"))
            elif line[4] != "pass":
                refused.append((path, s, " ".join(line[4:])))
    return refused


def compare(verifier, paths):
    """Signs all and returns what the verifier refuses."""
    refused = []
    for at in range(0, len(paths), BATCH):
        part = paths[at:at + BATCH]
        with tempfile.TemporaryDirectory() as directory:
            refused += judge(verifier, sign(part, directory), part)
    return refused


def own_messages():
    return sorted(glob.glob(os.path.join(
        corpus.SRCDIR, "tests", "integration", "mails", "*.eml")))


def own(verifier):
    """All of our own messages pass."""
    def test():
        paths = own_messages()
        tap.true(len(paths) > 5, "messages in tests/integration/mails")
        tap.equal(compare(verifier, paths), [], verifier)
    return test


def test_changes_are_seen():
    """Each verifier refuses a signed message with one octet changed."""
    with tempfile.TemporaryDirectory() as directory:
        source = os.path.join(directory, "source")
        with open(source, "wb") as f:
            f.write(b"From: a@example.com\nTo: b@example.com\n"
                    b"Subject: hello\n\nThe body.\n")
        signed = sign([source], directory)
        with open(signed[0], "rb") as f:
            message = f.read()
        for old, new in ((b"The body", b"A body"), (b"hello", b"hallo"),
                         (b"\r\nTo:", b"\r\nFrom: c@example.com\r\nTo:")):
            with open(signed[0], "wb") as f:
                f.write(message.replace(old, new))
            for verifier, (_, selectors) in VERIFIERS.items():
                tap.equal(len(judge(verifier, signed, [source])),
                          len(selectors), "%s, %r" % (verifier, new))


def readable(path):
    """Is it mail that may be signed, and that verifiers agree to read?

    One From with an address (libopendkim reads no other), nothing but fields
    in the header, no bare CR (which verifiers take for different things).
    """
    with open(path, "rb") as f:
        head, _, body = re.sub(rb"\r*\n", b"\n", f.read()).partition(b"\n\n")
    froms = re.findall(rb"^from[ \t]*:(.*(?:\n[ \t].*)*)", head, re.I | re.M)
    fields = head.split(b"\n")
    return (len(froms) == 1 and re.search(rb"[^\s<@]@[^\s@>]", froms[0]) and
            all(re.match(rb"[!-9;-~]+:|[ \t]", line)
                for line in fields) and fields[0][:1] not in b" \t" and
            b"\r" not in head + body)


def corpus_messages():
    """The messages of all kinds that are readable(), and how many there are."""
    if not corpus.is_there():
        raise tap.Skip("no corpus")
    kinds = ("newsletter", "newsletter-composed", "mime", "mime-charset",
             "arf", "bounce", "nonbounce", "autoreply", "dkim-canon")
    paths = [corpus.path(r["path"]) for r in corpus.rows("index.tsv")
             if r["kind"] in kinds]
    return [p for p in paths if readable(p)], len(paths)


def over_corpus(verifier):
    """All messages of the corpus pass."""
    def test():
        paths, total = corpus_messages()
        refused = compare(verifier, paths)
        corpus.say("%s: %d of %d messages asked, %d refusals" % (
            verifier, len(paths), total, len(refused)))
        for path, selector, why in refused:
            corpus.say("  %s %s %s" % (os.path.relpath(path, corpus.CORPUS),
                                       selector, why))
        tap.equal(len(refused), 0, verifier)
    return test


if __name__ == "__main__":
    points = [("changes are seen", test_changes_are_seen)]
    for name in VERIFIERS:
        points.append(("own messages: " + name, own(name)))
    for name in VERIFIERS:
        points.append(("corpus: " + name, over_corpus(name)))
    sys.exit(tap.run(points))
