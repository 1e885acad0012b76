//! Outside contacts of a tenant.

use super::Operator;
use crate::contacts::{ADDRESSES, Contact};
use crate::rows::{rest, sk, time};
use crate::words::{CONTACT, change};
use crate::{ProfileChange, access};
use penfold_ports::{Name, Query, Row, Sk, Value, When, Write};
use penfold_types::{Address, Error, PrincipalId, Result, TenantId};
use std::collections::BTreeSet;

/// What is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct ContactChange {
    pub name: Option<String>,
    /// All of them; at least one.
    pub addresses: Option<Vec<Address>>,
    pub profile: ProfileChange,
}

impl ContactChange {
    async fn check(&self, operator: &Operator, tenant: TenantId) -> Result<()> {
        if let Some(name) = &self.name {
            super::check_name(name)?;
        }
        if let Some((attribute, words)) = self.profile.wrong() {
            return Err(Error::invalid(format!("{}: {words}", attribute.as_str())));
        }
        if self.profile.manager.is_some() {
            return Err(Error::invalid("who is outside has no manager here"));
        }
        let Some(addresses) = &self.addresses else { return Ok(()) };
        let different: BTreeSet<_> = addresses.iter().map(Address::key).collect();
        if addresses.is_empty() || addresses.len() > ADDRESSES || different.len() < addresses.len() {
            return Err(Error::invalid(format!("a contact has 1 to {ADDRESSES} different addresses")));
        }
        for address in addresses {
            if operator.directory.domain_tenant(address.domain()).await? == Some(tenant) {
                return Err(Error::invalid(format!("{address} is an address of the organisation; a contact is somebody outside")));
            }
        }
        Ok(())
    }
}

fn joined(addresses: &[Address]) -> String {
    addresses.iter().map(Address::to_string).collect::<Vec<_>>().join("\n")
}

impl Operator {
    /// By id; where to go on is a part of a key.
    pub async fn contacts(
        &self,
        tenant: TenantId,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<(Vec<(PrincipalId, Contact)>, Option<Vec<u8>>)> {
        let prefix = sk::contacts();
        let mut query = Query::prefix(access::organisation(tenant).organisation(prefix.clone()).pk().clone(), &prefix);
        query.limit = limit.clamp(1, 1000);
        if let Some(after) = after.and_then(PrincipalId::from_slice) {
            query.from = sk::contact(after).successor();
        }
        let page = self.directory.store().query(&query).await?;
        let id = |key: &Sk| rest(key, sk::CONTACTS).and_then(PrincipalId::from_slice);
        let next = page.rows.last().filter(|_| page.more).and_then(|(key, _)| id(key)).map(|id| id.as_bytes().to_vec());
        let items = page.rows.iter().filter_map(|(key, row)| Some((id(key)?, Contact::read(row).ok()?)));
        Ok((items.collect(), next))
    }

    pub async fn create_contact(&self, tenant: TenantId, new: &ContactChange) -> Result<PrincipalId> {
        new.check(self, tenant).await?;
        let (Some(name), Some(addresses)) = (&new.name, &new.addresses) else {
            return Err(Error::invalid("a contact has a name and an address"));
        };
        let (scope, id) = (access::organisation(tenant), PrincipalId::new(self.directory.env()));
        let contact = Contact {
            name: name.clone(),
            addresses: addresses.clone(),
            profile: crate::Profile::default().with(&new.profile),
            revision: 1,
            created: self.directory.env().now(),
            words: None,
        };
        let words = change(&scope, id, CONTACT, None, &contact.own_words());
        let row = Row::new().with("n", name.as_str()).with("a", joined(addresses)).with("wd", words.stored).with("rv", 1u64);
        let mut row = row.with("at", time(contact.created));
        contact.profile.write(&mut row);
        let mut writes = vec![Write::put_new(scope.organisation(sk::contact(id)), row)];
        writes.extend(words.writes);
        self.commit(writes, self.act(tenant, "contact.create", &id.to_string(), name)).await?;
        Ok(id)
    }

    pub async fn update_contact(&self, tenant: TenantId, id: PrincipalId, wanted: &ContactChange) -> Result<Contact> {
        wanted.check(self, tenant).await?;
        let before = self.directory.contact(tenant, id).await?;
        self.expects(before.revision)?;
        let after = Contact {
            name: wanted.name.clone().unwrap_or_else(|| before.name.clone()),
            addresses: wanted.addresses.clone().unwrap_or_else(|| before.addresses.clone()),
            profile: before.profile.with(&wanted.profile),
            ..before.clone()
        };
        let scope = access::organisation(tenant);
        let words = change(&scope, id, CONTACT, before.words.as_deref(), &after.own_words());
        let (mut remove, mut detail): (Vec<Name>, Vec<String>) = (Vec::new(), Vec::new());
        let mut set: Vec<(Name, Value)> = vec![
            ("n".into(), after.name.as_str().into()),
            ("a".into(), joined(&after.addresses).into()),
            ("wd".into(), words.stored.into()),
            ("rv".into(), before.revision.saturating_add(1).into()),
        ];
        wanted.profile.write(&mut set, &mut remove, &mut detail)?;
        detail.extend(wanted.name.iter().map(|name| format!("name {name}")));
        detail.extend(wanted.addresses.iter().map(|_| "addresses".to_owned()));
        let when = When::Equal(vec![("rv".into(), before.revision.into())]);
        let mut writes = vec![Write::Update { key: scope.organisation(sk::contact(id)), set, remove, when }];
        writes.extend(words.writes);
        self.commit(writes, self.act(tenant, "contact.update", &id.to_string(), &detail.join(", "))).await?;
        if self.rehearses { Ok(after) } else { self.directory.contact(tenant, id).await }
    }

    pub async fn delete_contact(&self, tenant: TenantId, id: PrincipalId) -> Result<()> {
        let before = self.directory.contact(tenant, id).await?;
        self.expects(before.revision)?;
        let scope = access::organisation(tenant);
        let when = When::Equal(vec![("rv".into(), before.revision.into())]);
        let mut writes = vec![Write::Delete { key: scope.organisation(sk::contact(id)), when }];
        writes.extend(change(&scope, id, CONTACT, before.words.as_deref(), &BTreeSet::new()).writes);
        Ok(self.commit(writes, self.act(tenant, "contact.delete", &id.to_string(), &before.name)).await?)
    }
}
