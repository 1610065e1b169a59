#!/usr/bin/python3
"""`bulkhead events`: what it shows, from where it goes on, how it follows and
forgets, through the real command and store.
"""
import fcntl
import json
import os
import re
import signal
import sys
import termios
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import events_lab  # noqa: E402
import tap  # noqa: E402
from events_lab import DAY, NOON, Events, ids  # noqa: E402

F_GETPIPE_SZ = 1032


def usage():
    """Help on stdout; what is wrong is told, exit 64."""
    lab = Events()
    text = lab.run("--help")
    tap.true(text.startswith("usage: bulkhead events ") and
             "Exit: 0" in text, text)
    tap.true(all(len(line) <= 80 for line in text.splitlines()), text)
    os.mkdir(lab.store)
    for args in (["frob"], ["--kind", "frob"], ["--kind", "clicked,"],
                 ["--stream", "frob"], ["--since", "yesterday"],
                 ["--since", "20261123-"], ["--limit", "0"],
                 ["--limit", "x"], ["forget"], ["forget", "a@b", "c@d"],
                 ["--dry-run"], ["forget", "--follow", "a@b"],
                 ["forget", "--limit", "1", "a@b"]):
        lab.run(*args, code=64)
        tap.true(lab.err.startswith("bulkhead events: "), lab.err)
    lab.run("--recipient", "", code=65)
    lab.run("forget", "@x.example", code=65)


def nothing():
    """No directory is an error, no events are none."""
    lab = Events()
    lab.run(code=69)
    tap.true(lab.store in lab.err, lab.err)
    os.mkdir(lab.store)
    tap.equal(lab.json(), [])
    tap.equal(os.listdir(lab.store), [], "looking makes nothing")


def fields():
    """Every field by its name; what is empty is left out."""
    lab = Events()
    lab.put(NOON, 1, 1, "reader@x.example", "clicked",
            '{"b": "x\\n",\n "a": [1]}')
    lab.put(NOON, 2, 1, "reader@x.example", "opened", "no object")
    lab.put(NOON, 1, 1, "reader@x.example", "clicked", "[1]", "scanner")
    first, second, third = lab.json()
    tap.equal(first, {
        "cursor": "20261123-1", "id": "0000000000000001",
        "time": "2026-11-23T12:00:00.000Z", "kind": "clicked",
        "verdict": "human", "rule": "test", "stream": "#e6a8b2cf",
        "domain": "example.com", "campaign": "winter",
        "list": "news.example.com", "recipient": "reader@x.example",
        "url": "https://shop.example/1", "metadata": {"a": [1], "b": "x\n"}})
    tap.true("metadata" not in second and second["kind"] == "opened", second)
    tap.equal((third["corrects"], third["was"], third["verdict"]),
              (first["id"], "scanner", "human"))
    tap.true("id" not in third, third)
    table = lab.run().splitlines()
    tap.equal(len(table), 4)
    tap.true(table[0].startswith("TIME ") and "RECIPIENT" in table[0], table)
    tap.true("clicked" in table[1] and "reader@x.example" in table[1],
             table[1])
    tap.true(table[3].endswith("(corrected: was scanner)"), table[3])


def filters():
    """Each option shows what it says, and together."""
    lab = Events()
    lab.put(NOON, 1, 2, "a@x.example")
    lab.put(NOON, 3, 2, "b@x.example", "opened")
    lab.put(NOON, 5, 1, "b@x.example", "handed")
    tap.equal(ids(lab.json("--kind", "opened,handed")), [3, 4, 5])
    tap.equal(ids(lab.json("--kind", "opened", "--kind", "clicked")),
              [1, 2, 3, 4])
    tap.equal(ids(lab.json("--recipient", "B@X.Example")), [3, 4, 5])
    tap.equal(ids(lab.json("--recipient", "B@X.example", "--kind", "handed")),
              [5])
    tap.equal(ids(lab.json("--stream", "#e6a8b2cf", "--limit", "2")), [1, 2])
    tap.equal(ids(lab.json("--stream", "newsletter")), [])
    tap.equal(ids(lab.json("--domain", "Example.COM")), [1, 2, 3, 4, 5])
    tap.equal(ids(lab.json("--domain", "other.example")), [])
    tap.equal(ids(lab.json("--campaign", "winter", "--limit", "1")), [1])
    tap.equal(ids(lab.json("--campaign", "summer")), [])


def since():
    """A cursor goes on behind its event, a time begins with it."""
    lab = Events()
    for day in range(3):
        lab.put(NOON + day * DAY, 1 + day * 5, 5)
    events = lab.json()
    tap.equal(ids(events), list(range(1, 16)))
    for n, event in enumerate(events):
        tap.equal(ids(lab.json("--since", event["cursor"])),
                  list(range(n + 2, 16)), event["cursor"])
    tap.equal(ids(lab.json("--since", "2026-11-24T12:00:00Z")),
              list(range(6, 16)))
    tap.equal(ids(lab.json("--since", "2026-11-24")), list(range(6, 16)))
    tap.equal(ids(lab.json("--since", "2026-11-24T12:00:00.000008Z")),
              list(range(8, 16)))
    tap.equal(ids(lab.json("--since", "2027-01-01")), [])
    tap.equal(ids(lab.json("--since", "00000000-0")), list(range(1, 16)))


def gap():
    """What retention took is told, and the rest shown."""
    lab = Events()
    for day in range(4):
        lab.put(NOON + day * DAY, 1 + day, 1)
    cursor = lab.json("--limit", "1")[0]["cursor"]
    for name in lab.files()[:2]:
        os.unlink(os.path.join(lab.store, name))
    tap.equal(ids(lab.json("--since", cursor)), [3, 4])
    tap.true("2 days" in lab.err and "retention" in lab.err, lab.err)
    tap.equal(ids(lab.json("--since", "20261125-0")), [3, 4])
    tap.equal(lab.err, "")


def follow():
    """New events within a second, over a midnight; a signal ends it well."""
    lab = Events()
    lab.put(NOON, 1, 3)
    for number in (signal.SIGINT, signal.SIGTERM):
        with lab.start("--follow", "--json", "--since", "20261123-1") as run:
            seen = [json.loads(run.stdout.readline()) for _ in range(2)]
            lab.put(NOON + DAY, 4, 1)
            seen.append(json.loads(run.stdout.readline()))
            lab.put(NOON, 5, 1)  # a clock that is behind
            seen.append(json.loads(run.stdout.readline()))
            tap.equal(ids(seen), [2, 3, 4, 5])
            run.send_signal(number)
            rest, err = run.communicate(timeout=30)
            if number == signal.SIGINT:
                tap.equal(rest, b"")
            tap.equal((run.returncode, err), (0, b""))
        lab = Events()
        lab.put(NOON, 1, 3)


def follow_from_now():
    """Without --since only what comes; --limit ends it."""
    lab = Events()
    lab.put(NOON, 1, 3)
    with lab.start("--follow", "--json", "--limit", "2") as run:
        time.sleep(1)  # it has found the end by then, or the test fails
        lab.put(NOON, 4, 5)
        out, err = run.communicate(timeout=30)
    tap.equal(ids([json.loads(line) for line in out.splitlines()]), [4, 5])
    tap.equal((run.returncode, err), (0, b""))


def follow_closed():
    """It ends when nobody reads any more, though nothing happens."""
    lab = Events()
    lab.put(NOON, 1, 1)
    with lab.start("--follow", "--json", "--since", "00000000-0") as run:
        run.stdout.readline()
        run.stdout.close()
        tap.equal(run.wait(timeout=30), 0)
        tap.equal(run.stderr.read(), b"")


def follow_stuck():
    """SIGTERM ends it while whoever reads does not."""
    lab = Events()
    lab.put(NOON, 1, 2000)
    with lab.start("--follow", "--json", "--since", "0") as process:
        size = fcntl.fcntl(process.stdout, F_GETPIPE_SZ)
        have = bytearray(4)
        for _ in range(600):
            fcntl.ioctl(process.stdout, termios.FIONREAD, have)
            if int.from_bytes(have, sys.byteorder) > size - 8192:
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        try:
            tap.equal(process.wait(timeout=20), 0)
        finally:
            process.kill()


def forget():
    """An address is in no file any more; what was counted is changed."""
    lab = Events()
    lab.put(NOON, 1, 400, "gone@x.example", "clicked", '{"name": "Secret"}')
    lab.put(NOON, 401, 50, "else@x.example")
    lab.put(NOON + DAY, 501, 3, "gone@x.example")
    dry = lab.json("forget", "--dry-run", "Gone@X.example")[0]
    tap.equal((dry["events"], dry["dry_run"], dry["address"]),
              (403, True, "gone@x.example"))
    tap.equal(dry["days"], [{"day": "2026-11-23", "events": 400},
                            {"day": "2026-11-24", "events": 3}])
    tap.equal(len(lab.json("--recipient", "gone@x.example")), 403)
    text = lab.run("forget", "gone@x.example")
    tap.equal(text, "403 events of 2 days changed\n")
    for name in os.listdir(lab.store):
        with open(os.path.join(lab.store, name), "rb") as f:
            content = f.read()
        tap.true(b"gone@x" not in content and b"Secret" not in content, name)
    left = lab.json("--recipient", "gone@x.example")
    tap.equal(len(left), 403, "found by its hash")
    tap.true(all(e["recipient"].startswith("hash:") and "metadata" not in e
                 for e in left), left[0])
    tap.equal(len(lab.json("--recipient", "else@x.example")), 50)
    tap.equal(lab.json("forget", "gone@x.example")[0]["events"], 0)


def contents(lab):
    """What is in all files of the store."""
    found = {}
    for name in os.listdir(lab.store):
        with open(os.path.join(lab.store, name), "rb") as f:
            found[name] = f.read().lower()
    return found


def links(lab):
    """Clicks by humans of the links, as the report has them."""
    return {link["url"]: link["human"] for link in lab.report()["links"]}


def forget_links():
    """An address in links: of events, whosever, and of the roll-ups."""
    lab = Events()
    url = "https://shop.example/"
    for first, count, who, path in (
            (1, 300, "ann@x.example", "?u=Ann%40X.example&n="),
            (401, 2, "", "ann@x.example/"),
            (501, 2, "else@x.example", "?to=%2Ff%3Fu%3Dann%2540x.example&"),
            (601, 1, "else@x.example", "sale/"),
            (701, 1, "joann@x.example", "joann@x.example/")):
        lab.put(NOON, first, count, who, "clicked", "{}", "nobody",
                url + path)
    before = links(lab)
    tap.true(len(before) > 9, "links: %s" % before)
    tap.true(any(re.search(b"[^o]ann(@|%40)x", c)
                 for n, c in contents(lab).items() if "rollups" in n),
             "it was there")
    dry = lab.json("forget", "--dry-run", "ann@x.example")[0]
    tap.equal((dry["events"], dry["links"]), (304, 304))
    tap.equal(links(lab), before)
    tap.equal(lab.run("forget", "ann@x.example"),
              "304 events of 1 day and 304 links of reports changed\n")
    for name, content in contents(lab).items():
        tap.equal(re.findall(rb".{,9}[^o]ann(?:@|%40|%2540)x.{,9}", content),
                  [], name)
    tap.equal(links(lab),
              {None: 304, url + "sale/601": 1, url + "joann@x.example/701": 1})
    tap.equal({e["recipient"] for e in lab.json()
               if "recipient" in e and e["recipient"][:5] != "hash:"},
              {"else@x.example", "joann@x.example"})
    again = lab.json("forget", "ann@x.example")[0]
    tap.equal((again["events"], again["links"]), (0, 0))
    tap.equal(sorted(links(lab).values()), [1, 1, 304])


def terminal():
    """No control sequence of a link gets to a terminal."""
    lab = Events()
    lab.put(NOON, 1, 1, "a@x.example", "clicked", "", "nobody",
            b"https://x.example/\x1b[2J\xc2\x9b2J\x9b2J\xe2\x80\xae\xc3\xa9")
    line = lab.run().splitlines()[1]
    tap.true(line.endswith("https://x.example/?[2J?2J?2J?\u00e91"),
             repr(line))


events_lab.run([
    ("usage", usage),
    ("nothing", nothing),
    ("fields", fields),
    ("filters", filters),
    ("since", since),
    ("gap", gap),
    ("follow", follow),
    ("follow from now", follow_from_now),
    ("follow, closed", follow_closed),
    ("follow, stuck", follow_stuck),
    ("forget", forget),
    ("forget links", forget_links),
    ("terminal", terminal),
])
