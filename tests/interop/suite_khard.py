"""khard shows the contacts that another client wrote, and writes what others then see; vdirsyncer carries them."""
import os
import sys

import suite_vdirsyncer
from penfold_dav import card

PROGRAM = os.path.join(os.path.dirname(sys.executable), "khard")


class Khard(suite_vdirsyncer.Pair):
    def __init__(self, t):
        super().__init__(t, "contacts")
        self.discover()
        self.sync()
        self.book = t.dav().collection("VCARD").rstrip("/").split("/")[-1]
        self.settings = t.file("khard.conf", f"""[addressbooks]
[[book]]
path = {self.here}/{self.book}/
[general]
editor = true
merge_editor = true
default_action = list
[contact table]
display = formatted_name
""")

    def khard(self, *words, text=None, code=0):
        return self.t.run(PROGRAM, "-c", self.settings, *words, text=text, code=code, env={"LC_ALL": "C.UTF-8", "HOME": self.t.dir})


def test_shows(t):
    dav = t.dav()
    book = dav.collection("VCARD")
    dav.put(book + "one.vcf", card("one", "Jürgen Müller", "EMAIL;TYPE=INTERNET,WORK:juergen@elsewhere.test", "TEL;TYPE=CELL:+49 30 1234567", "ORG:Beispiel GmbH;Verkauf", "NOTE:one\\, two"))
    dav.put(book + "two.vcf", card("two", "Zoë Ångström", "EMAIL;TYPE=HOME:zoe@elsewhere.test", "BDAY:19800203", version="4.0"))
    khard = Khard(t)
    out = khard.khard("list")
    assert "Jürgen Müller" in out and "Zoë Ångström" in out, out
    out = khard.khard("show", "Jürgen")
    assert "juergen@elsewhere.test" in out and "+49 30 1234567" in out and "Beispiel GmbH" in out and "one, two" in out, out
    assert "zoe@elsewhere.test" in khard.khard("email", "--parsable", "zoe")
    dav.put(book + "one.vcf", card("one", "Jürgen Neumann", "EMAIL;TYPE=INTERNET,WORK:neu@elsewhere.test"))
    dav.delete(book + "two.vcf")
    khard.sync()
    out = khard.khard("email", "--parsable")
    assert "neu@elsewhere.test" in out and "Jürgen Neumann" in out and "zoe@" not in out, out


def test_writes(t):
    dav, khard = t.dav(), Khard(t)
    book = dav.collection("VCARD")
    template = "First name : Ada\nLast name : Fox\nOrganisation : Example\nEmail :\n    home : ada@elsewhere.test\n"
    khard.khard("new", "-a", "book", "-i", t.file("ada.yaml", template))
    khard.sync()
    texts = [dav.get(path).text for path in dav.sync(book)[0] if not path.endswith("/")]
    assert len(texts) == 1 and "FN:Ada Fox" in texts[0] and "ada@elsewhere.test" in texts[0], texts
    # vdirsyncer takes a folder without anything for an accident, so one stays.
    dav.put(book + "stays.vcf", card("stays", "Sam Doe"))
    khard.sync()
    khard.khard("remove", "--force", "Ada")
    khard.sync()
    assert [path for path in dav.sync(book)[0] if not path.endswith("/")] == [book + "stays.vcf"]
