"""A content filter as amavisd is one: takes mail by SMTP, hands it back.

It answers the sender only when the mail is handed back, so nothing is lost.
"""
import os
import re
import shutil
import socket
import sys

sys.dont_write_bytecode = True
from client import Client  # noqa: E402
from lab import wait_for  # noqa: E402
from receiver import Receiver  # noqa: E402

TRACE = (b"X-Virus-Scanned: filter at filter.example\r\n"
         b"Received: from lab.example ([127.0.0.1])\r\n"
         b"\tby localhost (filter.example [127.0.0.1]) with ESMTP id 1\r\n"
         b"\tfor <somebody@reader.example>;"
         b" Mon, 23 Nov 2026 06:00:00 +0100\r\n")


def address(path):
    """What stands in the angle brackets."""
    return re.match(r"<([^>]*)>", path).group(1)


AMAVISD = "/usr/sbin/amavisd"
AMAVISD_CONF = """\
use strict;
$MYHOME = '{dir}/amavis';
$TEMPBASE = $MYHOME;
$QUARANTINEDIR = undef;
$enable_db = 0;
$enable_zmq = 0;
$daemonize = 0;
$daemon_user = 'amavis';
$daemon_group = 'amavis';
$pid_file = "$MYHOME/pid";
$lock_file = "$MYHOME/lock";
$max_servers = 1;
$do_syslog = 0;
$myhostname = 'filter.example';
$mydomain = 'filter.example';
$unix_socketname = undef;
$inet_socket_bind = '127.0.0.1';
$inet_socket_port = {port};
@inet_acl = qw(127.0.0.1);
$forward_method = 'smtp:[127.0.0.1]:{back}';
$notify_method = $forward_method;
@local_domains_maps = (1);
@bypass_virus_checks_maps = (1);
@bypass_spam_checks_maps = (1);
@bypass_banned_checks_maps = (1);
@bypass_header_checks_maps = (1);
1;
"""


def start_amavisd(lab, port, back):
    """The real one, in the lab's directory; ends with the lab.

    It listens on port and hands back to that other one.
    """
    os.mkdir(lab.path("amavis"), 0o750)
    shutil.chown(lab.path("amavis"), "amavis", "amavis")
    conf = lab.path("conf/amavisd.conf")
    with open(conf, "w", encoding="ascii") as f:
        f.write(AMAVISD_CONF.format(dir=lab.dir, port=port, back=back))
    child = lab.spawn([AMAVISD, "-c", conf, "foreground"], "amavisd.log")

    def ready():
        if child.poll() is not None:
            raise RuntimeError("amavisd ended:\n" + lab.read("amavisd.log"))
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", port)) == 0
    wait_for("amavisd", ready, 60)


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
