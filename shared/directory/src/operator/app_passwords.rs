use super::{AppPassword, Operator};
use crate::rows::{PrincipalKind, read_time, sk, time};
use crate::sign_in::Use;
use crate::{access, app_password};
use penfold_ports::{Account, Query, Row, Sk, Write};
use penfold_types::{Address, CommitId, Error, Result, Timestamp};

const APP_PASSWORDS: usize = 50;
const PREFIX: &str = "secret#app#";

impl Operator {
    /// Makes an app password; its text is in this answer and nowhere else.
    /// It opens `opens`, or everything where that is empty.
    pub async fn create_app_password(&self, address: &Address, name: &str, opens: &[Use]) -> Result<(AppPassword, String)> {
        super::check_name(name)?;
        let opens: Vec<Use> = if opens.is_empty() { Use::ALL.to_vec() } else { opens.to_vec() };
        let (account, person) = self.find_kind(address, PrincipalKind::Person).await?;
        if self.app_password_rows(account).await?.len() >= APP_PASSWORDS {
            return Err(Error::limit(format!("{address} has {APP_PASSWORDS} app passwords already")));
        }
        let env = self.directory.env();
        let (shown, id, created) = (app_password::generate(env), CommitId::new(env).to_string(), env.now());
        let normal = app_password::normalise(&shown).ok_or_else(|| Error::broken("an app password could not be made"))?;
        let key = self.directory.data_key(account.tenant).await?;
        let tag = app_password::tag(&key, account.principal, &normal);
        let row = Row::new().with("h", tag).with("kv", key.version).with("n", name).with("at", time(created));
        let uses: Vec<_> = opens.iter().map(|one| one.as_str()).collect();
        let row = row.with("sc", uses.join(","));
        let row_key = access::organisation(account.tenant).principal(account.principal, sk::app_password(&id));
        let target = person.address.to_string();
        let act = self.act(account.tenant, "app-password.create", &target, name);
        self.change_secrets(account, vec![Write::put(row_key, row)], &act).await?;
        Ok((AppPassword { id, name: name.to_owned(), opens, created, used: None }, shown))
    }

    pub async fn app_passwords(&self, address: &Address) -> Result<Vec<AppPassword>> {
        let (account, _) = self.find_kind(address, PrincipalKind::Person).await?;
        let rows = self.app_password_rows(account).await?;
        let read = |(key, row): &(Sk, Row)| {
            let id = std::str::from_utf8(crate::rows::rest(key, PREFIX)?).ok()?.to_owned();
            let used =
                row.u64("used").and_then(|day| i64::try_from(day).ok()).map(|day| Timestamp::from_seconds(day.saturating_mul(86_400)));
            let opens = |one: &Use| row.str("sc").is_none_or(|uses| uses.split(',').any(|name| name == one.as_str()));
            let opens = Use::ALL.into_iter().filter(opens).collect();
            Some(AppPassword { id, name: row.str("n")?.to_owned(), opens, created: read_time(row), used })
        };
        Ok(rows.iter().filter_map(read).collect())
    }

    /// By id, or by name where only one has it.
    pub async fn remove_app_password(&self, address: &Address, id: &str) -> Result<()> {
        let (account, person) = self.find_kind(address, PrincipalKind::Person).await?;
        let all = self.app_passwords(address).await?;
        let found: Vec<_> = all.iter().filter(|one| one.id == id || one.name == id).collect();
        let [one] = found.as_slice() else {
            return Err(match found.len() {
                0 => Error::not_found(format!("{address} has no app password {id}")),
                _ => Error::conflict(format!("several app passwords are named {id}; give the id")),
            });
        };
        let key = access::organisation(account.tenant).principal(account.principal, sk::app_password(&one.id));
        let target = person.address.to_string();
        let act = self.act(account.tenant, "app-password.remove", &target, &one.name);
        self.change_secrets(account, vec![Write::delete(key)], &act).await
    }

    async fn app_password_rows(&self, account: Account) -> Result<Vec<(Sk, Row)>> {
        let prefix = Sk::text(PREFIX);
        let pk = access::organisation(account.tenant).principal(account.principal, prefix.clone()).pk().clone();
        self.directory.store().query_all(&Query::prefix(pk, &prefix)).await
    }
}
