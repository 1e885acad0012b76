"""Loaded by schemathesis itself ($SCHEMATHESIS_HOOKS): whose token a request has, and from which network it comes.

One administrator after the other, so that no limit of one is met; every connection is from a network of its own, and nobody without a token keeps one,
for the same reason. What was answered is counted in $API_ANSWERS.
"""
import atexit
import itertools
import json
import os

from collections import Counter, defaultdict

import schemathesis
import urllib3.util.connection

with open(os.environ["API_TOKENS"], encoding="utf-8") as f:
    TOKENS = json.load(f)
CALLERS, SOURCES, connect = itertools.cycle(TOKENS["callers"]), itertools.count(), urllib3.util.connection.create_connection
ANSWERS = defaultdict(Counter)


def connect_from_somewhere(address, timeout, source_address=None, **more):
    n = next(SOURCES)
    return connect(address, timeout, source_address=(f"127.{200 + n // 50000 % 50}.{n // 250 % 200}.{n % 250 + 1}", 0), **more)


urllib3.util.connection.create_connection = connect_from_somewhere


@schemathesis.hook
def before_call(context, case, kwargs):
    public = case.operation.definition.raw.get("x-permission") == "public"
    token = TOKENS["signup"] if public else TOKENS["of"].get(f"{case.operation.method.upper()} {case.operation.path}") or next(CALLERS)
    case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}", **({"Connection": "close"} if public else {})}


@schemathesis.hook
def after_call(context, case, response):
    ANSWERS[f"{case.operation.method.upper()} {case.operation.path}"][response.status_code] += 1


@atexit.register
def write():
    with open(os.environ["API_ANSWERS"], "w", encoding="utf-8") as f:
        json.dump(ANSWERS, f)
