"""Headless Chromium, told what to do through a pipe (CDP).

Every name but the given host is unknown to it, so that a request to anywhere
else is seen and goes nowhere.
"""
import base64
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import lab as labs  # noqa: E402

PROGRAM = "/usr/bin/chromium"
PATIENCE = 60


def _pipes(commands, answers):
    """In the child: Chromium reads its commands from 3, answers to 4."""
    labs._die_with_parent()
    high = os.dup(commands), os.dup(answers)  # neither may be 3 or 4 yet
    os.dup2(high[0], 3)
    os.dup2(high[1], 4)


class Browser:
    """One browser with one page; use it in a with statement.

    The host's port 443 is at 127.0.0.1:port, with the certificate of that
    public key (base64 of its SHA-256).
    """

    def __init__(self, host, port, key_hash):
        self.dir = tempfile.mkdtemp(prefix="bh-browser-", dir="/tmp")
        self.argv = [
            PROGRAM, "--headless=new", "--no-sandbox", "--disable-gpu",
            "--disable-dev-shm-usage", "--no-first-run", "--disable-sync",
            "--disable-background-networking", "--disable-extensions",
            "--disable-component-update", "--hide-scrollbars",
            "--user-data-dir=" + self.dir, "--remote-debugging-pipe",
            "--ignore-certificate-errors-spki-list=" + key_hash,
            "--host-resolver-rules=MAP %s 127.0.0.1:%d,MAP * ~NOTFOUND,"
            "EXCLUDE 127.0.0.1" % (host, port), "about:blank"]
        self.child, self.rest, self.last = None, b"", 0
        self.session, self.events = None, []

    def __enter__(self):
        down, up = os.pipe(), os.pipe()
        with open(os.path.join(self.dir, "log"), "wb") as log:
            self.child = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=lambda: _pipes(down[0], up[1]), close_fds=False,
                start_new_session=True,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                     "HOME": self.dir, "LANG": "C.UTF-8"})
        os.close(down[0])
        os.close(up[1])
        self.to, self.answers = down[1], up[0]
        try:
            self._open_page()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for sig, patience in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
            try:
                os.killpg(self.child.pid, sig)
                self.child.wait(patience)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        os.close(self.to)
        os.close(self.answers)
        shutil.rmtree(self.dir, ignore_errors=True)

    def _open_page(self):
        target = self.call("Target.createTarget", url="about:blank")
        self.session = self.call(
            "Target.attachToTarget", targetId=target["targetId"],
            flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log", "DOM"):
            self.call(domain + ".enable")

    def log(self):
        """What the browser said."""
        with open(os.path.join(self.dir, "log"), encoding="utf-8",
                  errors="replace") as f:
            return f.read()

    def _message(self, seconds):
        """The next message, or None after that time."""
        end = time.monotonic() + seconds
        while b"\0" not in self.rest:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.answers], [], [],
                                              left)[0]:
                return None
            got = os.read(self.answers, 1 << 20)
            if not got:
                raise RuntimeError("Chromium ended:\n" + self.log()[-1500:])
            self.rest += got
        text, _, self.rest = self.rest.partition(b"\0")
        return json.loads(text)

    def call(self, method, **params):
        """Calls a method of the page (or, before there is one, of the
        browser); its result."""
        self.last += 1
        request = {"id": self.last, "method": method, "params": params}
        if self.session is not None:
            request["sessionId"] = self.session
        os.write(self.to, json.dumps(request).encode() + b"\0")
        end = time.monotonic() + PATIENCE
        while True:
            message = self._message(end - time.monotonic())
            if message is None:
                raise TimeoutError(method + ": no answer of Chromium")
            if message.get("id") != self.last:
                self.events.append(message)
            elif "error" in message:
                raise RuntimeError("%s: %r" % (method, message["error"]))
            else:
                return message["result"]

    def wait(self, method):
        """The parameters of the next event of that name since forget()."""
        end = time.monotonic() + PATIENCE
        looked_at = 0
        while True:
            for event in self.events[looked_at:]:
                if event.get("method") == method:
                    return event["params"]
            looked_at = len(self.events)
            message = self._message(end - time.monotonic())
            if message is None:
                raise TimeoutError("no %s:\n%s" % (method,
                                                   self.log()[-1500:]))
            self.events.append(message)

    def forget(self):
        """Events so far do not count any more."""
        self.events = []

    def seen(self, method):
        """The parameters of all events of that name."""
        return [e["params"] for e in self.events if e.get("method") == method]

    def show(self, width=1280, dark=False, language="en", scripts=False):
        """How pages are shown from now on."""
        self.call("Emulation.setDeviceMetricsOverride", width=width,
                  height=720, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme",
             "value": "dark" if dark else "light"}])
        self.call("Network.setExtraHTTPHeaders",
                  headers={"Accept-Language": language})
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)

    def open(self, url):
        """Opens a page; its status."""
        self.forget()
        got = self.call("Page.navigate", url=url)
        if "errorText" in got:
            raise AssertionError("%s: %s" % (url, got["errorText"]))
        self.wait("Page.loadEventFired")
        return self.status()

    def status(self):
        """Of the page that was loaded last."""
        return [e["response"]["status"]
                for e in self.seen("Network.responseReceived")
                if e["type"] == "Document"][-1]

    def ask(self, expression):
        """The value of a JavaScript expression in the page."""
        got = self.call("Runtime.evaluate", expression=expression,
                        returnByValue=True)
        if "exceptionDetails" in got:
            raise AssertionError("%s: %r" % (expression, got))
        return got["result"].get("value")

    def click(self, selector, index=0):
        """Clicks into the midst of an element, as a mouse does, and waits
        until the page that comes of it is there."""
        box = self.ask(
            "(() => { const e = document.querySelectorAll(%s)[%d];"
            "e.scrollIntoView({block: 'center'});"
            "const r = e.getBoundingClientRect();"
            "return [r.x + r.width / 2, r.y + r.height / 2]; })()" % (
                json.dumps(selector), index))
        self.forget()
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=box[0],
                      y=box[1], button="left", clickCount=1)
        self.wait("Page.loadEventFired")
        return self.status()

    def press(self, key):
        """A key: "Tab" or "Enter"."""
        code = {"Tab": 9, "Enter": 13}[key]
        more = {"text": "\r"} if key == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key,
                  windowsVirtualKeyCode=code, **more)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key,
                  windowsVirtualKeyCode=code)

    def screenshot(self, path):
        """The whole page as a PNG."""
        got = self.call("Page.captureScreenshot", format="png",
                        captureBeyondViewport=True)
        with open(path, "wb") as f:
            f.write(base64.b64decode(got["data"]))

    def complaints(self):
        """What the page and the browser had to say since open()."""
        return [e.get("entry", {}).get("text", "") for e in self.seen(
            "Log.entryAdded")] + [
                json.dumps(e) for e in self.seen("Runtime.exceptionThrown")
                + self.seen("Runtime.consoleAPICalled")]

    def requests(self):
        """The URLs that were asked for since open()."""
        return [e["request"]["url"]
                for e in self.seen("Network.requestWillBeSent")]


def key_hash(certificate):
    """What Chromium calls a certificate's public key."""
    key = subprocess.run(["openssl", "x509", "-in", certificate, "-pubkey",
                          "-noout"], check=True,
                         stdout=subprocess.PIPE).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"],
                         check=True, input=key,
                         stdout=subprocess.PIPE).stdout
    digest = subprocess.run(["openssl", "dgst", "-sha256", "-binary"],
                            check=True, input=der,
                            stdout=subprocess.PIPE).stdout
    return base64.b64encode(digest).decode()
