#!/usr/bin/python3
"""`bulkhead suppress import` over files as the services write them (made up,
in tests/cli/imports), through the real command and store.
"""
import json
import os
import shutil
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import suppress_lab  # noqa: E402
import tap  # noqa: E402
from suppress_lab import BULKHEAD, IMPORTS, Store  # noqa: E402

# file: service, kind, {address: (reason, date)}, exit code
FILES = {
    "ses-list.json": ("ses", None, {
        "ses.bounce@recipient.example": ("hard-bounce", "2020-04-10T21:03:05"),
        "ses.complaint@recipient.example":
            ("complaint", "2020-04-10T21:03:05"),
        "ses.epoch@recipient.example": ("hard-bounce", "2020-04-10T21:03:05"),
        "ses.page2@recipient.example":
            ("hard-bounce", "2021-01-02T03:04:05")}, 0),
    "ses-job.csv": (None, None, {
        "job.bounce@recipient.example": ("hard-bounce", None),
        "job.complaint@recipient.example": ("complaint", None)}, 0),
    "ses-job.json": ("ses", "job", {
        "job.bounce@recipient.example": ("hard-bounce", None),
        "job.complaint@recipient.example": ("complaint", None)}, 0),
    "suppression_bounces.csv": ("sendgrid", "bounces", {
        "hard@recipient.example": ("hard-bounce", "2015-09-30T22:12:05"),
        "policy@recipient.example": ("hard-bounce", "2015-09-30T22:12:21"),
        "soft@recipient.example":
            ("soft-bounces", "2015-09-30T22:12:34")}, 0),
    "sendgrid-bounces.json": ("sendgrid", "bounces", {
        "hard@recipient.example": ("hard-bounce", "2015-09-30T22:12:05"),
        "soft@recipient.example":
            ("soft-bounces", "2015-06-08T21:51:43")}, 0),
    "suppression_blocks.csv": ("sendgrid", "blocks", {
        "blocked@recipient.example": ("soft-bounces", "2015-09-30T22:12:34"),
        "dial@recipient.example":
            ("soft-bounces", "2015-09-30T22:12:35")}, 0),
    "sendgrid-either.csv": ("sendgrid", "bounces or blocks", {
        "hard@recipient.example": ("hard-bounce", "2015-09-30T22:12:05"),
        "blocked@recipient.example":
            ("soft-bounces", "2015-09-30T22:12:34")}, 0),
    "sendgrid-spam-reports.json": ("sendgrid", "spam-reports", {
        "spam1@recipient.example": ("complaint", "2015-09-30T22:12:21"),
        "spam2@recipient.example": ("complaint", "2015-09-30T22:12:34")}, 0),
    "suppression_spam_reports.csv": ("sendgrid", "spam-reports", {
        "spam1@recipient.example": ("complaint", "2015-09-30T22:12:21")}, 0),
    "suppression_global_unsubscribes.csv": (
        "sendgrid", "global-unsubscribes", {
            "global1@recipient.example":
                ("unsubscribe", "2015-09-30T22:12:21"),
            "global2@recipient.example":
                ("unsubscribe", "2015-09-30T22:12:34")}, 0),
    "sendgrid-global-unsubscribes.json": ("sendgrid", "global-unsubscribes", {
        "global1@recipient.example":
            ("unsubscribe", "2015-09-30T22:12:21")}, 0),
    "suppression_invalid_emails.csv": ("sendgrid", "invalid-emails", {
        "invalid@recipient.example":
            ("hard-bounce", "2015-09-30T22:12:21")}, 0),
    "sendgrid-group.json": ("sendgrid", "group-unsubscribes", {
        "group1@recipient.example": ("unsubscribe", None),
        "group2@recipient.example": ("unsubscribe", None)}, 0),
    "sendgrid-groups.json": ("sendgrid", "group-unsubscribes", {
        "group1@recipient.example": ("unsubscribe", "2014-09-17T20:45:04"),
        "group2@recipient.example":
            ("unsubscribe", "2014-09-23T17:34:31")}, 0),
    "mailgun-bounces.json": ("mailgun", "bounces", {
        "alice@recipient.example": ("hard-bounce", "2011-10-21T11:02:55"),
        "bob@recipient.example":
            ("soft-bounces", "2011-10-21T11:02:56")}, 0),
    "mailgun-bounces.csv": ("mailgun", "bounces", {
        "alice@recipient.example":
            ("hard-bounce", "2011-10-21T11:02:55")}, 0),
    "mailgun-unsubscribes.json": ("mailgun", "unsubscribes", {
        "alice@recipient.example": ("unsubscribe", "2011-10-21T11:02:55"),
        "bob@recipient.example": ("unsubscribe", "2011-10-21T11:02:56")}, 0),
    "mailgun-unsubscribes.csv": ("mailgun", "unsubscribes", {
        "alice@recipient.example":
            ("unsubscribe", "2011-10-21T11:02:55")}, 0),
    "mailgun-complaints.json": ("mailgun", "complaints", {
        "alice@recipient.example": ("complaint", "2011-10-21T11:02:55")}, 0),
    "mailgun-complaints.csv": ("mailgun", "complaints", {
        "alice@recipient.example": ("complaint", "2011-10-21T11:02:55")}, 0),
    "postmark-suppressions.json": ("postmark", None, {
        "asked@recipient.example": ("unsubscribe", "2019-12-17T13:58:33"),
        "byhand@recipient.example": ("manual", "2019-12-17T13:58:33"),
        "bounce@recipient.example": ("hard-bounce", "2019-12-18T13:58:33"),
        "spam@recipient.example": ("complaint", "2019-12-19T13:58:33")}, 0),
    "postmark-suppressions.csv": ("postmark", None, {
        "asked@recipient.example": ("unsubscribe", "2019-12-17T13:58:33"),
        "spam@recipient.example": ("complaint", "2019-12-19T13:58:33")}, 0),
    "sparkpost.json": ("sparkpost", None, {
        "rule@recipient.example": ("hard-bounce", "2015-01-01T12:00:00"),
        "fbl@recipient.example": ("complaint", "2015-01-02T12:00:00"),
        "unsub@recipient.example": ("unsubscribe", "2015-01-03T12:00:00"),
        "link@recipient.example": ("unsubscribe", "2015-01-03T12:00:00"),
        "byhand@recipient.example": ("manual", "2015-01-03T12:00:00")}, 0),
    "sparkpost.csv": ("sparkpost", None, {
        "rule@recipient.example": ("hard-bounce", "2015-01-01T12:00:00")}, 0),
    "unsubscribed_members_export_0a1b.csv": ("mailchimp", "unsubscribed", {
        "left@recipient.example": ("unsubscribe", "2020-02-03T04:05:06"),
        "abuse@recipient.example": ("complaint", "2020-02-04T04:05:06")}, 0),
    "cleaned_members_export_0a1b.csv": ("mailchimp", "cleaned", {
        "gone@recipient.example": ("hard-bounce", "2020-02-03T04:05:06")}, 0),
    "postal.tsv": ("postal", None, {
        "soft@recipient.example": ("soft-bounces", "2023-11-14T22:13:20"),
        "hard@recipient.example": ("hard-bounce", "2023-11-14T22:13:21")}, 0),
    "mandrill.csv": ("mandrill", None, {
        "soft@recipient.example": ("soft-bounces", "2015-11-03T10:22:19"),
        "hard@recipient.example": ("hard-bounce", "2016-01-14T19:08:17"),
        "spam@recipient.example": ("complaint", "2016-01-14T19:08:17"),
        "unsub@recipient.example": ("unsubscribe", "2016-01-14T19:08:17")},
        0),
    "generic-semicolons.csv": (None, None, {
        "eins@recipient.example": ("import", "2020-02-03T00:00:00"),
        "zwei@recipient.example": ("import", "2020-02-04T00:00:00")}, 0),
    "generic-unnamed.csv": (None, None, {
        "eins@recipient.example": ("import", None),
        "zwei@recipient.example": ("import", None)}, 0),
    "plain.txt": (None, None, dict.fromkeys((
        "one@recipient.example", "two@recipient.example",
        "three@recipient.example", "four@recipient.example",
        "five@recipient.example", "@dropped.example",
        '"odd name"@recipient.example', "jörg@recipient.example",
        "wer@xn--bcher-kva.example"), ("import", None)), 65),
    "mailchimp-members.json": ("mailchimp", "members", {
        "left@recipient.example": ("unsubscribe", "2016-09-15T14:31:41"),
        "gone@recipient.example": ("hard-bounce", "2016-09-15T14:31:42")}, 0),
    "mailgun-old-complaints.csv": ("mailgun", "complaints", {
        "alice@recipient.example": ("complaint", "2011-11-15T08:25:11")}, 0),
    "mailgun-old-complaints.json": ("mailgun", "complaints", {
        "alice@recipient.example": ("complaint", "2011-11-15T08:25:11")}, 0),
    "postmark-bounces.json": ("postmark", "bounces", {
        "hard@recipient.example": ("hard-bounce", "2019-11-05T16:33:54"),
        "spam@recipient.example": ("complaint", "2019-11-05T16:33:54")}, 0),
    "postmark-spaced.csv": ("postmark", None, {
        "hard@recipient.example": ("hard-bounce", "2020-02-03T16:05:00"),
        "byhand@recipient.example": ("manual", "2020-02-03T04:05:06")}, 0),
    "sendgrid-old-bounces.json": ("sendgrid", "bounces", {
        "hard@recipient.example": ("hard-bounce", "2011-09-16T22:02:19")}, 0),
    "group_unsubscribes.csv": ("sendgrid", "group-unsubscribes", {
        "group1@recipient.example":
            ("unsubscribe", "2014-09-17T20:45:04")}, 0),
    "sparkpost-page.json": ("sparkpost", None, {
        "rule@recipient.example": ("hard-bounce", "2015-01-01T12:00:00"),
        "next@recipient.example": ("complaint", "2015-01-01T12:00:00")}, 0),
    "sparkpost-upload.csv": ("sparkpost", None, {
        "both@recipient.example": ("import", None),
        "one@recipient.example": ("import", None)}, 0),
    "ses-text.txt": (None, None, {
        "bounce@recipient.example": ("hard-bounce", "2020-04-10T21:03:05"),
        "complaint@recipient.example":
            ("complaint", "2020-04-10T21:03:05")}, 0),
    "damaged.json": (None, None, {
        "first@recipient.example": ("hard-bounce", None),
        "last@recipient.example": ("complaint", None)}, 65),
    "damaged.csv": (None, None, {
        "first@recipient.example": ("hard-bounce", None),
        "second@recipient.example": ("hard-bounce", None),
        "quoted@recipient.example": ("complaint", None),
        "last@recipient.example": ("import", None)}, 65),
}


def check_file(name):
    """Kind, reasons and dates are as the file says; nothing else is in."""
    service, kind, want, code = FILES[name]
    store = Store()
    path = os.path.join(IMPORTS, name)
    rejects = os.path.join(store.dir, "rejects")
    told = store.json("import", path, "--rejects", rejects, code=code)
    tap.equal((told["service"], told["kind"]), (service, kind), "detected")
    got = store.entries()
    tap.equal(sorted(got), sorted(want), "addresses")
    for address, (reason, date) in want.items():
        tap.equal(got[address]["reason"], reason, address)
        if date is not None:
            tap.equal(got[address]["created"], date + "Z", address)
    tap.equal(told["added"], len(want), "added")
    tap.equal(os.path.exists(rejects), code != 0, "a file of rejects")


def evidence():
    """The service's own words stay with the entry, on one line."""
    store = Store()
    store.run("import", os.path.join(IMPORTS, "suppression_bounces.csv"))
    got = store.entries()
    tap.equal(got["hard@recipient.example"]["evidence"],
              '550 5.1.1 <hard@recipient.example>: Recipient address '
              'rejected, "no such user"', "evidence")
    tap.equal(got["soft@recipient.example"]["evidence"],
              "452 4.2.2 over quota", "of two lines")
    store.run("import", os.path.join(IMPORTS, "mailgun-bounces.csv"))
    tap.equal(store.entries()["alice@recipient.example"]["evidence"],
              "550 No such mailbox, sorry", "code and text")


def expiry():
    """A date of expiry is kept; what is over is left out, and told."""
    store = Store()
    told = store.json("import", os.path.join(IMPORTS, "postal.tsv"))
    tap.equal(told["left-out"], 1, "left out")
    tap.equal(store.entries()["soft@recipient.example"]["expires"],
              "2100-01-01T00:00:00Z", "expires")
    told = Store().json("import", os.path.join(IMPORTS, "postal.tsv"),
                        "--expires", "90d")
    tap.equal((told["left-out"], told["added"]), (0, 3), "with --expires")


def no_list_to_suppress():
    """Lists of those who want mail are refused, unless it is insisted."""
    for name in ("subscribed_members_export_0a1b.csv",
                 "mailgun-allowlist.json"):
        store = Store()
        store.run("import", os.path.join(IMPORTS, name), code=65)
        tap.true("--from csv" in store.err, store.err)
        store.run("list", code=69)  # not even the store was made
    store.run("import", "--from", "csv", "--reason", "manual", os.path.join(
        IMPORTS, "subscribed_members_export_0a1b.csv"))
    tap.equal(store.entries()["customer@recipient.example"]["reason"],
              "manual", "insisted")


def rejects():
    """Each refused line with its number and cause."""
    store = Store()
    path = os.path.join(store.dir, "list.txt")
    shutil.copy(os.path.join(IMPORTS, "plain.txt"), path)
    store.run("import", path, code=65)
    with open(path + ".rejects", encoding="utf-8") as f:
        tap.equal(f.read(), "line,cause,text\n11,not an address,no address\n"
                  "12,not an address,@\n13,not an address,a@b@c\n", "file")
    tap.equal(os.stat(path + ".rejects").st_mode & 0o777, 0o600, "mode")
    shutil.copy(os.path.join(IMPORTS, "damaged.csv"), path)
    store.run("import", path, "--rejects", "other", code=65)
    with open(os.path.join(store.dir, "other"), encoding="utf-8") as f:
        lines = f.read().splitlines()
    tap.equal([line.split(",")[0] for line in lines[1:]], ["3", "6"],
              "lines")
    tap.true("no address" in lines[-1], lines[-1])


def bad_json():
    """What is damaged costs itself: line and record are told."""
    store = Store()
    store.run("import", os.path.join(IMPORTS, "damaged.json"), "--rejects",
              "r", code=65)
    with open(os.path.join(store.dir, "r"), encoding="utf-8") as f:
        lines = f.read()
    for number in range(2, 7):
        tap.true("\n%d," % number in lines, "line %d: %s" % (number, lines))
    tap.true("record 3" in lines, lines)


def forced():
    """--from: a service, one of its lists, or a format."""
    content = "email,created\na@r.example,1443651141\n"
    for word, reason in (("sendgrid", "unsubscribe"),
                         ("sendgrid-spam-reports", "complaint"),
                         ("csv", "import")):
        store = Store()
        store.text("x.csv", content, "--from", word)
        tap.equal(store.entries()["a@r.example"]["reason"], reason, word)
    store = Store()
    store.text("x.csv", content, "--from", "mailgun", code=65)
    tap.true("no list of mailgun" in store.err, store.err)
    store.text("x.csv", content, "--from", "txt", code=65)
    store.run("import", "x.csv", "--from", "nobody", code=64)
    tap.true("sendgrid" in store.err, "the known ones: " + store.err)
    store.run("import", "x.csv", "--format", "xml", code=64)
    store.text("y.csv", content, "--reason", "complaint", "--scope",
               "example.com/newsletter")
    got = store.entries()["a@r.example"]
    tap.equal((got["reason"], got["scope"]),
              ("complaint", "example.com/newsletter"), "options win")


def shapes():
    """Any order of columns, any delimiter, BOM, CR LF, no head, no end."""
    want = {"a@r.example": "complaint", "b@r.example": "unsubscribe"}
    for name, content in (
            ("order", "reason,x,Email\nspam,1,a@r.example\nunsub,2,"
             "b@r.example\n"),
            ("tabs", "reason\temail\nspam\ta@r.example\nunsub\tb@r.example"),
            ("bars", "email|reason\na@r.example|spam\nb@r.example|unsub\n"),
            ("bom", "\ufeffE-Mail Address;Reason\r\na@r.example;spam\r\n"
             "b@r.example;unsub\r\n"),
            ("no head", "a@r.example,spam\nb@r.example,unsubscribed\n"),
            ("quotes", '"email","reason"\n"a@r.example","spam"\n'
             '"b@r.example","unsub"\n'),
            ("a spreadsheet's", "sep=;\r\nemail;reason\r\na@r.example;"
             "spam\r\nb@r.example;unsub\r\n"),
            ("Unicode text", "Email\tReason\r\na@r.example\tspam\r\n"
             "b@r.example\tunsub\r\n".encode("utf-16")),
            ("the same, unmarked", "Email,Reason\na@r.example,spam\n"
             "b@r.example,unsub\n".encode("utf-16-be")),
            ("of all members", "Email,Status\na@r.example,Complained\n"
             "c@r.example,Subscribed\nb@r.example,Unsubscribed\n"),
            ("blank", "email,reason\n\na@r.example , spam\n\r\n\n"
             "b@r.example, unsub\n"),
            ("as if invalid", "email,reason,created\na@r.example,spam,\n"
             "b@r.example,unsub,\n"),
            ("lines of JSON", '{"email":"a@r.example","reason":"spam"}\n'
             '{"reason":"unsub","email":"b@r.example"}\n'),
            ("JSON in data", '{"n":2,"links":[{"a":1}],"data":[{"email":'
             '"a@r.example","type":"spam"},{"email":"\\u0062@r.example",'
             '"type":"unsub"}],"more":{"data":[1]}}')):
        store = Store()
        store.text(name, content)
        got = {a: e["reason"] for a, e in store.entries().items()}
        tap.equal(got, want, name)


def not_lists():
    """What is no list is refused with advice."""
    for content, text in ((b"\x1f\x8b\x08\0", "gunzip"),
                          (b"PK\x03\x04", "ZIP"),
                          (b"name,town\nx,y\n", "no field"),
                          (b'[{"name": "x"}]', "no field")):
        store = Store()
        store.text("x", content, code=65) if b"[" in content or \
            b"," in content else None
        path = os.path.join(store.dir, "x")
        with open(path, "wb") as f:
            f.write(content)
        store.run("import", path, code=65)
        tap.true(text in store.err, store.err)
    store.run("import", "nonexistent", code=66)
    store.run("import", store.dir, code=66)
    told = store.text("empty", b"")
    tap.equal((told["rows"], told["added"]), (0, 0), "empty")


def dry_run():
    """Counts for each reason, and nothing is changed, nothing made."""
    store = Store()
    told = store.json("import", "--dry-run", os.path.join(
        IMPORTS, "sparkpost.json"))
    tap.equal(told["reasons"], {"complaint": 1, "unsubscribe": 2, "manual": 1,
                                "hard-bounce": 1}, "reasons")
    tap.equal((told["dry-run"], told["import"]), (True, None), "dry")
    tap.equal(os.listdir(store.dir), ["conf"], "files")


def again():
    """The same file again adds nothing."""
    store = Store()
    path = os.path.join(IMPORTS, "sparkpost.json")
    tap.equal(store.json("import", path)["added"], 5, "first")
    before = store.entries()
    told = store.json("import", path)
    tap.equal((told["added"], told["already"]), (0, 5), "again")
    tap.equal(store.entries(), before, "the same entries")


def undo():
    """Exactly what the import brought goes, what it replaced comes back."""
    store = Store()
    store.run("add", "mine@r.example", "--note", "by hand")
    store.run("add", "short@r.example", "--reason", "import", "--expires",
              "1d")
    before = store.entries()
    told = store.text("x", "short@r.example\nnew@r.example\n")
    tap.equal((told["added"], told["extended"]), (1, 1), "counts")
    store.text("y", "other@r.example\n")
    undone = store.json("undo", str(told["import"]))
    tap.equal((undone["removed"], undone["restored"]), (2, 1), "undone")
    after = store.entries()
    del after["other@r.example"]
    tap.equal(after, before, "as before")
    store.run("undo", "99", code=1)
    store.run("undo", "x", code=64)
    states = [json.loads(line)["state"] for line in
              store.run("imports", "--json").splitlines()]
    tap.equal(states, ["undone", "done"], "states")


def round_trip():
    """What is exported, imported into an empty store, exports the same."""
    store = Store()
    store.run("add", "plain@r.example", "@dom.example")
    store.run("add", "hard@r.example", "--reason", "hard-bounce", "--note",
              '550 5.1.1 "no", such; user')
    store.run("add", "un@r.example", "--reason", "unsubscribe", "--scope",
              "example.com/newsletter/list,1", "--expires", "90d")
    store.run("add", "un@r.example", "--reason", "unsubscribe", "--scope",
              "example.com/a/b")
    store.run("add", "un@r.example", "--reason", "complaint", "--scope",
              "example.com/*/k/l")
    store.run("import", os.path.join(IMPORTS, "ses-list.json"))
    for form in ("csv", "json"):
        out = store.run("export", "--format", form)
        other = Store()
        told = other.text("x", out)
        tap.equal((told["service"], told["refused"]), ("bulkhead", 0), form)
        back = other.run("export", "--format", form)
        if form == "json":
            clean = [[{k: v for k, v in json.loads(line).items()
                       if k != "import"} for line in text.splitlines()]
                     for text in (out, back)]
            tap.equal(clean[1], clean[0], form)
        else:
            tap.equal(back, out, form)
    out = store.run("export", "--format", "txt")
    other = Store()
    other.text("x", out)
    tap.equal(other.run("export", "--format", "txt"), out, "txt")
    tap.equal(out.count("un@r.example"), 1, "each address once")


def since():
    """An import's old dates do not hide what it brought."""
    store = Store()
    store.run("add", "early@r.example")
    store.run("import", os.path.join(IMPORTS, "ses-list.json"))
    out = store.run("export", "--since", "1h")
    tap.true("ses.page2@recipient.example" in out, out)
    tap.true(out.startswith("address,scope,reason,created,expires,source,"
                            "evidence,change\n"), out)
    store.run("remove", "early@r.example")
    store.run("add", "back@r.example")
    store.run("remove", "back@r.example")
    store.run("add", "back@r.example")
    told = store.text("x", "".join("u%d@undone.example\n" % i
                                   for i in range(5000)))
    store.run("undo", str(told["import"]))
    lines = [json.loads(line) for line in store.run(
        "export", "--since", "1h", "--format", "json").splitlines()]
    gone = [e["address"] for e in lines if e["change"] == "removed"]
    tap.equal(len(gone), 5001, "removed")
    tap.true("early@r.example" in gone and "back@r.example" not in gone,
             "what came back")
    tap.equal(len([e for e in lines if e["change"] == "added"]), 5, "added")
    out = store.run("export", "--since", "1h", "--domain", "r.example")
    tap.equal(sorted(line.split(",")[0] + line[line.rindex(","):]
                     for line in out.splitlines()[1:]),
              ["back@r.example,added", "early@r.example,removed"], "filter")
    other = Store()
    tap.equal(other.text("y", store.run("export", "--since", "1h"))
              ["left-out"], 5001, "import of it")
    out = store.run("export", "--since", "2100-01-01")
    tap.equal(len(out.splitlines()), 1, "nothing since then")


def pipe():
    """Standard input; nothing of a pipe is lost."""
    store = Store()
    text = b"".join(b"user%d@r.example\n" % i for i in range(200000))
    told = store.json("import", "-", stdin=text)
    tap.equal((told["rows"], told["added"]), (200000, 200000), "rows")


def killed():
    """kill -9 in the midst: the same command goes on and nothing lacks."""
    store = Store()
    path = os.path.join(store.dir, "list.txt")
    with open(path, "w", encoding="utf-8") as f:
        for i in range(400000):
            f.write("user%07d@r.example\n" % (i * 7919 % 400000))
    resumed = 0
    for number in range(12):  # longer each time: machines differ
        with subprocess.Popen(
                [BULKHEAD, "suppress", "import", path, "-c", store.conf],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as p:
            timer = threading.Timer(0.25 * 1.35 ** number, p.kill)
            timer.start()
            p.wait()
            timer.cancel()
            if p.returncode == 0:
                break
    told = [json.loads(line) for line in
            store.run("imports", "--json").splitlines()]
    if told[-1]["state"] != "done":
        resumed = store.json("import", path)["resumed"]
        tap.equal(resumed, True, "resumed")
    told = [json.loads(line) for line in
            store.run("imports", "--json").splitlines()]
    tap.equal([t["state"] for t in told], ["done"], "one import, done")
    tap.equal(told[0]["added"] + told[0]["already"], 400000, "counted")
    tap.equal(store.json("stats")["entries"], 400000, "entries")
    store.run("undo", str(told[0]["import"]))
    tap.equal(store.json("stats")["entries"], 0, "undone")


def sorted_outside():
    """More than memory is told to hold: no temporary file stays."""
    store = Store()
    tmp = os.path.join(store.dir, "tmp")
    os.mkdir(tmp)
    note = "x" * 450
    text = "email,note\n" + "".join(
        "user%d@r.example,%s %d\n" % (i * 7919 % 200000, note, i)
        for i in range(200000))
    told = store.text("x.csv", text, "--tmp", tmp)
    tap.equal(told["added"], 200000, "added")
    tap.equal(os.listdir(tmp), [], "left behind")
    out = store.run("export", "--format", "txt").split()
    tap.equal(out, sorted(out), "in order")
    store.text("x.csv", text + "one@r.example\n", "--tmp", "/nonexistent",
               code=73)


def crowd():
    """A second import at the same time is sent away, or both come through."""
    store = Store()
    path = os.path.join(store.dir, "x")
    with open(path, "w", encoding="utf-8") as f:
        f.writelines("user%d@r.example\n" % i for i in range(200000))
    runs = [subprocess.Popen(
        [BULKHEAD, "suppress", "import", path, "-c", store.conf],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(3)]
    codes = sorted(p.wait() for p in runs)
    tap.true(codes[0] == 0 and set(codes) <= {0, 75}, codes)
    tap.equal(store.json("stats")["entries"], 200000, "entries")


POINTS = [("import " + name, lambda name=name: check_file(name))
          for name in sorted(FILES)] + [
    (f.__name__.replace("_", " "), f) for f in (
        evidence, expiry, no_list_to_suppress, rejects, bad_json, forced,
        shapes, not_lists, dry_run, again, undo, round_trip, since, pipe,
        killed, sorted_outside, crowd)]

if __name__ == "__main__":
    suppress_lab.run(POINTS)
