"""One instance of a function: an unmodified binary and, for it alone, Lambda's Runtime API (version 2018-06-01).

As on Lambda it has one event at a time, is stopped between events, and is killed at the end of its time or memory.
"""
import os
import signal
import subprocess
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

API = "/2018-06-01/runtime/"
INIT_SECONDS = 10  # Lambda's own limit
RESPONSE = 6 * 1024 * 1024
ACCOUNT = "000000000000"
# What Lambda gives, or a deployment; nothing else of ours is to be seen by a function.
GIVEN = ("PENFOLD_CELL", "PENFOLD_HOST_NAME", "PENFOLD_TABLE", "PENFOLD_BUCKET", "PENFOLD_SECRETS", "PENFOLD_KEY", "PENFOLD_NAME_SERVERS")
GIVEN_PREFIXES = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION", "PENFOLD_QUEUE_")


class Failed(Exception):
    """The function gave no good answer. `kind`: error, timeout, died, init, memory."""

    def __init__(self, kind, text):
        super().__init__(text)
        self.kind = kind


class Function:
    """What all instances have in common."""

    def __init__(self, name, binary, memory, timeout, log, freeze=True):
        self.name, self.binary, self.memory, self.timeout, self.log, self.freeze = name, os.path.abspath(binary), memory, timeout, log, freeze
        self.full_name = f"penfold-{os.environ.get('PENFOLD_CELL', 'dev')}-{name}"
        self.region = os.environ.get("AWS_REGION", "us-east-1")
        self.arn = f"arn:aws:lambda:{self.region}:{ACCOUNT}:function:{self.full_name}:live"

    def environment(self, address, stream):
        kept = {k: v for k, v in os.environ.items() if (k in GIVEN or k.startswith(GIVEN_PREFIXES)) and not k.endswith("_OF_HOST")}
        return kept | {
            "AWS_LAMBDA_RUNTIME_API": address, "AWS_LAMBDA_FUNCTION_NAME": self.full_name, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory),
            "AWS_LAMBDA_FUNCTION_VERSION": "1", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "AWS_EXECUTION_ENV": "AWS_Lambda_provided.al2023",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self.full_name}", "AWS_LAMBDA_LOG_STREAM_NAME": stream, "AWS_LAMBDA_LOG_FORMAT": "JSON",
            # As infra/modules/functions has it.
            "MALLOC_MMAP_THRESHOLD_": "1048576",
            "LAMBDA_TASK_ROOT": os.path.dirname(self.binary), "LAMBDA_RUNTIME_DIR": "/var/runtime", "_HANDLER": "bootstrap", "TZ": ":UTC", "LANG": "en_US.UTF-8",
            "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin", "LD_LIBRARY_PATH": "/lib64:/usr/lib64:/var/runtime:/var/task:/opt/lib"}


class Instance:
    def __init__(self, function):
        self.function, self.lock = function, threading.Condition()
        self.asked = False  # the function waits in `next`
        self.event = self.answer = self.request = None
        self.deadline, self.frozen, self.peak_kib, self.init_seconds, self.over_memory = 0, False, 0, None, False
        self.server = Server(self)
        threading.Thread(target=self.server.serve_forever, args=(0.5,), daemon=True).start()
        with open(function.log, "ab") as log:
            self.began = time.monotonic()
            self.process = subprocess.Popen(
                [function.binary], env=function.environment(f"127.0.0.1:{self.server.server_port}", uuid.uuid4().hex), cwd=os.path.dirname(function.binary),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.pid = self.process.pid
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self):
        """Hears of its end and looks at its memory."""
        while True:
            try:
                self.process.wait(0.2)
                break
            except subprocess.TimeoutExpired:
                self._measure()
                if self.peak_kib > self.function.memory * 1024:
                    self.over_memory = True
                    self.process.kill()
        with self.lock:
            self.lock.notify_all()
        self.server.shutdown()
        self.server.server_close()

    def _measure(self):
        try:
            with open(f"/proc/{self.pid}/status") as f:
                self.peak_kib = max(self.peak_kib, next((int(line.split()[1]) for line in f if line.startswith("VmHWM:")), 0))
        except OSError:
            pass

    def alive(self):
        return self.process.poll() is None

    def ready(self):
        """Waits for the first `next`; raises where there is none in time."""
        with self.lock:
            self.lock.wait_for(lambda: self.asked or self.answer or not self.alive(), INIT_SECONDS)
            if self.asked:
                return
            self._raise("init", INIT_SECONDS)

    def _raise(self, late, seconds):
        if self.answer:
            raise Failed("error", self.answer[1].decode(errors="replace"))
        if self.alive():
            self.kill()
            raise Failed(late, f"no answer within {seconds} s")
        if self.over_memory:
            raise Failed("memory", f"more than {self.function.memory} MB: {self.peak_kib // 1024} MB")
        raise Failed("died", f"ended with status {self.process.returncode}")

    def invoke(self, payload):
        """Hands over one event and gives back the function's answer, as bytes."""
        with self.lock:
            self.lock.wait_for(lambda: self.asked or not self.alive(), INIT_SECONDS)
            if not self.asked:
                self._raise("init", INIT_SECONDS)
            self.request, self.answer, self.event = str(uuid.uuid4()), None, payload
            self.deadline = time.time() + self.function.timeout
            self._thaw()
            self.lock.notify_all()
            self.lock.wait_for(lambda: self.answer or not self.alive(), self.function.timeout)
            if not self.answer or self.answer[0] != "response":
                self._raise("timeout", self.function.timeout)
            self._measure()
            return self.answer[1]

    def _freeze(self):
        if self.function.freeze and not self.frozen and self.alive():
            os.kill(self.pid, signal.SIGSTOP)
            self.frozen = True

    def _thaw(self):
        if self.frozen and self.alive():
            os.kill(self.pid, signal.SIGCONT)
        self.frozen = False

    def kill(self):
        self._measure()
        if self.alive():
            self.process.kill()
        self.process.wait()

    # --- what the function asks

    def next(self):
        """The next event with its headers, or None when the function has ended meanwhile."""
        with self.lock:
            self.init_seconds = self.init_seconds or time.monotonic() - self.began
            self.asked = True
            self.lock.notify_all()
            if not self.event:
                self._freeze()
            self.lock.wait_for(lambda: self.event is not None or not self.alive())
            event, self.event, self.asked = self.event, None, False
            if event is None:
                return None
            trace = f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Parent={uuid.uuid4().hex[:16]};Sampled=0"
            return event, {
                "Lambda-Runtime-Aws-Request-Id": self.request, "Lambda-Runtime-Deadline-Ms": str(int(self.deadline * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": self.function.arn, "Lambda-Runtime-Trace-Id": trace}

    def answered(self, kind, request, body):
        """True where it is the answer to the event that is out."""
        with self.lock:
            if kind != "init" and (request != self.request or self.answer):
                return False
            self.answer = (kind, body)
            self.lock.notify_all()
            return True


class Server(ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 16

    def __init__(self, instance):
        self.instance = instance
        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, *_):
        pass  # a function that was killed leaves broken connections


class Handler(BaseHTTPRequestHandler):
    protocol_version, wbufsize, disable_nagle_algorithm = "HTTP/1.1", 1 << 16, True

    def log_message(self, *_):
        pass

    def say(self, code, body=b"", headers=()):
        self.send_response_only(code)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def refuse(self, code, kind):
        self.say(code, f'{{"errorMessage": "{kind}", "errorType": "{kind}"}}'.encode())

    def do_GET(self):
        if self.path != API + "invocation/next":
            return self.refuse(404, "NotFound")
        given = self.server.instance.next()
        if given:
            self.say(200, given[0], given[1].items())
        self.close_connection = not given

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def do_POST(self):
        body, parts = self.body(), self.path.removeprefix(API).split("/")
        match parts:
            case ["init", "error"]:
                kind, request = "init", None
            case ["invocation", request, ("response" | "error") as kind]:
                pass
            case _:
                return self.refuse(404, "NotFound")
        if len(body) > RESPONSE:
            self.server.instance.answered("error", request, b"the answer is larger than 6 MB")
            return self.refuse(413, "Function.ResponseSizeTooLarge")
        if not self.server.instance.answered(kind, request, body):
            return self.refuse(400, "InvalidRequestID")
        self.say(202, b'{"status": "OK"}')
