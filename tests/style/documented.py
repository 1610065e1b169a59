#!/usr/bin/python3
"""What a user meets has its place in the documentation.

Keys of the settings, keys of log lines, counters.
"""
import os
import re
import sys

sys.dont_write_bytecode = True
import common  # noqa: E402

TABLE = "lib/bulkhead/settings_table.c"
REPORT = "lib/engine/report.c"
METRICS = "lib/bulkhead/metrics.c"


def _text(root, path):
    """A file, or nothing where there is none."""
    if not os.path.isfile(os.path.join(root, path)):
        return ""
    return common.read(root, path)


def _missing(names, root, paths, what, form):
    """One text for each name that a document does not have."""
    for path in paths:
        text = _text(root, path)
        for name in sorted(names):
            if not re.search(form % re.escape(name), text):
                yield "%s: no word of the %s %s" % (path, what, name)


def settings(root):
    """Every key is in the man page and in the complete sample."""
    names = re.findall(r'\{ "([\w-]+)", KEY_', _text(root, TABLE))
    return _missing(set(names), root, ["docs/man/bulkhead.conf.5"],
                    "setting", r"(?m)^\.(?:It Ic|Ss|Ic) (?:.*(?<![\w-]))?%s(?![\w-])")


def samples(root):
    """Every key is used in the sample."""
    names = re.findall(r'\{ "([\w-]+)", KEY_', _text(root, TABLE))
    return _missing(set(names), root, ["conf/bulkhead.conf.sample"],
                    "setting", r"(?m)^[\s#]*%s\b")


def log_keys(root):
    """Every key of a message's log line is explained."""
    text = _text(root, REPORT)
    names = set(re.findall(r'add_value\([^;"]*"([\w-]+)"', text))
    names |= set(re.findall(r'[" ]([a-z][\w-]+)=(?:%|yes)', text))
    yield from _missing(names, root, ["docs/LOGGING.md"], "log key",
                        r"`%s`")
    yield from _missing(names, root, ["docs/man/bulkhead-log.5"], "log key",
                        r"(?m)^\.It Ic .*(?<![\w-])%s(?![\w-])")


def counters(root):
    """Every counter is explained."""
    names = re.findall(r'\] = "(\w+)"', _text(root, METRICS))
    return _missing(set(names), root, ["docs/LOGGING.md"], "counter",
                    r"`%s`")


RULES = {
    "settings are in the man page": settings,
    "settings are in the sample": samples,
    "keys of the log are documented": log_keys,
    "counters are documented": counters,
}

if __name__ == "__main__":
    common.main(RULES)
