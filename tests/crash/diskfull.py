#!/usr/bin/env python3
"""A full disk: new mail is refused with 452, what is there stays readable, nothing acknowledged is lost, and room brings mail back.

The data directory is on a small tmpfs of its own, so this needs root; without it the suite says so and is skipped.
"""
import os
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib"))
import penfold_testlib as lib  # noqa: E402
from penfold_load import PASSWORD, Audit, Book, Load  # noqa: E402

PEOPLE = [f"f{i}@full.test" for i in range(3)]
SIZE_MIB = 400


def fill(disk, leave):
    """A ballast file that leaves about `leave` octets."""
    with open(os.path.join(disk, "ballast"), "ab") as f:
        try:
            while (left := os.statvfs(disk).f_bavail * os.statvfs(disk).f_bsize - leave) > 0:
                f.write(bytes(min(left, 1 << 20)))
                f.flush()
        except OSError:
            pass


def try_to_send(server):
    """The code that a message gets, wherever in the transaction it comes."""
    s = lib.Smtp("127.0.0.1", server.port["smtp"])
    try:
        s.send("load@elsewhere.test", PEOPLE[:1], b"Subject: full\r\nX-Probe: 1\r\n\r\n" + b"x" * 2000 + b"\r\n")
        return 250
    except lib.SmtpError as e:
        return e.code
    finally:
        s.close()


def readable(server, book):
    """Every message of the book can be read; flags and places as acknowledged."""
    Audit(book, PEOPLE, server.port).run()


def story(disk):
    book = Book()
    server = lib.Server(os.path.join(disk, "data"), lib.write_seed(os.path.join(disk, "seed.toml"), [("Full", ["full.test"], [(p, PASSWORD, p) for p in PEOPLE])]))
    server.log = disk + ".log"
    try:
        server.start()
        load = Load(book, PEOPLE, server.port, 1, "full", limit=15, large=False).start()
        load.finish()
        readable(server, book)
        fill(disk, SIZE_MIB * 1024 * 1024 // 50)  # 2 % left
        lib.wait_until(lambda: try_to_send(server) == 452, 30, 0.2, "452 with 2 % of the disk left")
        readable(server, book)
        fill(disk, 0)
        for _ in range(3):
            code = try_to_send(server)
            assert code in (451, 452), f"a full disk answers {code}"
        c = lib.Imap("127.0.0.1", server.port["imap"], PEOPLE[0], PASSWORD)
        try:
            c.append("Drafts", b"Subject: no room\r\n\r\n" + os.urandom(200_000).hex().encode() + b"\r\n")
            raise AssertionError("APPEND said OK on a full disk")
        except lib.ImapError as e:
            assert str(e).upper().startswith("NO"), e
        c.close()
        readable(server, book)
        os.unlink(os.path.join(disk, "ballast"))
        restarted = False
        try:
            lib.wait_until(lambda: try_to_send(server) == 250, 15, 0.2, "250 after the disk has room")
        except (TimeoutError, OSError, EOFError):
            restarted = True
            server.kill()
            server.start()
            lib.wait_until(lambda: try_to_send(server) == 250, 15, 0.2, "250 after a restart with room")
        readable(server, book)
        code = server.stop()
        assert code == 0, f"SIGTERM: exit {code}"
        code, text = server.check()
        assert code == 0, f"penfold check: exit {code}\n{text[-2000:]}"
        return restarted
    except BaseException:
        print(f"the log ends with:\n{server.tail()}", flush=True)
        raise
    finally:
        server.kill()


def main():
    begin, disk = time.monotonic(), lib.scratch("full")
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m,mode=700", "tmpfs", disk], stderr=subprocess.DEVNULL).returncode:
        os.rmdir(disk)
        print("diskfull: needs root, to mount a small tmpfs\n0 passed, 0 failed, 1 skipped")
        return 0
    try:
        restarted = story(disk)
        print(f"diskfull: 452, readable, and mail again {'after a restart' if restarted else 'as soon as there was room'} ({time.monotonic() - begin:.1f} s)\n1 passed, 0 failed")
        return 0
    except (AssertionError, TimeoutError, RuntimeError, OSError) as e:
        print(f"--- {type(e).__name__}: {e}\ndiskfull: {time.monotonic() - begin:.1f} s\n0 passed, 1 failed")
        return 1
    finally:
        subprocess.run(["umount", disk])
        os.rmdir(disk)
        if os.path.exists(disk + ".log"):
            os.unlink(disk + ".log")


if __name__ == "__main__":
    sys.exit(main())
