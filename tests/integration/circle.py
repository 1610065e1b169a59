"""All of Bulkhead around a Postfix: policyd at RCPT, the milter in front of the
queue, trackd for what readers do with what they got."""
import email
import html
import os
import re
import sys
import urllib.parse

sys.dont_write_bytecode = True
import bulkhead  # noqa: E402
import lab as labs  # noqa: E402
import policy  # noqa: E402
import tap  # noqa: E402
import trackd  # noqa: E402
from client import Client  # noqa: E402
from events import Events  # noqa: E402

# Before the stream of bulkhead.CONFIG, which takes the rest.
STREAMS = """\
policyd {{ socket = "unix:{dir}/policy.sock"
          control = "unix:{dir}/control.sock" }}
trackd {{ listen = "inet:127.0.0.1:{port}"
         spool  = "{dir}/spool" }}
stream "digest" {{
    match {{ sender = {{ "digest@*" }} }}
    envelope-domain = true
    unsubscribe = one-click
    track       = {{ clicks, opens }}
}}
stream "receipts" {{
    match {{ sender = {{ "receipts@*" }} }}
    envelope-domain = true
}}
stream "offers" {{
    match {{ header = {{ "X-Kind: offers" }} }}
    unsubscribe = one-click
}}
"""


class Tracker(trackd.Trackd):
    """trackd with settings that others made."""

    # pylint: disable-next=super-init-not-called
    def __init__(self, directory, port, config="bulkhead.conf"):
        self.dir, self.port = directory, port
        # policyd's log may be beside it
        self.names = {"log": "trackd.log", "bulkhead.conf": config}
        self.address = ("127.0.0.1", port)
        self.user = self.child = None
        os.mkdir(self.path("spool"))

    def path(self, name):
        """A path in the directory."""
        return super().path(self.names.get(name, name))


class Circle(bulkhead.Bulkhead):
    """All three daemons in a policy.Lab; use it in a with statement."""

    def __init__(self, lab):
        port = trackd.free_port()
        at = bulkhead.CONFIG.index("stream ")
        super().__init__(lab, bulkhead.CONFIG[:at] + STREAMS.replace(
            "{port}", str(port)) + bulkhead.CONFIG[at:])
        os.rename(self.config, lab.path("bulkhead.conf"))
        self.config = lab.path("bulkhead.conf")
        self.policyd = policy.Policyd(lab.dir)
        self.trackd = Tracker(lab.dir, port)
        self.events = Events(self.config)

    def __enter__(self):
        self.policyd.start()
        self.trackd.start()
        self.start()
        return self

    def __exit__(self, *_):
        self.trackd.kill()
        self.policyd.kill()

    def offer(self, recipient, data, sender):
        """Hands a message in; Postfix's reply."""
        with Client(self.lab.bulk) as c:
            return c.send(sender, [recipient], data)

    def deliver(self, recipient, data, sender):
        """The same, of one that must arrive; what did."""
        reply = self.offer(recipient, data, sender)
        tap.true(reply, "%s: %r" % (recipient, reply))
        return labs.wait_for("message", lambda: next(
            (m for m in self.lab.receiver.messages
             if bulkhead.queue_id_of(m) == reply.queue_id), None))

    def ask(self, url, method="GET", body=None):
        """What trackd answers to a URL of a mail."""
        parts = urllib.parse.urlsplit(url)
        fields = () if body is None else ((
            "Content-Type", "application/x-www-form-urlencoded"),)
        return self.trackd.ask(method, parts.path, host=parts.netloc,
                               fields=fields, body=body)

    def one_click(self, message):
        """What a mailbox provider does with the mail's header."""
        post = field(message, "List-Unsubscribe-Post")
        tap.equal(post, "List-Unsubscribe=One-Click")
        return self.ask(unsubscribe_url(message), "POST", post.encode())

    def submit(self, url, reply, **values):
        """Sends the form of a page that was answered, as a browser does."""
        fields = dict(re.findall(
            r'<input type="hidden" name="([^"]*)" value="([^"]*)">',
            reply.body.decode()))
        fields = {k: html.unescape(v) for k, v in fields.items()}
        fields.update(values)
        return self.ask(url, "POST", urllib.parse.urlencode(fields).encode())

    def logs(self):
        """The end of what all said."""
        return "policyd:\n%s\nmilter:\n%s\ntrackd:\n%s" % (
            self.policyd.log()[-1000:], self.log()[-1000:],
            self.trackd.log()[-1000:])


def field(message, name):
    """A header field's value, unfolded."""
    found = email.message_from_bytes(message.data).get(name)
    tap.true(found, "no " + name)
    return re.sub(r"\s+", " ", found)


def unsubscribe_url(message):
    """The https URL of List-Unsubscribe."""
    return re.search(r"<(https://[^>]+)>",
                     field(message, "List-Unsubscribe")).group(1)


def urls(message, kind):
    """The tracked links ("c") or pixels ("o") of the HTML part."""
    for part in email.message_from_bytes(message.data).walk():
        if part.get_content_type() == "text/html":
            text = part.get_payload(decode=True).decode()
            return re.findall(r"https://t\.[\w.]+/%s/[\w.-]+" % kind, text)
    return []
