"""caldav-server-tester: what a long list of probes finds that a server of CalDAV lacks or does otherwise.

Every finding is printed. ACCEPTED are those that we mean to be so, at most three, each with the reason; another one is a failure.
"""
import fnmatch
import json

from target import PASSWORD, apart

PROGRAM = apart("caldav-server-tester")
from caldav.compatibility_hints import FeatureSet  # noqa: E402

MOST = 3
ACCEPTED = {
    # A calendar holds one kind of component, which RFC 4791 §5.2.3 lets a server say: a folder of events and one of tasks are what other protocols know.
    "save-load.*.mixed-calendar": "kinds are never mixed",
    # The library names the properties that it wants beside DAV:prop and not in it, and asks for everybody without the DAV:property-search that RFC 3744 §9.4
    # demands. tests/dav asks as the standard says, and finds people.
    "principal-search*": "the question is not the standard's",
    # Invitations are a later step.
    "scheduling*": "not offered yet",
}
# What a probe could not try here, and so found nothing of.
UNTRIED = ("unknown",)


def usual(name):
    """How the library takes a server to be that says nothing of itself: that is what it works with."""
    return FeatureSet.FEATURES.get(name, {}).get("default", {}).get("support", "full")


def test_findings(t):
    t.dav()
    out = t.run(PROGRAM, "--caldav-url", t.url + "/", "--caldav-username", t.a, "--caldav-password", PASSWORD, "--format", "json", "--quiet", env={"HOME": t.dir}, seconds=240)
    features = json.loads(out[out.index("{\n"):])["features"]
    assert features, out
    found = {name: what for name, what in features.items() if what["support"] not in ("full", *UNTRIED)}
    for name, what in sorted(features.items()):
        if name in found or what["support"] in UNTRIED:
            print(f"interop davtester: {what['support']}: {name}: {what.get('behaviour') or what.get('description') or ''}"[:240])
    t.penfold_only("what is found of another server is nobody's failure here")
    assert len(ACCEPTED) <= MOST
    found = {name: what for name, what in found.items() if what["support"] != usual(name)}
    new = sorted(name for name in found if not any(fnmatch.fnmatch(name, one) for one in ACCEPTED))
    gone = sorted(one for one in ACCEPTED if not fnmatch.filter(found, one))
    assert not new, "\n".join(f"{name}: {found[name]}" for name in new)
    assert not gone, f"accepted, and no longer so: {gone}"
