//! Commands of a transaction as text: RFC 5321 §4.1.1, with the parameters of RFC 1870, 6152, 3030, 6531, 3461, 2852 and 8689.

use super::letter::is_xtext;
use super::{Letter, Offers};
use penfold_ports::{Body, Notify, Recipient, Return};
use std::fmt::Write as _;

pub(super) fn mail(letter: &Letter, offers: &Offers) -> String {
    let mut line = format!("MAIL FROM:<{}>", letter.from);
    if offers.sized {
        let _ = write!(line, " SIZE={}", letter.size);
    }
    match letter.body {
        Body::SevenBit => {}
        Body::EightBit => line += " BODY=8BITMIME",
        Body::Binary => line += " BODY=BINARYMIME",
    }
    if letter.utf8 {
        line += " SMTPUTF8";
    }
    if letter.require_tls {
        line += " REQUIRETLS";
    }
    match letter.ret {
        None => {}
        Some(Return::Full) => line += " RET=FULL",
        Some(Return::Headers) => line += " RET=HDRS",
    }
    if let Some(id) = &letter.envelope_id {
        let _ = write!(line, " ENVID={id}");
    }
    if let Some(by) = letter.deliver_by {
        let _ = write!(line, " BY={};{}{}", by.seconds, if by.returns { 'R' } else { 'N' }, if by.trace { "T" } else { "" });
    }
    line
}

pub(super) fn rcpt(recipient: &Recipient, offers: &Offers) -> String {
    let mut line = format!("RCPT TO:<{}>", recipient.path);
    if !offers.dsn {
        return line;
    }
    if let Some(notify) = recipient.notify {
        let _ = write!(line, " NOTIFY={}", notify_words(notify));
    }
    if let Some(original) = recipient.original.as_ref().filter(|original| is_xtext(original)) {
        let _ = write!(line, " ORCPT={original}");
    }
    line
}

fn notify_words(notify: Notify) -> String {
    let words = [(notify.success, "SUCCESS"), (notify.failure, "FAILURE"), (notify.delay, "DELAY")];
    let words: Vec<&str> = words.iter().filter(|(asked, _)| *asked).map(|(_, word)| *word).collect();
    if words.is_empty() { "NEVER".to_owned() } else { words.join(",") }
}
