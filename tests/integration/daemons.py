"""The three daemons with one directory, settings and keys, and mail for them.

    with daemons.World() as w:
        w.start()
        w.status("milter")
"""
import http.client
import json
import os
import signal
import socket
import subprocess
import sys

sys.dont_write_bytecode = True
import bulkhead as bulkheads  # noqa: E402
import lab as labs  # noqa: E402
import trackd as trackds  # noqa: E402

NAMES = ("milter", "policyd", "trackd")
LOAD = os.path.join(labs.BUILD, "tests/tools/milter_load")

CONFIG = """\
store = "sqlite:{dir}/store"
token-keys = "{dir}/token.keys"
return-path-keys = "{dir}/return-path.keys"
trusted-networks = {{ "127.0.0.0/8" }}
milter {{
    socket = "unix:{dir}/mil.sock"
    {milter}
}}
policyd {{
    control = "unix:{dir}/control.sock"
    {policyd}
}}
trackd {{
    listen = "inet:127.0.0.1:{port}"
    spool  = "{dir}/spool"
    {trackd}
}}
domain "example.com" {{
    tracking-url = "https://t.example.com"
    sign "s2026a" {{ key = "{dir}/key.pem" }}
}}
stream "newsletter" {{ track = {{ clicks }} }}
{more}
"""

MESSAGE = """\
From: News <news@example.com>
To: <jane@example.net>
Subject: keys
Message-ID: <1@example.com>
Date: Mon, 23 Nov 2026 12:00:00 +0000
MIME-Version: 1.0
Content-Type: text/html; charset=us-ascii

<p><a href="https://example.com/one">one</a>
<a href="https://example.com/two">two</a></p>
"""


def why_not():
    """Exits when the programs were not built."""
    for name in NAMES:
        program = os.path.join(labs.BUILD, "bulkhead-" + name)
        for path in (program, LOAD):
            if not os.access(path, os.X_OK):
                print("Bail out! not built: " + path)
                sys.exit(1)
    trackds.why_not()


class UnixHTTP(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self.path = path

    def connect(self):
        """As the name says."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class World:
    """The daemons; their metrics sockets are unix ones unless told else."""

    def __init__(self):
        self.trackd = trackds.Trackd()
        self.children = {}
        self.metrics = {n: "unix:" + self.path(n + "-metrics")
                        for n in NAMES}

    def __enter__(self):
        return self

    def __exit__(self, *what):
        for child in self.children.values():
            if child.poll() is None:
                child.kill()
            child.wait(10)
        said = [s[0] for s in map(trackds.SANITIZER.search,
                                  map(self.log, NAMES)) if s]
        self.trackd.__exit__(*what)
        if said:
            raise AssertionError(said[0])

    def path(self, name):
        """A path in the directory of all."""
        return self.trackd.path(name)

    def configure(self, more="", without=()):
        """Settings; those without a metrics socket cannot be asked."""
        lines = {n: 'metrics = "%s"' % self.metrics[n]
                 if n not in without else "" for n in NAMES}
        with open(self.path("bulkhead.conf"), "w", encoding="utf-8") as f:
            f.write(CONFIG.format(dir=self.trackd.dir, more=more,
                                  port=self.trackd.port, **lines))

    def prepare(self):
        """Keys and mail."""
        bulkheads.make_key(self.path("key.pem"), "rsa")
        bulkheads.make_tokens(self.path("return-path.keys"))
        with open(self.path("mail.eml"), "w", encoding="ascii") as f:
            f.write(MESSAGE)
        os.mkdir(self.path("out"))
        self.configure()

    def start(self, *names):
        """Those daemons; returns when they are ready."""
        if not os.path.exists(self.path("key.pem")):
            self.prepare()
        for name in names or NAMES:
            before = self.log(name).count("ready:")
            with open(self.path(name + ".log"), "ab") as out:
                self.children[name] = subprocess.Popen(
                    [os.path.join(labs.BUILD, "bulkhead-" + name), "-f", "-c",
                     self.path("bulkhead.conf")], stdout=out, stderr=out,
                    preexec_fn=labs._die_with_parent)
            self.wait_log(name, "ready:", before + 1)
        if "trackd" in (names or NAMES):
            self.trackd.child = self.children["trackd"]
            labs.wait_for("trackd", self.trackd.is_up, 60)
        for name in names or NAMES:
            labs.wait_for(name + "'s metrics", lambda n=name: self.is_told(n),
                          30)

    def is_told(self, name):
        """Is there an answer at its socket, if it has one?"""
        with open(self.path("bulkhead.conf"), encoding="utf-8") as f:
            if self.metrics[name] not in f.read():
                return True
        try:
            return self.ask(name)[0] == 200
        except OSError:
            return False

    def log(self, name):
        """What it said."""
        try:
            with open(self.path(name + ".log"), encoding="utf-8") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def wait_log(self, name, text, count=1):
        """Waits until it said so that many times."""
        labs.wait_for("%s: %s" % (name, text), lambda: self.log(
            name).count(text) >= count, 60)

    def reload(self, name, says="settings loaded anew"):
        """SIGHUP; returns when it said that."""
        before = self.log(name).count(says)
        self.children[name].send_signal(signal.SIGHUP)
        self.wait_log(name, says, before + 1)

    def ask(self, name, path="/status", method="GET", fields=None):
        """(status, fields, body) of its metrics socket."""
        where = self.metrics[name]
        if where.startswith("unix:"):
            conn = UnixHTTP(where[5:])
        else:
            host, port = where[len("inet:"):].rsplit(":", 1)
            conn = http.client.HTTPConnection(host.strip("[]"), int(port),
                                              timeout=20)
        try:
            conn.request(method, path, headers=fields or {})
            reply = conn.getresponse()
            return reply.status, reply.headers, reply.read()
        finally:
            conn.close()

    def status(self, name):
        """Its /status."""
        return json.loads(self.ask(name)[2])

    def load(self, *options):
        """Messages through the milter, in the background."""
        child = subprocess.Popen(
            [LOAD, "-s", "unix:" + self.path("mil.sock"), "-f",
             self.path("mail.eml"), "-S", "news@example.com", "-r",
             "jane@example.net", "-O", self.path("out")] + list(options),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            preexec_fn=labs._die_with_parent)
        self.children["load %d" % len(self.children)] = child
        return child

    def command(self, *words):
        """(exit code, output) of `bulkhead`."""
        done = subprocess.run(
            [trackds.COMMAND] + list(words) + [
                "-c", self.path("bulkhead.conf")], timeout=90,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return done.returncode, done.stdout.decode()
