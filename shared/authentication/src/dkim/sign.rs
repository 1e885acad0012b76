//! Signing (RFC 6376 §5).

use super::private::{KeyError, PrivateKey};
use super::verify::signed_header;
use super::{Hashes, is_selector};
use crate::canonical::Form;
use crate::folded::Folded;
use crate::header::{Field, Message};
use crate::name;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use penfold_types::Env;

/// Signed once more than they are there, so that nobody can add another one (RFC 6376 §8.15).
const OVERSIGNED: [&str; 10] =
    ["From", "To", "Cc", "Subject", "Date", "Message-ID", "Reply-To", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"];
/// Signed as often as they are there (RFC 6376 §5.4.1; RFC 8058 §4). Not what a host on the way may change: Received,
/// Return-Path, Authentication-Results.
const SIGNED: [&str; 19] = [
    "Sender",
    "In-Reply-To",
    "References",
    "Content-ID",
    "Content-Description",
    "Resent-Date",
    "Resent-From",
    "Resent-Sender",
    "Resent-To",
    "Resent-Cc",
    "Resent-Message-ID",
    "List-Id",
    "List-Help",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Subscribe",
    "List-Post",
    "List-Owner",
    "List-Archive",
];
/// Instances of one name.
const INSTANCES: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    #[error("a message must have exactly one From to be signed")]
    From,
    #[error("the domain or the selector is none")]
    Name,
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// A key and where it is published: `<selector>._domainkey.<domain>`.
#[derive(Clone, Copy, Debug)]
pub struct Signer<'a> {
    pub domain: &'a str,
    pub selector: &'a str,
    pub key: &'a PrivateKey,
}

/// DKIM-Signature fields to be put in front of a message whose lines end in CRLF: one for each signer, relaxed/relaxed.
/// Nothing of the message may change afterwards but by fields in front of it.
pub fn sign(message: &[u8], signers: &[Signer<'_>], env: &Env) -> Result<Bytes, SignError> {
    let message = Message::read(message);
    if message.named("From").count() != 1 {
        return Err(SignError::From);
    }
    let signed = names(&message);
    let hashes = Hashes::new(message.body);
    let body = hashes.of(Form::Relaxed, None).map(|hash| STANDARD.encode(hash.sha256)).unwrap_or_default();
    let mut out = String::new();
    for signer in signers {
        let domain = name::canonical(signer.domain).ok_or(SignError::Name)?;
        if !is_selector(signer.selector) {
            return Err(SignError::Name);
        }
        let mut field = Folded::new("DKIM-Signature:");
        field.word(" v=1;");
        field.word(&format!(" a={};", signer.key.algorithm().name()));
        field.word(" c=relaxed/relaxed;");
        field.word(&format!(" d={domain};"));
        field.word(&format!(" s={};", signer.selector));
        field.word(&format!(" t={};", env.now().seconds().max(0)));
        for (at, name) in signed.iter().enumerate() {
            let (before, after) = (if at == 0 { " h=" } else { "" }, if at + 1 == signed.len() { ";" } else { ":" });
            field.word(&format!("{before}{name}{after}"));
        }
        field.word(&format!(" bh={body};"));
        field.word(" b=");
        let unsigned = field.text.clone();
        let itself = Field { name: b"DKIM-Signature", whole: unsigned.as_bytes(), value: b"", at: 0 };
        let names: Vec<&[u8]> = signed.iter().map(|name| name.as_bytes()).collect();
        let header = signed_header(&message, &names, &itself, Form::Relaxed);
        field.text(&STANDARD.encode(signer.key.sign(&header)?));
        out.push_str(&field.text);
        out.push_str("\r\n");
    }
    Ok(out.into())
}

fn names(message: &Message<'_>) -> Vec<&'static str> {
    let mut out = Vec::new();
    let mut add = |name: &'static str, more: usize| {
        let there = message.named(name).count().min(INSTANCES);
        out.extend(std::iter::repeat_n(name, there + more));
    };
    OVERSIGNED.into_iter().for_each(|name| add(name, 1));
    SIGNED.into_iter().for_each(|name| add(name, 0));
    out
}
