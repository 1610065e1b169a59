"""A private Postfix with its next hop, in a directory of its own.

Loopback only; never touches /etc/postfix or /var/spool/postfix.  Needs root
(Postfix does) and leaves nothing behind: everything ends with the context.
"""
import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from receiver import Receiver  # noqa: E402
from sasl import Passwords  # noqa: E402

ROOT = os.environ.get("BULKHEAD_SRCDIR") or os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("BULKHEAD_BUILDDIR") or ROOT
CORPUS = os.environ.get("BULKHEAD_CORPUS") or os.path.join(
    os.path.dirname(ROOT), "shared", "corpus")
POSTFIX_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
PR_SET_PDEATHSIG = 1

MAIN_CF = """\
compatibility_level = 3.6
config_directory = {dir}/etc
queue_directory = {dir}/q
data_directory = {dir}/data
maillog_file = {dir}/mail.log
maillog_file_prefixes = {dir}
myhostname = lab.example
mydomain = lab.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
relay_domains = static:all
relayhost = [127.0.0.1]:{next_hop}
disable_dns_lookups = yes
smtp_dns_support_level = disabled
alias_maps =
alias_database =
local_recipient_maps =
in_flow_delay = 0
enable_long_queue_ids = yes
smtp_tls_security_level = none
smtpd_tls_security_level = none
smtpd_authorized_xclient_hosts = 127.0.0.0/8
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {dir}/auth.sock
smtpd_recipient_restrictions =
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated,
    reject_unauth_destination
smtpd_client_event_limit_exceptions = 127.0.0.0/8
minimal_backoff_time = 300s
milter_default_action = tempfail
non_smtpd_milters = {milters}
{extra}
"""

MASTER_CF = """\
127.0.0.1:{bulk} inet n - n - - smtpd
  -o {{ smtpd_milters = {milters} }}
  -o milter_macro_daemon_name=bulk
127.0.0.1:{plain} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def why_not():
    """Why no lab can be run here, or None."""
    if os.geteuid() != 0:
        return "not root"
    if not shutil.which("postfix", path=POSTFIX_PATH):
        return "no Postfix"
    return None


def free_port():
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, check, seconds=20):
    """Asks until the answer is true; fails after that time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = check()
        if answer:
            return answer
        time.sleep(0.05)
    raise TimeoutError("%s: not after %d s" % (what, seconds))


def _die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)


def _listens(family, address):
    with socket.socket(family) as s:
        s.settimeout(2)
        return s.connect_ex(address) == 0


class Lab:
    """A running Postfix; use it in a with statement.

    milters: socket paths (or inet:HOST:PORT) that the bulk listener and
    sendmail(1) go through, in order.  They need not exist yet: without them
    mail is deferred.  extra: more lines of main.cf; "{dir}" in it is the
    lab's directory.
    """

    def __init__(self, milters=(), eightbit=True, extra="", users=()):
        self.dir = tempfile.mkdtemp(prefix="bh-", dir="/tmp")
        self.receiver = Receiver(eightbit)
        self.children = []
        self.logs = []
        self.postfix = self.passwords = None
        try:
            self._configure(milters, extra)
            self.passwords = Passwords(self.path("auth.sock"), users)
            self._start()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def path(self, name):
        """A path inside the lab's directory."""
        return os.path.join(self.dir, name)

    def _configure(self, milters, extra):
        os.chmod(self.dir, 0o755)
        for name in ("etc", "q", "data", "rec"):
            os.mkdir(self.path(name), 0o755)
        shutil.chown(self.path("data"), "postfix")
        self.bulk, self.plain = free_port(), free_port()
        chain = ", ".join(
            "{ %s, default_action=tempfail }" % (
                m if m.startswith("inet:") else "unix:" + self.path(m))
            for m in milters)
        values = {"dir": self.dir, "next_hop": self.receiver.port,
                  "milters": chain, "bulk": self.bulk, "plain": self.plain,
                  "extra": extra.replace("{dir}", self.dir)}
        master = MASTER_CF.format(**values)
        if not chain:
            master = re.sub(r"  -o \{ smtpd_milters.*\n", "", master)
        _write(self.path("etc/main.cf"), MAIN_CF.format(**values))
        _write(self.path("etc/master.cf"), master)

    def _start(self):
        self.postfix = self.spawn(
            ["postfix", "-c", self.path("etc"), "start-fg"], "postfix.out")
        wait_for("Postfix", self._is_up, 40)

    def _is_up(self):
        if self.postfix.poll() is not None:
            raise RuntimeError("Postfix did not start:\n" + self.read(
                "postfix.out") + self.log())
        return _listens(socket.AF_INET, ("127.0.0.1", self.plain)) and \
            os.path.exists(self.path("q/public/pickup"))

    def spawn(self, argv, output, **kwargs):
        """A child that ends with the lab; its output goes to a file."""
        env = dict(os.environ, PATH=POSTFIX_PATH)
        with open(self.path(output), "ab") as out:
            child = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                cwd=self.dir, env=env, start_new_session=True,
                preexec_fn=_die_with_parent, **kwargs)
        self.children.append(child)
        return child

    def start_milter(self, argv, sock, output="milter.log"):
        """Starts a milter; returns when its socket answers.

        The socket is opened to Postfix's user, whatever the umask was.
        """
        child = self.spawn(argv, output)

        def ready():
            if child.poll() is not None:
                raise RuntimeError("%s ended:\n%s" % (
                    argv[0], self.read(output)))
            return os.path.exists(self.path(sock)) and _listens(
                socket.AF_UNIX, self.path(sock))
        wait_for(argv[0], ready)
        os.chmod(self.path(sock), 0o666)
        return child

    def start_recorder(self, sock="rec.sock"):
        """The milter that keeps each message as cleanup hands it over."""
        return self.start_milter(
            [os.path.join(BUILD, "tests/tools/milter_recorder"),
             "unix:" + self.path(sock), self.path("rec")], sock,
            "recorder.log")

    def recorded(self, queue_id):
        """The message as the milters got it, with CRLF."""
        with open(self.path("rec/%s.eml" % queue_id), "rb") as f:
            return f.read()

    def recorded_envelope(self, queue_id):
        """What the recorder noted: a list of (name, value)."""
        text = self.read("rec/%s.env" % queue_id)
        return [tuple(line.split("=", 1)) for line in text.splitlines()]

    def read(self, name):
        """A file of the lab as text; empty when it is not there."""
        try:
            with open(self.path(name), encoding="utf-8",
                      errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def log(self):
        """Postfix's log."""
        return self.read("mail.log")

    def tool(self, *argv, **kwargs):
        """Runs one of Postfix's commands on this instance."""
        return subprocess.run(
            [argv[0], "-c", self.path("etc")] + list(argv[1:]), timeout=60,
            env={"PATH": POSTFIX_PATH}, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, check=False, **kwargs)

    def sendmail(self, sender, recipients, data):
        """Submits by sendmail(1); the queue id by Postfix's log."""
        before = len(self.log())
        done = subprocess.run(
            ["sendmail", "-C", self.path("etc"), "-i", "-f", sender, "--"]
            + list(recipients), input=data, env={"PATH": POSTFIX_PATH},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
            check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stdout.decode())
        found = wait_for("pickup", lambda: re.search(
            r"pickup\[\d+\]: (\w+): uid=", self.log()[before:]))
        return found.group(1)

    def kick_pickup(self):
        """What lies in maildrop is tried now, not within the minute."""
        self.tool("postkick", "public", "pickup", "W")

    def queue(self):
        """The queue ids that Postfix holds, maildrop included."""
        text = self.tool("postqueue", "-j").stdout.decode()
        return re.findall(r'"queue_id": "(\w+)"', text)

    def is_queue_empty(self):
        """True when Postfix holds no message."""
        return not self.queue()

    def wait_empty(self, seconds=30):
        """Waits until Postfix has sent everything on."""
        wait_for("empty queue", self.is_queue_empty, seconds)

    def _stop_postfix(self):
        if self.postfix is None or self.postfix.poll() is not None:
            return
        self.tool("postfix", "stop")
        try:
            self.postfix.wait(10)
        except subprocess.TimeoutExpired:
            self.tool("postfix", "abort")

    def close(self):
        """Stops everything and removes the directory."""
        try:
            self._stop_postfix()
        finally:
            _end(self.children)
            self.receiver.close()
            if self.passwords is not None:
                self.passwords.close()
            if not os.environ.get("BULKHEAD_KEEP_LAB"):
                shutil.rmtree(self.dir, ignore_errors=True)


def _signal(child, sig):
    try:
        os.killpg(child.pid, sig)
    except ProcessLookupError:
        pass


def _end(children):
    """Asks the children's sessions to end, then makes them.

    libmilter takes up to 5 s to notice: tests that are about that wait for
    it themselves.
    """
    for sig, patience in ((signal.SIGTERM, 1), (signal.SIGKILL, 5)):
        left = [c for c in children if c.poll() is None]
        for child in left:
            _signal(child, sig)
        end = time.monotonic() + patience
        for child in left:
            try:
                child.wait(max(end - time.monotonic(), 0.01))
            except subprocess.TimeoutExpired:
                continue
