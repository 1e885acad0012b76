//! People outside whom a tenant's administrators keep for everybody: a name, addresses, and what an address book shows.

use crate::rows::{read_time, sk};
use crate::words::words_of;
use crate::{Directory, Profile, access};
use penfold_ports::Row;
use penfold_types::{Address, Error, PrincipalId, Result, TenantId, Timestamp};
use std::collections::BTreeSet;

/// Addresses of one.
pub(crate) const ADDRESSES: usize = 5;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    pub name: String,
    /// At least one; the first is the one that is written to.
    pub addresses: Vec<Address>,
    pub profile: Profile,
    /// Moves with each change.
    pub revision: u64,
    pub created: Timestamp,
    pub(crate) words: Option<String>,
}

impl Contact {
    pub(crate) fn own_words(&self) -> BTreeSet<String> {
        words_of(&self.name, &self.profile, &self.addresses.iter().collect::<Vec<_>>())
    }

    pub(crate) fn read(row: &Row) -> Result<Self> {
        let addresses: Vec<Address> = row.str("a").unwrap_or_default().lines().filter_map(|line| line.parse().ok()).collect();
        let name = row.str("n").filter(|_| !addresses.is_empty()).map(str::to_owned);
        Ok(Self {
            name: name.ok_or_else(|| Error::broken("the directory holds a damaged row").because("contact"))?,
            addresses,
            profile: Profile::read(row),
            revision: row.u64("rv").unwrap_or(0),
            created: read_time(row),
            words: row.str("wd").map(str::to_owned),
        })
    }
}

impl Directory {
    pub async fn contact(&self, tenant: TenantId, id: PrincipalId) -> Result<Contact> {
        let row = self.store().get(&access::organisation(tenant).organisation(sk::contact(id))).await?;
        Contact::read(&row.ok_or_else(|| Error::not_found("there is no such contact"))?)
    }
}
