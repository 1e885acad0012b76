//! The Authenticated Received Chain (RFC 8617): who handled a message on its way says what it found, and seals it.

mod set;

use crate::canonical::{self, Form};
use crate::dkim::{Algorithm, Hashes, Signature, Trouble, key, signed_header, without_b};
use crate::header::Message;
use penfold_ports::Dns;
use set::{ChainStatus, Seal, Set};

/// RFC 8617 §4.4. `fail` is for ever; [`ArcResult::TempError`] is a chain whose keys could not be looked up now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ArcResult {
    #[default]
    None,
    Pass,
    Fail,
    TempError,
}

impl ArcResult {
    /// RFC 8617 §10.1 knows no temporary result.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Fail | Self::TempError => "fail",
        }
    }
}

/// What was found for a message's chain.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Arc {
    pub result: ArcResult,
    /// Who sealed, from the first on: `d=` and `s=` of each ARC-Seal. Only as true as the result.
    pub sealers: Vec<(String, String)>,
    /// Why it did not pass.
    pub reason: Option<&'static str>,
}

type Failure = (ArcResult, &'static str);

fn fail(reason: &'static str) -> Failure {
    (ArcResult::Fail, reason)
}

/// RFC 8617 §5.2.
pub(crate) async fn verify(dns: &dyn Dns, message: &Message<'_>, hashes: &Hashes<'_>) -> Arc {
    let sets = match set::collect(message) {
        Ok(sets) if sets.is_empty() => return Arc::default(),
        Ok(sets) => sets,
        Err(reason) => return Arc { result: ArcResult::Fail, sealers: Vec::new(), reason: Some(reason) },
    };
    let mut out = Arc { result: ArcResult::Pass, ..Arc::default() };
    if let Err((result, reason)) = chain(dns, message, hashes, &sets, &mut out.sealers).await {
        (out.result, out.reason) = (result, Some(reason));
    }
    out
}

async fn chain(
    dns: &dyn Dns,
    message: &Message<'_>,
    hashes: &Hashes<'_>,
    sets: &[Set<'_>],
    sealers: &mut Vec<(String, String)>,
) -> Result<(), Failure> {
    let mut seals = Vec::with_capacity(sets.len());
    for set in sets {
        let seal = Seal::read(set.seal.value).map_err(fail)?;
        sealers.push((seal.domain.clone(), seal.selector.to_owned()));
        seals.push(seal);
    }
    for (at, seal) in seals.iter().enumerate() {
        let expected = if at == 0 { ChainStatus::None } else { ChainStatus::Pass };
        if seal.status != expected {
            return Err(fail(if seal.status == ChainStatus::Fail { "the chain failed before" } else { "cv is not what it must be" }));
        }
    }
    if let Some(newest) = sets.last() {
        signature(dns, message, hashes, newest).await?;
    }
    for (at, seal) in seals.iter().enumerate().rev() {
        let sealed = sealed(sets.get(..=at).unwrap_or_default());
        verified(dns, seal.algorithm, seal.selector, &seal.domain, &sealed, &seal.signature).await?;
    }
    Ok(())
}

/// Only the newest ARC-Message-Signature must fit the message as it is now (RFC 8617 §5.2 step 4).
async fn signature(dns: &dyn Dns, message: &Message<'_>, hashes: &Hashes<'_>, set: &Set<'_>) -> Result<(), Failure> {
    let tags = crate::tags::Tags::read(set.signature.value).ok_or(fail("a signature cannot be read"))?;
    let signature = Signature::arc(&tags).map_err(fail)?;
    let header = signed_header(message, &signature.signed, set.signature, signature.header_form);
    verified(dns, signature.algorithm, signature.selector, &signature.domain, &header, &signature.signature).await?;
    let body = hashes.of(signature.body_form, signature.length).ok_or(fail("too many body lengths"))?;
    if body.sha256 != signature.body_hash || signature.length.is_some_and(|length| length != body.length) {
        return Err(fail("the body is not what was signed"));
    }
    Ok(())
}

async fn verified(
    dns: &dyn Dns,
    algorithm: Option<Algorithm>,
    selector: &str,
    domain: &str,
    signed: &[u8],
    signature: &[u8],
) -> Result<(), Failure> {
    let algorithm = algorithm.ok_or(fail("the algorithm is not accepted"))?;
    let key = key(dns, selector, domain, algorithm).await.map_err(|trouble| match trouble {
        Trouble::Temporary => (ArcResult::TempError, "a key could not be looked up"),
        Trouble::Missing(reason) | Trouble::Weak(reason) => fail(reason),
    })?;
    if key.verifies(signed, signature) { Ok(()) } else { Err(fail("the header is not what was sealed")) }
}

/// What the last of these sets seals (RFC 8617 §5.1.1).
fn sealed(sets: &[Set<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    for (at, set) in sets.iter().enumerate() {
        canonical::field(set.results.whole, Form::Relaxed, &mut out);
        canonical::field(set.signature.whole, Form::Relaxed, &mut out);
        if at + 1 < sets.len() {
            canonical::field(set.seal.whole, Form::Relaxed, &mut out);
        } else {
            canonical::field(&without_b(set.seal.whole), Form::Relaxed, &mut out);
        }
    }
    out.truncate(out.len().saturating_sub(2));
    out
}
