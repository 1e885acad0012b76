"""swaks: a scriptable SMTP client."""
import email
import hashlib
import os

from target import PASSWORD


def swaks(t, listener, *args, to=None, sender="sender@elsewhere.test", subject="swaks", code=0):
    return t.run("swaks", "--server", t.host, "--port", str(t.port[listener]), "--ehlo", "client.test", "--to", to or t.a, "--from", sender,
                 "--header", f"Subject: {subject}", *args, code=code)


def test_mx(t):
    out = swaks(t, "smtp", "--body", "first line\n.dot line\nlast", subject="swaks mx")
    assert "AUTH" not in out.split("MAIL FROM")[0], "the MX port offers AUTH"
    data = t.mail(t.a, "swaks mx")
    assert b"\r\n\r\nfirst line\r\n.dot line\r\nlast\r\n" in data, data[-100:]
    assert data.lower().startswith(b"return-path: <sender@elsewhere.test>"), data[:80]


def test_starttls_on_mx(t):
    t.penfold_only("the peer's MX port has no TLS")
    swaks(t, "smtp", "--tls", subject="swaks mx tls")
    t.mail(t.a, "swaks mx tls")


def test_submission_starttls_plain(t):
    out = swaks(t, "submission", "--tls", "--auth", "PLAIN", "--auth-user", t.b, "--auth-password", PASSWORD, sender=t.b, subject="swaks starttls")
    assert "AUTH" in out.split("=== TLS started")[1]
    t.mail(t.a, "swaks starttls")


def test_submission_starttls_login(t):
    swaks(t, "submission", "--tls", "--auth", "LOGIN", "--auth-user", t.b, "--auth-password", PASSWORD, sender=t.b, subject="swaks login")
    t.mail(t.a, "swaks login")


def test_submissions_tls(t):
    swaks(t, "submissions", "--tls-on-connect", "--auth", "PLAIN", "--auth-user", t.b, "--auth-password", PASSWORD, sender=t.b, subject="swaks tls")
    t.mail(t.a, "swaks tls")


def test_wrong_password(t):
    t.penfold_only("every password but one is slow on the peer")
    out = swaks(t, "submissions", "--tls-on-connect", "--auth", "PLAIN", "--auth-user", t.b, "--auth-password", "wrong", sender=t.b, code=28)
    assert "535" in out, out


def test_submission_needs_sign_in(t):
    t.penfold_only("the peer trusts loopback")
    out = swaks(t, "submission", "--tls", sender=t.b, code=23)
    assert "530 5.7.0" in out, out


def test_sender_must_be_own(t):
    t.penfold_only("not configured on the peer")
    out = swaks(t, "submissions", "--tls-on-connect", "--auth", "PLAIN", "--auth-user", t.b, "--auth-password", PASSWORD, sender=t.a, code=None)
    assert "<** 553" in out.replace("<~*", "<**"), out


def test_unknown_recipient(t):
    t.penfold_only("the peer takes every name")
    out = swaks(t, "smtp", to="nobody-here@bench.test", code=24)
    assert "550 5.1.1" in out, out


def test_no_relay(t):
    t.penfold_only("the peer trusts loopback")
    out = swaks(t, "smtp", to="somebody@far.example", code=24)
    assert "550 5.7.1" in out or "550 5.7.0" in out or "551 5.7.1" in out or "554 5.7.1" in out, out


def test_pipelining_many_recipients(t):
    swaks(t, "smtp", "--pipeline", to=f"{t.a},{t.b}", subject="swaks pipeline")
    t.mail(t.a, "swaks pipeline")
    t.mail(t.b, "swaks pipeline")


def test_big_attachment(t):
    raw = os.urandom(20 << 20)
    path = t.file("big.bin", raw)
    swaks(t, "smtp", "--attach-type", "application/octet-stream", "--attach-name", "big.bin", "--attach", "@" + path, "--body", "see attachment", subject="swaks big")
    got = email.message_from_bytes(t.mail(t.a, "swaks big", seconds=60))
    part = [p for p in got.walk() if p.get_filename() == "big.bin"][0]
    assert hashlib.sha256(part.get_payload(decode=True)).digest() == hashlib.sha256(raw).digest()


def test_null_sender(t):
    swaks(t, "smtp", sender="<>", subject="swaks bounce")
    assert t.mail(t.a, "swaks bounce").lower().startswith(b"return-path: <>")
