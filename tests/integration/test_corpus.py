#!/usr/bin/python3
"""Newsletters that others wrote, through the real thing: what arrives is
what preview says, and verifies.  Skipped where there is no corpus."""
import os
import re
import sys

sys.dont_write_bytecode = True
import bulkhead  # noqa: E402
import lab as labs  # noqa: E402
import tap  # noqa: E402
from client import Client, crlf  # noqa: E402

FROM = "bounces@example.com"
TO = ["ann@reader.example"]
MAX_LINE = 998


def newsletters():
    """Paths of the corpus's newsletters."""
    index = os.path.join(labs.CORPUS, "index.tsv")
    if not os.path.exists(index):
        return []
    with open(index, encoding="utf-8") as f:
        rows = [line.rstrip("\n").split("\t") for line in f]
    return [r[0] for r in rows[1:] if r[1].startswith("newsletter")]


def judge(product, path, reply, arrivals, valid):
    """One message: as previewed and valid, or left alone for a reason."""
    tap.true(reply.queue_id, "not queued: %r" % reply)
    message = labs.wait_for("arrival", lambda: arrivals().get(reply.queue_id))
    preview = product.preview(reply.queue_id)
    longest = max(map(len, preview.split(b"\r\n")))
    if longest > MAX_LINE:
        # Postfix's smtp(8) breaks such lines; that we said so is the point.
        tap.true("hazard" in product.line(reply.queue_id),
                 "no word of a line with %d octets" % longest)
        return
    tap.equal(bulkhead.without_trace(message), preview, path)
    senders = re.findall(rb"(?im)^from:.*@", preview.partition(
        b"\r\n\r\n")[0])
    if senders:
        bulkhead.expect_signed(product, message.data)
        valid.append(message.data)


def main():
    """All in one session of one lab."""
    reason = bulkhead.why_not() or (
        None if newsletters() else "no corpus")
    if reason:
        return tap.skip_all(reason)
    with labs.Lab(["rec.sock", "mil.sock"],
                  extra="message_size_limit = 60000000") as lab:
        lab.start_recorder()
        product = bulkhead.Bulkhead(lab)
        product.start()

        def arrivals():
            return {bulkhead.queue_id_of(m): m
                    for m in list(lab.receiver.messages)}
        todo, valid = [], []
        with Client(lab.bulk) as c:
            for path in newsletters():
                with open(os.path.join(labs.CORPUS, path), "rb") as f:
                    reply = c.send(FROM, TO, crlf(f.read()))
                todo.append((path, lambda p=path, r=reply: judge(
                    product, p, r, arrivals, valid)))
        todo += [("verified by " + j, lambda j=j: bulkhead.judge_all(
            product, j, valid)) for j in bulkhead.JUDGES]
        return tap.run(todo)


if __name__ == "__main__":
    sys.exit(main())
