"""What differs between an answer and the standard's: a list of short sentences, empty where they say the same.

Entity tags and synchronisation tokens are each server's own; so is the text for people. Calendars and cards are compared property by property.
"""
import collections
import re
import xml.etree.ElementTree as ET

from penfold_dav import path_of, q, short

# Whatever these hold.
OPAQUE = {"d:getetag", "d:sync-token"}
LISTS = {"allow", "dav"}


def fields(ours, theirs):
    """Fields of the head; `*` is whatever is there. Of lists, what the standard names has to be there."""
    for name, value in theirs.items():
        got = ours.get(name.lower())
        if name.lower() in LISTS:
            missing = sorted(words(value) - words(got or ""))
            if missing:
                yield f"{name}: no {', '.join(missing)}"
        elif got is None or value != "*" and got.split(";")[0].lower() != value.split(";")[0].lower():
            yield f"{name}: {got}, not {value}"


def words(text):
    return set(re.split(r"[,\s]+", text))


def bodies(answer, theirs, ours_of):
    """`ours_of` gives back our path for one of the standard's."""
    if theirs.startswith("BEGIN:"):
        yield from differ("body", lines(answer.text), lines(theirs))
        return
    want = ET.fromstring(theirs)
    try:
        got = answer.xml
    except ET.ParseError:
        yield f"body: none, not {short(want.tag)}"
        return
    if got.tag != want.tag:
        yield f"body: {short(got.tag)}, not {short(want.tag)}"
    elif want.tag == q("d:multistatus"):
        yield from multistatus(got, want, ours_of)
    elif want.tag.endswith("-response"):
        yield from properties("body", got, want, ours_of)
    else:
        yield from differ("body", elements(got, None), elements(want, ours_of))


def multistatus(got, want, ours_of):
    ours = {bare(href(one)): one for one in got.findall(q("d:response"))}
    for one in want.findall(q("d:response")):
        name = href(one)
        label = name if name.endswith("/") else name.rsplit("/", 1)[1]
        mine = ours.pop(bare(ours_of(name)), None)
        if mine is None:
            yield f"{label}: not there"
            continue
        a, b = status(mine), status(one)
        if a != b:
            yield f"{label}: status {a}, not {b}"
        yield from differ(f"{label} d:error", elements(mine.find(q("d:error")), None), elements(one.find(q("d:error")), None))
        yield from properties(label, mine, one, ours_of)
    for path in sorted(ours):
        yield f"{path.rsplit('/', 1)[1]}: more than the standard has"
    if (want.find(q("d:sync-token")) is None) != (got.find(q("d:sync-token")) is None):
        yield "sync-token: in one of the two"


def properties(label, got, want, ours_of):
    ours, theirs = found(got), found(want)
    for name, (code, element) in theirs.items():
        if name not in ours:
            yield f"{label}: not {name}"
            continue
        mine_code, mine = ours.pop(name)
        if mine_code != code:
            yield f"{label} {name}: {mine_code}, not {code}"
        elif code == 200 and name not in OPAQUE and want.tag == q("d:response"):
            text = (element.text or "").strip()
            if text.startswith("BEGIN:"):
                yield from differ(f"{label} {name}", lines(mine.text or ""), lines(text))
            else:
                yield from differ(f"{label} {name}", elements(mine, None), elements(element, ours_of))
    for name in sorted(ours):
        yield f"{label}: more: {name}"
    yield from differ(f"{label} error", conditions(got), conditions(want))


def found(element):
    """{property: (status, element)}"""
    return {short(one.tag): (status(propstat), one) for propstat in element.findall(q("d:propstat")) for one in propstat.find(q("d:prop"))}


def conditions(element):
    return collections.Counter(short(one.tag) for error in element.findall(f"{q('d:propstat')}/{q('d:error')}") for one in error)


def status(element):
    text = element.findtext(q("d:status"))
    return int(text.split()[1]) if text else None


def href(element):
    return path_of(element.findtext(q("d:href")).strip())


def bare(path):
    return path.rstrip("/")


def differ(label, ours, theirs):
    """Of two counters."""
    for one in sorted((theirs - ours).elements()):
        if one != "{{number}}" or not any(mine.isdigit() for mine in ours):
            yield f"{label}: not {one}"
    for one in sorted((ours - theirs).elements()):
        if not ("{{number}}" in theirs and one.isdigit()):
            yield f"{label}: more: {one}"


def elements(element, ours_of):
    """The text and the children of an element, each as one line. Order says nothing (RFC 3744 and 4791 have none that does but of ACEs)."""
    out = collections.Counter()
    if element is None:
        return out
    if not len(element):
        text = (element.text or "").strip()
        return collections.Counter([text] if text else [])
    for child in element:
        out[line(child, ours_of)] += 1
    return out


def line(element, ours_of):
    name = short(element.tag)
    if name == "d:href":
        path = path_of((element.text or "").strip())
        return f"<d:href {bare(ours_of(path) if ours_of else path)}>"
    more = "".join(f" {key}={value}" for key, value in sorted(element.attrib.items()) if not key.endswith("}lang"))
    inner = " ".join(sorted(line(child, ours_of) for child in element)) or (element.text or "").strip()
    return f"<{name}{more}{' ' if inner else ''}{inner}>"


def lines(text):
    """A calendar or a card as a counter of PATH/NAME;PARAMETERS:VALUE."""
    text = re.sub(r"\r?\n[ \t]", "", text)
    out, path, seen = collections.Counter(), [], collections.Counter()
    for one in filter(None, (line.strip("\r") for line in text.strip().split("\n"))):
        head, _, value = split(one)
        name, *parameters = re.split(r';(?=(?:[^"]*"[^"]*")*[^"]*$)', head)
        name = name.upper()
        if name == "BEGIN":
            place = "/".join([*path, value.upper()])
            seen[place] += 1
            path.append(value.upper() + (f"#{seen[place]}" if seen[place] > 1 else ""))
        elif name == "END":
            path.pop()
        else:
            # What is said by default (RFC 5545 §3.2.9).
            shown = "".join(f";{parameter}" for parameter in sorted(parameters) if parameter != "FBTYPE=BUSY")
            for part in value.split(",") if name == "FREEBUSY" else [value]:
                out[f"{'/'.join(path)}/{name}{shown}:{period(part) if name == 'FREEBUSY' else part}"] += 1
    return out


def split(one):
    """At the first colon that stands in no quoted string (RFC 5545 §3.1)."""
    quoted = False
    for at, letter in enumerate(one):
        if letter == '"':
            quoted = not quoted
        elif letter == ":" and not quoted:
            return one[:at], ":", one[at + 1:]
    return one, "", ""


def period(text):
    """START/END, also where it is START/DURATION of whole hours (RFC 5545 §3.3.9 has both)."""
    start, _, end = text.partition("/")
    hours = re.fullmatch(r"PT(\d+)H", end)
    return f"{start}/{start[:9]}{int(start[9:11]) + int(hours.group(1)):02}{start[11:]}" if hours else text
