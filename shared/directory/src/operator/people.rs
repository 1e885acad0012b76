use super::passwords::check_password;
use super::principals::{act, quota_change};
use super::{NewPerson, Operator, Page, PersonChange, PersonInfo};
use crate::rows::{Principal, PrincipalKind, Status, alive, rest, sk};
use crate::{ProfileChange, access};
use penfold_ports::{Account, Query, Row, Sk, Write};
use penfold_types::{Address, Error, Kind, Result, TenantId};

impl Operator {
    /// In the tenant that owns the address's domain.
    pub async fn create_person(&self, new: &NewPerson) -> Result<Account> {
        self.create_person_with(new, &ProfileChange::default()).await
    }

    /// With a title, a department and the like.
    pub async fn create_person_with(&self, new: &NewPerson, profile: &ProfileChange) -> Result<Account> {
        let hash = match &new.password {
            Some(password) => {
                check_password(password)?;
                Some(self.directory.hash_password(password).await?)
            }
            None => None,
        };
        let created = self.directory.env().now();
        let mut person = Principal { quota: new.quota, ..Principal::new(PrincipalKind::Person, &new.address, &new.name, created) };
        let manager = self.fill_in(&mut person, profile).await?;
        self.create_principal(&person, |account| {
            let key = access::organisation(account.tenant).principal(account.principal, sk::password());
            let mut writes: Vec<_> = hash.map(|hash| Write::put(key, Row::new().with("h", hash))).into_iter().collect();
            writes.extend(manager);
            writes
        })
        .await
    }

    /// The profile of somebody who is being made, and the condition that their manager is there.
    pub(super) async fn fill_in(&self, principal: &mut Principal, profile: &ProfileChange) -> Result<Option<Write>> {
        profile.write(&mut Vec::new(), &mut Vec::new(), &mut Vec::new())?;
        principal.profile = principal.profile.with(profile);
        let Some(Some(manager)) = profile.manager else { return Ok(None) };
        let tenant = self.owner_of(principal.address.domain()).await?;
        self.managed_by(Account { tenant, principal: manager }, None).await
    }

    /// The condition that somebody is a person of the tenant, and so can be a manager.
    pub(super) async fn managed_by(&self, manager: Account, of: Option<Account>) -> Result<Option<Write>> {
        let none = || Error::invalid("the manager is another person of the organisation, named by id");
        match self.directory.principal_now(manager).await {
            Ok(found) if found.kind == PrincipalKind::Person && of != Some(manager) => {}
            Err(error) if error.kind() != Kind::NotFound => return Err(error),
            _ => return Err(none()),
        }
        Ok(Some(Write::Check { key: self.principal_key(manager), when: alive(Some(PrincipalKind::Person)) }))
    }

    /// The person of this address, made where it is absent; true where it was made now. Nothing of one who is there is
    /// changed, the password neither.
    pub async fn ensure_person(&self, new: &NewPerson) -> Result<(Account, bool)> {
        match self.find(&new.address).await {
            Ok((account, found)) if found.kind == PrincipalKind::Person => return Ok((account, false)),
            Ok((_, found)) => return Err(Error::conflict(format!("{} is a {}", new.address, found.kind.words()))),
            Err(error) if error.kind() == Kind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok((self.create_person(new).await?, true))
    }

    pub async fn person(&self, address: &Address) -> Result<PersonInfo> {
        let (account, person) = self.find_kind(address, PrincipalKind::Person).await?;
        let aliases = self.aliases(account).await?;
        Ok(PersonInfo { aliases, ..self.person_info(account, person) })
    }

    /// A page of a tenant's people by address, their aliases left out.
    pub async fn people(&self, tenant: TenantId, after: Option<&str>, limit: usize) -> Result<Page<PersonInfo>> {
        let page = self.list_principals(tenant, PrincipalKind::Person, after, limit).await?;
        let info = |(principal, person)| self.person_info(Account { tenant, principal }, person);
        Ok(Page { items: page.items.into_iter().map(info).collect(), next: page.next })
    }

    pub async fn update_person(&self, address: &Address, change: &PersonChange) -> Result<PersonInfo> {
        let (account, person) = self.find_kind(address, PrincipalKind::Person).await?;
        let (mut set, mut remove, mut detail, mut guard) = (Vec::new(), Vec::new(), Vec::new(), None);
        if let Some(name) = &change.name {
            super::check_name(name)?;
            set.push(("n".into(), name.as_str().into()));
            detail.push(format!("name {name}"));
        }
        if let Some(status) = change.status {
            if status == Status::Deleting {
                return Err(Error::invalid("a person is active or suspended"));
            }
            if status == Status::Suspended {
                guard = self.keep_an_administrator(account, &person).await?;
            }
            set.push(("st".into(), status.number().into()));
            detail.push(format!("status {status:?}"));
        }
        if let Some(sent_copy) = change.sent_copy {
            set.push(("sc".into(), sent_copy.into()));
            detail.push(format!("sent copy {sent_copy}"));
        }
        if let Some(recovery) = &change.recovery {
            match recovery {
                Some(address) => set.push(("rc".into(), address.to_string().into())),
                None => remove.push("rc".into()),
            }
            // Where it leads is the person's own matter.
            detail.push("recovery address".to_owned());
        }
        if let Some(quota) = change.quota {
            detail.push(format!("quota {quota:?}"));
        }
        if let Some(hidden) = change.hidden {
            set.push(("hi".into(), hidden.into()));
            detail.push(format!("hidden {hidden}"));
        }
        quota_change(change.quota, &mut set, &mut remove);
        change.profile.write(&mut set, &mut remove, &mut detail)?;
        let words = self.reword(account, &person, &person.changed(change), &mut set).await?;
        let manager = match change.profile.manager.flatten() {
            Some(principal) => self.managed_by(Account { tenant: account.tenant, principal }, Some(account)).await?,
            None => None,
        };
        if !set.is_empty() || !remove.is_empty() {
            let act = self.act(account.tenant, act(PrincipalKind::Person, "update"), &person.address.to_string(), &detail.join(", "));
            let mut writes = vec![self.principal_update(account, &person, set, remove)?];
            writes.extend(guard);
            writes.extend(manager);
            writes.extend(words);
            self.update_principal_with(account, writes, act).await?;
        }
        self.person(address).await
    }

    /// Frees the addresses at once. The mailbox is left for the sweep that destroys it, which finds `gone#P` in the
    /// tenant's rows.
    pub async fn delete_person(&self, address: &Address) -> Result<()> {
        let (account, person) = self.find_kind(address, PrincipalKind::Person).await?;
        let guard = self.keep_an_administrator(account, &person).await?;
        self.delete_found(account, &person, guard).await
    }

    /// The other addresses of a person or shared mailbox.
    pub(super) async fn aliases(&self, account: Account) -> Result<Vec<Address>> {
        let prefix = Sk::text("alias#");
        let pk = access::organisation(account.tenant).principal(account.principal, prefix.clone()).pk().clone();
        let rows = self.directory.store().query_all(&Query::prefix(pk, &prefix)).await?;
        Ok(rows.iter().filter_map(|(key, _)| std::str::from_utf8(rest(key, "alias#")?).ok()?.parse().ok()).collect())
    }

    fn person_info(&self, account: Account, person: Principal) -> PersonInfo {
        PersonInfo {
            id: account.principal,
            tenant: account.tenant,
            address: person.address,
            name: person.name,
            status: person.status,
            aliases: Vec::new(),
            quota: person.quota.unwrap_or(self.directory.inner.options.quota),
            quota_is_own: person.quota.is_some(),
            sent_copy: person.sent_copy,
            two_factor: person.two_factor,
            roles: person.roles,
            recovery: person.recovery,
            hidden: person.group.hidden,
            photo: person.photo,
            profile: person.profile,
            revision: person.revision,
            created: person.created,
        }
    }
}
