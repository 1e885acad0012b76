use super::Operator;
use super::principals::{address_words, new_address_words};
use crate::access;
use crate::rows::{PrincipalKind, Route, alive, sk};
use penfold_ports::{Query, Row, Sk, When, Write, shared};
use penfold_types::{Address, Error, Kind, Result};

const ALIASES: usize = 200;

impl Operator {
    /// Another address of a person, group or shared mailbox, in any domain that is proved to the same tenant. Of another's domain
    /// nothing else is told, whoever claims it.
    pub async fn add_alias(&self, of: &Address, alias: &Address) -> Result<()> {
        let (account, principal) = self.find(of).await?;
        match self.address_domain(account.tenant, alias.domain()).await {
            Err(error) if error.kind() == Kind::NotFound => return Err(address_words(alias, 1)),
            judged => judged?,
        }
        let scope = access::organisation(account.tenant);
        let prefix = Sk::text("alias#");
        let pk = scope.principal(account.principal, prefix.clone()).pk().clone();
        if self.directory.store().query_all(&Query::prefix(pk, &prefix)).await?.len() >= ALIASES {
            return Err(Error::limit(format!("{of} has {ALIASES} aliases already")));
        }
        let route = Route { tenant: account.tenant, principal: account.principal, kind: principal.kind, alias: true };
        let mut writes = self.address_writes(alias, &route);
        writes.push(Write::Check { key: self.principal_key(account), when: alive(None) });
        writes.push(Write::put(scope.principal(account.principal, sk::alias(alias)), Row::new().with("a", alias.to_string())));
        let act = self.act(account.tenant, "alias.add", &principal.address.to_string(), &alias.to_string());
        self.commit(writes, act).await.map_err(|refused| refused.explain(|write| new_address_words(alias, write)))
    }

    pub async fn remove_alias(&self, of: &Address, alias: &Address) -> Result<()> {
        let (account, principal) = self.find(of).await?;
        if *alias == principal.address {
            return Err(Error::invalid(format!("{alias} is the primary address; delete the {} instead", principal.kind.words())));
        }
        let writes = alias_removal(account, principal.kind, alias);
        let act = self.act(account.tenant, "alias.remove", &principal.address.to_string(), &alias.to_string());
        let words = |_| Error::not_found(format!("{alias} is no alias of {of}"));
        self.commit(writes, act).await.map_err(|refused| refused.explain(words))?;
        self.directory.forget_routes();
        Ok(())
    }
}

/// The writes that free an alias; refused where it leads to somebody else.
pub(super) fn alias_removal(account: penfold_ports::Account, kind: PrincipalKind, alias: &Address) -> Vec<Write> {
    let scope = access::organisation(account.tenant);
    let mine = When::Equal(vec![("p".into(), account.principal.as_bytes().into()), ("al".into(), 1u64.into())]);
    vec![
        Write::Delete { key: shared::route(alias), when: mine },
        Write::delete(scope.organisation(sk::name(kind, alias))),
        Write::delete(scope.principal(account.principal, sk::alias(alias))),
    ]
}
