//! The proof that a domain is its tenant's: only who keeps the zone can publish what we ask for.

use crate::keys::Domains;
use crate::records::{Aim, Data, Need, Record};
use aws_lc_rs::hmac;
use penfold_directory::{Claim, SignUp};
use penfold_types::{Domain, Error, Result, TenantId};

pub(crate) const PREFIX: &str = "penfold-domain-verification=";

/// What came of looking for the proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// It was before.
    Already,
    /// It is from now on.
    Proved,
    /// The record is not there, or says something else.
    NotYet { wanted: Record, found: Vec<String> },
}

/// The record that proves a claim; `None` where none is needed. The token is of this tenant, this domain and this claim
/// alone, so what somebody published for another one proves nothing.
pub(crate) fn record(domain: &Domain, claim: &Claim) -> Option<Record> {
    if claim.proved {
        return None;
    }
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &claim.nonce));
    context.update(claim.tenant.as_bytes());
    context.update(domain.as_str().as_bytes());
    let token: String = context.sign().as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    Some(Record {
        name: format!("_penfold.{domain}"),
        data: Data::Txt(format!("{PREFIX}{token}")),
        aim: Aim::Ownership,
        need: Need::Required,
        purpose: "proves that the domain is yours; until then it neither receives nor sends".to_owned(),
    })
}

/// The record that proves the domain of a company that signs up: name and text.
pub fn sign_up_record(waiting: &SignUp) -> (String, String) {
    (format!("_penfold.{}", waiting.domain()), format!("{PREFIX}{}", waiting.token()))
}

impl Domains {
    /// Whether the record of a sign-up is in DNS.
    pub async fn finds_sign_up(&self, waiting: &SignUp) -> Result<bool> {
        let (name, wanted) = sign_up_record(waiting);
        match self.dns().txt_now(&name).await {
            Ok(answer) => Ok(answer.records.iter().any(|text| String::from_utf8_lossy(text).trim() == wanted)),
            Err(error) if error.is_void() => Ok(false),
            Err(error) => Err(Error::retry(format!("nobody answers for {name}; try again later")).because(error)),
        }
    }

    /// Looks for the proof of a tenant's claim, and notes it where it is there. A conflict where the domain is proved to another
    /// tenant: that is told to nobody who has not shown the proof.
    pub async fn prove(&self, tenant: TenantId, domain: &Domain) -> Result<Proof> {
        let claim = self.claim(tenant, domain).await?;
        let Some(wanted) = record(domain, &claim) else { return Ok(Proof::Already) };
        let found: Vec<String> = match self.dns().txt_now(&wanted.name).await {
            Ok(answer) => answer.records.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect(),
            Err(error) if error.is_void() => Vec::new(),
            Err(error) => return Err(Error::retry(format!("nobody answers for {}; try again later", wanted.name)).because(error)),
        };
        if !found.iter().any(|text| text.trim() == wanted.data.to_string()) {
            return Ok(Proof::NotYet { wanted, found });
        }
        self.operator().mark_proved(tenant, domain, "by its record").await?;
        Ok(Proof::Proved)
    }

    /// The operator vouches for a claim; false where it was proved before.
    pub async fn vouch(&self, tenant: TenantId, domain: &Domain) -> Result<bool> {
        let claim = self.claim(tenant, domain).await?;
        if !claim.proved {
            self.operator().mark_proved(tenant, domain, "by the operator").await?;
        }
        Ok(!claim.proved)
    }
}
