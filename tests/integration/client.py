"""An SMTP client that does exactly what it is told, one step a call.

smtplib hides what these tests are about: pipelining, BDAT, half sessions.
"""
import base64
import re
import socket


def crlf(data):
    """The message with CRLF line ends and a last one."""
    data = re.sub(rb"\r?\n", b"\r\n", data)
    return data if data.endswith(b"\r\n") else data + b"\r\n"


def stuffed(data):
    """What follows DATA's 354: dots doubled, the end appended."""
    return re.sub(rb"(?m)^\.", b"..", crlf(data)) + b".\r\n"


class Reply:
    """A reply: code and text; true when it is a success."""

    def __init__(self, code, text):
        self.code, self.text = code, text

    def __bool__(self):
        return self.code < 400

    def __repr__(self):
        return "%d %s" % (self.code, self.text)

    @property
    def queue_id(self):
        """The id that Postfix names when it has queued a message."""
        found = re.search(r"queued as (\S+)", self.text)
        return found.group(1) if found else None


class Client:
    """One SMTP session."""

    def __init__(self, port, helo="client.example", address=None, user=None,
                 timeout=40):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout)
        self.file = self.sock.makefile("rb")
        self.greeting = self.reply()
        self.helo = helo
        self.command("EHLO " + helo)
        if address is not None:
            self.command("XCLIENT ADDR=%s NAME=client.elsewhere.example"
                         % address)
            self.command("EHLO " + helo)
        if user is not None:
            self.auth(*user)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def reply(self):
        """Reads one reply."""
        texts = []
        while True:
            try:
                line = self.file.readline()
            except ConnectionError:
                line = b""
            if not line:
                return Reply(421, "connection closed")
            texts.append(line[4:].decode("utf-8", "replace").strip())
            if line[3:4] != b"-":
                return Reply(int(line[:3]), "\n".join(texts))

    def write(self, data):
        """Sends bytes without waiting."""
        self.sock.sendall(data)

    def command(self, text):
        """One command, one reply; 421 where nobody listens any more."""
        try:
            self.write(text.encode() + b"\r\n")
        except ConnectionError:
            pass
        return self.reply()

    def auth(self, name, password):
        """AUTH PLAIN."""
        secret = base64.b64encode(("\0%s\0%s" % (name, password)).encode())
        return self.command("AUTH PLAIN " + secret.decode())

    def envelope(self, sender, recipients, args=""):
        """MAIL and RCPTs, step by step; the first refusal or the last."""
        reply = self.command("MAIL FROM:<%s>%s" % (sender, args))
        for recipient in recipients:
            if reply:
                reply = self.command("RCPT TO:<%s>" % recipient)
        return reply

    def send(self, sender, recipients, data, args=""):
        """One message with DATA; the reply to its end or the refusal."""
        reply = self.envelope(sender, recipients, args)
        if not reply:
            return reply
        reply = self.command("DATA")
        if reply.code != 354:
            return reply
        self.write(stuffed(data))
        return self.reply()

    def send_pipelined(self, sender, recipients, data):
        """MAIL, RCPTs and DATA in one write."""
        lines = ["MAIL FROM:<%s>" % sender]
        lines += ["RCPT TO:<%s>" % r for r in recipients] + ["DATA"]
        self.write("".join(line + "\r\n" for line in lines).encode())
        replies = [self.reply() for _ in lines]
        if replies[-1].code != 354:
            return next((r for r in replies if not r), replies[-1])
        self.write(stuffed(data))
        return self.reply()

    def send_chunks(self, sender, recipients, data, size=1000):
        """BDAT chunks of that size."""
        reply = self.envelope(sender, recipients)
        data = crlf(data)
        for start in range(0, len(data), size):
            if not reply:
                return reply
            chunk = data[start:start + size]
            last = " LAST" if start + size >= len(data) else ""
            self.write(b"BDAT %d%s\r\n" % (len(chunk), last.encode()) + chunk)
            reply = self.reply()
        return reply

    def close(self):
        """Says QUIT if anybody listens."""
        try:
            self.write(b"QUIT\r\n")
            self.reply()
        except OSError:
            pass
        self.file.close()
        self.sock.close()
