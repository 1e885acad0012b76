//! Rows that belong to no tenant.

use super::{Key, Pk, Sk};
use penfold_types::{Address, Domain, TenantId};

/// Which tenant and principal an address belongs to.
pub fn route(address: &Address) -> Key {
    Key { pk: Pk::new(format!("r#{}", address.key())), sk: Sk::text("r") }
}

/// Which tenant a domain belongs to.
pub fn domain(domain: &Domain) -> Key {
    Key { pk: Pk::new(format!("d#{domain}")), sk: Sk::text("d") }
}

/// What a queue keeps beside its jobs, where the queue itself cannot: parked groups and their jobs.
pub fn queue(name: &str) -> Pk {
    Pk::new(format!("q#{name}"))
}

/// In which cell a tenant lies, where that is not the home cell. For adapters that know cells.
pub fn placement(tenant: TenantId) -> Key {
    Key { pk: Pk::new(format!("n#{tenant}")), sk: Sk::text("cell") }
}

/// The row that makes a tenant. For adapters that know cells.
pub fn is_tenant(key: &Key) -> bool {
    key.pk.as_str().starts_with("t#") && key.sk.as_bytes() == b"tenant"
}

/// Shards of what is due later.
pub const DUE_SHARDS: u8 = 4;

/// Jobs that are to be sent later, by time.
pub fn due(shard: u8) -> Pk {
    Pk::new(format!("due#{shard}"))
}

/// One of them. The shard is the id's own.
pub fn due_entry(at: penfold_types::Timestamp, id: [u8; 16]) -> Key {
    let shard = id.last().copied().unwrap_or_default() % DUE_SHARDS;
    Key { pk: due(shard), sk: Sk::parts(&[&at.millis().max(0).to_be_bytes(), &id]) }
}

/// The end of what is due at a time.
pub fn due_until(at: penfold_types::Timestamp) -> Sk {
    Sk::parts(&[&at.millis().max(0).saturating_add(1).to_be_bytes()])
}

/// Up to when usage is counted in this cell.
pub fn metered() -> Key {
    Key { pk: Pk::new("meter".to_owned()), sk: Sk::text("until") }
}

/// What is to be reported to other domains about a day, by domain.
pub fn facts(kind: char, day: i64) -> Pk {
    Pk::new(format!("rs#{kind}#{day}"))
}

/// Facts of one domain begin with this.
pub fn facts_of(domain: &str) -> Sk {
    Sk::parts(&[domain.as_bytes(), &[0]])
}

pub fn fact(kind: char, day: i64, domain: &str, unique: u64) -> Key {
    Key { pk: facts(kind, day), sk: Sk::parts(&[domain.as_bytes(), &[0], &unique.to_be_bytes()]) }
}

/// Reports that were sent, by the day that they are about.
pub fn reports_sent() -> Pk {
    Pk::new("rs#sent".to_owned())
}

pub fn report_sent(day: i64, kind: char, domain: &str) -> Key {
    Key { pk: reports_sent(), sk: Sk::parts(&[&day.max(0).to_be_bytes(), &[kind as u8], domain.as_bytes()]) }
}

/// Where the service of this cell is reached from outside.
pub fn service() -> Key {
    Key { pk: Pk::new("service".to_owned()), sk: Sk::text("public") }
}

/// The key that the cell's own secrets are sealed with.
pub fn service_key() -> Key {
    Key { pk: Pk::new("service".to_owned()), sk: Sk::text("key") }
}

/// A token of the operator's.
pub fn operator_token(id: &str) -> Key {
    Key { pk: Pk::new("service".to_owned()), sk: Sk::text(&format!("token#{id}")) }
}

/// All of them: partition and prefix.
pub fn operator_tokens() -> (Pk, Sk) {
    (Pk::new("service".to_owned()), Sk::text("token#"))
}

/// Answers to requests of the operator that may come again; with `exp`.
pub fn once(sk: Sk) -> Key {
    Key { pk: Pk::new("service".to_owned()), sk }
}

/// Companies that are signing up.
pub fn sign_ups() -> Pk {
    Pk::new("sign-ups".to_owned())
}

pub fn sign_up(id: penfold_types::CommitId) -> Key {
    Key { pk: sign_ups(), sk: Sk::parts(&[b"s#", id.as_bytes()]) }
}

/// How many there were from one network, or for one domain, on a day.
pub fn sign_up_count(day: i64, of: &str) -> Key {
    Key { pk: sign_ups(), sk: Sk::parts(&[b"n#", &day.max(0).to_be_bytes(), of.as_bytes()]) }
}

/// The certificates that the cell shows, and what belongs to getting them.
pub fn certificates() -> Pk {
    Pk::new("certificates".to_owned())
}

/// Who gets certificates at this time.
pub fn certificates_lease() -> Key {
    Key { pk: certificates(), sk: Sk::text("lease") }
}

/// How many changes there were.
pub fn certificates_version() -> Key {
    Key { pk: certificates(), sk: Sk::text("version") }
}

/// The account at an authority.
pub fn certificates_account(authority: &str) -> Key {
    Key { pk: certificates(), sk: Sk::text(&format!("account#{authority}")) }
}

/// One name with its certificate.
pub fn certificate(name: &str) -> Key {
    Key { pk: certificates(), sk: Sk::text(&format!("name#{name}")) }
}

pub fn all_certificates() -> Sk {
    Sk::text("name#")
}

/// The last change of a name; each name has one such row.
pub fn certificate_change(number: u64) -> Key {
    Key { pk: certificates(), sk: Sk::parts(&[b"change#", &number.to_be_bytes()]) }
}

pub fn all_certificate_changes() -> Sk {
    Sk::text("change#")
}

/// What an authority fetches over HTTP.
pub fn certificate_proof(token: &str) -> Key {
    Key { pk: certificates(), sk: Sk::text(&format!("http#{token}")) }
}

pub fn all_certificate_proofs() -> Sk {
    Sk::text("http#")
}

/// That an edge of the cell lives.
pub fn edge(name: &str) -> Key {
    Key { pk: Pk::new("edges".to_owned()), sk: Sk::text(name) }
}

/// The list of tenants, for the operator.
pub fn tenants() -> Pk {
    Pk::new("tenants".to_owned())
}

pub fn tenant_entry(name: &str) -> Key {
    Key { pk: tenants(), sk: Sk::text(name) }
}
