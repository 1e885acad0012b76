//! What an authority looks for, shown by any edge: each reads it from the store.

use crate::authority::{Method, Proof};
use crate::certificates::Certificates;
use crate::row::stored;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use penfold_ports::{Change, Query, RecordData, Row, Value, Write, ZoneError, Zones, shared};
use penfold_types::{Error, Result};
use std::time::Duration;

/// A token has at least 128 bits (RFC 8555 §8.3); longer ones than this are not given out.
const TOKEN: usize = 256;
/// Where nobody took a proof away.
const KEPT: Duration = Duration::from_secs(3600);
const TTL: u32 = 60;

/// RFC 8555 §8: base64url.
fn is_token(token: &str) -> bool {
    (1..=TOKEN).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

impl Certificates {
    /// The key authorization for a token, for HTTP-01.
    pub async fn http_proof(&self, token: &str) -> Result<Option<String>> {
        if !is_token(token) {
            return Ok(None);
        }
        let row = self.store.get(&shared::certificate_proof(token)).await?;
        Ok(row.and_then(|row| row.str("a").map(str::to_owned)))
    }

    pub(crate) async fn show_http(&self, proof: &Proof) -> Result<()> {
        if !is_token(&proof.token) {
            return Err(Error::invalid("the authority gave a token that is none"));
        }
        let until = stored(self.env().now().plus(KEPT));
        let row = Row::new().with("a", proof.key_authorization.as_str()).with("x", until);
        self.store.commit(vec![Write::put(shared::certificate_proof(&proof.token), row)]).await?;
        Ok(())
    }

    pub(crate) async fn show_tls(&self, name: &str, proof: &Proof) -> Result<()> {
        let digest = Bytes::copy_from_slice(&proof.digest);
        self.change(name, |_| (vec![("ad".into(), Value::B(digest.clone()))], Vec::new())).await
    }

    pub(crate) async fn hide(&self, name: &str, proof: &Proof) -> Result<()> {
        match proof.method {
            Method::Http => self.store.commit(vec![Write::delete(shared::certificate_proof(&proof.token))]).await.map(|_| ()),
            Method::TlsAlpn => self.change(name, |_| (Vec::new(), vec!["ad".into()])).await,
            Method::Dns => Ok(()),
        }
    }

    /// Proofs that a crash left behind.
    pub(crate) async fn sweep_proofs(&self) -> Result<()> {
        let now = stored(self.env().now());
        let rows = self.store.query(&Query::prefix(shared::certificates(), &shared::all_certificate_proofs())).await?;
        for (sk, _) in rows.iter().filter(|(_, row)| row.u64("x").unwrap_or(0) <= now) {
            let key = penfold_ports::Key::from_stored(shared::certificates(), sk.clone());
            self.store.commit(vec![Write::delete(key)]).await?;
        }
        Ok(())
    }
}

/// Where a proof in DNS stands: `_acme-challenge`, or what that is an alias of.
pub(crate) struct Place {
    zone: String,
    name: String,
}

impl Place {
    /// `None` where the name server has no such zone.
    pub async fn find(zones: &dyn Zones, dns: &dyn penfold_ports::Dns, name: &str) -> Result<Option<Self>, ZoneError> {
        let own = format!("_acme-challenge.{name}");
        let alias = dns.alias(&own).await.ok().and_then(|answer| answer.records.into_iter().next());
        let name = alias.unwrap_or(own);
        Ok(zones.zone_of(&name).await?.map(|zone| Self { zone, name }))
    }

    fn text(proof: &Proof) -> RecordData {
        RecordData::Txt(URL_SAFE_NO_PAD.encode(&proof.digest))
    }

    pub async fn show(&self, zones: &dyn Zones, proof: &Proof) -> Result<(), ZoneError> {
        zones.change(&self.zone, &[Change::Add { name: self.name.clone(), ttl: TTL, data: Self::text(proof) }]).await
    }

    pub async fn hide(&self, zones: &dyn Zones, proof: &Proof) -> Result<(), ZoneError> {
        zones.change(&self.zone, &[Change::Remove { name: self.name.clone(), data: Self::text(proof) }]).await
    }
}
