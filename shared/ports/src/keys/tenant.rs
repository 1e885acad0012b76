//! Sort keys of what a tenant has beside its accounts: mail on its way, reports, imports and exports, subscriptions, usage.

use super::Sk;
use penfold_types::{AcceptanceId, CommitId, FolderId, PrincipalId};

impl Sk {
    /// What is on its way to other hosts: the part of a message that goes to one destination.
    pub fn outgoing(acceptance: AcceptanceId, part: u64) -> Self {
        Self::parts(&[b"q#", acceptance.as_bytes(), &part.to_be_bytes()])
    }

    pub fn all_outgoing() -> Self {
        Self::text("q#")
    }

    /// What is not to leave before its time.
    pub fn held(acceptance: AcceptanceId) -> Self {
        Self::parts(&[b"h#", acceptance.as_bytes()])
    }

    pub fn all_held() -> Self {
        Self::text("h#")
    }

    /// Reports of one kind that were received.
    pub fn reports(kind: char) -> Self {
        Self::text(&format!("{kind}#"))
    }

    /// Those about a day, and all later ones.
    pub fn reports_from(kind: char, day: i64) -> Self {
        Self::parts(&[format!("{kind}#").as_bytes(), &day.max(0).to_be_bytes()])
    }

    pub fn report(kind: char, day: i64, domain: &str, name: &[u8]) -> Self {
        Self::parts(&[&Self::reports_from(kind, day).0, domain.as_bytes(), &[0], name])
    }

    /// The domain that a report is about.
    pub fn report_domain(sk: &Self) -> Option<&str> {
        std::str::from_utf8(sk.0.get(10..)?.split(|byte| *byte == 0).next()?).ok()
    }

    /// How many there were today.
    pub fn report_count() -> Self {
        Self::text("n")
    }

    /// Imports and exports, by when they were ordered.
    pub fn transfers() -> Self {
        Self::text("t#")
    }

    pub fn transfer(id: CommitId) -> Self {
        Self::parts(&[b"t#", id.as_bytes()])
    }

    /// The content of one: what was uploaded, or what is to be downloaded.
    pub fn transfer_parts(id: CommitId, upload: u64) -> Self {
        Self::parts(&[b"c#", id.as_bytes(), &upload.to_be_bytes()])
    }

    /// The same, of all uploads.
    pub fn all_transfer_parts(id: CommitId) -> Self {
        Self::parts(&[b"c#", id.as_bytes()])
    }

    pub fn transfer_part(id: CommitId, upload: u64, number: u32) -> Self {
        Self::parts(&[b"c#", id.as_bytes(), &upload.to_be_bytes(), &number.to_be_bytes()])
    }

    /// What could not be taken in.
    pub fn transfer_problems(id: CommitId) -> Self {
        Self::parts(&[b"p#", id.as_bytes()])
    }

    pub fn transfer_problem(id: CommitId, step: u64) -> Self {
        Self::parts(&[b"p#", id.as_bytes(), &step.to_be_bytes()])
    }

    /// Calendars that come from elsewhere, by whose they are.
    pub fn subscriptions() -> Self {
        Self::text("s#")
    }

    pub fn subscriptions_of(principal: PrincipalId) -> Self {
        Self::parts(&[b"s#", principal.as_bytes()])
    }

    /// How many a tenant has.
    pub fn subscription_count() -> Self {
        Self::text("n")
    }

    /// By the folder that it fills.
    pub fn subscription(principal: PrincipalId, folder: FolderId) -> Self {
        Self::parts(&[b"s#", principal.as_bytes(), folder.as_bytes()])
    }

    /// How far each mailbox's log was counted.
    pub fn marks() -> Self {
        Self::text("m#")
    }

    pub fn mark(principal: PrincipalId) -> Self {
        Self::parts(&[b"m#", principal.as_bytes()])
    }

    /// What a mailbox used, a row a day.
    pub fn days(principal: PrincipalId) -> Self {
        Self::parts(&[b"d#", principal.as_bytes(), b"#"])
    }

    pub fn day(principal: PrincipalId, day: u32) -> Self {
        Self::parts(&[b"d#", principal.as_bytes(), b"#", &day.to_be_bytes()])
    }
}
