"""What `bulkhead events` tells, read as an application reads it: from where it
stopped."""
import json
import subprocess
import sys

sys.dont_write_bytecode = True
import bulkhead  # noqa: E402
import lab as labs  # noqa: E402


class Events:
    """The events of an installation, each given once."""

    def __init__(self, config):
        self.config, self.cursor, self.waiting = config, None, []

    def read(self):
        """Those that are there since the last call."""
        argv = [bulkhead.COMMAND, "events", "-c", self.config, "--json"]
        if self.cursor is not None:
            argv += ["--since", self.cursor]
        done = subprocess.run(argv, stdout=subprocess.PIPE, timeout=60,
                              stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            raise AssertionError("%r: %d: %s" % (
                argv, done.returncode, done.stderr.decode()))
        found = [json.loads(line) for line in done.stdout.splitlines()]
        if found:
            self.cursor = found[-1]["cursor"]
        return found

    def take(self, n, seconds=30):
        """Waits for the next n and returns all there are by then."""
        def more():
            try:
                self.waiting += self.read()
            except AssertionError:
                return False  # no file yet
            return len(self.waiting) >= n
        try:
            labs.wait_for("%d events" % n, more, seconds)
        except TimeoutError as e:
            raise AssertionError("%s: %r" % (e, self.waiting)) from e
        taken, self.waiting = self.waiting, []
        return taken


def brief(found):
    """(kind, recipient, detail or "") of each, sorted."""
    return sorted((e["kind"], e.get("recipient") or "",
                   e.get("detail") or "") for e in found)
