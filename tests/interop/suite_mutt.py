"""mutt (or neomutt), in batch mode for sending and driven by key strokes on a terminal of its own for reading."""
import email
import fcntl
import os
import pty
import shutil
import signal
import ssl
import struct
import subprocess
import termios
import threading

import penfold_testlib as lib
from target import PASSWORD, Skip, message

MUTT = shutil.which("mutt") or shutil.which("neomutt")


def settings(t, user, tls):
    """A muttrc; the server's self-signed certificate is trusted by being listed."""
    if not MUTT:
        raise Skip("no mutt")
    certificate = t.file("cert.pem", ssl.get_server_certificate((t.host, t.port["imaps"])))
    imap = f"imaps://{t.host}:{t.port['imaps']}" if tls else f"imap://{t.host}:{t.port['imap']}"
    smtp = f"smtps://{user.replace('@', '%40')}@{t.host}:{t.port['submissions']}" if tls else f"smtp://{user.replace('@', '%40')}@{t.host}:{t.port['submission']}"
    return t.file("muttrc", f"""
set from="{user}" realname="Mutt User" hostname="client.test" use_from=yes
set imap_user="{user}" imap_pass="{PASSWORD}" smtp_url="{smtp}" smtp_pass="{PASSWORD}" smtp_authenticators="plain"
set folder="{imap}/" spoolfile="{imap}/INBOX" record="{imap}/Sent" postponed="{imap}/Drafts" trash=""
set certificate_file="{certificate}" ssl_verify_host=no ssl_verify_dates=no ssl_starttls={"no" if tls else "yes"} ssl_force_tls=no
set copy=yes confirmappend=no confirmcreate=no delete=yes move=no quit=yes mark_old=no wait_key=no timeout=5 mail_check=5 sleep_time=0
set header_cache="" message_cachedir="" tmpdir="{t.dir}" sort=mailbox-order beep=no
""")


def send(t, user, to, subject, *args, body="hello from mutt\n", tls=True):
    t.run(MUTT or "mutt", "-n", "-F", settings(t, user, tls), "-s", subject, *args, "--", to, text=body, env={"HOME": t.dir})


def keys(t, user, pushed, mailbox="INBOX", tls=True, seconds=40):
    """Opens `mailbox` and plays the keys; ends by itself, since the keys end in <quit>."""
    rc = settings(t, user, tls)
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    p = subprocess.Popen([MUTT, "-n", "-F", rc, "-f", "=" + mailbox, "-e", f'push "{pushed}<quit>"'], stdin=slave, stdout=slave, stderr=slave, cwd=t.dir,
                         env=dict(os.environ, TERM="xterm", HOME=t.dir, LC_ALL="C.UTF-8"), start_new_session=True)
    os.close(slave)
    screen = []

    def read():
        try:
            while chunk := os.read(master, 65536):
                screen.append(chunk)
        except OSError:
            pass
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        code = p.wait(seconds)
    except subprocess.TimeoutExpired:
        p.send_signal(signal.SIGKILL)
        p.wait()
        raise AssertionError("mutt did not end; its screen: " + b"".join(screen)[-2500:].decode(errors="replace"))
    reader.join(5)
    os.close(master)
    text = b"".join(screen).decode(errors="replace")
    assert code == 0, text[-2000:]
    return text


def test_send_tls_keeps_copy_in_sent(t):
    send(t, t.b, t.a, "mutt tls")
    assert t.mail(t.a, "mutt tls").rstrip().endswith(b"hello from mutt")
    t.mail(t.b, "mutt tls", "Sent")
    # Its own copy, and not ours beside it.
    c = t.imap(t.b)
    lib.wait_until(lambda: c.status("Sent")["MESSAGES"] == 1, what="one copy in Sent")
    c.close()


def test_send_starttls_with_attachment(t):
    raw = os.urandom(2 << 20)
    send(t, t.b, t.a, "mutt attachment", "-a", t.file("Bild ä.bin", raw), tls=False)
    got = email.message_from_bytes(t.mail(t.a, "mutt attachment"))
    assert [p.get_payload(decode=True) for p in got.walk() if p.get_content_disposition() == "attachment"] == [raw]


def test_read_marks_seen(t):
    t.deliver(t.a, message("mutt read"))
    keys(t, t.a, "<display-message><exit><sync-mailbox>")
    assert "\\Seen" in t.flags(t.a, "mutt read")


def test_flag_tag_move(t):
    for i in range(4):
        t.deliver(t.a, message(f"mutt move {i}"))
    keys(t, t.a, "<first-entry><flag-message><tag-pattern>~s 'move [13]'<enter><tag-prefix><save-message>=Archive<enter><sync-mailbox>")
    assert "\\Flagged" in t.flags(t.a, "mutt move 0")
    t.mail(t.a, "mutt move", "Archive", count=2)
    t.mail(t.a, "mutt move", "INBOX", count=2)


def test_delete_expunges(t):
    for i in range(3):
        t.deliver(t.a, message(f"mutt delete {i}"))
    keys(t, t.a, "<delete-pattern>~s 'delete 1'<enter><sync-mailbox>", tls=False)
    t.mail(t.a, "mutt delete", count=2)


def test_server_search_and_folder(t):
    for i in range(3):
        t.deliver(t.a, message(f"mutt search {i}", body=f"needle{i}\r\n"))
    keys(t, t.a, "<limit>=b needle1<enter><copy-message>=Trash<enter>")
    assert b"needle1" in t.mail(t.a, "mutt search", "Trash", count=1)
    c = t.imap(t.a)
    c.cmd('CREATE "Mutt/Deep"')
    c.append("Mutt/Deep", message("mutt deep"))
    keys(t, t.a, "<flag-message><sync-mailbox>", mailbox="Mutt/Deep")
    assert "\\Flagged" in t.flags(t.a, "mutt deep", "Mutt/Deep")
    c.close()


def test_answer(t):
    t.deliver(t.a, message("mutt question", sender=t.b, to=t.a), sender=t.b)
    rc_editor = t.file("edit.sh", "#!/bin/sh\necho 'the answer' >> \"$1\"\n")
    os.chmod(rc_editor, 0o755)
    keys(t, t.a, f"<enter-command>set editor='{rc_editor}' fast_reply=yes include=no<enter><reply><send-message>")
    assert b"the answer" in t.mail(t.b, "mutt question")
    assert "\\Answered" in lib.wait_until(lambda: t.flags(t.a, "mutt question"), what="flags")
