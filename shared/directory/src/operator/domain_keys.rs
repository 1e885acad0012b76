use super::Operator;
use crate::access;
use crate::claims::owned;
use crate::domain_keys::{DomainKey, KeyChange, KeyState};
use crate::rows::{sk, time};
use penfold_ports::{When, Write, shared};
use penfold_types::{Domain, Error, Result, TenantId};

/// Changes in one commit.
const CHANGES: usize = 20;

impl Operator {
    /// All of them or none; a conflict where a key is no longer as it was believed to be, or the domain not the tenant's.
    pub async fn change_domain_keys(&self, tenant: TenantId, domain: &Domain, changes: &[KeyChange]) -> Result<()> {
        if changes.len() > CHANGES {
            return Err(Error::limit(format!("a domain's keys change {CHANGES} at a time")));
        }
        let none = || Error::conflict(format!("the domain {domain} is not one of this tenant"));
        let claim = self.directory.claim(tenant, domain).await?.ok_or_else(none)?;
        let mut writes = vec![match claim.proved {
            true => Write::Check { key: shared::domain(domain), when: owned(tenant) },
            false => Write::Check {
                key: access::organisation(tenant).organisation(sk::claim(domain)),
                when: When::Equal(vec![("n".into(), claim.nonce.into())]),
            },
        }];
        let mut said = Vec::with_capacity(changes.len());
        for change in changes {
            writes.push(self.key_write(tenant, domain, change).await?);
            said.push(words(change));
        }
        let act = self.act(tenant, "domain.keys", domain.as_str(), &said.join(", "));
        let words = |write| match write {
            0 => none(),
            _ => Error::conflict(format!("the keys of {domain} were changed meanwhile; look again")),
        };
        self.commit(writes, act).await.map_err(|refused| refused.explain(words))
    }

    async fn key_write(&self, tenant: TenantId, domain: &Domain, change: &KeyChange) -> Result<Write> {
        let scope = access::organisation(tenant);
        let key = |selector: &str| scope.organisation(sk::domain_key(domain, selector));
        let still = |state: KeyState| When::Equal(vec![("st".into(), state.number().into())]);
        Ok(match change {
            KeyChange::Add(new) => Write::put_new(key(&new.selector), self.directory.domain_key_row(tenant, domain, new).await?),
            KeyChange::Set { selector, from, to } => {
                let set = vec![("st".into(), to.number().into()), ("at".into(), time(self.directory.env().now()).into())];
                Write::Update { key: key(selector), set, remove: vec![], when: still(*from) }
            }
            KeyChange::Remove { selector, from } => Write::Delete { key: key(selector), when: still(*from) },
        })
    }
}

fn words(change: &KeyChange) -> String {
    match change {
        KeyChange::Add(DomainKey { selector, state, .. }) => format!("{selector} added as {state:?}").to_lowercase(),
        KeyChange::Set { selector, to, .. } => format!("{selector} {to:?}").to_lowercase(),
        KeyChange::Remove { selector, .. } => format!("{selector} removed"),
    }
}
