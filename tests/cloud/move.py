#!/usr/bin/env python3
"""A whole tenant moves: from an embedded store to the local cloud and on to another embedded store. Its checksum is the same at each
end, and an IMAP client sees the same UIDVALIDITY, UIDs, MODSEQs, flags and bytes.

usage: move.py [--keep]
Binaries come from $PENFOLD_CLOUD_BIN (target/debug).
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tests", "lib"), os.path.join(ROOT, "localstack")]
import beside  # noqa: E402
import penfold_testlib as lib  # noqa: E402
import processes  # noqa: E402

ANN, BOB, SECRET = "ann@move.test", "bob@move.test", "secret of ann"
TENANTS = [("Move", ["move.test", "move.example"], [(ANN, SECRET, "Ann"), (BOB, SECRET, "Bob")])]


def penfold(*arguments, data=None, code=0, **options):
    """Run to its end: what it printed on standard output and error."""
    place = ["--data", data] if data else ["--cloud"]
    done = subprocess.run([processes.program("penfold"), *place, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=600,
                          **({"stdin": subprocess.DEVNULL} | options))
    said = done.stderr.decode(errors="replace")
    assert done.returncode == code, f"penfold {' '.join(arguments)}: exit {done.returncode} instead of {code}\n{said[-2000:]}{done.stdout[-2000:]!r}"
    return done.stdout, said


def checksum(text):
    return re.search(r"^checksum ([0-9a-f]{64})$", text, re.M).group(1)


def numbers(text):
    return re.search(r"\d+ rows, \d+ blobs of \d+ bytes", text).group(0)


def mail(n):
    return f"From: <a@elsewhere.test>\r\nTo: <{ANN}>\r\nSubject: number {n}\r\nMessage-ID: <{n}@elsewhere.test>\r\n\r\n{f'text {n} ' * 60}\r\n".encode()


def use(port, smtp):
    """Something of everything that a client does; gives back a modseq of its middle."""
    for n in range(8):
        smtp.send("a@elsewhere.test", [ANN], mail(f"in {n}"))
    c = lib.Imap("127.0.0.1", port, ANN, SECRET)
    for n in range(30):
        c.append("INBOX", mail(n), r"\Seen Work" if n % 3 else r"\Flagged", "14-Nov-2023 23:13:20 +0100")
    c.append("INBOX", os.urandom(3 << 20).hex().encode().replace(b"0d0a", b"0000"), r"\Draft")
    c.cmd('CREATE "Deep"')
    c.cmd('CREATE "Deep/Below"')
    c.cmd('CREATE "Gone"')
    lib.wait_until(lambda: c.select("INBOX")["exists"] == 39, 60, 0.1, "all mails")
    middle = c.select("INBOX")["highestmodseq"]
    c.cmd('MOVE 3:7 "Deep/Below"')
    c.cmd('COPY 1:2 "Gone"')
    c.cmd(r"STORE 5:6 +FLAGS (\Deleted $Junk)")
    c.cmd("EXPUNGE")
    c.cmd('DELETE "Gone"')
    c.cmd('SUBSCRIBE "Deep"')
    c.close()
    return middle


def seen(port, since, who=ANN):
    """Everything that a client can see of a mailbox."""
    c, found = lib.Imap("127.0.0.1", port, who, SECRET), {}
    c.cmd("ENABLE QRESYNC")
    listed = [(re.search(rb'("[^"]*"|\S+)$', r[0]).group(1).strip(b'"').decode(), b"\\Noselect" in r[0]) for r in c.cmd('LIST "" "*"')]
    subscribed = sorted(r[0] for r in c.cmd('LSUB "" "*"'))
    for name in (name for name, closed in listed if not closed):
        about = c.select(name, "EXAMINE")
        messages = {}
        if about["exists"]:
            for items in c.fetch("1:* (UID FLAGS MODSEQ INTERNALDATE RFC822.SIZE BODY.PEEK[])", uid=True).values():
                flags = sorted(flag for flag in items.pop("FLAGS") if flag != b"\\Recent")
                messages[items.pop("UID")] = (flags, sorted((k, str(v)) for k, v in items.items()))
        about.pop("exists")
        delta = sorted(r[0] for r in c.cmd(f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {since} VANISHED)"))
        found[name] = (about, messages, delta)
    c.close()
    assert found, "no folder was seen"
    return subscribed, found


def same(before, after, where):
    assert before[0] == after[0], f"{where}: subscriptions {before[0]} -> {after[0]}"
    for name in before[1].keys() | after[1].keys():
        one, other = before[1].get(name), after[1].get(name)
        assert one is not None and other is not None and one[0] == other[0], f"{where}: {name}: {one and one[0]} -> {other and other[0]}"
        assert one[1] == other[1], f"{where}: {name}: messages differ: {one[1].keys() ^ other[1].keys()}"
        assert one[2] == other[2], f"{where}: {name}: changes differ: {one[2][:3]} -> {other[2][:3]}"


def timed(what, begin):
    print(f"move {what} ({time.monotonic() - begin:.1f} s)", flush=True)


def inside(work):
    os.environ["PENFOLD"] = processes.program("penfold")
    path = lambda name: os.path.join(work, name)
    key, running = path("export.key"), []
    try:
        # --- an embedded server that goes on serving while it is exported
        begin = time.monotonic()
        a = lib.Server(path("a"), lib.write_seed(path("a.toml"), TENANTS)).start()
        running.append(a)
        penfold("group", "add", "team@move.test", "--post", "members", data=a.data)
        penfold("group", "member", "add", "team@move.test", ANN, BOB, data=a.data)
        penfold("shared", "add", "info@move.test", data=a.data)
        penfold("shared", "member", "add", "info@move.test", BOB, data=a.data)
        penfold("person", "alias", "add", ANN, "a@move.example", data=a.data)
        out = lib.Smtp("127.0.0.1", a.port["smtp"])
        since = use(a.port["imap"], out)
        before = seen(a.port["imap"], since)
        timed(f"begins: {sum(len(f[1]) for f in before[1].values())} messages in {len(before[1])} folders", begin)

        begin = time.monotonic()
        archive, said = penfold("export", "--tenant", "Move", "-", "--key", key, data=a.data)
        assert archive.startswith(b"PENFOLD-TENANT-1\n") and os.stat(key).st_mode & 0o777 == 0o600
        assert ANN.encode() not in archive and b"text 1 text" not in archive, "the archive can be read"
        timed(f"out of a running server, to standard output: {numbers(said)}", begin)

        # --- frozen: read and not written
        begin = time.monotonic()
        penfold("export", "--tenant", "Move", path("a.archive"), "--key", key, "--freeze", data=a.data)
        left = checksum(penfold("export", "--tenant", "Move", path("again.archive"), "--key", key, data=a.data)[0].decode())
        same(before, seen(a.port["imap"], since), "frozen")
        c = lib.Imap("127.0.0.1", a.port["imap"], ANN, SECRET)
        try:
            c.append("INBOX", mail("late"))
            raise AssertionError("a frozen mailbox was written to")
        except lib.ImapError as error:
            assert "UNAVAILABLE" in str(error), error
        c.close()
        lib.wait_until(lambda: refused(out), 30, 0.5, "451 at RCPT")
        timed("frozen: FETCH answers, APPEND is NO [UNAVAILABLE], RCPT is 451", begin)

        # --- into the cloud
        begin = time.monotonic()
        with open(path("short.archive"), "wb") as f:
            f.write(open(path("again.archive"), "rb").read()[:-20000])
        assert "ends early" in penfold("import", "--tenant", path("short.archive"), "--key", key, code=1)[1]
        with open(path("other.key"), "wb") as f:
            f.write(os.urandom(32))
        assert "key file" in penfold("import", "--tenant", path("again.archive"), "--key", path("other.key"), code=1)[1]
        assert not penfold("tenant", "list")[0], "a tenant that has not come over whole is there"
        came = penfold("import", "--tenant", path("again.archive"), "--key", key)[0].decode()
        assert checksum(came) == left, (came, left)
        assert "already" in penfold("import", "--tenant", path("again.archive"), "--key", key, code=1)[1]
        timed(f"into the cloud, after one that was cut off: {numbers(came)}, the same checksum", begin)
        begin = time.monotonic()
        edge = processes.Edge("imap", 1, work).start()
        running.append(edge)
        same(before, seen(edge.port["imap"], since), "in the cloud")
        penfold("tenant", "thaw", "Move")
        said = penfold("check")[0].decode().strip().splitlines()[-1]
        c = lib.Imap("127.0.0.1", edge.port["imap"], ANN, SECRET)
        c.append("INBOX", mail("in the cloud"), "Cloudy")
        c.select("INBOX")
        c.cmd(r"STORE 1:4 +FLAGS (\Answered)")
        c.close()
        before = seen(edge.port["imap"], since)
        timed(f"seen in the cloud as before; {said}", begin)

        # --- and on, through a pipe
        begin = time.monotonic()
        first = subprocess.Popen([processes.program("penfold"), "--cloud", "export", "--tenant", "Move", "-", "--key", key], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        came = penfold("import", "--tenant", "-", "--key", key, data=path("c"), stdin=first.stdout)[0].decode()
        said = first.stderr.read().decode()
        assert first.wait(60) == 0, said
        assert checksum(came) == checksum(said), (came, said)
        c = lib.Server(path("c"), lib.write_seed(path("c.toml"), [])).start()
        running.append(c)
        same(before, seen(c.port["imap"], since), "back on a disk")
        code, said = c.check()
        assert code == 0, said
        timed(f"through a pipe to another disk: {numbers(came)}, the same checksum, the same mailbox; {said.strip().splitlines()[-1]}", begin)
        assert c.stop() == 0 and edge.stop() == 0
        penfold("tenant", "thaw", "Move", data=a.data)
        assert not refused(lib.Smtp("127.0.0.1", a.port["smtp"])), "a thawed mailbox takes no mail"
    finally:
        for process in running:
            process.kill()


def refused(smtp):
    """Whether the mailbox takes no mail now, and the sender is told to come again."""
    smtp.cmd("MAIL FROM:<a@elsewhere.test>", 250)
    try:
        smtp.cmd(f"RCPT TO:<{BOB}>", 250)
        return False
    except lib.SmtpError as error:
        assert error.code == 451, error
        return True
    finally:
        smtp.cmd("RSET", 250)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--keep", action="store_true", help="keep the stores, archives and logs")
    p.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = p.parse_args()
    if options.inside:
        work = lib.scratch("move")
        try:
            inside(work)
            print("1 passed, 0 failed")
        finally:
            if options.keep:
                print(f"all of it is in {work}")
            else:
                shutil.rmtree(work, ignore_errors=True)
        return 0
    return beside.the_cloud("move", __file__, *sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
