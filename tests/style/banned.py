#!/usr/bin/python3
"""What no source may contain: calls, thread-locals, dead code, wide lines.

Mutable state has its own test (state.py), for it needs the compiler.
"""
import re
import sys

sys.dont_write_bytecode = True
import common  # noqa: E402

CALLS = ("strcpy", "strcat", "sprintf", "vsprintf", "stpcpy", "strncpy",
         "strncat", "strtok", "strtok_r", "atoi", "atol", "atoll", "atof",
         "gets", "alloca")
WIDTH, TABLE_WIDTH = 80, 100

# Written so that this file does not find itself.
MARKS = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
PLACES = re.compile(r"(?<![\w.])/(wo" r"rk|tmp/w)/")

DEAD = re.compile(
    r"^(?:#\s*(?:if|endif|else|include|define)\b.*"
    r"|[\w>.\[\]*-]+\s*(?:[-+|&^*/]?=)\s*[^;]+;"
    r"|[A-Za-z_]\w*\([^;]*\);"
    r"|return\b[^;]*;|break;|continue;|goto \w+;"
    r"|(?:if|for|while|switch)\s*\(.*\)\s*\{?|\}\s*else.*)$")


def calls(root):
    """Calls without a bound, or with a meaning that surprises."""
    pattern = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(CALLS))
    for path in common.sources(root):
        code = common.code_only(common.read(root, path))
        for m in pattern.finditer(code):
            yield "%s:%d: %s()" % (
                path, common.line_of(code, m.start()), m.group(1))


def skips(root):
    """cmocka writes "not ok # SKIP" for skip(), which counts as failed."""
    for path in common.walk(root, ("tests",), (".c", ".h")):
        code = common.code_only(common.read(root, path))
        for m in re.finditer(r"(?<![\w.>])skip\(\)", code):
            yield "%s:%d: skip(): print a message and return" % (
                path, common.line_of(code, m.start()))


def thread_locals(root):
    """libmilter runs one connection's callbacks on several threads."""
    pattern = re.compile(
        r"\b(_Thread_local|__thread|thread_local|pthread_key_create)\b")
    for path in common.sources(root, tests=False):
        code = common.code_only(common.read(root, path))
        for m in pattern.finditer(code):
            yield "%s:%d: %s" % (
                path, common.line_of(code, m.start()), m.group(1))


def _texts(root):
    files = common.walk(root, common.TEXT_DIRS, (
        ".c", ".h", ".py", ".sh", ".pl", ".mk", ".conf", ".md", ".run"))
    for path in files:
        yield path, common.read(root, path)


def marks(root):
    """Open ends belong in the issue tracker."""
    for path, text in _texts(root):
        for m in MARKS.finditer(text):
            yield "%s:%d: %s" % (
                path, common.line_of(text, m.start()), m.group(0))


def places(root):
    """No path of one developer's machine."""
    for path, text in _texts(root):
        for m in PLACES.finditer(text):
            yield "%s:%d: a path of one machine" % (
                path, common.line_of(text, m.start()))


def _comment_lines(text):
    for m in common.comments(text):
        first = common.line_of(text, m.start())
        body = re.sub(r"^//|^/\*+|\*+/$", "", m.group(0))
        for n, line in enumerate(body.split("\n")):
            yield first + n, line.strip().lstrip("*").strip()


def dead_code(root):
    """Heuristic: a comment line that reads as a statement; #if 0."""
    for path in common.sources(root):
        text = common.read(root, path)
        for number, line in _comment_lines(text):
            if DEAD.match(line):
                yield "%s:%d: commented-out code? %s" % (path, number, line)
        for m in re.finditer(r"^\s*#\s*if\s+0\b", text, re.M):
            yield "%s:%d: #if 0" % (path, common.line_of(text, m.start()))


def line_comments(root):
    """Comments are of one kind."""
    for path in common.sources(root):
        text = common.read(root, path)
        for m in common.comments(text):
            if m.group(0).startswith("//"):
                yield "%s:%d: // comment" % (
                    path, common.line_of(text, m.start()))


def columns(root):
    """80 columns; rows of tables may have 100."""
    for path in common.sources(root):
        for n, line in enumerate(common.read(root, path).split("\n"), 1):
            width = len(line.expandtabs(8))
            row = line.lstrip().startswith(("{", "[", '"', "X("))
            if width > (TABLE_WIDTH if row else WIDTH):
                yield "%s:%d: %d columns" % (path, n, width)


def blanks(root):
    """Tabs indent; nothing trails; a file ends with one line end."""
    for path in common.sources(root):
        text = common.read(root, path)
        for n, line in enumerate(text.split("\n"), 1):
            if re.match(r" {8}", line):
                yield "%s:%d: indented by blanks" % (path, n)
            if line != line.rstrip():
                yield "%s:%d: trailing blanks" % (path, n)
        if text and (not text.endswith("\n") or text.endswith("\n\n")):
            yield "%s: does not end with one line end" % path


def top_comment(root):
    """Each file says at its top what it is."""
    for path in common.sources(root):
        if not common.read(root, path).startswith("/*"):
            yield "%s: no comment at its top" % path


RULES = {
    "no banned calls": calls,
    "no skip() of cmocka": skips,
    "no thread-local state": thread_locals,
    "no open marks": marks,
    "no paths of one machine": places,
    "no commented-out code": dead_code,
    "no // comments": line_comments,
    "lines fit in 80 columns, tables in 100": columns,
    "tabs indent, nothing trails": blanks,
    "each file says what it is": top_comment,
}

if __name__ == "__main__":
    common.main(RULES)
