"""End to end: smtp-source, a private Postfix, smtp-sink, with and without
milters.

A rate is what arrived a second, counted until the last message is at the
receiver.  One Postfix for each set-up; they take turns.
"""
import os
import re
import shutil
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import daemons  # noqa: E402  (finds the modules of the integration tests)
import bulkhead  # noqa: E402
import lab as labs  # noqa: E402

# the set-ups, by the milter that stands in it
SETUPS = ("plain", "null", "opendkim", "everything")
TOOLS = ("smtp-source", "smtp-sink")


def why_not():
    """Why no end to end run can be made here, or None."""
    reason = labs.why_not()
    for tool in TOOLS:
        if reason is None and not shutil.which(tool, path=daemons.PATH):
            reason = "no " + tool
    return reason


class Run:
    """One round of one set-up: messages a second, CPU in µs a message."""

    def __init__(self, messages, seconds, postfix, milter):
        self.rate = messages / seconds
        self.postfix = postfix / messages * 1e6
        self.milter = milter / messages * 1e6


def tree_cpu(root):
    """Seconds of CPU of a process, its descendants, and those it has reaped.

    In ticks of 10 ms: Postfix's processes come and go.
    """
    stats = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/%s/stat" % name, encoding="ascii",
                          errors="replace") as f:
                    fields = f.read().rpartition(")")[2].split()
            except OSError:
                continue
            stats[int(name)] = int(fields[1]), sum(map(int, fields[11:15]))
    pids = [root]
    for pid in pids:
        pids += [p for p, (parent, _) in stats.items() if parent == pid]
    return sum(stats[p][1] for p in pids if p in stats) / os.sysconf(
        "SC_CLK_TCK")


class Setup:
    """A Postfix with at most one milter in it."""

    def __init__(self, name, daemon):
        self.name, self.daemon, self.sink = name, daemon, None
        self.port = labs.free_port()
        self.lab = labs.Lab(
            milters=[daemon.socket] if daemon else [],
            extra="relayhost = [127.0.0.1]:%d" % self.port)

    def _sink(self, *options):
        """The receiver, a child of the lab."""
        sink = self.lab.spawn(["smtp-sink", "-u", "postfix"] + list(options) + [
            "127.0.0.1:%d" % self.port, "500"], "sink.out")
        labs.wait_for("smtp-sink", lambda: self._listens(sink))
        return sink

    def _listens(self, sink):
        if sink.poll() is not None:
            raise RuntimeError("smtp-sink: " + self.lab.read("sink.out"))
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def _send(self, mail, sessions, messages):
        done = subprocess.run(
            ["smtp-source", "-d", "-s", str(sessions), "-m", str(messages),
             "-f", "news@example.com", "-t", "user@example.net", "-F", mail,
             "127.0.0.1:%d" % self.lab.bulk], check=False, timeout=600,
            env={"PATH": daemons.PATH}, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise RuntimeError("%s: smtp-source: %s" % (
                self.name, done.stdout.decode()))

    def _arrived(self):
        """How many messages the receiver has counted."""
        with open(self.lab.path("sink.out"), "rb") as f:
            f.seek(max(f.seek(0, os.SEEK_END) - 200, 0))
            found = re.findall(rb"mesg=\s*(\d+) *\r", f.read())
        return int(found[-1]) if found else 0

    def measure(self, mail, sessions, messages):
        """A Run; its rate counts until the last message has arrived."""
        if self.sink is None:
            self.sink = self._sink("-c")
        want = self._arrived() + messages
        before = self._cpu()
        start = time.monotonic()
        self._send(mail, sessions, messages)
        end = start + 300
        while self._arrived() < want:
            if time.monotonic() > end:
                raise TimeoutError("%s: %d of %d arrived" % (
                    self.name, self._arrived(), want))
            time.sleep(0.01)
        seconds = time.monotonic() - start
        self.lab.wait_empty()
        return Run(messages, seconds, *(
            b - a for a, b in zip(before, self._cpu())))

    def _cpu(self):
        """Seconds of CPU of Postfix and of the milter."""
        return (tree_cpu(self.lab.postfix.pid),
                self.daemon.cpu() if self.daemon else 0)

    def prove(self, mail):
        """Fails unless what arrives is signed as it should be."""
        directory = self.lab.path("sink")
        os.mkdir(directory)
        os.chmod(directory, 0o777)
        sink = self._sink("-d", directory + "/m.")
        self._send(mail, 1, 1)
        self.lab.wait_empty()
        sink.terminate()
        sink.wait(10)
        data = b""
        for name in os.listdir(directory):
            with open(os.path.join(directory, name), "rb") as f:
                data += re.sub(rb"\r?\n", b"\r\n", f.read())
        found = bulkhead.verify(data, self.daemon.keys.zone) \
            if self.daemon else {}
        want = self.daemon.signatures if self.daemon else 0
        if b"\r\nSubject: What is new" not in data or \
                len(found) != want or not all(found.values()):
            raise RuntimeError("%s: arrived %d octets, signatures %r, %d "
                               "wanted" % (self.name, len(data), found, want))

    def close(self):
        """Stops this Postfix."""
        self.lab.close()


class EndToEnd:
    """All set-ups whose milters are running, and their runs by round."""

    def __init__(self, running):
        found = {d.name: d for d in running}
        self.setups, self.runs = [], {}
        try:
            for name in SETUPS:
                if name == "plain" or name in found:
                    self.setups.append(Setup(name, found.get(name)))
        except BaseException:
            self.close()
            raise

    def prove_all(self, mail):
        """Every set-up delivers, signed or not as it should."""
        for setup in self.setups:
            setup.prove(mail)

    def run(self, mail, sessions, messages, rounds):
        """All rounds; set-ups take turns."""
        for setup in self.setups:
            setup.measure(mail, sessions, max(messages // 5, 1))
        for number in range(rounds):
            for setup in self.setups:
                self.runs.setdefault(setup.name, []).append(
                    setup.measure(mail, sessions, messages))
            print("end to end: round %d of %d" % (number + 1, rounds),
                  file=sys.stderr)

    def close(self):
        """Stops every Postfix."""
        for setup in self.setups:
            setup.close()
