#!/usr/bin/python3
"""Scanners, prefetchers and people at a real trackd: what others' users met is
met here, with headers as these clients send them.  Nobody is unsubscribed but
by a POST; each event has its verdict and rule; a burst corrects what was taken
for a person's; who visited is stored only when that is wanted.
"""
import collections
import json
import os
import sys
import threading
import time

sys.dont_write_bytecode = True
import lab as labs  # noqa: E402
import tap  # noqa: E402
import trackd  # noqa: E402

LINKS = ["https://shop.example/%s" % x for x in "abcdef"]
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) "
KIT = "AppleWebKit/537.36 (KHTML, like Gecko) "
CHROME = WINDOWS + KIT + "Chrome/130.0.0.0 Safari/537.36"
PAGE = [("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,"
         "image/avif,image/webp,*/*;q=0.8"),
        ("Accept-Language", "en-US,en;q=0.9"),
        ("Accept-Encoding", "gzip, deflate, br")]
NAVIGATES = PAGE + [("Upgrade-Insecure-Requests", "1"),
                    ("Sec-Fetch-Site", "none"), ("Sec-Fetch-User", "?1"),
                    ("Sec-Fetch-Mode", "navigate"),
                    ("Sec-Fetch-Dest", "document")]
IMAGE = [("Accept", "image/webp,image/png,image/*;q=0.8,*/*;q=0.5"),
         ("Accept-Language", "en-us"), ("Accept-Encoding", "gzip, deflate")]
GMAIL = ("Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 "
         "(via ggpht.com GoogleImageProxy)")
PROXIES = 'proxies = { "127.0.0.0/8" }'


def client(agent, fields, address=None):
    """The fields of a client's request."""
    return ([("User-Agent", agent)] if agent else []) + list(fields) + (
        [("X-Forwarded-For", address)] if address else [])


class Mail:
    """The tokens of one recipient's mail; each mail has its own recipient."""

    count = 0

    def __init__(self, daemon, hours_ago=0):
        Mail.count += 1
        self.daemon = daemon
        self.to = "reader%d@example.net" % Mail.count
        hours = int(time.time() // 3600) - hours_ago
        self.clicks = ["/c/" + daemon.token("c", url=url, recipient=self.to,
                                            hours=hours) for url in LINKS]
        self.open = "/o/%s.gif" % daemon.token("o", recipient=self.to,
                                               hours=hours)
        self.unsubscribe = "/u/" + daemon.token("u", recipient=self.to,
                                                hours=hours)

    def get(self, path, fields, method="GET"):
        """One request; what must hold of any answer."""
        reply = self.daemon.ask(method, path, fields=fields)
        want = 302 if path in self.clicks else 200
        tap.equal(reply.status, want, "%s %s" % (method, path[:3]))

    def events(self, count, is_settled=lambda events: True):
        """This mail's events and their corrections, when there are as many,
        corrections not counted, and they are settled."""
        found = []

        def are_there():
            found[:] = [e for e in all_events(self.daemon)
                        if e["recipient"] == self.to]
            return sum("id" in e for e in found) >= count and \
                is_settled(found)
        labs.wait_for("%d events" % count, are_there, 30)
        tap.equal(sum("id" in e for e in found), count, found)
        return found

    def expect_burst(self, count):
        """All clicks are a scanner's in the end; how often it was late."""
        def clicks(events):
            return [e for e in events if e["kind"] == "clicked"]
        events = self.events(count, lambda events: set(finally_judged(
            clicks(events)).values()) == {"scanner"})
        late = sum("corrects" in e for e in events)
        tap.true(late > 0, "the first click was taken for a person's")
        return events

    def expect_subscribed(self):
        """Is it on no list, and did no event say otherwise?"""
        tap.true(not self.daemon.is_suppressed(
            self.to, "stream:newsletter"), self.to)
        tap.true(not self.daemon.is_suppressed(self.to), self.to)


def all_events(daemon):
    """What the command tells."""
    return [json.loads(line) for line in
            daemon.command("events", "--json").splitlines()
            if line.startswith("{")]


def verdicts(events):
    """How many events there are of each (kind, verdict, rule)."""
    return collections.Counter(
        (e["kind"], e["verdict"], e.get("rule", "")) for e in events
        if "corrects" not in e)


def finally_judged(events):
    """{id: verdict} after corrections; each corrects what came before."""
    last = {}
    for e in events:
        if "corrects" in e:
            tap.true(e["corrects"] in last, "it follows its event: %r" % e)
            tap.equal(last[e["corrects"]]["verdict"], e["was"], e)
            tap.equal(e["rule"], "burst", e)
            for key in ("url", "recipient", "kind", "time"):
                tap.equal(e[key], last[e["corrects"]][key], e)
            last[e["corrects"]] = e
        else:
            last[e["id"]] = e
    return {k: e["verdict"] for k, e in last.items()}


def people(daemon):
    """A person opens, and follows two links as people do."""
    mail = Mail(daemon)
    mail.get(mail.open, client(CHROME, IMAGE))
    mail.get(mail.clicks[0], client(CHROME, NAVIGATES))
    time.sleep(0.8)
    mail.get(mail.clicks[1], client(CHROME, NAVIGATES))
    mail.get(mail.clicks[1], client(CHROME, NAVIGATES))
    tap.equal(verdicts(mail.events(4)),
              {("opened", "human", "browser"): 1,
               ("clicked", "human", "browser"): 3})


def safe_links(daemon):
    """All links at once with an old Chrome, the unsubscribe page among them:
    those who have no address of theirs to be known by, too."""
    for address in (None, "40.94.16.7", "104.47.11.62"):
        mail = Mail(daemon, hours_ago=30)
        old = client(WINDOWS + KIT + "Chrome/96.0.4664.110 Safari/537.36",
                     PAGE, address)
        for path in mail.clicks[:3] + [mail.unsubscribe] + mail.clicks[3:]:
            mail.get(path, old)
        if address:
            tap.equal(verdicts(mail.events(6)),
                      {("clicked", "scanner", "microsoft-365"): 6})
        else:
            mail.expect_burst(6)
        mail.expect_subscribed()


def fresh_sandbox(daemon):
    """The same right after the mail was sent is a scanner's at once."""
    mail = Mail(daemon)
    mail.get(mail.clicks[0], client(
        WINDOWS + KIT + "Chrome/79.0.3945.136 Safari/537.36", PAGE))
    tap.equal(verdicts(mail.events(1)),
              {("clicked", "scanner", "old-chrome"): 1})


def barracuda(daemon):
    """HEAD, then GET, of every link; its own agent; its own network."""
    mail = Mail(daemon, hours_ago=30)
    for path in mail.clicks + [mail.unsubscribe]:
        mail.get(path, client(CHROME, PAGE), "HEAD")
        mail.get(path, client(CHROME, PAGE, "209.222.82.5"))
    tap.equal(verdicts(mail.events(12)),
              {("clicked", "scanner", "head"): 6,
               ("clicked", "scanner", "barracuda"): 6})
    mail.expect_subscribed()
    mail = Mail(daemon)
    for path in (mail.clicks[0], mail.unsubscribe, mail.open):
        mail.get(path, client("Barracuda Sentinel (EE)", PAGE))
    tap.equal(verdicts(mail.events(2)),
              {("clicked", "scanner", "barracuda"): 1,
               ("opened", "scanner", "barracuda"): 1})
    mail.expect_subscribed()


def without_agent(daemon):
    """HEAD with neither agent nor anything: Exchange Online."""
    mail = Mail(daemon)
    mail.get(mail.unsubscribe, [], "HEAD")
    mail.get(mail.clicks[0], [], "HEAD")
    mail.get(mail.clicks[1], [])
    tap.equal(verdicts(mail.events(2)),
              {("clicked", "scanner", "head"): 1,
               ("clicked", "unknown", "no-agent"): 1})
    mail.expect_subscribed()


def mail_proxies(daemon):
    """Apple, Gmail and Yahoo fetch images."""
    mail = Mail(daemon)
    mail.get(mail.open, client("Mozilla/5.0", IMAGE))
    mail.get(mail.open, client(GMAIL, IMAGE))
    mail.get(mail.open, client(
        "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-"
        "SLN28749.html", [("Accept", "*/*")]))
    tap.equal(verdicts(mail.events(3)),
              {("opened", "prefetch", "apple-mpp"): 1,
               ("opened", "prefetch", "gmail-proxy"): 1,
               ("opened", "prefetch", "yahoo-proxy"): 1})


def messengers(daemon):
    """Somebody posts his newsletter: it is unfolded, all links at once."""
    mail = Mail(daemon)
    mail.get(mail.clicks[0], client(CHROME, NAVIGATES))
    for path in mail.clicks + [mail.unsubscribe]:
        mail.get(path, client("Slackbot-LinkExpanding 1.0 "
                              "(+https://api.slack.com/robots)",
                              [("Accept", "*/*"), ("Range", "bytes=0-32768")]))
    tap.equal(verdicts(mail.events(7)),
              {("clicked", "human", "browser"): 1,
               ("clicked", "prefetch", "slack"): 6})
    mail.expect_subscribed()


def prefetches(daemon):
    """Browsers that say so."""
    mail = Mail(daemon)
    for field in (("Sec-Purpose", "prefetch;prerender"),
                  ("Purpose", "prefetch"), ("X-Moz", "prefetch"),
                  ("X-Purpose", "preview")):
        mail.get(mail.clicks[0], client(CHROME, NAVIGATES + [field]))
        mail.get(mail.unsubscribe, client(CHROME, NAVIGATES + [field]))
    tap.equal(verdicts(mail.events(4)),
              {("clicked", "prefetch", "purpose"): 4})
    mail.expect_subscribed()


def all_at_once(daemon):
    """A browser to the letter, but every link in the same second, on as many
    connections: all of it is a scanner's in the end."""
    mail = Mail(daemon)
    threads = [threading.Thread(target=daemon.ask, args=("GET", path), kwargs={
        "fields": client(CHROME, NAVIGATES, "198.51.100.77")})
        for path in mail.clicks + [mail.unsubscribe, mail.open]]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    mail.expect_burst(7)
    mail.expect_subscribed()


def libraries(daemon):
    """Programs by their agents; python-requests follows every link."""
    mail = Mail(daemon)
    for agent in ("python-requests/2.32.3", "curl/8.5.0",
                  "Go-http-client/1.1"):
        for path in mail.clicks[:2] + [mail.unsubscribe]:
            mail.get(path, client(agent, [("Accept", "*/*")]))
    tap.equal(verdicts(mail.events(6)),
              {("clicked", "scanner", "library"): 6})
    mail.expect_subscribed()


def a_person_posts(daemon):
    """What is meant works, whoever posts it: Gmail's own agent, too."""
    mail = Mail(daemon)
    for path in mail.clicks:
        mail.get(path, client("Mozilla/5.0", PAGE))
    reply = daemon.post(mail.unsubscribe, fields=client(
        "Mozilla/5.0 (compatible; Google-One-Click; bot/1)", [
            ("Content-Type", "application/x-www-form-urlencoded")]))
    tap.equal(reply.status, 200)
    tap.true(daemon.is_suppressed(mail.to, "stream:newsletter")
             or daemon.is_suppressed(mail.to), "unsubscribed")
    last = [e for e in mail.events(7) if e["kind"] == "unsubscribed"]
    tap.equal([(e["verdict"], e["rule"]) for e in last],
              [("human", "one-click")])


INCIDENTS = [people, safe_links, fresh_sandbox, barracuda, without_agent,
             mail_proxies, messengers, prefetches, all_at_once, libraries,
             a_person_posts]


def test_incidents():
    """One trackd, all incidents."""
    with trackd.Trackd(section=PROXIES) as d:
        d.start()
        for incident in INCIDENTS:
            try:
                incident(d)
            except AssertionError as e:
                raise AssertionError("%s: %s" % (
                    incident.__name__, e)) from e
        d.stop()


def stored(daemon, *needles):
    """Which of these are in any file of the store, the spool or the log?"""
    found = set()
    for top in ("store", "spool"):
        for where, _, names in os.walk(daemon.path(top)):
            for name in names:
                with open(os.path.join(where, name), "rb") as f:
                    text = f.read()
                found |= {n for n in needles if n.encode() in text}
    return found | {n for n in needles if n in daemon.log()}


def visit_marked(daemon):
    """An open, a burst of clicks and an unsubscription by one visitor."""
    mail = Mail(daemon)
    who = client("Mozilla/5.0 (X11; Linux x86_64) MarkedAgent/7", NAVIGATES,
                 "203.0.113.251")
    for path in [mail.open] + mail.clicks[:3] + [mail.unsubscribe]:
        mail.get(path, who)
    tap.equal(daemon.post(mail.unsubscribe, fields=who + [
        ("Content-Type", "application/x-www-form-urlencoded")]).status, 200)
    return mail.expect_burst(5)


def test_visitors_forgotten():
    """By default neither address nor agent is in any file, nor in the log."""
    with trackd.Trackd(section=PROXIES) as d:
        d.start()
        for e in visit_marked(d):
            tap.true("visitor" not in e, e)
        tap.equal(stored(d, "203.0.113.251", "MarkedAgent"), set())
        d.stop()
        tap.equal(stored(d, "203.0.113.251", "MarkedAgent", "reader"),
                  {"reader"}, "the recipient is")


def test_visitors_kept():
    """When it is wanted they are in each event, corrections too."""
    with trackd.Trackd(section=PROXIES + "\nkeep-visitors = true") as d:
        d.start()
        for e in visit_marked(d):
            tap.equal(e.get("visitor"), "203.0.113.251 Mozilla/5.0 (X11; "
                      "Linux x86_64) MarkedAgent/7", e)
        d.stop()
        tap.equal(stored(d, "203.0.113.251", "MarkedAgent"),
                  {"203.0.113.251", "MarkedAgent"})


def rule_of(daemon):
    """Who a visitor with a certain agent is now."""
    mail = Mail(daemon)
    mail.get(mail.clicks[0], client("Example Monitor/1", PAGE))
    event = mail.events(1)[0]
    return event["verdict"], event.get("rule", "")


def write_rules(daemon, text):
    """The operator's file, in one step."""
    with open(daemon.path("rules.new"), "w", encoding="utf-8") as f:
        f.write(text)
    os.rename(daemon.path("rules.new"), daemon.path("rules"))


def test_own_rules():
    """The operator's rules; read anew all or nothing."""
    with trackd.Trackd() as d:
        d.start()
        tap.equal(rule_of(d), ("human", ""), "no rule of ours")
        d.stop()
        write_rules(d, '# ours\nmonitor scanner agent:"Example Monitor/*"\n')
        d.configure(section='robots = "%s"' % d.path("rules"))
        d.start()
        tap.equal(rule_of(d), ("scanner", "monitor"))
        write_rules(d, "watch unknown agent:example*\nbad humn no-agent\n"
                    "worse human agnt:x\n")
        d.signal(1)
        d.wait_log("%s:2: \"humn\" is no verdict: did you mean \"human\"?"
                   % d.path("rules"))
        d.wait_log("%s:3: \"agnt\" is no condition: did you mean \"agent\"?"
                   % d.path("rules"))
        tap.equal(rule_of(d), ("scanner", "monitor"), "as before")
        write_rules(d, "watch unknown agent:example*\n")
        d.reload()
        tap.equal(rule_of(d), ("unknown", "watch"))
        d.stop()


def test_no_start_with_bad_rules():
    """Wrong rules at the start: it says so and ends."""
    with trackd.Trackd() as d:
        write_rules(d, "a human\n")
        d.configure(section='robots = "%s"' % d.path("rules"))
        d.start(wait=False)
        tap.true(d.child.wait(30) != 0, "exit status")
        tap.true('rules:1: rule "a" has no condition' in d.log(), d.log())


if __name__ == "__main__":
    trackd.why_not()
    sys.exit(tap.run([
        ("robots and people of the incidents", test_incidents),
        ("visitors are forgotten", test_visitors_forgotten),
        ("visitors are kept when that is wanted", test_visitors_kept),
        ("rules of one's own, all or nothing", test_own_rules),
        ("no start with wrong rules", test_no_start_with_bad_rules),
    ]))
