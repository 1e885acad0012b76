"""fetchmail: polls IMAP and hands each message to a program."""
import os

from target import PASSWORD, message


def fetchmail(t, listener, *flags, ssl="", code=0):
    out = os.path.join(t.dir, "mbox")
    rc = t.file("fetchmailrc", f'poll {t.host} protocol IMAP service {t.port[listener]}\n  user "{t.a}" password "{PASSWORD}" {ssl}\n  mda "cat >> {out}; echo ==END== >> {out}"\n')
    os.chmod(rc, 0o600)
    t.run("fetchmail", "--fetchmailrc", rc, "--pidfile", os.path.join(t.dir, "pid"), "--idfile", os.path.join(t.dir, "ids"), "--nosyslog", *flags, code=code,
          env={"FETCHMAILHOME": t.dir, "HOME": t.dir})
    return open(out, "rb").read() if os.path.exists(out) else b""


def test_plain_fetch_empties(t):
    for i in range(4):
        t.deliver(t.a, message(f"fetchmail {i}", body=f"body {i}\r\n"))
    got = fetchmail(t, "imap", ssl="sslproto ''")
    assert got.count(b"==END==") == 4 and b"body 3" in got
    c = t.imap(t.a)
    assert c.status("INBOX")["MESSAGES"] == 0
    c.close()
    fetchmail(t, "imap", ssl="sslproto ''", code=1)


def test_tls_keep(t):
    t.deliver(t.a, message("fetchmail keep"))
    assert fetchmail(t, "imaps", "--keep", ssl="ssl no sslcertck").count(b"==END==") == 1
    assert "\\Seen" in t.flags(t.a, "fetchmail keep")
    fetchmail(t, "imaps", "--keep", ssl="ssl no sslcertck", code=1)


def test_starttls_all(t):
    c = t.imap(t.a)
    for i in range(3):
        c.append("INBOX", message(f"fetchmail all {i}", body="y" * 200_000 + "\r\n"), "\\Seen")
    c.close()
    assert fetchmail(t, "imap", "--all", ssl="sslproto 'auto' no sslcertck").count(b"==END==") == 3
