#!/usr/bin/env python3
"""The standards' own examples: every request, and the answer that the standard shows, from standards/*.txt.

usage: standards.py [--table] [FILE[:NUMBER] ...]       --table prints for each example what differs and why, and asks nothing

map: /theirs/ = PATH      where a path of the standard lies here; {name.calendars}, {name.addressbooks}, {name.files} and {name.principal} are of a person
=== NUMBER TITLE          an example begins; what one file has is played in its order, each on what those before it left
as: NAME                  who asks
left out: WHY             it is not played
differs: WHAT -- WHY      what is known to differ, and may; `*` in WHAT is anything
fault: WHAT -- WHY        what is known to differ, and should not. Exactly what these two say has to differ: what is mended has to go from the file
>>> METHOD PATH           a request; its fields, an empty line and the body follow
<<< STATUS                what the standard answers; likewise. Without a body, none is compared

{{name}} is one of standards/data.py; {{found URL}} is a response with an entity tag and the whole of the calendar of that name.
"""
import glob
import os
import re
import sys

from place import HERE, PASSWORD, Place, lib, run
from penfold_dav import path_of, q

sys.path.insert(0, os.path.join(HERE, "standards"))
import compare  # noqa: E402
from data import HOLES  # noqa: E402

DOMAIN = "example.com"
PEOPLE = {"lisa": "Lisa Dusseault", "mona": "Mona", "bernard": "Bernard D.", "cyrus": "Cyrus D.", "milele": "Milele", "laurie": "Laurie Dusseault", "laurier": "Laurier Desruisseaux",
          "wilfrid": "Wilfrid Laurier", "gclemm": "Geoffrey Clemm", "esedlar": "Eric Sedlar", "jdoe": "John Doe", "zsmith": "Zygdoebert Smith"}
FOUND = ('<D:response><D:href>{0}</D:href><D:propstat><D:prop><D:getetag>"1"</D:getetag><C:calendar-data>{1}</C:calendar-data></D:prop>'
         "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>")


class Standards(Place):
    """A server with the people of the examples."""

    def seed(self):
        return [("Examples", [DOMAIN], [(f"{name}@{DOMAIN}", PASSWORD, full) for name, full in PEOPLE.items()])]


class Example:
    def __init__(self, source, title):
        self.source, self.title, self.who, self.left_out, self.exchanges = source, title, None, None, []
        self.known, self.faults = [], 0


class Exchange:
    def __init__(self, request):
        self.method, self.path = request.split(" ", 1)
        self.status, self.asked, self.shown = None, [], []

    @staticmethod
    def parts(lines):
        """(fields, body)"""
        end = lines.index("") if "" in lines else len(lines)
        return dict(line.split(": ", 1) for line in lines[:end]), HOLE.sub(fill, "\n".join(lines[end + 1:]))


HOLE = re.compile(r"\{\{([^}]+)\}\}")


def fill(hole):
    name = hole.group(1)
    if name.startswith("found "):
        return FOUND.format(name[6:], HOLES[name.rsplit("/", 1)[1]])
    return HOLES.get(name, hole.group(0))


def read(path):
    """(the map, the examples)"""
    maps, examples, into = {}, [], None
    with open(path, encoding="utf-8") as f:
        for line in f.read().splitlines():
            key, _, rest = line.partition(": ")
            if line.startswith("=== "):
                examples.append(Example(os.path.basename(path)[:-4], line[4:]))
                into = None
            elif line.startswith(">>> "):
                examples[-1].exchanges.append(Exchange(line[4:]))
                into = examples[-1].exchanges[-1].asked
            elif line.startswith("<<< "):
                examples[-1].exchanges[-1].status = int(line[4:])
                into = examples[-1].exchanges[-1].shown
            elif line.startswith("# "):
                continue
            elif into is not None:
                into.append(line)
            elif key == "map":
                theirs, ours = rest.split(" = ")
                maps[theirs] = ours
            elif key == "as":
                examples[-1].who = rest
            elif key == "left out":
                examples[-1].left_out = rest
            elif key in ("differs", "fault"):
                what, why = rest.split(" -- ", 1)
                examples[-1].known.append((what, f"a fault: {why}" if key == "fault" else why))
                examples[-1].faults += key == "fault"
            else:
                assert not line, f"{path}: what is {line!r}"
    for one in examples:
        for exchange in one.exchanges:
            # An empty line before the next example belongs to nobody.
            while exchange.shown and not exchange.shown[-1]:
                exchange.shown.pop()
    return maps, examples


class Player:
    """One file, on one server."""

    def __init__(self, place, maps):
        self.place, self.clients, self.tokens = place, {}, {}
        people = {f"/users/{name}": f"{{{name}.principal}}" for name in PEOPLE}
        homes = {f"/home/{name}/{kind}/": f"{{{name}.{kind}}}" for name in PEOPLE for kind in ("calendars", "addressbooks")}
        self.maps = {"/principals/": "/dav/principals/"} | people | homes | maps

    def client(self, name):
        if name not in self.clients:
            self.clients[name] = self.place.client(f"{name}@{DOMAIN}")
        return self.clients[name]

    def home(self, name, kind):
        home = self.client(name).home()
        return home[kind] if kind in home else home["calendars"].replace("/calendars/", "/files/")

    def ours(self, path):
        """Our path for one of the standard's."""
        path = path_of(path)
        for theirs in sorted(self.maps, key=len, reverse=True):
            if path == theirs or theirs.endswith("/") and path.startswith(theirs):
                return re.sub(r"\{(\w+)\.(\w+)\}", lambda m: self.home(m.group(1), m.group(2)), self.maps[theirs]) + path[len(theirs):]
        return path

    def request(self, text):
        """Paths and tokens of the standard within a body or a field, as ours."""
        for theirs, ours in self.tokens.items():
            text = re.sub(re.escape(theirs) + r"(?!\d)", lambda _: ours, text)
        text = re.sub(r"(<\w+:href>)([^<]+)", lambda m: m.group(1) + self.ours(m.group(2)), text)
        return re.sub(r"^<(/[^>]*)>", lambda m: f"<{self.ours(m.group(1))}>", text)

    def play(self, example):
        different, answers = [], []
        for number, exchange in enumerate(example.exchanges, 1):
            fields, content = exchange.parts(exchange.asked)
            if "Destination" in fields:
                fields["Destination"] = self.ours(fields["Destination"])
            fields = {name.replace("-", "_"): self.request(value) for name, value in fields.items()}
            if content.startswith("BEGIN:"):
                content = content.strip("\n").replace("\n", "\r\n") + "\r\n"
            answer = self.client(example.who).ask(exchange.method, self.ours(exchange.path), self.request(content) or None, **fields)
            shown, theirs = exchange.parts(exchange.shown)
            found = [] if answer.status == exchange.status else [f"status {answer.status}, not {exchange.status}"]
            found += compare.fields(answer.fields, shown)
            if theirs and answer.status == exchange.status:
                found += compare.bodies(answer, theirs, self.ours)
            self.remember(answer, theirs)
            different += [f"{number}: {one}" if len(example.exchanges) > 1 else one for one in found]
            answers += [answer] if found else []
        self.judge(example, different, answers)

    def remember(self, answer, theirs):
        token = re.search(r"<D:sync-token>([^<]+)</D:sync-token>", theirs)
        if token and answer.status == 207:
            self.tokens[token.group(1)] = answer.xml.findtext(f".//{q('d:sync-token')}") or ""

    @staticmethod
    def judge(example, different, answers):
        def fits(one, pattern):
            return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), one)
        new = [one for one in different if not any(fits(one, what) for what, _ in example.known)]
        gone = [what for what, _ in example.known if not any(fits(one, what) for one in different)]
        assert not new and not gone, "\n".join([f"differs: {one}" for one in new] + [f"does not differ any more: {one}" for one in gone] + [f"{one.request} -> {one.status} {one.text}" for one in answers])


def table(examples):
    for one in examples:
        state = f"not played: {one.left_out}" if one.left_out else "; ".join(f"{what} ({why})" for what, why in one.known) or "the same"
        print(f"| {one.source} | {one.title} | {state} |")


def main():
    words = [word for word in sys.argv[1:] if word != "--table"]
    files = [word.split(":")[0] for word in words] or sorted(glob.glob(os.path.join(HERE, "standards", "*.txt")))
    numbers = {word.split(":")[1] for word in words if ":" in word}
    every = [(*read(path), path) for path in files]
    if "--table" in sys.argv:
        print("| standard | example | what differs |\n|---|---|---|")
        for _, examples, _ in every:
            table(examples)
        return 0
    place, tests = Standards("standards"), []
    for maps, examples, _ in every:
        player = Player(place, maps)
        tests += [(f"{one.source} {one.title}", lambda one=one, player=player: player.play(one)) for one in examples
                  if not one.left_out and (not numbers or one.title.split()[0] in numbers)]
    print(f"dav standards: {sum(one.faults for _, examples, _ in every for one in examples)} faults are known (--table tells them)")
    return run("dav standards", tests, place)


if __name__ == "__main__":
    sys.exit(main())
