"""IMAPClient, the library behind many synchronisers."""
import datetime
import os
import ssl

import penfold_testlib as lib
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError, LoginError
from target import PASSWORD, message


def client(t, user=None, tls=False):
    context = None
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    c = IMAPClient(t.host, t.port["imaps" if tls else "imap"], ssl=tls, ssl_context=context, timeout=30)
    if user:
        c.login(user, PASSWORD)
    return c


def refused(call, *args):
    try:
        call(*args)
    except IMAPClientError:
        return True
    return False


def test_sign_in_ways(t):
    c = client(t, t.a, tls=True)
    assert c.has_capability("IMAP4REV1") and c.has_capability("IDLE")
    c.logout()
    c = client(t)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    c.starttls(context)
    c.plain_login(t.a, PASSWORD)
    c.logout()


def test_wrong_password(t):
    t.penfold_only("slow on the peer")
    try:
        client(t, None).login(t.a, "wrong")
    except LoginError:
        return
    raise AssertionError("signed in with a wrong password")


def test_folders(t):
    c = client(t, t.a)
    assert c.namespace().personal[0][1] == "/"
    roles = {flag: name for flags, _, name in c.list_folders() for flag in flags}
    for role, name in ((b"\\Sent", "Sent"), (b"\\Drafts", "Drafts"), (b"\\Trash", "Trash"), (b"\\Junk", "Junk"), (b"\\Archive", "Archive")):
        assert roles.get(role) == name, roles
    for name in ("Kunden/Müller & Söhne", "日本語/メール", "a b", "Tab & Co"):
        c.create_folder(name)
        assert c.folder_exists(name), name
        c.append(name, message("in " + str(len(name))))
        assert c.select_folder(name)[b"EXISTS"] == 1
    c.unselect_folder() if c.has_capability("UNSELECT") else c.close_folder()
    c.subscribe_folder("日本語/メール")
    assert "日本語/メール" in [n for _, _, n in c.list_sub_folders()]
    c.rename_folder("Kunden", "Clients")
    assert c.folder_exists("Clients/Müller & Söhne") and not c.folder_exists("Kunden/Müller & Söhne")
    assert c.folder_status("Clients/Müller & Söhne", ["MESSAGES", "UNSEEN"]) == {b"MESSAGES": 1, b"UNSEEN": 1}
    c.delete_folder("a b")
    assert not c.folder_exists("a b")
    assert refused(c.delete_folder, "no such folder") and refused(c.create_folder, "INBOX") and refused(c.select_folder, "no such folder")
    c.logout()


def test_role_folders_stay(t):
    t.penfold_only("Dovecot lets them go")
    c = client(t, t.a)
    assert all(refused(c.delete_folder, name) for name in ("INBOX", "Sent", "Drafts", "Trash", "Junk", "Archive"))
    c.logout()


def test_search(t):
    c = client(t, t.a)
    c.create_folder("S")
    when = datetime.datetime(2020, 5, 17, 12, 0, tzinfo=datetime.timezone.utc)
    c.append("S", message("Quarterly invoice", body="the zebra crossing\r\n", sender="ann@elsewhere.test"), [b"\\Seen"], when)
    c.append("S", message("Grüße aus Köln", body="Schöne Straße\r\n", extra="Content-Type: text/plain; charset=utf-8\r\n"), [b"\\Flagged", b"$Work"])
    c.append("S", message("=?utf-8?q?Caf=C3=A9?=", body="=C3=A9t=C3=A9\r\n", extra="Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"))
    c.append("S", message("large", body="x" * 50000 + "\r\n"))
    c.select_folder("S")
    for query, charset, want in (
            ("ALL", None, [1, 2, 3, 4]), (["SUBJECT", "INVOICE"], None, [1]), (["TEXT", "zebra cross"], None, [1]), (["FROM", "ann@"], None, [1]),
            (["BODY", "straße"], "UTF-8", [2]), (["SUBJECT", "café"], "UTF-8", [3]), (["BODY", "été"], "UTF-8", [3]), ("UNSEEN", None, [2, 3, 4]),
            ("FLAGGED", None, [2]), (["KEYWORD", "$Work"], None, [2]), (["NOT", ["KEYWORD", "$Work"]], None, [1, 3, 4]), (["BEFORE", datetime.date(2021, 1, 1)], None, [1]),
            (["SINCE", datetime.date(2021, 1, 1)], None, [2, 3, 4]), (["LARGER", 20000], None, [4]), (["OR", ["FLAGGED"], ["LARGER", 20000]], None, [2, 4]),
            (["UID", "2:3"], None, [2, 3]), (["HEADER", "Message-ID", "invoice"], None, [1]), (["SENTON", datetime.date(2026, 11, 25)], None, [1, 2, 3, 4])):
        got = c.search(query, charset)
        assert sorted(got) == want, (query, sorted(got), want)
    c.logout()


def test_flags_and_two_sessions(t):
    one, two = client(t, t.a), client(t, t.a)
    for i in range(5):
        one.append("INBOX", message(f"flags {i}"))
    one.select_folder("INBOX")
    two.select_folder("INBOX")
    one.add_flags([1, 2], [b"\\Seen", b"$Forwarded"])
    two.noop()
    assert b"$Forwarded" in two.get_flags([1])[1]
    two.remove_flags([2], [b"$Forwarded"])
    two.set_flags([3], [b"\\Answered"])
    one.noop()
    flags = one.get_flags([1, 2, 3])
    assert b"$Forwarded" not in flags[2] and b"\\Answered" in flags[3]
    one.delete_messages([1])
    one.expunge()
    two.noop()
    assert two.search() == [2, 3, 4, 5]
    one.logout()
    two.logout()


def test_copy_move_append(t):
    c = client(t, t.a)
    for i in range(10):
        c.append("INBOX", message(f"move {i}", body=f"body {i}\r\n"), [b"\\Flagged"] if i % 2 else [])
    c.select_folder("INBOX")
    c.copy([1, 2, 3], "Archive")
    c.move([4, 5, 6], "Trash")
    assert c.search() == [1, 2, 3, 7, 8, 9, 10]
    c.delete_messages([7, 8])
    c.uid_expunge([7])
    assert c.search() == [1, 2, 3, 8, 9, 10]
    assert c.select_folder("Trash")[b"EXISTS"] == 3
    got = c.fetch(c.search(), ["FLAGS", "BODY.PEEK[TEXT]", "ENVELOPE"])
    assert [v[b"BODY[TEXT]"] for _, v in sorted(got.items())] == [b"body 3\r\n", b"body 4\r\n", b"body 5\r\n"]
    assert [b"\\Flagged" in v[b"FLAGS"] for _, v in sorted(got.items())] == [True, False, True]
    assert got[min(got)][b"ENVELOPE"].subject == b"move 3"
    assert c.select_folder("Archive")[b"EXISTS"] == 3
    c.logout()


def test_multiappend(t):
    c = client(t, t.a)
    assert c.has_capability("MULTIAPPEND")
    c.multiappend("Drafts", [message("m1"), message("m2"), message("m3")])
    assert c.select_folder("Drafts")[b"EXISTS"] == 3
    c.logout()


def test_bodystructure(t):
    c = client(t, t.a)
    body = ("--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nhi\r\n--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\nContent-Type: text/plain\r\n\r\nt\r\n"
            "--c\r\nContent-Type: text/html\r\n\r\n<p>t</p>\r\n--c--\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\nFrom: x@y.test\r\n\r\ninner body\r\n--b--\r\n")
    c.append("INBOX", message("parts", body=body, extra="MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"))
    c.select_folder("INBOX")
    got = c.fetch([1], ["BODYSTRUCTURE", "BODY.PEEK[1]", "BODY.PEEK[2.2]", "BODY.PEEK[3.HEADER]", "BODY.PEEK[3.1]", "BODY.PEEK[2.MIME]"])[1]
    assert got[b"BODYSTRUCTURE"].is_multipart and len(got[b"BODYSTRUCTURE"][0]) == 3
    assert got[b"BODY[1]"] == b"hi" and got[b"BODY[2.2]"] == b"<p>t</p>" and got[b"BODY[3.1]"] == b"inner body"
    assert got[b"BODY[3.HEADER]"] == b"Subject: inner\r\nFrom: x@y.test\r\n\r\n" and b"boundary=c" in got[b"BODY[2.MIME]"]
    c.logout()


def test_idle(t):
    c = client(t, t.a)
    c.select_folder("INBOX")
    c.idle()
    s = t.mx()
    s.send("sender@elsewhere.test", [t.a], message("idle"))
    s.close()
    got = []
    lib.wait_until(lambda: got.extend(c.idle_check(timeout=1)) or any(r[1:2] == (b"EXISTS",) and r[0] == 1 for r in got), what="EXISTS in IDLE")
    other = client(t, t.a)
    other.select_folder("INBOX")
    other.add_flags([1], [b"\\Flagged"])
    lib.wait_until(lambda: got.extend(c.idle_check(timeout=1)) or any(r[1:2] == (b"FETCH",) for r in got), what="FETCH in IDLE")
    other.delete_messages([1])
    other.expunge()
    lib.wait_until(lambda: got.extend(c.idle_check(timeout=1)) or any(r[1:2] == (b"EXPUNGE",) for r in got), what="EXPUNGE in IDLE")
    c.idle_done()
    c.logout()
    other.logout()


def test_condstore_qresync(t):
    """RFC 7162, by raw commands: IMAPClient has the fetch modifiers, not QRESYNC."""
    c = client(t, t.a)
    for i in range(6):
        c.append("INBOX", message(f"q {i}"))
    c.enable("CONDSTORE")
    first = c.select_folder("INBOX")
    modseq, validity = first[b"HIGHESTMODSEQ"], first[b"UIDVALIDITY"]
    if isinstance(modseq, (list, tuple)):
        modseq = modseq[0]
    c.add_flags([2], [b"\\Seen"])
    c.delete_messages([5])
    c.expunge()
    changed = c.fetch([1, 2, 3, 4, 6], ["FLAGS"], [f"CHANGEDSINCE {modseq}"])
    assert list(changed) == [2] and b"MODSEQ" in changed[2], changed
    c.logout()
    raw = t.imap(t.a)
    raw.cmd("ENABLE QRESYNC")
    lines = b"\n".join(r[0] for r in raw.cmd(f'SELECT "INBOX" (QRESYNC ({validity} {modseq} 1:6))'))
    assert b"VANISHED (EARLIER) 5" in lines and b"* 2 FETCH" in lines and b"* 1 FETCH" not in lines, lines
    raw.cmd(f"UID STORE 2 (UNCHANGEDSINCE {modseq}) +FLAGS (\\Flagged)")
    assert b"MODIFIED 2" in raw.done_text, raw.done_text
    raw.close()


def test_big_attachment(t):
    c, raw = client(t, t.a), os.urandom(1 << 20).hex().encode()
    lines = b"\r\n".join(raw[i:i + 76] for i in range(0, len(raw), 76)) * 10
    data = message("big", extra="Content-Type: application/octet-stream\r\n") + lines + b"\r\n"
    c.append("INBOX", data)
    c.select_folder("INBOX")
    got = c.fetch([1], ["BODY.PEEK[]", "RFC822.SIZE"])[1]
    assert got[b"BODY[]"] == data and got[b"RFC822.SIZE"] == len(data)
    assert c.fetch([1], [b"BODY.PEEK[]<1000000.64>"])[1][b"BODY[]<1000000>"] == data[1000000:1000064]
    c.logout()


def test_quota_and_id(t):
    t.penfold_only("no quota on the peer")
    c = client(t, t.a)
    assert c.has_capability("QUOTA") and c.get_quota_root("INBOX")[1]
    assert c.id_({"name": "interop", "version": "1"})
    c.logout()
