"""What is measured, each on one side, once. All loads are bounded in count and time and go to loopback only."""
import os
import resource
import select
import socket
import subprocess
import threading
import time

from sides import PASSWORD, lib, message


def smtp_rate(side, work, people, sessions, messages):
    """(accepted/s, visible/s) of 4 KB mail from Postfix's smtp-source: `sessions` at once over the mailboxes of `people`."""
    path = os.path.join(work, "mail.txt")
    with open(path, "wb") as f:
        f.write(message(4096, 1).replace(b"\r\n", b"\n"))
    boxes = [side.imap(p) for p in people]
    before = [b.status("INBOX", "MESSAGES")["MESSAGES"] for b in boxes]
    workers = min(sessions, len(people))
    each, per_worker, errors = messages // len(people), sessions // workers, []

    def work_off(mine):
        for person in mine:
            done = subprocess.run(["smtp-source", "-s", str(per_worker), "-m", str(each), "-F", path, "-d", "-f", "bench@far.test", "-t", person,
                                   f"inet:{side.host}:{side.port['smtp']}"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=300)
            if done.returncode or done.stderr:
                errors.append(done.stderr.decode()[:300])
    begin = time.perf_counter()
    threads = [threading.Thread(target=work_off, args=(people[k::workers],)) for k in range(workers)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    accepted = time.perf_counter() - begin
    want = each * len(people)
    waiting = list(zip(boxes, before))

    def all_visible():
        while waiting and waiting[0][0].status("INBOX", "MESSAGES")["MESSAGES"] - waiting[0][1] >= each:
            waiting.pop(0)
        return not waiting
    lib.wait_until(all_visible, 300, 0.002, f"{want} messages at {side.name}")
    visible = time.perf_counter() - begin
    for b in boxes:
        b.close()
    if errors:
        raise RuntimeError(f"smtp-source: {errors[0]}")
    return want / accepted, want / visible


def idle_notice(side, person, samples=40):
    """Milliseconds from the 250 to EXISTS at an idling connection; 0 where the notice came first."""
    c, s = side.imap(person), lib.Smtp(side.host, side.port["smtp"])
    c.select("INBOX")
    c.idle()
    out = []
    for i in range(samples):
        s.cmd("MAIL FROM:<bench@far.test>")
        s.cmd(f"RCPT TO:<{person}>")
        s.cmd("DATA", 354)
        s.s.sendall(lib.stuff(message(4096, i)) + b".\r\n")
        answered = noticed = None
        end = time.monotonic() + 30
        while (answered is None or noticed is None) and time.monotonic() < end:
            ready = select.select([x for x, at in ((s.s, answered), (c.s, noticed)) if at is None], [], [], 30)[0]
            now = time.perf_counter()
            if s.s in ready:
                s.expect(250)
                answered = now
            if c.s in ready:
                while True:
                    if b"EXISTS" in c.response()[0]:
                        noticed = now
                    if not select.select([c.s], [], [], 0)[0]:
                        break
        out.append(max(0.0, noticed - answered) * 1e3)
    c.done()
    c.close()
    s.close()
    return sorted(out)[len(out) // 2]


def way_times(side, person, samples, mailing_to=None):
    """(median, 99th percentile) of the milliseconds from MAIL FROM to EXISTS at an idling connection, one mail at a time every 20 ms.
    With `mailing_to`, another connection meanwhile sends one mail after the other to that list, each as soon as the one before was delivered."""
    stop = threading.Event()

    def mail_the_list():
        s, number = lib.Smtp(side.host, side.port["smtp"]), 0
        while not stop.is_set():
            s.send("bench@far.test", [mailing_to], message(4096, number))
            number += 1
            while not stop.is_set() and side.waiting_seconds() > 0:
                time.sleep(0.05)
        s.close()
    loud = threading.Thread(target=mail_the_list)
    c, s, out = side.imap(person), lib.Smtp(side.host, side.port["smtp"]), []
    c.select("INBOX")
    c.idle()
    if mailing_to:
        loud.start()
        time.sleep(0.5)
    for i in range(samples):
        begin = time.perf_counter()
        s.send("bench@far.test", [person], message(4096, i))
        while b"EXISTS" not in c.response()[0]:
            pass
        took = time.perf_counter() - begin
        out.append(took * 1e3)
        time.sleep(max(0.0, 0.02 - took))
    stop.set()
    if mailing_to:
        loud.join()
        lib.wait_until(lambda: side.waiting_seconds() == 0, 300, 0.1, "the list's mail to be delivered")
    c.done()
    c.close()
    s.close()
    out.sort()
    return out[len(out) // 2], out[len(out) * 99 // 100]


def folder_of_10000(side, person, folder, appends):
    """Milliseconds of single commands on a big folder, and APPENDs a second on one connection."""
    c, got = side.imap(person), {}
    c.select("INBOX")
    _, seconds = c.drain(f'SELECT "{folder}"')
    got["select"] = seconds * 1e3
    for name, command in (("flags", "FETCH 1:* (FLAGS UID)"), ("envelope", "FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)"), ("search", "UID SEARCH TEXT zebracrossing"),
                          ("store", "STORE 1:1000 +FLAGS.SILENT (\\Seen)"), ("bodies", "FETCH 1:* (UID BODY.PEEK[])")):
        data, seconds = c.drain(command)
        got[name] = seconds * 1e3
        if name in ("flags", "envelope") and data.count(b" FETCH (") < 10000:
            raise RuntimeError(f"{name}: too few answers")
        if name == "search" and len(data.split(b"\r\n")[0].split()) - 2 != 10:
            raise RuntimeError(f"SEARCH found {data[:200]!r}")
    c.drain("STORE 1:1000 -FLAGS.SILENT (\\Seen)")
    c.drain('SELECT "INBOX"')
    _, seconds = c.drain(f'SELECT "{folder}"')
    got["select_again"] = seconds * 1e3
    mails = [message(4096, i) for i in range(50)]
    begin = time.perf_counter()
    for i in range(appends):
        c.append("Archive", mails[i % 50])
    got["append"] = appends / (time.perf_counter() - begin)
    c.close()
    return got


def select_times(side, person, folder, repeat=9):
    """Milliseconds of the first SELECT of a folder in this server's life, and the median of later ones."""
    c = side.imap(person)
    c.drain('SELECT "Drafts"')
    _, first = c.drain(f'SELECT "{folder}"')
    later = []
    for _ in range(repeat):
        c.drain('SELECT "Drafts"')
        later.append(c.drain(f'SELECT "{folder}"')[1])
    c.close()
    return first * 1e3, sorted(later)[len(later) // 2] * 1e3


def idle_memory(side, people, tls=False):
    """(KiB that one idle connection costs, MiB of the whole server with all of them), as PSS of all its processes. The connections are signed in,
    have INBOX selected and idle, one a person. One costs what the server grows between half of them and all, the second time over: caches are full
    then, and what signing in (argon2) took has gone back."""
    connections, half, grown = [], len(people) // 2, 0

    def connect(person):
        c = side.imap(person, tls)
        c.cmd('SELECT "INBOX"')
        c.idle()
        c.f.close()  # the client's own buffers
        connections.append(c)
    for _ in range(2):
        try:
            spread(people[:half], connect)
            middle = settled(side)
            spread(people[half:], connect)
            after = settled(side)
            grown = (after - middle) / (len(people) - half)
        finally:
            for c in connections:
                c.s.close()
            connections.clear()
    return grown, after / 1024


def spread(people, act):
    """`act(person)` for everybody, in four threads."""
    todo, wrong = list(people), []

    def work():
        while todo and not wrong:
            try:
                act(todo.pop())
            except IndexError:
                return
            except (OSError, EOFError, lib.ImapError) as e:
                wrong.append(e)
    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if wrong:
        raise RuntimeError(f"{len(todo)} of {len(people)} left, then {wrong[0]!r}")


def settled(side):
    """Memory once it stands still (two looks within 1 %), at most 10 s."""
    pids, last = side.pids(), 0
    for _ in range(10):
        now = lib.memory_kib(pids)
        if abs(now - last) <= now / 100:
            break
        last = now
        time.sleep(1)
    return now


def first_greeting(side):
    """Milliseconds from the start of the stopped server to its first IMAP greeting."""
    begin = time.perf_counter()
    threading.Thread(target=side.launch, daemon=True).start()
    while time.perf_counter() - begin < 60:
        try:
            with socket.create_connection((side.host, side.port["imap"]), timeout=5) as s:
                if s.recv(1):
                    return (time.perf_counter() - begin) * 1e3
        except OSError:
            time.sleep(0.0005)
    raise TimeoutError(f"{side.name} does not greet")


def disk_rate(work, seconds=1.0):
    """fdatasyncs of 4 KB appends a second: what bounds one durable commit after the other here."""
    path, n, begin = os.path.join(work, "sync"), 0, time.perf_counter()
    fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    while time.perf_counter() - begin < seconds:
        os.write(fd, b"x" * 4096)
        os.fdatasync(fd)
        n += 1
    os.close(fd)
    os.unlink(path)
    return n / seconds


def most_connections(wanted):
    """Raises the limit of descriptors as far as it goes; how many connections one process may hold then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in (65536, hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, max(limit, hard)))
            break
        except (ValueError, OSError):
            continue
    return min(wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 600)
