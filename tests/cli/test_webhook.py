#!/usr/bin/python3
"""The sample in packaging/webhook against a server that fails now and then:
every event arrives at least once, in order, also over a restart.
"""
import http.server
import json
import os
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import events_lab  # noqa: E402
import tap  # noqa: E402
from events_lab import DAY, NOON, Events, ids  # noqa: E402

SCRIPT = os.path.join(os.path.abspath(os.environ.get(
    "BULKHEAD_SRCDIR", ".")), "packaging", "webhook", "bulkhead-webhook")


class Hook(http.server.BaseHTTPRequestHandler):
    """Takes events; each third request fails, in one of three ways."""

    def do_POST(self):
        """One batch."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server = self.server
        server.count += 1
        server.kinds.add(self.headers["Content-Type"])
        if server.count % 9 == 3:
            self.close_connection = True  # no answer at all
            return
        if server.count % 9 != 6:
            server.events += [json.loads(line) for line in body.splitlines()]
        status = {6: 503, 0: 500}.get(server.count % 9, 204)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        """Quiet."""


def start_hook():
    """A server on a free port."""
    server = http.server.HTTPServer(("127.0.0.1", 0), Hook)
    server.events, server.count, server.kinds = [], 0, set()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def start_script(lab, server, state):
    """The sample, with our command."""
    bin_dir = os.path.join(lab.dir, "bin")
    if not os.path.isdir(bin_dir):
        os.mkdir(bin_dir)
        path = os.path.join(bin_dir, "bulkhead")
        with open(path, "w", encoding="utf-8") as f:
            f.write('#!/bin/sh\nexec "%s" "$@" -c "%s"\n' % (
                events_lab.BULKHEAD, lab.conf))
        os.chmod(path, 0o755)
    return subprocess.Popen([SCRIPT], env=dict(
        os.environ, PATH=bin_dir + ":" + os.environ["PATH"],
        STATE_DIRECTORY=state, BULKHEAD_WEBHOOK_BATCH="20",
        BULKHEAD_WEBHOOK_PAUSE="0.1", no_proxy="*",
        BULKHEAD_WEBHOOK_URL="http://127.0.0.1:%d/" % server.server_port),
        stderr=subprocess.DEVNULL)


def wait_for(server, last):
    """Until that event was taken."""
    end = time.monotonic() + 50
    while time.monotonic() < end and not (
            server.events and ids(server.events[-1:]) == [last]):
        time.sleep(0.05)
    tap.equal(ids(server.events[-1:]), [last])


def first_times(events):
    """The numbers, without what came again."""
    seen, order = set(), []
    for number in ids(events):
        if number not in seen:
            seen.add(number)
            order.append(number)
    return order


def webhook():
    """Over failures, a midnight, SIGTERM and SIGKILL."""
    lab = Events()
    server = start_hook()
    state = os.path.join(lab.dir, "state")
    os.mkdir(state)
    lab.put(NOON, 1, 110)
    with start_script(lab, server, state) as script:
        wait_for(server, 110)
        lab.put(NOON + DAY, 111, 30)
        wait_for(server, 140)
        script.terminate()
        tap.equal(script.wait(timeout=30), 0)
    lab.put(NOON + DAY, 141, 60)
    with start_script(lab, server, state) as script:
        wait_for(server, 200)
        script.kill()
        script.wait(timeout=30)
    lab.put(NOON + DAY, 201, 10)
    with start_script(lab, server, state) as script:
        wait_for(server, 210)
        script.terminate()
        script.wait(timeout=30)
    server.shutdown()
    tap.equal(first_times(server.events), list(range(1, 211)))
    tap.true(server.count > 10 and len(server.events) < 600, server.count)
    tap.equal(server.kinds, {"application/x-ndjson"})


events_lab.run([("webhook", webhook)])
