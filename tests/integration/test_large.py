#!/usr/bin/python3
"""Messages of 50 MB through Postfix: signed, changed only where they should
be, within the memory that is allowed; 451 when there is none, or no disk."""
import binascii
import os
import re
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
import bulkhead  # noqa: E402
import lab as labs  # noqa: E402
import milter_memory as mm  # noqa: E402
import tap  # noqa: E402
from client import Client, crlf  # noqa: E402

FROM = "bounces@example.com"
ONE = ["ann@reader.example"]
KB = 1024
MB = 1024 * KB
EXTRA = "message_size_limit = 0\nmailbox_size_limit = 0\nqueue_minfree = 0\n"
OURS = rb'"https://t\.example\.com/c/[^"]*"'
PIXEL = rb'<img src="https://t\.example\.com/o/[^>]*>'
BASE64 = b"QnVsa2hlYWQgYnVsa2hlYWQgYnVsa2hlYWQgYnVsa2hlYWQgYnVsa2hlYWQgYnVsa2hlYWQ=\n"


def with_attachment(size):
    """A newsletter with an attachment of that many encoded octets."""
    return (mm.HEAD % 7 + b"Content-Type: multipart/mixed; boundary=b\n\n"
            b"preamble\n--b\nContent-Type: text/html\n\n<html><body>\n"
            + mm.LINE % 1 + mm.LINE % 2 + b"</body></html>\n"
            b"--b\nContent-Type: application/pdf; name=a.pdf\n"
            b"Content-Disposition: attachment\n"
            b"Content-Transfer-Encoding: base64\n\n"
            + BASE64 * (size // len(BASE64)) + b"--b--\nepilogue\n")


def quoted_printable(size):
    """A newsletter whose text has to be decoded."""
    line = b"<p>words =3D words and =\nmore words, and so on</p>\n"
    return (mm.HEAD % 8 + b"Content-Type: text/html\n"
            b"Content-Transfer-Encoding: quoted-printable\n\n<html><body>\n"
            + (mm.LINE % 1).replace(b"=", b"=3D") + line * (size // len(line))
            + b"</body></html>\n")


def eight_bit(size):
    """A newsletter that has to be encoded for hops without 8BITMIME."""
    line = "<p>W\u00f6rter, W\u00f6rter und noch mehr W\u00f6rter</p>\n".encode()
    return (mm.HEAD % 9 + b"Content-Type: text/html; charset=utf-8\n"
            b"Content-Transfer-Encoding: 8bit\n\n<html><body>\n"
            + mm.LINE % 1 + line * (size // len(line)) + b"</body></html>\n")


def restart(product, milter=""):
    """The milter anew, with that much more in milter { }."""
    if product.child is not None:
        product.child.kill()
        product.child.wait()
    with open(product.config, "w", encoding="utf-8") as f:
        f.write(bulkhead.CONFIG.replace(
            "milter {{ ", "milter {{ %s\n" % milter).format(dir=product.lab.dir))
    open(product.lab.path("milter.log"), "w", encoding="utf-8").close()
    product.lab.wait_empty(60)
    product.lab.receiver.clear()
    return product.start()


class Watch:
    """The most anonymous memory that a process had meanwhile."""

    def __init__(self, child):
        self.child = child
        self.before = self.most = mm.status(child, "RssAnon")
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()

    def _look(self):
        while not self.is_over.wait(0.005):
            self.most = max(self.most, mm.status(self.child, "RssAnon"))

    def end(self):
        """What it had more than before."""
        self.is_over.set()
        self.thread.join()
        return self.most - self.before


def without_edits(body):
    """The body with our links made one, and without the pixel."""
    return re.sub(PIXEL, b"", re.sub(OURS, b'"LINK"', body))


def expect_whole(product, message, data):
    """Only links and pixel differ from what was sent, and it verifies."""
    sent = crlf(data).partition(b"\r\n\r\n")[2]
    body = message.body
    if b"quoted-printable" in data[:1000]:
        sent = binascii.a2b_qp(sent)
    if b"quoted-printable" in message.head:
        body = binascii.a2b_qp(body)
    elif b"8bit" in data[:1000]:
        body = binascii.a2b_base64(body)
    links = re.findall(OURS, body)
    tap.true(links, "no tracked link")
    tap.equal(len(re.findall(PIXEL, body)), 1, "pixels")
    tap.equal(without_edits(body), re.sub(
        rb'"https://shop\.[^"]*"', b'"LINK"', sent), "body")
    bulkhead.judge_all(product, "libopendkim", [message.data])


def one(product, data, most):
    """One message, in so much anonymous memory."""
    child = restart(product)
    with Client(product.lab.bulk, timeout=120) as c:
        c.send(FROM, ONE, mm.newsletter(9 * KB))
        watch = Watch(child)
        start = time.monotonic()
        reply = c.send(FROM, ONE, data)
        took = time.monotonic() - start
        more = watch.end()
    tap.true(reply.queue_id, "not queued: %r" % reply)
    messages = product.lab.receiver.wait(2, 90)
    mm.note("%d MB: %.1f s, RssAnon +%d kB, VmHWM %d kB" % (
        len(data) // MB, took, more // KB, mm.status(child, "VmHWM") // KB))
    expect_whole(product, max(messages, key=lambda m: len(m.data)), data)
    mm.bounded(more < most, "%d kB more" % (more // KB))
    left = mm.status(child, "RssAnon") - watch.before
    mm.bounded(left < 4 * MB, "%d kB are kept" % (left // KB))


def too_long(product):
    """Beyond max-message: 552, and the session goes on."""
    restart(product, "max-message = 2M")
    with Client(product.lab.bulk, timeout=120) as c:
        reply = c.send(FROM, ONE, mm.newsletter(3 * MB))
        tap.equal(reply.code, 552, "%r" % reply)
        tap.true("5.3.4" in reply.text, "%r" % reply)
        tap.true(c.send(FROM, ONE, mm.newsletter(1 * MB)), "the next one")
    product.lab.receiver.wait(1)


def send_together(c, data, together):
    """One message whose end waits for all the others' ends."""
    reply = c.envelope(FROM, ONE)
    if reply:
        data = crlf(data)
        c.write(b"BDAT %d\r\n" % len(data) + data)
        reply = c.reply()
    together.wait(60)
    return c.command("BDAT 0 LAST") if reply else reply


def until_taken(lab, data, codes, lock, together):
    """Sends one message as often as it takes, as a queue would; the first
    time together with the others."""
    for attempt in range(100):
        with Client(lab.bulk, timeout=120) as c:
            reply = c.send(FROM, ONE, data) if attempt else \
                send_together(c, data, together)
        with lock:
            codes.append((reply.code, reply.text))
        if reply:
            return
        time.sleep(0.05 * (1 + attempt))


def eight(lab, data):
    """(code, text) of every reply that eight clients at once were given."""
    codes, lock, together = [], threading.Lock(), threading.Barrier(8)
    threads = [threading.Thread(target=until_taken, args=(
        lab, data, codes, lock, together), daemon=True) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(120)
    tap.equal(sum(code == 250 for code, _ in codes), 8, "taken")
    return codes


def eight_at_once(product):
    """Memory for one of eight: the others get 451 and come again."""
    data = quoted_printable(4 * MB)
    child = restart(product, "max-memory = 24M")
    lab = product.lab
    watch = Watch(child)
    refused, rounds = [], 0
    # on two busy cores eight may come one after the other
    while not refused and rounds < 10:
        rounds += 1
        refused = [t for code, t in eight(lab, data) if code != 250]
    more = watch.end()
    mm.note("8 of 4 MB: %d replies 451 in round %d, RssAnon +%d kB" % (
        len(refused), rounds, more // KB))
    tap.true(refused, "never out of memory")
    tap.true(all("4.3.1" in t for t in refused), "replies %r" % refused)
    mm.bounded(more < 40 * MB, "%d kB more" % (more // KB))
    messages = lab.receiver.wait(8 * rounds, 90)
    lab.wait_empty(60)
    tap.equal(len(lab.receiver.messages), 8 * rounds, "arrived")
    bulkhead.judge_all(product, "libopendkim", [m.data for m in messages])


def mount(path, options):
    """A small file system in memory, or a skip."""
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none",
                           path], check=False, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise tap.Skip("cannot mount: " + done.stderr.decode().strip())


def full_disk(product):
    """No room in the spool: 451, short mail goes on, and room helps."""
    spool = product.lab.path("spool")
    os.mkdir(spool)
    mount(spool, "size=4M")
    try:
        restart(product, 'spool = "%s"' % spool)
        with Client(product.lab.bulk, timeout=120) as c:
            reply = c.send(FROM, ONE, mm.newsletter(6 * MB))
            tap.equal(reply.code, 451, "%r" % reply)
            tap.true("4.3.1" in reply.text, "%r" % reply)
            said = product.log()
            tap.true("cannot keep a message in %s: No space left" % spool
                     in said, said)
            tap.true(c.send(FROM, ONE, mm.newsletter(9 * KB)), "a short one")
            mount(spool, "remount,size=40M")
            tap.true(c.send(FROM, ONE, mm.newsletter(6 * MB)), "with room")
        product.lab.receiver.wait(2)
        tap.equal(os.listdir(spool), [], "the spool")
    finally:
        subprocess.run(["umount", spool], check=False)


def no_directory(product):
    """A spool that is not there is said at the start; then 451."""
    restart(product, 'spool = "/nonexistent/spool"')
    labs.wait_for("the warning", lambda: "no file can be made in "
                  "/nonexistent/spool" in product.log())
    with Client(product.lab.bulk, timeout=120) as c:
        tap.equal(c.send(FROM, ONE, mm.newsletter(2 * MB)).code, 451)
        tap.true(c.send(FROM, ONE, mm.newsletter(9 * KB)), "a short one")
    product.lab.receiver.wait(1)


def points(product):
    """(name, test)"""
    yield "50 MB with an attachment", lambda: one(
        product, with_attachment(50 * MB), 8 * MB)
    yield "20 MB of text/html", lambda: one(
        product, mm.newsletter(20 * MB), 8 * MB)
    yield "20 MB of quoted-printable", lambda: one(
        product, quoted_printable(20 * MB), 80 * MB)
    yield "20 MB of 8-bit text", lambda: one(
        product, eight_bit(20 * MB), 70 * MB)
    for test in (too_long, eight_at_once, full_disk, no_directory):
        yield test.__name__, lambda t=test: t(product)


def main():
    """All in one lab."""
    reason = bulkhead.why_not()
    if reason:
        return tap.skip_all(reason)
    with labs.Lab(["mil.sock"], extra=EXTRA) as lab:
        product = bulkhead.Bulkhead(lab)
        return tap.run(list(points(product)), lambda: product.log()[-1500:]
                       + lab.log()[-4000:])


if __name__ == "__main__":
    sys.exit(main())
