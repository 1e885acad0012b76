"""vdirsyncer: folders of files here, collections there, kept alike."""
import os
import sys

from penfold_dav import card, event, todo
from target import PASSWORD

PROGRAM = os.path.join(os.path.dirname(sys.executable), "vdirsyncer")
KINDS = {"calendars": ("caldav", ".ics"), "contacts": ("carddav", ".vcf")}


class Pair:
    """One pair of storages; `vdir/WHICH` is the side that is here."""

    def __init__(self, t, which, conflicts="null", user=None):
        self.t, self.which, self.dav = t, which, t.dav(user)
        kind, self.ending = KINDS[which]
        self.here = os.path.join(t.dir, "vdir", which)
        os.makedirs(self.here, exist_ok=True)
        metadata = '["displayname", "color"]' if kind == "caldav" else '["displayname"]'
        # The organisation's directory is a collection too: everybody's cards are not what is moved to and fro here.
        collections = '["contacts"]' if which == "contacts" else '["from a", "from b"]'
        self.config = t.file(f"{which}.conf", f"""[general]
status_path = "{t.dir}/status"
[pair {which}]
a = "here"
b = "there"
collections = {collections}
conflict_resolution = {conflicts}
metadata = {metadata}
[storage here]
type = "filesystem"
path = "{self.here}"
fileext = "{self.ending}"
[storage there]
type = "{kind}"
url = "{t.url}/"
username = "{user or t.a}"
password = "{PASSWORD}"
""")

    def run(self, *words, code=0):
        return self.t.run(PROGRAM, "-c", self.config, "-vINFO", *words, text="y\n" * 40, code=code, seconds=120)

    def discover(self):
        return self.run("discover")

    def sync(self, code=0):
        return self.run("sync", code=code)

    def files(self, collection):
        """{name: text} of what lies here."""
        folder = os.path.join(self.here, collection)
        return {name: open(os.path.join(folder, name), newline="").read() for name in os.listdir(folder) if name.endswith(self.ending)}

    def holding(self, collection, words):
        """The file that has these words."""
        found = [name for name, text in self.files(collection).items() if words in text]
        assert len(found) == 1, (words, self.files(collection))
        return os.path.join(self.here, collection, found[0])

    def write(self, collection, name, text):
        path = os.path.join(self.here, collection, name + self.ending)
        with open(path, "w", newline="") as f:
            f.write(text)
        return path


def moved(out):
    """What a run says that it did to items."""
    return [line for line in out.splitlines() if line.startswith(("Copying", "Deleting"))]


def there(dav, collection):
    """{text of each object: path}"""
    return {dav.get(path).text: path for path in dav.sync(collection)[0] if not path.endswith("/")}


def both_ways(t, which, collection, make):
    """`make(uid, words)` is the text of an object."""
    dav, pair, name = t.dav(), Pair(t, which), collection.rstrip("/").split("/")[-1]
    ending = pair.ending
    dav.put(collection + "there" + ending, make("there", "From there"))
    out = pair.discover()
    assert os.path.isdir(os.path.join(pair.here, name)), out
    pair.write(name, "here", make("here", "From here"))
    assert len(moved(pair.sync())) == 2
    assert sum("From there" in text for text in pair.files(name).values()) == 1 and len(there(dav, collection)) == 2
    # Nothing has changed: nothing moves, and the server has nothing new to tell.
    token = dav.sync(collection)[2]
    assert moved(pair.sync()) == []
    changed, gone, _ = dav.sync(collection, token)
    assert not [path for path in changed if path != collection] and not gone
    # What changes on either side changes on the other.
    path = pair.holding(name, "From here")
    pair.write(name, os.path.basename(path).removesuffix(ending), make("here", "Changed here"))
    dav.put(collection + "there" + ending, make("there", "Changed there"))
    assert len(moved(pair.sync())) == 2
    assert any("Changed here" in text for text in there(dav, collection)) and pair.holding(name, "Changed there")
    assert len(pair.files(name)) == len(there(dav, collection)) == 2
    # What goes on either side goes on the other.
    os.unlink(pair.holding(name, "Changed here"))
    out = pair.sync()
    assert len(moved(out)) == 1, out
    assert not any("Changed here" in text for text in there(dav, collection))
    pair.write(name, "more", make("more", "One more"))
    pair.sync()
    dav.delete(collection + "there" + ending)
    out = pair.sync()
    assert len(moved(out)) == 1, out
    assert list(pair.files(name).values())[0].count("One more") == 1 and len(pair.files(name)) == 1
    assert moved(pair.sync()) == []


def test_events(t):
    both_ways(t, "calendars", t.dav().collection("VEVENT"), lambda uid, words: event(uid, words))


def test_tasks(t):
    both_ways(t, "calendars", t.dav().collection("VTODO"), lambda uid, words: todo(uid, words))


def test_contacts(t):
    both_ways(t, "contacts", t.dav().collection("VCARD"), lambda uid, words: card(uid, words, f"EMAIL;TYPE=INTERNET:{uid}@elsewhere.test"))


def test_conflict(t):
    """Both sides changed the same object: nobody's change is lost until somebody decides."""
    dav, pair = t.dav(), Pair(t, "calendars")
    collection = dav.collection("VEVENT")
    name = collection.rstrip("/").split("/")[-1]
    dav.put(collection + "one.ics", event("one", "Agreed"))
    pair.discover()
    pair.sync()
    path = pair.holding(name, "Agreed")
    with open(path, "w", newline="") as f:
        f.write(event("one", "Mine"))
    dav.put(collection + "one.ics", event("one", "Theirs"))
    out = pair.sync(code=None)
    assert "conflict" in out.lower(), out
    assert "Mine" in open(path).read() and "Theirs" in dav.get(collection + "one.ics").text
    Pair(t, "calendars", '"a wins"').sync()
    assert "Mine" in dav.get(collection + "one.ics").text
    assert moved(pair.sync()) == []


def test_new_collection(t):
    """A folder that is made here becomes a calendar there, with its name and its colour."""
    dav, pair = t.dav(), Pair(t, "calendars")
    os.makedirs(os.path.join(pair.here, "project"))
    pair.write("project", "one", event("one", "Kick-off"))
    pair.write("project", "two", event("two", "Grüße", "Europe/Berlin".join(("TZID=", ":20261202T090000")), None, "RRULE:FREQ=WEEKLY;COUNT=3"))
    t.file("vdir/calendars/project/displayname", "The project")
    t.file("vdir/calendars/project/color", "#ff8800")
    pair.discover()
    assert len(moved(pair.sync())) == 2
    made = dav.home()["calendars"] + "project/"
    assert made in dav.collections() and len(there(dav, made)) == 2
    assert any("SUMMARY:Grüße" in text for text in there(dav, made))
    # A server may have given it a name of its own accord.
    Pair(t, "calendars", '"a wins"').run("metasync", "calendars/project")
    assert dav.prop(made, "d:displayname") == "The project" and dav.prop(made, "ical:calendar-color").lower().startswith("#ff8800")
    dav.proppatch(made, ical__calendar_color="#0088ffff", d__displayname="Renamed")
    Pair(t, "calendars").run("metasync", "calendars/project")
    assert open(os.path.join(pair.here, "project", "displayname")).read() == "Renamed"
    assert open(os.path.join(pair.here, "project", "color")).read().lower().startswith("#0088ff")


def test_many(t):
    """A few hundred at once, and then one of them."""
    dav, pair = t.dav(), Pair(t, "calendars")
    collection = dav.collection("VEVENT")
    name = collection.rstrip("/").split("/")[-1]
    pair.discover()
    for i in range(200):
        pair.write(name, f"m{i}", event(f"m{i}", f"Meeting {i}", f"202612{1 + i % 28:02}T{8 + i // 28:02}0000Z", None, "DURATION:PT30M"))
    assert len(moved(pair.sync())) == 200 and moved(pair.sync()) == []
    assert len(dav.query(collection, "VEVENT", "20261201T000000Z", "20261202T000000Z")) == 8
    os.unlink(os.path.join(pair.here, name, "m7.ics"))
    assert len(moved(pair.sync())) == 1
    assert len(there(dav, collection)) == 199, len(there(dav, collection))
