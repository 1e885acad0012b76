//! People who join groups by themselves, ask to, and leave again; and the answers to those who ask.

use super::Operator;
use super::members::Found;
use crate::access;
use crate::group_rules::JoinPolicy;
use crate::rows::{Principal, PrincipalKind, alive, rest, sk, stored_time, time};
use penfold_ports::{Account, Query, Row, Sk, When, Write};
use penfold_types::{Address, Error, PrincipalId, Result, Timestamp};
use serde::{Deserialize, Serialize};

/// Who wait for an answer from one group, and groups that one person asks.
const ASKERS: usize = 500;
const ASKED: usize = 50;
/// Bytes of what somebody says of themselves.
const WORDS: usize = 500;

/// What came of joining.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    Member,
    /// It is asked for; an owner or an administrator answers.
    Asked,
}

/// Somebody who asks to be in a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinRequest {
    pub address: Address,
    pub name: String,
    pub words: String,
    pub asked: Timestamp,
}

impl Operator {
    /// A person joins a group, or asks to. Who is in it already, or has asked, changes nothing by that. Where roles are given for
    /// those in it, it is asked for in any case: whoever comes in comes into somebody's reach, and an administrator says yes to that.
    pub async fn join(&self, person: Account, group: PrincipalId, words: &str) -> Result<Joined> {
        let (account, container) = self.group_of(person, group).await?;
        fixed(&container)?;
        if words.len() > WORDS || words.chars().any(|c| c.is_control() && c != '\n') {
            return Err(Error::invalid(format!("at most {WORDS} bytes without control characters")));
        }
        let scope = access::organisation(account.tenant);
        let keys = [scope.member(group, sk::member(person.principal)), scope.member(group, sk::asker(person.principal))];
        let there = self.directory.store().batch_get(&keys).await?;
        let (member, asks) = (matches!(there.as_slice(), [Some(_), _]), matches!(there.as_slice(), [_, Some(_)]));
        match container.group.join {
            _ if member => Ok(Joined::Member),
            JoinPolicy::Closed => Err(Error::denied("nobody joins this group by themselves")),
            JoinPolicy::Open if !self.directory.gives_reach(account.tenant, group).await? => {
                let own = self.directory.principal_now(person).await?;
                let one = Found::Inside(person.principal, PrincipalKind::Person, own.address);
                let answered = if asks { self.asks_no_more(account, &one) } else { Vec::new() };
                self.add_where(policy(JoinPolicy::Open), account, &container, vec![one], answered, "member.join").await?;
                Ok(Joined::Member)
            }
            JoinPolicy::Open | JoinPolicy::Approval if asks => Ok(Joined::Asked),
            JoinPolicy::Open | JoinPolicy::Approval => {
                self.ask(person, account, &container, words).await?;
                Ok(Joined::Asked)
            }
        }
    }

    async fn ask(&self, person: Account, account: Account, container: &Principal, words: &str) -> Result<()> {
        let scope = access::organisation(account.tenant);
        let full = [
            (scope.member(account.principal, Sk::text("j#")), ASKERS, "too many ask to be in this group already"),
            (scope.principal(person.principal, Sk::text("asks#")), ASKED, "you ask to be in too many groups already"),
        ];
        for (key, most, words) in full {
            let mut query = Query::prefix(key.pk().clone(), key.sk());
            query.limit = most;
            if self.directory.store().query(&query).await?.rows.len() >= most {
                return Err(Error::limit(words));
            }
        }
        let at = time(self.directory.env().now());
        let row = Row::new().with("at", at).with("n", words);
        let writes = vec![
            Write::put_new(scope.member(account.principal, sk::asker(person.principal)), row),
            Write::put(scope.principal(person.principal, sk::asked(account.principal)), Row::new().with("at", at)),
            Write::Check { key: self.principal_key(account), when: policy(container.group.join) },
            Write::Check { key: self.principal_key(person), when: alive(Some(PrincipalKind::Person)) },
        ];
        let act = self.act(account.tenant, "member.ask", &container.address.to_string(), "");
        Ok(self.commit(writes, act).await?)
    }

    /// A person leaves a group, where it lets its members, or takes back that they asked.
    pub async fn leave(&self, person: Account, group: PrincipalId) -> Result<()> {
        let (account, container) = self.group_of(person, group).await?;
        fixed(&container)?;
        let scope = access::organisation(account.tenant);
        let (asks, member) = (scope.member(group, sk::asker(person.principal)), scope.member(group, sk::member(person.principal)));
        let there = self.directory.store().batch_get(&[asks.clone(), member.clone()]).await?;
        if let [Some(_), None] = there.as_slice() {
            let writes = vec![Write::delete(asks), Write::delete(scope.principal(person.principal, sk::asked(group)))];
            let act = self.act(account.tenant, "member.withdraw", &container.address.to_string(), "");
            return Ok(self.commit(writes, act).await?);
        }
        if !container.group.may_leave {
            return Err(Error::denied("nobody leaves this group by themselves"));
        }
        let writes = vec![
            Write::Delete { key: member, when: When::Present },
            Write::delete(scope.principal(person.principal, sk::membership(PrincipalKind::Group, group))),
        ];
        let act = self.act(account.tenant, "member.leave", &container.address.to_string(), "");
        let words = |_| Error::not_found("you are no member of this group itself");
        self.commit(writes, act).await.map_err(|refused| refused.explain(words))
    }

    /// Who asks to be in a group, at most 500.
    pub async fn join_requests(&self, group: &Address) -> Result<Vec<JoinRequest>> {
        let (account, _) = self.find_kind(group, PrincipalKind::Group).await?;
        let prefix = Sk::text("j#");
        let pk = access::organisation(account.tenant).member(account.principal, prefix.clone()).pk().clone();
        let rows = self.directory.store().query_all(&Query::prefix(pk, &prefix)).await?;
        let read = |(key, row): &(Sk, Row)| {
            Some((PrincipalId::from_slice(rest(key, "j#")?)?, (row.str("n").unwrap_or_default().to_owned(), stored_time(row, "at")?)))
        };
        let asked: std::collections::BTreeMap<_, _> = rows.iter().filter_map(read).collect();
        let ids: Vec<_> = asked.keys().copied().collect();
        let people = self.directory.principals_now(account.tenant, &ids).await?;
        let request = |(id, person): (PrincipalId, Principal)| {
            let (words, asked) = asked.get(&id)?.clone();
            Some(JoinRequest { address: person.address, name: person.name, words, asked })
        };
        let mut found: Vec<_> = people.into_iter().filter_map(request).collect();
        found.sort_by_key(|request| request.asked);
        Ok(found)
    }

    /// Yes or no to somebody who asks.
    pub async fn answer(&self, group: &Address, asker: &Address, yes: bool) -> Result<()> {
        let (account, container) = self.find_kind(group, PrincipalKind::Group).await?;
        let none = || Error::not_found(format!("{asker} does not ask to be in {group}"));
        let (id, _) = self.id_of(account.tenant, asker).await.map_err(|error| match error.kind() {
            penfold_types::Kind::NotFound => none(),
            _ => error,
        })?;
        let scope = access::organisation(account.tenant);
        let gone = vec![
            Write::Delete { key: scope.member(account.principal, sk::asker(id)), when: When::Present },
            Write::delete(scope.principal(id, sk::asked(account.principal))),
        ];
        if yes {
            let one = vec![Found::Inside(id, PrincipalKind::Person, asker.clone())];
            let added = self.add_chunk(account, &container, one, gone, "member.accept").await;
            return added.map_err(|error| if error.kind() == penfold_types::Kind::Conflict { none() } else { error });
        }
        let act = self.act(account.tenant, "member.refuse", &container.address.to_string(), &asker.to_string());
        self.commit(gone, act).await.map_err(|refused| refused.explain(|_| none()))
    }

    /// A group as somebody sees it who belongs to the same tenant; one that is hidden is there for its owners only.
    async fn group_of(&self, person: Account, group: PrincipalId) -> Result<(Account, Principal)> {
        self.directory.visible_group(person, group).await.map(|found| (Account { tenant: person.tenant, principal: group }, found))
    }
}

/// Refuses what is not done to a group whose members a filter chooses.
pub(super) fn fixed(container: &Principal) -> Result<()> {
    if !container.group.dynamic {
        return Ok(());
    }
    Err(Error::conflict(format!(
        "the members of {} are those who fit its filter; change the filter, or what is known of people",
        container.address
    )))
}

/// The condition that a group is there and lets people in like this.
fn policy(join: JoinPolicy) -> When {
    When::Equal(vec![("lv".into(), 1u64.into()), ("k".into(), PrincipalKind::Group.number().into()), ("jo".into(), join.number().into())])
}
