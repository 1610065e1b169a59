#!/usr/bin/python3
"""One-click unsubscribe over HTTP: what mail providers send acts, what looks
at links does not, and what was answered 200 is in the store at the end."""
import os
import re
import socket
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
import lab as labs  # noqa: E402
import tap  # noqa: E402
import trackd  # noqa: E402

FORM = "application/x-www-form-urlencoded"
ONE_CLICK = b"List-Unsubscribe=One-Click"
LIST = "example.com/newsletter"
BOUNDARY = "----WebKitFormBoundaryJ8kC2Qe"


def multipart(boundary, end="\r\n"):
    """The same as a form of parts."""
    return end.join([
        "--" + boundary, 'Content-Disposition: form-data; '
        'name="List-Unsubscribe"', "", "One-Click",
        "--" + boundary + "--", ""]).encode()


# Who sends it how: name, fields, body.  Providers do not publish their forms:
# the first ones are after what people report of them; behind them stands what
# else RFC 8058 allows.
PROVIDERS = [
    ("Gmail", [("User-Agent", "Gmail-1-click-unsubscribe"),
               ("Content-Type", FORM), ("Accept-Encoding", "gzip,deflate"),
               ("Connection", "Keep-alive")], ONE_CLICK),
    ("Yahoo", [("User-Agent", "YahooMailProxy; https://help.yahoo.com/"),
               ("Accept", "*/*"), ("Content-Type", FORM + "; charset=UTF-8")],
     ONE_CLICK),
    ("Apple", [("User-Agent", "Mail/16.0 CFNetwork/1410.0.3 Darwin/22.6.0"),
               ("Accept", "*/*"), ("Accept-Language", "de-DE,de;q=0.9"),
               ("Content-Type", FORM)], ONE_CLICK),
    ("Outlook", [("User-Agent", "Microsoft-OneClickUnsubscribe"),
                 ("Content-Type", 'multipart/form-data; boundary="%s"'
                  % BOUNDARY)], multipart(BOUNDARY)),
    ("multipart", [("Content-Type", "multipart/form-data; boundary="
                    + BOUNDARY)], multipart(BOUNDARY)),
    ("multipart, bare line ends", [
        ("Content-Type", "multipart/form-data;boundary=x")],
     multipart("x", "\n")),
    ("curl -d", [("User-Agent", "curl/7.88.1"), ("Accept", "*/*"),
                 ("Content-Type", FORM)], ONE_CLICK),
    ("without a type", [], ONE_CLICK),
    ("as text", [("Content-Type", "text/plain;charset=UTF-8")],
     ONE_CLICK + b"\r\n"),
    ("from elsewhere", [("Origin", "https://mail.example"),
                        ("Sec-Fetch-Site", "cross-site"),
                        ("Content-Type", FORM)], ONE_CLICK),
]


class Shared:
    """One daemon for the tests that do not harm it."""

    def __init__(self):
        self.d = None
        self.n = 0

    def someone(self, **more):
        """An address that nobody had before, and its path."""
        self.n += 1
        address = "u%d@example.net" % self.n
        return address, "/u/" + self.d.token("u", recipient=address, **more)


the = Shared()


def chunked(path, body, sizes, fields=()):
    """A POST in chunks of these sizes, the last one again and again."""
    out = trackd.request("POST", path, fields=list(fields) + [
        ("Transfer-Encoding", "chunked")])
    while body:
        n = sizes.pop(0) if len(sizes) > 1 else sizes[0]
        out += b"%x\r\n%s\r\n" % (len(body[:n]), body[:n])
        body = body[n:]
    return out + b"0\r\n\r\n"


def expect_out(reply, address, scope=LIST):
    """200 as RFC 8058 has it, and on disk."""
    tap.equal(reply.status, 200, reply.raw)
    tap.true("location" not in reply.fields, "a redirect")
    tap.true("set-cookie" not in reply.fields, "a cookie")
    tap.true(the.d.is_suppressed(address, scope), address + " is not in")


def providers():
    """Each provider's form."""
    for name, fields, body in PROVIDERS:
        address, path = the.someone()
        reply = the.d.ask("POST", path, fields=fields, body=body)
        print("# %s: %d" % (name, reply.status))
        expect_out(reply, address)
        tap.equal(reply.body, b"unsubscribed\n", name)


def any_chunking():
    """One octet a chunk, one chunk, chunks that part the boundary."""
    for sizes in ([1], [1000], [7, 3, 11], [40]):
        for kind, body in ((FORM, ONE_CLICK), (
                "multipart/form-data; boundary=" + BOUNDARY,
                multipart(BOUNDARY))):
            address, path = the.someone()
            expect_out(the.d.raw(chunked(path, body, list(sizes), [
                ("Content-Type", kind)]), "POST"), address)


def slowly():
    """An octet at a time, the head too."""
    address, path = the.someone()
    whole = trackd.request("POST", path, fields=[("Content-Type", FORM)],
                           body=ONE_CLICK)
    with the.d.client() as c:
        for i in range(0, len(whole), 9):
            c.send(whole[i:i + 9])
            time.sleep(0.002)
        expect_out(c.reply("POST"), address)


def pipelined():
    """Ten on one connection, sent at once: answered in order."""
    some = [the.someone() for _ in range(10)]
    with the.d.client() as c:
        c.send(b"".join(trackd.request(
            "POST", path, fields=[("Content-Type", FORM)], body=ONE_CLICK)
            for _, path in some))
        for address, _ in some:
            expect_out(c.reply("POST"), address)


def again_and_again():
    """Once and for all, with keys that were rotated since."""
    address, path = the.someone()
    expect_out(the.d.post(path), address)
    for _ in range(3):
        expect_out(the.d.post(path), address)
    keys = list(the.d.keys)
    the.d.add_key("k2", first=True)
    the.d.reload()
    expect_out(the.d.post(path), address)
    other, path = the.someone()
    the.d.keys = keys + [the.d.keys[0]]
    the.d.write_keys()
    the.d.reload()
    expect_out(the.d.post(path), other)


LOOKS = [
    ("GET", {}, None), ("HEAD", {}, None), ("OPTIONS", {}, None),
    ("GET", {"Purpose": "prefetch", "Sec-Purpose": "prefetch;prerender"},
     None),
    ("GET", {"X-Purpose": "preview", "X-Moz": "prefetch"}, None),
    ("GET", {"User-Agent": "Mozilla/5.0 (compatible; BarracudaCentral)",
             "Range": "bytes=0-100"}, None),
    ("GET", {"Content-Type": FORM}, ONE_CLICK),
    ("HEAD", {"Content-Type": FORM}, ONE_CLICK),
    ("PUT", {"Content-Type": FORM}, ONE_CLICK),
    ("POST", {}, None), ("POST", {"Content-Type": FORM}, b""),
    ("POST", {"Content-Type": FORM}, b"email=a%40b.example&submit=1"),
    ("POST", {"Content-Type": FORM}, b"List-Unsubscribe=Yes"),
    ("POST", {"Content-Type": "application/json"},
     b'{"List-Unsubscribe": "One-Click"}'),
    ("POST", {"Content-Type": "text/xml"}, b"<a>One-Click</a>"),
    ("POST", {"Content-Type": FORM}, b"undo=x"),
    ("POST", {"Content-Type": FORM}, b"a" * 16384),
    ("POST", {"Content-Type": FORM}, ONE_CLICK + b"&a=" + b"a" * 20000),
]


def looking_changes_nothing():
    """Scanners, previews, prefetch, forms of others: nobody is out."""
    for method, fields, body in LOOKS:
        address, path = the.someone()
        reply = the.d.ask(method, path, fields=list(fields.items()),
                          body=body)
        what = "%s %r %r" % (method, fields, (body or b"")[:40])
        if method in ("GET", "HEAD"):
            tap.equal(reply.status, 200, what)
        elif method == "POST":
            tap.true(reply.status in (400, 413), what)
        tap.true(not the.d.is_suppressed(address, LIST), what)


def scanner_follows_all():
    """All links of a mail and all that its pages link to, ten times."""
    address, path = the.someone()
    token = path[3:]
    for _ in range(10):
        page = the.d.get(path).body.decode()
        for link in re.findall(r'(?:href|action)="([^"]*)"', page):
            tap.equal(the.d.get(path + link).status, 200, link)
        for other in ("/c/", "/o/", "/u/"):
            the.d.get(other + token)
            the.d.ask("HEAD", other + token)
    # with the form's fields in the query, as a form of GET would have it
    the.d.get(path + "?List-Unsubscribe=One-Click&scope=domain")
    the.d.ask("POST", path + "?List-Unsubscribe=One-Click", body=b"")
    tap.true(not the.d.is_suppressed(address, LIST), "a scanner acted")


def stamp_of(reply):
    """The undo stamp in a page; None."""
    found = re.search(r'name="undo" value="([^"]+)"', reply.body.decode())
    return found and found[1].encode()


def page_and_undo():
    """The form, the confirmation, and back; only its own is taken back."""
    address, path = the.someone()
    page = the.d.get(path).body.decode()
    tap.true("value=\"page\"" in page and address not in page, page)
    done = the.d.post(path, b"List-Unsubscribe=page&scope=list")
    expect_out(done, address)
    stamp = stamp_of(done)
    again = the.d.post(path, b"List-Unsubscribe=page&scope=list")
    tap.equal(stamp_of(again), None, "nothing new is there to undo")
    wide = the.d.post(path, b"List-Unsubscribe=page&scope=domain")
    expect_out(wide, address, "example.com")
    undone = the.d.post(path, b"undo=" + stamp)
    tap.equal(undone.status, 200, undone.raw)
    # the other one is still there
    tap.true(the.d.is_suppressed(address, LIST), "both are undone")
    tap.equal(the.d.post(path, b"undo=" + stamp_of(wide)).status, 200)
    tap.true(not the.d.is_suppressed(address, LIST), "not undone")
    tap.equal(the.d.post(path, b"undo=" + stamp).status, 409)
    # a newer one is not the one of the stamp
    time.sleep(1.1)
    expect_out(the.d.post(path), address)
    tap.equal(the.d.post(path, b"undo=" + stamp).status, 409)
    tap.true(the.d.is_suppressed(address, LIST), "another's undo")
    for kind in ("c", "o", "u"):
        trackd.expect_not_found(the.d.get("/%s/%s" % (kind, stamp.decode())))


def scopes():
    """A stream, a list in it, all of a domain; none touches another's."""
    address, path = the.someone(list_key="l.example")
    expect_out(the.d.post(path), address, LIST + "/l.example")
    for other in (LIST, LIST + "/other.example", "mailer.example"):
        tap.true(not the.d.is_suppressed(address, other), other)
    address, path = the.someone()
    expect_out(the.d.post(path), address)
    tap.true(not the.d.is_suppressed(address, "example.com"), "too wide")
    address, path = the.someone()
    reply = the.d.post(path, b"List-Unsubscribe=page&scope=domain")
    expect_out(reply, address, "example.com")
    tap.true(not the.d.is_suppressed(address, "mailer.example"), "wider")


def former_streams():
    """What the settings do not have any more still unsubscribes."""
    for former, scope in (({"stream": "long ago"}, "example.com/#"),
                          ({"domain": "sold.example"}, "sold.example/")):
        address, path = the.someone(**former)
        tap.equal(the.d.post(path).status, 200)
        listed = the.d.command("suppress list", address)
        tap.true(scope in listed and "unsubscribe" in listed, listed)
    the.d.wait_log("sold.example")


def shared_links():
    """A link without a recipient explains, whatever is sent to it."""
    path = "/u/" + the.d.token("u", recipient="")
    before = the.d.counters().get("unsubscribed", 0)
    page = the.d.get(path)
    tap.equal(page.status, 200)
    tap.true(b"<form" not in page.body, "a form")
    for body in (ONE_CLICK, b"List-Unsubscribe=page&scope=domain", b""):
        reply = the.d.post(path, body)
        tap.equal(reply.status, 400)
        tap.true(b"several people" in reply.body, reply.body)
    tap.equal(the.d.counters().get("unsubscribed", 0), before)


def languages():
    """By Accept-Language; templates come and go by reload, all or none."""
    _, path = the.someone()

    def page(language):
        reply = the.d.get(path, fields=[("Accept-Language", language)])
        return reply.fields.get("content-language"), reply.body.decode()

    for field, language, text in (
            ("de-AT,de;q=0.9,en;q=0.1", "de", "Abmelden"),
            ("fr-CA", "fr", "Se désabonner"), ("es", "es", "Darse de baja"),
            ("ja-JP", "ja", "配信停止"), ("xx,,;q=q", "en", "Unsubscribe")):
        got, body = page(field)
        tap.equal(got, language, field)
        tap.true(text in body, body)
    os.mkdir(the.d.path("templates"))
    name = os.path.join("templates", "unsubscribe.de.html")
    with open(the.d.path(name), "w", encoding="utf-8") as f:
        f.write('<form method="post">{{fields}}</form>Unser Blatt {{sender}}')
    the.d.configure(section='templates = "%s"' % the.d.path("templates"))
    the.d.reload()
    tap.true("Unser Blatt example.com" in page("de")[1], "no template")
    tap.true("Unser Blatt" not in page("en")[1], "in English")
    with open(the.d.path(name), "w", encoding="utf-8") as f:
        f.write("kein Formular")
    the.d.reload("unsubscribe.de.html:1: without <form")
    tap.true("Unser Blatt example.com" in page("de")[1], "half a reload")
    the.d.configure()
    the.d.reload()


def many(d, n, name, at_least=None):
    """n people unsubscribe by 16 connections; who got a 200."""
    people = [("%s%d@example.net" % (name, i), None) for i in range(n)]
    paths = {a: "/u/" + d.token("u", recipient=a) for a, _ in people}
    good, bad = [], []
    todo = list(paths)

    def work():
        with d.client(60) as c:
            while True:
                try:
                    address = todo.pop()
                except IndexError:
                    return
                reply = c.ask("POST", paths[address], fields=[
                    ("Content-Type", FORM)], body=ONE_CLICK)
                (good if reply.status == 200 else bad).append(address)
                if reply.status != 200:
                    tap.equal(reply.status, 503)
                    tap.true("retry-after" in reply.fields, reply.raw)

    threads = [threading.Thread(target=work) for _ in range(16)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    tap.equal(len(good) + len(bad), n, "answers")
    if at_least is not None:
        tap.true(len(good) >= at_least, "only %d" % len(good))
    return good


def expect_all(d, addresses):
    """The spool is empty, and all are in."""
    labs.wait_for("the spool's end", lambda: not [
        n for n in os.listdir(d.path("spool")) if n.endswith(".wishes")], 30)
    out = [a for a in addresses if not d.is_suppressed(a, LIST)]
    tap.equal(out, [], "200, but not in the store")


def take_away(d, name="store"):
    """Moves it; a file in its place stands for a parent directory where the
    daemon's user may not make it anew."""
    os.rename(d.path(name), d.path(name + "-away"))
    with open(d.path(name), "w", encoding="ascii"):
        pass


def give_back(d, name="store"):
    """It is there again."""
    os.unlink(d.path(name))
    os.rename(d.path(name + "-away"), d.path(name))


def store_gone():
    """The store's directory is moved away, and back."""
    with trackd.Trackd() as d:
        d.start()
        good = many(d, 20, "before", 20)
        take_away(d)
        good += many(d, 40, "while", 40)
        path = "/u/" + d.token("u", recipient="undo@example.net")
        page = d.post(path, b"List-Unsubscribe=page")
        tap.equal(page.status, 200)
        tap.equal(stamp_of(page), None, "spooled, and an undo is offered")
        give_back(d)
        expect_all(d, good + ["undo@example.net"])
        good = many(d, 20, "after", 20)
        expect_all(d, good)


def mounted(d, name, size):
    """A file system of that size in its place; False: may not."""
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755,size=%s" % size,
                           "tmpfs", d.path(name)], check=False,
                          stderr=subprocess.DEVNULL)
    return done.returncode == 0


def store_full():
    """No room, then room again."""
    with trackd.Trackd() as d:
        if not mounted(d, "store", "400k"):
            raise tap.Skip("mount is not permitted here")
        try:
            d.start()
            good = many(d, 10, "before", 10)
            filler = os.path.join(d.path("store"), "filler")
            with open(filler, "wb", buffering=0) as f:
                try:
                    while f.write(b"x" * 4096) > 0:
                        pass
                except OSError:
                    pass
            good += many(d, 60, "while", 60)
            tap.true(d.counters().get("spooled", 0) > 0, "was it full?")
            os.unlink(filler)
            expect_all(d, good)
            d.stop()
        finally:
            d.kill()
            subprocess.run(["umount", d.path("store")], check=True)


def store_read_only():
    """Mounted read-only, and writable again."""
    with trackd.Trackd() as d:
        if not mounted(d, "store", "8m"):
            raise tap.Skip("mount is not permitted here")
        try:
            d.start()
            good = many(d, 10, "before", 10)
            d.stop()  # what is open for writing cannot become read-only
            subprocess.run(["mount", "-o", "remount,ro", d.path("store")],
                           check=True)
            d.start()
            good += many(d, 30, "while", 30)
            tap.true(d.counters().get("spooled", 0) == 30, "in the store?")
            subprocess.run(["mount", "-o", "remount,rw", d.path("store")],
                           check=True)
            expect_all(d, good)
            d.stop()
        finally:
            d.kill()
            subprocess.run(["umount", d.path("store")], check=True)


def both_gone():
    """Neither store nor spool: 503, and nothing is promised."""
    with trackd.Trackd() as d:
        d.start()
        take_away(d)
        good = many(d, 5, "spooled", 5)
        take_away(d, "spool")
        path = "/u/" + d.token("u", recipient="lost@example.net")
        reply = d.post(path)
        tap.equal(reply.status, 503)
        tap.true(int(reply.fields["retry-after"]) > 0, reply.raw)
        page = d.post(path, b"List-Unsubscribe=page", fields=(
            ("Content-Type", FORM), ("Accept-Language", "de")))
        tap.equal(page.status, 503)
        tap.true("noch einmal" in page.body.decode(), page.body)
        give_back(d, "spool")
        give_back(d)
        expect_all(d, good)
        tap.true(not d.is_suppressed("lost@example.net", LIST), "503, but")


def next_life():
    """What one process spooled another brings to the store."""
    with trackd.Trackd() as d:
        d.start()
        take_away(d)
        good = many(d, 30, "spooled", 30)
        tap.equal(d.stop(), 0)
        give_back(d)
        d.start()
        expect_all(d, good)


def hung_up():
    """Who hangs up before the answer is unsubscribed all the same."""
    address, path = the.someone()
    with the.d.client() as c:
        c.send(trackd.request("POST", path, fields=[("Content-Type", FORM)],
                              body=ONE_CLICK))
        c.sock.shutdown(socket.SHUT_WR)
    labs.wait_for("the store", lambda: the.d.is_suppressed(address, LIST), 10)


def main():
    """All on one daemon, then those that break theirs."""
    trackd.why_not()
    with trackd.Trackd() as d:
        the.d = d.start()
        d.post("/u/" + d.token("u", recipient="first@example.net"))
        rc = tap.run([(t.__doc__.split("\n")[0], t) for t in (
            providers, any_chunking, slowly, pipelined, again_and_again,
            looking_changes_nothing, scanner_follows_all, page_and_undo,
            scopes, former_streams, shared_links, languages, hung_up,
            store_gone, store_full, store_read_only, both_gone,
            next_life)],
            lambda: d.log()[-2000:])
    return rc


if __name__ == "__main__":
    sys.exit(main())
