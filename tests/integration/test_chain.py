#!/usr/bin/python3
"""Other milters before and after ours: what one before us leaves is signed,
what one after us changes breaks the signatures, and what one quarantines we
never see."""
import os
import sys

sys.dont_write_bytecode = True
import bulkhead  # noqa: E402
import lab as labs  # noqa: E402
import load  # noqa: E402
import tap  # noqa: E402
from client import Client  # noqa: E402

EDITOR = os.path.join(labs.BUILD, "tests/tools/milter_editor")
NEWS = dict(bulkhead.mails())["qp-alternative.eml"]
EDITED = b"edited on the way"


class Chain:
    """before, ours, after: one milter each."""

    def __init__(self, product):
        self.product, self.lab = product, product.lab
        self.children = []

    def start(self, before, after):
        """The two others anew, with what they do."""
        for child in self.children:
            child.kill()
            child.wait()
        self.lab.wait_empty()
        self.lab.receiver.clear()
        self.children = []
        for action, name in ((before, "before"), (after, "after")):
            path = self.lab.path(name + ".sock")
            if os.path.exists(path):
                os.unlink(path)
            self.children.append(self.lab.start_milter(
                [EDITOR, "unix:" + path, action], name + ".sock",
                name + ".log"))

    def send(self, data=NEWS):
        """A message through the chain: (reply, as it arrived)."""
        with Client(self.lab.bulk) as c:
            reply = c.send(load.FROM, load.ONE, data)
        tap.equal(reply.code, 250, repr(reply))
        return reply, self.lab.receiver.wait(1)[0].data


def before(chain, action, where):
    """What an earlier milter did stands in the message, under our signature."""
    chain.start(action, "nothing")
    _, data = chain.send()
    head, _, body = data.partition(b"\r\n\r\n")
    tap.true(EDITED in (head if where == "head" else body), "not edited")
    bulkhead.expect_signed(chain.product, data)


def both(chain):
    """Many messages in one session, edited before and looked at after us."""
    chain.start("body", "nothing")
    with Client(chain.lab.bulk) as c:
        replies = [c.send(load.FROM, load.ONE, data)
                   for _, data in bulkhead.mails()]
    tap.true(all(replies), repr(replies))
    for message in chain.lab.receiver.wait(len(replies)):
        bulkhead.expect_signed(chain.product, message.data)


def harmless(chain):
    """A later milter that adds a field which nobody signs."""
    chain.start("nothing", "header")
    _, data = chain.send()
    tap.true(b"\r\nX-Editor: " + EDITED in data, "not edited")
    bulkhead.expect_signed(chain.product, data)


def after(chain, action):
    """A later milter that changes what is signed: every signature breaks."""
    chain.start("nothing", action)
    _, data = chain.send()
    tap.true(EDITED in data, "not edited")
    found = chain.product.verify(data)
    tap.equal((len(found), any(found.values())), (4, False), repr(found))


def quarantined(chain):
    """Postfix does not show us what an earlier milter quarantines: it waits
    on hold, our log names it, and who releases it sends it unsigned."""
    chain.start("quarantine", "nothing")
    lab = chain.lab
    with Client(lab.bulk) as c:
        reply = c.send(load.FROM, load.ONE, NEWS)
        tap.equal(reply.code, 250, repr(reply))
        after_it = c.command("NOOP")
        tap.equal(after_it.code, 250, repr(after_it))
    queue_id = reply.queue_id
    tap.equal(lab.queue(), [queue_id], "held")
    tap.equal(len(lab.receiver.messages), 0, "arrived")
    labs.wait_for("line of " + queue_id, lambda: " %s: not seen to its end"
                  % queue_id in chain.product.log())
    lab.tool("postsuper", "-H", queue_id)
    lab.tool("postqueue", "-f")
    data = lab.receiver.wait(1)[0].data
    tap.equal(chain.product.verify(data), {}, "signatures")


def main():
    """All in one lab."""
    reason = bulkhead.why_not()
    if reason:
        return tap.skip_all(reason)
    with labs.Lab(["before.sock", "mil.sock", "after.sock"]) as lab:
        product = bulkhead.Bulkhead(lab)
        product.start()
        chain = Chain(product)
        return tap.run([
            ("a subject before", lambda: before(chain, "subject", "head")),
            ("a field before", lambda: before(chain, "header", "head")),
            ("a body before", lambda: before(chain, "body", "body")),
            ("both", lambda: both(chain)),
            ("a field after", lambda: harmless(chain)),
            ("a subject after", lambda: after(chain, "subject")),
            ("a body after", lambda: after(chain, "body")),
            ("a quarantine before", lambda: quarantined(chain)),
        ], lambda: product.log()[-1500:] + lab.log()[-1500:])


if __name__ == "__main__":
    sys.exit(main())
