"""getmail6: fetches every message once and hands it to a program."""
import os
import sys

from target import PASSWORD, message

GETMAIL = os.path.join(os.path.dirname(sys.executable), "getmail")


def getmail(t, retriever, listener, options="read_all = false\ndelete = false", mailboxes='("INBOX",)'):
    box = os.path.join(t.dir, "fetched")
    os.makedirs(box, exist_ok=True)
    os.makedirs(os.path.join(t.dir, "state"), exist_ok=True)
    # a program as destination, since getmail writes no Maildir for root
    take = t.file("take.sh", f"#!/bin/sh\nexec cat > \"$(mktemp {box}/XXXXXXXX)\"\n")
    os.chmod(take, 0o755)
    t.file("getmailrc", f"[retriever]\ntype = {retriever}\nserver = {t.host}\nport = {t.port[listener]}\nusername = {t.a}\npassword = {PASSWORD}\nmailboxes = {mailboxes}\n"
                        f"[destination]\ntype = MDA_external\npath = {take}\nallow_root_commands = true\n"
                        f"[options]\nverbose = 1\nreceived = false\ndelivered_to = false\n{options}\n")
    t.run(sys.executable, GETMAIL, "--getmaildir", os.path.join(t.dir, "state"), "--rcfile", os.path.join(t.dir, "getmailrc"))
    return [open(os.path.join(box, n), "rb").read() for n in sorted(os.listdir(box))]


def test_fetches_once(t):
    for i in range(5):
        t.deliver(t.a, message(f"getmail {i}", body=f"line {i}\r\n.\r\nend\r\n"))
    assert len(getmail(t, "SimpleIMAPRetriever", "imap")) == 5
    t.deliver(t.a, message("getmail 5"))
    got = getmail(t, "SimpleIMAPRetriever", "imap")
    assert len(got) == 6 and sum(b"Subject: getmail 3" in m for m in got) == 1
    assert all(b"line 3\n.\nend" in m.replace(b"\r\n", b"\n") for m in got if b"Subject: getmail 3" in m)


def test_tls_and_delete(t):
    for i in range(3):
        t.deliver(t.a, message(f"getmail tls {i}"))
    assert len(getmail(t, "SimpleIMAPSSLRetriever", "imaps", "read_all = true\ndelete = true")) == 3
    c = t.imap(t.a)
    assert c.status("INBOX")["MESSAGES"] == 0
    c.close()


def test_every_folder(t):
    c = t.imap(t.a)
    c.cmd('CREATE "Box/One"')
    c.append("Box/One", message("getmail folder"))
    c.append("INBOX", message("getmail inbox", body="x" * 3_000_000 + "\r\n"))
    c.close()
    got = getmail(t, "SimpleIMAPSSLRetriever", "imaps", mailboxes='("INBOX", "Box/One")')
    assert sorted(len(m) > 3_000_000 for m in got) == [False, True]
