#!/usr/bin/env python3
"""The suites of tests/api on the local cloud: the functions as Lambda runs them, behind a load balancer of the test's own, and edges for mail.

usage: localstack/with-aws python3 tests/cloud/api.py SUITE     (signup, account, directory, requests, folders, transfers, matrix, examples, conformance)
A suite wants a service of its own, so each is started with a cloud of its own: see `make test-service`. `life` is not run here: several processes notice
within a minute that a tenant was suspended, and it waits for seconds.
"""
import http.client
import http.server
import importlib
import json
import os
import re
import sys
import threading

sys.dont_write_bytecode = True
# The local cloud is no yardstick.
os.environ.setdefault("API_ROWS", "3000")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VENV = os.path.join(ROOT, ".venv", "bin", "python")
if os.path.exists(VENV) and not sys.prefix.startswith(os.path.join(ROOT, ".venv")):
    os.execv(VENV, [VENV, *sys.argv])
sys.path[:0] = [os.path.join(ROOT, "tests", "api"), os.path.join(ROOT, "tests", "lib"), os.path.join(ROOT, "localstack")]
import penfold_testlib as lib  # noqa: E402
import processes  # noqa: E402
import run as suites  # noqa: E402
import world as worlds  # noqa: E402
from penfold_names import Names  # noqa: E402

# As infra/modules/service/functions.tf has it.
EDGE = processes.LISTENERS["http"]["http"]
# What a function cannot carry, by its size.
LARGE = re.compile(r"/v1/tenants/[^/]+/(imports|exports)/[^/]+/content")
PATHS = (("/v1/tenants", processes.ADMIN_PORT), ("/v1/openapi.json", EDGE), ("/v1/", processes.ACCOUNT_PORT))


class Balancer(http.server.BaseHTTPRequestHandler):
    """What decides by the path, and says whose request it is."""
    protocol_version = "HTTP/1.1"

    def pass_on(self):
        large = LARGE.match(self.path)
        port = EDGE if large else next((port for path, port in PATHS if self.path.startswith(path)), EDGE)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if len(body) > 1 << 20 and not large:  # what a balancer hands to a function
            self.send_error(413)
            return
        fields = {name: value for name, value in self.headers.items() if name.lower() not in ("connection", "host")}
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=60, source_address=(self.client_address[0], 0))
        try:
            line.request(self.command, self.path, body or None, fields)
            answer = line.getresponse()
            data = answer.read()
        finally:
            line.close()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "content-length", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = pass_on

    def do_TRACE(self):
        """A load balancer passes none on."""
        self.send_error(405)

    def log_message(self, *_):
        pass


class Cloud:
    """What tests/api asks of a server."""

    def __init__(self, work, smart_host):
        self.service = processes.Service(work, seed=None, smart_host=f"smtp://127.0.0.1:{smart_host}").start()
        self.balancer = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Balancer)
        threading.Thread(target=self.balancer.serve_forever, daemon=True).start()
        smtp, imap = self.service.smtp[0].port, self.service.imap[0].port
        self.port = {"http": self.balancer.server_address[1], **smtp, **{name: port for name, port in imap.items() if name != "http"}}
        self.port["http"] = self.balancer.server_address[1]

    def alive(self):
        return all(process.alive() for process in self.service.edges + self.service.hosts)

    def tail(self):
        return "\n".join(f"{p.name}: {p.tail(1500)}" for p in (self.service.account, self.service.admin))

    def stop(self, _):
        failed = self.service.stop()
        assert not failed, failed

    def check(self):
        done = processes.penfold("--cloud", "check", seconds=300)
        return done.returncode, done.stdout + done.stderr

    def kill(self):
        self.balancer.shutdown()
        for process in self.service.edges + self.service.hosts:
            process.kill()


class CloudWorld(worlds.World):
    def start(self):
        os.environ["PENFOLD_NAME_SERVERS"] = f"127.0.0.1:{self.names.port}"
        os.environ["PENFOLD_HOST_NAME"] = worlds.HOST
        return Cloud(self.work, self.elsewhere.port)

    def add_token(self, name):
        done = processes.penfold("--cloud", "token", "add", name, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)["token"]


# What one process keeps in memory and several do not share.
# And what kills the one process that there is elsewhere: tests/cloud/service.py kills functions.
EXCEPT = {"requests": ["not_too_often"], "account": ["guessing_ends"], "transfers": ["killed_in_the_middle"]}

if __name__ == "__main__":
    suites.World = CloudWorld
    for suite, names in EXCEPT.items():
        module = importlib.import_module(f"suite_{suite}")
        for name in names:
            delattr(module, f"test_{name}")
    results = [suites.run(suite, []) for suite in sys.argv[1:]]
    failed = [name for _, bad in results for name in bad]
    print(f"{sum(good for good, _ in results)} passed, {len(failed)} failed {' '.join(failed)}")
    sys.exit(1 if failed else 0)
