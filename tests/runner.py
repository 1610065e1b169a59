#!/usr/bin/python3
"""Builds in several ways, runs every test program, counts TAP points.

Called by tests/run.  A program that exits non-zero, crashes, times out or
prints no plan counts as failed, whatever else it printed.
"""
import argparse
import concurrent.futures
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
JOBS = str(os.cpu_count() or 2)
TEST_TIMEOUT = 300
LONG_TIMEOUT = 1800  # tests/run --long: some take 600 s by themselves
MAKE_TIMEOUT = 900

POINT = re.compile(r"^(not )?ok\b(.*)$")
PLAN = re.compile(r"^1\.\.(\d+)(\s*#\s*skip.*)?\s*$", re.I)
SKIP = re.compile(r"#\s*skip", re.I)


class Count:
    """Passed, failed and skipped points."""

    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def add(self, other):
        """Adds another count to this one."""
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self):
        return "%d passed, %d failed, %d skipped" % (
            self.passed, self.failed, self.skipped)


def count_tap(text, status):
    """The points of one program's output and what else is wrong with it."""
    count, planned, plans, wrong = Count(), 0, 0, []
    for line in text.splitlines():
        plan, point = PLAN.match(line), POINT.match(line)
        if plan:
            plans += 1
            planned += int(plan.group(1))
            if plan.group(1) == "0" and plan.group(2):
                count.skipped += 1
                planned += 1
        elif point and point.group(1):
            count.failed += 1
        elif point and SKIP.search(point.group(2)):
            count.skipped += 1
        elif point:
            count.passed += 1
        elif line.startswith("Bail out!"):
            wrong.append(line)
    total = count.passed + count.failed + count.skipped
    if status != 0 and count.failed == 0:
        wrong.append("exited with %s" % status)
    if plans == 0:
        wrong.append("printed no plan")
    elif total == 0:
        wrong.append("ran nothing")
    elif planned != total:
        wrong.append("planned %d, ran %d" % (planned, total))
    count.failed += 1 if wrong else 0
    return count, wrong


def count_trs(text):
    """The points that automake's driver wrote to a .trs file."""
    count = Count()
    for result in re.findall(r"^:test-result: (\w+)", text, re.M):
        if result == "PASS":
            count.passed += 1
        elif result == "SKIP":
            count.skipped += 1
        else:
            count.failed += 1
    if count.passed + count.failed + count.skipped == 0:
        count.failed = 1
    return count


CHILDREN = set()  # what runs, each in a session of its own


def execute(argv, log, timeout, cwd=ROOT, env=None):
    """Runs a program in a session of its own; its status, or a text."""
    with open(log, "ab") as out:
        child = subprocess.Popen(argv, cwd=cwd, env=env, stdout=out,
                                 stderr=subprocess.STDOUT,
                                 stdin=subprocess.DEVNULL,
                                 start_new_session=True)
        CHILDREN.add(child)
        try:
            return child.wait(timeout)
        except subprocess.TimeoutExpired:
            return "no end after %d s" % timeout
        finally:
            _stop(child)
            CHILDREN.discard(child)


def stop_all():
    """Ends what still runs: the runner itself was asked to end."""
    for child in list(CHILDREN):
        _stop(child)


def _stop(child):
    """Ends what is left of a child's session: first asked, then killed."""
    for sig, patience in ((signal.SIGTERM, 10), (signal.SIGKILL, 5)):
        try:
            os.killpg(child.pid, sig)
            child.wait(patience)
        except (ProcessLookupError, PermissionError):
            return
        except subprocess.TimeoutExpired:
            continue


class Run:
    """One run of the tiers that were asked for."""

    def __init__(self, options):
        self.options = options
        self.total = Count()
        self.failures = []
        self.dir = tempfile.mkdtemp(prefix="bulkhead-tests-")
        self.builds = {}

    def log(self, name):
        """Where the output of a step goes."""
        return os.path.join(self.dir, re.sub(r"[^\w.-]+", "_", name) + ".log")

    def report(self, name, count, log, wrong=(), seconds=0.0):
        """Adds a program's count and says it."""
        self.total.add(count)
        print("%-52s %s (%.1f s)" % (name, count, seconds), flush=True)
        if count.failed:
            self.failures.append(name)
            for text in wrong:
                print("    " + text)
            show_failure(log)

    def test_timeout(self):
        """How long one test program may take."""
        return LONG_TIMEOUT if self.options.long else TEST_TIMEOUT

    def wanted(self, path):
        """Whether --only lets this test run."""
        return self.options.only is None or re.search(
            self.options.only, path) is not None

    def step(self, name, argv, cwd=ROOT, timeout=MAKE_TIMEOUT, env=None):
        """A build step: one point.  True when it went well."""
        log, start = self.log(name), time.monotonic()
        status = execute(argv, log, timeout, cwd, env)
        ok = status == 0
        self.report(name, Count(passed=int(ok), failed=int(not ok)), log,
                    () if ok else ("exited with %s" % status,),
                    time.monotonic() - start)
        return ok

    def build(self, name, *flags, targets=("all",)):
        """Configures and builds out of the tree; the directory or None."""
        if name in self.builds:
            return self.builds[name]
        directory = os.path.join(self.dir, "build-" + name)
        os.mkdir(directory)
        ok = os.path.exists(os.path.join(ROOT, "configure")) or self.step(
            "bootstrap", [os.path.join(ROOT, "bootstrap")])
        ok = ok and self.step(name + ": configure", [
            os.path.join(ROOT, "configure"), "-q"] + list(flags), directory)
        ok = ok and self.step(name + ": make", [
            "make", "-s", "-j" + JOBS, *targets], directory)
        self.builds[name] = directory if ok else None
        return self.builds[name]

    def env(self, directory):
        """What a test program learns."""
        corpus = os.environ.get("BULKHEAD_CORPUS") or os.path.join(
            os.path.dirname(ROOT), "shared", "corpus")
        return dict(os.environ, BULKHEAD_SRCDIR=ROOT,
                    BULKHEAD_BUILDDIR=directory or "",
                    BULKHEAD_CORPUS=corpus, PYTHONDONTWRITEBYTECODE="1",
                    CMOCKA_MESSAGE_OUTPUT="TAP",
                    BULKHEAD_LONG="1" if self.options.long else "",
                    ASAN_OPTIONS="detect_leaks=1:abort_on_error=1")

    def make_check(self, name, directory, tests=None):
        """make check: its own result, and automake's count of each test."""
        argv = ["make", "-s", "-k", "-j" + JOBS, "check"]
        if tests is not None:
            argv.append("TESTS=" + " ".join(tests))
        log, start = self.log(name + "-make-check"), time.monotonic()
        status = execute(argv, log, MAKE_TIMEOUT, directory,
                         self.env(directory))
        found = sorted(glob.glob(directory + "/tests/**/*.trs",
                                 recursive=True))
        for trs in found:
            with open(trs, encoding="utf-8", errors="replace") as f:
                count = count_trs(f.read())
            label = os.path.relpath(trs, directory)[:-4]
            self.report("%s: %s" % (name, label), count, trs[:-4] + ".log")
        ok = status == 0 and bool(found)
        self.report(name + ": make check", Count(int(ok), int(not ok)), log,
                    () if ok else ("exited with %s" % status,),
                    time.monotonic() - start)

    def tools(self, name, directory):
        """Builds what only tests need."""
        return self.step(name + ": test tools", [
            "make", "-s", "-j" + JOBS, "check", "TESTS="], directory)

    def program(self, label, path, directory, args):
        """Runs a test program; what report() is to say of it."""
        log, start = self.log(label), time.monotonic()
        try:
            status = execute([os.path.join(ROOT, path), *args], log,
                             self.test_timeout(), env=self.env(directory))
        except OSError as e:
            status = str(e)  # not executable, or for no interpreter
        with open(log, encoding="utf-8", errors="replace") as f:
            count, wrong = count_tap(f.read(), status)
        return label, count, log, wrong, time.monotonic() - start

    def programs(self, name, patterns, directory, but=(), args=(), at_once=2):
        """Runs the test programs that the patterns name, two at a time: most
        of them wait more than they work."""
        files = [os.path.relpath(f, ROOT) for p in patterns
                 for f in sorted(glob.glob(os.path.join(ROOT, p)))]
        # what is not executable is a module
        files = [path for path in files if path not in but and
                 self.wanted(path) and (
                     os.access(os.path.join(ROOT, path), os.X_OK) or
                     os.path.basename(path).startswith("test_"))]
        pool = concurrent.futures.ThreadPoolExecutor(at_once)
        try:
            running = [pool.submit(self.program, "%s: %s" % (name, path), path,
                                   directory, args) for path in files]
            for done in running:
                self.report(*done.result())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            stop_all()

    def unit_tests(self):
        """Unit tests and fuzz targets by the names that make knows."""
        names = [os.path.relpath(f, ROOT)[:-2] for p in UNIT for f in sorted(
            glob.glob(os.path.join(ROOT, p)))]
        return [n for n in names if self.wanted(n)]

    def has(self, *patterns):
        """Whether a tier has any test to run."""
        return any(self.wanted(os.path.relpath(f, ROOT))
                   for p in patterns
                   for f in glob.glob(os.path.join(ROOT, p)))


UNIT = ("tests/unit/test_*.c", "tests/fuzz/fuzz_*.c",
        "tests/store/test_*.c")
CORPUS = ("tests/corpus/*.py", "tests/corpus/*.sh")
CLI = ("tests/cli/*.sh", "tests/cli/test_*.py")
INTEGRATION = ("tests/integration/test_*.py", "tests/integration/*.sh")
THREADS = "tests/integration/test_threads.py"
POLICYD = "tests/integration/test_policyd.py"
# Where policyd's two threads and its reloads meet.
POLICYD_THREADS = ("reload", "reload under load", "drain", "successor",
                   "expiry", "store locked", "store missing")
# What only asks for memory or kills says nothing under a sanitizer.
MEMORY = "tests/integration/test_long_sessions.py"
CRASH = "tests/integration/test_policyd_crash.py"
STYLE = ("tests/style/[!c]*.py", "tests/style/counting.py")


def tier_gcc(run):
    """Everything that make check knows, style included."""
    if run.options.only is None:
        directory = run.build("gcc", "--enable-werror")
        if directory:
            run.make_check("gcc", directory)
        return
    run.programs("style", STYLE, None)
    if run.unit_tests():
        directory = run.build("gcc", "--enable-werror")
        if directory:
            run.make_check("gcc", directory, run.unit_tests())


def tier_clang(run):
    """The other compiler: its warnings are errors, too."""
    if not run.unit_tests():
        return
    directory = run.build("clang", "CC=clang", "--enable-werror")
    if directory:
        run.make_check("clang", directory, run.unit_tests())


def tier_sanitizers(run):
    """Unit, corpus and integration tests under ASan and UBSan."""
    if not run.unit_tests() and not run.has(*CORPUS, *INTEGRATION):
        return
    # No -Werror: gcc's flow warnings are wrong about instrumented code.
    directory = run.build("asan", "--enable-sanitizers", "CFLAGS=-g -O1")
    if directory and run.unit_tests():
        run.make_check("asan", directory, run.unit_tests())
    if directory and run.has(*CORPUS, *INTEGRATION):
        run.tools("asan", directory)
        run.programs("asan", CORPUS, directory)
        run.programs("asan", INTEGRATION, directory,
                     () if run.options.long else (MEMORY, CRASH))


def tier_opendkim(run):
    """The engine over libopendkim, as configure's choice."""
    names = [n for n in run.unit_tests()
             if re.search("/test_(dkim|engine|keyring)", n)]
    if not names:
        return
    directory = run.build("opendkim", "--enable-werror", "--with-dkim=opendkim")
    if directory:
        run.make_check("opendkim", directory, names)
        run.programs("opendkim", ("tests/integration/test_newsletter.py",),
                     directory)


def tier_threads(run):
    """The daemons alone, under a load, with the thread sanitizer."""
    if not run.has(THREADS, POLICYD):
        return
    directory = run.build("tsan", "--enable-sanitizers=thread",
                          "CFLAGS=-g -O1", targets=(
                              "bulkhead-milter", "bulkhead-policyd",
                              "bulkhead",
                              "tests/tools/milter_load",
                              "tests/tools/racy_milter"))
    if directory:
        run.programs("tsan", (THREADS,), directory, at_once=1)
        run.programs("tsan", (POLICYD,), directory, args=POLICYD_THREADS,
                     at_once=1)


def tier_programs(run):
    """The command and the whole through a real Postfix."""
    if not run.has(*CLI, *INTEGRATION):
        return
    directory = run.build("gcc", "--enable-werror")
    if not directory:
        return
    run.tools("gcc", directory)
    run.programs("cli", CLI, directory)
    run.programs("integration", INTEGRATION, directory)


def tier_dist(run):
    """The distribution is complete: it builds and passes its own tests."""
    if run.options.only is not None:
        return
    directory = run.build("gcc", "--enable-werror")
    if directory:
        run.step("gcc: make distcheck", [
            "make", "-s", "-j" + JOBS, "distcheck"], directory,
            env=dict(run.env(directory), BULKHEAD_CORPUS="/nonexistent"))


def show_failure(log):
    """The part of a log that tells why: failing points, then the end."""
    try:
        with open(log, encoding="utf-8", errors="replace") as f:
            lines = [line for line in f.read().splitlines()
                     if not line.startswith(("PASS: ", "ok "))]
    except OSError:
        return
    bad = [n for n, line in enumerate(lines) if line.startswith("not ok")]
    shown = []
    for n in bad[:10]:
        shown += lines[n:n + 5]
    shown += [] if bad else lines[-40:]
    print("    log: " + log)
    for line in shown:
        print("    | " + line[:300])
    sys.stdout.flush()


def parse(argv):
    """The options."""
    p = argparse.ArgumentParser(prog="tests/run")
    p.add_argument("--quick", action="store_true", help="make check only")
    p.add_argument("--long", action="store_true",
                   help="what CI has no time for, too")
    p.add_argument("--only", metavar="PATTERN",
                   help="only tests whose path matches")
    p.add_argument("--no-deps", action="store_true",
                   help="do not look for missing packages")
    p.add_argument("--keep", action="store_true",
                   help="keep logs and builds even when all is well")
    return p.parse_args(argv)


def main(argv):
    """Runs the tiers; 0 when something ran and nothing failed."""
    run = Run(parse(argv))
    tiers = [tier_gcc]
    if not run.options.quick:
        tiers += [tier_clang, tier_sanitizers, tier_threads, tier_opendkim,
                  tier_programs, tier_dist]
    start = time.monotonic()
    for tier in tiers:
        tier(run)
    good = run.total.passed > 0 and run.total.failed == 0
    for name in run.failures:
        print("failed: " + name)
    print("%.0f s; logs: %s" % (
        time.monotonic() - start, "removed" if good and not run.options.keep
        else run.dir))
    if good and not run.options.keep:
        shutil.rmtree(run.dir, ignore_errors=True)
    print(run.total, flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main(sys.argv[1:]))
