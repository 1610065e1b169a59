"""A Bulkhead with keys and settings of its own, and its preview.

The keys are made by openssl; signatures are verified by python3-dkim.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

import corpus
import bulkhead as lab_keys
from lib_checker import World

COMMAND = os.path.join(corpus.BUILDDIR, "bulkhead")
TIME = "1767600000"
QUEUE_ID = "4gYq1T0xzRz9w"
RECIPIENT = "ann.reader@reader.example"
SENDER = "bounces@example.com"
SIGNERS = {"example.com": ("s2026a", "e2026a"),
           "mailer.example": ("m1", "m2")}
KINDS = ("rsa", "ed25519")
TIMEOUT = 60

CONFIG = """\
token-keys = "{dir}/token.keys"
return-path-keys = "{dir}/return-path.keys"
trusted-networks = {{ "127.0.0.0/8", "::1/128" }}
domain "example.com" {{
    sign "s2026a" {{ key = "{dir}/example.com-s2026a.pem" }}
    sign "e2026a" {{ key = "{dir}/example.com-e2026a.pem" }}
    tracking-url = "https://t.example.com"
    return-path-domain = "b.example.com"
    unsubscribe-mailto = "unsubscribe@b.example.com"
}}
domain "mailer.example" {{
    sign "m1" {{ key = "{dir}/mailer.example-m1.pem" }}
    sign "m2" {{ key = "{dir}/mailer.example-m2.pem" }}
    tracking-url = "https://t.mailer.example"
    return-path-domain = "b.mailer.example"
}}
stream "newsletter" {{
    unsubscribe = one-click
    track = {{ clicks, opens }}
    return-path = true
    domain = "mailer.example"
}}
"""


def expect_built():
    """A command that was not built is no reason to skip but a failure."""
    if not os.access(COMMAND, os.X_OK):
        print("Bail out! not built: " + COMMAND)
        sys.exit(1)


class Preview:
    """What a preview gave."""

    def __init__(self, done):
        self.status, self.output = done.returncode, done.stdout
        self.notes = done.stderr.decode("utf-8", "backslashreplace")

    def crashed(self):
        """By a signal, or by a sanitizer."""
        return self.status < 0 or self.status > 78 or \
            "Sanitizer" in self.notes or "runtime error" in self.notes


class Installation:
    """Lives in a directory of its own until close()."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="bulkhead-properties-")
        self.zone = {}
        for domain, selectors in SIGNERS.items():
            for selector, kind in zip(selectors, KINDS):
                self.zone["%s._domainkey.%s." % (selector, domain)] = \
                    lab_keys.make_key("%s/%s-%s.pem" % (
                        self.dir, domain, selector), kind)
        for name in ("token.keys", "return-path.keys"):
            lab_keys.make_tokens(os.path.join(self.dir, name))
        self.config = os.path.join(self.dir, "bulkhead.conf")
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(CONFIG.format(dir=self.dir))

    def close(self):
        """Leaves nothing behind."""
        shutil.rmtree(self.dir, ignore_errors=True)

    def run(self, argv, text):
        """A verb of the command with text on its standard input."""
        return subprocess.run(
            [COMMAND] + argv, input=text, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=TIMEOUT, check=False)

    def preview(self, text):
        """The message as it would leave."""
        return Preview(self.run(
            ["preview", "-c", self.config, "-f", SENDER, "-r", RECIPIENT,
             "--queue-id", QUEUE_ID, "--time", TIME, "--explain"], text))

    def open_tokens(self, urls):
        """What the tokens in tracking URLs say, one dictionary each."""
        if not urls:
            return []
        done = self.run(["token", "show", "-c", self.config, "--json", "-"],
                        b"\n".join(urls) + b"\n")
        lines = done.stdout.decode("utf-8").splitlines()
        if len(lines) != len(urls):
            raise RuntimeError("token show: %d lines for %d URLs: %r" % (
                len(lines), len(urls), done.stderr[:300]))
        return [json.loads(line) for line in lines]

    def world(self):
        """What the checker needs."""
        return World(lambda text: lab_keys.verify(text, self.zone),
                     self.open_tokens,
                     ["https://t.example.com", "https://t.mailer.example"],
                     SIGNERS)
