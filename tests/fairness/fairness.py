#!/usr/bin/env python3
"""One noisy tenant beside 50 quiet ones: it floods by mail, IMAP, calendars, API and mailings, and slows itself; nothing of the others is refused or lost.

usage: fairness.py [--seed N] [--rounds N] [--turns N]
The quiet ones do a modest routine each: they wait in IDLE, get a message by SMTP, see it, fetch it, make a call to the API, and put an event into their calendar. First alone,
then beside the noise, then beside it with turns and limits switched off. Times are printed and judged by nobody; what is judged is who was
refused what, and that all mail was seen.
"""
import argparse
import concurrent.futures
import os
import random
import re
import sys
import time
import urllib.request

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "lib")]
import noise  # noqa: E402
import penfold_testlib as lib  # noqa: E402
from penfold_api import Client, a_network, expect  # noqa: E402
from penfold_dav import Dav, event  # noqa: E402

PASSWORD = "plum cactus orbit"
QUIET = [f"ann@quiet{n:02}.test" for n in range(50)]
# People who do something at the same moment.
AT_A_TIME = 10
MAILS = 400
# So low that a minute's worth is used up soon; the usual ones are meant for what nobody does in earnest.
LIMITS = {"IMAP_PER_PERSON": "4", "MAIL_IN_PER_MINUTE": "240"}
OFF = {"IMAP_PER_PERSON": "0", "MAIL_IN_PER_MINUTE": "0", "TURNS": "0"}
# What the noisy one is to meet.
MET = (noise.SEATS, noise.PUT_OFF, noise.TOO_MANY)
STEPS = ["mail taken", "seen in IDLE", "fetched", "API call", "event put and read"]


class Quiet:
    """One person of a tenant of their own."""

    def __init__(self, address, ports):
        self.address, self.ports, self.mails = address, ports, 0
        self.imap = lib.Imap("127.0.0.1", ports["imap"], address, PASSWORD, timeout=120)
        self.there = self.imap.select("INBOX")["exists"]
        client = Client(ports["http"], source=a_network())
        self.dav = Dav("127.0.0.1", ports["http"], address, PASSWORD, timeout=120)
        self.calendar = self.dav.collection("VEVENT")
        self.api = Client(ports["http"], expect(client.post("/v1/sessions", {"address": address, "password": PASSWORD}), 201)["token"])

    def routine(self):
        """Seconds of each step."""
        subject = f"For {self.address}, {self.mails} of {time.time()}"
        idle, _ = self.imap.start("IDLE")
        while not self.imap.response()[0].startswith(b"+"):
            pass
        clock = [time.perf_counter()]
        smtp = lib.Smtp("127.0.0.1", self.ports["smtp"], timeout=120)
        smtp.send("bob@elsewhere.test", [self.address], f"From: <bob@elsewhere.test>\r\nTo: <{self.address}>\r\nSubject: {subject}\r\n\r\nHello.\r\n".encode())
        clock.append(time.perf_counter())
        while not (m := re.match(rb"\* (\d+) EXISTS", self.imap.response()[0])):
            pass
        clock.append(time.perf_counter())
        self.imap.s.sendall(b"DONE\r\n")
        self.imap.finish(idle)
        now = int(m.group(1))
        assert now == self.there + 1, f"{self.address}: {self.there} messages, then {now}"
        self.there, self.mails = now, self.mails + 1
        begun = time.perf_counter()
        got = self.imap.fetch(f"{now} (UID BODY.PEEK[])")
        fetched = time.perf_counter() - begun
        assert subject.encode() in got[now]["BODY[]"], got
        begun = time.perf_counter()
        expect(self.api.get("/v1/me"), 200)
        called = time.perf_counter() - begun
        begun, path = time.perf_counter(), f"{self.calendar}{time.time_ns()}.ics"
        self.dav.put(path, event(subject, subject), 201)
        assert subject in self.dav.get(path).text
        planned = time.perf_counter() - begun
        smtp.close()
        return [clock[1] - clock[0], clock[2] - clock[1], fetched, called, planned]

    def end(self):
        self.imap.s.close()
        self.dav.close()


class Run:
    def __init__(self, work, seed):
        self.work, self.rnd = work, random.Random(seed)
        people = [(one, PASSWORD, "Reader") for one in noise.READERS] + [(one, None, "Member") for one in noise.MEMBERS]
        tenants = [("Noisy", [noise.DOMAIN], people)] + [(one.split("@")[1], [one.split("@")[1]], [(one, PASSWORD, "Ann")]) for one in QUIET]
        self.seed = lib.write_seed(os.path.join(work, "seed.toml"), tenants)

    def server(self, settings):
        env = {f"PENFOLD_{name}": value for name, value in settings.items()} | {"PENFOLD_LOG": "warn"}
        return lib.Server(os.path.join(self.work, "data"), self.seed, env=env)

    def fill(self, server):
        """What the noisy one will search and fetch."""
        for command in (["group", "add", noise.GROUP, "--post", "anyone"], ["group", "member", "add", noise.GROUP, *noise.MEMBERS]):
            code, text = lib.command([*command, "--data", server.data])
            assert code == 0, text
        words = [f"word{n}" for n in range(500)]

        def some(count):
            rnd = random.Random(count)
            smtp = lib.Smtp("127.0.0.1", server.port["smtp"], timeout=120)
            for n in range(count, MAILS, 4):
                text = "\r\n".join(" ".join(rnd.choices(words, k=10)) for _ in range(60))
                smtp.send("s@flood.test", noise.READERS, f"From: <s@flood.test>\r\nSubject: {n}\r\n\r\n{text}\r\n".encode())
            smtp.close()

        together(some, range(4))
        dav = Dav("127.0.0.1", server.port["http"], noise.READERS[-1], PASSWORD)
        for n in range(noise.EVENTS):
            dav.put(f"{dav.collection('VEVENT')}{n}.ics", event(f"e{n}", f"Event {n}"), 201)
        dav.close()
        imap = lib.Imap("127.0.0.1", server.port["imap"], noise.READERS[-1], PASSWORD)
        lib.wait_until(lambda: imap.status("INBOX")["MESSAGES"] == MAILS, 60, what="the noisy one's mail")
        client = Client(server.port["http"], source=a_network())
        return expect(client.post("/v1/sessions", {"address": noise.READERS[0], "password": PASSWORD}), 201)["token"]

    def quiet(self, server):
        return together(lambda one: Quiet(one, server.port), QUIET)

    def rounds(self, people, count):
        """Each quiet person's routine, `count` times: seconds by step."""
        times = []
        for _ in range(count):
            self.rnd.shuffle(people)
            times += together(Quiet.routine, people)
        return times

    def beside(self, server, people, token, count, limited):
        with noise.Noise(server.port, PASSWORD, token, self.rnd.randrange(1 << 30)) as loud:
            lib.wait_until(lambda: loud.count(noise.COMMANDS) >= noise.CONNECTIONS and loud.count(noise.MESSAGES) > 100, 60, what="noise")
            before, begun = loud.all(), time.monotonic()
            times = self.rounds(people, count)
            seconds = time.monotonic() - begun
            # Its limits are met sooner or later, however fast the machine is.
            if limited:
                lib.wait_until(lambda: all(loud.count(what) for what in MET), 60, what="the noisy one's limits")
            return times, loud.all(), {name: (value - before[name]) / seconds for name, value in loud.all().items()}


def together(work, many):
    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        return list(pool.map(work, many))


def waited(server):
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port['http']}/metrics", timeout=60) as answer:
        text = answer.read().decode()
    return {name: float(re.search(rf"^penfold_{name}_turns_waited_total (\S+)", text, re.M).group(1)) for name in ("client", "mail")}


def percentiles(times):
    """Median and 95 % of each step and of the whole, in milliseconds."""
    columns = [sorted(column) for column in zip(*[[*steps, sum(steps)] for steps in times])]
    return [(1e3 * column[len(column) // 2], 1e3 * column[len(column) * 95 // 100]) for column in columns]


def table(alone, turns, off):
    print(f"{'milliseconds, median / 95 %':28}{'alone':>20}{'beside, turns':>20}{'beside, no turns':>20}{'95 %: times alone':>24}")
    for name, *cells in zip([*STEPS, "all of it"], *map(percentiles, (alone, turns, off))):
        text = "".join(f"{f'{half:.1f} / {most:.1f}':>20}" for half, most in cells)
        print(f"{name:28}{text}{f'{cells[1][1] / cells[0][1]:.1f}, {cells[2][1] / cells[0][1]:.1f}':>24}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "big"))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--turns", type=int, default=4, help="IMAP commands at a time; fewer than usual, so that there is waiting on a large machine too")
    args = parser.parse_args()
    begin, work = time.monotonic(), lib.scratch("fairness")
    print(f"fairness: seed {args.seed}, one noisy tenant, {len(QUIET)} quiet ones", flush=True)
    run = Run(work, args.seed)
    servers = []
    try:
        # The noisy one's mail comes in before there are limits.
        servers.append(run.server(OFF).start())
        token = run.fill(servers[-1])
        servers[-1].stop()
        servers.append(run.server(LIMITS | {"TURNS": str(args.turns)}).start())
        people = run.quiet(servers[-1])
        alone = run.rounds(people, args.rounds)
        turns, loud, pace = run.beside(servers[-1], people, token, args.rounds, True)
        waits = waited(servers[-1])
        print(f"noise, in turns: {loud}, waited for a turn: {waits}")
        assert waits["client"] > 0, "nobody waited for a turn"
        assert loud["failures"] == 0, f"the noisy one is slowed down, not broken: {loud}"
        together(Quiet.end, people)
        servers[-1].stop()
        servers.append(run.server(OFF).start())
        people = run.quiet(servers[-1])
        off, loud, pace_off = run.beside(servers[-1], people, token, 1, False)
        print(f"noise, no turns: {loud}")
        assert loud["IMAP connections refused"] == loud["messages put off"] == 0 and sum(waited(servers[-1]).values()) == 0, loud
        table(alone, turns, off)
        print("noise a second while the others worked: " + ", ".join(f"{name} {pace[name]:.0f} in turns, {pace_off[name]:.0f} without"
                                                                     for name in ("IMAP commands", "messages taken", "API calls", "calendar queries")))
        together(Quiet.end, people)
        servers[-1].stop(60)
    except BaseException:
        print(f"log:\n{servers[-1].tail()}" if servers else "no server")
        raise
    finally:
        for server in servers:
            server.kill()
        lib.remove(work)
    print(f"fairness: {time.monotonic() - begin:.1f} s\npassed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
