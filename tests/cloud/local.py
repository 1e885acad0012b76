#!/usr/bin/env python3
"""The local cloud does what it says: status, signals and terminals are passed on, nothing is left behind, the resources are those
of infra/cell.json, several at a time do not meet, and the fault proxy speaks the services' own errors. Usage: local.py [TEST..]"""
import os
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import uuid

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.join(ROOT, "localstack")
TOOLS = os.environ.get("PENFOLD_CLOUD_TOOLS") or os.path.join(BIN, ".tools")
PYTHON = os.path.join(TOOLS, "venv", "bin", "python")
INSIDE = [PYTHON, "-B", os.path.join(ROOT, "tests", "cloud", "inside.py")]
MARK = "LOCAL_CLOUD_TEST"
KINDS = ("throttle", "error", "error-after", "dropped", "lost", "twice", "slow", "partial")


class Place:
    """A state directory and a mark that every process started from here carries in its environment."""

    def __init__(self):
        self.work = tempfile.mkdtemp(prefix="penfold-cloud-")
        self.mark = str(uuid.uuid4())
        self.state, self.temp = os.path.join(self.work, "state"), os.path.join(self.work, "tmp")
        os.mkdir(self.temp)

    def environment(self):
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PENFOLD_") or k == "PENFOLD_CLOUD_TOOLS"}
        return kept | {"PENFOLD_CLOUD_STATE": self.state, "TMPDIR": self.temp, "HOME": self.temp, MARK: self.mark}

    def start(self, *arguments, **options):
        return subprocess.Popen([os.path.join(BIN, arguments[0]), *arguments[1:]], env=self.environment(), text=True, stderr=subprocess.PIPE, stdout=subprocess.PIPE, **options)

    def run(self, *arguments, status=0):
        child = self.start(*arguments, stdin=subprocess.DEVNULL)
        out, err = child.communicate(timeout=400)
        assert child.returncode == status, f"{arguments}: status {child.returncode} instead of {status}\n{out}{err}"
        return out, err

    def processes(self):
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as f:
                    if f"{MARK}={self.mark}".encode() in f.read():
                        found.append(int(pid))
            except OSError:
                pass
        return found

    def clean(self, state=False):
        """Nothing of this place is left: processes (and so their namespaces), files, mounts."""
        end = time.monotonic() + 2  # the kernel takes a moment to end a room
        while (left := self.processes()) and time.monotonic() < end:
            time.sleep(0.05)
        assert not left, [open(f"/proc/{p}/cmdline").read() for p in left]
        assert not os.listdir(self.temp), os.listdir(self.temp)
        assert not os.listdir(os.path.join(TOOLS, "scratch"))
        assert state or not os.path.exists(self.state)
        assert TOOLS not in open("/proc/self/mounts").read()

    def remove(self):
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.work)


def inside(place, name, *options):
    out, err = place.run("with-aws", *options, *INSIDE, name)
    assert out == "ok\n", out
    return err


def listening():
    """Sockets that listen on the host."""
    found = set()
    for name in ("tcp", "tcp6"):
        with open(f"/proc/net/{name}") as f:
            found |= {line.split()[1] for line in f if line.split()[3] == "0A"}
    return found


def when_inside(place, child, ready):
    """Waits until the command of a with-aws has made the file `ready`."""
    end = time.monotonic() + 300
    while not os.path.exists(ready):
        assert child.poll() is None and time.monotonic() < end, child.stderr.read()
        time.sleep(0.05)
    os.remove(ready)


def signalled(place, number, script, expect):
    """with-aws gets a signal while its command and a stray child of that are at work. Gives back the seconds until it ended."""
    before = len(place.processes())
    ready = os.path.join(place.work, "ready")
    child = place.start("with-aws", "bash", "-c", f"setsid sleep 1000 & {script}; touch {ready}; sleep 1000 & wait; echo never", stdin=subprocess.DEVNULL)
    when_inside(place, child, ready)
    assert len(place.processes()) >= before + 4
    begin = time.monotonic()
    child.send_signal(number)
    out, err = child.communicate(timeout=30)
    seconds = time.monotonic() - begin
    assert (child.returncode, out) == (expect, ""), (child.returncode, out, err)
    end = time.monotonic() + 2
    while len(place.processes()) > before:
        assert time.monotonic() < end, place.processes()
        time.sleep(0.05)
    return seconds


# --- a cloud of its own for each command

def test_own_cloud_status_and_nothing_left(place):
    before = listening()
    _, err = place.run("with-aws", "bash", "-c", f"touch {place.work}/seen; setsid sleep 1000 & exit 7", status=7)
    assert "ready in" in err, err
    assert not listening() - before, "something listens outside of the room"
    place.clean()


def test_sigterm(place):
    assert signalled(place, signal.SIGTERM, "true", 128 + signal.SIGTERM) < 5
    place.clean()


def test_sigkill(place):
    assert signalled(place, signal.SIGKILL, "true", -signal.SIGKILL) < 5
    place.clean()


def test_sigterm_while_starting(place):
    for seconds in (0.3, 1.5):
        child = place.start("with-aws", "sleep", "1000", stdin=subprocess.DEVNULL)
        time.sleep(seconds)
        child.terminate()
        child.communicate(timeout=20)
        assert child.returncode
        place.clean()


def test_two_at_a_time(place):
    other = Place()
    try:
        children = [p.start("with-aws", *INSIDE, "alone", stdin=subprocess.DEVNULL) for p in (place, other)]
        for child in children:
            out, err = child.communicate(timeout=400)
            assert (child.returncode, out) == (0, "ok\n"), err
        place.clean()
        other.clean()
    finally:
        other.remove()


def test_without_root(place):
    if os.geteuid():
        return  # all the others are this test
    os.chmod(place.work, 0o755)
    os.chown(place.temp, 65534, 65534)
    nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    if subprocess.run([*nobody, "test", "-x", PYTHON, "-a", "-r", ROOT, "-a", "-x", sys.executable]).returncode:
        raise Skip("nobody else may read this checkout")
    child = subprocess.run([*nobody, os.path.join(BIN, "with-aws"), *INSIDE, "cell"], env=place.environment(), capture_output=True, text=True, timeout=400)
    assert (child.returncode, child.stdout) == (0, "ok\n"), child.stderr
    place.clean()


# --- a running cloud that commands join

def joined_status(place):
    place.run("with-aws", "sh", "-c", "exit 9", status=9)
    place.run("with-aws", "sh", "-c", "kill -9 $$", status=137)
    place.run("with-aws", "no-such-command", status=127)
    place.run("with-aws", "/etc/passwd", status=126)
    place.run("with-aws", status=2)
    place.run("with-aws", "--cell", "No_Name", "true", status=2)
    place.run("with-aws", "--faults", "1:x", "true", status=2)
    place.run("with-aws", "--faults", "1:1:nonsense", "true", status=2)
    assert place.run("up")[1].startswith("local cloud: is up already")


def joined_leaves_nothing(place):
    before = sorted(place.processes())
    place.run("with-aws", "bash", "-c", "setsid sleep 1000 & exit 0")
    child = place.start("with-aws", "--faults", "1", "bash", "-c", "sleep 1000 & wait", stdin=subprocess.DEVNULL)
    time.sleep(2)
    child.kill()
    child.communicate()
    time.sleep(0.3)
    assert sorted(place.processes()) == before


def joined_signals(place):
    for number, script, expect, within in ((signal.SIGINT, "true", 128 + signal.SIGINT, 5), (signal.SIGTERM, "trap '' TERM", 128 + signal.SIGKILL, 20)):
        assert signalled(place, number, script, expect) < within


def joined_terminal(place):
    """With a terminal the command has it, and its Ctrl-C is the command's affair."""
    ready = os.path.join(place.work, "ready")
    pid, fd = pty.fork()
    if not pid:
        os.execve(os.path.join(BIN, "with-aws"), ["with-aws", "bash", "-c", f"test -t 0 -a -t 1 -a -t 2 || exit 3; trap 'exit 5' INT; touch {ready}; while :; do sleep 0.1; done"], place.environment())
    end = time.monotonic() + 30
    while not os.path.exists(ready) and time.monotonic() < end:
        time.sleep(0.05)
    os.write(fd, b"\x03")
    try:
        while os.read(fd, 1000):
            pass
    except OSError:
        pass  # the terminal has no more users
    os.close(fd)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status == 5, status


def joined_environment(place):
    out, _ = place.run("with-aws", "env")
    got = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
    assert got["PENFOLD_CELL"] == "dev" and got["PENFOLD_TABLE"] == "penfold-dev" and got["PENFOLD_KEY"] == "alias/penfold-dev"
    for name in ("AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "PENFOLD_BUCKET", "PENFOLD_SECRETS", "PENFOLD_QUEUE_DELIVER", *(f"AWS_ENDPOINT_URL_{s}" for s in ("DYNAMODB", "S3", "SQS", "KMS"))):
        assert got.get(name), name
    assert got["PENFOLD_QUEUE_DELIVER"].endswith("penfold-dev-deliver.fifo")


def joined_nested(place):
    assert place.run("with-aws", os.path.join(BIN, "with-aws"), "--cell", "inner", "sh", "-c", "echo $PENFOLD_TABLE; exit 4", status=4)[0] == "penfold-inner\n"


def joined_cells(place):
    inside(place, "cell")
    inside(place, "cell", "--cell", "second")
    inside(place, "servers", "--cell", "second")


def joined_faults(place):
    for kind in KINDS:
        err = inside(place, kind, "--faults", f"1:1:{kind}", "--cell", "faults")
        assert f"{kind} " in err.partition("faults of")[2], err


def joined_faults_are_seeded(place):
    counts = [inside(place, "seeded", "--faults", f"{seed}:0.3:throttle,error,dropped,lost", "--cell", "seeded").partition("faults of")[2] for seed in (7, 7, 8)]
    assert counts[0] == counts[1] and counts[0].split("\n")[1] != counts[2].split("\n")[1], counts


JOINED = [v for k, v in list(globals().items()) if k.startswith("joined_")]


def test_joined(place):
    place.run("up")
    try:
        for test in JOINED:
            begin = time.monotonic()
            test(place)
            print(f"  {test.__name__}: {time.monotonic() - begin:.1f} s", flush=True)
    finally:
        place.run("down")
    place.clean()
    place.run("down")


class Skip(Exception):
    pass


def main():
    begin = time.monotonic()
    setup = subprocess.run([os.path.join(ROOT, "scripts", "setup-cloud")])
    if setup.returncode == 3:
        print("THE LOCAL CLOUD WAS NOT TESTED: see the line above\n0 passed, 0 failed, 1 skipped")
        return 0
    setup.check_returncode()
    passed, failed, skipped = 0, [], 0
    for name, test in [(k, v) for k, v in globals().items() if k.startswith("test_") and (not sys.argv[1:] or k.removeprefix("test_") in sys.argv[1:])]:
        place, at = Place(), time.monotonic()
        try:
            test(place)
            passed += 1
            print(f"local {name.removeprefix('test_')}: {time.monotonic() - at:.1f} s", flush=True)
        except Skip as e:
            skipped += 1
            print(f"local {name.removeprefix('test_')}: SKIPPED, {e}", flush=True)
        except Exception:
            failed.append(name)
            print(f"--- {name}\n{traceback.format_exc()}", flush=True)
        finally:
            place.remove()
    print(f"local: {time.monotonic() - begin:.1f} s\n{passed} passed, {len(failed)} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
