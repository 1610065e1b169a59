#!/usr/bin/python3
"""Man pages, scripts and the list of what is distributed.

C is checked elsewhere.
"""
import ast
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
import common  # noqa: E402

TOP = ("bootstrap", "quickstart")


def _run(argv, root):
    return subprocess.run(argv, cwd=root, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)


def man_pages(root):
    """mandoc has nothing to warn of."""
    for path in common.walk(root, ("docs",)):
        if not re.search(r"\.[1-8]$", path):
            continue
        done = _run(["mandoc", "-Tlint", "-Wwarning", path], root)
        for line in done.stdout.decode(errors="replace").splitlines():
            if "date in the future" not in line:  # a matter of the clock
                yield line
        if done.returncode != 0 and not done.stdout:
            yield "%s: mandoc failed" % path


def _shebang(root, path):
    with open(os.path.join(root, path), "rb") as f:
        return f.readline(100).decode("ascii", "replace")


def scripts(root):
    """Every script of the tree: (path, first line)."""
    files = common.walk(root, common.TEXT_DIRS) + [
        t for t in TOP if os.path.isfile(os.path.join(root, t))]
    for path in files:
        first = _shebang(root, path)
        if first.startswith("#!"):
            yield path, first


def shell(root):
    """Shell scripts parse."""
    for path, first in scripts(root):
        if not re.search(r"\b(ba|da)?sh\b", first):
            continue
        done = _run(["bash", "-n", path], root)
        if done.returncode != 0:
            yield "%s: %s" % (path, done.stdout.decode(
                errors="replace").strip())


def python(root):
    """Python parses and runs under the system's interpreter."""
    for path in common.walk(root, ("tests", "packaging", "docs"), (".py",)):
        try:
            ast.parse(common.read(root, path), path)
        except SyntaxError as e:
            yield "%s:%s: %s" % (path, e.lineno, e.msg)
    for path, first in scripts(root):
        if "python" in first and first.strip() != "#!/usr/bin/python3":
            yield "%s: its interpreter is not /usr/bin/python3" % path


def executable(root):
    """A script with an interpreter line can be run."""
    for path, _ in scripts(root):
        if not os.access(os.path.join(root, path), os.X_OK):
            yield "%s: not executable" % path


RULES = {
    "man pages are clean": man_pages,
    "shell scripts parse": shell,
    "python parses, by the system's interpreter": python,
    "scripts are executable": executable,
}

if __name__ == "__main__":
    common.main(RULES)
