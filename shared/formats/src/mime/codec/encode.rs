use super::{ATTACHMENT, CUT, VERSION, encoding_code, envelope_bits, mailbox_bits, part_bits, type_code};
use crate::mime::summary::{Envelope, Mailbox, Part, Summary, Text};

impl Summary {
    /// The stored form. At most 64 KB for what `summarise` made.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer { out: Vec::with_capacity(512), last: 0 };
        writer.out.push(VERSION);
        writer.number(bit(self.attachment, ATTACHMENT) | bit(self.cut, CUT));
        writer.bytes(self.preview.as_bytes());
        writer.number(self.references.len() as u64);
        self.references.iter().for_each(|id| writer.bytes(id.as_bytes()));
        writer.envelope(&self.envelope);
        writer.part(&self.root);
        writer.out
    }
}

fn bit(set: bool, bit: u64) -> u64 {
    if set { bit } else { 0 }
}

struct Writer {
    out: Vec<u8>,
    /// Where the header before this one ended.
    last: u32,
}

impl Writer {
    /// LEB128: seven bits a byte, the least first.
    fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.out.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.out.push(value as u8);
    }

    /// Small negative numbers stay short.
    fn signed(&mut self, value: i64) {
        self.number((value << 1 ^ value >> 63) as u64);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.out.extend_from_slice(bytes);
    }

    fn text(&mut self, text: &Option<Text>) {
        text.iter().for_each(|text| self.bytes(text));
    }

    fn envelope(&mut self, envelope: &Envelope) {
        use envelope_bits::*;
        let sender = envelope.sender == envelope.from;
        let reply_to = envelope.reply_to == envelope.from;
        self.number(
            bit(envelope.date.is_some(), DATE)
                | bit(envelope.subject.is_some(), SUBJECT)
                | bit(envelope.in_reply_to.is_some(), IN_REPLY_TO)
                | bit(envelope.message_id.is_some(), MESSAGE_ID)
                | bit(envelope.sent.is_some(), SENT)
                | bit(!envelope.from.is_empty(), FROM)
                | bit(sender, SENDER_IS_FROM)
                | bit(reply_to, REPLY_TO_IS_FROM)
                | bit(!envelope.to.is_empty(), TO)
                | bit(!envelope.cc.is_empty(), CC)
                | bit(!envelope.bcc.is_empty(), BCC),
        );
        for text in [&envelope.date, &envelope.subject, &envelope.in_reply_to, &envelope.message_id] {
            self.text(text);
        }
        if let Some(sent) = envelope.sent {
            self.signed(sent);
            self.signed(i64::from(envelope.sent_zone));
        }
        self.list(&envelope.from, !envelope.from.is_empty());
        self.list(&envelope.sender, !sender);
        self.list(&envelope.reply_to, !reply_to);
        for list in [&envelope.to, &envelope.cc, &envelope.bcc] {
            self.list(list, !list.is_empty());
        }
    }

    fn list(&mut self, list: &[Mailbox], wanted: bool) {
        use mailbox_bits::*;
        if !wanted {
            return;
        }
        self.number(list.len() as u64);
        for mailbox in list {
            self.number(
                bit(mailbox.name.is_some(), NAME)
                    | bit(mailbox.route.is_some(), ROUTE)
                    | bit(mailbox.mailbox.is_some(), MAILBOX)
                    | bit(mailbox.host.is_some(), HOST),
            );
            for text in [&mailbox.name, &mailbox.route, &mailbox.mailbox, &mailbox.host] {
                self.text(text);
            }
        }
    }

    /// Recurses as deep as the structure, which `summarise` bounds.
    fn part(&mut self, part: &Part) {
        use part_bits::*;
        let kind = type_code(&part.kind, &part.subtype);
        self.out.push(kind.unwrap_or(0));
        if kind.is_none() {
            self.bytes(part.kind.as_bytes());
            self.bytes(part.subtype.as_bytes());
        }
        let encoding = encoding_code(&part.encoding);
        self.out.push(encoding.unwrap_or(0));
        if encoding.is_none() {
            self.bytes(part.encoding.as_bytes());
        }
        self.number(
            bit(!part.params.is_empty(), PARAMS)
                | bit(!part.children.is_empty(), CHILDREN)
                | bit(part.lines > 0, LINES)
                | bit(part.disposition.is_some(), DISPOSITION)
                | bit(part.id.is_some(), ID)
                | bit(part.description.is_some(), DESCRIPTION)
                | bit(part.message.is_some(), MESSAGE)
                | bit(!part.language.is_empty(), LANGUAGE)
                | bit(part.location.is_some(), LOCATION)
                | bit(part.md5.is_some(), MD5),
        );
        self.ranges(part);
        self.facts(part);
        if let Some(message) = &part.message {
            self.envelope(message);
        }
        if !part.children.is_empty() {
            self.number(part.children.len() as u64);
            part.children.iter().for_each(|child| self.part(child));
        }
    }

    /// A body begins where its header ends.
    fn ranges(&mut self, part: &Part) {
        self.number(u64::from(part.header.start.saturating_sub(self.last)));
        self.number(u64::from(part.header.end.saturating_sub(part.header.start)));
        self.number(u64::from(part.body.end.saturating_sub(part.header.end)));
        self.last = part.header.end;
        if part.lines > 0 {
            self.number(u64::from(part.lines));
        }
    }

    fn facts(&mut self, part: &Part) {
        if !part.params.is_empty() {
            self.params(&part.params);
        }
        if let Some((kind, params)) = &part.disposition {
            self.bytes(kind.as_bytes());
            self.params(params);
        }
        for text in [&part.id, &part.description, &part.location, &part.md5] {
            self.text(text);
        }
        if !part.language.is_empty() {
            self.number(part.language.len() as u64);
            part.language.iter().for_each(|tag| self.bytes(tag.as_bytes()));
        }
    }

    fn params(&mut self, params: &[(String, Text)]) {
        self.number(params.len() as u64);
        for (name, value) in params {
            self.bytes(name.as_bytes());
            self.bytes(value);
        }
    }
}
