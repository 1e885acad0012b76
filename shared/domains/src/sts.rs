//! The MTA-STS policy of a domain whose mail comes to us (RFC 8461 §3.2). All domains have the same one.

use aws_lc_rs::digest::{SHA256, digest};
use penfold_directory::Service;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StsMode {
    /// Senders report what is wrong, and send in any case.
    Testing,
    /// Senders send over a TLS that verifies, or not at all.
    Enforce,
}

/// What is published. Enforcing comes once reports show that certificates are good: a wrong one would keep mail away.
pub const STS_MODE: StsMode = StsMode::Testing;

/// The policy file, served at `https://mta-sts.DOMAIN/.well-known/mta-sts.txt`.
pub fn mta_sts_policy(service: &Service, mode: StsMode) -> String {
    let (mode, max_age) = match mode {
        // A day, so that a mistake is soon forgotten; two weeks.
        StsMode::Testing => ("testing", 86_400),
        StsMode::Enforce => ("enforce", 1_209_600),
    };
    format!("version: STSv1\r\nmode: {mode}\r\nmx: {}\r\nmax_age: {max_age}\r\n", service.host)
}

/// The `id` of the TXT record (RFC 8461 §3.1): another policy has another one.
pub(crate) fn policy_id(policy: &str) -> String {
    digest(&SHA256, policy.as_bytes()).as_ref().iter().take(10).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_changes_with_the_policy() {
        let service = Service { host: "mx.example.com".into(), ..Service::default() };
        let policy = mta_sts_policy(&service, StsMode::Enforce);
        assert_eq!(policy, "version: STSv1\r\nmode: enforce\r\nmx: mx.example.com\r\nmax_age: 1209600\r\n");
        let id = policy_id(&policy);
        assert!((1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(id, policy_id(&mta_sts_policy(&service, StsMode::Testing)));
    }
}
