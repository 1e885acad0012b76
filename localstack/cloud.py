"""The local cloud: DynamoDB Local, LocalStack (S3, SQS, SNS) and moto (KMS) in a private room, with the resources of a cell.

up        starts it and leaves it running; down ends it; with-aws runs a command in it: in the running one, or in one of its own that ends with the command.
PENFOLD_CLOUD_STATE (localstack/.state) is the running one's directory, PENFOLD_CLOUD_TOOLS (localstack/.tools) where scripts/setup-cloud installs.
"""
import argparse
import fcntl
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time

import room

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = os.path.abspath(os.environ.get("PENFOLD_CLOUD_TOOLS") or os.path.join(HERE, ".tools"))
STATE = os.path.abspath(os.environ.get("PENFOLD_CLOUD_STATE") or os.path.join(HERE, ".state"))
SCRATCH = os.path.join(TOOLS, "scratch")  # empty outside of a room, and a temporary file system inside
PYTHON = os.path.join(TOOLS, "venv", "bin", "python")
PORTS = {"dynamodb": 8000, "s3": 4566, "sqs": 4566, "sns": 4566, "kms": 5000}
FAULTY = ("dynamodb", "sqs", "s3")


def say(text):
    print(f"local cloud: {text}", file=sys.stderr, flush=True)


def url(port):
    return f"http://127.0.0.1:{port}"


def outer_environment():
    """The caller's, without its own AWS account and without ways out that a room does not have."""
    return {k: v for k, v in os.environ.items() if not k.startswith("AWS_") and not k.lower().endswith("_proxy")}


def spawn(command, **options):
    return subprocess.Popen(command, preexec_fn=room.unblock, **options)


class Servers:
    """The three servers, as children of a room's first process."""

    def __init__(self, logs):
        self.logs, self.pids = logs, {}
        base = {k: v for k, v in outer_environment().items() if not k.startswith("PENFOLD_")}
        base |= {"TMPDIR": SCRATCH, "HOME": SCRATCH, "XDG_CACHE_HOME": SCRATCH, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
        jar = os.path.join(TOOLS, "dynamodb")
        # The quick compiler alone: starts with half of the work, and tests are over before the thorough one would pay.
        self.start("DynamoDB", ["java", "-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"-Djava.io.tmpdir={SCRATCH}", f"-Djava.library.path={jar}/DynamoDBLocal_lib",
                                f"-Dsqlite4java.library.path={jar}/DynamoDBLocal_lib", "-jar", f"{jar}/DynamoDBLocal.jar",
                                "-inMemory", "-sharedDb", "-disableTelemetry", "-port", str(PORTS["dynamodb"])], base)
        self.start("LocalStack", [PYTHON, "-m", "localstack.runtime.main"], base | {
            "GATEWAY_LISTEN": f"127.0.0.1:{PORTS['s3']}", "LOCALSTACK_HOST": f"127.0.0.1:{PORTS['s3']}", "FILESYSTEM_ROOT": os.path.join(SCRATCH, "localstack"),
            "SERVICES": "s3,sqs,sns", "SQS_ENDPOINT_STRATEGY": "path", "SQS_DISABLE_CLOUDWATCH_METRICS": "1", "LS_LOG": "warning",
            "SKIP_SSL_CERT_DOWNLOAD": "1", "SKIP_INFRA_DOWNLOADS": "1", "DISABLE_EVENTS": "1", "DNS_ADDRESS": "0"})
        self.start("moto", [PYTHON, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(PORTS["kms"])], base)

    def start(self, name, command, environment):
        with open(self.log(name), "w") as log:
            child = spawn(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=SCRATCH, start_new_session=True)
        self.pids[child.pid] = name

    def log(self, name):
        return os.path.join(self.logs, name + ".log")

    def heard(self, pid, status):
        """A child has ended. A server should not."""
        if name := self.pids.pop(pid, None):
            with open(self.log(name), errors="replace") as f:
                say(f"{name} ended with status {status}. Its log ends:\n" + "".join(f.readlines()[-20:]))
            return True
        return False


def resources(cell, servers, begin):
    """Waits until all answer and makes what is missing. Gives back the environment, or None when that failed."""
    out = os.path.join(SCRATCH, "resources.json")
    with open(out, "w") as f:
        maker = spawn([PYTHON, os.path.join(HERE, "resources.py"), cell, *(url(PORTS[s]) for s in ("dynamodb", "s3", "kms"))], stdout=f, stdin=subprocess.DEVNULL)

    def heard(pid, status):
        if servers and servers.heard(pid, status):
            maker.kill()
    if room.wait(maker.pid, heard):
        for log in servers.pids.values() if servers else ():
            with open(servers.log(log), errors="replace") as f:
                say(f"{log}'s log ends:\n" + "".join(f.readlines()[-10:]))
        return None
    with open(out) as f:
        made = json.load(f)
    if servers:
        say(", ".join(f"{k} {v} s" for k, v in made["seconds"].items()) + f": ready in {time.monotonic() - begin:.1f} s")
    return made["environment"]


def known(cell):
    """What `resources` found before for a cell of the running cloud; None where it has not been asked."""
    try:
        with open(os.path.join(STATE, f"cell-{cell}.json")) as f:
            return json.load(f)
    except FileNotFoundError:
        return None


def keep_json(name, value):
    """Swapped in whole: others may read it at any moment."""
    path = os.path.join(STATE, name)
    new = f"{path}.{time.monotonic_ns()}"
    with open(new, "w") as f:
        json.dump(value, f)
    os.rename(new, path)


def environment(found, ports):
    """What a command in the room sees."""
    return outer_environment() | found | {f"AWS_ENDPOINT_URL_{s.upper()}": url(p) for s, p in ports.items()} | {
        "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "PENFOLD_CLOUD_ROOM": str(os.stat("/proc/self/ns/net").st_ino)}


def proxies(faults):
    """Starts the fault proxy. Gives back its process (None: it has said what is wrong) and the ports to use instead of the servers' own."""
    free = []
    for _ in FAULTY:
        free.append(socket.create_server(("127.0.0.1", 0)))
    ports = {s: f.getsockname()[1] for s, f in zip(FAULTY, free)}
    for f in free:
        f.close()
    proxy = spawn([os.path.join(HERE, "fault-proxy"), faults, *(f"{s}={p}:{PORTS[s]}" for s, p in ports.items())], stdin=subprocess.DEVNULL, start_new_session=True)
    for port in ports.values():
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                if proxy.poll() is not None:
                    return None, {}
                time.sleep(0.05)
    return proxy, ports


def attend(options, joined):
    """with-aws, inside."""
    begin = time.monotonic()
    servers = None if joined else Servers(SCRATCH)
    shared = isinstance(joined, int)  # what `up` left running, and not the room that we are in already
    found = known(options.cell) if shared else None
    if not found:
        found = resources(options.cell, servers, begin)
        if not found:
            return 70
        if shared:
            keep_json(f"cell-{options.cell}.json", found)
    ports, proxy = dict(PORTS), None
    if options.faults:
        proxy, instead = proxies(options.faults)
        if not proxy:
            return 2
        ports |= instead
    try:
        child = spawn(options.command, env=environment(found, ports))
    except OSError as e:
        say(f"{options.command[0]}: {e.strerror}")
        return 127 if isinstance(e, FileNotFoundError) else 126
    code = room.wait(child.pid, servers.heard if servers else None)
    if proxy:
        proxy.send_signal(signal.SIGTERM)  # it prints its counts
        room.wait(proxy.pid)
    return code


def keep(cell, ready, lock):
    """up, inside: runs until it is killed."""
    lock.close()
    os.setsid()
    begin = time.monotonic()
    servers = Servers(os.path.join(STATE, "logs"))
    if not (found := resources(cell, servers, begin)):
        return 70
    keep_json(f"cell-{cell}.json", found)
    os.write(ready, b"ready")
    os.close(ready)
    with open(os.devnull) as null, open(os.path.join(STATE, "logs", "cloud.log"), "w") as log:
        os.dup2(null.fileno(), 0)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    while servers.pids:
        room.wait(next(iter(servers.pids)), servers.heard)
    return 1


def born(pid):
    """When a process started, in clock ticks: tells it from a later one of the same number."""
    with open(f"/proc/{pid}/stat") as f:
        return f.read().rpartition(")")[2].split()[19]


def running():
    """The first process of the cloud that `up` left running, or None."""
    try:
        with open(os.path.join(STATE, "cloud.json")) as f:
            kept = json.load(f)
        return kept["pid"] if born(kept["pid"]) == kept["born"] else None
    except (FileNotFoundError, ProcessLookupError):
        return None


def up(options):
    os.makedirs(os.path.join(STATE, "logs"), exist_ok=True)
    with open(os.path.join(STATE, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if running():
            say("is up already")
            return with_aws(argparse.Namespace(cell=options.cell, faults=None, command=["true"]))
        done, ready = os.pipe()
        pid = room.start(lambda: keep(options.cell, ready, lock), SCRATCH, tied=False)
        os.close(ready)
        try:
            while not (answered := select.select([done], [], [], 0.2)[0]) and not signal.sigtimedwait(room.SIGNALS, 0):
                pass
            if answered and os.read(done, 5):
                keep_json("cloud.json", {"pid": pid, "born": born(pid)})
                say("up; localstack/with-aws COMMAND runs in it, localstack/down ends it")
                return 0
        except ProcessLookupError:
            pass
        os.kill(pid, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    shutil.rmtree(STATE, ignore_errors=True)
    return code if code > 0 else 70


def down(_options):
    if pid := running():
        handle = os.pidfd_open(pid)
        signal.pidfd_send_signal(handle, signal.SIGKILL)  # the kernel ends all the others in the room
        select.select([handle], [], [])
        os.close(handle)
    else:
        say("is not up")
    shutil.rmtree(STATE, ignore_errors=True)
    return 0


def with_aws(options):
    """with-aws, outside: signals are handed to the command; its exit status is ours."""
    inside = os.environ.get("PENFOLD_CLOUD_ROOM") == str(os.stat("/proc/self/ns/net").st_ino)
    join = "self" if inside else running()
    pid = room.start(lambda: attend(options, join), SCRATCH, join)
    return room.wait(pid)


def main():
    verbs = {"up": up, "down": down, "with-aws": with_aws}
    verb = sys.argv[1]
    p = argparse.ArgumentParser(prog=f"localstack/{verb}", allow_abbrev=False)
    if verb != "down":
        p.add_argument("--cell", default=os.environ.get("PENFOLD_CELL") or "dev", help="the cell's name (dev)")
    if verb == "with-aws":
        p.add_argument("--faults", metavar="SEED[:RATE[:KINDS]]", help="puts the fault proxy in front of DynamoDB, SQS and S3")
        p.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND [ARGS..]")
    options = p.parse_args(sys.argv[2:])
    if verb == "with-aws":
        if options.command[:1] == ["--"]:
            del options.command[0]
        if not options.command:
            p.error("which command?")
    if verb != "down" and not re.fullmatch("[a-z][a-z0-9-]{0,29}", options.cell):
        p.error("a cell's name is 1 to 30 of a-z, 0-9 and -, and begins with a letter")
    try:
        return verbs[verb](options)
    except room.Refused as e:
        say(f"no private room ({e}): run as root, or allow user namespaces")
        return 3


if __name__ == "__main__":
    sys.exit(main())
