//! The part of an item that changes: its uid and keywords in its folder, beside a sealed digest with which "the newest 50"
//! is one query.

use crate::change::Placed;
use crate::codec::{Reader, put_bytes, put_u64, unzigzag, zigzag};
use crate::keywords::Keywords;
use crate::sealed::DataCipher;
use bytes::Bytes;
use penfold_formats::mime::{Summary, decode_header};
use penfold_ports::{Name, Row, Value};
use penfold_types::{Env, ItemId, Modseq, Result, Uid};

/// What a list of messages shows of each.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Digest {
    pub from: String,
    pub subject: String,
    pub preview: String,
    pub attachment: bool,
}

fn cut(mut text: String, limit: usize) -> String {
    let end = (0..=limit.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.truncate(end);
    text
}

impl Digest {
    pub(crate) fn of(summary: &Summary) -> Self {
        let from = summary.envelope.from.first().map_or_else(String::new, |from| match (&from.name, &from.mailbox, &from.host) {
            (Some(name), _, _) => decode_header(name),
            (None, Some(mailbox), Some(host)) => format!("{}@{}", String::from_utf8_lossy(mailbox), String::from_utf8_lossy(host)),
            _ => String::new(),
        });
        let subject = summary.envelope.subject.as_ref().map_or_else(String::new, |s| decode_header(s));
        Self { from: cut(from, 80), subject: cut(subject, 160), preview: cut(summary.preview.clone(), 120), attachment: summary.attachment }
    }

    pub(crate) fn seal(&self, env: &Env, cipher: &DataCipher, item: ItemId) -> Result<Bytes> {
        let mut out = Vec::with_capacity(8 + self.from.len() + self.subject.len() + self.preview.len());
        put_u64(&mut out, self.attachment.into());
        for text in [&self.from, &self.subject, &self.preview] {
            put_bytes(&mut out, text.as_bytes());
        }
        cipher.seal_row(env, item.as_bytes(), &out)
    }

    pub(crate) fn open(cipher: &DataCipher, item: ItemId, sealed: &[u8]) -> Result<Self> {
        let plain = cipher.open_row(item.as_bytes(), sealed)?;
        let mut from = Reader(&plain);
        let read = || -> Option<Self> {
            let attachment = from.u64()? != 0;
            let mut text = || from.str().map(str::to_owned);
            Some(Self { from: text()?, subject: text()?, preview: text()?, attachment })
        };
        Ok({ read }().unwrap_or_default())
    }
}

pub(crate) fn to_row(placed: &Placed, modseq: Modseq, digest: Bytes) -> Row {
    Row::new()
        .with("u", placed.uid.get())
        .with("k", placed.keywords.to_vec())
        .with("m", modseq.get())
        .with("cm", placed.created.get())
        .with("z", placed.size)
        .with("d", zigzag(placed.received))
        .with("tz", zigzag(placed.zone.into()))
        .with("g", digest)
}

/// What a change of keywords alone sets.
pub(crate) fn keyword_attributes(keywords: &Keywords, modseq: Modseq) -> Vec<(Name, Value)> {
    vec![("k".into(), keywords.to_vec().into()), ("m".into(), modseq.get().into())]
}

pub(crate) fn from_row(item: ItemId, row: &Row) -> Option<(Placed, Modseq)> {
    let placed = Placed {
        item,
        uid: Uid(u32::try_from(row.u64("u")?).ok()?),
        keywords: Keywords::decode(&mut Reader(row.bytes("k")?))?,
        created: Modseq(row.u64("cm")?),
        size: u32::try_from(row.u64("z")?).ok()?,
        received: unzigzag(row.u64("d")?),
        zone: i16::try_from(unzigzag(row.u64("tz")?)).ok()?,
    };
    Some((placed, Modseq(row.u64("m")?)))
}
