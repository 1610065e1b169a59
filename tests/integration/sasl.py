"""Postfix's other end of `smtpd_sasl_type = dovecot`: PLAIN for a few users.

Cyrus SASL was no way: with cyrus_sasl_config_path set, Postfix 3.7.11 of
Debian still opened /etc/sasldb2, which belongs to the system.
"""
import base64
import os
import socketserver
import threading

GREETING = ("VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\n"
            "COOKIE\t00112233445566778899aabbccddeeff\nDONE\n")


class _Session(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(GREETING.encode())
        for line in self.rfile:
            words = line.decode().rstrip("\n").split("\t")
            if words[0] == "AUTH":
                self.wfile.write(self._answer(words).encode())

    def _answer(self, words):
        """RFC 4616: authorization, authentication, password."""
        secret = next((w[5:] for w in words if w.startswith("resp=")), "")
        _, _, rest = base64.b64decode(secret).decode().partition("\0")
        user, _, password = rest.partition("\0")
        if user and self.server.users.get(user) == password:
            return "OK\t%s\tuser=%s\n" % (words[1], user)
        return "FAIL\t%s\tuser=%s\n" % (words[1], user)


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 128  # smtpd processes that start at a time


class Passwords:
    """Answers on a Unix socket until it is closed."""

    def __init__(self, path, users):
        self._server = _Server(path, _Session)
        self._server.users = dict(users)
        os.chmod(path, 0o666)
        threading.Thread(target=self._server.serve_forever,
                         kwargs={"poll_interval": 0.05},
                         daemon=True).start()

    def close(self):
        """Stops listening."""
        self._server.shutdown()
        self._server.server_close()
