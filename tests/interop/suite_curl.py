"""curl: imap://, imaps://, smtp:// and smtps://."""
import os
import time

import penfold_testlib as lib
from target import IDN, PASSWORD, UMLAUT, message


def curl(t, url, *args, user=None, code=0):
    auth = ["--user", f"{user}:{PASSWORD}"] if user else []
    return t.run("curl", "--silent", "--show-error", "--insecure", "--max-time", "50", *auth, url, *args, code=code)


def imap(t, path="", listener="imap"):
    return f"{listener}://{t.host}:{t.port[listener]}/{path}"


def test_send_to_mx(t):
    path = t.file("m.eml", message("curl mx"))
    curl(t, f"smtp://{t.host}:{t.port['smtp']}/client.test", "--mail-from", "sender@elsewhere.test", "--mail-rcpt", t.a, "--mail-rcpt", t.b, "--upload-file", path)
    for user in (t.a, t.b):
        assert t.mail(user, "curl mx").endswith(b"\r\n\r\nhello\r\n")


def test_send_starttls(t):
    path = t.file("m.eml", message("curl starttls", sender=t.b))
    curl(t, f"smtp://{t.host}:{t.port['submission']}/client.test", "--ssl-reqd", "--mail-from", t.b, "--mail-rcpt", t.a, "--upload-file", path, user=t.b)
    t.mail(t.a, "curl starttls")


def test_send_tls(t):
    path = t.file("m.eml", message("curl smtps", sender=t.b))
    curl(t, f"smtps://{t.host}:{t.port['submissions']}/client.test", "--mail-from", t.b, "--mail-rcpt", t.a, "--upload-file", path, user=t.b)
    t.mail(t.a, "curl smtps")


def test_send_to_utf8_addresses(t):
    t.penfold_only("the peer's domain is ASCII")
    path = t.file("m.eml", message("curl utf8", body="Grüße\r\n", to=UMLAUT, extra="Content-Type: text/plain; charset=utf-8\r\n"))
    curl(t, f"smtp://{t.host}:{t.port['smtp']}/client.test", "--mail-from", "jörg@elsewhere.test", "--mail-rcpt", UMLAUT, "--mail-rcpt", IDN, "--upload-file", path)
    for user in (UMLAUT, IDN):
        s = lib.Imap(t.host, t.port["imap"])
        s.cmd("AUTHENTICATE PLAIN " + sasl_plain(user, PASSWORD))
        s.select("INBOX")
        lib.wait_until(lambda: s.cmd("NOOP") is not None and s.search('SUBJECT "curl utf8"'), what="mail to " + user)
        data = next(iter(s.fetch("1 (BODY.PEEK[])").values()))["BODY[]"]
        assert "Grüße".encode() in data and "Return-Path: <jörg@elsewhere.test>".encode() in data, data
        s.close()


def sasl_plain(user, password):
    import base64
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode()


def test_list_folders(t):
    out = curl(t, imap(t), user=t.a)
    for name in ("INBOX", "Drafts", "Sent", "Archive", "Junk", "Trash"):
        assert name in out, out


def test_append_fetch_search(t):
    path = t.file("m.eml", message("curl append", body="needle in here\r\n"))
    curl(t, imap(t, "Archive"), "--upload-file", path, user=t.a)
    with open(path, "rb") as f:
        sent = f.read().decode()
    assert "SEARCH 1" in curl(t, imap(t, "Archive?BODY%20needle"), user=t.a)
    assert "SEARCH 1" not in curl(t, imap(t, "Archive?BODY%20absent"), user=t.a)
    assert curl(t, imap(t, "Archive;MAILINDEX=1"), user=t.a).replace("\r\n", "\n") == sent.replace("\r\n", "\n")
    uid = t.imap(t.a)
    uid.select("Archive")
    number = uid.search("ALL")[0]
    uid.close()
    assert "needle in here" in curl(t, imap(t, f"Archive;UID={number};SECTION=TEXT"), user=t.a)
    assert "Subject: curl append" in curl(t, imap(t, f"Archive;UID={number};SECTION=HEADER.FIELDS%20(SUBJECT)"), user=t.a)


def test_imaps_and_starttls(t):
    t.deliver(t.a, message("curl tls"))
    assert "Subject: curl tls" in curl(t, imap(t, "INBOX;MAILINDEX=1", "imaps"), user=t.a)
    assert "Subject: curl tls" in curl(t, imap(t, "INBOX;MAILINDEX=1"), "--ssl-reqd", user=t.a)


def test_flags_folders_delete(t):
    t.deliver(t.a, message("curl flags"))
    out = curl(t, imap(t, "INBOX"), "--request", "STORE 1 +FLAGS (\\Flagged)", user=t.a)
    assert "\\Flagged" in t.flags(t.a, "curl flags"), out
    curl(t, imap(t), "--request", "CREATE Projects", user=t.a)
    curl(t, imap(t), "--request", "CREATE Projects/2026", user=t.a)
    assert "Projects/2026" in curl(t, imap(t), "--request", 'LIST "" *', user=t.a)
    curl(t, imap(t, "INBOX"), "--request", "COPY 1 Projects/2026", user=t.a)
    t.mail(t.a, "curl flags", "Projects/2026")
    curl(t, imap(t), "--request", "DELETE Projects/2026", user=t.a)
    assert "Projects/2026" not in curl(t, imap(t), "--request", 'LIST "" *', user=t.a)


def test_wrong_password(t):
    t.penfold_only("slow on the peer")
    out = t.run("curl", "--silent", "--show-error", "--insecure", "--max-time", "50", "--user", f"{t.a}:wrong", imap(t, "INBOX"), code=67)
    assert "denied" in out.lower() or "login" in out.lower(), out


def test_many_sessions_at_once(t):
    """curl's own parallel mode: 40 fetches, each over a connection of its own."""
    t.deliver(t.a, message("curl parallel", body="x" * 2000 + "\r\n"))
    config = "".join(f'url = "{imap(t, "INBOX;MAILINDEX=1")}"\noutput = "out{i}"\n' for i in range(40))
    at = time.monotonic()
    t.run("curl", "--silent", "--show-error", "--parallel", "--parallel-immediate", "--parallel-max", "40", "--user", f"{t.a}:{PASSWORD}", "--config", t.file("c", config))
    sizes = {os.path.getsize(os.path.join(t.dir, f"out{i}")) for i in range(40)}
    assert len(sizes) == 1 and sizes.pop() > 2000, sizes
    assert time.monotonic() - at < 50
