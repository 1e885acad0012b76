//! The keys that a domain signs its mail with. What kind of keys they are, and when they change, is decided above; here
//! they are rows of the tenant's, the private part sealed.

use crate::rows::{read_time, rest, sk, time};
use crate::{Directory, access};
use penfold_ports::{Query, Row, Sk};
use penfold_types::{Domain, Error, Result, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How far a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// To be published; does not sign yet.
    Next,
    /// Signs.
    Active,
    /// Signs no more; what it signed is still on its way.
    Retired,
}

impl KeyState {
    pub(crate) fn number(self) -> u64 {
        match self {
            Self::Next => 1,
            Self::Active => 2,
            Self::Retired => 3,
        }
    }

    /// A state that this version does not know signs nothing.
    fn read(number: u64) -> Self {
        match number {
            1 => Self::Next,
            2 => Self::Active,
            _ => Self::Retired,
        }
    }
}

#[derive(Clone, PartialEq, Eq)]
pub struct DomainKey {
    pub selector: String,
    pub algorithm: String,
    /// The private key as PKCS#8: a secret.
    pub der: Vec<u8>,
    pub state: KeyState,
    /// Since when it is in this state.
    pub at: Timestamp,
}

impl fmt::Debug for DomainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DomainKey {} {} {:?} since {}", self.selector, self.algorithm, self.state, self.at.seconds())
    }
}

/// One step with a key. What is said of its state before is a condition: somebody else may have been faster.
#[derive(Debug, Clone)]
pub enum KeyChange {
    Add(DomainKey),
    Set { selector: String, from: KeyState, to: KeyState },
    Remove { selector: String, from: KeyState },
}

/// A sealed key opens for its own domain and selector only.
pub(crate) fn belongs_to(domain: &Domain, selector: &str) -> Vec<u8> {
    format!("dkim#{domain}#{selector}").into_bytes()
}

impl Directory {
    /// By selector.
    pub async fn domain_keys(&self, tenant: TenantId, domain: &Domain) -> Result<Vec<DomainKey>> {
        let mut found = Vec::new();
        for (key, row) in self.domain_key_rows(tenant, domain).await? {
            let selector = rest(&key, &format!("dkim#{domain}#")).and_then(|bytes| std::str::from_utf8(bytes).ok());
            let (Some(selector), Some(algorithm), Some(sealed)) = (selector, row.str("al"), row.bytes("k")) else {
                return Err(Error::broken(format!("a key row of {domain} is damaged; see penfold check")));
            };
            found.push(DomainKey {
                selector: selector.to_owned(),
                algorithm: algorithm.to_owned(),
                der: self.open(tenant, &belongs_to(domain, selector), sealed).await?,
                state: KeyState::read(row.u64("st").unwrap_or(0)),
                at: read_time(&row),
            });
        }
        Ok(found)
    }

    pub(crate) async fn domain_key_rows(&self, tenant: TenantId, domain: &Domain) -> Result<Vec<(Sk, Row)>> {
        let prefix = sk::domain_keys(domain);
        let pk = access::organisation(tenant).organisation(prefix.clone()).pk().clone();
        self.store().query_all(&Query::prefix(pk, &prefix)).await
    }

    pub(crate) async fn domain_key_row(&self, tenant: TenantId, domain: &Domain, key: &DomainKey) -> Result<Row> {
        let sealed = self.seal(tenant, &belongs_to(domain, &key.selector), &key.der).await?;
        let row = Row::new().with("al", key.algorithm.as_str()).with("k", sealed);
        Ok(row.with("st", key.state.number()).with("at", time(key.at)))
    }
}
