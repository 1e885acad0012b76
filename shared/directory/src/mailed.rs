//! Whom somebody wrote to outside: what addresses are completed from behind the directory. A row each, sealed, named by a keyed
//! hash; the oldest go where there are too many.

use crate::words::Asked;
use crate::{Directory, access};
use aws_lc_rs::hmac;
use penfold_ports::{Account, Query, Row, Sk, Write};
use penfold_types::{Address, Result};
use std::cmp::Reverse;

/// Addresses of one person.
const KEPT: usize = 500;
/// Recipients of one message that are noted: a letter to many is no correspondence.
const AT_ONCE: usize = 20;
/// Bytes of a name.
const NAME: usize = 200;
const PREFIX: &str = "mailed#";
const DAY: i64 = 86_400;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailed {
    pub address: Address,
    /// As it was last written; may be empty.
    pub name: String,
    pub count: u64,
    /// The day of the last message, since 1970.
    pub day: u64,
}

impl Mailed {
    /// The more often and the later, the better: half as good with each month.
    fn weight(&self, today: u64) -> u64 {
        let months = today.saturating_sub(self.day) / 30;
        self.count.saturating_mul(1024).checked_shr(u32::try_from(months).unwrap_or(u32::MAX)).unwrap_or(0)
    }
}

fn day_of(row: &Row) -> u64 {
    row.u64("d").unwrap_or(0)
}

fn aad(account: Account) -> Vec<u8> {
    [&b"mailed"[..], account.principal.as_bytes()].concat()
}

impl Directory {
    fn today(&self) -> u64 {
        u64::try_from(self.env().now().seconds() / DAY).unwrap_or(0)
    }

    /// Counts that somebody wrote to some addresses, each with the name that stood beside it.
    pub async fn note_mailed(&self, account: Account, to: &[(Address, String)]) -> Result<()> {
        let scope = access::organisation(account.tenant);
        // Under the first of all keys: an address is found again after others were made.
        let key = self.data_key_version(account.tenant, 1).await?;
        let hashing =
            hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key.key), b"penfold mailed").as_ref());
        let named = |address: &Address| {
            let tag = hmac::sign(&hashing, [account.principal.as_bytes(), address.key().as_bytes()].concat().as_slice());
            let own = tag.as_ref().get(..16).unwrap_or_default();
            scope.principal(account.principal, Sk::from_stored(&[PREFIX.as_bytes(), own].concat()))
        };
        let mut all: Vec<_> = to.iter().take(AT_ONCE).map(|(address, name)| (named(address), address, name)).collect();
        all.sort_by(|one, other| one.0.cmp(&other.0));
        all.dedup_by(|one, other| one.0 == other.0);
        let keys: Vec<_> = all.iter().map(|(key, ..)| key.clone()).collect();
        let before = self.store().batch_get(&keys).await?;
        let (mut new, today) = (false, self.today());
        for ((key, address, name), before) in all.into_iter().zip(before) {
            new |= before.is_none();
            let count = before.as_ref().and_then(|row| row.u64("c")).unwrap_or(0).saturating_add(1);
            let known = match before.as_ref().filter(|_| name.is_empty()) {
                Some(row) => self.read_mailed(account, row).await.map(|own| own.name).unwrap_or_default(),
                None => name
                    .chars()
                    .filter(|c| !c.is_control())
                    .scan(0, |bytes, c| {
                        *bytes += c.len_utf8();
                        (*bytes <= NAME).then_some(c)
                    })
                    .collect(),
            };
            let sealed = self.seal(account.tenant, &aad(account), format!("{address}\n{known}").as_bytes()).await?;
            self.store().put(Write::put(key, Row::new().with("b", sealed).with("c", count).with("d", today))).await?;
        }
        if new { self.forget_oldest_mailed(account).await } else { Ok(()) }
    }

    async fn mailed_rows(&self, account: Account) -> Result<Vec<(Sk, Row)>> {
        let prefix = Sk::text(PREFIX);
        let pk = access::organisation(account.tenant).principal(account.principal, prefix.clone()).pk().clone();
        self.store().query_all(&Query::prefix(pk, &prefix)).await
    }

    async fn forget_oldest_mailed(&self, account: Account) -> Result<()> {
        let mut rows = self.mailed_rows(account).await?;
        let Some(more) = rows.len().checked_sub(KEPT).filter(|more| *more > 0) else { return Ok(()) };
        rows.sort_by_key(|(_, row)| (day_of(row), row.u64("c")));
        let scope = access::organisation(account.tenant);
        for (key, _) in rows.into_iter().take(more) {
            self.store().put(Write::delete(scope.principal(account.principal, key))).await?;
        }
        Ok(())
    }

    async fn read_mailed(&self, account: Account, row: &Row) -> Option<Mailed> {
        let plain = self.open(account.tenant, &aad(account), row.bytes("b")?).await.ok()?;
        let (address, name) = std::str::from_utf8(&plain).ok()?.split_once('\n')?;
        Some(Mailed { address: address.parse().ok()?, name: name.to_owned(), count: row.u64("c")?, day: day_of(row) })
    }

    /// Those whom somebody wrote to and who are called by what was typed (`None`: all of them), the likeliest first.
    pub async fn mailed(&self, account: Account, text: Option<&str>, limit: usize) -> Result<Vec<Mailed>> {
        let asked = text.map(Asked::read);
        if asked.as_ref().is_some_and(|asked| asked.words.is_empty() && asked.domains.is_empty()) {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for (_, row) in self.mailed_rows(account).await? {
            let Some(own) = self.read_mailed(account, &row).await else { continue };
            if asked.as_ref().is_none_or(|asked| asked.fits_address(&own.name, &own.address)) {
                found.push(own);
            }
        }
        let today = self.today();
        found.sort_by_cached_key(|own| (Reverse(own.weight(today)), own.address.key()));
        found.truncate(limit);
        Ok(found)
    }
}
