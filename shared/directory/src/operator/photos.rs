use super::Operator;
use crate::access;
use crate::branding::picture;
use crate::photos::{KIND, PHOTO, SIZE, TAG, aad, attributes};
use crate::rows::{PrincipalKind, sk};
use crate::{LogoKind, PersonInfo};
use bytes::Bytes;
use penfold_ports::{Row, Write};
use penfold_types::{Address, Error, Result};

impl Operator {
    /// A JPEG or PNG of at most 200 KB, whatever it is called, or none.
    pub async fn set_photo(&self, of: &Address, photo: Option<Bytes>) -> Result<PersonInfo> {
        let (account, person) = self.find_kind(of, PrincipalKind::Person).await?;
        let key = access::organisation(account.tenant).principal(account.principal, sk::photo());
        let (set, remove, write, detail) = match photo {
            None => (Vec::new(), vec![KIND, SIZE, TAG], Write::delete(key), "none"),
            Some(bytes) => {
                if bytes.len() > PHOTO {
                    return Err(Error::invalid(format!("a photo has at most {PHOTO} bytes")));
                }
                let wrong = || Error::invalid("a photo is a JPEG or a PNG");
                let info = picture(&bytes).filter(|info| info.kind != LogoKind::WebP).ok_or_else(wrong)?;
                let sealed = self.directory.seal(account.tenant, &aad(account), &bytes).await?;
                (attributes(&info), Vec::new(), Write::put(key, Row::new().with("b", sealed)), "set")
            }
        };
        let act = self.act(account.tenant, "person.photo", &person.address.to_string(), detail);
        let writes = vec![self.principal_update(account, &person, set, remove)?, write];
        self.update_principal_with(account, writes, act).await?;
        self.person(of).await
    }
}
