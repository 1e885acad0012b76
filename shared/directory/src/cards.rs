//! The organisation's directory as everybody of a tenant may see it: names, addresses, and what else an address book shows.

use crate::contacts::Contact;
use crate::rows::{Principal, PrincipalKind, Status, principal_of, rest, sk};
use crate::{Directory, LogoInfo, Profile, access};
use penfold_ports::{Account, Key, Query, Row, Sk};
use penfold_types::{Address, PrincipalId, Result, TenantId};
use std::collections::{BTreeMap, BTreeSet};

/// What an entry is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CardKind {
    Person,
    Group,
    Shared,
    /// Somebody outside, whom administrators keep here for all.
    Contact,
}

impl CardKind {
    pub(crate) fn of(kind: Option<PrincipalKind>) -> Self {
        match kind {
            Some(PrincipalKind::Person) => Self::Person,
            Some(PrincipalKind::Group) => Self::Group,
            Some(PrincipalKind::Shared) => Self::Shared,
            None => Self::Contact,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Group => "group",
            Self::Shared => "shared",
            Self::Contact => "contact",
        }
    }
}

/// An entry of the organisation's directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DirectoryCard {
    pub id: PrincipalId,
    pub kind: CardKind,
    pub address: Address,
    /// Of an outside contact; of others the first is the one that is shown.
    pub more_addresses: Vec<Address>,
    pub name: String,
    pub profile: Profile,
    pub hidden: bool,
    pub photo: Option<LogoInfo>,
    /// Moves with each change.
    pub revision: u64,
}

impl DirectoryCard {
    fn of(id: PrincipalId, own: Principal) -> Self {
        let hidden = own.is_hidden();
        Self {
            id,
            kind: CardKind::of(Some(own.kind)),
            address: own.address,
            more_addresses: Vec::new(),
            name: own.name,
            profile: own.profile,
            hidden,
            photo: own.photo,
            revision: own.revision,
        }
    }

    pub(crate) fn contact(id: PrincipalId, own: Contact) -> Option<Self> {
        let mut addresses = own.addresses.into_iter();
        let address = addresses.next()?;
        let (more_addresses, name) = (addresses.collect(), own.name);
        Some(Self {
            id,
            kind: CardKind::Contact,
            address,
            more_addresses,
            name,
            profile: own.profile,
            hidden: false,
            photo: None,
            revision: own.revision,
        })
    }

    /// Whether an address of theirs can be in domains that were typed in part. Those who are here have aliases that are not at hand.
    pub(crate) fn may_be_in(&self, domains: &[String]) -> bool {
        let mut all = std::iter::once(&self.address).chain(&self.more_addresses);
        self.kind != CardKind::Contact
            || domains.is_empty()
            || all.any(|address| domains.iter().any(|begin| address.domain().as_str().starts_with(begin.as_str())))
    }
}

impl Directory {
    /// Those of some ids who are there, in the order asked for. Who is hidden is found by whoever knows their id, as by sharing
    /// something with them; of groups only their owners know that.
    pub async fn cards(&self, tenant: TenantId, ids: &[PrincipalId]) -> Result<Vec<DirectoryCard>> {
        let found = self.principals_now(tenant, ids).await?.into_iter();
        let seen = found.filter(|(_, own)| own.status != Status::Deleting && !(own.kind == PrincipalKind::Group && own.is_hidden()));
        Ok(seen.map(|(id, own)| DirectoryCard::of(id, own)).collect())
    }

    /// Entries of the directory by id, at most a hundred, in order; what is hidden or gone is left out.
    pub(crate) async fn cards_of(&self, tenant: TenantId, wanted: &[(PrincipalId, CardKind)]) -> Result<Vec<DirectoryCard>> {
        let scope = access::organisation(tenant);
        let key = |(id, kind): &(PrincipalId, CardKind)| match kind {
            CardKind::Contact => scope.organisation(sk::contact(*id)),
            _ => scope.principal(*id, sk::principal()),
        };
        let keys: Vec<Key> = wanted.iter().map(key).collect();
        let rows = self.store().batch_get(&keys).await?;
        let mut found = Vec::with_capacity(rows.len());
        for ((id, kind), row) in wanted.iter().zip(rows) {
            let Some(row) = row else { continue };
            if *kind == CardKind::Contact {
                found.extend(DirectoryCard::contact(*id, Contact::read(&row)?));
                continue;
            }
            let own = Principal::read(&row)?;
            if own.status != Status::Deleting && !own.is_hidden() {
                found.push(DirectoryCard::of(*id, own));
            }
        }
        Ok(found)
    }

    /// Entries by id whatever they are, in order, each `None` that is not in the directory.
    pub async fn entries(&self, tenant: TenantId, ids: &[PrincipalId]) -> Result<Vec<Option<DirectoryCard>>> {
        let mut found = BTreeMap::new();
        for some in ids.chunks(100) {
            // Whether it is a contact is not said by an id: those that are no principals are looked for among them.
            let people: Vec<_> = some.iter().map(|id| (*id, CardKind::Person)).collect();
            found.extend(self.cards_of(tenant, &people).await?.into_iter().map(|card| (card.id, card)));
            let others: Vec<_> = some.iter().filter(|id| !found.contains_key(*id)).map(|id| (*id, CardKind::Contact)).collect();
            if !others.is_empty() {
                found.extend(self.cards_of(tenant, &others).await?.into_iter().map(|card| (card.id, card)));
            }
        }
        Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
    }

    /// A page of all that is in the directory, contacts first and then by address; about `limit` of them, fewer where some are
    /// hidden. Beside it where to go on, nothing at the end.
    pub async fn all_cards(&self, tenant: TenantId, after: Option<&[u8]>, limit: usize) -> Result<(Vec<DirectoryCard>, Option<Vec<u8>>)> {
        let limit = limit.clamp(1, 100);
        let contacts = sk::contacts();
        let (first, end) = sk::everybody();
        let pk = access::organisation(tenant).organisation(first.clone()).pk().clone();
        let after = after.map(Sk::from_stored);
        let in_contacts = after.as_ref().is_none_or(|key| *key < contacts.after_prefix());
        let (from, to) = if in_contacts { (contacts.clone(), contacts.after_prefix()) } else { (first.clone(), end) };
        let from = after.filter(|key| *key >= from).map_or(from, |key| key.successor());
        let page = self.store().query(&Query { pk, from, to: Some(to), limit, reverse: false }).await?;
        let next = match page.rows.last() {
            Some((last, _)) if page.more => Some(last.as_bytes().to_vec()),
            // Right before the first name.
            _ if in_contacts => Some(contacts.after_prefix().as_bytes().to_vec()),
            _ => None,
        };
        if in_contacts {
            let read = |(key, row): &(Sk, Row)| {
                DirectoryCard::contact(PrincipalId::from_slice(rest(key, sk::CONTACTS)?)?, Contact::read(row).ok()?)
            };
            return Ok((page.rows.iter().filter_map(read).collect(), next));
        }
        let primary = page.rows.iter().filter(|(_, row)| row.u64("al") != Some(1));
        let ids = primary.map(|(_, row)| Ok((principal_of(row)?, CardKind::Person))).collect::<Result<Vec<_>>>()?;
        Ok((self.cards_of(tenant, &ids).await?, next))
    }

    /// The name and the revision of those who manage some, where they are in the directory themselves.
    pub async fn managers(&self, tenant: TenantId, of: &[DirectoryCard]) -> Result<BTreeMap<PrincipalId, (String, u64)>> {
        let ids: BTreeSet<_> = of.iter().filter_map(|card| card.profile.manager).collect();
        let mut found = BTreeMap::new();
        for some in ids.into_iter().map(|id| (id, CardKind::Person)).collect::<Vec<_>>().chunks(100) {
            found.extend(self.cards_of(tenant, some).await?.into_iter().map(|card| (card.id, (card.name, card.revision))));
        }
        Ok(found)
    }

    pub async fn tenant_name(&self, tenant: TenantId) -> Result<String> {
        Ok(self.tenant(tenant).await?.name)
    }

    /// All addresses of somebody, the primary one first.
    pub async fn addresses(&self, account: Account) -> Result<Vec<Address>> {
        let primary = self.principal_now(account).await?.address;
        let prefix = Sk::text("alias#");
        let pk = access::organisation(account.tenant).principal(account.principal, prefix.clone()).pk().clone();
        let rows = self.store().query_all(&Query::prefix(pk, &prefix)).await?;
        let aliases = rows.iter().filter_map(|(_, row)| row.str("a")?.parse().ok());
        Ok(std::iter::once(primary).chain(aliases).collect())
    }
}
