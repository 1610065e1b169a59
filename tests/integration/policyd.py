"""bulkhead-policyd in a directory of its own, and clients of its sockets."""
import json
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
import lab as labs  # noqa: E402

PROGRAM = os.path.join(labs.BUILD, "bulkhead-policyd")
COMMAND = os.path.join(labs.BUILD, "bulkhead")

CONFIG = """\
store = "sqlite:{dir}/store"
trusted-networks = {{ "127.0.0.0/8" }}
policyd {{
    socket  = "unix:{dir}/policy.sock"
    control = "unix:{dir}/control.sock"
}}
"""

# What `bulkhead setup` will write for the listener: the policy service first,
# and error limits of its own, as many may be refused in a row.
POSTFIX = """\
smtpd_recipient_restrictions = check_policy_service
    {{ unix:{dir}/policy.sock, timeout=5s,
        {{ default_action = {default} }} }}, permit
smtpd_data_restrictions = {data}
smtpd_soft_error_limit = 1001
smtpd_hard_error_limit = 1000
smtpd_junk_command_limit = 1000
default_process_limit = 300
"""
AT_DATA = "check_policy_service {{ unix:{dir}/policy.sock, timeout=5s }}"
DEFER = "451 4.3.5 policy service unavailable"


def postfix_settings(directory, at_data=False, default=DEFER):
    """Lines of main.cf for policyd in that directory."""
    data = AT_DATA.format(dir=directory) if at_data else ""
    return POSTFIX.format(dir=directory, data=data, default=default)


SANITIZER = re.compile(r"(?s)(ERROR: \w+Sanitizer|WARNING: \w+Sanitizer|"
                       r"\S+ runtime error: ).{,1500}")


def block(*pairs, **more):
    """A request as octets."""
    lines = ["%s=%s" % p for p in list(pairs) + list(more.items())]
    return ("\n".join(lines) + "\n\n").encode()


def rcpt(recipient, sender="news@example.com", **more):
    """What smtpd asks at RCPT about mail from this host."""
    return block(("request", "smtpd_access_policy"),
                 ("protocol_state", "RCPT"), ("protocol_name", "ESMTP"),
                 ("client_address", "127.0.0.1"), ("sender", sender),
                 ("recipient", recipient), ("queue_id", ""), **more)


def admit(*recipients, **more):
    """What the milter asks about recipients."""
    pairs = [("request", "bulkhead_admit"), ("instance", "mx")]
    pairs += list(more.items())
    return block(*(pairs + [("recipient", r) for r in recipients]))


def charge(queue_id, *recipients, **more):
    """What the milter asks at last."""
    pairs = [("request", "bulkhead_charge"), ("instance", "mx"),
             ("queue_id", queue_id)] + list(more.items())
    return block(*(pairs + [("recipient", r) for r in recipients]))


class Client:
    """One connection."""

    def __init__(self, path, timeout=30):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(timeout)
        self.sock.connect(path)
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Hangs up."""
        self.sock.close()

    def send(self, data):
        """Sends octets as they are; reply() tells if it was closed."""
        try:
            self.sock.sendall(data)
        except (ConnectionResetError, BrokenPipeError):
            pass

    def reply(self):
        """The next reply as text without its empty line; None: closed."""
        while b"\n\n" not in self.rest:
            try:
                got = self.sock.recv(1 << 20)
            except (ConnectionResetError, BrokenPipeError):
                got = b""
            if not got:
                if self.rest:
                    raise AssertionError("half a reply: %r" % self.rest)
                return None
            self.rest += got
        text, _, self.rest = self.rest.partition(b"\n\n")
        return text.decode()

    def ask(self, data):
        """Sends a request and reads its reply."""
        self.send(data)
        return self.reply()


class Policyd:
    """A policyd; use it in a with statement."""

    def __init__(self, config="", user=None):
        self.dir = tempfile.mkdtemp(prefix="bh-", dir="/tmp")
        os.chmod(self.dir, 0o755)
        os.mkdir(self.path("store"))
        self.user = user
        if user is not None:
            shutil.chown(self.path("store"), user)
        self.child = None
        self.configure(config)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Fails on what a sanitizer said."""
        self.kill()
        said = SANITIZER.search(self.log())
        shutil.rmtree(self.dir, ignore_errors=True)
        if said:
            raise AssertionError(said[0])

    def path(self, name):
        """A path in the directory."""
        return os.path.join(self.dir, name)

    def configure(self, config):
        """Writes the settings, in one step; base settings come first."""
        with open(self.path("new"), "w", encoding="utf-8") as f:
            f.write(CONFIG.format(dir=self.dir) + config)
        os.rename(self.path("new"), self.path("bulkhead.conf"))

    def start(self, *more, files=None, wait=True):
        """Starts it; returns when it answers."""
        argv = [PROGRAM, "-c", self.path("bulkhead.conf"), "-f"] + list(more)
        if self.user is not None:
            argv += ["-u", self.user]
        if files is not None:
            argv = ["prlimit", "--nofile=%d:%d" % (files, files)] + argv
        with open(self.path("log"), "ab") as out:
            self.child = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                preexec_fn=labs._die_with_parent)
        if wait:
            labs.wait_for("policyd", self.is_up, 60)
        return self

    def is_up(self):
        """Does it listen on both sockets?"""
        if self.child.poll() is not None:
            raise RuntimeError("policyd ended:\n" + self.log())
        try:
            self.policy().close()
            self.control().close()
        except OSError:
            return False
        return True

    def policy(self, timeout=30):
        """A connection as smtpd's."""
        return Client(self.path("policy.sock"), timeout)

    def control(self, timeout=30):
        """A connection as the milter's."""
        return Client(self.path("control.sock"), timeout)

    def ask(self, data):
        """One request on a policy connection of its own."""
        with self.policy() as c:
            return c.ask(data)

    def ask_control(self, data):
        """One request on a control connection of its own."""
        with self.control() as c:
            return c.ask(data)

    def status(self):
        """bulkhead_status as a dict."""
        text = self.ask_control(block(request="bulkhead_status"))
        return json.loads(text.partition("status=")[2])

    def log(self):
        """What it said."""
        try:
            with open(self.path("log"), encoding="utf-8") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def wait_log(self, text, count=1, seconds=60):
        """Waits until it said so that many times."""
        labs.wait_for(text, lambda: self.log().count(text) >= count, seconds)

    def signal(self, sig):
        """Sends it a signal."""
        os.kill(self.child.pid, sig)

    def reload(self, says="settings loaded anew"):
        """SIGHUP; returns when it said that."""
        before = self.log().count(says)
        self.signal(signal.SIGHUP)
        self.wait_log(says, before + 1)

    def stop(self, seconds=60):
        """SIGTERM; the exit status."""
        self.signal(signal.SIGTERM)
        return self.child.wait(seconds)

    def kill(self):
        """SIGKILL, if it runs."""
        if self.child is not None and self.child.poll() is None:
            self.child.kill()
            self.child.wait(10)

    def command(self, *argv):
        """Runs `bulkhead`; its output."""
        done = subprocess.run(
            [COMMAND, argv[0], argv[1], "-c", self.path("bulkhead.conf")]
            + list(argv[2:]), stdout=subprocess.PIPE, timeout=60,
            stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            raise AssertionError("%r: %d: %s" % (
                argv, done.returncode, done.stdout.decode()))
        return done.stdout.decode()

    def suppress(self, *addresses, reason="hard-bounce", scope=None):
        """Puts addresses on the list, durably."""
        more = ["--scope", scope] if scope else []
        self.command("suppress", "add", "--reason", reason, *more,
                     *addresses)


def why_not():
    """Exits when the programs were not built."""
    for program in (PROGRAM, COMMAND):
        if not os.access(program, os.X_OK):
            print("Bail out! not built: " + program)
            sys.exit(1)


def seconds_of(call):
    """How long a call takes, and what it returns."""
    begin = time.monotonic()
    answer = call()
    return time.monotonic() - begin, answer
