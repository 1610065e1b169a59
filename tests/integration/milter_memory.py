"""A milter without a Postfix, the load on it, and what it holds meanwhile."""
import json
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import bulkhead  # noqa: E402
import lab as labs  # noqa: E402
import tap  # noqa: E402
from receiver import Receiver  # noqa: E402

LOAD = os.path.join(labs.BUILD, "tests/tools/milter_load")
LINE = (b"<p>What is new in the shop this week, <a href=\"https://shop."
        b"example/item/%d?a=1&amp;b=2\">a link</a></p>\n")
HEAD = (b"From: Shop <news@example.com>\nTo: ann@reader.example\n"
        b"Subject: news\nDate: Tue, 01 Dec 2026 08:00:00 +0000\n"
        b"Message-ID: <%d@example.com>\n"
        b"List-Id: Shop news <news.example.com>\nMIME-Version: 1.0\n"
        b"Bulkhead-Stream: newsletter\n")


class Place(labs.Lab):
    """A lab's directory and children, without a Postfix."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="bh-", dir="/tmp")
        self.receiver = Receiver()
        self.children = []
        self.logs = []
        self.postfix = self.passwords = None


def config(milter=""):
    """Signed by Ed25519 only, so that RSA is not most of the work."""
    text = re.sub(r"(?m)^ *sign \"s2026a\".*\n", "", bulkhead.CONFIG)
    return text.replace("milter {{ ", "milter {{ %s\n" % milter)


def newsletter(size, number=1):
    """A text/html newsletter of about that many octets, 40 links at most."""
    body = b"<html><body>\n"
    links = b"".join(LINE % i for i in range(40))
    body += links[:size - len(body)].rpartition(b"\n")[0] + b"\n"
    words = b"<p>words and more words, and then some more of them</p>\n"
    body += words * max((size - len(body)) // len(words), 0)
    return (HEAD % number + b"Content-Type: text/html\n\n" + body
            + b"</body></html>\n")


def status(child, name):
    """A line of /proc/PID/status in octets: RssAnon, VmHWM."""
    with open("/proc/%d/status" % child.pid, encoding="ascii") as f:
        return int(re.search(r"%s:\s+(\d+) kB" % name, f.read()).group(1)) \
            * 1024


def bounded(is_so, what):
    """A claim about memory, of which a sanitizer keeps much for itself."""
    if bulkhead.sanitizer(bulkhead.MILTER):
        note("not judged under a sanitizer: " + what)
    else:
        tap.true(is_so, what)


def descriptors(child):
    """How many files the milter has open."""
    return len(os.listdir("/proc/%d/fd" % child.pid))


def load_argv(place, files, *options):
    """milter_load with those messages."""
    argv = [LOAD, "-s", "unix:" + place.path("mil.sock"), "--json"]
    for number, data in enumerate(files):
        path = place.path("load-%d.eml" % number)
        with open(path, "wb") as f:
            f.write(data)
        argv += ["-f", path]
    return argv + [str(o) for o in options]


def load(place, files, *options):
    """Runs milter_load; its counts.  It fails on an unexpected answer."""
    done = subprocess.run(load_argv(place, files, *options), timeout=280,
                          stdout=subprocess.PIPE, check=False)
    tap.equal(done.returncode, 0, "load: " + done.stdout.decode())
    return json.loads(done.stdout)


def note(text):
    """A figure for the reader of the TAP."""
    print("# " + text, flush=True)
