use super::Operator;
use crate::access;
use crate::audit::Act;
use crate::rows::{PrincipalKind, sk};
use crate::sign_in::SECRET_LIMIT;
use penfold_ports::{Account, Row, When, Write};
use penfold_types::{Address, Error, Kind, Result};

pub(super) fn check_password(password: &str) -> Result<()> {
    if password.is_empty() || password.len() > SECRET_LIMIT || password.chars().any(char::is_control) {
        return Err(Error::invalid(format!("a password has 1 to {SECRET_LIMIT} bytes and no control characters")));
    }
    Ok(())
}

impl Operator {
    /// What the person types. Whoever was signed in with the old one is asked again within a minute, here at once.
    pub async fn set_password(&self, address: &Address, password: &str) -> Result<()> {
        check_password(password)?;
        let (account, person) = self.find_kind(address, PrincipalKind::Person).await?;
        let hash = self.directory.hash_password(password).await?;
        let key = access::organisation(account.tenant).principal(account.principal, sk::password());
        let act = self.act(account.tenant, "password.set", &person.address.to_string(), "");
        self.change_secrets(account, vec![Write::put(key, Row::new().with("h", hash.as_str()))], &act).await
    }

    /// The same, hashed before; `note` is written in the same commit.
    pub(crate) async fn set_password_hash(&self, account: Account, hash: &str, note: Write) -> Result<()> {
        let address = self.directory.principal_now(account).await?.address.to_string();
        let key = access::organisation(account.tenant).principal(account.principal, sk::password());
        let act = self.act(account.tenant, "password.set", &address, "");
        self.change_secrets(account, vec![Write::put(key, Row::new().with("h", hash)), note], &act).await
    }

    /// Writes secrets and moves the secret version in one commit.
    pub(super) async fn change_secrets(&self, account: Account, writes: Vec<Write>, act: &Act) -> Result<()> {
        for _ in 0..5 {
            let version = self.directory.principal_now(account).await?.secret_version;
            let when = When::Equal(vec![("sv".into(), version.into()), ("lv".into(), 1u64.into())]);
            let set = vec![("sv".into(), version.saturating_add(1).into())];
            let mut all = vec![Write::Update { key: self.principal_key(account), set, remove: vec![], when }];
            all.extend(writes.iter().cloned());
            match self.commit(all, act.clone()).await.map_err(Error::from) {
                Err(error) if error.kind() == Kind::Conflict => {}
                Err(error) => return Err(error),
                Ok(()) => {
                    self.directory.forget_principal(account);
                    return Ok(());
                }
            }
        }
        Err(Error::conflict("changed by somebody else meanwhile; try again"))
    }
}
