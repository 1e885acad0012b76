//! One order, from its first step to the certificate in its row. Whatever happens, the certificate that is there stays until a
//! better one has been looked at.

use crate::authority::{Method, Proof, Refused, Request, Steps};
use crate::certificates::{belongs_to, name_of};
use crate::chain;
use crate::proofs::Place;
use crate::round::Certifier;
use crate::row::stored;
use crate::schedule::{backoff, renewal};
use async_trait::async_trait;
use bytes::Bytes;
use penfold_ports::{Row, Value, Write, shared};
use penfold_types::{Kind, Result, Timestamp};
use std::time::Duration;
use tokio::sync::Mutex;

/// Shorter than the lease.
const LONGEST: Duration = Duration::from_secs(240);
/// Octets of a reason that are kept.
const REASON: usize = 500;
/// After so many failures in a row a new order is begun: where the old one is broken, it would be so for ever.
const TAKEN_UP: u64 = 4;

/// The account's secret opens for its own authority only.
fn account_of(authority: &str) -> Vec<u8> {
    format!("acme#{authority}").into_bytes()
}

/// What happens on the way of one order.
struct Way<'a> {
    certifier: &'a Certifier,
    name: &'a str,
    /// What is shown, to be taken away at the end.
    shown: Mutex<Vec<(Proof, Option<Place>)>>,
}

#[async_trait]
impl Steps for Way<'_> {
    async fn keep_account(&self, credentials: &[u8]) -> Result<()> {
        let (certificates, authority) = (&self.certifier.certificates, self.certifier.authority.name());
        let sealed = certificates.directory.seal_for_cell(&account_of(authority), credentials).await?;
        let row = Row::new().with("k", sealed).with("at", stored(certificates.env().now()));
        certificates.store.commit(vec![Write::put(shared::certificates_account(authority), row)]).await?;
        Ok(())
    }

    async fn begun(&self, order: &str) -> Result<()> {
        let order = Value::S(order.to_owned());
        self.certifier.certificates.change(self.name, |_| (vec![("o".into(), order.clone())], Vec::new())).await
    }

    async fn show(&self, proof: &Proof) -> Result<bool> {
        let certificates = &self.certifier.certificates;
        let mut place = None;
        match proof.method {
            Method::Http => certificates.show_http(proof).await?,
            Method::TlsAlpn => certificates.show_tls(self.name, proof).await?,
            Method::Dns => match self.show_dns(proof).await {
                Some(found) => place = Some(found),
                None => return Ok(false),
            },
        }
        self.shown.lock().await.push((proof.clone(), place));
        self.certifier.options.settle(proof.method, certificates).await;
        Ok(true)
    }
}

impl Way<'_> {
    /// `None`, and logged, where it cannot be: then another method may.
    async fn show_dns(&self, proof: &Proof) -> Option<Place> {
        let zones = self.certifier.options.zones.as_deref()?;
        let shown = async {
            let place = Place::find(zones, &*self.certifier.dns, self.name).await?;
            if let Some(place) = &place {
                place.show(zones, proof).await?;
            }
            Ok::<_, penfold_ports::ZoneError>(place)
        };
        match shown.await {
            Ok(place) => place,
            Err(error) => {
                tracing::warn!(name = self.name, %error, "no proof can be shown in DNS");
                None
            }
        }
    }

    async fn clear(&self) {
        for (proof, place) in self.shown.lock().await.drain(..) {
            let hidden = match (place, self.certifier.options.zones.as_deref()) {
                (Some(place), Some(zones)) => place.hide(zones, &proof).await.map_err(|error| error.to_string()),
                _ => self.certifier.certificates.hide(self.name, &proof).await.map_err(|error| error.to_string()),
            };
            if let Err(error) = hidden {
                tracing::warn!(name = self.name, error, "a proof stays behind; it does no harm");
            }
        }
    }
}

impl Certifier {
    /// True where there is a new certificate; else the row says why not, and when it is tried again.
    pub(crate) async fn order(&self, name: &str) -> Result<bool> {
        let key = self.open_order(name).await?;
        let way = Way { certifier: self, name, shown: Mutex::default() };
        let ordered = self.ask(name, &key, &way).await;
        way.clear().await;
        let now = self.certificates.env().now();
        let checked = ordered.and_then(|pem| match chain::check(&pem, name, &key, now) {
            Ok(times) => Ok((pem, times)),
            Err(wrong) => Err(Refused::new(format!("the authority gave a certificate that cannot be used: {wrong}")).ended()),
        });
        match checked {
            Ok((pem, times)) => self.keep(name, &pem, &key, times).await.map(|()| true),
            Err(refused) => self.failed(name, &refused, now).await.map(|()| false),
        }
    }

    async fn ask(&self, name: &str, key: &[u8], way: &Way<'_>) -> Result<String, Refused> {
        let entry = self.certificates.entry(name).await?.unwrap_or_else(|| crate::Entry::read(name, &Row::new()));
        let mut methods = self.options.methods.clone();
        // After a failure another one comes first.
        let turn = usize::try_from(entry.failures).unwrap_or(0) % methods.len().max(1);
        methods.rotate_left(turn);
        let request = Request { name: name.to_owned(), key: key.to_vec(), account: self.account().await?, order: entry.order, methods };
        tokio::select! {
            biased;
            answer = self.authority.order(request, way) => answer,
            () = self.certificates.env().sleep(LONGEST) => Err(Refused::new("the authority took too long")),
        }
    }

    async fn account(&self) -> Result<Option<Vec<u8>>> {
        let (certificates, authority) = (&self.certificates, self.authority.name());
        let Some(row) = certificates.store.get(&shared::certificates_account(authority)).await? else { return Ok(None) };
        let Some(sealed) = row.bytes("k") else { return Ok(None) };
        certificates.directory.open_for_cell(&account_of(authority), sealed).await.map(Some)
    }

    /// The key that is ordered for, in the row before anything is asked: an order that a crash interrupts is then of use.
    async fn open_order(&self, name: &str) -> Result<Vec<u8>> {
        let (certificates, authority) = (&self.certificates, self.authority.name());
        let row = certificates.store.get(&shared::certificate(name)).await?.unwrap_or_default();
        if let (Some(sealed), Some(_), Some(of)) = (row.bytes("ok"), row.str("o"), row.str("oa"))
            && of == authority
        {
            match certificates.directory.open_for_cell(&belongs_to(name), sealed).await {
                // Without its key the order is of no use.
                Err(error) if error.kind() == Kind::Broken => tracing::warn!(name, %error, "an open order is given up"),
                opened => return opened,
            }
        }
        let key = chain::generate()?;
        let sealed = certificates.directory.seal_for_cell(&belongs_to(name), &key).await?;
        let set = vec![("ok".into(), Value::B(sealed)), ("oa".into(), Value::S(authority.to_owned()))];
        certificates.change(name, |_| (set.clone(), vec!["o".into(), "ad".into()])).await?;
        Ok(key)
    }

    async fn keep(&self, name: &str, pem: &str, key: &[u8], (from, until): (Timestamp, Timestamp)) -> Result<()> {
        let sealed = self.certificates.directory.seal_for_cell(&belongs_to(name), key).await?;
        let renew = renewal(from, until);
        let times = [("nb", from), ("na", until), ("rn", renew)];
        let mut set = vec![
            ("c".into(), Value::B(Bytes::copy_from_slice(pem.as_bytes()))),
            ("k".into(), Value::B(sealed)),
            ("ca".into(), Value::S(self.authority.name().to_owned())),
        ];
        set.extend(times.map(|(attribute, at)| (attribute.into(), Value::U(stored(at)))));
        let remove = ["f", "e", "nx", "o", "ok", "oa", "ad"].map(Into::into).to_vec();
        self.certificates.change(name, |_| (set.clone(), remove.clone())).await?;
        tracing::info!(name, until = until.seconds(), "there is a new certificate");
        Ok(())
    }

    pub(crate) async fn failed(&self, name: &str, refused: &Refused, now: Timestamp) -> Result<()> {
        let reason: String = refused.text.chars().take(REASON).collect();
        tracing::warn!(name, reason, "there is no new certificate");
        if refused.unknown {
            let account = Write::delete(shared::certificates_account(self.authority.name()));
            self.certificates.store.commit(vec![account]).await?;
        }
        let jitter = Duration::from_secs(self.certificates.env().below(60));
        let with = |row: &Row| {
            let failures = row.u64("f").unwrap_or(0).saturating_add(1);
            let next = now.plus(backoff(failures, refused.busy) + jitter);
            let set = vec![("f".into(), Value::U(failures)), ("e".into(), Value::S(reason.clone())), ("nx".into(), Value::U(stored(next)))];
            let ended = refused.ended || failures.is_multiple_of(TAKEN_UP);
            let remove = if ended { ["o", "ok", "oa"].map(Into::into).to_vec() } else { Vec::new() };
            (set, remove)
        };
        self.certificates.change(name, with).await
    }

    /// Names whose rows nobody wants any more.
    pub(crate) async fn drop_unwanted(&self, wanted: &[String]) -> Result<()> {
        let rows =
            self.certificates.store.query(&penfold_ports::Query::prefix(shared::certificates(), &shared::all_certificates())).await?;
        for name in rows.iter().filter_map(|(sk, _)| name_of(sk)).filter(|name| !wanted.iter().any(|other| other == name)) {
            self.certificates.remove(name).await?;
            tracing::info!(name, "its certificate is no longer wanted");
        }
        Ok(())
    }
}
