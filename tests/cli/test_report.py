#!/usr/bin/python3
"""`bulkhead report`: its numbers against a recount of `bulkhead events --json`,
and each of its forms: text, JSON, CSV and HTML.
"""
import collections
import csv
import datetime
import io
import json
import os
import pty
import random
import re
import shutil
import subprocess
import sys
import tempfile

import html5lib

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
import tap  # noqa: E402

BUILD = os.path.abspath(os.environ.get("BULKHEAD_BUILDDIR", "."))
BULKHEAD = os.path.join(BUILD, "bulkhead")
MAKE = os.path.join(BUILD, "tests", "tools", "events_make")
WORK = tempfile.mkdtemp(prefix="report-")
os.chmod(WORK, 0o755)
TODAY = datetime.datetime.now(datetime.timezone.utc).date()

CONF = """store = "sqlite:%s"
domain "example.com" { sign s { key = /k } }
domain "example.net" { sign s { key = /k } }
stream "newsletter" { match { sender = { "*@n" } } alias = { "former" } }
stream "offers" { match { sender = { "*@o" } } }
stream "quiet" { match { sender = { "*@q" } } }
"""
HOSTILE = ['<script>alert(1)</script>', '"><img src=x onerror=1>',
           "o'brien & \"sons\", spring", "line\r\nbreak\x1b[31m\x07",
           "=HYPERLINK(1)", "\u202eevil", "夏のセール" * 8, "-->]]>"]
HUMAN = ("human", "unknown")
VERDICTS = ("human", "prefetch", "scanner", "unknown")


class Store:
    """A store of its own, and the command over it."""
    count = 0

    def __init__(self, lines=()):
        Store.count += 1
        self.dir = os.path.join(WORK, str(Store.count))
        os.mkdir(self.dir)
        self.store = os.path.join(self.dir, "store")
        self.conf = os.path.join(self.dir, "conf")
        self.err = ""
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(CONF % self.store)
        if lines:
            self.add(lines)

    def add(self, lines):
        """Adds events, from JSON objects."""
        text = "".join(json.dumps(line) + "\n" for line in lines)
        subprocess.run([MAKE, self.store, "-"], input=text.encode(),
                       stdout=subprocess.DEVNULL, check=True)

    def run(self, *args, code=0, verb="report"):
        """stdout of `bulkhead report ARGS`."""
        done = subprocess.run([BULKHEAD, verb, *args, "-c", self.conf],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=False)
        self.err = done.stderr.decode()
        tap.equal(done.returncode, code, "exit of %r: %s" % (args, self.err))
        return done.stdout.decode()

    def json(self, *args):
        """The object that a report is."""
        return json.loads(self.run("--json", *args))

    def events(self):
        """All events by their last verdicts, in order."""
        found = {}
        for line in self.run("--json", verb="events").splitlines():
            e = json.loads(line)
            if "corrects" in e:
                found[e["corrects"]]["verdict"] = e["verdict"]
            else:
                found[e["id"]] = e
        return list(found.values())


def day(ago):
    """A day before today."""
    return (TODAY - datetime.timedelta(days=ago)).isoformat()


def event(kind, ago=0, **members):
    """One event in the middle of a day."""
    e = {"kind": kind, "time": day(ago) + "T12:00:00Z",
         "domain": "example.com", "stream": "newsletter", "hours": 1}
    e.update(members)
    return e


def random_lines(seed, count):
    """Events of 20 days with corrections, hostile names, shared tokens."""
    dice = random.Random(seed)
    lines = []
    for number in range(count):
        kind = dice.choice(["handed"] * 5 + ["opened"] * 4 + ["clicked"] * 4 +
                           ["unsubscribed", "suppressed", "limited"])
        e = event(kind, dice.randrange(20), id="%016x" % (number + 1),
                  stream=dice.choice(["newsletter", "offers", "gone"]),
                  domain=dice.choice(["example.com", "example.net"]),
                  campaign=dice.choice(HOSTILE + [""]),
                  recipient=dice.choice(["", "a@x.example", "b@x.example",
                                         "c@x.example", "d@x.example"]))
        if kind in ("opened", "clicked"):
            e["verdict"] = dice.choice(VERDICTS)
        if kind == "unsubscribed":
            e["verdict"] = "human"
        if kind == "clicked":
            e["url"] = "https://x.example/%d?a=1&b=<2>" % dice.randrange(9)
        e["written"] = day(0) + "T00:00:01Z"
        lines.append(e)
        if dice.randrange(4) == 0 and "verdict" in e:
            c = dict(e, was=e["verdict"], verdict=dice.choice(VERDICTS))
            del c["id"]
            c["corrects"] = e["id"]
            lines.append(c)
    return lines


def recount(events):
    """What a report has to say of these events, as its JSON has it."""
    out = {"handed": 0, "suppressed": 0, "limited": 0}
    for kind in ("opened", "clicked", "unsubscribed"):
        mine = [e for e in events if e["kind"] == kind]
        mails = {(e["recipient"], e.get("campaign", ""), e["stream"],
                  e["domain"]) for e in mine
                 if e.get("verdict") in HUMAN and "recipient" in e}
        out[kind] = dict(collections.Counter(
            e.get("verdict") for e in mine), total=len(mine),
            unique=len(mails))
        for verdict in VERDICTS:
            out[kind].setdefault(verdict, 0)
    for e in events:
        if e["kind"] in out and isinstance(out[e["kind"]], int):
            out[e["kind"]] += 1
    return out


def check_counts(told, events, what, with_unique=True):
    """The numbers of one line."""
    want = recount(events)
    for kind, value in want.items():
        got = told[kind]
        if not with_unique and isinstance(value, dict):
            value = dict(value, unique=got["unique"])
        tap.equal(got, value, "%s of %s" % (kind, what))
    for kind in ("opened", "clicked", "unsubscribed"):
        rate = told["rates"][kind]
        if told["handed"] == 0:
            tap.equal(rate, None, "rate")
        else:
            tap.true(abs(rate - told[kind]["unique"] / told["handed"]) < 1e-6,
                     "rate of %s: %r" % (kind, rate))


def by(events, name):
    """Events by one of their members."""
    out = collections.defaultdict(list)
    for e in events:
        out[e.get(name, "")].append(e)
    return out


def check_days(told, events, what):
    """30 days, all of them, and their uniques add up."""
    days = by([dict(e, day=e["time"][:10]) for e in events], "day")
    tap.equal([d["day"] for d in told["days"]],
              [day(29 - i) for i in range(30)], "days of " + what)
    for d in told["days"]:
        check_counts(d, days[d["day"]], d["day"], with_unique=False)
    for kind in ("opened", "clicked"):
        tap.equal(sum(d[kind]["unique"] for d in told["days"]),
                  told["all"][kind]["unique"], "unique " + kind)


def check_links(told, events):
    """Each link, the most clicked first."""
    found = collections.defaultdict(list)
    for e in events:
        if e["kind"] == "clicked":
            found[(e["url"], e["stream"], e.get("campaign", ""))].append(e)
    tap.equal(len(told["links"]), min(50, len(found)), "links")
    humans = []
    for link in told["links"]:
        mine = found[(link["url"], link["stream"], link["campaign"])]
        counts = collections.Counter(e["verdict"] for e in mine)
        tap.equal({v: link[v] for v in VERDICTS},
                  {v: counts[v] for v in VERDICTS}, link["url"])
        mails = {(e["recipient"], e["domain"]) for e in mine
                 if e["verdict"] in HUMAN and "recipient" in e}
        tap.true(link["unique"] <= len(mails), "unique of a link")
        humans.append(link["human"] + link["unknown"])
    tap.equal(humans, sorted(humans, reverse=True), "order of links")


def numbers():
    """Every number of all reports, against the events themselves."""
    store = Store(random_lines(1, 3000))
    events = store.events()
    tap.equal(len(events), 3000, "events")
    for e in events:
        e["stream"] = e.get("stream", "")
    told = store.json()
    tap.true(told["is_current"] and told["as_of"].startswith("20"), "as of")
    check_counts(told["all"], events, "all")
    check_days(told, events, "all")
    streams = by(events, "stream")
    tap.equal({s["stream"] for s in told["streams"]}, set(streams), "streams")
    for s in told["streams"]:
        check_counts(s, streams[s["stream"]], s["stream"])
        one = store.json(s["stream"])
        check_counts(one["all"], streams[s["stream"]], s["stream"])
        campaigns = by(streams[s["stream"]], "campaign")
        tap.equal({c["campaign"] for c in one["campaigns"]}, set(campaigns),
                  "campaigns")
        for c in one["campaigns"]:
            check_counts(c, campaigns[c["campaign"]], c["campaign"])
        check_days(one, streams[s["stream"]], s["stream"])
    domain = [e for e in events if e["domain"] == "example.net"]
    check_counts(store.json("--domain", "EXAMPLE.net")["all"], domain, "net")
    for name, mine in by(events, "campaign").items():
        one = store.json("--campaign", name)
        tap.equal(one["campaign"], name, "campaign")
        check_counts(one["all"], mine, repr(name))
        tap.equal({s["stream"] for s in one["streams"]},
                  {e["stream"] for e in mine}, "streams of a campaign")
    mine = [e for e in events if e["stream"] == "offers" and
            e["domain"] == "example.com"]
    check_links(store.json("--domain", "example.com", "offers"), mine)


def ranges():
    """--since and --until, both days included; what is wrong with them."""
    store = Store([event("handed", ago) for ago in range(40)])
    for args, want in (([], 30), (["--since", "1d"], 1),
                       (["--since", "40d"], 40), (["--since", day(9)], 10),
                       (["--since", day(9), "--until", day(3)], 7),
                       (["--until", day(35)], 5),
                       (["--since", day(9).replace("-", "")], 10)):
        told = store.json(*args)
        tap.equal(told["all"]["handed"], want, repr(args))
        tap.equal(sum(d["handed"] for d in told["days"]), want, "days")
    for args in (["--since", "yesterday"], ["--since", "2026-02-30"],
                 ["--since", "0d"], ["--until", "d"],
                 ["--since", day(0), "--until", day(1)],
                 ["--since", "1971-01-01"], ["--json", "--csv"],
                 ["a", "b"], ["--stream", "a", "--campaign", "b"],
                 ["a", "--stream", "b"], [""], ["--domain", ""]):
        store.run(*args, code=64)
        tap.true(store.err.startswith("bulkhead report: "), store.err)
    text = store.run("--help")
    tap.true(all(len(line) <= 80 for line in text.splitlines()), text)


def names():
    """Both a stream and a campaign; former titles; neither: what there is."""
    store = Store([event("handed", 3, campaign="offers"),
                   event("handed", 2, stream="former"),
                   event("handed", 1, stream="offers", campaign="spring"),
                   event("handed", 1, stream="gone", domain="old.example")])
    told = store.json("offers")
    tap.equal((told["stream"], told["campaign"]), ("offers", None), "wins")
    tap.true("--campaign" in store.err, store.err)
    told = store.json("--campaign", "offers")
    tap.equal((told["stream"], told["campaign"]), (None, "offers"), "told so")
    tap.equal(store.err, "", "nothing to say")
    for name in ("newsletter", "former"):
        told = store.json(name)
        tap.equal((told["stream"], told["all"]["handed"]), ("newsletter", 2),
                  name)
    tap.equal(store.json("spring")["all"]["handed"], 1, "campaign")
    tap.equal(store.json("gone")["all"]["handed"], 1, "not in the settings")
    tap.equal(store.json("quiet")["all"]["handed"], 0, "nothing of it")
    tap.true("nothing happened" in store.run("quiet"), "said so")
    tap.equal(store.json("--domain", "old.example")["all"]["handed"], 1, "old")
    gone = [s for s in store.json()["streams"] if s["stream"][0] == "#"]
    tap.equal(store.json(gone[0]["stream"])["all"]["handed"], 1, "by id")
    store.run("frob\x1b[1m", code=65)
    tap.true('no stream or campaign "frob?[1m"' in store.err and
             "streams: newsletter, offers, quiet" in store.err and
             "campaigns: offers, spring" in store.err, store.err)
    store.run("--stream", "spring", code=65)
    store.run("--campaign", "newsletter", code=65)
    store.run("--domain", "no.example", code=65)
    tap.true("domains: example.com, example.net" in store.err, store.err)


def no_store():
    """Nothing was stored; no settings."""
    store = Store()
    store.run(code=69)
    tap.true(store.store + ": No such file" in store.err, store.err)
    tap.true(not os.path.exists(store.store), "a report made a store")
    done = subprocess.run([BULKHEAD, "report", "-c", "/nonexistent"],
                          stderr=subprocess.PIPE, check=False)
    tap.equal(done.returncode, 78, "no settings")


def not_for_this_user():
    """Who may only read sees what was added up last, and is told."""
    store = Store([event("handed", 1)])
    store.run()
    store.add([event("handed", 1)])
    os.chmod(os.path.join(store.store, "rollups.db"), 0o444)
    if os.geteuid() == 0:  # the command takes the owner's identity
        for path in [store.store] + [os.path.join(store.store, name)
                                     for name in os.listdir(store.store)]:
            os.chown(path, 65534, 65534)
    told = store.json()
    tap.equal((told["all"]["handed"], told["is_current"]), (1, False), "old")
    tap.true("the report is as of 20" in store.err, store.err)
    tap.true("newer events are not in it" in store.run("--html"), "page")
    for name in os.listdir(store.store):  # its -wal is as the file was
        os.chmod(os.path.join(store.store, name), 0o660)
    tap.equal(store.json()["all"]["handed"], 2, "new")
    tap.equal(store.err, "", "nothing to say")


def text():
    """Columns, sparklines, and no control of a terminal."""
    store = Store(random_lines(2, 600))
    for args in ([], ["newsletter"], ["--campaign", HOSTILE[3]]):
        out = store.run(*args)
        tap.true(not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", out),
                 "controls in %r" % out)
        head = [line for line in out.splitlines()
                if line.startswith(("STREAM ", "CAMPAIGN "))][0]
        told = store.json(*args)
        lines = told["campaigns" if "campaigns" in told else "streams"]
        first = out.splitlines().index(head) + 1
        for line in out.splitlines()[first:first + len(lines)]:
            sparkline = line[-30:]
            tap.true(re.fullmatch("[·▁▂▃▄▅▆▇█]{30}", sparkline), line)
            wide = sum(2 if "\u3000" <= c <= "\ud7a3" else 1 for c in line)
            tap.equal(wide, len(head) - len("HANDED") + 30, "width: " + line)
        tap.true("which is not delivered" in out, "honest words")
    told = store.json()
    row = [line for line in store.run().splitlines()
           if line.startswith("all ")][0].split()
    tap.equal(int(row[1]), told["all"]["handed"], "handed")
    tap.equal(int(row[2]), told["all"]["opened"]["unique"], "opened")
    tap.equal(float(row[3]), round(100 * told["all"]["rates"]["opened"], 1),
              "rate")


def progress():
    """A bar on a terminal, wiped in the end."""
    store = Store([event("handed", 1)])
    master, slave = pty.openpty()
    with subprocess.Popen([BULKHEAD, "report", "-c", store.conf],
                          stdout=subprocess.DEVNULL, stderr=slave) as done:
        os.close(slave)
        shown = b""
        try:
            while piece := os.read(master, 4096):
                shown += piece
        except OSError:  # the other side is closed
            pass
        tap.equal(done.wait(), 0, "exit")
    os.close(master)
    tap.true(b"adding up" in shown and shown.endswith(b"\r\x1b[K"),
             repr(shown))


def csv_table():
    """RFC 4180, and the same numbers as JSON."""
    store = Store(random_lines(3, 600))
    for args in ([], ["newsletter"], ["--campaign", HOSTILE[2]]):
        out = store.run("--csv", *args)
        told = store.json(*args)
        tap.true(out.endswith("\r\n"), "line ends")
        rows = list(csv.DictReader(io.StringIO(out, newline=""),
                                   strict=True))
        tap.true(all(None not in r and None not in r.values() for r in rows),
                 "as many fields as names")
        kinds = collections.Counter(r["line"] for r in rows)
        lines = told.get("campaigns") or told["streams"]
        tap.equal(kinds["day"], 30, "days")
        tap.equal(kinds["link"], len(told.get("links", [])), "links")
        tap.equal(kinds["campaign"] + kinds["stream"], len(lines), "lines")
        want = [told["all"], *lines, *told["days"]]
        for row, line in zip(rows, want):
            tap.equal([int(row["handed"]), int(row["opened_unique"]),
                       int(row["clicked_scanner"]), int(row["limited"])],
                      [line["handed"], line["opened"]["unique"],
                       line["clicked"]["scanner"], line["limited"]],
                      "numbers")
            for name in ("stream", "campaign", "day"):
                if name in line:
                    tap.equal(row[name], line[name], name)
        for row, link in zip(rows[len(want):], told.get("links", [])):
            tap.equal((row["url"], row["campaign"], row["clicked_human"]),
                      (link["url"], link["campaign"], str(link["human"])),
                      "link")


def csv_terminal():
    """A terminal is not to obey names, nor 8-bit controls in JSON."""
    store = Store([event("clicked", 1, campaign="c\x1b[2J\x9b2J\u202e",
                         url="https://x.example/")])
    for form, want in (("--csv", '"c?[2J?2J?"'), ("--json", "\\u009b2J")):
        master, slave = pty.openpty()
        with subprocess.Popen(
                [BULKHEAD, "report", form, "newsletter", "-c", store.conf],
                stdout=slave, stderr=subprocess.PIPE) as done:
            os.close(slave)
            shown = b""
            try:
                while piece := os.read(master, 4096):
                    shown += piece
            except OSError:  # the other side is closed
                pass
            tap.equal(done.wait(), 0, "exit")
        os.close(master)
        text_shown = shown.decode()
        tap.true(want in text_shown, text_shown)
        tap.true(not re.search("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]",
                               text_shown), repr(text_shown))


def text_of(element):
    """All text in an element."""
    return "".join(element.itertext())


def page():
    """Strict HTML that loads nothing, runs nothing and escapes everything."""
    store = Store(random_lines(4, 900))
    for args in ([], ["newsletter"], ["--campaign", HOSTILE[0]],
                 ["--campaign", HOSTILE[1]], ["quiet"], ["--since", "400d"]):
        out = store.run("--html", *args)
        parser = html5lib.HTMLParser(
            strict=True, tree=html5lib.getTreeBuilder("etree"),
            namespaceHTMLElements=False)
        tree = parser.parse(out)
        tags = {e.tag for e in tree.iter() if isinstance(e.tag, str)}
        tap.true(not tags & {"script", "img", "iframe", "link", "object",
                             "form", "a", "b-ad"}, "tags %r" % tags)
        names_of = {name for e in tree.iter() if isinstance(e.tag, str)
                    for name in e.attrib}
        tap.true(not any(n in ("src", "href", "style", "srcset") or
                         n.startswith("on") for n in names_of),
                 "attributes %r" % names_of)
        tap.true("url(" not in out and "@import" not in out, "styles")
        tap.true("prefers-color-scheme:dark" in out, "dark")
        plots = [e for e in tree.iter() if str(e.tag).endswith("}svg") or
                 e.tag == "svg"]
        tap.equal(len(plots), 4, "plots")
        ids = {e.attrib["id"]: text_of(e) for e in tree.iter()
               if isinstance(e.tag, str) and "id" in e.attrib}
        for plot in plots:
            tap.true(all(ids[name] for name in
                         plot.attrib["aria-labelledby"].split()), "labels")
        tap.true("which is not delivered" in out and
                 "Opens are an estimate" in out, "honest words")
    cells = [text_of(e) for e in html5lib.parse(
        store.run("--html", "newsletter"), namespaceHTMLElements=False
        ).iter("th")]
    for name in HOSTILE[:3] + HOSTILE[4:5] + HOSTILE[6:]:
        tap.true(name in cells, name)
    told = store.json("newsletter")
    boxes = [text_of(e) for e in html5lib.parse(
        store.run("--html", "newsletter"), namespaceHTMLElements=False
        ).iter("dd")]
    tap.true(boxes[0].startswith(str(told["all"]["handed"])), boxes)
    tap.true(boxes[1].startswith(str(told["all"]["opened"]["unique"])), boxes)


POINTS = [(f.__name__.replace("_", " "), f) for f in (
    numbers, ranges, names, no_store, not_for_this_user, text, progress,
    csv_table, csv_terminal, page)]


def main():
    """Runs the tests, and cleans up."""
    status = tap.run(POINTS)
    shutil.rmtree(WORK)
    sys.exit(status)


if __name__ == "__main__":
    main()
