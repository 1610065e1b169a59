#!/usr/bin/python3
"""bulkhead-trackd over real sockets: HTTP by the letter, HTTP by the fist,
many connections, many requests, signals under load."""
import os
import random
import re
import resource
import shutil
import signal
import socket
import struct
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bulkhead  # noqa: E402
import lab as labs  # noqa: E402
import tap  # noqa: E402
import trackd as t  # noqa: E402

URL = "https://www.example.com/offer?id=1&x=%20#top"
HOST = b"Host: t.example.com\r\n"
COMMON = {"cache-control": "no-store", "referrer-policy": "no-referrer",
          "x-content-type-options": "nosniff",
          "x-robots-tag": "noindex, nofollow"}
MANY = 10000
REQUESTS = 200000
LOAD_SECONDS = 1.5


class World:
    """The trackd of most tests, and its tokens."""

    d = None
    click = open = unsubscribe = None


def check_common(reply):
    """Fields of all answers, and none that would tell or keep anything."""
    for name, value in COMMON.items():
        tap.equal(reply.fields.get(name), value, name)
    for name in ("server", "set-cookie", "etag", "last-modified",
                 "accept-ranges"):
        tap.true(name not in reply.fields, name + " in an answer")


def without_date(raw):
    """An answer as octets, but for the time."""
    return re.sub(rb"\r\nDate: [^\r]*", b"", raw)


def test_click():
    """302 to what the token holds."""
    for method in ("GET", "HEAD"):
        r = World.d.ask(method, "/c/" + World.click)
        tap.equal((r.status, r.fields["location"], r.body),
                  (302, URL, b""), method)
        check_common(r)
    r = World.d.get("/c/" + World.click + "?utm_source=x&fbclid=y")
    tap.equal((r.status, r.fields["location"]), (302, URL), "a query")


def test_open():
    """A GIF of 43 octets; a HEAD tells its length alone."""
    r = World.d.get("/o/" + World.open + ".gif")
    tap.equal((r.status, len(r.body), r.body[:6]), (200, 43, b"GIF89a"))
    tap.equal(r.fields["content-type"], "image/gif")
    check_common(r)
    r = World.d.ask("HEAD", "/o/" + World.open + ".gif")
    tap.equal((r.status, r.fields["content-length"]), (200, "43"))
    r = World.d.get("/o/" + World.open + ".gif",
                    fields=[("Range", "bytes=0-9")])
    tap.equal((r.status, len(r.body)), (200, 43), "a range")
    r = World.d.get("/o/" + World.open + ".gif", fields=[
        ("If-Modified-Since", "Mon, 23 Nov 2099 00:00:00 GMT"),
        ("If-None-Match", "*")])
    tap.equal(r.status, 200, "a condition")


def test_health_and_robots():
    """Paths of their own, that need no key."""
    tap.equal(World.d.get("/healthz", host="x").body, b"ok\n")
    r = World.d.ask("HEAD", "/healthz")
    tap.equal((r.status, r.fields["content-length"]), (200, "3"))
    tap.true(b"Disallow: /\n" in World.d.get("/robots.txt").body, "robots")


def test_methods():
    """OPTIONS tells; others are 405 where a page is, 404 where none is."""
    path = "/c/" + World.click
    r = World.d.ask("OPTIONS", path)
    tap.equal((r.status, r.fields["allow"], r.body),
              (204, "GET, HEAD, OPTIONS", b""))
    for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND",
                   "get", "X" * 200):
        r = World.d.ask(method, path)
        tap.equal((r.status, r.fields.get("allow")),
                  (405, "GET, HEAD, OPTIONS"), method)
        check_common(r)
        t.expect_not_found(World.d.ask(method, "/nothing"), method)
    tap.equal(World.d.ask("POST", path, body=b"x" * 100).status, 405, "body")
    r = World.d.ask("OPTIONS", "*")
    tap.equal((r.status, r.fields["allow"]),
              (204, "GET, HEAD, POST, OPTIONS"), "*")


def test_one_answer_to_refused_tokens():
    """All that is not there is the same 404, octet for octet."""
    want = without_date(World.d.get("/nothing").raw)
    tap.true(want.startswith(b"HTTP/1.1 404 "), want[:40])
    for path in ("/", "/c/", "/c/x", "/c/" + World.click[:-1],
                 "/c/" + World.click + "x", "/c/" + World.open,
                 "/o/" + World.click + ".gif", "/u/" + World.click,
                 "/c/" + World.unsubscribe, "/c/AAAA", "/o/.gif",
                 "/c/" + "A" * 2000, "/c/" + "A" * 8000, "//", "/./",
                 "/c", "/C/" + World.click, "//c/" + World.click,
                 "/./c/" + World.click, "/c%2F" + World.click,
                 "/%63/" + World.click, "/c/../c/" + World.click,
                 "/x%00/c/" + World.click, "/../../etc/passwd",
                 "/healthz/", "/favicon.ico"):
        tap.equal(without_date(World.d.get(path).raw), want, path)
    tap.equal(without_date(World.d.get(
        "/c/" + World.click, host="t.mailer.example").raw), want,
        "another tracking host")


def test_hosts():
    """A host that is not known is no reason to refuse: the token is."""
    for host in ("t.example.com", "T.Example.Com", "t.example.com:443",
                 "t.example.com.", "127.0.0.1:8025", "evil.example", "",
                 "a/b", "a@b", "[::1]", "x" * 3000, "../..", "%00", "a b",
                 "\"><script>", "t.example.com, evil.example"):
        r = World.d.get("/c/" + World.click, host=host)
        tap.equal((r.status, r.fields.get("location")), (302, URL), host)
    r = World.d.get("/c/" + World.click, host="127.0.0.1",
                    fields=[("X-Forwarded-Host", "t.mailer.example")])
    tap.equal(r.status, 404, "X-Forwarded-Host of a proxy counts")


def test_http_1_0():
    """With and without Host; closed behind the answer unless asked."""
    line = b"GET /c/" + World.click.encode() + b" HTTP/1.0\r\n"
    for fields in (b"", HOST):
        with World.d.client() as c:
            r = c.send(line + fields + b"\r\n").reply()
            tap.equal((r.status, r.fields["location"]), (302, URL))
            tap.true(c.is_closed(), "open behind an answer to HTTP/1.0")
    with World.d.client() as c:
        for _ in range(3):
            c.send(line + b"Connection: keep-alive\r\n\r\n")
            tap.equal(c.reply().status, 302, "keep-alive")


def test_pipelining():
    """A hundred requests at once: answers in their order."""
    want = [i % 3 for i in range(100)]
    path = {0: "/c/" + World.click, 1: "/o/" + World.open + ".gif",
            2: "/nothing"}
    with World.d.client() as c:
        c.send(b"".join(t.request("GET", path[i]) for i in want))
        got = [{302: 0, 200: 1, 404: 2}[c.reply().status] for _ in want]
    tap.equal(got, want)


def test_closing():
    """Connection: close is kept."""
    with World.d.client() as c:
        r = c.ask("GET", "/healthz", fields=[("Connection", "close")])
        tap.equal(r.status, 200)
        tap.true(c.is_closed(), "still open")


def test_absolute_form():
    """Its authority is the host; Host stands beside it."""
    for scheme in ("http", "https", "HTTP"):
        line = "GET %s://t.example.com/c/%s HTTP/1.1\r\nHost: x\r\n\r\n" % (
            scheme, World.click)
        tap.equal(World.d.raw(line.encode()).fields["location"], URL, scheme)
    line = "GET http://t.mailer.example/c/%s HTTP/1.1\r\n" % World.click
    tap.equal(World.d.raw(line.encode() + HOST + b"\r\n").status, 404)


def test_long_urls():
    """8 KB are taken; more is 414, long fields are 431."""
    pad = "A" * (8192 - len("/c/"))
    t.expect_not_found(World.d.get("/c/" + pad), "8,192 octets")
    for n in (1, 100, 4000, 12000, 60000):
        tap.equal(World.d.get("/c/" + pad + "A" * n).status, 414, str(n))
    for query in ("a" * 8000, "a&" * 4000, "a=b&" * 2000, "&" * 8000,
                  "?" * 8000, "%" * 8000):
        r = World.d.get("/c/" + World.click + "?" + query)
        tap.equal(r.status, 302, "a long query: " + query[:8])


def test_fields():
    """Floods of fields and long ones."""
    path = "/c/" + World.click
    for n in (63, 64, 65, 200):
        r = World.d.get(path, fields=[("X-%d" % i, "y") for i in range(n)])
        tap.equal(r.status, 302, "%d fields" % n)
    tap.equal(World.d.get(path, fields=[("X", "y" * 8000)]).status, 302)
    for fields in ([("X", "y" * 60000)], [("X" * 60000, "y")],
                   [("X-%d" % i, "y") for i in range(5000)]):
        tap.equal(World.d.get(path, fields=fields).status, 431)


# name, octets, status; None: no answer; no body of it may be taken for a
# request
ODD = (
    ("no Host in 1.1", b"GET /healthz HTTP/1.1\r\n\r\n", 400),
    ("two Hosts", b"GET /healthz HTTP/1.1\r\n" + HOST + HOST + b"\r\n", 400),
    ("two lengths", b"POST /u/x HTTP/1.1\r\n" + HOST +
     b"Content-Length: 3\r\nContent-Length: 40\r\n\r\nabc", 400),
    ("the same length twice", b"POST /u/x HTTP/1.1\r\n" + HOST +
     b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
    ("length and chunked", b"POST /u/x HTTP/1.1\r\n" + HOST +
     b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     400),
    ("chunked and length", b"POST /u/x HTTP/1.1\r\n" + HOST +
     b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
     400),
    ("chunked twice", b"POST /u/x HTTP/1.1\r\n" + HOST +
     b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
     b"0\r\n\r\n", 400),
    ("another coding", b"POST /u/x HTTP/1.1\r\n" + HOST +
     b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    ("nearly chunked", b"POST /u/x HTTP/1.1\r\n" + HOST +
     b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501),
    ("a blank before the colon", b"POST /u/x HTTP/1.1\r\n" + HOST +
     b"Content-Length : 3\r\n\r\nGET", 400),
    ("a folded first field", b"GET /healthz HTTP/1.1\r\n X: y\r\n" + HOST +
     b"\r\n", 400),
    ("length +3", b"POST /u/x HTTP/1.1\r\n" + HOST +
     b"Content-Length: +3\r\n\r\nabc", 400),
    ("length -3", b"POST /u/x HTTP/1.1\r\n" + HOST +
     b"Content-Length: -3\r\n\r\nabc", 400),
    ("length 3, 3", b"POST /u/x HTTP/1.1\r\n" + HOST +
     b"Content-Length: 3, 3\r\n\r\nabc", 400),
    ("length 0x3", b"POST /u/x HTTP/1.1\r\n" + HOST +
     b"Content-Length: 0x3\r\n\r\nabc", 400),
    ("a huge length", b"POST /u/x HTTP/1.1\r\n" + HOST +
     b"Content-Length: 99999999999999999999999\r\n\r\nabc", 413),
    ("a long body", b"POST /u/x HTTP/1.1\r\n" + HOST +
     b"Content-Length: 1000000000\r\n\r\nabc", 413),
    ("a long body that asks first", b"POST /u/x HTTP/1.1\r\n" + HOST +
     b"Content-Length: 17000\r\nExpect: 100-continue\r\n\r\n", 413),
    ("long chunks", b"POST /u/x HTTP/1.1\r\n" + HOST +
     b"Transfer-Encoding: chunked\r\n\r\n5000\r\n" + b"a" * 0x5000 +
     b"\r\n0\r\n\r\n", 413),
    ("endless chunks", b"POST /u/x HTTP/1.1\r\n" + HOST +
     b"Transfer-Encoding: chunked\r\n\r\n" + (b"4000\r\n" + b"a" * 0x4000 +
                                              b"\r\n") * 20, None),
    ("no chunk", b"POST /u/x HTTP/1.1\r\n" + HOST +
     b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n", 400),
    ("a negative chunk", b"POST /u/x HTTP/1.1\r\n" + HOST +
     b"Transfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n", 400),
    ("no colon", b"GET /healthz HTTP/1.1\r\n" + HOST + b"nocolon\r\n\r\n",
     400),
    ("NUL in a name", b"GET /healthz HTTP/1.1\r\n" + HOST +
     b"X\0Y: b\r\n\r\n", 400),
    ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ("HTTP/0.9", b"GET /healthz\r\n\r\n", 400),
    ("no version", b"GET /healthz JUNK\r\n" + HOST + b"\r\n", 400),
)


def test_odd_requests():
    """What two programs could read in two ways is refused and hung up on."""
    for name, data, status in ODD:
        with World.d.client() as c:
            r = c.send(data).reply()
            tap.equal(r and r.status, status, name)
            if r is not None and r.body.endswith(b"\n"):
                check_common(r)
                tap.true(c.is_closed(), name + ": something more came")
    tap.equal(World.d.get("/healthz").status, 200, "afterwards")


def test_taken_as_they_are():
    """Forms that RFC 9112 lets one take."""
    path = b"GET /c/" + World.click.encode()
    for name, data in (
            ("bare LF", path + b" HTTP/1.1\nHost: t.example.com\n\n"),
            ("folded", path + b" HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n\r\n"),
            ("empty lines before", b"\r\n\r\n" + path + b" HTTP/1.1\r\n" +
             HOST + b"\r\n"),
            ("HTTP/1.2", path + b" HTTP/1.2\r\n" + HOST + b"\r\n"),
            ("a body", path + b" HTTP/1.1\r\n" + HOST +
             b"Content-Length: 3\r\n\r\nabc"),
            ("blanks in the path", path + b" HTTP/1.1\r\n" + HOST +
             b"\r\n")):
        r = World.d.raw(data)
        tap.equal((r.status, r.fields.get("location")), (302, URL), name)


def test_noise():
    """Octets that are no HTTP at all."""
    for data in (b"\0" * 5000, b"\xff" * 5000, b"\r\n" * 5000, b" " * 5000,
                 b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 99,
                 b":" * 5000 + b"\r\n\r\n", b"GET " * 3000 + b"\r\n\r\n",
                 b"A" * 100000, bytes(range(256)) * 40 + b"\r\n\r\n",
                 os.urandom(20000)):
        with World.d.client() as c:
            c.send(data)
            try:
                c.sock.shutdown(socket.SHUT_WR)
                while c.sock.recv(65536):
                    pass
            except OSError:
                pass  # closed already
        tap.equal(World.d.get("/healthz").status, 200, repr(data[:20]))


def test_continue():
    """Expect: 100-continue is answered before the body."""
    with World.d.client() as c:
        c.send(t.request("POST", "/c/" + World.click, fields=[
            ("Content-Length", "3"), ("Expect", "100-continue")]))
        tap.equal(c.reply().status, 100)
        tap.equal(c.send(b"abc").reply().status, 405)


def test_header_injection():
    """A token that holds line breaks makes no field of its own."""
    for url in ("https://example.com/\r\nSet-Cookie: a=b\r\n\r\nbody",
                "https://example.com/\nX: y", "https://example.com/\r",
                "https://example.com/\x01\x7f\xc3\xa4\xff"):
        r = World.d.get("/c/" + World.d.token("c", url=url))
        tap.equal(r.status, 302, repr(url))
        check_common(r)
        tap.true("x" not in r.fields, "a field of the token's")
        tap.true(re.fullmatch(r"https://example\.com/[!-~]*",
                              r.fields["location"]), r.fields["location"])
    for url in ("javascript:alert(1)", "//evil.example", "data:text/html,x",
                "/c/x", "ftp://example.com/"):
        t.expect_not_found(World.d.get(
            "/c/" + World.d.token("c", url=url)), url)


def test_mangled():
    """As mail programs leave them; nothing else in the path counts."""
    half = len(World.click) // 2
    wrapped = World.click[:half] + "=%0D%0A" + World.click[half:]
    for text in (World.click + ")", World.click + "%22", "3D" + World.click,
                 wrapped, World.click + "&amp;x=https://evil.example"):
        r = World.d.get("/c/" + text)
        tap.equal((r.status, r.fields.get("location")), (302, URL), text)


def test_counters():
    """What was answered is counted."""
    before = World.d.counters()
    World.d.get("/c/" + World.click)
    World.d.get("/o/" + World.open + ".gif")
    World.d.get("/c/x")
    World.d.ask("PUT", "/c/x")
    after = World.d.counters()
    more = [after.get(k, 0) - before.get(k, 0) for k in (
        "http_requests", "clicks", "opens", "tokens_refused", "http_refused",
        "events")]
    tap.equal(more, [4, 1, 1, 1, 1, 2])


def _drip(client, first, rest):
    """Sends first, then rest an octet each half second until it is closed."""
    client.send(first)
    client.sock.settimeout(0.5)
    for octet in rest * 100:
        try:
            if not client.sock.recv(1000):
                return
        except socket.timeout:
            client.send(bytes([octet]))
        except ConnectionResetError:
            return
    raise AssertionError("never closed")


def test_slow_clients():
    """Whoever drips a request, or nothing, is hung up on; others are not."""
    head = b"GET /healthz HTTP/1.1\r\n" + HOST
    post = b"POST /u/x HTTP/1.1\r\n" + HOST + b"Content-Length: 9999\r\n\r\n"
    failed = []

    def slow(first, rest):
        try:
            with World.d.client() as c:
                _drip(c, first, rest)
        except Exception as e:  # told by the main thread
            failed.append("%r: %r" % (first, e))

    threads = [threading.Thread(target=slow, args=a) for a in (
        (b"", b"G"), (head, b"X"), (head + b"X: ", b"y"), (post, b"a"),
        (b"GET /", b"a"), (b"", b"\n"))]
    idle = World.d.client()
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        tap.equal(World.d.get("/healthz").status, 200, "meanwhile")
        time.sleep(0.5)
    tap.equal(failed, [])
    tap.true(idle.is_closed(), "an idle connection is kept")


def _raise_files(n):
    """So many files for this process; false: it may not."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < n:
        return False
    resource.setrlimit(resource.RLIMIT_NOFILE, (n, hard))
    return True


def test_many_connections():
    """10,000 that are open, each in the middle of a request."""
    if not _raise_files(MANY + 500):
        raise tap.Skip("too few files may be open")
    with t.Trackd() as d:
        d.start(files=MANY + 100)
        token = d.token("c", url=URL)
        line = b"GET /c/" + token.encode() + b" HTTP/1.1\r\n" + HOST
        empty = d.memory()
        clients = [d.client() for _ in range(MANY)]
        for c in clients:
            c.send(line + b"X: ")
        labs.wait_for("all to be accepted", lambda: d.counters().get(
            "http_connections", 0) >= MANY, 60)
        half = (d.memory() - empty) / MANY
        for c in clients:
            c.send(b"y" * 4000 + b"\r\n\r\n")
        for c in clients:
            tap.equal(c.reply().status, 302)
        full = (d.memory() - empty) / MANY
        tap.equal(d.get("/c/" + token).status, 302, "one more")
        for c in clients:
            c.close()
        tap.equal(d.stop(), 0)
    print("# octets a connection: %d within a request, %d behind a long one"
          % (half, full))
    if bulkhead.sanitizer(t.PROGRAM):
        return
    tap.true(half < 16384, "%d octets a connection" % half)
    tap.true(full < 32768, "%d octets a connection" % full)


def test_connection_limit():
    """More than max-connections wait until one goes."""
    with t.Trackd(section="max-connections = 8") as d:
        d.start()
        clients = [d.client() for _ in range(8)]
        for c in clients:
            tap.equal(c.ask("GET", "/healthz").status, 200)
        late = d.client().send(t.request("GET", "/healthz"))
        late.sock.settimeout(0.3)
        try:
            reply = late.reply()
            tap.true(reply is None, "a ninth one was answered")
            late = d.client().send(t.request("GET", "/healthz"))
        except socket.timeout:
            pass
        for c in clients:
            c.close()
        labs.wait_for("one that waited", d.is_up, 30)
        late.close()
        tap.equal(d.stop(), 0)


def test_few_files():
    """As many connections as it says when few files may be open."""
    section = "threads = 100\nmax-connections = 1000"
    with t.Trackd(section=section) as d:
        d.start(files=400)
        taken = int(re.search(r"(\d+) connections are taken", d.log())[1])
        clients = [d.client() for _ in range(taken)]
        for c in clients:
            tap.equal(c.ask("GET", "/healthz").status, 200)
        token = d.token("u")
        os.rename(d.path("store"), d.path("gone"))
        tap.equal(clients[0].send(_one_click(token)).reply().status, 200)
        for c in clients:
            c.close()
        tap.equal(d.stop(), 0)


def test_memory_stays():
    """200,000 requests, good and bad, and no more memory than at first."""
    batch = []
    for i in range(100):
        path = ("/c/" + World.click, "/o/" + World.open + ".gif",
                "/c/" + World.click[:-1], "/nothing")[i % 4]
        batch.append(t.request("GET", path))
    data = b"".join(batch)
    with World.d.client() as c:
        def rounds(n):
            for _ in range(n):
                c.send(data)
                for _ in range(100):
                    c.reply()
        rounds(200)
        labs.wait_for("events", lambda: World.d.command(
            "events", "--json").count('"id"') >= 10000, 60)
        first = World.d.memory()
        rounds(REQUESTS // 100 - 200)
    more = World.d.memory() - first
    print("# %d octets more" % more)
    if bulkhead.sanitizer(t.PROGRAM):
        return
    tap.true(more < 8 << 20, "%d octets more" % more)


class Load:
    """Threads that click, on connections that they keep, until they cannot.

    Any answer but 302 fails; so does half of one.
    """

    def __init__(self, d, tokens, nthreads=8):
        self.d = d
        self.tokens = tokens
        self.answered = 0
        self.unanswered = 0
        self.failed = []
        self.lock = threading.Lock()
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=self.run)
                        for _ in range(nthreads)]
        for thread in self.threads:
            thread.start()

    def run(self):
        """One thread."""
        try:
            while not self.is_over.is_set():
                try:
                    with self.d.client() as c:
                        self.click(c)
                except (ConnectionRefusedError, ConnectionResetError):
                    return
        except Exception as e:  # told by the main thread
            self.failed.append(repr(e))
            self.is_over.set()

    def click(self, client):
        """One connection, until it is closed."""
        n = 0
        while not self.is_over.is_set():
            n += 1
            client.send(t.request("GET", "/c/" + self.tokens[
                n % len(self.tokens)]))
            reply = client.reply()
            with self.lock:
                if reply is None:
                    self.unanswered += 1
                    return
                self.answered += 1
            if reply.status != 302:
                raise AssertionError(repr(reply))
            if reply.fields.get("connection") == "close":
                return

    def end(self):
        """Waits for all; fails when one did."""
        self.is_over.set()
        for thread in self.threads:
            thread.join(60)
        tap.equal(self.failed, [])


def test_end_under_load():
    """SIGTERM: what was done was answered, wholly."""
    for threads in (1, 4):
        with t.Trackd(section="threads = %d" % threads) as d:
            d.start()
            load = Load(d, [d.token("c", url=URL)])
            time.sleep(LOAD_SECONDS)
            tap.equal(d.stop(), 0, "status")
            load.end()
            clicks = int(re.findall(r" clicks=(\d+)", d.log())[-1])
            print("# %d answers; %d connections closed before one"
                  % (load.answered, load.unanswered))
            tap.true(load.answered > 100, "no load")
            tap.equal(load.answered, clicks, "answers that came")
            tap.true("cut off" not in d.log(), d.log())


def _one_click(token):
    return t.request("POST", "/u/" + token, fields=[
        ("Content-Type", "application/x-www-form-urlencoded")],
        body=b"List-Unsubscribe=One-Click")


def test_gone_while_waiting():
    """Who hangs up while the disk is waited for is unsubscribed."""
    with t.Trackd(section="threads = 2") as d:
        d.start()
        tokens = [d.token("u", recipient="r%d@example.net" % i)
                  for i in range(20)]
        for n in range(200):
            c = d.client().send(_one_click(tokens[n % len(tokens)]))
            if n % 3 == 0:  # a reset, not an end
                c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                  struct.pack("ii", 1, 0))
            if n % 3 != 1:
                c.close()
            else:
                tap.equal(c.reply("POST").status, 200)
                c.close()
        labs.wait_for("all connections to end", lambda: d.counters().get(
            "http_connections", 0) == 0, 30)
        tap.equal(d.stop(), 0)
        tap.equal([i for i in range(20) if not d.is_suppressed(
            "r%d@example.net" % i, "example.com/newsletter")], [])


def test_no_address():
    """What is no address cannot be suppressed; the log does not name it."""
    with t.Trackd() as d:
        d.start()
        token = d.token("u", recipient="jane.private")
        tap.equal(d.post("/u/" + token).status, 503)
        tap.equal(d.post("/u/" + token).fields["retry-after"], "60")
        tap.true("no address in normal form" in d.log(), d.log())
        tap.true("jane.private" not in d.log(), d.log())


def test_end_while_waiting():
    """SIGTERM while many wait for the disk: all are answered."""
    with t.Trackd(section="threads = 2") as d:
        d.start()
        token = d.token("u")
        clients = [d.client().send(_one_click(token)) for _ in range(200)]
        labs.wait_for("all to be accepted", lambda: d.counters().get(
            "http_connections", 0) + d.counters().get(
                "http_requests", 0) >= 200, 30)
        d.signal(signal.SIGTERM)
        tap.equal([c.reply("POST").status for c in clients], [200] * 200)
        tap.equal(d.child.wait(30), 0)
        tap.true("cut off" not in d.log(), d.log())


def _post_now_and_then(d, octets, is_over):
    """One-clicks whose last octet comes at any time."""
    while not is_over.is_set():
        try:
            with d.client() as c:
                c.send(octets[:-1])
                time.sleep(random.uniform(0, 0.02))
                c.send(octets[-1:]).reply("POST")
        except (OSError, AssertionError):
            pass  # it has ended


def test_end_urged():
    """SIGTERM twice, while some begin to wait for the disk: a clean end."""
    for _ in range(12):
        with t.Trackd(section="threads = 2") as d:
            d.start()
            is_over = threading.Event()
            load = [threading.Thread(target=_post_now_and_then, args=(
                d, _one_click(d.token("u")), is_over)) for _ in range(30)]
            for thread in load:
                thread.start()
            time.sleep(0.1)
            d.signal(signal.SIGTERM)
            time.sleep(0.002)  # two at once would be one
            d.signal(signal.SIGTERM)
            status = d.child.wait(30)
            is_over.set()
            for thread in load:
                thread.join()
            tap.equal(status, 0, d.log()[-300:])


def test_reload_under_load():
    """Keys are added, promoted and taken away; no click fails."""
    with t.Trackd(section="threads = 2") as d:
        d.start()
        tokens = [d.token("c", url=URL)]
        load = Load(d, tokens)
        for name in ("k2", "k3"):
            d.add_key(name)
            d.reload()
            d.keys.insert(0, d.keys.pop())
            d.write_keys()
            tokens.append(d.token("c", url=URL))
            d.reload()
        time.sleep(0.3)
        load.end()
        tap.equal(load.unanswered, 0, "closed connections")
        d.keys.pop()
        d.write_keys()
        d.reload()
        tap.equal(d.get("/c/" + tokens[2]).status, 302)
        tap.equal(d.get("/c/" + tokens[1]).status, 302)
        t.expect_not_found(d.get("/c/" + tokens[0]), "a key that is gone")
        tap.equal(d.stop(), 0)


def test_reload_errors():
    """What has errors changes nothing; what needs a restart is said."""
    with t.Trackd() as d:
        d.start()
        token = d.token("c", url=URL)
        d.configure("nonsense = 1\n")
        d.reload("settings kept as they were")
        tap.equal(d.get("/c/" + token).status, 302)
        d.configure(section='robots = "%s"' % d.path("none"))
        d.reload("rules and pages kept as they were")
        tap.equal(d.get("/c/" + token).status, 302)
        d.configure(section="threads = 3\nmax-connections = 9")
        d.reload("threads or max-connections have changed")
        tap.equal(d.get("/c/" + token).status, 302)
        tap.equal(d.stop(), 0)


def test_events_down():
    """Links go on without the store of events; it is said, and counted."""
    with t.Trackd() as d:
        place = d.path("events")
        config = 'events = "sqlite:%s"\n' % place
        for is_mended in (True, False):
            d.configure(config)
            with open(place, "w", encoding="ascii") as f:
                f.write("no directory")
            d.start()
            token = d.token("c", url=URL)
            for _ in range(3):
                tap.equal(d.get("/c/" + token).status, 302)
            before = d.log().count("events are stored again")
            d.wait_log("events are not stored", 1 if is_mended else 2)
            if is_mended:
                os.remove(place)
                d.wait_log("events are stored again", before + 1)
            tap.equal(d.stop(), 0)
            last = d.log().rsplit("counters:", 1)[1]
            tap.equal("events_lost=3" in last, not is_mended, last)
            if is_mended:
                shutil.rmtree(place)


def test_sockets():
    """A unix socket, by settings' place and by -p; both ends agree."""
    with t.Trackd() as d:
        d.address = d.path("track.sock")
        d.start("-p", "unix:" + d.address)
        token = d.token("c", url=URL)
        tap.equal(d.get("/c/" + token).status, 302)
        tap.equal(d.get("/c/" + token, fields=[
            ("X-Forwarded-Host", "t.mailer.example")]).status, 404)
        tap.equal(d.stop(), 0)


def test_errors_at_start():
    """What cannot be served says why."""
    with t.Trackd() as d:
        d.keys = []
        d.write_keys()
        d.start(wait=False)
        tap.equal(d.child.wait(30), 78, d.log())
        d.add_key("k1")
        with socket.socket() as busy:
            busy.bind(d.address)
            busy.listen(1)
            d.start(wait=False)
            tap.equal(d.child.wait(30), 69, d.log())
        d.start("-p", "inet:0.0.0.0:%d" % d.address[1], wait=False)
        tap.equal(d.child.wait(30), 78, d.log())
        d.configure(section='robots = "%s"' % d.path("none"))
        d.start(wait=False)
        tap.equal(d.child.wait(30), 78, d.log())


def main():
    """All of them."""
    t.why_not()
    points = [(f.__doc__.split("\n")[0].rstrip("."), f) for name, f in
              sorted(globals().items(),
                     key=lambda i: getattr(i[1], "__code__", None) and
                     i[1].__code__.co_firstlineno or 0)
              if name.startswith("test_")
              and (len(sys.argv) < 2 or name in sys.argv[1:])]
    with t.Trackd() as d:
        World.d = d.start()
        World.click = d.token("c", url=URL)
        World.open = d.token("o")
        World.unsubscribe = d.token("u")
        return tap.run(points, lambda: d.log()[-1500:])


if __name__ == "__main__":
    sys.exit(main())
