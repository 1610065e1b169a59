"""The milters that a bench compares, each started privately.

Every one signs for example.com with the same RSA-2048 key, relaxed/relaxed,
and listens on a socket in a directory of the bench.  Nothing of an installed
daemon's configuration is read or touched.
"""
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "integration"))
import bulkhead  # noqa: E402
import lab as labs  # noqa: E402

DOMAIN = "example.com"
SELECTOR = {"rsa": "s2026a", "ed25519": "e2026a"}
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"

OPENDKIM_CONF = """\
Syslog yes
SyslogSuccess yes
Background no
Mode s
Domain {domain}
Selector {selector}
KeyFile {key}
Canonicalization relaxed/relaxed
OversignHeaders From
RequireSafeKeys no
UMask 000
Socket local:{socket}
PidFile {dir}/opendkim.pid
"""

# Nothing but signing: what rspamd's other checks cost is not our question.
RSPAMD_CONF = """\
options {{
    filters = "dkim";
    explicit_modules = ["dkim_signing"];
    pidfile = "{dir}/rspamd.pid";
    tempdir = "{dir}";
    control_socket = "{dir}/rspamd.ctl mode=0600";
    hs_cache_dir = "{dir}";
    cache_file = "{dir}/symbols.cache";
    stats_file = "{dir}/stats.ucl";
    history_file = "{dir}/history";
    url_tld = "/usr/share/rspamd/effective_tld_names.dat";
    dns {{ nameserver = ["127.0.0.1:1"]; timeout = 0.1s; }}
}}
logging {{ type = "file"; filename = "{dir}/rspamd.log"; level = "error"; }}
worker "rspamd_proxy" {{
    bind_socket = "{socket} mode=0666";
    milter = yes;
    timeout = 120s;
    count = 1;
    upstream "local" {{ self_scan = yes; default = yes; }}
}}
modules {{ path = "/usr/share/rspamd/plugins/"; }}
actions {{ reject = 1500; add_header = 600; greylist = 400; }}
dkim {{ }}
group "dkim" {{ symbols = {{ "DKIM_SIGNED" {{ weight = 0.0; }} }} }}
dkim_signing {{
    sign_local = true;
    sign_authenticated = true;
    use_domain = "header";
    use_esld = false;
    allow_username_mismatch = true;
    allow_envfrom_empty = true;
    try_fallback = false;
    check_pubkey = false;
    domain {{ {domain} {{ selector = "{selector}"; path = "{key}"; }} }}
}}
"""

BULKHEAD_CONF = """\
token-keys = "{dir}/token.keys"
return-path-keys = "{dir}/path.keys"
milter {{ socket = "unix:{socket}" }}
domain "{domain}" {{
    {signs}
    {offers}
}}
{stream}
"""

OFFERS = """\
tracking-url = "https://t.example.com"
    return-path-domain = "b.example.com"
    unsubscribe-mailto = "unsubscribe@b.example.com"
"""

STREAM = """\
stream "newsletter" {
    unsubscribe = one-click
    track       = { clicks, opens }
    return-path = true
}
"""


class Keys:
    """The keys of a run and their records, in a directory."""

    def __init__(self, directory):
        self.dir = directory
        self.zone, self.path = {}, {}
        for kind, selector in SELECTOR.items():
            self.path[kind] = os.path.join(directory, kind + ".pem")
            self.zone["%s._domainkey.%s." % (selector, DOMAIN)] = \
                bulkhead.make_key(self.path[kind], kind)
            os.chmod(self.path[kind], 0o600)
        for name in ("token.keys", "path.keys"):
            bulkhead.make_tokens(os.path.join(directory, name))


class Daemon:
    """A milter: its name, how it is started, what it uses.

    signatures: how many it must make for each message.
    """

    def __init__(self, name, signatures, keys):
        self.name, self.signatures, self.keys = name, signatures, keys
        self.socket = os.path.join(keys.dir, name + ".sock")
        self.child = None

    def values(self):
        """What the templates name."""
        return {"dir": self.keys.dir, "socket": self.socket,
                "domain": DOMAIN, "selector": SELECTOR["rsa"],
                "key": self.keys.path["rsa"]}

    def write(self, text):
        """Writes a configuration; its path."""
        path = os.path.join(self.keys.dir, self.name + ".conf")
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        return path

    def why_not(self):
        """Why it cannot be run here, or None."""
        return None

    def argv(self):
        """The command that runs it in the foreground."""
        raise NotImplementedError

    def start(self):
        """Runs it; returns when its socket answers."""
        path = os.path.join(self.keys.dir, self.name + ".log")
        with open(path, "wb") as log:
            self.child = subprocess.Popen(
                self.argv(), stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, cwd=self.keys.dir, start_new_session=True,
                env={"PATH": PATH})
        end = time.monotonic() + 120  # rspamd compiles patterns
        while not self._answers():
            if self.child.poll() is not None or time.monotonic() > end:
                self.stop()
                with open(path, encoding="utf-8", errors="replace") as f:
                    raise RuntimeError("%s does not run:\n%s" % (
                        self.name, f.read()[-2000:]))
            time.sleep(0.05)
        os.chmod(self.socket, 0o666)

    def _answers(self):
        with socket.socket(socket.AF_UNIX) as s:
            return s.connect_ex(self.socket) == 0

    def pids(self):
        """Its processes."""
        found, parents = [self.child.pid], {}
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    with open("/proc/%s/stat" % name, encoding="ascii",
                              errors="replace") as f:
                        parents[int(name)] = int(
                            f.read().rpartition(")")[2].split()[1])
                except OSError:
                    continue
        for pid in found:
            found += [p for p, parent in parents.items() if parent == pid]
        return found

    def cpu(self):
        """Seconds of CPU that its processes have used, threads that ended
        included: the kernel's clock of each process (clock_getcpuclockid).
        """
        return sum(time.clock_gettime((~pid << 3) | 2)
                   for pid in self.pids())

    def stop(self):
        """Ends it."""
        if self.child is None:
            return
        for sig, patience in ((signal.SIGTERM, 8), (signal.SIGKILL, 5)):
            try:
                os.killpg(self.child.pid, sig)
                self.child.wait(patience)
                break
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        self.child = None


class Null(Daemon):
    """libmilter and nothing else."""

    def argv(self):
        return [os.path.join(labs.BUILD, "tests/bench/null_milter"),
                "unix:" + self.socket]


class OpenDKIM(Daemon):
    """Debian's opendkim."""

    def why_not(self):
        return None if shutil.which("opendkim", path=PATH) else \
            "opendkim is not installed (tests/bench/deps)"

    def argv(self):
        return ["opendkim", "-f", "-x", self.write(
            OPENDKIM_CONF.format(**self.values()))]


class Rspamd(Daemon):
    """rspamd as a milter, one process, nothing but dkim_signing."""

    def why_not(self):
        return None if shutil.which("rspamd", path=PATH) else \
            "rspamd is not installed (tests/bench/deps)"

    def argv(self):
        return ["rspamd", "-f", "-i", "-c", self.write(
            RSPAMD_CONF.format(**self.values()))]


class Bulkhead(Daemon):
    """bulkhead-milter with one key or two, bare or with everything on."""

    def __init__(self, name, kinds, everything, keys):
        super().__init__(name, len(kinds), keys)
        self.kinds, self.everything = kinds, everything

    def argv(self):
        signs = "\n    ".join('sign "%s" { key = "%s" }' % (
            SELECTOR[k], self.keys.path[k]) for k in self.kinds)
        text = BULKHEAD_CONF.format(
            signs=signs, offers=OFFERS if self.everything else "",
            stream=STREAM if self.everything else "", **self.values())
        return [bulkhead.MILTER, "-f", "-c", self.write(text)]


def all_daemons(keys):
    """Everyone that is compared, in the order of a round."""
    return [
        Null("null", 0, keys),
        OpenDKIM("opendkim", 1, keys),
        Rspamd("rspamd", 1, keys),
        Bulkhead("sign-only", ("rsa",), False, keys),
        Bulkhead("everything-rsa", ("rsa",), True, keys),
        Bulkhead("everything", ("rsa", "ed25519"), True, keys),
    ]
