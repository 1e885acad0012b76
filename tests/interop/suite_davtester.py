"""caldav-server-tester: what a long list of probes finds that a server of CalDAV lacks or does otherwise.

Every finding is printed. ACCEPTED are those that we mean to be so, at most three, each with the reason; another one is a failure.
"""
import json
import os
import sys

from target import PASSWORD

PROGRAM = os.path.join(os.path.dirname(sys.executable), "caldav-server-tester")
WORST = 3
ACCEPTED = {
    # name: why it is so on purpose
}
# What a probe could not try here, and so found nothing of.
UNTRIED = ("unknown",)


def test_findings(t):
    t.dav()
    out = t.run(PROGRAM, "--caldav-url", t.url + "/", "--caldav-username", t.a, "--caldav-password", PASSWORD, "--format", "json", "--quiet", env={"HOME": t.dir}, seconds=240)
    features = json.loads(out[out.index("{\n"):])["features"]
    found = {name: what for name, what in features.items() if what["support"] not in ("full", "quirk", *UNTRIED)}
    quirks = {name: what for name, what in features.items() if what["support"] in ("quirk", *UNTRIED)}
    for name, what in sorted({**found, **quirks}.items()):
        print(f"interop davtester: {what['support']}: {name}: {what.get('behaviour') or what.get('description') or ''}"[:400])
    t.penfold_only("what is found of another server is nobody's failure here")
    assert len(ACCEPTED) <= WORST
    # One that is lacking is not told again by what is below it.
    new = sorted(name for name in found if not any(name == one or name.startswith(one + ".") for one in ACCEPTED))
    gone = sorted(set(ACCEPTED) - set(features))
    assert not new, "\n".join(f"{name}: {found[name]}" for name in new)
    assert not gone, f"accepted, and no longer so: {gone}"
