"""bulkhead-trackd in a directory of its own, tokens, and clients without mercy.

    with trackd.Trackd() as d:
        d.start()
        reply = d.get("/c/" + d.token("c", url="https://example.com/"))
"""
import base64
import collections
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import lab as labs  # noqa: E402
import tap  # noqa: E402

PROGRAM = os.path.join(labs.BUILD, "bulkhead-trackd")
COMMAND = os.path.join(labs.BUILD, "bulkhead")
TOKEN_MAKE = os.path.join(labs.BUILD, "tests/tools/token_make")
HOST = "t.example.com"

# Base settings; {trackd} are lines of its section.
CONFIG = """\
store = "sqlite:{dir}/store"
token-keys = "{dir}/token.keys"
trackd {{
    listen = "inet:127.0.0.1:{port}"
    spool  = "{dir}/spool"
{trackd}
}}
domain "example.com" {{ tracking-url = "https://t.example.com" }}
domain "mailer.example" {{ tracking-url = "https://t.mailer.example" }}
stream "newsletter" {{
    unsubscribe = one-click
    track       = {{ clicks, opens }}
    domain      = "example.com"
}}
"""

SANITIZER = re.compile(r"(?s)(ERROR: \w+Sanitizer|WARNING: \w+Sanitizer|"
                       r"\S+ runtime error: ).{,1500}")

Reply = collections.namedtuple("Reply", "status fields body raw")


def free_port():
    """A port that nobody listens on now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Client:
    """One connection; octets out, replies in."""

    def __init__(self, address, timeout=30):
        if isinstance(address, str):
            self.sock = socket.socket(socket.AF_UNIX)
        else:
            self.sock = socket.socket()
        self.sock.settimeout(timeout)
        self.sock.connect(address)
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Hangs up."""
        self.sock.close()

    def send(self, data):
        """Sends octets; reply() tells if it was closed."""
        try:
            self.sock.sendall(data)
        except (ConnectionResetError, BrokenPipeError):
            pass
        return self

    def _more(self):
        try:
            got = self.sock.recv(1 << 20)
        except (ConnectionResetError, BrokenPipeError):
            got = b""
        self.rest += got
        return bool(got)

    def reply(self, method="GET"):
        """The next reply; None: closed before any octet of it."""
        while b"\r\n\r\n" not in self.rest:
            if not self._more():
                if self.rest:
                    raise AssertionError("half a reply: %r" % self.rest)
                return None
        head, _, rest = self.rest.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ")[1])
        fields = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            fields[name.lower()] = value.strip()
        size = int(fields.get("content-length", 0))
        if method == "HEAD" or status in (100, 204, 304):
            size = 0
        while len(rest) < size:
            if not self._more():
                raise AssertionError("half a body: %r" % self.rest)
            rest = self.rest.partition(b"\r\n\r\n")[2]
        self.rest = rest[size:]
        return Reply(status, fields, rest[:size], head + b"\r\n\r\n"
                     + rest[:size])

    def is_closed(self):
        """Waits until the other side hangs up; False: it sent something."""
        return not self.rest and not self._more()

    def ask(self, method, path, host=HOST, fields=(), body=None):
        """One request and its reply."""
        self.send(request(method, path, host, fields, body))
        return self.reply(method)


def request(method, path, host=HOST, fields=(), body=None):
    """A request as octets; fields: pairs."""
    lines = ["%s %s HTTP/1.1" % (method, path)]
    if host is not None:
        lines.append("Host: " + host)
    lines += ["%s: %s" % f for f in fields]
    if body is not None:
        lines.append("Content-Length: %d" % len(body))
    return "\r\n".join(lines + ["", ""]).encode("latin-1") + (body or b"")


class Trackd:
    """A trackd; use it in a with statement.

    config: sections and keys added behind the base settings; section: lines
    added to trackd { }; user: who it becomes.
    """

    def __init__(self, config="", section="", user=None):
        self.dir = tempfile.mkdtemp(prefix="bh-", dir="/tmp")
        os.chmod(self.dir, 0o755)
        self.user = user
        for name in ("store", "spool"):
            os.mkdir(self.path(name))
            if user is not None:
                shutil.chown(self.path(name), user)
        self.port = free_port()
        self.address = ("127.0.0.1", self.port)
        self.child = None
        self.keys = []
        self.add_key("k1")
        self.configure(config, section)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Fails on what a sanitizer said."""
        self.kill()
        said = SANITIZER.search(self.log())
        shutil.rmtree(self.dir, ignore_errors=True)
        if said:
            raise AssertionError(said[0])

    def path(self, name):
        """A path in the directory."""
        return os.path.join(self.dir, name)

    def _write(self, name, text, mode=0o644):
        with open(self.path("new"), "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self.path("new"), mode)
        if self.user is not None:
            shutil.chown(self.path("new"), self.user)
        os.rename(self.path("new"), self.path(name))

    def configure(self, config="", section=""):
        """Writes the settings, in one step."""
        self._write("bulkhead.conf", CONFIG.format(
            dir=self.dir, port=self.port, trackd=section) + config)

    def add_key(self, name, first=False):
        """A new token key; the first one seals."""
        line = "%s %s" % (name, base64.b64encode(os.urandom(64)).decode())
        self.keys.insert(0 if first else len(self.keys), line)
        self.write_keys()

    def write_keys(self):
        """Writes self.keys, in one step."""
        self._write("token.keys", "\n".join(self.keys) + "\n", 0o600)

    def token(self, kind, url="", host=HOST, domain="example.com",
              stream="newsletter", campaign="spring", list_key="",
              recipient="jane@example.net", hours=None):
        """A token's text; kind: c, o or u."""
        if hours is None:
            hours = int(time.time() // 3600)
        done = subprocess.run(
            [TOKEN_MAKE, "token", self.path("token.keys"), host, kind, domain,
             stream, campaign, list_key, recipient, str(hours), url],
            check=True, stdout=subprocess.PIPE)
        return done.stdout.decode().strip()

    def start(self, *more, files=None, wait=True):
        """Starts it; returns when it answers."""
        argv = [PROGRAM, "-c", self.path("bulkhead.conf"), "-f"] + list(more)
        if self.user is not None:
            argv += ["-u", self.user]
        if files is not None:
            argv = ["prlimit", "--nofile=%d:%d" % (files, files)] + argv
        with open(self.path("log"), "ab") as out:
            self.child = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                preexec_fn=labs._die_with_parent)
        if wait:
            labs.wait_for("trackd", self.is_up, 60)
        return self

    def is_up(self):
        """Does it answer?"""
        if self.child.poll() is not None:
            raise RuntimeError("trackd ended:\n" + self.log())
        try:
            return self.get("/healthz").status == 200
        except (OSError, AttributeError):
            return False

    def client(self, timeout=30):
        """A connection."""
        return Client(self.address, timeout)

    def ask(self, method, path, host=HOST, fields=(), body=None):
        """One request on a connection of its own."""
        with self.client() as c:
            return c.ask(method, path, host, fields, body)

    def get(self, path, **more):
        """GET."""
        return self.ask("GET", path, **more)

    def post(self, path, body=b"List-Unsubscribe=One-Click", fields=(
            ("Content-Type", "application/x-www-form-urlencoded"),), **more):
        """POST; as RFC 8058 has it unless told otherwise."""
        return self.ask("POST", path, fields=fields, body=body, **more)

    def raw(self, data, method="GET"):
        """The reply to octets on a connection of their own."""
        with self.client() as c:
            return c.send(data).reply(method)

    def log(self):
        """What it said."""
        try:
            with open(self.path("log"), encoding="utf-8") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def wait_log(self, text, count=1, seconds=60):
        """Waits until it said so that many times."""
        labs.wait_for(text, lambda: self.log().count(text) >= count, seconds)

    def signal(self, sig):
        """Sends it a signal."""
        os.kill(self.child.pid, sig)

    def counters(self):
        """What it has counted, by SIGUSR2: {name: number}."""
        before = self.log().count("counters:")
        self.signal(signal.SIGUSR2)
        self.wait_log("counters:", before + 1)
        labs.wait_for("the line's end", lambda: self.log().endswith("\n"), 9)
        line = self.log().rsplit("counters:", 1)[1].split("\n")[0]
        return {k: int(v) for k, v in re.findall(r" (\w+)=(\d+)(?!\S)", line)}

    def memory(self):
        """Octets that are resident."""
        with open("/proc/%d/statm" % self.child.pid, encoding="ascii") as f:
            return int(f.read().split()[1]) * resource.getpagesize()

    def reload(self, says="settings loaded anew"):
        """SIGHUP; returns when it said that."""
        before = self.log().count(says)
        self.signal(signal.SIGHUP)
        self.wait_log(says, before + 1)

    def stop(self, seconds=60):
        """SIGTERM; the exit status."""
        self.signal(signal.SIGTERM)
        return self.child.wait(seconds)

    def kill(self):
        """SIGKILL, if it runs."""
        if self.child is not None and self.child.poll() is None:
            self.child.kill()
            self.child.wait(10)

    def command(self, verb, *argv, ok=(0,)):
        """Runs `bulkhead VERB`; its output.

        "events" takes the options; "suppress check" is two words.
        """
        words = verb.split(" ")
        done = subprocess.run(
            [COMMAND] + words + ["-c", self.path("bulkhead.conf")]
            + list(argv), stdout=subprocess.PIPE, timeout=60,
            stderr=subprocess.STDOUT, check=False)
        if done.returncode not in ok:
            raise AssertionError("%r: %d: %s" % (
                words + list(argv), done.returncode, done.stdout.decode()))
        return done.stdout.decode()

    def is_suppressed(self, address, scope=None):
        """Is it on the list, on disk?"""
        more = ["--scope", scope] if scope else []
        done = subprocess.run(
            [COMMAND, "suppress", "check", "-c", self.path("bulkhead.conf")]
            + more + [address], stdout=subprocess.PIPE, timeout=60,
            stderr=subprocess.STDOUT, check=False)
        if done.returncode not in (0, 1):
            raise AssertionError(done.stdout.decode())
        return done.returncode == 0


def why_not():
    """Exits when the programs were not built."""
    for program in (PROGRAM, COMMAND, TOKEN_MAKE):
        if not os.access(program, os.X_OK):
            print("Bail out! not built: " + program)
            sys.exit(1)


def expect_not_found(reply, what=""):
    """The one answer to whatever is not there."""
    tap.equal(reply.status, 404, what)
    tap.equal(reply.body, b"Not found\n", what)
