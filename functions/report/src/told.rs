//! How much whoever is told about TLS had about one day. RFC 8460 lets a domain name anybody without asking them, and names
//! below a domain cost nothing: without a limit, who mails to many of them could have anybody flooded by us.

use parking_lot::Mutex;
use penfold_ports::World;
use penfold_reports::{Destination, Kind, Sent};
use penfold_types::{Address, Result};
use std::collections::BTreeMap;

/// Reports about a day to one address or URL.
const ONE: u32 = 100;
/// To all addresses of one domain, or all URLs of one host.
const HOST: u32 = 1_000;

pub(crate) struct Told {
    /// RFC 9990 §4 asks whoever is named elsewhere, so reports by DMARC need none.
    limited: bool,
    counts: Mutex<BTreeMap<String, u32>>,
}

impl Told {
    /// With what was told in earlier rounds.
    pub async fn load(world: &World, kind: Kind, day: i64) -> Result<Self> {
        let told = Self { limited: kind == Kind::Tls, counts: Mutex::default() };
        if told.limited {
            for sent in Sent::of_day(world, kind, day).await? {
                sent.to.split(' ').filter(|to| !to.is_empty()).for_each(|to| {
                    told.count(to);
                });
            }
        }
        Ok(told)
    }

    /// Counts one more; false where that is too much.
    pub fn has_room(&self, wish: &Destination) -> bool {
        !self.limited
            || match wish {
                Destination::Mail { address, .. } => self.count(&address.to_string()),
                Destination::Https(url) => self.count(url),
            }
    }

    fn count(&self, to: &str) -> bool {
        let host = match to.parse::<Address>() {
            Ok(address) => address.domain().to_string(),
            Err(_) => to.split('/').nth(2).unwrap_or_default().to_ascii_lowercase(),
        };
        let mut counts = self.counts.lock();
        [(to, ONE), (&host, HOST)].into_iter().fold(true, |room, (name, most)| {
            let count = counts.entry(name.to_owned()).or_default();
            *count = count.saturating_add(1);
            room && *count <= most
        })
    }
}
