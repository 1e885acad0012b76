//! What we sign, we verify.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Fixed, crlf, env, example, judge};
use penfold_authentication::{Algorithm, DkimResult, DmarcResult, Handling, PrivateKey, SignError, Signer, sign};
use penfold_types::Env;
use proptest::prelude::*;
use std::sync::{Arc, LazyLock};

const MESSAGE: &str = "Received: from x by y; z\nFrom: Joe <joe@example.com>\nTo: a@x.test,\n b@y.test\nSubject: Is dinner\n ready?\nDate: Fri, 11 Jul 2003 21:00:37 -0700\nMessage-ID: <1@example.com>\nList-Unsubscribe: <https://example.com/u>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\n\nHi.  \n\n\tWe lost.\n\n\n";

/// RSA is made once, since it takes a while; Ed25519 is always the same.
fn keys() -> &'static (PrivateKey, PrivateKey) {
    static KEYS: LazyLock<(PrivateKey, PrivateKey)> = LazyLock::new(|| {
        let make = |algorithm| PrivateKey::generate(algorithm, &env()).unwrap();
        (make(Algorithm::RsaSha256), make(Algorithm::Ed25519Sha256))
    });
    &KEYS
}

fn signed(message: &[u8]) -> Vec<u8> {
    let (rsa, ed) = keys();
    let signers = [Signer { domain: "example.com", selector: "r1", key: rsa }, Signer { domain: "example.com", selector: "e1", key: ed }];
    [&sign(message, &signers, &env()).unwrap(), message].concat()
}

fn zone() -> penfold_simulated::Zone {
    let (rsa, ed) = keys();
    let zone = example();
    zone.txt("r1._domainkey.example.com", &rsa.record().unwrap()).txt("e1._domainkey.example.com", &ed.record().unwrap());
    zone
}

#[tokio::test]
async fn there_and_back() {
    let verdicts = judge(&zone(), &signed(&crlf(MESSAGE))).await;
    assert_eq!(verdicts.dkim.iter().map(|d| (d.result, d.bits)).collect::<Vec<_>>(), [(DkimResult::Pass, 2048), (DkimResult::Pass, 256)]);
    assert_eq!(
        (verdicts.dmarc.result, verdicts.dmarc.dkim_aligned, verdicts.dmarc.handling()),
        (DmarcResult::Pass, true, Handling::Accept)
    );
}

#[tokio::test]
async fn nothing_can_be_added_or_taken() {
    let message = String::from_utf8(signed(&crlf(MESSAGE))).unwrap();
    for changed in [
        "Subject: Other\r\n".to_owned() + &message,
        "Reply-To: thief@evil.test\r\n".to_owned() + &message,
        "Content-Type: text/html\r\n".to_owned() + &message,
        "Cc: thief@evil.test\r\n".to_owned() + &message,
        message.replace("List-Unsubscribe: <https://example.com/u>\r\n", ""),
        message.replace("To: a@x.test,\r\n b@y.test\r\n", ""),
        message.replace("lost", "won"),
    ] {
        let results: Vec<_> = judge(&zone(), changed.as_bytes()).await.dkim.iter().map(|d| d.result).collect();
        assert_eq!(results, [DkimResult::Fail, DkimResult::Fail], "{changed}");
    }
    let on_its_way = "Received: from y by z; now\r\nReturn-Path: <x>\r\nAuthentication-Results: z; none\r\n".to_owned() + &message;
    assert!(judge(&zone(), on_its_way.as_bytes()).await.dkim.iter().all(|d| d.result == DkimResult::Pass));
}

/// One text for one message, key and time; folded within 78 columns.
#[test]
fn golden() {
    let message = crlf(MESSAGE);
    let (_, ed) = keys();
    let field = sign(&message, &[Signer { domain: "Example.com", selector: "e1", key: ed }], &env()).unwrap();
    let text = std::str::from_utf8(&field).unwrap();
    assert_eq!(text, include_str!("vectors/signed.txt").replace('\n', "\r\n"));
    assert!(text.lines().all(|line| line.replace('\t', "        ").len() <= 78));
}

/// RFC 8463, appendix A.2: the key of that seed.
#[test]
fn keys_are_those_of_the_standard() {
    let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    let seed: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&seed[at * 2..at * 2 + 2], 16).unwrap()).collect();
    let key = PrivateKey::generate(Algorithm::Ed25519Sha256, &Env::from_source(Arc::new(Fixed(seed)))).unwrap();
    assert_eq!(key.record().unwrap(), common::ED25519);
    let again = PrivateKey::from_pkcs8(&key.to_pkcs8().unwrap()).unwrap();
    assert_eq!(again.record().unwrap(), common::ED25519);
}

#[test]
fn rsa_keys_are_made() {
    let key = PrivateKey::generate(Algorithm::RsaSha256, &env()).unwrap();
    let again = PrivateKey::from_pkcs8(&key.to_pkcs8().unwrap()).unwrap();
    assert_eq!((again.algorithm(), again.record().unwrap()), (Algorithm::RsaSha256, key.record().unwrap()));
    assert!(PrivateKey::from_pkcs8(b"junk").is_err());
}

#[test]
fn what_is_not_signed() {
    let (rsa, _) = keys();
    let signer = Signer { domain: "example.com", selector: "r1", key: rsa };
    let refused = |message: &str, signer| sign(message.as_bytes(), &[signer], &env()).err();
    assert_eq!(refused("Subject: x\r\n\r\n", signer), Some(SignError::From));
    assert_eq!(refused("From: a@x\r\nFrom: b@x\r\n\r\n", signer), Some(SignError::From));
    assert_eq!(refused("From: a@x\r\n\r\n", Signer { selector: "a;b", ..signer }), Some(SignError::Name));
    assert_eq!(refused("From: a@x\r\n\r\n", Signer { domain: "", ..signer }), Some(SignError::Name));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_message_goes_there_and_back(subject in "[ -~\t]{0,300}", body in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let message = [b"From: a@example.com\r\nSubject: ", subject.as_bytes(), b"\r\n\r\n", &body].concat();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let verdicts = runtime.block_on(async { judge(&zone(), &signed(&message)).await });
        prop_assert!(verdicts.dkim.iter().all(|d| d.result == DkimResult::Pass), "{:?}", verdicts.dkim);
    }
}
