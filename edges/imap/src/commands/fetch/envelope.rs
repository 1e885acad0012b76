//! ENVELOPE (RFC 9051 §7.5.2).

use crate::grammar::write::nstring;
use penfold_formats::mime::{Envelope, Mailbox};

pub fn write(out: &mut Vec<u8>, envelope: &Envelope, utf8: bool) {
    out.push(b'(');
    nstring(out, envelope.date.as_deref(), utf8);
    out.push(b' ');
    nstring(out, envelope.subject.as_deref(), utf8);
    for list in [&envelope.from, &envelope.sender, &envelope.reply_to, &envelope.to, &envelope.cc, &envelope.bcc] {
        out.push(b' ');
        addresses(out, list, utf8);
    }
    out.push(b' ');
    nstring(out, envelope.in_reply_to.as_deref(), utf8);
    out.push(b' ');
    nstring(out, envelope.message_id.as_deref(), utf8);
    out.push(b')');
}

fn addresses(out: &mut Vec<u8>, list: &[Mailbox], utf8: bool) {
    if list.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for one in list {
        out.push(b'(');
        for (at, field) in [&one.name, &one.route, &one.mailbox, &one.host].into_iter().enumerate() {
            if at > 0 {
                out.push(b' ');
            }
            nstring(out, field.as_deref(), utf8);
        }
        out.push(b')');
    }
    out.push(b')');
}
