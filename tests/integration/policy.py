"""Milter, policyd and command over one configuration, behind a Postfix that
asks both: at RCPT and at the end of the message."""
import json
import os
import signal
import sys

sys.dont_write_bytecode = True
import bulkhead  # noqa: E402
import lab as labs  # noqa: E402
import policyd as daemons  # noqa: E402

# Before the stream that takes the rest.
STREAMS = """\
policyd {{ socket = "unix:{dir}/policy.sock"
          control = "unix:{dir}/control.sock" }}
stream "receipts" {{
    match {{ sasl-user = {{ "news@example.com" }}
            sender = {{ "receipts@*" }} }}
    envelope-domain = true
}}
stream "dropped" {{
    match {{ sender = {{ "dropped@*" }} }}
    suppressed = drop
}}
stream "offers" {{ match {{ header = {{ "X-Kind: offers" }} }} }}
"""


class Policyd(daemons.Policyd):
    """policyd in a directory, and with settings, that others made."""

    def __init__(self, directory):  # pylint: disable=super-init-not-called
        self.dir = directory
        self.user = self.child = None
        os.mkdir(self.path("store"))


class Lab(labs.Lab):
    """A lab whose bulk listener asks policyd, with virtual aliases; default:
    what Postfix says when nobody answers."""

    def __init__(self, default=daemons.DEFER, aliases=""):
        self.default, self.aliases = default, aliases
        super().__init__(milters=["mil.sock"], users=[bulkhead.USER])

    def _configure(self, milters, extra):
        with open(self.path("aliases"), "w", encoding="ascii") as f:
            f.write(self.aliases)
        extra += "virtual_alias_maps = texthash:{dir}/aliases\n"
        super()._configure(milters, extra + daemons.postfix_settings(
            self.dir, default=self.default))


class Installation(bulkhead.Bulkhead):
    """All of Bulkhead in a lab."""

    def __init__(self, lab, more=""):
        at = bulkhead.CONFIG.index("stream ")
        super().__init__(lab, bulkhead.CONFIG[:at] + STREAMS +
                         bulkhead.CONFIG[at:] + more)
        os.rename(self.config, lab.path("bulkhead.conf"))
        self.config = lab.path("bulkhead.conf")
        self.policyd = Policyd(lab.dir)

    def __enter__(self):
        self.policyd.start()
        self.start()
        return self

    def __exit__(self, *_):
        self.policyd.kill()

    def suppress(self, address, scope=None, reason="unsubscribe"):
        """Puts an address on the list, durably."""
        self.policyd.suppress(address, scope=scope, reason=reason)

    def used(self, limit):
        """What was charged to a limit of one bucket."""
        shown = json.loads(self.policyd.command("limit", "show", "--json",
                                                limit))
        return sum(b["used"] for b in shown["buckets"])

    def restart_policyd(self, sig=signal.SIGKILL):
        """Ends it and starts it anew."""
        self.policyd.signal(sig)
        self.policyd.child.wait(30)
        self.policyd.start()

    def logs(self):
        """The end of what both said."""
        return "policyd:\n%s\nmilter:\n%s" % (
            self.policyd.log()[-1500:], self.log()[-1500:])
