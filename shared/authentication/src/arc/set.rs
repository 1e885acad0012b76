//! The three fields that each handler adds (RFC 8617 §4.1), by instance.

use crate::dkim::{Algorithm, seal, signer};
use crate::header::{Field, Message};
use crate::tags::{Tags, number};

/// RFC 8617 §4.2.1.
const INSTANCES: usize = 50;

#[derive(Clone, Copy)]
pub(super) struct Set<'a> {
    pub results: &'a Field<'a>,
    pub signature: &'a Field<'a>,
    pub seal: &'a Field<'a>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ChainStatus {
    None,
    Pass,
    Fail,
}

/// ARC-Seal.
pub(super) struct Seal<'a> {
    pub algorithm: Option<Algorithm>,
    pub domain: String,
    pub selector: &'a str,
    pub status: ChainStatus,
    pub signature: Vec<u8>,
}

impl<'a> Seal<'a> {
    pub fn read(value: &'a [u8]) -> Result<Self, &'static str> {
        let tags = Tags::read(value).ok_or("a seal cannot be read")?;
        if tags.get("h").is_some() || tags.get("bh").is_some() {
            return Err("a seal lists fields");
        }
        let status = match tags.get("cv").map(<[u8]>::to_ascii_lowercase).as_deref() {
            Some(b"none") => ChainStatus::None,
            Some(b"pass") => ChainStatus::Pass,
            Some(b"fail") => ChainStatus::Fail,
            _ => return Err("cv is missing"),
        };
        let (domain, selector) = signer(&tags)?;
        let (algorithm, signature, _) = seal(&tags)?;
        Ok(Self { algorithm, domain, selector, status, signature })
    }
}

/// The sets of a message from instance 1 on. The error says why they are no chain.
pub(super) fn collect<'a>(message: &'a Message<'a>) -> Result<Vec<Set<'a>>, &'static str> {
    let results = by_instance(message, "ARC-Authentication-Results", |value| {
        // `i=1;` stands before the authserv-id (RFC 8617 §4.1.1).
        value.split(|byte| *byte == b';').next().and_then(Tags::read)?.get("i").and_then(number)
    })?;
    let numbered = |value: &[u8]| Tags::read(value)?.get("i").and_then(number);
    let signatures = by_instance(message, "ARC-Message-Signature", numbered)?;
    let seals = by_instance(message, "ARC-Seal", numbered)?;
    if results.len() != signatures.len() || signatures.len() != seals.len() {
        return Err("a set is not complete");
    }
    Ok(results.into_iter().zip(signatures).zip(seals).map(|((results, signature), seal)| Set { results, signature, seal }).collect())
}

/// The fields of one name, which must be numbered from 1 on without gaps and without two of one number.
fn by_instance<'a>(
    message: &'a Message<'a>,
    name: &'static str,
    instance: impl Fn(&[u8]) -> Option<u64>,
) -> Result<Vec<&'a Field<'a>>, &'static str> {
    let mut found = Vec::new();
    for field in message.named(name) {
        found.push((instance(field.value).ok_or("a field has no instance")?, field));
        if found.len() > INSTANCES {
            return Err("there are too many sets");
        }
    }
    found.sort_by_key(|(instance, _)| *instance);
    let in_order = found.iter().zip(1..).all(|((instance, _), expected)| *instance == expected);
    if in_order { Ok(found.into_iter().map(|(_, field)| field).collect()) } else { Err("instances are not in order") }
}
