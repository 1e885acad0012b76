"""A client of the REST API, codes of a second factor, and callers with addresses of their own.

Standard library only. Loopback is a whole network: `source` makes a client one of 127.0.0.0/8, and so a network of its own for limits.
"""
import base64
import hashlib
import hmac
import http.client
import itertools
import json
import struct
import time
import urllib.parse

_sources = itertools.count(1)


def a_network():
    """An address that nobody has used yet."""
    n = next(_sources)
    return f"127.{1 + n // 60000}.{n // 250 % 240}.{1 + n % 250}"


class Answer:
    def __init__(self, request, status, fields, text):
        self.request, self.status, self.text = request, status, text
        self.fields = {name.lower(): value for name, value in fields}
        kind = self.fields.get("content-type", "")
        self.body = json.loads(text) if text and "json" in kind else None

    def __getitem__(self, name):
        return self.body[name]

    @property
    def pointers(self):
        """The fields that a problem names."""
        return [one["pointer"] for one in (self.body or {}).get("errors", [])]

    def __repr__(self):
        fields = {name: value for name, value in self.fields.items() if name in ("retry-after", "ratelimit", "etag", "location")}
        return f"{self.request} -> {self.status} {fields or ''} {self.text[:600]}"


class Client:
    """Whoever asks: with a token or without, over one connection that is kept."""

    def __init__(self, port, token=None, source=None, host="127.0.0.1"):
        self.host, self.port, self.token, self.source, self.line = host, port, token, source, None
        # Comes back when it is told to, where a suite asks more than one tenant may.
        self.patient = False

    def ask(self, method, path, body=None, fields=None, query=None, **named):
        """`path` may hold {names}, which `named` gives."""
        for name, value in named.items():
            path = path.replace("{" + name + "}", urllib.parse.quote(str(value), safe="@"))
        if query:
            path += "?" + urllib.parse.urlencode(query)
        head, data = dict(fields or {}), None
        if self.token and "Authorization" not in head:
            head["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            head.setdefault("Content-Type", "application/json")
        while True:
            answer = self._once(method, path, data, head)
            if not (self.patient and answer.status == 429):
                return answer
            time.sleep(int(answer.fields["retry-after"]))

    def _once(self, method, path, data, head):
        for last in (False, True):
            try:
                if self.line is None:
                    self.line = http.client.HTTPConnection(self.host, self.port, timeout=60, source_address=(self.source, 0) if self.source else None)
                try:
                    self.line.request(method, path, data, head)
                except (BrokenPipeError, ConnectionResetError):
                    # What is too long is answered before all of it is sent; a connection that is gone answers nothing.
                    pass
                got = self.line.getresponse()
                return Answer(f"{method} {path}", got.status, got.getheaders(), got.read().decode(errors="replace"))
            except (http.client.HTTPException, OSError):
                # A connection that was kept may be gone; a new one says what is the matter.
                self.close()
                if last:
                    raise

    def get(self, path, **more):
        return self.ask("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.ask("POST", path, body, **more)

    def put(self, path, body=None, **more):
        return self.ask("PUT", path, body, **more)

    def patch(self, path, body=None, **more):
        return self.ask("PATCH", path, body, **more)

    def delete(self, path, body=None, **more):
        return self.ask("DELETE", path, body, **more)

    def close(self):
        if self.line:
            self.line.close()
        self.line = None


def expect(answer, *statuses):
    """The answer, which has one of these statuses; its body where there is one."""
    assert answer.status in (statuses or (200, 201, 202, 204)), f"expected {statuses or '2xx'}: {answer}"
    return answer


def totp(secret, step=0, now=None):
    """RFC 6238: six digits of 30 seconds, `step` of them later."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    counter = int((time.time() if now is None else now) // 30) + step
    tag = hmac.digest(key, struct.pack(">Q", counter), hashlib.sha1)
    at = tag[-1] & 15
    return f"{(struct.unpack('>I', tag[at:at + 4])[0] & 0x7FFFFFFF) % 1000000:06}"


assert totp("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", now=59) == "287082", "appendix B"
