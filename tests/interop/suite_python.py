"""smtplib and imaplib of Python's standard library."""
import email
import email.policy
import imaplib
import os
import smtplib
import ssl
from email.message import EmailMessage

import penfold_testlib as lib
from target import IDN, PASSWORD, UMLAUT, message


def loose():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def compose(subject, sender, to, body="hello\n"):
    m = EmailMessage(policy=email.policy.SMTP)
    m["Subject"], m["From"], m["To"], m["Message-ID"], m["Date"] = subject, sender, to, f"<{os.urandom(8).hex()}@client.test>", "Wed, 25 Nov 2026 10:00:00 +0100"
    m.set_content(body)
    return m


def test_smtplib_starttls(t):
    with smtplib.SMTP(t.host, t.port["submission"], timeout=30) as s:
        s.starttls(context=loose())
        s.login(t.b, PASSWORD)
        s.send_message(compose("smtplib starttls", t.b, t.a))
    t.mail(t.a, "smtplib starttls")


def test_smtplib_tls_and_attachment(t):
    m, raw = compose("smtplib attachment", t.b, t.a), os.urandom(3 << 20)
    m.add_attachment(raw, maintype="application", subtype="octet-stream", filename="Überblick.bin")
    with smtplib.SMTP_SSL(t.host, t.port["submissions"], timeout=30, context=loose()) as s:
        s.login(t.b, PASSWORD)
        s.send_message(m)
    got = email.message_from_bytes(t.mail(t.a, "smtplib attachment"), policy=email.policy.SMTP)
    part = next(got.iter_attachments())
    assert part.get_filename() == "Überblick.bin" and part.get_content() == raw


def test_smtplib_partial_refusal(t):
    t.penfold_only("the peer takes every name")
    with smtplib.SMTP(t.host, t.port["smtp"], timeout=30) as s:
        refused = s.sendmail("sender@elsewhere.test", [t.a, "nobody-here@bench.test"], message("smtplib partial"))
    assert list(refused) == ["nobody-here@bench.test"] and refused["nobody-here@bench.test"][0] == 550, refused
    t.mail(t.a, "smtplib partial")


def test_smtplib_utf8_address(t):
    t.penfold_only("no such people on the peer")
    with smtplib.SMTP_SSL(t.host, t.port["submissions"], timeout=30, context=loose()) as s:
        s.ehlo()
        assert s.has_extn("smtputf8")
        s.login(t.b, PASSWORD)
        m = compose("smtplib utf8 Grüße", t.b, UMLAUT)
        s.send_message(m)  # adds SMTPUTF8 by itself
    c = imaplib.IMAP4_SSL(t.host, t.port["imaps"], ssl_context=loose(), timeout=30)
    c.authenticate("PLAIN", lambda _: f"\0{UMLAUT}\0{PASSWORD}".encode())
    c.select("INBOX")
    lib.wait_until(lambda: c.noop() and c.search(None, "SUBJECT", '"smtplib utf8"')[1][0], what="mail to " + UMLAUT)
    c.logout()


def test_utf8_person_sends(t):
    t.penfold_only("no such people on the peer")
    s = lib.Smtp(t.host, t.port["submissions"], tls=True)
    s.login(IDN, PASSWORD)
    s.send(IDN, [t.a], message("utf8 sender", to=t.a, sender=IDN), " SMTPUTF8 BODY=8BITMIME")
    s.close()
    assert t.mail(t.a, "utf8 sender").startswith(("Return-Path: <jürgen@").encode())


def test_imaplib_whole_tour(t):
    c = imaplib.IMAP4(t.host, t.port["imap"], timeout=30)
    c.starttls(loose())
    c.login(t.a, PASSWORD)
    assert c.create("Tour")[0] == "OK" and c.subscribe("Tour")[0] == "OK"
    assert any(b"Tour" in line for line in c.lsub()[1])
    assert c.append("Tour", "(\\Seen $Label)", imaplib.Time2Internaldate(1700000000), message("imaplib tour", body="Straße\r\n".encode().decode()))[0] == "OK"
    assert c.select("Tour")[1] == [b"1"]
    typ, data = c.fetch("1", "(FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    assert typ == "OK" and b"Subject: imaplib tour" in data[0][1] and b"\\Seen" in data[0][0] + data[1], data
    assert imaplib.Internaldate2tuple(data[0][0] + data[1]) is not None
    c.literal = "Straße".encode()
    assert c.search("UTF-8", "BODY")[1] == [b"1"]
    assert c.store("1", "-FLAGS", "\\Seen")[0] == "OK" and c.search(None, "UNSEEN")[1] == [b"1"]
    assert c.copy("1", "Archive")[0] == "OK"
    assert c.uid("MOVE", "1", "Trash")[0] == "OK" and c.search(None, "ALL")[1] == [b""]
    assert c.select("Archive")[1] == [b"1"] and c.store("1", "+FLAGS", "\\Deleted")[0] == "OK" and c.expunge()[1] == [b"1"]
    c.close()
    assert c.rename("Tour", "Tour2")[0] == "OK" and c.delete("Tour2")[0] == "OK"
    assert c.status("Trash", "(MESSAGES UNSEEN)")[1][0].upper().count(b"1") == 2
    c.logout()


def test_imaplib_tls_and_sasl(t):
    c = imaplib.IMAP4_SSL(t.host, t.port["imaps"], ssl_context=loose(), timeout=30)
    assert "AUTH=PLAIN" in c.capabilities
    c.authenticate("PLAIN", lambda _: f"\0{t.a}\0{PASSWORD}".encode())
    assert c.select("INBOX")[0] == "OK"
    c.logout()


def test_imaplib_big_append(t):
    c = imaplib.IMAP4(t.host, t.port["imap"], timeout=60)
    c.login(t.a, PASSWORD)
    m = compose("imaplib big", t.b, t.a)
    m.add_attachment(os.urandom(15 << 20), maintype="application", subtype="octet-stream", filename="b.bin")
    data = m.as_bytes()
    assert c.append("INBOX", None, None, data)[0] == "OK"
    c.select("INBOX")
    assert c.fetch("1", "(BODY.PEEK[])")[1][0][1] == data
    part = c.fetch("1", "(BODY.PEEK[2]<1000.500>)")[1][0][1]
    at = data.index(b"\r\n\r\n", data.index(b"b.bin")) + 4
    assert part == data[at + 1000:at + 1500]
    c.logout()
