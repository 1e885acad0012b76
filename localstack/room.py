"""A private room for servers and what talks to them: namespaces of its own for network, processes and mounts.

Nothing in it can be reached from outside or reach out, and when its first process ends the kernel ends all others, its
network and its temporary file system: nothing can be left behind. As root, or (a user namespace more) as anybody.
"""
import ctypes
import fcntl
import os
import signal
import socket
import struct
import time

NEWNS, NEWUSER, NEWPID, NEWNET = 0x00020000, 0x10000000, 0x20000000, 0x40000000
MS_REC_PRIVATE = 0x4000 | 1 << 18
PR_SET_PDEATHSIG = 1
SIOCSIFFLAGS, IFF_UP_RUNNING_LOOPBACK = 0x8914, 0x1 | 0x40 | 0x8
SI_KERNEL = 0x80  # the terminal's own Ctrl-C: the whole foreground group has had it already
SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT}
GRACE = 10.0

libc = ctypes.CDLL(None, use_errno=True)


class Refused(Exception):
    """The kernel does not give us a room."""


def call(result, what):
    if result:
        raise Refused(f"{what}: {os.strerror(ctypes.get_errno())}")


def enter(join):
    """Moves this process, and its next child as first process, into a new room; or into the network of the room of process `join`."""
    flags, user, group = NEWPID, os.geteuid(), os.getegid()
    for kind in ("user", "net") if join else ():
        there = f"/proc/{join}/ns/{kind}"
        if os.stat(there).st_ino != os.stat(f"/proc/self/ns/{kind}").st_ino:
            with open(there) as f:
                call(libc.setns(f.fileno(), 0), f"joining the {kind} namespace")
            if kind == "user":
                user = 0  # its owner may do there what root may
    flags |= (0 if join else NEWNET) | (NEWUSER if user else 0)
    call(libc.unshare(flags), "unshare")  # mounts follow in the first process, so that this one keeps its /proc
    if user:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{name}", "w") as f:
                f.write(text)


def furnish(scratch, joined):
    """The first process sets up what a room needs: its own /proc, a temporary file system over `scratch`, loopback."""
    def mount(source, target, kind, flags):
        call(libc.mount(source, target.encode(), kind, flags, None), f"mounting {target}")
    call(libc.unshare(NEWNS), "unshare")
    mount(None, "/", None, MS_REC_PRIVATE)
    mount(b"proc", "/proc", b"proc", 0)
    mount(b"tmpfs", scratch, b"tmpfs", 0)
    if not joined:
        with socket.socket() as s:
            fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", IFF_UP_RUNNING_LOOPBACK))


def start(job, scratch, join=None, tied=True):
    """Runs `job()` as the first process of a room, its result being the exit status. Gives back its pid.
    `tied`: it dies with its parent, however that ends."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS | {signal.SIGCHLD})
    for s in SIGNALS:
        signal.signal(s, lambda *_: None)  # an inherited "ignore" would swallow them before anybody waits for them
    enter(join)
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        if tied:
            call(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL), "prctl")
        furnish(scratch, join)
        code = job()
    except Refused as e:
        os.write(2, f"no private room for the local cloud ({e}): run as root, or allow user namespaces\n".encode())
        code = 3
    finally:
        os._exit(code)


def unblock():
    """For a child between fork and exec."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


reaped = {}


def wait(pid, ended=None):
    """Waits for one child and gives back its exit status as a shell would; reaps all others (`ended(pid, status)` hears of them).
    Hands signals on to it, and SIGKILL when it has not obeyed after the grace time."""
    limit = None
    while pid not in reaped:
        info = signal.sigtimedwait(SIGNALS | {signal.SIGCHLD}, max(0, limit - time.monotonic()) if limit else 3600)
        if info and info.si_signo != signal.SIGCHLD:
            if info.si_code != SI_KERNEL:
                os.kill(pid, info.si_signo)
                limit = limit or time.monotonic() + GRACE
            continue
        if not info and limit:
            os.kill(pid, signal.SIGKILL)
        while True:
            try:
                child, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                child = 0
            if not child:
                break
            code = os.waitstatus_to_exitcode(status)
            reaped[child] = 128 - code if code < 0 else code
            if child != pid and ended:
                ended(child, reaped[child])
    return reaped[pid]
