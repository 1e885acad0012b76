"""litmus: RFC 4918 in the files of somebody. Locks are not offered (classes 1 and 3), so its suite of them is left out."""
import os
import re

from target import PASSWORD

TESTS = ("basic", "copymove", "props", "http")


def test_litmus(t):
    out = t.run("litmus", "--keep-going", t.url + t.files(), t.a, PASSWORD, env={"TESTS": " ".join(TESTS), "HOME": t.dir}, seconds=120, code=None)
    summary = {name: (int(ran), int(bad)) for name, ran, bad in re.findall(r"summary for `(\w+)': of (\d+) tests run: \d+ passed, (\d+) failed", out)}
    wrong = [line for line in out.splitlines() if "FAIL" in line or "WARNING" in line]
    print(f"interop litmus: {sum(ran for ran, _ in summary.values())} tests in {len(summary)} suites" + "".join(f"\n  {line.strip()}" for line in wrong if "WARNING" in line))
    assert set(summary) == set(TESTS) and all(ran and not bad for ran, bad in summary.values()), "\n".join(wrong) or out[-2500:] + trace(t)
    # It leaves nothing behind but its own folder, which can go.
    dav = t.dav()
    assert dav.delete(t.files() + "litmus/", 204, 404), out


def trace(t):
    """The end of what litmus wrote down of the requests."""
    path = os.path.join(t.dir, "debug.log")
    if not os.path.exists(path):
        return ""
    with open(path, errors="replace") as f:
        return "\n--- debug.log\n" + f.read()[-3000:]
