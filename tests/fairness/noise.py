"""One tenant that floods: IMAP commands, calendars, mail in, mailings to a large group, API calls; each as fast as it is answered.

It runs in processes of its own and counts what was done for it and what was refused, where the others can read it.
"""
import multiprocessing
import os
import random
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib"))
import penfold_testlib as lib  # noqa: E402
from penfold_api import Client, a_network  # noqa: E402
from penfold_dav import Dav  # noqa: E402

DOMAIN, GROUP = "noisy.test", "all@noisy.test"
READERS = [f"reader{n}@{DOMAIN}" for n in range(8)]
MEMBERS = [f"member{n:03}@{DOMAIN}" for n in range(200)]
CONNECTIONS, SENDERS, CALENDARS = 40, 12, 12
EVENTS = 300
# What is counted.
COMMANDS, SEATS, MESSAGES, PUT_OFF, CALLS, TOO_MANY, QUERIES, FAILED = range(8)
NAMES = ["IMAP commands", "IMAP connections refused", "messages taken", "messages put off", "API calls", "API calls refused", "calendar queries", "failures"]
COMMAND = ['UID SEARCH TEXT "nothing like this"', "FETCH 1:200 (UID BODY.PEEK[])", 'UID SEARCH BODY "neither is this"', "STORE 1:300 +FLAGS.SILENT (\\Flagged)"]
PAUSE = 0.05


class Noise:
    """Two processes: one of readers, one of all the others."""

    def __init__(self, ports, password, token, seed):
        context = multiprocessing.get_context("spawn")
        self.counts = [context.Array("L", len(NAMES), lock=False) for _ in range(2)]
        self.stop = context.Event()
        self.processes = [context.Process(target=run, args=(what, ports, password, token, seed, counts, self.stop), daemon=True)
                          for what, counts in zip((readers, others), self.counts)]

    def __enter__(self):
        for process in self.processes:
            process.start()
        return self

    def count(self, what):
        return sum(counts[what] for counts in self.counts)

    def all(self):
        return {name: self.count(n) for n, name in enumerate(NAMES)}

    def __exit__(self, *_):
        self.stop.set()
        for process in self.processes:
            process.join(30)
            process.kill()


def run(what, ports, password, token, seed, counts, stop):
    lock = threading.Lock()

    def count(index):
        with lock:
            counts[index] += 1

    jobs = what(ports, password, token, seed)
    threads = [threading.Thread(target=again, args=(job, count, stop), daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    stop.wait()
    os._exit(0)


def again(job, count, stop):
    while not stop.is_set():
        try:
            job(count, stop)
        except (OSError, EOFError, lib.ImapError, lib.SmtpError) as error:
            if not stop.is_set():
                count(FAILED)
                print(f"noise: {error!r}", flush=True)
            time.sleep(PAUSE)


def readers(ports, password, _token, _seed):
    def job(number):
        def reading(count, stop):
            imap = lib.Imap("127.0.0.1", ports["imap"], timeout=120)
            try:
                imap.login(READERS[number % len(READERS)], password)
            except lib.ImapError as error:
                if "[LIMIT]" not in str(error):
                    raise
                count(SEATS)
                imap.s.close()
                time.sleep(10 * PAUSE)
                return
            imap.select("INBOX")
            command = COMMAND[number // len(READERS) % len(COMMAND)]
            while not stop.is_set():
                imap.drain(command)
                count(COMMANDS)
                if command.startswith("STORE"):
                    command = command.replace("+", "\0").replace("-", "+").replace("\0", "-")
        return reading
    return [job(number) for number in range(CONNECTIONS)]


def others(ports, password, token, seed):
    def sender(number):
        rnd = random.Random(seed * 100 + number)

        def sending(count, stop):
            smtp = lib.Smtp("127.0.0.1", ports["smtp"], timeout=120)
            while not stop.is_set():
                to = GROUP if rnd.random() < 0.1 else rnd.choice(MEMBERS)
                data = f"From: <s@flood.test>\r\nTo: <{to}>\r\nSubject: flood {rnd.random()}\r\n\r\n" + "More of it.\r\n" * 150
                try:
                    smtp.send("s@flood.test", [to], data.encode())
                    count(MESSAGES)
                except lib.SmtpError as error:
                    # 421: it has been told so too often on this connection.
                    if error.code not in (452, 421):
                        raise
                    count(PUT_OFF)
                    time.sleep(PAUSE)
                    if error.code == 421:
                        return
        return sending

    def caller(token):
        source = a_network()

        def calling(count, stop):
            client = Client(ports["http"], token, source)
            while not stop.is_set():
                status = client.get("/v1/me").status
                count({200: CALLS, 401: CALLS, 429: TOO_MANY}.get(status, FAILED))
                if status == 429:
                    time.sleep(PAUSE)
        return calling

    def calendar(number):
        def querying(count, stop):
            dav = Dav("127.0.0.1", ports["http"], READERS[-1], password, timeout=120)
            folder = dav.collection("VEVENT")
            while not stop.is_set():
                found = len(dav.query(folder, "VEVENT", "20000101T000000Z", "20990101T000000Z"))
                count(QUERIES if found == EVENTS else FAILED)
        return querying

    # A person, whose limit takes a while to be met, and a network on which nobody signs in.
    return [sender(number) for number in range(SENDERS)] + [calendar(number) for number in range(CALENDARS)] + [caller(token), caller(None)]
