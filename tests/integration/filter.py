"""A content filter as amavisd is one: takes mail by SMTP, hands it back.

It answers the sender only when the mail is handed back, so nothing is lost.
"""
import re
import sys

sys.dont_write_bytecode = True
from client import Client  # noqa: E402
from receiver import Receiver  # noqa: E402

TRACE = (b"X-Virus-Scanned: filter at filter.example\r\n"
         b"Received: from lab.example ([127.0.0.1])\r\n"
         b"\tby localhost (filter.example [127.0.0.1]) with ESMTP id 1\r\n"
         b"\tfor <somebody@reader.example>;"
         b" Mon, 23 Nov 2026 06:00:00 +0100\r\n")


def address(path):
    """What stands in the angle brackets."""
    return re.match(r"<([^>]*)>", path).group(1)


class Filter(Receiver):
    """Listens on a free port; hands back what edit(data) makes of it.

    submit(sender, recipients, data, args) does so; by default to that port.
    """

    def __init__(self):
        super().__init__()
        self.port_back = None
        self.edit = self.mark
        self.submit = self.by_smtp

    @staticmethod
    def mark(data):
        """What every filter does."""
        return TRACE + data

    @staticmethod
    def add_footer(data):
        """What some do: signatures over the body break."""
        return TRACE + data.replace(
            b"</body>", b"<p><a href=3D\"https://filter.example/\">Scanned"
            b"</a></p></body>")

    def by_smtp(self, sender, recipients, data, args):
        """To the listener that such mail comes back to."""
        with Client(self.port_back) as c:
            reply = c.send(sender, recipients, data, args)
        if not reply:
            raise RuntimeError("not taken back: %r" % reply)

    def keep(self, message):
        """Called by sessions before they answer."""
        self.submit(address(message.sender),
                    [address(r) for r in message.recipients],
                    self.edit(message.data),
                    "".join(" " + a for a in message.mail_args
                            if not a.startswith("SIZE=")))
        super().keep(message)
