//! Verification of signatures (RFC 6376 §6.1).

use super::key::{Trouble, key};
use super::signature::{Signature, without_b};
use super::{Dkim, DkimResult, Hashes};
use crate::canonical::{self, Form};
use crate::header::{Field, Message};
use penfold_ports::Dns;
use std::collections::BTreeMap;

/// Signatures that are looked at (RFC 6376 §6.1 allows a limit). Who signs ten times gains nothing by an eleventh.
const SIGNATURES: usize = 10;

/// What was found for each signature, from the top of the header on. Times are in seconds since 1970.
pub(crate) async fn verify(dns: &dyn Dns, message: &Message<'_>, hashes: &Hashes<'_>, now: u64) -> Vec<Dkim> {
    let mut out = Vec::new();
    for field in message.named("DKIM-Signature").take(SIGNATURES) {
        out.push(one(dns, message, hashes, field, now).await);
        // A large body takes a while; others may go on between two signatures.
        tokio::task::yield_now().await;
    }
    out
}

async fn one(dns: &dyn Dns, message: &Message<'_>, hashes: &Hashes<'_>, field: &Field<'_>, now: u64) -> Dkim {
    let signature = match Signature::dkim(field.value) {
        Ok(signature) => signature,
        Err(reason) => return unread(reason),
    };
    let mut out = Dkim {
        domain: signature.domain.clone(),
        selector: signature.selector.to_owned(),
        algorithm: signature.algorithm,
        bits: 0,
        mark: signature.mark.clone(),
        result: DkimResult::Pass,
        reason: None,
    };
    if let Err((result, reason)) = judge(dns, message, hashes, field, &signature, now, &mut out.bits).await {
        (out.result, out.reason) = (result, Some(reason));
    }
    out
}

fn unread(reason: &'static str) -> Dkim {
    Dkim {
        domain: String::new(),
        selector: String::new(),
        algorithm: None,
        bits: 0,
        mark: String::new(),
        result: DkimResult::Neutral,
        reason: Some(reason),
    }
}

/// The error is a result other than pass, and why. The key is fetched first: only a name that has one makes us hash a body.
async fn judge(
    dns: &dyn Dns,
    message: &Message<'_>,
    hashes: &Hashes<'_>,
    field: &Field<'_>,
    signature: &Signature<'_>,
    now: u64,
    bits: &mut u32,
) -> Result<(), (DkimResult, &'static str)> {
    let algorithm = signature.algorithm.ok_or((DkimResult::PermError, "the algorithm is not accepted"))?;
    if signature.expires.is_some_and(|expires| expires < now) {
        return Err((DkimResult::Fail, "the signature has expired"));
    }
    let key = key(dns, signature.selector, &signature.domain, algorithm).await.map_err(|trouble| match trouble {
        Trouble::Temporary => (DkimResult::TempError, "the key could not be looked up"),
        Trouble::Missing(reason) => (DkimResult::PermError, reason),
        Trouble::Weak(reason) => (DkimResult::Policy, reason),
    })?;
    *bits = key.bits;
    if key.strict && signature.identity.as_ref().is_some_and(|identity| *identity != signature.domain) {
        return Err((DkimResult::PermError, "i is not d"));
    }
    let header = signed_header(message, &signature.signed, field, signature.header_form);
    if !key.verifies(&header, &signature.signature) {
        return Err((DkimResult::Fail, "the header is not what was signed"));
    }
    let body = hashes.of(signature.body_form, signature.length).ok_or((DkimResult::Policy, "too many body lengths"))?;
    if body.sha256 != signature.body_hash || signature.length.is_some_and(|length| length > body.length) {
        return Err((DkimResult::Fail, "the body is not what was signed"));
    }
    // RFC 6376 §8.2: what was added behind the signed part is anybody's.
    if signature.length.is_some_and(|length| length < body.length) {
        return Err((DkimResult::Policy, "the body is signed in part"));
    }
    Ok(())
}

/// What is signed: the named fields, each name taking the lowest instance that is left (RFC 6376 §5.4.2), and the signature
/// itself without `b=`.
pub(crate) fn signed_header(message: &Message<'_>, names: &[&[u8]], field: &Field<'_>, form: Form) -> Vec<u8> {
    let mut out = Vec::new();
    let mut by_name: BTreeMap<Vec<u8>, Vec<&Field<'_>>> = names.iter().map(|name| (name.to_ascii_lowercase(), Vec::new())).collect();
    for field in &message.fields {
        if let Some(instances) = by_name.get_mut(&field.name.to_ascii_lowercase()) {
            instances.push(field);
        }
    }
    for name in names {
        if let Some(lowest) = by_name.get_mut(&name.to_ascii_lowercase()).and_then(Vec::pop) {
            canonical::field(lowest.whole, form, &mut out);
        }
    }
    canonical::field(&without_b(field.whole), form, &mut out);
    // The signature's own line break is not signed.
    out.truncate(out.len().saturating_sub(2));
    out
}
