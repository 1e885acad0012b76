//! What the tests of this crate share.
#![allow(dead_code)]

use penfold_authentication::{Arriving, Verdicts, verify};
use penfold_ports::Dns;
use penfold_simulated::Zone;
use penfold_types::{Env, Source, Timestamp};
use std::sync::Arc;

/// The key that dkimpy's tests, RFC 6376 and RFC 8463 sign with (1024 bits).
pub const RSA: &str = "v=DKIM1; g=*; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";
/// RFC 8463, appendix A.2.
pub const ED25519: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

/// 2023-11-14T22:13:20Z, and bytes that are always the same.
pub struct Fixed(pub Vec<u8>);

impl Source for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_700_000_000)
    }

    fn fill(&self, bytes: &mut [u8]) {
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = self.0[at % self.0.len()];
        }
    }
}

pub fn env() -> Env {
    Env::from_source(Arc::new(Fixed(vec![7, 1, 3])))
}

pub fn crlf(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

pub fn arriving(message: &[u8]) -> Arriving<'_> {
    Arriving { peer: "192.0.2.1".parse().unwrap(), helo: "mail.example.com", mail_from: "joe@example.com", hostname: "mx.test", message }
}

pub async fn judge(dns: &dyn Dns, message: &[u8]) -> Verdicts {
    verify(dns, &env(), &arriving(message)).await
}

/// `example.com` as it should be: one host that sends, two keys, a policy.
pub fn example() -> Zone {
    let zone = Zone::default();
    zone.txt("example.com", "v=spf1 a:mail.example.com -all")
        .txt("mail.example.com", "v=spf1 a -all")
        .address("mail.example.com", "192.0.2.1".parse().unwrap())
        .ptr("192.0.2.1".parse().unwrap(), "mail.example.com")
        .txt("_dmarc.example.com", "v=DMARC1; p=reject; sp=quarantine; rua=mailto:d@example.com");
    zone
}
