use super::Operator;
use super::principals::{address_words, new_address_words};
use crate::audit::Act;
use crate::rows::{Principal, PrincipalKind, Route, sk};
use crate::store::Refused;
use crate::{access, words};
use penfold_ports::{Account, Row, When, Write, shared};
use penfold_types::{Address, Error, Kind, Result};

const ALIASES: usize = 200;
/// Of those who change somebody's aliases at the same time, each has to come in once.
const TRIES: usize = 10;

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
        let route = Route { tenant: account.tenant, principal: account.principal, kind: principal.kind, alias: true };
        let mut writes = self.address_writes(alias, &route);
        writes.push(Write::put(scope.principal(account.principal, sk::alias(alias)), Row::new().with("a", alias.to_string())));
        let act = self.act(account.tenant, "alias.add", &principal.address.to_string(), &alias.to_string());
        let full = || Error::limit(format!("{of} has {ALIASES} aliases already"));
        let with = |all: Vec<Address>| if all.len() < ALIASES { Ok([all, vec![alias.clone()]].concat()) } else { Err(full()) };
        let done = self.change_aliases(account, &principal, writes, with, act).await;
        done.map_err(|refused| refused.explain(|write| new_address_words(alias, write)))
    }

    pub async fn remove_alias(&self, of: &Address, alias: &Address) -> Result<()> {
        let (account, principal) = self.find(of).await?;
        if *alias == principal.address {
            return Err(Error::invalid(format!("{alias} is the primary address; delete the {} instead", principal.kind.words())));
        }
        let writes = alias_removal(account, principal.kind, alias);
        let act = self.act(account.tenant, "alias.remove", &principal.address.to_string(), &alias.to_string());
        let words = |write| match write {
            0 => Error::not_found(format!("{alias} is no alias of {of}")),
            _ => Error::conflict("changed by somebody else meanwhile; try again"),
        };
        let without = |all: Vec<Address>| Ok(all.into_iter().filter(|one| one != alias).collect());
        self.change_aliases(account, &principal, writes, without, act).await.map_err(|refused| refused.explain(words))?;
        self.directory.forget_routes();
        Ok(())
    }

    /// `writes`, and behind them the words that somebody is found by once their aliases are what `change` makes of them.
    async fn change_aliases(
        &self,
        account: Account,
        principal: &Principal,
        writes: Vec<Write>,
        change: impl Fn(Vec<Address>) -> Result<Vec<Address>>,
        act: Act,
    ) -> Result<(), Refused> {
        let (mut principal, mut tries) = (principal.clone(), 0);
        loop {
            let after = change(self.aliases(account).await.map_err(Refused::Other)?).map_err(Refused::Other)?;
            let mut all = writes.clone();
            all.extend(self.found_by(account, &principal, &after));
            tries += 1;
            match self.commit(all, act.clone()).await {
                Err(Refused::Condition(write)) if write == writes.len() && tries < TRIES => {
                    principal = self.directory.principal_now(account).await.map_err(Refused::Other)?;
                }
                answer => return answer,
            }
        }
    }

    /// That somebody is there and has the words still that were read, and the rows of those that they have from now on.
    fn found_by(&self, account: Account, principal: &Principal, aliases: &[Address]) -> Vec<Write> {
        let scope = access::organisation(account.tenant);
        let words = principal.words.as_deref();
        let change = words::change(&scope, account.principal, principal.kind.number(), words, &principal.own_words(aliases));
        let mut still = vec![("lv".into(), 1u64.into())];
        let mut set = vec![("wd".into(), change.stored.into())];
        match words {
            Some(words) => still.push(("wd".into(), words.into())),
            // Of an older version; who renames it at the same time has not seen these words.
            None if principal.revision > 0 => {
                still.push(("rv".into(), principal.revision.into()));
                set.push(("rv".into(), principal.revision.saturating_add(1).into()));
            }
            None => {}
        }
        let own = Write::Update { key: self.principal_key(account), set, remove: vec![], when: When::Equal(still) };
        std::iter::once(own).chain(change.writes).collect()
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
