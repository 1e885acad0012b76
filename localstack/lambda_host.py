"""Runs a function's binary as Lambda would: its events come from a queue, a clock or HTTP, as infra/cell.json says of it.

Usage: lambda-host FUNCTION BINARY [options]. Prints `ready`, or with --events a line of JSON for whatever happens, and when it is told to end
(SIGTERM, SIGINT) a summary as JSON: how long instances took to begin and to answer, and the memory they had at most.
"""
import argparse
import json
import math
import os
import signal
import sys
import threading
import time
from collections import Counter

import lambda_sources
from lambda_runtime import Failed, Function, Instance

CELL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "infra", "cell.json")


def spread(values, digits=1):
    if not values:
        return {"n": 0}
    values = sorted(values)
    at = lambda share: round(values[max(0, math.ceil(share * len(values)) - 1)], digits)
    return {"n": len(values), "p50": at(0.5), "p99": at(0.99), "max": at(1)}


class Host:
    """Instances, the idle ones first; as many as there are events at a time, up to a limit."""

    def __init__(self, function, limit, events):
        self.function, self.limit, self.events = function, limit, events
        self.lock, self.idle, self.all = threading.Condition(), [], set()
        self.inits, self.durations, self.outcomes, self.counts, self.peak = [], [], Counter(), Counter(), 0
        self.closing = threading.Event()

    def tell(self, event, **more):
        if self.events:
            # In one piece, as several threads tell.
            sys.stdout.write(json.dumps({"event": event, "at": round(time.time(), 3), **more}) + "\n")
            sys.stdout.flush()

    def count(self, name, by=1):
        with self.lock:
            self.counts[name] += by

    def _take(self):
        with self.lock:
            self.lock.wait_for(lambda: self.idle or len(self.all) < self.limit or self.closing.is_set())
            if self.closing.is_set():
                raise Failed("closing", "the host ends")
            while self.idle:
                instance = self.idle.pop()
                if instance.alive():
                    return instance
                self._lost(instance, "died")
            instance = Instance(self.function)
            self.all.add(instance)
        self.tell("started", pid=instance.pid)
        try:
            instance.ready()
        except Failed as e:
            with self.lock:
                self._lost(instance, e.kind)
            raise
        with self.lock:
            self.inits.append(instance.init_seconds)
        return instance

    def _lost(self, instance, how):
        """The lock is held."""
        instance.kill()
        self.all.discard(instance)
        self.peak = max(self.peak, instance.peak_kib)
        self.lock.notify()
        self.tell("ended", pid=instance.pid, how=how)

    def invoke(self, payload, **about):
        """One event; the answer as bytes. Raises Failed."""
        try:
            instance = self._take()
        except Failed as e:
            with self.lock:
                self.outcomes[e.kind] += 1
            raise
        self.tell("invoke", pid=instance.pid, **about)
        begin = time.monotonic()
        outcome = "ok"
        try:
            return instance.invoke(payload)
        except Failed as e:
            outcome = e.kind
            raise
        finally:
            with self.lock:
                self.outcomes[outcome] += 1
                self.durations.append(time.monotonic() - begin)
                # After an error of its own an instance goes on; after anything else it is gone.
                if outcome in ("ok", "error") and instance.alive():
                    self.idle.append(instance)
                    self.peak = max(self.peak, instance.peak_kib)
                    self.lock.notify()
                else:
                    self._lost(instance, outcome)
            self.tell("answered", pid=instance.pid, outcome=outcome, ms=round((time.monotonic() - begin) * 1000, 1))

    def close(self):
        self.closing.set()
        with self.lock:
            self.lock.notify_all()
            for instance in list(self.all):
                self._lost(instance, "closing")

    def summary(self):
        with self.lock:
            ms = lambda values: spread([v * 1000 for v in values])
            return {"function": self.function.name, "invocations": sum(self.outcomes.values()), "outcomes": dict(self.outcomes), **self.counts,
                    "init_ms": ms(self.inits), "duration_ms": ms(self.durations),
                    "peak_mb": round(self.peak / 1024, 1), "memory_mb": self.function.memory, "package_mb": round(os.path.getsize(self.function.binary) / 1e6, 1)}


def options(functions):
    p = argparse.ArgumentParser(prog="lambda-host", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    p.add_argument("function", choices=sorted(functions))
    p.add_argument("binary")
    p.add_argument("--instances", type=int, default=2, help="events at a time, each in an instance of its own (2)")
    p.add_argument("--memory", type=int, metavar="MB", help="instead of what cell.json says")
    p.add_argument("--timeout", type=float, metavar="SECONDS", help="instead of what cell.json says")
    p.add_argument("--batch", type=int, help="messages of a queue at a time, instead of what cell.json says")
    p.add_argument("--visibility", type=int, metavar="SECONDS", help="until the queue gives a message again, instead of what the queue says")
    p.add_argument("--every", type=float, metavar="SECONDS", help="the clock's step, instead of what cell.json says")
    p.add_argument("--input", type=json.loads, default={}, metavar="JSON", help="what the clock's events hold besides")
    p.add_argument("--http", type=int, metavar="PORT", help="port on loopback for a function that HTTP calls (any free one)")
    p.add_argument("--log", default=os.devnull, help="file for what the function prints")
    p.add_argument("--no-freeze", action="store_true", help="let instances run between events, which Lambda does not")
    p.add_argument("--events", action="store_true", help="tell what happens")
    return p.parse_args()


def main():
    with open(CELL) as f:
        cell = json.load(f)
    o = options(cell["functions"])
    is_ours = cell["functions"][o.function]
    if not os.access(o.binary, os.X_OK):
        sys.exit(f"lambda-host: {o.binary} is no program: build it with `make cloud`")
    function = Function(o.function, o.binary, o.memory or is_ours["memory"], o.timeout or is_ours["timeout"], os.path.abspath(o.log), not o.no_freeze)
    host, over = Host(function, o.instances, o.events), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    if "queue" in is_ours:
        source = lambda_sources.Queue(host, f"PENFOLD_QUEUE_{is_ours['queue'].upper()}", o.batch or is_ours["batch"], o.visibility)
    elif "every_minutes" in is_ours or o.every:
        source = lambda_sources.Clock(host, o.every or is_ours["every_minutes"] * 60, o.input)
    else:
        source = lambda_sources.Http(host, o.http or 0)
    print("ready" + source.about, flush=True)
    while not over.wait(1) and not source.broken:
        pass
    source.close()
    host.close()
    print(json.dumps(host.summary()), flush=True)
    if source.broken:
        sys.exit(f"lambda-host: {source.broken}")


if __name__ == "__main__":
    main()
