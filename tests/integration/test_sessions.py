#!/usr/bin/python3
"""SMTP as clients speak it when they are not at their best: RSET anywhere,
recipients that are refused, hang-ups, chunks of odd sizes.  What arrives is
what `bulkhead preview` says; nothing sticks to the next message."""
import os
import sys
import time

sys.dont_write_bytecode = True
import bulkhead  # noqa: E402
import lab as labs  # noqa: E402
import tap  # noqa: E402
from client import Client, crlf, stuffed  # noqa: E402

FROM = "bounces@example.com"
ANN, BO = "ann@reader.example", "bo@reader.example"
NO, LATER = "no@reader.example", "later@reader.example"
MAILS = dict(bulkhead.mails())
NEWS = MAILS["qp-alternative.eml"]
EXTRA = """smtpd_recipient_restrictions = check_recipient_access
 inline:{ { no@reader.example = REJECT }
 { later@reader.example = 450 4.2.0 later } }
smtpd_soft_error_limit = 1001
smtpd_hard_error_limit = 1000
"""
IDLE = 10  # files that the milter has open without sessions, at most
MAIL, RCPT = "MAIL FROM:<%s>" % FROM, "RCPT TO:<%s>"


def expect(product, replies):
    """As many messages as were accepted, all of them as previewed."""
    accepted = sorted(r.queue_id for r in replies if r.queue_id)
    messages = product.lab.receiver.wait(len(accepted))
    product.lab.wait_empty()
    tap.equal(sorted(bulkhead.queue_id_of(m) for m in messages), accepted,
              "arrived")
    for message in messages:
        bulkhead.expect_as_previewed(product, message)


def resets(product):
    """RSET, EHLO, NOOP and a nested MAIL at every step, messages between."""
    steps = (MAIL, RCPT % ANN, RCPT % BO)
    replies = []
    with Client(product.lab.bulk) as c:
        for words in ("RSET",), ("RSET", "RSET"), ("EHLO again.example",), \
                ("NOOP", "VRFY x", "RSET"), ("NONSENSE", "RSET"), \
                ("HELO old.example",):
            for n in range(len(steps) + 1):
                for step in steps[:n]:
                    tap.equal(c.command(step).code, 250, step)
                for word in words:
                    c.command(word)
                replies.append(c.send(FROM, [ANN], NEWS))
        c.command(MAIL)
        tap.equal(c.command("MAIL FROM:<other@example.com>").code, 503)
        tap.equal(c.command(RCPT % ANN).code, 250)
        tap.equal(c.command("DATA").code, 354)
        c.write(stuffed(MAILS["7bit-plain.eml"]))
        replies.append(c.reply())
    tap.true(all(replies), repr(replies))
    expect(product, replies)


def is_one_click(message):
    """Is it made out for one recipient?"""
    head = message.data.partition(b"\r\n\r\n")[0].lower()
    return b"\r\nlist-unsubscribe-post:" in head


def recipients(product):
    """Only accepted recipients count: with one of them left it is his."""
    replies, lonely = [], []
    with Client(product.lab.bulk) as c:
        for names in ((NO, ANN), (ANN, NO), (LATER, NO, ANN), (ANN, BO),
                      (ANN, NO, BO), (NO, BO, LATER), (NO, LATER)):
            c.command(MAIL)
            taken = [n for n in names if c.command(RCPT % n)]
            reply = c.command("DATA")
            tap.equal(reply.code, 354 if taken else 554, repr(reply))
            if not taken:
                continue
            c.write(stuffed(NEWS))
            replies.append(c.reply())
            lonely.append((replies[-1].queue_id, len(taken) == 1))
    tap.equal(len(replies), 6)
    expect(product, replies)
    tap.equal({bulkhead.queue_id_of(m): is_one_click(m)
               for m in product.lab.receiver.messages}, dict(lonely))


def one_recipient(product):
    """several-recipients = reject looks at those that Postfix accepted."""
    restart(product, bulkhead.CONFIG.replace(
        "return-path = true",
        "return-path = true\n    several-recipients = reject"))
    try:
        replies = []
        with Client(product.lab.bulk) as c:
            for names, want in (((NO, ANN), 250), ((ANN, BO), 550),
                                ((ANN,), 250), ((ANN, LATER, BO), 550),
                                ((LATER, BO), 250)):
                c.command(MAIL)
                for name in names:
                    c.command(RCPT % name)
                c.command("DATA")
                c.write(stuffed(NEWS))
                replies.append(c.reply())
                tap.equal(replies[-1].code, want, repr(names))
        expect(product, replies)
    finally:
        restart(product, bulkhead.CONFIG)


def descriptors(product):
    """How many files the milter has open."""
    return len(os.listdir("/proc/%d/fd" % product.child.pid))


def hang_ups(product):
    """The client goes away at each step; nothing is left behind, and only a
    message that was sent whole arrives."""
    lab = product.lab
    labs.wait_for("no sessions", lambda: descriptors(product) <= IDLE)
    data = stuffed(NEWS)
    steps = [MAIL, RCPT % ANN, RCPT % BO, "DATA"]
    for n in range(len(steps) + 1):
        c = Client(lab.bulk)
        for step in steps[:n]:
            c.command(step)
        c.sock.close()
        c.file.close()
    for part in (data[:1], data[:200], data[:len(data) // 2], data[:-3]):
        c = Client(lab.bulk)
        for step in steps:
            c.command(step)
        c.write(part)
        c.sock.close()
        c.file.close()
    c = Client(lab.bulk)
    c.envelope(FROM, [ANN])
    c.write(b"BDAT 1000\r\n" + crlf(NEWS)[:700])
    c.sock.close()
    c.file.close()
    labs.wait_for("end of sessions", lambda: descriptors(product) <= IDLE)
    tap.true(lab.is_queue_empty(), "queued")
    tap.equal(len(lab.receiver.messages), 0, "arrived")
    c = Client(lab.bulk)
    for step in steps:
        c.command(step)
    c.write(data)
    time.sleep(0.2)
    c.sock.close()
    c.file.close()
    bulkhead.expect_as_previewed(product, lab.receiver.wait(1)[0])
    with Client(lab.bulk) as c:
        expect_one_more(product, c.send(FROM, [ANN], NEWS))


def expect_one_more(product, reply):
    """A second message, behind whatever came first."""
    tap.equal(reply.code, 250, repr(reply))
    bulkhead.expect_as_previewed(product, next(
        m for m in product.lab.receiver.wait(2)
        if bulkhead.queue_id_of(m) == reply.queue_id))


def bdat(client, data, sizes):
    """The whole message as BDAT chunks in one write; the last reply."""
    data, out, count, at = crlf(data), [], 0, 0
    while at < len(data):
        size = sizes[count % len(sizes)]
        chunk = data[at:at + size]
        out.append(b"BDAT %d\r\n" % len(chunk) + chunk)
        count, at = count + 1, at + size
    client.write(b"".join(out) + b"BDAT 0 LAST\r\n")
    replies = [client.reply() for _ in range(count + 1)]
    return next((r for r in replies if not r), replies[-1])


def chunks(product):
    """BDAT in pieces of odd sizes, all of them at once, many messages."""
    replies = []
    with Client(product.lab.bulk) as c:
        for sizes in ((1, 2, 3), (7,), (1, 1000), (2, 5),
                      (4095, 4097), (65535, 1)):
            for name in ("qp-alternative.eml", "empty-body.eml",
                         "mixed-related.eml"):
                c.envelope(FROM, [ANN])
                replies.append(bdat(c, MAILS[name], sizes))
            c.envelope(FROM, [ANN])
            c.write(b"BDAT 5\r\nFrom:")
            c.reply()
            c.command("RSET")
    tap.true(all(replies), repr(replies))
    expect(product, replies)


def pipelined(product):
    """MAIL, RCPT and DATA in one write, refused recipients among them."""
    replies = []
    with Client(product.lab.bulk) as c:
        for n, data in enumerate(MAILS.values()):
            replies.append(c.send_pipelined(
                FROM, ([ANN], [ANN, BO], [BO])[n % 3], data))
            c.write(b"RSET\r\nNOOP\r\n")
            c.reply(), c.reply()
        refused = c.send_pipelined(FROM, [NO], NEWS)
        tap.true(not refused, repr(refused))
        replies.append(c.send_pipelined(FROM, [ANN], NEWS))
    tap.true(all(replies), repr(replies))
    expect(product, replies)


def parameters(product):
    """MAIL with SIZE and BODY, and with what Postfix refuses."""
    data = MAILS["8bit-html.eml"]
    replies = []
    with Client(product.lab.bulk) as c:
        for args in (" SIZE=%d" % len(data), " BODY=8BITMIME",
                     " SIZE=1 BODY=8BITMIME", " RET=HDRS ENVID=x"):
            replies.append(c.send(FROM, [ANN], data, args))
        tap.equal(c.command(MAIL + " SIZE=99999999999").code, 552)
        tap.equal(c.command(MAIL + " NONSENSE=1").code, 555)
        c.command("RSET")  # Postfix remembers the size that it refused
        replies.append(c.send(FROM, [ANN], data, " BODY=8BITMIME"))
    tap.true(all(replies), repr(replies))
    expect(product, replies)


def restart(product, config):
    """The milter anew, with these settings."""
    product.child.kill()
    product.child.wait()
    with open(product.config, "w", encoding="utf-8") as f:
        f.write(config.format(dir=product.lab.dir))
    product.start()


def fresh(product, test):
    """A test that begins with nothing under way."""
    product.lab.wait_empty()
    product.lab.receiver.clear()
    test(product)


def main():
    """All in one lab, by one milter but for its settings."""
    reason = bulkhead.why_not()
    if reason:
        return tap.skip_all(reason)
    with labs.Lab(["rec.sock", "mil.sock"], extra=EXTRA) as lab:
        lab.start_recorder()
        product = bulkhead.Bulkhead(lab)
        product.start()
        return tap.run([(t.__name__, lambda t=t: fresh(product, t)) for t in (
            resets, recipients, one_recipient, hang_ups, chunks, pipelined,
            parameters)], lambda: product.log()[-1500:] + lab.log()[-1500:])


if __name__ == "__main__":
    sys.exit(main())
