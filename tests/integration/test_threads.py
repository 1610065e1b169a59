#!/usr/bin/python3
"""The milter under a load of many sessions, reloads and an end in the midst:
what the sanitizers it was built with have to say.  Without any, that it lives.
"""
import os
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import bulkhead  # noqa: E402
import lab as labs  # noqa: E402
import tap  # noqa: E402

LOAD = os.path.join(labs.BUILD, "tests/tools/milter_load")
RACY = os.path.join(labs.BUILD, "tests/tools/racy_milter")
SESSIONS, MESSAGES = 24, 25
RELOADS = 12
EXIT_RACE = 66
# No suppressions.  called_from_lib:libmilter.so would hide the locks with which
# its workers hand a session over, so that each hand-over looked like a race;
# race:libmilter.so would hide all, as every callback has it in its stack.
ENV = dict(os.environ,
           TSAN_OPTIONS="report_thread_leaks=0:exitcode=%d" % EXIT_RACE,
           ASAN_OPTIONS="detect_leaks=1:exitcode=67",
           UBSAN_OPTIONS="print_stacktrace=1")
REPORTS = ("WARNING: ThreadSanitizer", "ERROR: AddressSanitizer",
           "ERROR: LeakSanitizer", "runtime error:")


class Daemon:
    """A milter on a socket of its own, its output in a file."""

    def __init__(self, directory, argv):
        self.socket = os.path.join(directory, "mil.sock")
        self.output = os.path.join(directory, "out")
        with open(self.output, "wb") as out:
            self.child = subprocess.Popen(
                argv, stdout=out, stderr=subprocess.STDOUT, env=ENV,
                stdin=subprocess.DEVNULL, cwd=directory)
        try:
            labs.wait_for("socket of " + argv[0], self._is_ready)
        except BaseException:
            self.kill()
            raise

    def _is_ready(self):
        if self.child.poll() is not None:
            raise RuntimeError("it ended:\n" + self.text())
        return os.path.exists(self.socket)

    def text(self):
        """All that it wrote."""
        with open(self.output, encoding="utf-8", errors="replace") as f:
            return f.read()

    def load(self, *options):
        """A load on it, running."""
        argv = [LOAD, "-s", "unix:" + self.socket, "-c", str(SESSIONS),
                "-S", "bounces@example.com", "-r", "reader%d@reader.example"]
        for name in sorted(os.listdir(bulkhead.MAILS)):
            argv += ["-f", os.path.join(bulkhead.MAILS, name)]
        return subprocess.Popen(argv + list(options), env=ENV,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT,
                                stdin=subprocess.DEVNULL)

    def end(self):
        """SIGTERM; the exit status."""
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait(60)

    def kill(self):
        """For one that a failed test leaves."""
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()

    def expect_clean(self, status):
        """It ended well and no sanitizer said anything."""
        text = self.text()
        for report in REPORTS:
            at = text.find(report)
            tap.true(at < 0, text[max(at - 100, 0):at + 4000])
        tap.equal(status, 0, "exit status; " + text[-2000:])


def finish(load):
    """Waits for a load; its status must be 0."""
    said = load.communicate(timeout=240)[0].decode("utf-8", "replace")
    tap.equal(load.returncode, 0, "the load: " + said[-2000:])


class Threads:
    """The tests, one installation for all of them."""

    def __init__(self, directory):
        self.dir = directory
        self.config = os.path.join(directory, "conf/bulkhead.conf")
        os.mkdir(os.path.join(directory, "conf"))
        for domain in bulkhead.DOMAINS:
            for selector, kind in bulkhead.SELECTORS.items():
                bulkhead.make_key(os.path.join(
                    directory, "conf/%s-%s.pem" % (domain, selector)), kind)
        for name in ("token.keys", "return-path.keys"):
            bulkhead.make_tokens(os.path.join(directory, "conf", name))
        self.write(0)

    def write(self, number):
        """Other settings than before; each third time none that load."""
        text = bulkhead.CONFIG.format(dir=self.dir)
        text += 'stream "number%d" { campaign = "c%d" }\n' % (number, number)
        if number % 3 == 2:
            text += "stream {\n"
        with open(self.config + ".new", "w", encoding="utf-8") as f:
            f.write(text)
        os.rename(self.config + ".new", self.config)

    def start(self):
        """The milter."""
        self.write(0)
        return Daemon(self.dir, [bulkhead.MILTER, "-f", "-c", self.config])

    def test_reloads_under_load(self):
        """Every message is answered, whatever is loaded meanwhile."""
        daemon = self.start()
        try:
            load = daemon.load("-n", str(MESSAGES), "--abort-every", "7",
                               "--pause-ms", "100")
            for number in range(1, RELOADS + 1):
                self.write(number)
                daemon.child.send_signal(signal.SIGHUP)
                time.sleep(0.25)
            finish(load)
            daemon.expect_clean(daemon.end())
            for text in ("settings loaded anew", "settings kept"):
                tap.true(text in daemon.text(), "not said: " + text)
        finally:
            daemon.kill()

    def test_end_under_load(self):
        """SIGTERM in the midst: sessions are sent away, nothing is lost."""
        daemon = self.start()
        try:
            load = daemon.load("--seconds", "12", "--expect",
                               "accept,421,shutdown,refused,lost")
            time.sleep(4)
            daemon.expect_clean(daemon.end())
            finish(load)
        finally:
            daemon.kill()

    def test_a_race_is_found(self):
        """The same load and options on a milter with a race."""
        if bulkhead.sanitizer(RACY) != "thread":
            raise tap.Skip("not built with the thread sanitizer")
        path = os.path.join(self.dir, "mil.sock")
        if os.path.exists(path):
            os.unlink(path)
        daemon = Daemon(self.dir, [RACY, "unix:" + path])
        try:
            finish(daemon.load("-n", "5", "--expect", "any"))
            tap.equal(daemon.end(), EXIT_RACE, "status with a race")
            tap.true("data race" in daemon.text(), "no race was reported")
        finally:
            daemon.kill()


def main():
    """Runs the tests."""
    for program in (bulkhead.MILTER, LOAD, RACY):
        if not os.access(program, os.X_OK):
            print("Bail out! not built: " + program)
            return 1
    with tempfile.TemporaryDirectory(prefix="bulkhead-threads-") as directory:
        t = Threads(directory)
        with_what = bulkhead.sanitizer(bulkhead.MILTER) or "no"
        return tap.run([
            ("reloads under load, %s sanitizer" % with_what,
             t.test_reloads_under_load),
            ("an end under load, %s sanitizer" % with_what,
             t.test_end_under_load),
            ("a planted race is found", t.test_a_race_is_found)])


if __name__ == "__main__":
    sys.exit(main())
