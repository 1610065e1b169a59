#!/usr/bin/python3
"""kill -9, again and again, while many unsubscribe at once: whoever got a 200
is in the store, or in the spool, from where the next start brings it there."""
import os
import random
import sys
import threading
import time

sys.dont_write_bytecode = True
import lab as labs  # noqa: E402
import tap  # noqa: E402
import trackd  # noqa: E402

KILLS = int(os.environ.get("BULKHEAD_RUNS", "100"))
CONNECTIONS = 64
PEOPLE = 30  # a kill
FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
ONE_CLICK = b"List-Unsubscribe=One-Click"


class Load:
    """Connections that unsubscribe people until the end."""

    def __init__(self, d, tokens):
        self.d = d
        self.tokens = list(tokens.items())
        self.todo = []
        self.good = []
        self.wrong = []
        self.is_over = False
        self.threads = [threading.Thread(target=self._run, daemon=True)
                        for _ in range(CONNECTIONS)]
        for t in self.threads:
            t.start()

    def _run(self):
        client = None
        while not self.is_over:
            try:
                address, token = self.todo.pop()
            except IndexError:
                time.sleep(0.05)
                continue
            try:
                if client is None:
                    client = self.d.client(20)
                reply = client.ask("POST", "/u/" + token, fields=FORM,
                                   body=ONE_CLICK)
            except (OSError, AssertionError):
                reply = None
            if reply is not None and reply.status == 200:
                self.good.append(address)
                continue
            if reply is not None:
                self.wrong.append(reply.raw)
            if client is not None:
                client.close()
            client = None
            self.todo.insert(0, (address, token))
            time.sleep(0.01)

    def add(self, n):
        """So many more to do."""
        self.todo.extend(self.tokens[:n])
        del self.tokens[:n]

    def end(self):
        """No more."""
        self.is_over = True
        for t in self.threads:
            t.join(30)


def make_tokens(d, n):
    """{address: token}, n of them, by as many processes as needed."""
    names = ["u%d@example.net" % i for i in range(n)]
    out = {}

    def work():
        while names:
            try:
                name = names.pop()
            except IndexError:
                return
            out[name] = d.token("u", recipient=name)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return out


def listed(d):
    """The addresses in the store."""
    out = set()
    for line in d.command("suppress export", "--format", "txt").splitlines():
        out.add(line.strip())
    return out


def is_empty(spool):
    """No file of wishes is left."""
    return not [n for n in os.listdir(spool) if n.endswith(".wishes")]


def run_rounds(d, load, kills, before):
    """before(i) is called ahead of each kill."""
    rng = random.Random(8058)
    for i in range(kills):
        before(i)
        load.add(PEOPLE)
        time.sleep(rng.uniform(0.02, 0.15))
        d.kill()
        d.start(wait=False)
    labs.wait_for("trackd", d.is_up, 30)
    labs.wait_for("the last ones", lambda: not load.todo, 30)
    load.end()


def expect_all(d, load, kills):
    """What was promised is true."""
    labs.wait_for("the spool's end", lambda: is_empty(d.path("spool")), 60)
    have = listed(d)
    lost = [a for a in load.good if a not in have]
    print("# %d kills, %d answered 200, %d in the store" % (
        kills, len(load.good), len(have)))
    tap.equal(load.wrong[:3], [], "answers that are no 200")
    tap.equal(lost, [], "200, but not in the store")
    tap.true(len(load.good) >= (PEOPLE - 2) * kills, "too little was done")


def killed():
    """The store is up all the while."""
    with trackd.Trackd() as d:
        tokens = make_tokens(d, PEOPLE * KILLS // 2)
        d.start()
        load = Load(d, tokens)
        try:
            run_rounds(d, load, KILLS // 2, lambda i: None)
        finally:
            load.end()
        expect_all(d, load, KILLS // 2)


def killed_while_the_store_is_away():
    """It comes and goes: the spool bridges, and is replayed under kills."""
    with trackd.Trackd() as d:
        tokens = make_tokens(d, PEOPLE * KILLS // 2)
        d.start()
        d.post("/u/" + d.token("u", recipient="first@example.net"))
        load = Load(d, tokens)

        def store(i):
            if i % 10 == 2:
                os.rename(d.path("store"), d.path("away"))
                open(d.path("store"), "w", encoding="ascii").close()
            if i % 10 == 7:
                os.unlink(d.path("store"))
                os.rename(d.path("away"), d.path("store"))

        try:
            run_rounds(d, load, KILLS - KILLS // 2, store)
        finally:
            load.end()
        if os.path.isfile(d.path("store")):
            store(7)
        expect_all(d, load, KILLS - KILLS // 2)


if __name__ == "__main__":
    trackd.why_not()
    sys.exit(tap.run([("kill -9, the store is up", killed),
                      ("kill -9, the store comes and goes",
                       killed_while_the_store_is_away)]))
