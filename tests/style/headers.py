#!/usr/bin/python3
"""Headers: each compiles alone, comes first in its own .c, is documented.

Order of includes too.  What they may include is layers.py's.
"""
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import common  # noqa: E402
import layers  # noqa: E402

PACKAGES = ("libcrypto", "libconfuse", "libpsl", "libidn2", "opendkim",
            "jansson", "sqlite3")
_config = []


def cflags(root):
    """What configure gives the compiler, without a configured tree."""
    out = subprocess.run(["pkg-config", "--cflags"] + list(PACKAGES),
                         stdout=subprocess.PIPE, check=False).stdout.decode()
    flags = ["-std=c11", "-D_GNU_SOURCE", "-I" + os.path.join(root, "lib"),
             "-I" + root]
    return flags + ["-I" + _config_dir()] + out.split()


def _config_dir():
    """Where what is made is: the build's, or little where none is known."""
    build = os.environ.get("BULKHEAD_BUILDDIR")
    if build:
        return build
    if not _config:
        _config.append(tempfile.TemporaryDirectory())
        with open(os.path.join(_config[0].name, "config.h"), "w",
                  encoding="ascii") as f:
            f.write('#define PACKAGE "bulkhead"\n'
                    '#define PACKAGE_NAME "bulkhead"\n'
                    '#define PACKAGE_STRING "bulkhead 0"\n'
                    '#define PACKAGE_VERSION "0"\n#define VERSION "0"\n')
        os.mkdir(os.path.join(_config[0].name, "trackd"))
        with open(os.path.join(_config[0].name, "trackd/robots_text.inc"),
                  "w", encoding="ascii") as f:
            f.write("static const unsigned char robots_text[] = { 0 };\n")
    return _config[0].name


def alone(root):
    """Each header compiles with nothing before it."""
    flags = cflags(root)
    for path in common.sources(root, (".h",)):
        done = subprocess.run(
            ["gcc", "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
             "-Wno-unused-function", "-x", "c"] + flags + ["-"], cwd=root,
            input=('#include "%s"\n' % path).encode(),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            first = done.stdout.decode(errors="replace").strip().splitlines()
            yield "%s: does not compile alone: %s" % (
                path, next((l for l in first if "error" in l), first[-1]))


def own_first(root):
    """The first include of x.c is x.h, where there is one."""
    for path in common.sources(root, (".c",), tests=False):
        own = path[:-2] + ".h"
        if not os.path.isfile(os.path.join(root, own)):
            continue
        found = [i for i in layers.includes(root, path)
                 if i[2] != "config.h"]
        if not found or layers.resolve(root, path, found[0][2]) != own:
            yield "%s: its first include is not %s" % (path, own)


def guards(root):
    """Each header guards itself."""
    for path in common.sources(root, (".h",)):
        text = common.read(root, path)
        found = re.search(r"^#ifndef (\w+)\n#define (\w+)$", text, re.M)
        if not found or found.group(1) != found.group(2):
            yield "%s: no include guard" % path


def _order(root, path):
    previous, project = None, False
    found = [i for i in layers.includes(root, path) if i[2] != "config.h"]
    if found and path.endswith(".c") and os.path.dirname(path) == \
            os.path.dirname(layers.resolve(root, path, found[0][2]) or ""):
        del found[0]  # its own, or the one that its directory shares
    for line, quote, name in found:
        if quote == "<" and project:
            yield "%s:%d: <%s> after a project header" % (path, line, name)
        project = project or quote == '"'
        if previous and previous[0] == line - 1 and previous[1] == quote \
                and previous[2] > name:
            yield "%s:%d: %s is not sorted" % (path, line, name)
        previous = (line, quote, name)


def order(root):
    """Own, system, project; sorted within a block of lines."""
    for path in common.sources(root, tests=False):
        yield from _order(root, path)


def prototypes(root, path):
    """(line, name, documented) of each prototype at file scope.

    One comment may stand over a run of declarations without empty line.
    """
    raw = common.read(root, path)
    code = common.code_only(raw)
    lines = raw.split("\n")
    depth, start = 0, 0
    for offset, c in enumerate(code):
        if c == "{":
            depth += 1
        elif c == "}":
            depth -= 1
            if depth == 0:
                start = offset + 1
        elif c == ";" and depth == 0:
            text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(
                r"[^\n]", " ", m.group(0)), code[start:offset], flags=re.M)
            name = re.search(r"\b(\w+)[ \t\n]*\(", text)
            if name and name.group(1) == "__attribute__":
                name = None
            if name and not re.match(r"\s*(typedef|extern\s*\"|_Static)",
                                     text):
                first = start + len(text) - len(text.lstrip())
                yield (common.line_of(code, first), name.group(1),
                       _documented(lines, common.line_of(code, first)))
            start = offset + 1


def _documented(lines, number):
    """Goes up from a declaration to the top of its block."""
    at = number - 2
    while at >= 0 and lines[at].strip():
        if lines[at].rstrip().endswith("*/"):
            return True
        at -= 1
    return False


def documented(root):
    """At least 90 % of the prototypes have a contract."""
    total, bare = 0, []
    for path in common.sources(root, (".h",), tests=False):
        for line, name, ok in prototypes(root, path):
            total += 1
            if not ok:
                bare.append("%s:%d: %s() has no contract" % (path, line, name))
    share = 100.0 * (total - len(bare)) / max(total, 1)
    notes = ["%d prototypes, %.1f %% with a contract" % (total, share)]
    if share < 90:
        return bare, notes
    return [], notes + bare


RULES = {
    "every header compiles alone": alone,
    "own header first": own_first,
    "headers are guarded": guards,
    "includes are in order": order,
    "prototypes have a contract": documented,
}

if __name__ == "__main__":
    common.main(RULES)
