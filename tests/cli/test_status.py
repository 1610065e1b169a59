#!/usr/bin/python3
"""/metrics and /status of each daemon, what reads them, `bulkhead status`."""
import json
import os
import re
import signal
import socket
import sys
import time

from prometheus_client.parser import text_string_to_metric_families

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../integration"))
import daemons  # noqa: E402
import lab as labs  # noqa: E402
import tap  # noqa: E402
from daemons import NAMES, World  # noqa: E402
from trackd import free_port  # noqa: E402


ROOT = labs.ROOT
SAMPLES = os.path.join(ROOT, "packaging")


def families(world, name):
    """What Prometheus reads: {sample name: [(labels, value)]}."""
    status, fields, body = world.ask(name, "/metrics")
    tap.equal(status, 200, name)
    tap.equal(fields["Content-Type"],
              "text/plain; version=0.0.4; charset=utf-8", name)
    found = {}
    for family in text_string_to_metric_families(body.decode()):
        tap.true(family.documentation, family.name)
        tap.true(family.type in ("counter", "gauge"), family.type)
        for sample in family.samples:
            found.setdefault(sample.name, []).append(
                (sample.labels, sample.value))
    return found


def value(found, name):
    """The one sample of that name."""
    tap.equal(len(found[name]), 1, name)
    return found[name][0][1]


def test_metrics():
    """Prometheus' own reader takes the text; counters count."""
    with World() as w:
        w.start()
        for name in NAMES:
            found = families(w, name)
            label = {"program": "bulkhead-" + name}
            for sample, list_ in found.items():
                for labels, _ in list_:
                    tap.equal(labels["program"], label["program"], sample)
            tap.true(abs(value(found, "bulkhead_start_time_seconds")
                         - time.time()) < 120, "start")
            tap.true(value(found, "process_resident_memory_bytes") > 1e6,
                     "memory")
            tap.true(value(found, "process_open_fds") > 4, "files")
            tap.equal("bulkhead_stage_runs_total" in found, name == "milter",
                      "stages")
            tap.equal("bulkhead_clicks_total" in found, name == "trackd",
                      "clicks")
        child = w.load("-n", "3")
        tap.equal(child.wait(60), 0, "load")
        found = families(w, "milter")
        tap.equal(value(found, "bulkhead_signed_total"), 3, "signed")
        runs = {s["stage"]: n for s, n in found["bulkhead_stage_runs_total"]}
        tap.equal(runs["sign"], 3, "stage sign")
        tap.equal(w.trackd.get("/c/nonsense").status, 404, "nonsense")
        labs.wait_for("the counter", lambda: value(families(
            w, "trackd"), "bulkhead_tokens_refused_total") == 1, 10)
        rates = w.status("trackd")["rates"]
        tap.true(rates["tokens_refused"] > 0, rates)


def used(text):
    """The metrics that an expression names."""
    return set(re.findall(r"\b((?:bulkhead|process)_\w+)", text))


def dashboard():
    """The dashboard, and the expressions of its panels."""
    with open(os.path.join(SAMPLES, "grafana/bulkhead.json"),
              encoding="utf-8") as f:
        board = json.load(f)
    return board, [t["expr"] for p in board["panels"]
                   for t in p.get("targets", ())]


def test_samples():
    """Dashboard and alerts use what is told, and all of that is explained."""
    with World() as w:
        w.start()
        told = set()
        for name in NAMES:
            told |= set(families(w, name))
    board, exprs = dashboard()
    exprs += [a["expr"] for a in board["annotations"]["list"]]
    exprs += [v["query"]["query"] for v in board["templating"]["list"]
              if v["type"] == "query"]
    with open(os.path.join(SAMPLES, "prometheus/bulkhead.rules.yml"),
              encoding="utf-8") as f:
        rules = re.findall(r"expr: (?:>-\n)?((?:.|\n)*?)\n +(?:for|labels):",
                           f.read())
    tap.equal(len(rules), 7, "alerts")
    tap.true(len(exprs) > 40, "expressions")
    for expr in exprs + rules:
        tap.equal(used(expr) - told, set(), expr)
        tap.true(used(expr) or "up{" in expr, expr)
    tap.equal(used("rate(bulkhead_frob_total[5m])") - told,
              {"bulkhead_frob_total"}, "this test")
    with open(os.path.join(ROOT, "docs/LOGGING.md"), encoding="utf-8") as f:
        text = f.read()
    for name in told:
        word = re.sub("^bulkhead_(.*?)(_total)?$", r"\1", name)
        tap.true("`%s`" % name in text or "`%s`" % word in text,
                 "docs/LOGGING.md lacks " + name)


def test_dashboard():
    """What Grafana 9 wants of a dashboard that is imported."""
    board, _ = dashboard()
    tap.true(board["schemaVersion"] >= 37, "schema")
    tap.equal(board.get("id"), None, "an id of another Grafana")
    variables = {v["name"]: v for v in board["templating"]["list"]}
    tap.equal(variables["datasource"]["type"], "datasource", "variable")
    ids = [p["id"] for p in board["panels"]]
    tap.equal(len(ids), len(set(ids)), "ids")
    taken = set()
    for panel in board["panels"]:
        grid = panel["gridPos"]
        cells = {(x, y) for x in range(grid["x"], grid["x"] + grid["w"])
                 for y in range(grid["y"], grid["y"] + grid["h"])}
        tap.true(not cells & taken, "overlap: " + panel["title"])
        tap.true(grid["x"] + grid["w"] <= 24, "wide: " + panel["title"])
        taken |= cells
        for target in panel.get("targets", ()):
            tap.equal(target["datasource"]["uid"], "${datasource}",
                      panel["title"])
            names = set(re.findall(r"\$(\w+)", target["expr"]))
            tap.equal(names - set(variables) - {"__rate_interval"}, set(),
                      target["expr"])


def test_requests():
    """Two paths, two methods, this host's names only."""
    with World() as w:
        w.metrics["policyd"] = "inet:127.0.0.1:%d" % free_port()
        w.metrics["trackd"] = "inet:[::1]:%d" % free_port()
        w.start("policyd", "trackd")
        for name in ("policyd", "trackd"):
            for path, method, fields, want in (
                    ("/metrics", "GET", {}, 200),
                    ("/status", "GET", {"Host": "localhost:1"}, 200),
                    ("/status", "GET", {"Host": "127.0.0.1"}, 200),
                    ("/status", "GET", {"Host": "evil.example"}, 403),
                    ("/metrics", "GET", {"Host": "127.0.0.1.evil"}, 403),
                    ("/metrics", "POST", {}, 404),
                    ("/status", "PUT", {}, 404),
                    ("/", "GET", {}, 404),
                    ("/metrics/", "GET", {}, 404),
                    ("/status/../etc/passwd", "GET", {}, 404)):
                got = w.ask(name, path, method, fields)[0]
                tap.equal(got, want, "%s %s %r" % (method, path, fields))
            status, fields, body = w.ask(name, "/metrics", "HEAD")
            tap.equal((status, body), (200, b""), "HEAD")
            tap.true(int(fields["Content-Length"]) > 1000, "its length")


def test_idle_clients():
    """Many that say nothing are hung up on, and then others are served."""
    with World() as w:
        w.start("policyd")
        path = w.metrics["policyd"][5:]
        idle = []
        for _ in range(40):
            s = socket.socket(socket.AF_UNIX)
            s.connect(path)
            idle.append(s)
        labs.wait_for("an answer", lambda: w.is_told("policyd"), 40)
        for s in idle:
            s.close()


def test_taken_address():
    """Somebody else listens there: said once, had when it is free."""
    with World() as w:
        w.prepare()
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen(1)
            port = other.getsockname()[1]
            w.metrics["policyd"] = "inet:127.0.0.1:%d" % port
            w.configure(without=("policyd",))
            w.start("policyd")
            w.configure()
            w.reload("policyd")
            w.wait_log("policyd", "tried again each second")
            time.sleep(2.5)  # two more attempts
            tap.equal(w.log("policyd").count("tried again"), 1, "said once")
        labs.wait_for("metrics", lambda: w.is_told("policyd"), 30)
        w.wait_log("policyd", "metrics: told at")


def test_reload():
    """The socket follows the settings; a failed reload is told."""
    with World() as w:
        w.start("trackd")
        former = w.metrics["trackd"]
        w.metrics["trackd"] = "unix:" + w.path("elsewhere")
        w.configure()
        w.reload("trackd")
        labs.wait_for("the new socket", lambda: w.is_told("trackd"), 30)
        s = socket.socket(socket.AF_UNIX)
        tap.true(s.connect_ex(former[5:]) != 0, "the former one")
        s.close()
        before = w.status("trackd")
        tap.equal(before["settings"]["last_reload"]["result"], "ok", "reload")
        tap.equal(before["settings"]["changed_on_disk"], False, "changed")
        w.configure("nonsense = 1")
        tap.equal(w.status("trackd")["settings"]["changed_on_disk"], True,
                  "changed")
        w.reload("trackd", says="settings kept as they were")
        labs.wait_for("the failure", lambda: w.status("trackd")["settings"][
            "last_reload"]["result"] == "failed", 10)
        after = w.status("trackd")
        tap.true("nonsense" in after["settings"]["last_reload"]["error"],
                 after)
        tap.equal(after["settings"]["loaded"], before["settings"]["loaded"],
                  "loaded")
        tap.true("settings kept" in after["last_error"]["text"], after)
        tap.equal(after["counters"]["reloads_failed"], 1, "counter")
        w.configure()
        code, said = w.command("status")
        tap.equal(code, 1, said)
        tap.true("its last reload failed" in said, said)


def test_drain():
    """While the milter drains it still tells; then its socket is gone."""
    with World() as w:
        w.start("policyd", "milter")
        load = w.load("-n", "2", "--pause-ms", "60000", "--expect", "any")
        labs.wait_for("a session", lambda: w.status(
            "milter")["counters"]["messages"] == 1, 30)
        w.children["milter"].send_signal(signal.SIGTERM)
        w.wait_log("milter", "draining")
        tap.equal(w.status("milter")["ending"], True, "ending")
        tap.equal(w.status("milter")["sessions"], 1, "sessions")
        load.kill()  # hangs up
        tap.equal(w.children["milter"].wait(40), 0, "its exit")
        tap.equal(w.is_told("milter"), False, "afterwards")


def test_status():
    """All up: 0. One down, or not asked, or none."""
    with World() as w:
        w.start()
        tap.equal(w.load("-n", "1").wait(60), 0, "load")
        time.sleep(1.2)  # times are in whole seconds
        # policyd tells what was a second ago
        labs.wait_for("all well", lambda: w.command("status")[0] == 0, 30)
        code, said = w.command("status")
        tap.equal(code, 0, said)
        for name in NAMES:
            tap.true(re.search(r"bulkhead-%s +up for " % name, said), said)
        tap.true("signed" in said and "policyd spoke" in said, said)
        code, said = w.command("status", "--json")
        answer = json.loads(said)
        tap.equal((code, answer["well"]), (0, True), said)
        for name in NAMES:
            status = answer["daemons"][name]["status"]
            tap.equal(status["pid"], w.children[name].pid, name)
            tap.equal(status["token_keys"], {"policyd": None}.get(
                name, ["k1"]), name)
        tap.equal(answer["daemons"]["policyd"]["status"]["store"], "up",
                  "store")
        w.children["policyd"].kill()
        w.children["policyd"].wait(10)
        code, said = w.command("status")
        tap.equal(code, 1, said)
        tap.true(re.search(r"bulkhead-policyd +down: .*refused", said), said)
        w.configure(without=("policyd",))
        code, said = w.command("status")
        tap.equal(code, 0, said)
        tap.true("not asked: set policyd { metrics = ... }" in said, said)
        tap.true("another one: reload" in said, said)
        w.configure(without=NAMES)
        tap.equal(w.command("status")[0], 1, "nobody to ask")
        w.load("-n", "1", "--expect", "any").wait(60)
        w.configure()
        code, said = w.command("status", "--json")
        complaint = json.loads(said)["daemons"]["milter"]["complaint"]
        tap.equal((code, complaint), (1, "policyd did not answer"), said)


def test_stranger():
    """Something else answers at the socket: no crash, and it is said."""
    answers = (b"", b"HTTP/1.0 404 Not Found\r\n\r\n", b"\0" * 100,
               b"HTTP/1.0 200 OK\r\n\r\n[]", b"HTTP/1.0 200 OK\r\n\r\n{",
               b"HTTP/1.0 200 OK\r\n\r\n{\"program\": 3}",
               b"HTTP/1.0 200 OK\r\n\r\n" + b"[" * 100000,
               b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 2000000)
    with World() as w, socket.socket(socket.AF_UNIX) as s:
        w.prepare()
        w.configure(without=("milter", "trackd"))
        s.bind(w.metrics["policyd"][5:])
        s.listen(5)
        for answer in answers:
            pid = os.fork()
            if pid == 0:
                c = s.accept()[0]
                c.recv(4096)
                try:
                    c.sendall(answer)
                except OSError:
                    pass
                os._exit(0)
            code, said = w.command("status")
            os.waitpid(pid, 0)
            tap.equal(code, 1, said)
            tap.true("bulkhead-policyd  down: " in said, said)


def test_usage():
    """Help, and what is wrong."""
    with World() as w:
        w.prepare()
        code, said = w.command("status", "--help")
        tap.equal(code, 0, said)
        tap.true(all(len(line) <= 80 for line in said.splitlines()), said)
        tap.equal(w.command("status", "--frob")[0], 64, "option")
        tap.equal(w.command("status", "more")[0], 64, "argument")
        os.remove(w.path("bulkhead.conf"))
        tap.equal(w.command("status")[0], 78, "no settings")


def main():
    """Runs them all."""
    daemons.why_not()
    return tap.run([
        ("/metrics as Prometheus reads it", test_metrics),
        ("dashboard and alerts name what is told", test_samples),
        ("a dashboard as Grafana takes it", test_dashboard),
        ("who may ask what", test_requests),
        ("clients that say nothing", test_idle_clients),
        ("an address that is taken", test_taken_address),
        ("the socket follows a reload", test_reload),
        ("it is told to the end", test_drain),
        ("bulkhead status", test_status),
        ("a stranger at the socket", test_stranger),
        ("usage", test_usage),
    ])


if __name__ == "__main__":
    sys.exit(main())
