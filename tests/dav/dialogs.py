#!/usr/bin/env python3
"""How clients set an account up: the requests of each, in their order, from a text file.

usage: dialogs.py [--radicale] [FILE ...]       default: setup/*.txt

C: METHOD TARGET      then `C: Name: value` lines, an empty `C:`, and the body. {{name}} stands for what was caught before;
                      {{user}}, {{basic}}, {{origin}} and {{today}} are given. A redirection is followed, with the same method and body (RFC 6764 §6).
S: 207                the status, or several: 200|201
S: Name: pattern      a field of the answer; {{}} in a pattern is anything, {{name}} catches it
S: text PATTERN       somewhere in the body
S: root PATH = PATTERN            an element of the body, by ElementTree's paths: d: c: card: cs: ical: are known
S: at HREF PATH = PATTERN         a property that was found of one resource; `*` is the only one; without `= PATTERN` it is there
S: without HREF PATH              it is not there, or is empty
S: find NAME: PATH, PATH          the first resource that has all of these; catches its href
S: gone HREF                      404 for this resource in a multistatus
P: ...                the same as S:, and left out with --radicale: what Radicale does not do
== MILESTONE          what the user has by now; a file without all of MILESTONES tells nothing
"""
import base64
import datetime
import glob
import os
import re
import sys
import urllib.parse

from place import HERE, PASSWORD, Place, run
from penfold_dav import PREFIXES, Response, path_of, q

MILESTONES = ("found home", "found collections", "synced", "put one", "saw it")
HOLE = re.compile(r"\{\{(\w*)\}\}")


class Dialog:
    def __init__(self, path, place):
        user = place.person()
        self.client, self.reached, self.answer, self.number, self.radicale = place.client(), [], None, 0, place.radicale
        self.values = {"user": user, "basic": "Basic " + base64.b64encode(f"{user}:{PASSWORD}".encode()).decode(),
                       "origin": f"http://{place.host}:{place.port}", "today": datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%d")}
        with open(path, encoding="utf-8") as f:
            self.lines = f.read().splitlines()

    def play(self):
        request = []
        for self.number, line in enumerate(self.lines, 1):
            kind, _, rest = line.partition(" ")
            if kind == "C:":
                request.append(rest)
                continue
            if request:
                self.send(request)
                request = []
            if kind == "S:" or kind == "P:" and not self.radicale:
                self.check(rest)
            elif kind == "P:":
                continue
            elif kind == "==":
                self.reached.append(rest)
            else:
                assert not line or line.startswith("#"), self.where(f"what is {line!r}")
        assert not request, "a request at the end, and nothing asked of its answer"
        missing = [one for one in MILESTONES if one not in self.reached]
        assert not missing, f"never: {', '.join(missing)}"

    def where(self, why):
        return f"line {self.number}: {why}\n{self.answer}"

    def fill(self, text):
        return HOLE.sub(lambda m: self.values[m.group(1)], text)

    def send(self, lines):
        lines = [self.fill(line) for line in lines]
        method, target = lines[0].split(" ", 1)
        end = lines.index("") if "" in lines else len(lines)
        fields = dict(line.split(": ", 1) for line in lines[1:end])
        content = "\r\n".join(lines[end + 1:]) + "\r\n" if end + 1 < len(lines) else None
        # `S: 301` after it wants to see the redirection itself.
        wanted = next((line[3:] for line in self.lines[self.number - 1:] if line.startswith("S: ")), "")
        for _ in range(5):
            self.answer = self.client.ask(method, path_of(target), content, **{name.replace("-", "_"): value for name, value in fields.items()})
            if self.answer.status not in (301, 302, 307, 308) or str(self.answer.status) in wanted:
                return
            target = urllib.parse.urljoin(target, self.answer.fields["location"])
        raise AssertionError(self.where("redirected for ever"))

    def check(self, want):
        word, _, rest = want.partition(" ")
        if re.fullmatch(r"[\d|]+", want):
            assert str(self.answer.status) in want.split("|"), self.where(f"not {want}")
        elif re.fullmatch(r"[A-Za-z-]+:", word):
            self.match(self.answer.fields.get(word[:-1].lower(), ""), rest, want)
        elif word == "text":
            assert re.search(self.pattern(rest)[0], self.answer.text, re.S), self.where(f"no {rest}")
        elif word == "root":
            path, _, pattern = rest.partition(" = ")
            self.element(self.answer.xml, path, pattern, want)
        elif word in ("at", "without"):
            href, _, rest = rest.partition(" ")
            path, _, pattern = rest.partition(" = ")
            one = self.response(self.fill(href))
            if word == "at":
                self.element(one, path, pattern, want)
            else:
                got = one.find(path, PREFIXES)
                assert got is None or not (len(got) or (got.text or "").strip()), self.where(f"it is there: {want}")
        elif word == "gone":
            gone = [one.href for one in self.answer.responses.values() if one.status == 404]
            assert same(self.fill(rest), gone), self.where(f"not gone: {rest}, but {gone}")
        elif word == "find":
            name, paths = rest.split(": ", 1)
            self.values[name] = next((href for href in self.answer.responses if all(self.response(href).find(path, PREFIXES) is not None for path in paths.split(", "))), None)
            assert self.values[name], self.where(f"none is {paths}")
        else:
            raise AssertionError(self.where(f"what is {want!r}"))

    def response(self, href):
        """All properties that were found of a resource, below one element."""
        every = self.answer.xml.findall(q("d:response"))
        one = every[0] if href == "*" and len(every) == 1 else next((one for one in every if same(href, [Response(one).href])), None)
        assert one is not None, self.where(f"nothing about {href}")
        found = one.__class__("found")
        for propstat in one.findall(q("d:propstat")):
            if " 200 " in propstat.findtext(q("d:status")) + " ":
                found.extend(propstat.find(q("d:prop")))
        return found

    def element(self, root, path, pattern, want):
        every = root.findall(path, PREFIXES)
        assert every, self.where(f"nothing at {path}")
        if pattern:
            texts = [(one.text or "").strip() for one in every]
            fitting = [text for text in texts if re.fullmatch(self.pattern(pattern)[0], text, re.S)] or texts
            self.match(fitting[0], pattern, want)

    def pattern(self, text):
        """(an expression, the names that its groups catch)"""
        names, out, at = [], "", 0
        for hole in HOLE.finditer(text):
            out += re.escape(text[at:hole.start()])
            known = hole.group(1) in self.values and hole.group(1)
            out += re.escape(self.values[hole.group(1)]) if known else "(.*)"
            if not known:
                names.append(hole.group(1))
            at = hole.end()
        return out + re.escape(text[at:]), names

    def match(self, text, pattern, want):
        if re.fullmatch(r"\{\{\w+\}\}", pattern) and pattern[2:-2] not in self.values:
            text = path_of(text) if text.startswith(("/", "http:", "https:")) and "token" not in pattern else text
        expression, names = self.pattern(pattern)
        found = re.fullmatch(expression, text, re.S)
        assert found, self.where(f"{want}, but it is {text!r}")
        self.values.update((name, value) for name, value in zip(names, found.groups()) if name)


def same(href, others):
    return any(urllib.parse.unquote(path_of(href)) == urllib.parse.unquote(other) for other in others)


def main():
    words = [word for word in sys.argv[1:] if word != "--radicale"]
    files = words or sorted(glob.glob(os.path.join(HERE, "setup", "*.txt")))
    place = Place("dialogs", "--radicale" in sys.argv)
    return run("dav dialogs", [(os.path.basename(path), lambda path=path: Dialog(path, place).play()) for path in files], place)


if __name__ == "__main__":
    sys.exit(main())
