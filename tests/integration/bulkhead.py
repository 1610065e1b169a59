"""Bulkhead in a lab: its keys, its configuration, its milter, its preview.

Keys are made by openssl, so that nothing here trusts what it tests.
"""
import base64
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import dkim  # noqa: E402

import lab as labs  # noqa: E402
import tap  # noqa: E402

MILTER = os.path.join(labs.BUILD, "bulkhead-milter")
COMMAND = os.path.join(labs.BUILD, "bulkhead")
MAILS = os.path.join(labs.ROOT, "tests/integration/mails")
USER = ("news@example.com", "a secret")
OUTSIDE = "203.0.113.9"
SELECTORS = {"s2026a": "rsa", "e2026a": "ed25519"}
DOMAINS = ("example.com", "mailer.example")

CONFIG = """\
store = "sqlite:{dir}/store"
token-keys = "{dir}/conf/token.keys"
return-path-keys = "{dir}/conf/return-path.keys"
milter {{ socket = "unix:{dir}/mil.sock" }}

domain "example.com" {{
    sign "s2026a" {{ key = "{dir}/conf/example.com-s2026a.pem" }}
    sign "e2026a" {{ key = "{dir}/conf/example.com-e2026a.pem" }}
    tracking-url = "https://t.example.com"
    return-path-domain = "b.example.com"
    unsubscribe-mailto = "unsubscribe@b.example.com"
}}
domain "mailer.example" {{
    sign "s2026a" {{ key = "{dir}/conf/mailer.example-s2026a.pem" }}
    sign "e2026a" {{ key = "{dir}/conf/mailer.example-e2026a.pem" }}
    tracking-url = "https://t.mailer.example"
    return-path-domain = "b.mailer.example"
    unsubscribe-mailto = "unsubscribe@b.mailer.example"
}}
stream "newsletter" {{
    unsubscribe = one-click
    track       = {{ clicks, opens }}
    return-path = true
    domain      = "mailer.example"
    also-sign   = {{ "mailer.example" }}
}}
"""


def why_not():
    """Why these tests cannot be run here, or None.

    A program that was not built is no reason but a failure.
    """
    reason = labs.why_not()
    for program in (MILTER, COMMAND):
        if reason is None and not os.access(program, os.X_OK):
            print("Bail out! not built: " + program)
            sys.exit(1)
    return reason


def sanitizer(program):
    """"thread", "address" or "": what the program was built with."""
    with open(program, "rb") as f:
        text = f.read()
    for name, mark in (("thread", b"__tsan_init"),
                       ("address", b"__asan_init")):
        if mark in text:
            return name
    return ""


def record(path, kind):
    """The DKIM record of a private key."""
    der = subprocess.run(["openssl", "pkey", "-in", path, "-pubout",
                          "-outform", "DER"], check=True,
                         stdout=subprocess.PIPE).stdout
    if kind == "ed25519":
        der = der[-32:]  # RFC 8463: the bare key, not SubjectPublicKeyInfo
    return "v=DKIM1; k=%s; p=%s" % (kind, base64.b64encode(der).decode())


def make_key(path, kind):
    """A private key as PEM, and its DKIM record."""
    options = {"rsa": ["-algorithm", "RSA", "-pkeyopt",
                       "rsa_keygen_bits:2048"],
               "ed25519": ["-algorithm", "ed25519"]}[kind]
    subprocess.run(["openssl", "genpkey", "-out", path] + options,
                   check=True, stderr=subprocess.DEVNULL)
    os.chmod(path, 0o600)
    return record(path, kind)


def verify(data, zone):
    """{(d, s): valid} of every signature, by python3-dkim.

    zone: the text of each TXT record by its name with the final dot.
    """
    def answer(name, timeout=5):
        del timeout
        text = zone.get(name.decode())
        return text.encode() if text else None
    found = {}
    count = len(re.findall(rb"(?im)^dkim-signature:",
                           data.partition(b"\r\n\r\n")[0]))
    for index in range(count):
        checker = dkim.DKIM(data, minkey=1024)
        try:
            ok = checker.verify(idx=index, dnsfunc=answer)
        except dkim.DKIMException:
            ok = False
        values = checker.signature_fields
        found[(values.get(b"d", b"?").decode(),
               values.get(b"s", b"?").decode())] = ok
    return found


def make_tokens(path):
    """A file of one key: NAME BASE64(64 bytes)."""
    with open(path, "w", encoding="ascii") as f:
        f.write("k1 %s\n" % base64.b64encode(os.urandom(64)).decode())
    os.chmod(path, 0o600)


class Bulkhead:
    """What a lab needs to have the milter in front of its queue."""

    def __init__(self, lab, config=CONFIG):
        self.lab = lab
        self.zone = {}
        self.child = None
        os.mkdir(lab.path("conf"), 0o755)
        for domain in DOMAINS:
            for selector, kind in SELECTORS.items():
                name = "%s._domainkey.%s." % (selector, domain)
                self.zone[name] = make_key(lab.path(
                    "conf/%s-%s.pem" % (domain, selector)), kind)
        make_tokens(lab.path("conf/token.keys"))
        make_tokens(lab.path("conf/return-path.keys"))
        self.config = lab.path("conf/bulkhead.conf")
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(config.format(dir=lab.dir))

    def start(self):
        """Starts the milter in the foreground, its log in the lab."""
        self.child = self.lab.start_milter(
            [MILTER, "-c", self.config, "-f"], "mil.sock")
        return self.child

    def log(self):
        """What the milter said."""
        return self.lab.read("milter.log")

    def line(self, queue_id):
        """The milter's line about a message."""
        return labs.wait_for("log line of " + queue_id, lambda: next(
            (text for text in self.log().splitlines()
             if " %s: " % queue_id in text and " action=" in text), None))

    def time(self, queue_id):
        """The time that the milter took for a message."""
        found = re.search(r" time=(\S+)", self.line(queue_id))
        tap.true(found, "no time in " + self.line(queue_id))
        return found.group(1)

    def preview(self, queue_id, *options):
        """The recorded message as `bulkhead preview` says it would leave."""
        envelope = self.lab.recorded_envelope(queue_id)
        sender = next(v for k, v in envelope if k == "sender")
        argv = [COMMAND, "preview", "-c", self.config, "-f",
                sender.strip("<>")]
        for key, value in envelope:
            if key == "recipient":
                argv += ["-r", value.strip("<>")]
        argv += ["--queue-id", queue_id, "--time", self.time(queue_id)]
        argv += list(options)
        argv.append(self.lab.path("rec/%s.eml" % queue_id))
        done = subprocess.run(argv, stdout=subprocess.PIPE, timeout=60,
                              stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            raise AssertionError("preview exited with %d: %s" % (
                done.returncode, done.stderr.decode("utf-8", "replace")))
        return done.stdout

    def verify(self, data):
        """{(d, s): valid} of every signature."""
        return verify(data, self.zone)


def fields(data):
    """The header as a list of whole fields, each with its CRLF."""
    head = data.partition(b"\r\n\r\n")[0] + b"\r\n"
    return re.findall(rb"(?s)[^\r\n].*?\r\n(?![ \t])", head)


def queue_id_of(message):
    """The queue id in our Postfix's Received, the only one with BY us."""
    for field in fields(message.data):
        found = re.search(rb"(?s)^Received:.*\bby lab\.example\b.*"
                          rb"\bid (\w+)", field)
        if found:
            return found.group(1).decode()
    raise AssertionError("no Received of the lab")


def without_trace(message):
    """The message as it arrived without the lab's own Received."""
    kept, removed = [], 0
    for field in fields(message.data):
        if re.match(rb"(?s)Received:.*\bby lab\.example\b", field) \
                and not removed:
            removed += 1
            continue
        kept.append(field)
    tap.equal(removed, 1, "Received of the lab")
    return b"".join(kept) + b"\r\n" + message.data.partition(
        b"\r\n\r\n")[2]


def expect_as_previewed(product, message, *options):
    """What arrived equals the preview, and its signatures verify."""
    queue_id = queue_id_of(message)
    got = without_trace(message)
    tap.equal(got, product.preview(queue_id, *options), "arrived")
    expect_signed(product, message.data)


def expect_signed(product, data):
    """Every signature of ours verifies, and there are at least two."""
    ours = {k: v for k, v in product.verify(data).items()
            if k[0] in DOMAINS}
    tap.true(len(ours) >= 2, "signatures: %r" % ours)
    tap.true(all(ours.values()), "signatures: %r" % ours)


JUDGES = {"Mail::DKIM": os.path.join(labs.ROOT, "tests/tools/verify.pl"),
          "libopendkim": os.path.join(labs.BUILD,
                                      "tests/tools/dkim_referee")}


def judge_all(product, judge, messages):
    """One more verifier over all messages: every signature of ours is valid.

    It may skip an algorithm that it does not know, but not all.
    """
    program = JUDGES[judge]
    tap.true(os.access(program, os.X_OK), "not built: " + program)
    tap.true(messages, "nothing to judge")
    directory = tempfile.mkdtemp(dir=product.lab.dir)
    records = os.path.join(directory, "records")
    with open(records, "w", encoding="ascii") as f:
        for name, text in product.zone.items():
            f.write("%s %s\n" % (name.rstrip("."), text))
    paths = []
    for number, data in enumerate(messages):
        paths.append(os.path.join(directory, "%d.eml" % number))
        with open(paths[-1], "wb") as f:
            f.write(data)
    done = subprocess.run([program, records] + paths, timeout=120,
                          stdout=subprocess.PIPE, check=False,
                          stderr=subprocess.PIPE)
    rows = [line.split("\t") for line in done.stdout.decode(
        "utf-8", "replace").splitlines()]
    ours = [r for r in rows if len(r) >= 5 and r[2] in DOMAINS]
    bad = [r for r in ours if r[4] not in ("pass", "skip")]
    tap.equal(bad, [], done.stderr.decode("utf-8", "replace"))
    passed = {r[0] for r in ours if r[4] == "pass"}
    tap.equal(sorted(set(paths) - passed), [], "without a valid signature")


def mails():
    """(name, bytes) of our own newsletters."""
    found = []
    for name in sorted(os.listdir(MAILS)):
        with open(os.path.join(MAILS, name), "rb") as f:
            found.append((name, f.read()))
    return found
