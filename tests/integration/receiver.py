"""A small SMTP server that keeps each message byte for byte.

The next hop of the lab's Postfix.  It accepts everything, unless it is busy.
"""
import socketserver
import threading
import time


class Received:
    """One message as it arrived: envelope, parameters, bytes with CRLF."""

    def __init__(self, sender, mail_args, recipients, data):
        self.sender, self.mail_args = sender, mail_args
        self.recipients, self.data = recipients, data

    @property
    def head(self):
        """The header block, its last CRLF included."""
        return self.data.partition(b"\r\n\r\n")[0] + b"\r\n"

    @property
    def body(self):
        """What follows the empty line."""
        return self.data.partition(b"\r\n\r\n")[2]


class _Session(socketserver.StreamRequestHandler):
    def _say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def _ehlo(self):
        lines = ["lab receiver", "PIPELINING", "SIZE 0", "DSN"]
        if self.server.receiver.eightbit:
            lines.append("8BITMIME")
        if self.server.receiver.utf8:
            lines.append("SMTPUTF8")
        for line in lines[:-1]:
            self._say("250-" + line)
        self._say("250 " + lines[-1])

    def _data(self):
        self._say("354 go on")
        lines = []
        while True:
            line = self.rfile.readline()
            if not line:
                return None
            if line == b".\r\n":
                return b"".join(lines)
            lines.append(line[1:] if line.startswith(b".") else line)

    def handle(self):
        sender, args, recipients = None, [], []
        self._say("220 lab receiver")
        while True:
            line = self.rfile.readline()
            if not line:
                return
            text = line.decode("latin-1").rstrip("\r\n")
            verb = text[:4].upper()
            if verb == "EHLO":
                self._ehlo()
                continue
            if self.server.receiver.busy and verb in ("MAIL", "RCPT", "DATA"):
                self._say("450 4.2.1 later")
                continue
            if verb == "MAIL":
                words = text[len("MAIL FROM:"):].split(" ")
                sender, args, recipients = words[0], words[1:], []
            elif verb == "RCPT":
                recipients.append(text[len("RCPT TO:"):])
            elif verb == "DATA":
                data = self._data()
                if data is None:
                    return
                self.server.receiver.keep(
                    Received(sender, args, recipients, data))
            self._say("221 bye" if verb == "QUIT" else "250 ok")
            if verb == "QUIT":
                return


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class Receiver:
    """Listens on a free port of 127.0.0.1 until it is closed."""

    def __init__(self, eightbit=True):
        self.eightbit = eightbit
        self.utf8 = self.busy = False  # all may change between sessions
        self.messages = []
        self._changed = threading.Condition()
        self._server = _Server(("127.0.0.1", 0), _Session)
        self._server.receiver = self
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever,
                         kwargs={"poll_interval": 0.05},
                         daemon=True).start()

    def keep(self, message):
        """Called by sessions."""
        with self._changed:
            self.messages.append(message)
            self._changed.notify_all()

    def wait(self, n, seconds=30):
        """All messages once there are at least n; fails after that time."""
        end = time.monotonic() + seconds
        with self._changed:
            while len(self.messages) < n:
                left = end - time.monotonic()
                if left <= 0:
                    raise TimeoutError("%d of %d messages after %d s" % (
                        len(self.messages), n, seconds))
                self._changed.wait(left)
            return list(self.messages)

    def clear(self):
        """Forgets what arrived."""
        with self._changed:
            self.messages = []

    def close(self):
        """Stops listening."""
        self._server.shutdown()
        self._server.server_close()
