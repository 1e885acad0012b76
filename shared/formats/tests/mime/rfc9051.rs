//! RFC 9051 §7.5.2: what ENVELOPE and BODYSTRUCTURE are made of.

use penfold_formats::mime::{Part, envelope};

use crate::{check, crlf, flat, shape, string};

/// The message behind the example of §8.
#[test]
fn the_sample_session() {
    let message = crlf(
        "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\nFrom: Terry Gray <gray@cac.washington.edu>\nSubject: IMAP4rev2 WG mtg summary and minutes
To: imap@cac.washington.edu\ncc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\nMessage-Id: <B27397-0100000@cac.washington.edu>
MIME-Version: 1.0\nContent-Type: TEXT/PLAIN; CHARSET=US-ASCII\n\ntext\n",
    );
    let summary = check(&message);
    let envelope = &summary.envelope;
    assert_eq!(string(&envelope.date), "Wed, 17 Jul 1996 02:23:25 -0700 (PDT)");
    assert_eq!(string(&envelope.subject), "IMAP4rev2 WG mtg summary and minutes");
    for list in [&envelope.from, &envelope.sender, &envelope.reply_to] {
        assert_eq!(flat(list), ["Terry Gray|gray|cac.washington.edu"]);
    }
    assert_eq!(flat(&envelope.to), ["NIL|imap|cac.washington.edu"]);
    assert_eq!(flat(&envelope.cc), ["NIL|minutes|CNRI.Reston.VA.US", "John Klensin|KLENSIN|MIT.EDU"]);
    assert_eq!(
        (envelope.bcc.len(), string(&envelope.in_reply_to), string(&envelope.message_id)),
        (0, "NIL".into(), "<B27397-0100000@cac.washington.edu>".into())
    );
    assert_eq!((summary.root.param("charset"), summary.root.lines), (Some(&b"US-ASCII"[..]), 1));
}

/// "If the Sender or Reply-To header fields are absent, or are present but empty, the server sets them to From."
#[test]
fn defaults_of_an_envelope() {
    let found = envelope(b"From: a@b\r\nSender:\r\nReply-To: (nobody)\r\nSubject:\r\nIn-Reply-To: \r\n\r\n");
    assert_eq!((flat(&found.sender), flat(&found.reply_to)), (vec!["NIL|a|b".to_owned()], vec!["NIL|a|b".to_owned()]));
    assert_eq!((found.subject.as_deref(), found.in_reply_to.as_deref(), found.message_id), (Some(&b""[..]), Some(&b""[..]), None));
    let found = envelope(b"Subject: x\r\n\r\n");
    assert!(found.from.is_empty() && found.sender.is_empty() && found.reply_to.is_empty());
}

#[test]
fn the_first_field_of_a_name_counts() {
    let found = envelope(b"FROM: a@b\r\nFrom: c@d\r\nsubject: 1\r\nSUBJECT: 2\r\n\r\n");
    assert_eq!((flat(&found.from), string(&found.subject)), (vec!["NIL|a|b".to_owned()], "1".to_owned()));
}

#[test]
fn a_long_list_is_cut_and_can_be_had_whole() {
    let people: Vec<String> = (0..2000).map(|number| format!("Person {number} <person{number}@example.org>")).collect();
    let message = crlf(&format!("From: a@b\nTo: {}\nSubject: x\n\ny", people.join(",\n ")));
    let summary = check(&message);
    assert!(summary.cut && summary.envelope.to.len() > 300 && summary.envelope.to.len() < 2000);
    assert_eq!((flat(&summary.envelope.from), string(&summary.envelope.subject)), (vec!["NIL|a|b".to_owned()], "x".to_owned()));
    assert_eq!(envelope(summary.root.header_of(&message)).to.len(), 2000);
}

/// A message in a message: envelope, structure, size and lines of the inner one, and its own parts.
#[test]
fn an_embedded_message() {
    let message = crlf(
        "Subject: out\nContent-Type: message/rfc822\n\nSubject: in\nFrom: x@y\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\nContent-Type: message/global\n\nSubject: deep\n\ntwo\n--b--\n",
    );
    let summary = check(&message);
    assert_eq!(shape(&summary.root), "message/rfc822(multipart/mixed(text/plain, message/global(text/plain)))");
    let inner = summary.root.message.as_ref().unwrap();
    assert_eq!((string(&inner.subject), flat(&inner.sender)), ("in".into(), vec!["NIL|x|y".to_owned()]));
    let deep: &Part = &summary.root.children[0].children[1];
    assert_eq!(string(&deep.message.as_ref().unwrap().subject), "deep");
    assert_eq!(deep.children[0].body_of(&message), b"two");
    assert_eq!((deep.lines, summary.root.lines), (2, 14));
}
