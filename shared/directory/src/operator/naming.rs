//! Who may write in whose name.

use super::Operator;
use crate::rows::{PrincipalKind, alive, rest, sk};
use crate::{SendRight, access};
use penfold_ports::{Query, Row, When, Write};
use penfold_types::{Address, Error, PrincipalId, Result};

/// People who may write in the name of one address.
const DELEGATES: usize = 1000;

impl Operator {
    /// Lets a person write in the name of a person, group or shared mailbox; `None` takes that back.
    pub async fn set_send_right(&self, name: &Address, person: &Address, right: Option<SendRight>) -> Result<()> {
        let (named, principal) = self.find(name).await?;
        let (account, _) = self.find_kind(person, PrincipalKind::Person).await?;
        if account.tenant != named.tenant || account == named {
            return Err(Error::invalid(format!("{person} must be another person of the organisation of {name}")));
        }
        let key = access::organisation(named.tenant).member(named.principal, sk::delegate(account.principal));
        let alive_still = |account, kind| Write::Check { key: self.principal_key(account), when: alive(Some(kind)) };
        let writes = match right {
            Some(right) => {
                if self.delegates(name).await?.len() >= DELEGATES {
                    return Err(Error::limit(format!("at most {DELEGATES} people write in one name")));
                }
                let row = Row::new().with("r", right.number());
                vec![Write::put(key, row), alive_still(named, principal.kind), alive_still(account, PrincipalKind::Person)]
            }
            None => vec![Write::Delete { key, when: When::Present }],
        };
        let detail = match right {
            Some(SendRight::As) => format!("{person} may send as"),
            Some(SendRight::OnBehalf) => format!("{person} may send on behalf"),
            None => format!("{person} may not send"),
        };
        let act = self.act(named.tenant, "rights.send", &principal.address.to_string(), &detail);
        let words = |write| match write {
            0 => Error::not_found(format!("{person} had no right to write in the name of {name}")),
            _ => Error::not_found("it is being deleted"),
        };
        self.commit(writes, act).await.map_err(|refused| refused.explain(words))
    }

    /// Who may write in the name of an address, beside those who open a shared mailbox.
    pub async fn delegates(&self, name: &Address) -> Result<Vec<(Address, SendRight)>> {
        let (named, _) = self.find(name).await?;
        let prefix = sk::delegates();
        let pk = access::organisation(named.tenant).member(named.principal, prefix.clone()).pk().clone();
        let rows = self.directory.store().query_all(&Query::prefix(pk, &prefix)).await?;
        let read = |(key, row): &(_, Row)| Some((PrincipalId::from_slice(rest(key, "d#")?)?, SendRight::of(row)?));
        let rights: Vec<_> = rows.iter().filter_map(read).collect();
        let ids: Vec<_> = rights.iter().map(|(id, _)| *id).collect();
        // One who was deleted since is no longer found.
        let people = self.directory.principals_now(named.tenant, &ids).await?;
        let right = |id: PrincipalId| rights.iter().find(|(own, _)| *own == id).map(|(_, right)| *right);
        Ok(people.into_iter().filter_map(|(id, person)| Some((person.address, right(id)?))).collect())
    }
}
