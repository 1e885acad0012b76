//! The DNS Tree Walk (RFC 9989 §4.10).

use super::record::{Psd, Published};
use penfold_ports::{Dns, DnsError};

/// Labels that are left after the first step; so a walk takes eight questions at most.
const LABELS: usize = 7;

/// The records that a walk found, from the longest name to the shortest.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    start: &'a str,
    pub found: Vec<(&'a str, Published)>,
}

/// The error is a temporary one: what a missing answer would have said cannot be known.
pub(super) async fn walk<'a>(dns: &dyn Dns, start: &'a str) -> Result<Walk<'a>, DnsError> {
    let mut out = Walk { start, found: Vec::new() };
    let mut name = Some(start);
    while let Some(at) = name {
        if let Some(record) = record(dns, at).await? {
            let last = record.psd != Psd::Unknown;
            out.found.push((at, record));
            if last {
                break;
            }
        }
        name = parent(at);
    }
    Ok(out)
}

/// The next name to ask.
fn parent(name: &str) -> Option<&str> {
    let mut next = name.split_once('.')?.1;
    while next.split('.').count() > LABELS {
        next = next.split_once('.')?.1;
    }
    Some(next)
}

async fn record(dns: &dyn Dns, name: &str) -> Result<Option<Published>, DnsError> {
    let answer = match dns.txt(&format!("_dmarc.{name}")).await {
        Ok(answer) => answer,
        Err(DnsError::Temporary) => return Err(DnsError::Temporary),
        Err(_) => return Ok(None),
    };
    let mut records = answer.records.iter().filter_map(|text| Published::read(text));
    match (records.next(), records.next()) {
        (Some(only), None) => Ok(Some(only)),
        // Several are as none.
        _ => Ok(None),
    }
}

impl<'a> Walk<'a> {
    /// §4.10.2.
    pub fn organization(&self) -> &'a str {
        for (name, record) in &self.found {
            match record.psd {
                Psd::No => return name,
                Psd::Yes if *name != self.start => return one_below(self.start, name),
                _ => (),
            }
        }
        self.found.last().map_or(self.start, |(name, _)| name)
    }

    /// The record that applies to the start (§4.10.1): its own, its organization's, or the public suffix's.
    pub fn applying(self) -> Option<(&'a str, Published)> {
        let (start, organization) = (self.start, self.organization());
        let mut best = None;
        for (name, record) in self.found {
            if name == start || name == organization {
                return Some((name, record));
            }
            best = Some((name, record));
        }
        best.filter(|(_, record)| record.psd == Psd::Yes)
    }
}

/// The name on the way from `start` up to `suffix` that has one label more than `suffix`.
fn one_below<'a>(start: &'a str, suffix: &str) -> &'a str {
    let mut name = start;
    while let Some((_, rest)) = name.split_once('.') {
        if rest == suffix {
            break;
        }
        name = rest;
    }
    name
}
