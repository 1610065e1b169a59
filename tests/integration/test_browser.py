#!/usr/bin/python3
"""The unsubscribe page in a real browser: the link of mail that went through
Postfix and the milter, through nginx with TLS, without JavaScript, in light
and dark, at 320 and 1280 px, in five languages.

BULKHEAD_SCREENSHOTS names a directory that keeps what was seen.
"""
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
import browser as browsers  # noqa: E402
import bulkhead  # noqa: E402
import lab as labs  # noqa: E402
import proxies  # noqa: E402
import tap  # noqa: E402
import trackd as daemons  # noqa: E402

FROM = "bounces@example.com"
LANGUAGES = ("en", "de", "fr", "es", "ja")
WIDTHS = (320, 1280)
LIST = "example.com/newsletter/weekly.news.example.com"
STREAM = "example.com/newsletter"
OTHER = "example.com/other"
MORE = """\
trackd {{
    listen = "inet:127.0.0.1:%d"
    spool  = "{dir}/spool"
}}
"""
# Behind the other streams, which take all mail: only a scope to ask about.
ELSE = 'stream "other" {{ match {{ sender = {{ "x@y.example" }} }} }}\n'
SHOTS = os.environ.get("BULKHEAD_SCREENSHOTS")

# Every text's colours, and how far they differ (WCAG 2.1, 1.4.3).
CONTRAST = """(() => {
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const light = c => { const v = c.slice(0, 3).map(x => { x /= 255;
    return x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2]; };
  const behind = e => { for (; e; e = e.parentElement) {
    const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  let worst = 21;
  for (const e of document.querySelectorAll("h1,p,legend,span,button,a")) {
    const a = light(parse(getComputedStyle(e).color)), b = light(behind(e));
    worst = Math.min(worst, (Math.max(a, b) + 0.05) /
      (Math.min(a, b) + 0.05)); }
  return worst; })()"""
LEAST_CONTRAST = 4.5
# What a finger must hit, in px (WCAG 2.1, 2.5.5 has 44).
TARGETS = """Array.from(document.querySelectorAll("button,label,a")).map(
  e => Math.round(e.getBoundingClientRect().height))"""
LEAST_TARGET = 24


class Site:
    """Mail, trackd, nginx and the browser."""

    def __init__(self, lab):
        self.lab = lab
        port = labs.free_port()
        for name in ("store", "spool"):
            os.makedirs(lab.path(name), exist_ok=True)
        self.product = bulkhead.Bulkhead(
            lab, MORE % port + bulkhead.CONFIG + ELSE)
        self.product.start()
        self.trackd = lab.spawn(
            [daemons.PROGRAM, "-c", self.product.config, "-f"], "trackd.log")
        self.nginx = proxies.Nginx(lab.path("nginx"), port)
        self.browser = None

    def link(self, *recipients):
        """The unsubscribe link in mail to them, as it arrived."""
        data = dict(bulkhead.mails())["8bit-html.eml"]
        queue_id = self.lab.sendmail(FROM, recipients, data)
        message = labs.wait_for("mail", lambda: next(
            (m for m in self.lab.receiver.messages
             if bulkhead.queue_id_of(m) == queue_id), None))
        head = re.sub(rb"\r\n[ \t]+", b"", message.data.partition(
            b"\r\n\r\n")[0])
        found = re.search(rb"(?im)^List-Unsubscribe:.*?<(https:[^>\s]+)>",
                          head)
        tap.true(found, "no link in the mail")
        return found.group(1).decode()

    def is_suppressed(self, who, scope):
        """Is who refused mail of that scope?"""
        done = subprocess.run(
            [daemons.COMMAND, "suppress", "check", "-c", self.product.config,
             "--scope", scope, who], stdout=subprocess.PIPE, timeout=60,
            stderr=subprocess.STDOUT, check=False)
        tap.true(done.returncode in (0, 1), done.stdout.decode())
        return done.returncode == 0

    def expect(self, who, *scopes):
        """He is suppressed for exactly these of all scopes."""
        tap.equal([s for s in (LIST, STREAM, OTHER)
                   if self.is_suppressed(who, s)], list(scopes), who)

    def shoot(self, name):
        """Keeps a screenshot, if they are wanted."""
        if SHOTS:
            os.makedirs(SHOTS, exist_ok=True)
            self.browser.screenshot(os.path.join(SHOTS, name + ".png"))


def title(site):
    """What the page says first."""
    return site.browser.ask("document.querySelector('h1').innerText")


def expect_sound(site, width, language, url):
    """Nothing overflows, nothing complains, nothing else is fetched."""
    b = site.browser
    tap.equal(b.complaints(), [], "complaints")
    others = [u for u in b.requests() if u not in (url, url + "?")]
    tap.equal(others, [], "other requests")
    tap.equal(b.ask("document.cookie"), "", "cookies")
    tap.equal(b.ask("document.documentElement.lang"), language, "language")
    wide = b.ask("document.documentElement.scrollWidth")
    tap.true(wide <= width, "%d px of %d" % (wide, width))
    contrast = b.ask(CONTRAST)
    tap.true(contrast >= LEAST_CONTRAST, "contrast %.1f" % contrast)
    targets = b.ask(TARGETS)
    tap.true(min(targets or [99]) >= LEAST_TARGET, "px: %r" % targets)


def brightness(site):
    """Of the page's ground, 0 to 255."""
    colour = site.browser.ask(
        "getComputedStyle(document.body).backgroundColor")
    return sum(float(v) for v in re.findall(r"[\d.]+", colour)[:3]) / 3


def check_look(site, url, language):
    """Every width and colour scheme."""
    seen = []
    for width in WIDTHS:
        for dark in (False, True):
            site.browser.show(width, dark, language)
            tap.equal(site.browser.open(url), 200, "status")
            expect_sound(site, width, language, url)
            tap.true((brightness(site) < 100) == dark, "colour scheme")
            seen.append(title(site))
            site.shoot("ask-%s-%d-%s" % (language, width,
                                         "dark" if dark else "light"))
    tap.equal(len(set(seen)), 1, "titles")


def check_languages(site, url):
    """Each language says something else; what is unknown gets English."""
    titles = []
    for language in LANGUAGES + ("tlh", "de-AT,en;q=0.5"):
        site.browser.show(language=language)
        site.browser.open(url)
        titles.append(title(site))
    tap.equal(len(set(titles[:5])), 5, "titles %r" % titles)
    tap.equal(titles[5:], [titles[0], titles[1]], "fallbacks")


def press_button(site, url, name, width, language):
    """Clicks the only button; what comes of it is sound."""
    tap.equal(site.browser.ask("document.forms.length"), 1, "forms")
    before = title(site)
    tap.equal(site.browser.click("button"), 200, name)
    expect_sound(site, width, language, url)
    tap.true(title(site) != before, "still " + before)
    site.shoot("%s-%s-%d" % (name, language, width))


def check_list(site, language, width):
    """This list is left, and that is taken back."""
    who = "list-%s@reader.example" % language
    url = site.link(who)
    site.browser.show(width, True, language)
    site.browser.open(url)
    site.expect(who)
    press_button(site, url, "done", width, language)
    site.expect(who, LIST)
    press_button(site, url, "undone", width, language)
    site.expect(who)


def check_domain(site):
    """All mail of the domain is left, and that is taken back."""
    who = "domain@reader.example"
    url = site.link(who)
    site.browser.show(320)
    site.browser.open(url)
    site.browser.ask("document.querySelectorAll('input[type=radio]')[1]"
                     ".checked = true")
    press_button(site, url, "done-domain", 320, "en")
    site.expect(who, LIST, STREAM, OTHER)
    press_button(site, url, "undone-domain", 320, "en")
    site.expect(who)


def check_keyboard(site):
    """No mouse is needed."""
    who = "keyboard@reader.example"
    url = site.link(who)
    site.browser.show()
    site.browser.open(url)
    seen = []
    for _ in range(4):
        site.browser.press("Tab")
        seen.append(site.browser.ask("document.activeElement.tagName"))
        if seen[-1] == "BUTTON":
            break
    tap.equal(seen, ["INPUT", "BUTTON"], "focus")
    outline = site.browser.ask(
        "getComputedStyle(document.activeElement).outlineStyle")
    tap.true(outline != "none", "the focus is not seen")
    site.browser.forget()
    site.browser.press("Enter")
    site.browser.wait("Page.loadEventFired")
    site.expect(who, LIST)


def check_looking(site):
    """Who only looks, scripts or not, leaves nothing."""
    who = "looking@reader.example"
    url = site.link(who)
    for scripts in (True, False):
        site.browser.show(scripts=scripts)
        for _ in range(3):
            tap.equal(site.browser.open(url), 200, "status")
    site.expect(who)


def check_shared(site):
    """A message to two: the page explains, and offers nothing."""
    who = ("one@reader.example", "two@reader.example")
    url = site.link(*who)
    for language in ("en", "ja"):
        site.browser.show(320, False, language)
        tap.equal(site.browser.open(url), 200, "status")
        expect_sound(site, 320, language, url)
        tap.equal(site.browser.ask("document.forms.length"), 0, "forms")
        site.shoot("shared-%s-320" % language)
    for name in who:
        site.expect(name)


def check_teeth(site, url):
    """The points above can fail: a page that overflows, asks elsewhere and
    can hardly be read."""
    site.browser.show(320)
    site.browser.open(url)
    site.browser.ask("""(() => {
      const e = document.createElement("p"); e.style.width = "500px";
      e.style.color = "#ccc"; e.style.background = "#fff";
      document.body.append(e); const i = new Image();
      i.src = "https://elsewhere.example/x.gif"; e.append(i); })()""")
    b = site.browser
    tap.true(b.ask("document.documentElement.scrollWidth") > 320, "width")
    tap.true(b.ask(CONTRAST) < LEAST_CONTRAST, "contrast")
    labs.wait_for("a complaint", lambda: (
        b.ask("1"), b.complaints())[1])


def points(site):
    """(name, test) of each."""
    url = site.link("reader@reader.example")
    tap.true(url.startswith("https://%s/u/" % proxies.HOST), url)
    for language in LANGUAGES:
        yield ("looks: " + language,
               lambda v=language: check_look(site, url, v))
    yield "languages", lambda: check_languages(site, url)
    for language, width in (("en", 1280), ("de", 320), ("ja", 320)):
        yield ("this list, and undo: %s" % language,
               lambda v=language, w=width: check_list(site, v, w))
    yield "all mail, and undo", lambda: check_domain(site)
    yield "by the keyboard", lambda: check_keyboard(site)
    yield "looking is not leaving", lambda: check_looking(site)
    yield "a shared link", lambda: check_shared(site)
    yield "what is wrong is seen", lambda: check_teeth(site, url)


def main():
    """All in one lab."""
    reason = bulkhead.why_not()
    if reason:
        return tap.skip_all(reason)
    daemons.why_not()
    with labs.Lab(["mil.sock"]) as lab:
        site = Site(lab)
        with site.nginx as nginx, browsers.Browser(
                proxies.HOST, nginx.port,
                browsers.key_hash(nginx.path("cert.pem"))) as browser:
            site.browser = browser
            return tap.run(list(points(site)), lambda: (
                lab.read("trackd.log") + site.product.log() +
                nginx.logs()[-500:])[-2500:])


if __name__ == "__main__":
    sys.exit(main())
