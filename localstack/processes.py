"""The service's processes beside the local cloud: edges, and functions in lambda-host. For localstack/service and tests/cloud/.

PENFOLD_CLOUD_BIN is the directory of the binaries (target/debug).
"""
import json
import os
import select
import signal
import subprocess
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BIN = os.environ.get("PENFOLD_CLOUD_BIN") or os.path.join(os.environ.get("CARGO_TARGET_DIR") or os.path.join(ROOT, "target"), "debug")
FUNCTIONS = ("deliver", "send", "transfer", "subscribe", "timer", "upkeep", "meter", "account", "admin")
SQS = "http://127.0.0.1:4566"  # what the platform does itself knows no faults
LISTENERS = {"smtp": {"smtp": 2525, "submission": 2587, "submissions": 2465, "http": 2080}, "imap": {"imap": 2143, "imaps": 2993, "http": 2081},
             "http": {"https": 2443, "http": 2082}, "relay": {"http": 2085}}
ACCOUNT_PORT, ADMIN_PORT = 2084, 2086


def program(name):
    path = os.path.join(BIN, name)
    if not os.access(path, os.X_OK):
        raise SystemExit(f"{path} is missing: run `make build-all`, or set PENFOLD_CLOUD_BIN to the directory of the binaries")
    return path


def penfold(*arguments, environment=None, seconds=120, **options):
    """`penfold` run to its end."""
    return subprocess.run([program("penfold"), *arguments], env=os.environ | (environment or {}), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, **options)


class Process:
    def __init__(self, name, work):
        self.name, self.work, self.process = name, work, None
        self.log = os.path.join(work, name + ".log")

    def spawn(self, command, environment, seconds):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, env=os.environ | environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)
        end = time.monotonic() + seconds
        while True:
            if not select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))[0]:
                self.kill()
                raise TimeoutError(f"{self.name}: not ready within {seconds} s; log:\n{self.tail()}")
            line = self.process.stdout.readline()
            if line.startswith("ready"):
                threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True).start()
                return line.split()
            if not line:
                raise RuntimeError(f"{self.name} ended with {self.process.wait()} before it was ready; log:\n{self.tail()}")

    def _read(self, out):
        for line in out:
            self.told(line)

    def told(self, line):
        pass

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()

    def stop(self, seconds=45):
        """SIGTERM; gives back the exit status."""
        if not self.process:
            return None
        self.process.send_signal(signal.SIGTERM)
        return self.ended(seconds)

    def ended(self, seconds=45):
        """The exit status of one that was told to end."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise TimeoutError(f"{self.name}: SIGTERM did not end it within {seconds} s; log:\n{self.tail()}") from None

    def tail(self, size=3000):
        with open(self.log, "rb") as f:
            f.seek(max(0, os.path.getsize(self.log) - size))
            return f.read().decode(errors="replace")


class Edge(Process):
    """`penfold edge KIND`; the second of a kind has its ports 1000 higher."""

    def __init__(self, kind, number, work, *flags, seed=None, environment=None):
        super().__init__(f"{kind}-{number}", work)
        self.kind, self.flags, self.seed, self.environment = kind, flags, seed, environment or {}
        self.port = {name: port + 1000 * (number - 1) for name, port in LISTENERS[kind].items()}

    def start(self, seconds=60):
        flags = [part for name, port in self.port.items() for part in (f"--{name}", f"127.0.0.1:{port}")]
        if self.seed:
            flags += ["--seed", self.seed]
        self.spawn([program("penfold"), "edge", self.kind, *flags, *self.flags], {"PENFOLD_EDGE": self.name, **self.environment}, seconds)
        return self


class Host(Process):
    """lambda-host with one function. `events` are what it told; `summary` what it said at its end."""

    def __init__(self, function, work, *flags):
        super().__init__(function, work)
        self.flags, self.events, self.summary, self.about = flags, [], None, []

    def start(self, seconds=60):
        function_log = os.path.join(self.work, f"{self.name}.function.log")
        self.about = self.spawn([os.path.join(ROOT, "localstack", "lambda-host"), self.name, program(self.name), "--events", "--log", function_log, *self.flags],
                                {"AWS_ENDPOINT_URL_SQS_OF_HOST": SQS}, seconds)
        return self

    def told(self, line):
        told = json.loads(line)
        if "event" in told:
            self.events.append(told)
        else:
            self.summary = told

    def instances(self):
        """Pids of those that live now."""
        pids = set()
        for e in list(self.events):
            if e["event"] == "started":
                pids.add(e["pid"])
            elif e["event"] == "ended":
                pids.discard(e["pid"])
        return sorted(pids)

    def ended(self, seconds=45):
        code = super().ended(seconds)
        end = time.monotonic() + 5
        while self.summary is None and time.monotonic() < end:
            time.sleep(0.01)
        return code


class Service:
    """Two edges of each kind but one relay, and the functions. `visibility`: seconds until the job of an instance that died comes again."""

    def __init__(self, work, seed=None, http=1, visibility=None, instances=2, environment=None, smart_host=None):
        self.work = work
        make = lambda kind, count: [Edge(kind, n + 1, work, environment=environment) for n in range(count)]
        self.smtp, self.imap, self.http, self.relay = make("smtp", 2), make("imap", 2), make("http", http), make("relay", 1)
        self.relay[0].flags = ("--smart-host", smart_host) if smart_host else ()
        self.smtp[0].seed = seed
        flags = ["--instances", str(instances)] + (["--visibility", str(visibility)] if visibility else [])
        self.deliver, self.upkeep, self.meter = Host("deliver", work, *flags), Host("upkeep", work), Host("meter", work)
        self.send, self.transfer, self.subscribe, self.timer = Host("send", work, *flags), Host("transfer", work, *flags), Host("subscribe", work, *flags), Host("timer", work)
        self.account, self.admin = Host("account", work, "--http", str(ACCOUNT_PORT)), Host("admin", work, "--http", str(ADMIN_PORT))
        self.edges, self.hosts = self.smtp + self.imap + self.http + self.relay, [self.deliver, self.send, self.transfer, self.subscribe, self.timer, self.upkeep, self.meter, self.account, self.admin]

    def start(self):
        for program_name in ("penfold", *FUNCTIONS):
            program(program_name)
        for process in self.edges + self.hosts:
            process.start()
        return self

    def stop(self):
        """All at once, each gracefully. Gives back what ended badly."""
        running = [p for p in self.edges + self.hosts if p.alive()]
        for p in running:
            p.process.send_signal(signal.SIGTERM)
        return [f"{p.name}: {code}" for p in running if (code := p.ended())]

    def kill(self):
        for p in self.edges + self.hosts:
            if p.alive():
                p.kill()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
