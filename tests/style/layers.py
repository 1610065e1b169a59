#!/usr/bin/python3
"""Who may include whom: layers, cycles, one home for each library.

Reads #include lines only; the compiler checks the rest.
"""
import fnmatch
import os
import re
import sys

sys.dont_write_bytecode = True
import common  # noqa: E402

RANK = {"lib/base": 0, "lib/mail": 1, "lib/store": 2, "lib/bulkhead": 3,
        "lib/engine": 4, "lib/feedback": 4, "milter": 5, "policyd": 5,
        "trackd": 5, "logd": 5, "cli": 5}

# made by configure and make
BUILT = ("config.h", "trackd/robots_text.inc")

# header of a library: the files that may include it
HOMES = {
    "libmilter/*": ["milter/*", "tests/*"],
    "opendkim/*": ["lib/mail/dkim_opendkim.c", "cli/cmd_doctor.c",
                   "cli/doctor_*.c", "tests/*"],
    "confuse.h": ["lib/bulkhead/settings*"],
    "sqlite3.h": ["lib/store/driver_sqlite*", "tests/store/*"],
    "hiredis/*": ["lib/store/driver_valkey*"],
    "valkey/*": ["lib/store/driver_valkey*"],
    "event2/*": ["policyd/*", "tests/tools/policy_*"],
    "microhttpd.h": ["trackd/*", "lib/bulkhead/exporter.c"],
    "libpsl.h": ["lib/bulkhead/stream.c"],
    "idn2.h": ["lib/mail/addr*.c"],
    "jansson.h": ["lib/engine/control_json.c", "cli/limit_ask.c",
                  "cli/import_json.c", "cli/daemon.c",
                  "cli/events_metadata.c",
                  "tests/tools/events_make.c"],
    "cmocka.h": ["tests/*"],
}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.M)


def includes(root, path):
    """(line, quote, name) of each include; commented ones are not counted."""
    raw = common.read(root, path)
    text = re.sub(r"/\*.*?\*/",
                  lambda m: re.sub(r"[^\n]", " ", m.group(0)), raw, flags=re.S)
    return [(common.line_of(text, m.start()), m.group(1), m.group(2))
            for m in INCLUDE.finditer(text)]


def resolve(root, path, name):
    """The project file that an include names, or None."""
    for base in (os.path.dirname(path), "lib", ""):
        full = os.path.normpath(os.path.join(base, name))
        if os.path.isfile(os.path.join(root, full)):
            return full
    return None


def layer(path):
    """The key of RANK that a path belongs to, or None."""
    parts = path.split("/")
    for key in ("/".join(parts[:2]), parts[0]):
        if key in RANK:
            return key
    return None


def _upward(root, path):
    mine = layer(path)
    for line, quote, name in includes(root, path):
        target = resolve(root, path, name) if quote == '"' else None
        if target is None:
            continue
        theirs = layer(target)
        if theirs == mine:
            continue
        if theirs is None or RANK[theirs] >= RANK[mine]:
            yield "%s:%d: %s may not include %s" % (path, line, mine, target)


def layers(root):
    """Nothing includes upwards or sideways."""
    for path in common.sources(root, tests=False):
        if layer(path) is None:
            yield "%s: in no known layer" % path
            continue
        yield from _upward(root, path)


def directories(root):
    """Includes of the project carry their directory."""
    for path in common.sources(root, tests=False):
        for line, quote, name in includes(root, path):
            if quote == '"' and "/" not in name and name != "config.h":
                yield '%s:%d: "%s" lacks its directory' % (path, line, name)


def missing(root):
    """Quoted includes of product files name files of the project."""
    for path in common.sources(root, tests=False):
        for line, quote, name in includes(root, path):
            if quote == '"' and name not in BUILT and \
                    resolve(root, path, name) is None:
                yield '%s:%d: "%s" is no file here' % (path, line, name)


def homes(root):
    """Each library's header stays at home."""
    for path in common.sources(root):
        for line, _, name in includes(root, path):
            for pattern, allowed in HOMES.items():
                if fnmatch.fnmatch(name, pattern) and not any(
                        fnmatch.fnmatch(path, a) for a in allowed):
                    yield "%s:%d: <%s> belongs to %s" % (
                        path, line, name, ", ".join(allowed))


def _visit(graph, node, trail, done, found):
    if node in done:
        return
    if node in trail:
        found.append(" -> ".join(trail[trail.index(node):] + [node]))
        return
    for target in graph.get(node, ()):
        _visit(graph, target, trail + [node], done, found)
    done.add(node)


def cycles(root):
    """No header includes itself through others."""
    graph, found, done = {}, [], set()
    for path in common.sources(root, (".h",)):
        graph[path] = [t for t in (
            resolve(root, path, n) for _, q, n in includes(root, path)
            if q == '"') if t]
    for path in sorted(graph):
        _visit(graph, path, [], done, found)
    return found


RULES = {
    "no layer includes upwards or sideways": layers,
    "project includes carry their directory": directories,
    "project includes exist": missing,
    "one home for each library": homes,
    "no header cycles": cycles,
}

if __name__ == "__main__":
    common.main(RULES)
