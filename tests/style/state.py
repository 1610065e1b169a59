#!/usr/bin/python3
"""No mutable data in lib/, no VLA anywhere: what only the compiler knows.

Compiles each source by itself, without optimising, so that nothing hides.
"""
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

sys.dont_write_bytecode = True
import common  # noqa: E402
import headers  # noqa: E402

# The two exceptions that STYLE grants; both live in lib/base.
ALLOWED = {("lib/base", "sink"), ("lib/base", "signal_pipe")}


def _compile(root, path, out):
    """None, or the compiler's first line.  Not PIE: const tables of pointers
    then lie in .rodata, not among the data that the loader relocates."""
    done = subprocess.run(
        ["gcc", "-c", "-O0", "-fno-pie", "-fno-common", "-Werror=vla"]
        + headers.cflags(root) + ["-o", out, path], cwd=root,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode == 0:
        return None
    text = done.stdout.decode(errors="replace").splitlines()
    return next((l for l in text if "error" in l), "gcc failed")


def _data(path):
    """Names of symbols in writable sections, thread-local ones included."""
    out = subprocess.run(["nm", "--format=posix", path], check=True,
                         stdout=subprocess.PIPE).stdout.decode()
    for line in out.splitlines():
        name, kind = line.split()[:2]
        if kind in "bBdDCsSgG":
            yield name.split(".")[0], kind


def _check(job):
    root, path, out = job
    error = _compile(root, path, out)
    if error is not None:
        return [], ["%s: %s" % (path, error)]
    return [(path, n, k) for n, k in _data(out)], []


def compiled(root):
    """(symbols, errors) over all product sources."""
    files = common.sources(root, (".c",), tests=False)
    with tempfile.TemporaryDirectory() as tmp:
        jobs = [(root, f, os.path.join(tmp, "%d.o" % i))
                for i, f in enumerate(files)]
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(_check, jobs))
    return ([s for r in results for s in r[0]],
            [e for r in results for e in r[1]])


_memo = {}


def _once(root):
    if root not in _memo:
        _memo[root] = compiled(root)
    return _memo[root]


def mutable(root):
    """No writable data in lib/ but the two exceptions."""
    for path, name, kind in _once(root)[0]:
        home = os.path.dirname(path)
        if path.startswith("lib/") and (home, name) not in ALLOWED:
            yield "%s: %s is mutable (%s)" % (path, name, kind)


def compiles(root):
    """Every source compiles by itself, without a variable-length array."""
    return _once(root)[1]


RULES = {
    "no mutable state in lib/": mutable,
    "every source compiles by itself, no VLA": compiles,
}

if __name__ == "__main__":
    common.main(RULES)
