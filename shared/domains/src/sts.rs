//! The MTA-STS policy of a domain whose mail comes to us (RFC 8461 §3.2). All domains have the same one.

use aws_lc_rs::digest::{SHA256, digest};
use penfold_directory::Service;

/// The policy file, served at `https://mta-sts.DOMAIN/.well-known/mta-sts.txt`. Enforcing is for the operator to say, once
/// reports show that certificates are good: a wrong one keeps mail away.
pub fn mta_sts_policy(service: &Service) -> String {
    let (mode, max_age) = match service.enforce_tls {
        // A day, so that a mistake is soon forgotten; two weeks.
        false => ("testing", 86_400),
        true => ("enforce", 1_209_600),
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
        let testing = Service { host: "mx.example.com".into(), ..Service::default() };
        let policy = mta_sts_policy(&Service { enforce_tls: true, ..testing.clone() });
        assert_eq!(policy, "version: STSv1\r\nmode: enforce\r\nmx: mx.example.com\r\nmax_age: 1209600\r\n");
        let id = policy_id(&policy);
        assert!((1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(id, policy_id(&mta_sts_policy(&testing)));
    }
}
