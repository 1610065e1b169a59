"""Debian's nginx and HAProxy, privately, with the files of packaging/proxies.

Of these only addresses, paths and the certificate are replaced; what is not
found to be replaced is an error, so that the samples cannot drift away.
"""
import glob
import http.server
import os
import re
import socket
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
import lab as labs  # noqa: E402

HOST = "t.example.com"
SAMPLES = os.path.join(labs.ROOT, "packaging/proxies")
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
NGINX = """\
daemon off;
pid {dir}/nginx.pid;
error_log {dir}/logs/main-error.log crit;
events {{ }}
http {{
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    access_log off;
    include {dir}/bulkhead.conf;
}}
"""
HAPROXY = "global\n\tlog {dir}/syslog local0\n"


def make_certificate(directory, host=HOST):
    """A certificate of its own: cert.pem, key.pem, and both in pem."""
    paths = [os.path.join(directory, n) for n in ("cert.pem", "key.pem")]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
         "/CN=" + host, "-addext", "subjectAltName=DNS:" + host, "-keyout",
         paths[1], "-out", paths[0]], check=True, stderr=subprocess.DEVNULL)
    with open(os.path.join(directory, "both.pem"), "w",
              encoding="ascii") as out:
        for path in paths:
            with open(path, encoding="ascii") as f:
                out.write(f.read())


def replaced(text, pairs):
    """The text with each thing replaced, which must be there."""
    for old, new in pairs:
        if old not in text:
            raise AssertionError("not in the sample: " + old)
        text = text.replace(old, new)
    return text


class Proxy:
    """One of them, in a directory of its own; use it in a with statement.

    backend: trackd's port.  edit: (old, new) pairs, to break the sample.
    """
    sample = ""

    def __init__(self, directory, backend, edit=()):
        self.dir, self.backend = directory, backend
        self.port = labs.free_port()
        self.child = None
        os.makedirs(self.path("logs"))
        make_certificate(self.dir)
        with open(os.path.join(SAMPLES, self.sample), encoding="utf-8") as f:
            self.configure(replaced(f.read(), list(edit)))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def path(self, name):
        """A path in its directory."""
        return os.path.join(self.dir, name)

    def write(self, name, text):
        """Writes a file there."""
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text.replace("{dir}", self.dir))

    def configure(self, sample):
        """Writes its files."""
        raise NotImplementedError

    def argv(self):
        """The command that runs it in the foreground."""
        raise NotImplementedError

    def start(self):
        """Runs it; returns when it takes connections."""
        with open(self.path("logs/output"), "ab") as out:
            self.child = subprocess.Popen(
                self.argv(), stdin=subprocess.DEVNULL, stdout=out,
                stderr=out, cwd=self.dir, env={"PATH": PATH},
                preexec_fn=labs._die_with_parent)
        labs.wait_for(self.sample, self._answers)

    def _answers(self):
        if self.child.poll() is not None:
            raise RuntimeError("%s ended:\n%s" % (self.sample, self.logs()))
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        """Ends it."""
        if self.child is not None and self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(10)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait(10)

    def logs(self):
        """All that it wrote to any log."""
        text = ""
        for path in sorted(glob.glob(self.path("logs/*"))):
            with open(path, encoding="utf-8", errors="replace") as f:
                text += f.read()
        return text


class Nginx(Proxy):
    """nginx, its sample inside an http { } of nothing else."""
    sample = "nginx.conf"

    def configure(self, sample):
        live = "/etc/letsencrypt/live/t.example.com"
        self.write("bulkhead.conf", replaced(sample, (
            ("listen 443", "listen 127.0.0.1:%d" % self.port),
            ("listen [::]:443", "listen [::1]:%d" % self.port),
            ("127.0.0.1:8025", "127.0.0.1:%d" % self.backend),
            (live + "/fullchain.pem", self.path("cert.pem")),
            (live + "/privkey.pem", self.path("key.pem")),
            ("/var/log/nginx", self.path("logs")))))
        self.write("nginx.conf", NGINX.format(dir=self.dir))

    def argv(self):
        return ["nginx", "-p", self.dir, "-c", self.path("nginx.conf"),
                "-e", self.path("logs/start-error.log")]


class HAProxy(Proxy):
    """HAProxy, its sample behind a global section of nothing but a log."""
    sample = "haproxy.cfg"

    def __init__(self, directory, backend, edit=()):
        super().__init__(directory, backend, edit)
        self.syslog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.syslog.bind(self.path("syslog"))
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        """The syslog: a line for each datagram."""
        with open(self.path("logs/syslog"), "ab", buffering=0) as out:
            while True:
                try:
                    out.write(self.syslog.recv(65536).rstrip() + b"\n")
                except OSError:
                    return

    def configure(self, sample):
        self.write("haproxy.cfg", replaced(sample, (
            ("bind :443,[::]:443 v6only", "bind 127.0.0.1:%d,[::1]:%d" % (
                self.port, self.port)),
            ("127.0.0.1:8025", "127.0.0.1:%d" % self.backend),
            ("/etc/haproxy/bulkhead.pem", self.path("both.pem")))))
        self.write("global.cfg", HAPROXY.format(dir=self.dir))

    def argv(self):
        return ["haproxy", "-db", "-f", self.path("global.cfg"), "-f",
                self.path("haproxy.cfg")]


class Answer:
    """What curl got: status, fields (lower case names), body, protocol."""

    def __init__(self, octets):
        head, _, self.body = octets.partition(b"\r\n\r\n")
        while re.match(rb"HTTP/\S+ 1\d\d", head):  # 100 Continue
            head, _, self.body = self.body.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.protocol, self.status = lines[0].split()[:2]
        self.status = int(self.status)
        self.fields = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.fields[name.strip().lower()] = value.strip()


def curl(proxy, path, *options, address="127.0.0.1", host=HOST):
    """Asks through the proxy by TLS, its certificate verified."""
    done = subprocess.run(
        ["curl", "-sS", "-i", "--max-time", "30", "--path-as-is", "--globoff",
         "--cacert", proxy.path("cert.pem"), "--connect-to",
         "%s:443:%s:%d" % (host, address, proxy.port)] + list(options) +
        ["https://%s%s" % (host, path)], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, timeout=60, env={"PATH": PATH}, check=False)
    if done.returncode != 0:
        raise AssertionError("curl: " + done.stderr.decode())
    return Answer(done.stdout)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self):
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size)
        while "chunked" in self.headers.get("Transfer-Encoding", ""):
            size = int(self.rfile.readline(), 16)
            body += self.rfile.read(size)
            self.rfile.readline()
            if size == 0:
                break
        if self.path != "/healthz":
            # self.path is no more what was sent where it began with "//"
            self.server.requests.append((
                self.command, self.requestline.split()[1], self.headers,
                body, self.client_address))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = do_HEAD = _answer

    def log_message(self, format, *args):
        """Says nothing."""


class Recorder:
    """A server that says 200 to all and keeps what it was asked."""

    def __init__(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      _Handler)
        self.server.daemon_threads = True
        self.server.requests = []
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def last(self):
        """Method, path, fields, body and connection of the last request."""
        return self.server.requests[-1]

    def close(self):
        """Ends it."""
        self.server.shutdown()
        self.server.server_close()
