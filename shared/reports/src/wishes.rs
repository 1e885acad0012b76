//! Who wants reports: the `rua` of a DMARC record (RFC 9989 §4.7, with RFC 9990 §4 for addresses elsewhere) and that of a
//! TLSRPT record (RFC 8460 §3).

use async_trait::async_trait;
use bytes::Bytes;
use penfold_authentication::{Published, organizational_domain};
use penfold_ports::{Dns, DnsError};
use penfold_types::Address;

/// Addresses of one domain that get its reports.
const DESTINATIONS: usize = 5;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Destination {
    /// With the largest message that is wanted.
    Mail {
        address: Address,
        limit: Option<u64>,
    },
    Https(String),
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct PostError(pub String);

/// Hands a packed TLS report to a web server (RFC 8460 §5.4). Bounded in time; follows nothing.
#[async_trait]
pub trait Post: Send + Sync {
    async fn post(&self, url: &str, media_type: &str, body: Bytes) -> Result<(), PostError>;
}

/// Who wants reports about a domain at which a DMARC record was found. Only by mail: RFC 9990 knows no other way.
pub async fn dmarc_destinations(dns: &dyn Dns, domain: &str) -> Result<Vec<Destination>, DnsError> {
    let mut records = texts(dns, &format!("_dmarc.{domain}")).await?.into_iter().filter_map(|text| Published::read(&text));
    let (Some(record), None) = (records.next(), records.next()) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    let mut own = None;
    for wish in record.rua.iter().filter_map(|uri| mailto(uri)).take(DESTINATIONS) {
        let host = wish.0.domain().as_str().to_owned();
        if own.is_none() {
            own = Some(organizational_domain(dns, domain).await?);
        }
        if own.as_deref() == Some(organizational_domain(dns, &host).await?.as_str()) {
            found.push(wish);
            continue;
        }
        // §4: who is named there must have said yes; otherwise anybody could have anybody flooded.
        let name = format!("{domain}._report._dmarc.{host}");
        if name.len() > 253 {
            continue;
        }
        let consents: Vec<Published> = texts(dns, &name).await?.into_iter().filter_map(|text| Published::read(&text)).collect();
        let Some(first) = consents.first() else { continue };
        let instead: Vec<_> = first.rua.iter().filter_map(|uri| mailto(uri)).collect();
        match instead.as_slice() {
            [] => found.push(wish),
            all if all.iter().all(|(address, _)| address.domain().as_str() == host) => found.extend_from_slice(all),
            _ => {}
        }
    }
    Ok(apart(found.into_iter().map(|(address, limit)| Destination::Mail { address, limit })))
}

/// Who wants reports about TLS to a domain's hosts.
pub async fn tls_destinations(dns: &dyn Dns, domain: &str) -> Result<Vec<Destination>, DnsError> {
    let records = texts(dns, &format!("_smtp._tls.{domain}")).await?;
    let mut records = records.iter().filter_map(|text| rua_of_tls(text));
    // RFC 8460 §3: of several none counts.
    let (Some(rua), None) = (records.next(), records.next()) else { return Ok(Vec::new()) };
    let wish = |uri: &str| match uri.trim() {
        uri if uri.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://")) && uri.len() <= 1000 => {
            Some(Destination::Https(uri.to_owned()))
        }
        uri => mailto(uri).map(|(address, limit)| Destination::Mail { address, limit }),
    };
    Ok(apart(rua.split(',').filter_map(wish)))
}

/// The first ones, each once, however often it is named.
fn apart(wishes: impl Iterator<Item = Destination>) -> Vec<Destination> {
    let same = |one: &Destination, other: &Destination| match (one, other) {
        (Destination::Mail { address: one, .. }, Destination::Mail { address: other, .. }) => one == other,
        _ => one == other,
    };
    let mut found: Vec<Destination> = Vec::new();
    for wish in wishes {
        if found.len() < DESTINATIONS && !found.iter().any(|one| same(one, &wish)) {
            found.push(wish);
        }
    }
    found
}

fn rua_of_tls(text: &[u8]) -> Option<&str> {
    let mut fields = std::str::from_utf8(text).ok()?.split(';').map(str::trim);
    if fields.next()?.replace(' ', "") != "v=TLSRPTv1" {
        return None;
    }
    Some(fields.filter_map(|field| field.split_once('=')).find(|(name, _)| name.trim() == "rua").map_or("", |(_, value)| value.trim()))
}

async fn texts(dns: &dyn Dns, name: &str) -> Result<Vec<Bytes>, DnsError> {
    match dns.txt(name).await {
        Ok(answer) => Ok(answer.records),
        Err(DnsError::Temporary) => Err(DnsError::Temporary),
        Err(_) => Ok(Vec::new()),
    }
}

/// `mailto:ADDRESS`, with a size behind `!` (RFC 9989 §4.7): bytes, or with k, m, g or t.
fn mailto(uri: &str) -> Option<(Address, Option<u64>)> {
    let (scheme, rest) = uri.trim().split_once(':')?;
    if !scheme.eq_ignore_ascii_case("mailto") {
        return None;
    }
    let (rest, limit) = match rest.rsplit_once('!') {
        Some((rest, size)) => (rest, Some(bytes(size)?)),
        None => (rest, None),
    };
    let path = rest.split('?').next().unwrap_or(rest);
    Some((percent(path)?.parse().ok()?, limit))
}

fn bytes(size: &str) -> Option<u64> {
    let end = size.find(|c: char| !c.is_ascii_digit()).unwrap_or(size.len());
    let (number, unit) = size.split_at_checked(end)?;
    let shift = match unit.to_ascii_lowercase().as_str() {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

/// RFC 3986 §2.1.
fn percent(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        out.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use penfold_simulated::Zone;

    fn mail(destinations: Vec<Destination>) -> Vec<String> {
        let text = |destination| match destination {
            Destination::Mail { address, limit: None } => address.to_string(),
            Destination::Mail { address, limit: Some(limit) } => format!("{address} {limit}"),
            Destination::Https(url) => url,
        };
        destinations.into_iter().map(text).collect()
    }

    #[tokio::test]
    async fn who_is_elsewhere_must_have_said_yes() {
        let zone = Zone::default();
        zone.txt(
            "_dmarc.blue.test",
            "v=DMARC1; p=none; rua=mailto:a@blue.test!10k,mailto:b%2Bc@sub.blue.test,mailto:d@red.test,mailto:e@green.test,https://x.test/",
        );
        let found = mail(dmarc_destinations(&zone, "blue.test").await.unwrap());
        assert_eq!(found, ["a@blue.test 10240", "b+c@sub.blue.test"]);
        zone.txt("blue.test._report._dmarc.red.test", "v=DMARC1");
        zone.txt("blue.test._report._dmarc.green.test", "v=DMARC1; rua=mailto:other@green.test");
        let found = mail(dmarc_destinations(&zone, "blue.test").await.unwrap());
        assert_eq!(found, ["a@blue.test 10240", "b+c@sub.blue.test", "d@red.test", "other@green.test"]);
        // Nor may they hand it on to somebody else.
        zone.remove("blue.test._report._dmarc.green.test");
        zone.txt("blue.test._report._dmarc.green.test", "v=DMARC1; rua=mailto:victim@victim.test");
        assert_eq!(dmarc_destinations(&zone, "blue.test").await.unwrap().len(), 3);
        zone.silent("blue.test._report._dmarc.red.test");
        assert!(dmarc_destinations(&zone, "blue.test").await.is_err(), "asked again later");
        assert_eq!(dmarc_destinations(&zone, "none.test").await, Ok(Vec::new()));
    }

    #[tokio::test]
    async fn tls_reports_go_by_mail_and_https() {
        let zone = Zone::default();
        zone.txt("_smtp._tls.x.test", "v=TLSRPTv1; rua=https://reports.x.test/v1,mailto:tls@y.test");
        assert_eq!(mail(tls_destinations(&zone, "x.test").await.unwrap()), ["https://reports.x.test/v1", "tls@y.test"]);
        zone.txt("_smtp._tls.x.test", "v=TLSRPTv1;rua=mailto:other@y.test");
        assert!(tls_destinations(&zone, "x.test").await.unwrap().is_empty(), "two records are none");
        assert!(tls_destinations(&zone, "y.test").await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn who_is_named_five_times_is_told_once() {
        let zone = Zone::default();
        let again = "mailto:a@y.test,mailto:a@y.test!9k,mailto:A@Y.test,https://y.test/,https://y.test/";
        zone.txt("_smtp._tls.y.test", &format!("v=TLSRPTv1; rua={again}"));
        zone.txt("_dmarc.y.test", &format!("v=DMARC1; p=none; rua={again}"));
        assert_eq!(mail(tls_destinations(&zone, "y.test").await.unwrap()), ["a@y.test", "https://y.test/"]);
        assert_eq!(mail(dmarc_destinations(&zone, "y.test").await.unwrap()), ["a@y.test"]);
    }
}
