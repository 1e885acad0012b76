"""cadaver, the command line of WebDAV, in the files of somebody."""
import os

from target import PASSWORD


def cadaver(t, *commands):
    """What it printed. It takes the password from ~/.netrc."""
    home = os.path.join(t.dir, "home")
    rc = t.file("home/.netrc", f"machine {t.host}\nlogin {t.a}\npassword {PASSWORD}\n")
    os.chmod(rc, 0o600)
    return t.run("cadaver", t.url + t.files(), text="".join(line + "\n" for line in (*commands, "quit")), env={"HOME": home, "TERM": "dumb", "LC_ALL": "C.UTF-8"})


def test_files(t):
    """Folders and files come, move, are copied, and go; what comes back has every byte."""
    content = bytes(range(256)) * 1200
    t.file("report.bin", content)
    t.file("Grüße & mehr.txt", "Grüße\n")
    out = cadaver(t, "mkcol Work", "mkcol Work/Deep", "cd Work", "put report.bin", "put report.bin again.bin", 'put "Grüße & mehr.txt"', "ls")
    for name in ("Deep", "report.bin", "again.bin", "mehr.txt", str(len(content))):
        assert name in out, out
    assert out.count("succeeded") >= 5 and "failed" not in out.lower(), out
    out = cadaver(t, "cd Work", "get report.bin back.bin", 'get "Grüße & mehr.txt" words.txt', "move again.bin Deep/moved.bin", "copy report.bin Deep/copied.bin", "ls Deep", "ls")
    assert "failed" not in out.lower() and "moved.bin" in out and "copied.bin" in out, out
    assert open(os.path.join(t.dir, "back.bin"), "rb").read() == content
    assert open(os.path.join(t.dir, "words.txt")).read() == "Grüße\n"
    dav, files = t.dav(), t.files()
    assert dav.get(files + "Work/Deep/moved.bin").content == content and dav.ask("GET", files + "Work/again.bin").status == 404
    # A folder is copied and moved with all that is in it.
    out = cadaver(t, "copy Work Copy", "move Copy Moved", "ls Moved/Deep", "rmcol Work", "ls")
    assert "moved.bin" in out and "Moved" in out.split("rmcol")[-1] and "failed" not in out.lower(), out
    assert dav.ask("PROPFIND", files + "Work/", None, 0).status == 404 and dav.get(files + "Moved/Deep/copied.bin").content == content
    out = cadaver(t, "cd Moved/Deep", "delete moved.bin", "rmcol nothing", "get nothing", "ls")
    assert dav.ask("GET", files + "Moved/Deep/moved.bin").status == 404 and out.count("failed") + out.count("404") >= 2, out
    cadaver(t, "rmcol Moved")
    assert dav.ask("PROPFIND", files + "Moved/", None, 0).status == 404


def test_properties(t):
    """What somebody says of a file stays with it, also when it moves."""
    t.file("a.txt", "a\n")
    cadaver(t, "put a.txt", "propset a.txt colour green", "move a.txt b.txt")
    out = cadaver(t, "propget b.txt colour", "propnames b.txt")
    assert "green" in out, out
    out = cadaver(t, "propdel b.txt colour", "propget b.txt colour", "delete b.txt")
    assert "green" not in out, out
