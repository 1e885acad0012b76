//! Photos of people, sealed in a row of their own; their principal's row says what kind of picture it is.

use crate::rows::{Principal, sk};
use crate::{Directory, LogoInfo, LogoKind, access};
use bytes::Bytes;
use penfold_ports::{Account, Name, Row, Value};
use penfold_types::Result;

/// Bytes of a photo.
pub const PHOTO: usize = 200 * 1024;

pub(crate) const KIND: Name = Name::new("fk");
pub(crate) const SIZE: Name = Name::new("fs");
pub(crate) const TAG: Name = Name::new("ft");

pub(crate) fn read(row: &Row) -> Option<LogoInfo> {
    let kind = row.u64(KIND).and_then(|number| LogoKind::ALL.get(usize::try_from(number).ok()?).copied())?;
    Some(LogoInfo { kind, size: row.u64(SIZE)?, tag: row.str(TAG)?.to_owned() })
}

pub(crate) fn attributes(info: &LogoInfo) -> Vec<(Name, Value)> {
    let number = LogoKind::ALL.iter().position(|one| *one == info.kind).unwrap_or_default() as u64;
    vec![(KIND, number.into()), (SIZE, info.size.into()), (TAG, info.tag.as_str().into())]
}

pub(crate) fn write(info: &LogoInfo, row: &mut Row) {
    for (name, value) in attributes(info) {
        row.set(name, value);
    }
}

pub(crate) fn aad(account: Account) -> Vec<u8> {
    [&b"photo"[..], account.principal.as_bytes()].concat()
}

impl Directory {
    /// What kind of picture somebody's photo is, where they have one.
    pub async fn photo_info(&self, account: Account) -> Result<Option<LogoInfo>> {
        Ok(self.principal_now(account).await?.photo)
    }

    pub async fn photo(&self, account: Account) -> Result<Option<Bytes>> {
        let key = access::organisation(account.tenant).principal(account.principal, sk::photo());
        let row = self.store().get(&key).await?;
        match row.as_ref().and_then(|row| row.bytes("b")) {
            Some(sealed) => Ok(Some(self.open(account.tenant, &aad(account), sealed).await?.into())),
            None => Ok(None),
        }
    }
}

impl Principal {
    /// Without what does not outlast a deletion.
    pub fn bare(&self) -> Self {
        Self { words: None, photo: None, ..self.clone() }
    }
}
