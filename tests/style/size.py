#!/usr/bin/python3
"""Hard stops of size: function, complexity, file; prints the scorecard.

The aims (20 lines, 250 lines, complexity 15) are for reviewers, not for here.
"""
import subprocess
import sys

sys.dont_write_bytecode = True
import common  # noqa: E402

MAX_LINES = 100
MAX_COMPLEXITY = 25
MAX_FILE = 800


def functions(root, tests=True):
    """(path, line, name, lines, complexity) of every function."""
    files = common.sources(root, tests=tests)
    if not files:
        return []
    out = subprocess.run(["pmccabe"] + files, cwd=root, check=True,
                         stdout=subprocess.PIPE).stdout.decode()
    rows = []
    for line in out.splitlines():
        _, traditional, _, first, length, where = line.split("\t")
        path, name = where.split(": ", 1)
        rows.append((path.split("(")[0], int(first), name, int(length),
                     int(traditional)))
    return rows


def _percentile(values, p):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * p / 100))]


def function_lines(root):
    """No function over MAX_LINES."""
    return ["%s:%d: %s() has %d lines, at most %d" % (
        p, l, n, size, MAX_LINES)
            for p, l, n, size, _ in functions(root) if size > MAX_LINES]


def complexity(root):
    """No cyclomatic complexity over MAX_COMPLEXITY."""
    return ["%s:%d: %s() has complexity %d, at most %d" % (
        p, l, n, c, MAX_COMPLEXITY)
            for p, l, n, _, c in functions(root) if c > MAX_COMPLEXITY]


def _lines(root, path):
    return common.read(root, path).count("\n")


def file_lines(root):
    """No C or Python file over MAX_FILE."""
    files = common.sources(root) + common.walk(root, ("tests",), (".py",))
    return ["%s: %d lines, at most %d" % (f, _lines(root, f), MAX_FILE)
            for f in files if _lines(root, f) > MAX_FILE]


def scorecard(root):
    """The percentiles of STYLE's scorecard, which are stops too."""
    rows = functions(root, tests=False)
    if not rows:
        return ["no functions found"]
    lines = [r[3] for r in rows]
    cyclo = [r[4] for r in rows]
    product = common.sources(root, tests=False)
    code = sum(_lines(root, f) for f in product)
    tests = sum(_lines(root, f) for f in common.walk(
        root, ("tests",), (".c", ".h", ".py", ".sh", ".pl", ".t")))
    notes = [
        "%d functions; lines p50 %d p95 %d max %d; complexity p95 %d max %d"
        % (len(rows), _percentile(lines, 50), _percentile(lines, 95),
           max(lines), _percentile(cyclo, 95), max(cyclo)),
        "%d files; %d lines of code; %d lines of tests, ratio %.2f"
        % (len(product), code, tests, tests / max(code, 1))]
    bad = []
    if _percentile(lines, 50) > 20 or _percentile(lines, 95) > 60:
        bad.append("function lines: p50 at most 20, p95 at most 60")
    if _percentile(cyclo, 95) > 15:
        bad.append("complexity: p95 at most 15")
    return bad, notes


RULES = {
    "functions have at most %d lines" % MAX_LINES: function_lines,
    "complexity is at most %d" % MAX_COMPLEXITY: complexity,
    "files have at most %d lines" % MAX_FILE: file_lines,
    "scorecard": scorecard,
}

if __name__ == "__main__":
    common.main(RULES)
