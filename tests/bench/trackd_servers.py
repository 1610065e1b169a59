"""The HTTP servers that a bench compares, each started privately, and what
the load asks them."""
import http.client
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request

sys.dont_write_bytecode = True
import daemons  # noqa: E402  (finds the modules of the integration tests)
import bulkhead  # noqa: E402
import lab as labs  # noqa: E402

PROGRAM = os.path.join(labs.BUILD, "bulkhead-trackd")
TOKEN_MAKE = os.path.join(labs.BUILD, "tests/tools/token_make")
HOST = "t.example.com"
TARGET = "https://shop.example.com/autumn?utm_source=newsletter&item=4711"
LETTERS = {"click": "c", "open": "o", "one-click": "u"}

NGINX_CONF = """\
daemon off;
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/nginx-error.log crit;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{ return 302 "{target}"; }}
    }}
}}
"""

TRACKD_CONF = """\
store = "sqlite:{dir}/store"
token-keys = "{dir}/token.keys"
trackd {{
    listen  = "inet:127.0.0.1:{port}"
    spool   = "{dir}/spool"
    metrics = "inet:127.0.0.1:{metrics}"
}}
domain "example.com" {{ tracking-url = "https://{host}" }}
stream "newsletter" {{
    unsubscribe = one-click
    track       = {{ clicks, opens }}
}}
"""


class Place:
    """Where a daemon keeps what is its own."""

    def __init__(self, directory):
        self.dir = directory


class Server(daemons.Daemon):
    """An HTTP server at 127.0.0.1:port."""

    def __init__(self, name, directory):
        super().__init__(name, 0, Place(directory))
        self.port = labs.free_port()
        self.url = "http://127.0.0.1:%d" % self.port

    def start(self):
        """There is no socket in the file system to be opened to others."""
        open(self.socket, "wb").close()
        super().start()

    def _answers(self):
        try:
            return self.get("/healthz")[0] > 0
        except OSError:
            return False

    def get(self, path, method="GET", body=None):
        """Status and fields of the answer to a request."""
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            c.request(method, path, body, {"Host": HOST} if body is None else
                      {"Host": HOST, "Content-Type":
                       "application/x-www-form-urlencoded"})
            answer = c.getresponse()
            answer.read()
            return answer.status, answer.headers
        finally:
            c.close()

    def memory(self):
        """MB in memory, of all its processes."""
        total = 0
        for pid in self.pids():
            with open("/proc/%d/status" % pid, encoding="ascii") as f:
                total += int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))
        return total / 1024

    def settle(self):
        """Returns when it does nothing more."""
        before = self.cpu()
        for _ in range(600):
            time.sleep(0.1)
            now = self.cpu()
            if now - before < 0.003:
                return
            before = now


class Nginx(Server):
    """return 302, and nothing else."""

    def why_not(self):
        return None if shutil.which("nginx", path=daemons.PATH) else \
            "nginx is not installed (tests/deps-tests)"

    def argv(self):
        return ["nginx", "-p", self.keys.dir, "-c", self.write(
            NGINX_CONF.format(dir=self.keys.dir, port=self.port,
                              target=TARGET)),
                "-e", os.path.join(self.keys.dir, "nginx-start.log")]

    def prove(self, paths):
        """It redirects."""
        status, fields = self.get(paths["click"])
        if (status, fields["Location"]) != (302, TARGET):
            raise RuntimeError("nginx: %d" % status)


class Trackd(Server):
    """bulkhead-trackd with a store and events."""

    def __init__(self, name, directory):
        super().__init__(name, directory)
        self.metrics = labs.free_port()
        for sub in ("store", "spool"):
            os.makedirs(os.path.join(directory, sub))
        bulkhead.make_tokens(os.path.join(directory, "token.keys"))

    def argv(self):
        return [PROGRAM, "-f", "-c", self.write(TRACKD_CONF.format(
            dir=self.keys.dir, port=self.port, metrics=self.metrics,
            host=HOST))]

    def tokens(self, kind, count, salt=""):
        """A file of tokens to as many recipients; mailed 30 hours ago."""
        path = os.path.join(self.keys.dir, "%s%s.tokens" % (kind, salt))
        with open(path, "wb") as out:
            subprocess.run(
                [TOKEN_MAKE, "tokens",
                 os.path.join(self.keys.dir, "token.keys"), HOST,
                 LETTERS[kind], "example.com", "newsletter", "autumn", "",
                 "%sreader@example.net" % salt,
                 "%d" % (time.time() // 3600 - 30),
                 TARGET if kind == "click" else "", "%d" % count],
                check=True, stdout=out)
        return path

    def counters(self):
        """What it has counted, by name."""
        with urllib.request.urlopen(
                "http://127.0.0.1:%d/metrics" % self.metrics,
                timeout=30) as f:
            text = f.read().decode()
        return {name: float(value) for name, value in re.findall(
            r"(?m)^bulkhead_(\w+?)(?:_total)?\{[^}]*\} (\S+)$", text)}

    def prove(self, paths):
        """Each page does what it should, and not for a forged token."""
        for kind, want in (("click", 302), ("open", 200)):
            status, fields = self.get(paths[kind])
            if status != want or fields["Location"] != (
                    TARGET if kind == "click" else None):
                raise RuntimeError("%s: %d" % (kind, status))
            if self.get(paths[kind].replace("/", "/x", 2))[0] != 404:
                raise RuntimeError(kind + ": a forged token was taken")
        status, _ = self.get(paths["one-click"], "POST",
                             "List-Unsubscribe=One-Click")
        if status != 200:
            raise RuntimeError("one-click: %d" % status)
