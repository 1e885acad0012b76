#!/usr/bin/env python3
"""An edge in its image's root, as the platform runs it: another user, no capabilities, nothing writable; health, mail, and the drain on SIGTERM.

usage: container.py [--keep]. The root is made by containers/assemble, which the Containerfile calls; namespaces and chroot stand in for an engine. Needs root.
Binaries come from $PENFOLD_CLOUD_BIN (target/debug).
"""
import gzip
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import traceback

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tests", "lib"), os.path.join(ROOT, "localstack")]
import beside  # noqa: E402
import penfold_testlib as lib  # noqa: E402
import processes  # noqa: E402
from penfold_load import PASSWORD  # noqa: E402
from processes import Edge, Host, penfold  # noqa: E402

WHO, USER = "ann@box.test", 65532
EXPECTED = {"edge", "etc/group", "etc/passwd", "etc/ssl/certs/ca-certificates.crt"}
# What the Containerfile and infra/ set.
OF_IMAGE = {"smtp": {"PENFOLD_SMTP": "0.0.0.0:2525", "PENFOLD_SUBMISSION": "0.0.0.0:2587", "PENFOLD_SUBMISSIONS": "0.0.0.0:2465"},
            "imap": {"PENFOLD_IMAP": "0.0.0.0:2143", "PENFOLD_IMAPS": "0.0.0.0:2993"}, "http": {"PENFOLD_HTTPS": "0.0.0.0:2443"}}
# The mounts of a container of its own, read-only; then another user, who gets no rights back.
ENTER = 'mount --make-rprivate / && mount --bind "$0" "$0" && mount -o remount,bind,ro,nosuid,nodev "$0" && exec setpriv --no-new-privs chroot --userspec=65532:65532 --groups= "$0" "$@"'


class Box(Edge):
    """An edge in the image's root. All share one network here, so each has its own port for health."""

    def __init__(self, kind, work, image):
        super().__init__(kind, 1, work)
        self.image, self.health = image, f"127.0.0.1:{self.port['http']}"

    def enter(self, *command):
        return ["unshare", "--mount", "bash", "-c", ENTER, self.image, *command]

    def settings(self):
        kept = {k: v for k, v in os.environ.items() if k.startswith(("AWS_", "PENFOLD_")) and k != "PENFOLD_EDGE"}
        return kept | OF_IMAGE[self.kind] | {"PENFOLD_EDGE": self.name, "PENFOLD_HTTP": self.health, "PENFOLD_LOG_FORMAT": "json"}

    def start(self, seconds=60):
        self.spawn(["env", "-i", f"PATH={os.environ['PATH']}", *(f"{k}={v}" for k, v in self.settings().items()), *self.enter("/edge", "edge", self.kind)], {}, seconds)
        return self

    def is_well(self):
        return subprocess.run(self.enter("/edge", "health", "--http", self.health), capture_output=True, text=True, timeout=20)


def fact(pid, name):
    with open(f"/proc/{pid}/status") as f:
        return next(line.split()[1:] for line in f if line.startswith(name + ":"))


def message(subject):
    return f"From: <a@elsewhere.test>\r\nTo: <{WHO}>\r\nSubject: {subject}\r\n\r\nIt works.\r\n".encode()


def test_image(run):
    files = {os.path.relpath(os.path.join(d, f), run.image) for d, _, names in os.walk(run.image) for f in names}
    libraries = {f for f in files if f.startswith(("lib", "usr/lib"))}
    assert files - libraries == EXPECTED and all(".so" in f for f in libraries), files
    assert os.listdir(os.path.join(run.image, "tmp")) == []
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(run.image, ".")
    size = sum(os.path.getsize(os.path.join(run.image, f)) for f in files)
    return f"{len(files)} files, {size / 1e6:.1f} MB, {len(gzip.compress(packed.getvalue(), 6)) / 1e6:.1f} MB compressed"


def test_confined(run):
    for box in run.boxes:
        for name in ("Uid", "Gid"):
            assert set(fact(box.pid, name)) == {str(USER)}, (box.name, name, fact(box.pid, name))
        assert fact(box.pid, "Groups") == [] and fact(box.pid, "NoNewPrivs") == ["1"]
        assert int(fact(box.pid, "CapEff")[0], 16) == int(fact(box.pid, "CapPrm")[0], 16) == 0
        assert os.readlink(f"/proc/{box.pid}/root") == run.image
        with open(f"/proc/{box.pid}/mountinfo") as f:
            # As seen from its root: nothing but that is mounted there.
            mounts = [line.split() for line in f if line.split()[4] in ("/", run.image) or line.split()[4].startswith(run.image + "/")]
        here = [m for m in mounts if m[4] in ("/", run.image)][-1]
        assert "ro" in here[5].split(",") and "nosuid" in here[5].split(","), here
        tried = subprocess.run([*box.enter("/edge", "--data", "/tmp/x", "tenant", "add", "T")], capture_output=True, text=True, timeout=30)
        assert tried.returncode and "Read-only file system" in tried.stderr, tried
    return "user 65532, no capabilities, no new rights, root read-only"


def test_health(run):
    for box in run.boxes:
        well = box.is_well()
        assert well.returncode == 0, (box.name, well)
    nobody = subprocess.run(run.boxes[0].enter("/edge", "health", "--http", "127.0.0.1:9"), capture_output=True, text=True, timeout=20)
    assert nobody.returncode == 1 and "127.0.0.1:9" in nobody.stderr, nobody
    return "0 where it is well, 1 where nobody answers"


def inbox(c):
    c.cmd("NOOP")
    return [v for f in c.fetch("1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])").values() for k, v in f.items() if k.startswith("BODY[")] if c.search("ALL") else []


def test_mail(run):
    c = run.imap()
    out = lib.Smtp("127.0.0.1", 2525)
    out.send("a@elsewhere.test", [WHO], message("first"))
    out.starttls()
    out.close()
    lib.wait_until(lambda: any(b"first" in s for s in inbox(c)), 60, 0.1, "the mail")
    c.close()
    return "SMTP in, IMAP out, STARTTLS"


def test_drain(run):
    """A transaction that is under way at SIGTERM ends well; idle clients hear BYE; nobody new gets in."""
    smtp, imap, _ = run.boxes
    c = run.imap()
    before = len(inbox(c))
    c.idle()
    quiet = lib.Smtp("127.0.0.1", 2525)
    out = lib.Smtp("127.0.0.1", 2525)
    for line, code in (("MAIL FROM:<a@elsewhere.test>", 250), (f"RCPT TO:<{WHO}>", 250), ("DATA", 354)):
        out.cmd(line, code)
    data = message("under way")
    out.s.sendall(data[:40])
    begin = time.monotonic()
    for box in run.boxes:
        box.process.terminate()
    while not (line := c.response()[0]).startswith(b"* BYE"):
        pass
    said_bye = time.monotonic() - begin
    assert quiet.reply()[0] == 421
    lib.wait_until(lambda: refused(2525), 5, 0.05, "a closed port")
    time.sleep(3)
    assert smtp.alive(), "it did not wait for its transaction"
    out.s.sendall(data[40:] + b".\r\n")
    accepted = out.expect(250)
    ends = {}
    for box in run.boxes:
        ends[box.name] = box.ended(30), time.monotonic() - begin
    assert all(code == 0 for code, _ in ends.values()), (ends, smtp.tail())
    # The next task takes over.
    for box in run.boxes:
        box.start()
    c = run.imap()
    lib.wait_until(lambda: any(b"under way" in s for s in inbox(c)), 60, 0.1, "the mail that was under way")
    assert len(inbox(c)) == before + 1
    c.close()
    return f"{accepted.split()[0]} to what was under way, BYE after {said_bye:.1f} s, ended after " + ", ".join(f"{n} {s:.1f} s" for n, (_, s) in ends.items())


def test_drain_in_time(run):
    """Nobody can hold an edge back for longer than it has."""
    smtp = run.boxes[0]
    out = lib.Smtp("127.0.0.1", 2525)
    for line, code in (("MAIL FROM:<a@elsewhere.test>", 250), (f"RCPT TO:<{WHO}>", 250), ("DATA", 354)):
        out.cmd(line, code)
    begin = time.monotonic()
    assert smtp.stop(32) == 0
    took = time.monotonic() - begin
    out.s.close()
    assert 5 < took <= 31, took
    smtp.start()
    return f"a client that stopped in DATA was cut off after {took:.1f} s"


def refused(port):
    try:
        lib.dial("127.0.0.1", port, timeout=2).close()
        return False
    except ConnectionRefusedError:
        return True


class Run:
    def __init__(self, work):
        self.work, self.image = work, os.path.join(work, "image")
        os.chmod(work, 0o755)
        begin = time.monotonic()
        subprocess.run([os.path.join(ROOT, "containers", "assemble"), self.image, processes.program("penfold")], check=True)
        print(f"container assembled: {time.monotonic() - begin:.1f} s", flush=True)
        self.boxes, self.deliver = [Box(kind, work, self.image) for kind in ("smtp", "imap", "http")], Host("deliver", work)

    def start(self):
        self.add_people()
        for p in (*self.boxes, self.deliver):
            p.start()

    def add_people(self):
        for arguments in (["tenant", "add", "Box"], ["domain", "add", "Box", "box.test"]):
            done = penfold("--cloud", *arguments)
            assert done.returncode == 0, (arguments, done.stderr)
        done = subprocess.run([processes.program("penfold"), "--cloud", "person", "add", WHO, "--name", "Ann", "--password-stdin"], input=PASSWORD + "\n", capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr

    def imap(self):
        c = lib.Imap("127.0.0.1", 2143, WHO, PASSWORD)
        c.select("INBOX")
        return c

    def kill(self):
        for p in (*self.boxes, self.deliver):
            p.kill()


def inside(keep):
    work, failed, tests = tempfile.mkdtemp(prefix="penfold-container-"), [], [v for k, v in globals().items() if k.startswith("test_")]
    run = Run(work)
    try:
        run.start()
        for test in tests:
            begin, name = time.monotonic(), test.__name__.removeprefix("test_")
            try:
                print(f"container {name}: {test(run)} ({time.monotonic() - begin:.1f} s)", flush=True)
            except Exception:
                failed.append(name)
                print(f"--- {name}\n{traceback.format_exc(limit=-4)[-4000:]}", flush=True)
                for box in run.boxes:
                    if not box.alive():
                        print(f"{box.name} is not alive; its log ends:\n{box.tail(1500)}", flush=True)
                        box.start()
    finally:
        run.kill()
        if not keep:
            shutil.rmtree(work)
    print(f"{len(tests) - len(failed)} passed, {len(failed)} failed", flush=True)
    return 1 if failed else 0


def main():
    if "--inside" in sys.argv:
        return inside("--keep" in sys.argv)
    if os.geteuid():
        print("THE CONTAINERS WERE NOT TESTED: another user and a read-only root need root\n0 passed, 0 failed, 1 skipped")
        return 0
    return beside.the_cloud("container", __file__, *sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
