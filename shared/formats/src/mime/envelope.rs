//! From the fields of one header to its envelope and its MIME facts. The first field of a name counts.

use super::address::address_list;
use super::bounds::{Budget, MAX_TEXT};
use super::content::{self, Params};
use super::fields::{header_fields, unfold};
use super::summary::{Envelope, Mailbox, Part, Text};
use super::{codec, date, msgid, parameter};

/// The values of one header that matter here.
#[derive(Default)]
pub(super) struct Header<'m> {
    date: Option<&'m [u8]>,
    subject: Option<&'m [u8]>,
    from: Option<&'m [u8]>,
    sender: Option<&'m [u8]>,
    reply_to: Option<&'m [u8]>,
    to: Option<&'m [u8]>,
    cc: Option<&'m [u8]>,
    bcc: Option<&'m [u8]>,
    in_reply_to: Option<&'m [u8]>,
    message_id: Option<&'m [u8]>,
    references: Option<&'m [u8]>,
    content_type: Option<&'m [u8]>,
    encoding: Option<&'m [u8]>,
    id: Option<&'m [u8]>,
    description: Option<&'m [u8]>,
    disposition: Option<&'m [u8]>,
    language: Option<&'m [u8]>,
    location: Option<&'m [u8]>,
    md5: Option<&'m [u8]>,
}

/// The envelope of a header, whole: for a message whose summary says that it was cut.
pub fn envelope(header: &[u8]) -> Envelope {
    Header::read(header).envelope(&mut Budget::of(usize::MAX))
}

impl<'m> Header<'m> {
    pub(super) fn read(header: &'m [u8]) -> Self {
        let mut found = Self::default();
        for (name, _, value) in header_fields(header) {
            if let Some(slot) = found.slot(name)
                && slot.is_none()
            {
                *slot = Some(value);
            }
        }
        found
    }

    fn slot(&mut self, name: &[u8]) -> Option<&mut Option<&'m [u8]>> {
        let is = |wanted: &[u8]| name.eq_ignore_ascii_case(wanted);
        Some(match name.len() {
            2 if is(b"to") => &mut self.to,
            2 if is(b"cc") => &mut self.cc,
            3 if is(b"bcc") => &mut self.bcc,
            4 if is(b"date") => &mut self.date,
            4 if is(b"from") => &mut self.from,
            6 if is(b"sender") => &mut self.sender,
            7 if is(b"subject") => &mut self.subject,
            8 if is(b"reply-to") => &mut self.reply_to,
            10 if is(b"message-id") => &mut self.message_id,
            10 if is(b"references") => &mut self.references,
            10 if is(b"content-id") => &mut self.id,
            11 if is(b"in-reply-to") => &mut self.in_reply_to,
            11 if is(b"content-md5") => &mut self.md5,
            12 if is(b"content-type") => &mut self.content_type,
            16 if is(b"content-language") => &mut self.language,
            16 if is(b"content-location") => &mut self.location,
            19 if is(b"content-disposition") => &mut self.disposition,
            19 if is(b"content-description") => &mut self.description,
            25 if is(b"content-transfer-encoding") => &mut self.encoding,
            _ => return None,
        })
    }

    /// RFC 9051 §7.5.2. What matters most is paid for first.
    pub(super) fn envelope(&self, budget: &mut Budget) -> Envelope {
        let date = text(self.date, budget);
        let subject = text(self.subject, budget);
        let message_id = text(self.message_id, budget);
        let in_reply_to = text(self.in_reply_to, budget);
        let from = list(self.from, budget);
        let or_from = |field: Option<&[u8]>, budget: &mut Budget| {
            let own = list(field, budget);
            if own.is_empty() { from.clone() } else { own }
        };
        let sender = or_from(self.sender, budget);
        let reply_to = or_from(self.reply_to, budget);
        let to = list(self.to, budget);
        let cc = list(self.cc, budget);
        let bcc = list(self.bcc, budget);
        let sent = self.date.and_then(date::parse_date);
        Envelope {
            date,
            subject,
            sender,
            reply_to,
            from,
            to,
            cc,
            bcc,
            in_reply_to,
            message_id,
            sent: sent.map(|(seconds, _)| seconds),
            sent_zone: sent.map_or(0, |(_, zone)| zone),
        }
    }

    pub(super) fn references(&self) -> Vec<String> {
        msgid::references(self.references.unwrap_or_default(), self.in_reply_to.unwrap_or_default())
    }

    /// The part that the header describes, without ranges, and the boundary of a multipart, which is needed also where
    /// the budget has no room for it. `digest`: RFC 2046 §5.1.5.
    pub(super) fn part(&self, digest: bool, budget: &mut Budget) -> (Part, Option<Vec<u8>>) {
        let (kind, subtype, params) = match self.content_type.and_then(content::content_type) {
            Some(given) => given,
            None if digest && self.content_type.is_none() => ("message".into(), "rfc822".into(), Vec::new()),
            None => ("text".into(), "plain".into(), vec![("charset".into(), Box::from(&b"us-ascii"[..]))]),
        };
        let boundary = if kind == "multipart" { parameter::boundary(&params) } else { None };
        // A common type is encoded as one byte, so nobody has to pay for it.
        let described = codec::type_code(&kind, &subtype).is_some() || budget.pay(kind.len() + subtype.len());
        let params = affordable(params, budget);
        let encoding = self.encoding.and_then(content::encoding).filter(|encoding| budget.pay(encoding.len()));
        let mut part = Part {
            header: 0..0,
            body: 0..0,
            kind,
            subtype,
            params,
            id: text(self.id, budget),
            description: text(self.description, budget),
            encoding: encoding.unwrap_or_else(|| "7bit".into()),
            disposition: self.disposition(budget),
            language: self.language.map(content::languages).unwrap_or_default(),
            location: text(self.location, budget),
            md5: text(self.md5, budget),
            lines: 0,
            children: Vec::new(),
            message: None,
        };
        part.language.retain(|tag| budget.pay(tag.len()));
        if !described {
            opaque(&mut part);
        }
        (part, boundary)
    }

    fn disposition(&self, budget: &mut Budget) -> Option<(String, Params)> {
        let (kind, params) = content::disposition(self.disposition?)?;
        let fits = budget.pay(kind.len() + 2);
        fits.then(|| (kind, affordable(params, budget)))
    }
}

/// RFC 2046 §4.5.1: what cannot be described is application/octet-stream.
pub(super) fn opaque(part: &mut Part) {
    part.kind = "application".into();
    part.subtype = "octet-stream".into();
}

fn affordable(mut params: Params, budget: &mut Budget) -> Params {
    params.retain(|(name, value)| budget.pay(name.len() + value.len() + 3));
    params
}

fn text(value: Option<&[u8]>, budget: &mut Budget) -> Option<Text> {
    let value = value?;
    // Far more than is kept, for folds and white space, and still bounded.
    let unfolded = unfold(value.get(..MAX_TEXT * 4).unwrap_or(value));
    budget.text(unfolded)
}

fn list(value: Option<&[u8]>, budget: &mut Budget) -> Vec<Mailbox> {
    value.map(|value| address_list(value, budget)).unwrap_or_default()
}
