#!/usr/bin/python3
"""The sample configurations of nginx and HAProxy: what they hand on, what
they do not, and that no log of theirs ever has a token; and trackd behind
them, by TLS."""
import json
import os
import shutil
import socket
import sys
import tempfile

sys.dont_write_bytecode = True
import proxies  # noqa: E402
import tap  # noqa: E402
import trackd as daemons  # noqa: E402
from proxies import curl  # noqa: E402

FORGED = "198.51.100.7"
SECRET = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789_-"
KINDS = (proxies.Nginx, proxies.HAProxy)
# What mail programs and hostile clients make of a link.
PATHS = ("/c/" + SECRET, "/o/" + SECRET + ".gif", "/u/" + SECRET,
         "//c/" + SECRET, "/x/" + SECRET, "/" + SECRET, "/c/?" + SECRET,
         "/c/./" + SECRET, "/%63/" + SECRET, "/?t=" + SECRET)


def check_fields(proxy, recorder):
    """The host as it was asked for, the client as it connected."""
    for version in ("--http1.1", "--http2"):
        curl(proxy, "/c/" + SECRET, version,
             "-H", "X-Forwarded-For: " + FORGED,
             "-H", "X-Forwarded-Host: evil.example",
             "-H", "X-Forwarded-Proto: gopher")
        method, path, fields, _, _ = recorder.last()
        tap.equal((method, path), ("GET", "/c/" + SECRET), "request")
        for name, want in (("Host", proxies.HOST),
                           ("X-Forwarded-For", "127.0.0.1"),
                           ("X-Forwarded-Host", proxies.HOST),
                           ("X-Forwarded-Proto", "https")):
            tap.equal(fields.get_all(name), [want], "%s by %s" % (
                name, version))


def check_ipv6(proxy, recorder):
    """IPv6 clients, too."""
    curl(proxy, "/c/x", "-H", "X-Forwarded-For: " + FORGED, address="[::1]")
    tap.equal(recorder.last()[2].get_all("X-Forwarded-For"), ["::1"])


def check_http2(proxy, recorder):
    """HTTP/2 is offered."""
    del recorder
    tap.equal(curl(proxy, "/c/x", "--http2").protocol, "HTTP/2")
    tap.equal(curl(proxy, "/c/x", "--http1.1").protocol, "HTTP/1.1")


def check_path(proxy, recorder):
    """The path goes through as it came: 8 KB, escapes, double slashes."""
    for path in ("/c/" + "A" * 8188, "/c/a=3Db%3Dc..", "//c//" + SECRET,
                 "/c/%41%2F?utm=1&x=%20"):
        for version in ("--http1.1", "--http2"):
            curl(proxy, path, version)
            tap.equal(recorder.last()[1], path, "path by " + version)


def check_body(proxy, recorder):
    """Bodies in any form arrive whole."""
    body = "List-Unsubscribe=One-Click"
    for version in ("--http1.1", "--http2"):
        curl(proxy, "/u/x", version, "-d", body)
        tap.equal(recorder.last()[3], body.encode(), "urlencoded")
        curl(proxy, "/u/x", version, "-d", body, "-H",
             "Transfer-Encoding: chunked" if version == "--http1.1"
             else "X: y")
        tap.equal(recorder.last()[3], body.encode(), "chunked")
        curl(proxy, "/u/x", version, "-d", "x" * 16384)
        tap.equal(len(recorder.last()[3]), 16384, "longest")
        curl(proxy, "/u/x", version, "-F", "List-Unsubscribe=One-Click")
        tap.true(b"\r\n\r\nOne-Click\r\n" in recorder.last()[3], "multipart")


def check_pool(proxy, recorder):
    """Visitors share the proxy's connections."""
    seen = []
    for _ in range(4):
        curl(proxy, "/c/x")
        seen.append(recorder.last()[4])
    tap.true(len(set(seen)) < len(seen), "connections are not shared")


def ask_all(proxy):
    """Everything that could put a token into a log."""
    for path in PATHS:
        for options in (("--http1.1",), ("--http2",), ("-d", "x=y"),
                        ("-e", "https://t.example.com/u/" + SECRET)):
            curl(proxy, path, *options)
    curl(proxy, "/u/" + SECRET, "-d", "x" * 40000)
    curl(proxy, "/u/" + "A" * 20000 + SECRET, "--http1.1")


def check_logs(proxy):
    """A line for each request, the page's kind, and no token."""
    ask_all(proxy)
    text = proxies.labs.wait_for("log", lambda: (
        proxy.logs() if proxy.logs().count("/c/-") > 3 else None))
    tap.true("/o/-" in text and "/u/-" in text, "not logged:\n" + text)
    tap.true("/healthz" not in text, "health checks fill the log")
    tap.true(SECRET not in text, "a token in a log:\n" + next(
        (line for line in text.splitlines() if SECRET in line), ""))


def check_down(proxy):
    """Nobody behind it: 502 or 503, and no token in the log of errors."""
    for path in PATHS:
        tap.true(curl(proxy, path).status in (502, 503), "status")
    tap.true(SECRET not in proxy.logs(), "a token in a log")


def leaks(kind, root, name, backend, edit):
    """Does the sample with this edit log a token?"""
    with kind(os.path.join(root, name), backend, edit) as proxy:
        ask_all(proxy)
        try:
            proxies.labs.wait_for("a token", lambda: SECRET in proxy.logs(),
                                  5)
        except TimeoutError:
            return False
        return True


def check_teeth(root, recorder):
    """The points above can fail: samples that do not mask leak."""
    dead = proxies.labs.free_port()
    for kind, name, backend, edit in (
            (proxies.Nginx, "n1", recorder.port, (
                ("$request_method $bulkhead_page", "$request"),)),
            (proxies.Nginx, "n2", dead, (("crit;", "error;"),)),
            (proxies.HAProxy, "h1", recorder.port, (
                ("%[var(txn.page)]-", "%HU"),))):
        tap.true(leaks(kind, root, name, backend, edit),
                 "nothing seen in " + name)


# Only 127.0.0.1, where the proxies are, is believed.
SCOPE = "example.com/newsletter"
SECTION = """\
    proxies = { "127.0.0.1/32" }
    keep-visitors = true
"""
VISITOR = "127.0.0.9"
TARGET = "https://shop.example.com/?q=%41&x=1"


def check_pages(proxy, d):
    """Click, open, the page, and what is none."""
    for version in ("--http1.1", "--http2"):
        got = curl(proxy, "/c/" + d.token("c", url=TARGET), version)
        tap.equal((got.status, got.fields["location"]), (302, TARGET),
                  "click")
        got = curl(proxy, "/o/%s.gif" % d.token("o"), version)
        tap.equal((got.status, got.fields["content-type"]),
                  (200, "image/gif"), "open")
        tap.equal((len(got.body), got.fields["cache-control"]),
                  (43, "no-store"), "open")
        got = curl(proxy, "/u/" + d.token("u"), version)
        tap.equal(got.status, 200, "page")
        tap.true(b"<form" in got.body, "no form: %r" % got.body)
        tap.equal(curl(proxy, "/c/" + SECRET, version).status, 404, "forged")
        other = d.token("c", url=TARGET, host="t.mailer.example")
        tap.equal(curl(proxy, "/c/" + other, version, "-H",
                       "X-Forwarded-Host: t.mailer.example").status, 404,
                  "a token of another host")


def check_one_click(proxy, d):
    """One-click in every form of a POST: on the list when it is 200."""
    body = "List-Unsubscribe=One-Click"
    for number, options in enumerate((
            ("-d", body), ("-d", body, "--http2"), ("-F", body),
            ("-d", body, "-H", "Transfer-Encoding: chunked", "--http1.1"),
            ("-F", body, "-H", "Expect: 100-continue", "--http1.1"))):
        who = "%s%d@example.net" % (type(proxy).__name__.lower(), number)
        path = "/u/" + d.token("u", recipient=who)
        tap.equal(curl(proxy, path).status, 200, "GET")
        tap.true(not d.is_suppressed(who, SCOPE), who + " by a GET")
        for _ in range(2):
            tap.equal(curl(proxy, path, *options).status, 200, who)
        tap.true(d.is_suppressed(who, SCOPE), who + " is not on the list")


def check_long(proxy, d):
    """A path of 8192 octets is looked at, a longer one refused."""
    for version in ("--http1.1", "--http2"):
        tap.equal(curl(proxy, "/c/" + "A" * 8189, version).status, 404)
    tap.true(curl(proxy, "/c/" + "A" * 20000, "--http1.1").status in
             (400, 414, 431), "20 KB")
    for size, want in ((16384, (400, 404)), (16385, (413,))):
        got = curl(proxy, "/u/" + d.token("u"), "--data-binary", "x" * size)
        tap.true(got.status in want, "a body of %d: %d" % (size, got.status))


def visitors(d, who):
    """The visitors of a recipient's events, in order."""
    text = d.command("events", "--json")
    return [e.get("visitor", "").split(" ")[0]
            for e in map(json.loads, text.splitlines())
            if e.get("recipient") == who]


def check_visitor(proxy, d):
    """The visitor is who connected, whatever he claims."""
    who = type(proxy).__name__.lower() + "-visitor@example.net"
    path = "/c/" + d.token("c", url=TARGET, recipient=who)
    for claim in ((), ("-H", "X-Forwarded-For: " + FORGED),
                  ("-H", "X-Forwarded-For: %s, 127.0.0.1" % FORGED),
                  ("-H", "X-Forwarded-For;", "-H",
                   "x-forwarded-for: " + FORGED)):
        tap.equal(curl(proxy, path, "--interface", VISITOR, *claim).status,
                  302)
    got = proxies.labs.wait_for("events", lambda: (
        lambda v: v if len(v) == 4 else None)(visitors(d, who)))
    tap.equal(got, [VISITOR] * 4, "visitors")


def check_direct(d):
    """Who is no proxy is not believed; who is one is."""
    for source, want in ((VISITOR, VISITOR), ("127.0.0.1", FORGED)):
        who = "from-%s@example.net" % source
        path = "/c/" + d.token("c", url=TARGET, recipient=who)
        with d.client() as c:
            c.sock.close()
            c.sock = socket.create_connection(d.address, 30, (source, 0))
            tap.equal(c.ask("GET", path, fields=[
                ("X-Forwarded-For", FORGED)]).status, 302)
        got = proxies.labs.wait_for("event", lambda: visitors(d, who))
        tap.equal(got, [want], "visitor from " + source)


def real_points(root, d, running):
    """(name, test) of trackd behind each."""
    for kind in KINDS:
        proxy = kind(os.path.join(root, kind.__name__ + "-real"), d.port)
        proxy.start()
        running.append(proxy)
        for test in (check_pages, check_one_click, check_long,
                     check_visitor):
            yield ("trackd behind %s: %s" % (
                kind.__name__, test.__doc__.split("\n")[0]),
                   lambda t=test, p=proxy: t(p, d))
    yield "trackd alone: who is believed", lambda: check_direct(d)


def points(root, recorder, running):
    """(name, test) of each."""
    for kind in KINDS:
        proxy = kind(os.path.join(root, kind.__name__), recorder.port)
        proxy.start()
        running.append(proxy)
        for test in (check_fields, check_ipv6, check_http2, check_path,
                     check_body, check_pool):
            yield ("%s: %s" % (kind.__name__, test.__doc__.split("\n")[0]),
                   lambda t=test, p=proxy: t(p, recorder))
        yield ("%s: no token in a log" % kind.__name__,
               lambda p=proxy: check_logs(p))
        dead = kind(os.path.join(root, kind.__name__ + "-dead"),
                    proxies.labs.free_port())
        dead.start()
        running.append(dead)
        yield ("%s: no token in a log of errors" % kind.__name__,
               lambda p=dead: check_down(p))
    yield "a log that has tokens is found", lambda: check_teeth(root,
                                                                recorder)


def main():
    """All proxies at once."""
    root = tempfile.mkdtemp(prefix="bh-", dir="/tmp")
    os.chmod(root, 0o755)
    recorder, running = proxies.Recorder(), []
    daemons.why_not()
    try:
        with daemons.Trackd(section=SECTION) as d:
            d.start()
            return tap.run(
                list(points(root, recorder, running)) +
                list(real_points(root, d, running)),
                lambda: "".join(p.logs() for p in running)[-1500:] +
                d.log()[-1500:])
    finally:
        for proxy in running:
            proxy.stop()
        recorder.close()
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
