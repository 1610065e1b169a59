"""The policy servers that a bench compares, each started privately.

Every one has three limits that nothing reaches, per sender's domain, per
client and per recipient's domain, and a list of addresses or none; all but the
null server, which says DUNNO to everything.  Nothing of an installed daemon's
configuration is read or touched.
"""
import os
import shutil
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import daemons  # noqa: E402
import lab as labs  # noqa: E402
import policyd as clients  # noqa: E402

SENDER = "news@example.com"
LISTED = "user%d0@example.net"     # who is on a list
ASKED = "user%u1@example.net"      # what policy_load asks about: nobody
NULL = os.path.join(labs.BUILD, "tests/tools/policy_null")
STRIDE = 15485863                  # a prime: the order of a list is none

BULKHEAD_CONF = """\
store = "sqlite:{store}"
trusted-networks = {{ "127.0.0.0/8" }}
policyd {{
    socket  = "unix:{socket}"
    control = "unix:{control}"
}}
domain "example.com" {{ }}
stream "newsletter" {{
    match {{ sender = {{ "*@example.com" }} }}
    envelope-domain = true
}}
limit "domain" {{ per = domain rate = "1000000000/d" }}
limit "client" {{ per = client rate = "1000000000/d" }}
limit "recipients" {{ per = recipient-domain rate = "1000000000/d" }}
"""

POSTFWD_RATES = """\
id=R1; action=rate(sender_domain/1000000000/86400/450 4.7.1 over)
id=R2; action=rate(client_address/1000000000/86400/450 4.7.1 over)
id=R3; action=rate(recipient_domain/1000000000/86400/450 4.7.1 over)
"""
POSTFWD_LIST = "id=L1; recipient=file:{list}; action=550 5.7.1 suppressed\n"


def write_list(path, count):
    """An unsorted list of so many addresses, one a line."""
    with open(path, "w", encoding="ascii") as f:
        for begin in range(0, count, 100000):
            f.write("".join(
                LISTED % (i * STRIDE % count) + "\n"
                for i in range(begin, min(begin + 100000, count))))


class Place:
    """Where a daemon keeps what is its own."""

    def __init__(self, directory):
        self.dir = directory


class Server(daemons.Daemon):
    """A policy server: its sockets, its list, how long it is asked.

    charges: it knows charge requests.  connections: how many it is measured
    with.  patience: it is measured that many times as long as others.
    """
    charges = True
    connections = (1, 16, 64)
    patience = 1

    def __init__(self, name, directory, listed=0):
        super().__init__(name, 0, Place(directory))
        self.control = os.path.join(directory, name + ".control.sock")
        self.listed = listed

    def ask(self, recipient):
        """The reply to one RCPT."""
        with clients.Client(self.socket, 60) as c:
            return c.ask(clients.rcpt(recipient, SENDER, instance="1.2"))

    def prove(self):
        """Fails unless it refuses who is listed, and nobody else."""
        for number in (0, 1, self.listed // 2, max(self.listed - 1, 0)):
            reply = self.ask(LISTED % number)
            want = "action=550 " if self.listed > 0 else "action=DUNNO"
            if reply is None or not reply.startswith(want):
                raise RuntimeError("%s: listed, answered %r" % (
                    self.name, reply))
            reply = self.ask(ASKED.replace("%u", str(number)))
            if reply != "action=DUNNO":
                raise RuntimeError("%s: not listed, answered %r" % (
                    self.name, reply))

    def settle(self):
        """Returns when it does nothing more; those that work on what nobody
        waits for any more would slow the next down."""
        before = self.cpu()
        for _ in range(600):
            time.sleep(0.1)
            now = self.cpu()
            if now - before < 0.003:
                return
            before = now


class Null(Server):
    """DUNNO, and nothing else."""

    def argv(self):
        return [NULL, "unix:" + self.socket, "unix:" + self.control]


class Policyd(Server):
    """bulkhead-policyd, with a list of its own."""

    def __init__(self, name, directory, store, listed=0):
        super().__init__(name, directory, listed)
        self.store = store

    def argv(self):
        return [clients.PROGRAM, "-f", "-c", self.write(BULKHEAD_CONF.format(
            store=self.store, socket=self.socket, control=self.control))]

    def fill(self):
        """Imports its list, unless its store has one already."""
        if os.path.exists(os.path.join(self.store, "suppress.db")):
            return
        os.makedirs(self.store, exist_ok=True)
        self.argv()
        path = os.path.join(self.keys.dir, self.name + ".list")
        write_list(path, self.listed)
        subprocess.run(
            [clients.COMMAND, "suppress", "import", "-c",
             path[:-len("list")] + "conf", path], check=True,
            stdout=subprocess.DEVNULL)
        os.unlink(path)

    def start(self):
        """The list is in the page cache, as that of a busy host is."""
        super().start()
        path = os.path.join(self.store, "suppress.db")
        if os.path.exists(path):
            with open(path, "rb") as f:
                while f.read(1 << 20):
                    pass

    def prove(self):
        """Charges touch every limit, too."""
        super().prove()
        with clients.Client(self.control) as c:
            reply = c.ask(clients.charge(  # so many: 2 s until it is full
                "4Xproof", *[LISTED % i for i in range(20000)], sender=SENDER,
                client_address="127.0.0.1", domain="example.com",
                stream="newsletter"))
            buckets = c.ask(clients.block(request="bulkhead_limits"))
        if reply != "action=DUNNO" or buckets.count("\nbucket=") != 3:
            raise RuntimeError("%s: charged: %r, %r" % (
                self.name, reply, buckets))


class Postfwd(Server):
    """Debian's postfwd (postfwd2), its list in its own way (file:).

    As its defaults are, but: no syslog, no DNS, and no cache of whole
    answers, which it does without by itself where there are rates.  It must
    be a daemon for rates to work: a namespace of processes is its life.
    """
    charges = False

    def __init__(self, name, directory, listed=0):
        super().__init__(name, directory, listed)
        self.own = os.path.join(directory, name)
        self.socket = os.path.join(self.own, "policy.sock")
        if listed > 0:
            self.connections, self.patience = (1, 16), 5

    def why_not(self):
        if os.geteuid() != 0:
            return "not root"
        return None if shutil.which("postfwd", path=daemons.PATH) else \
            "postfwd is not installed (tests/bench/deps)"

    def argv(self):
        os.makedirs(self.own, exist_ok=True)
        shutil.chown(self.own, "nobody", "nogroup")
        rules = POSTFWD_RATES
        if self.listed > 0:
            path = os.path.join(self.own, "list")
            write_list(path, self.listed)
            rules = POSTFWD_LIST.format(list=path) + rules
        command = ["postfwd", "--perfmon", "--nodns", "--cache", "0",
                   "--user", "nobody", "--group", "nogroup", "--pidfile",
                   os.path.join(self.own, "pid"), "--server_socket",
                   "unix::" + self.socket, "--cache_socket",
                   "unix::" + os.path.join(self.own, "cache.sock"),
                   "--file", self.write(rules)]
        return ["unshare", "--pid", "--fork", "--kill-child", "sh", "-c",
                '"$@" && exec sleep 100000', "sh"] + command

    def start(self):
        """Its servers come after its socket."""
        super().start()
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                self.ask("x@example.org")
                return
            except OSError:
                time.sleep(0.2)
        raise RuntimeError(self.name + " does not answer")

    def cpu(self):
        """With what servers used that it has ended since."""
        sum_ended = 0
        for pid in self.pids():
            try:
                with open("/proc/%d/stat" % pid, encoding="ascii",
                          errors="replace") as f:
                    words = f.read().rpartition(")")[2].split()
                sum_ended += int(words[13]) + int(words[14])
            except OSError:
                continue
        return super().cpu() + sum_ended / os.sysconf("SC_CLK_TCK")

    def stop(self):
        """unshare lets no signal through but this one."""
        if self.child is not None:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait(10)
            self.child = None


def all_servers(directory, store, entries, postfwd_entries):
    """Everyone that is compared, in the order of a round."""
    return [
        Null("null", directory),
        Policyd("policyd", directory, os.path.join(directory, "empty")),
        Policyd("policyd-list", directory, store, entries),
        Postfwd("postfwd", directory),
        Postfwd("postfwd-list", directory, postfwd_entries),
    ]
