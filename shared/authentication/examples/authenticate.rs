//! Signs and verifies files, for tests with other implementations (tests/authentication). Records are lines of a name, a tab
//! and the text of its TXT record.
//!
//! authenticate sign DOMAIN MESSAGE SIGNED RECORDS    with two new keys, whose records are written
//! authenticate verify MESSAGE RECORDS                prints the Authentication-Results
#![allow(clippy::unwrap_used)]

use penfold_authentication::{Algorithm, Arriving, PrivateKey, Signer, sign, verify};
use penfold_simulated::Zone;
use penfold_types::Env;
use std::fs;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let env = Env::system();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["sign", domain, message, signed, records] => {
            let message = fs::read(message).unwrap();
            let keys = [("r1", Algorithm::RsaSha256), ("e1", Algorithm::Ed25519Sha256)]
                .map(|(selector, algorithm)| (selector, PrivateKey::generate(algorithm, &env).unwrap()));
            let signers: Vec<_> = keys.iter().map(|(selector, key)| Signer { domain, selector, key }).collect();
            fs::write(signed, [&sign(&message, &signers, &env).unwrap(), message.as_slice()].concat()).unwrap();
            let record = |(selector, key): &(&str, PrivateKey)| format!("{selector}._domainkey.{domain}\t{}\n", key.record().unwrap());
            fs::write(records, keys.iter().map(record).collect::<String>()).unwrap();
        }
        ["verify", message, records] => {
            let zone = Zone::default();
            for line in fs::read_to_string(records).unwrap().lines() {
                let (name, text) = line.split_once('\t').unwrap();
                zone.txt(name, text);
            }
            let message = fs::read(message).unwrap();
            let arriving = Arriving {
                peer: "192.0.2.1".parse().unwrap(),
                helo: "mail.example.com",
                mail_from: "",
                hostname: "mx.test",
                message: &message,
            };
            print!("{}", verify(&zone, &env, &arriving).await.authentication_results("mx.test"));
        }
        _ => {
            eprintln!("usage: authenticate sign DOMAIN MESSAGE SIGNED RECORDS | verify MESSAGE RECORDS");
            std::process::exit(2);
        }
    }
}
