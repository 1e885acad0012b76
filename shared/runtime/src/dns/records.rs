//! Records of the library as records of the port.

use bytes::Bytes;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use penfold_ports::{MailExchange, Service, Tlsa};
use std::net::{Ipv4Addr, Ipv6Addr};

pub(super) trait Record: Sized {
    const TYPE: RecordType;

    /// `None` where it is of another type, or names what is no name.
    fn read(data: &RData) -> Option<Self>;

    /// By which answers are sorted.
    fn order(&self) -> u16 {
        0
    }

    fn octets(&self) -> usize {
        16
    }
}

/// Labels as they stand: an SPF macro makes names of what people call themselves. `None` where it is no name in ASCII.
pub(super) fn name(text: &str) -> Option<Name> {
    let text = text.strip_suffix('.').unwrap_or(text);
    if !text.is_ascii() || text.split('.').any(|label| label.is_empty() || label.len() > 63) {
        return None;
    }
    let mut name = Name::from_labels(text.split('.').map(str::as_bytes)).ok()?;
    // Never below the search domains of this machine.
    name.set_fqdn(true);
    Some(name)
}

/// Without a final dot, in lower case.
fn text(name: &Name) -> Option<String> {
    let text = name.to_lowercase().to_ascii();
    let text = text.strip_suffix('.').unwrap_or(&text);
    // An escaped octet is in no name of a host.
    (!text.contains('\\')).then(|| text.to_owned())
}

impl Record for Bytes {
    const TYPE: RecordType = RecordType::TXT;

    fn read(data: &RData) -> Option<Self> {
        let RData::TXT(txt) = data else { return None };
        Some(txt.txt_data.concat().into())
    }

    fn octets(&self) -> usize {
        self.len()
    }
}

impl Record for MailExchange {
    const TYPE: RecordType = RecordType::MX;

    fn read(data: &RData) -> Option<Self> {
        let RData::MX(mx) = data else { return None };
        Some(Self { preference: mx.preference, exchange: text(&mx.exchange)? })
    }

    fn order(&self) -> u16 {
        self.preference
    }

    fn octets(&self) -> usize {
        self.exchange.len()
    }
}

impl Record for Ipv4Addr {
    const TYPE: RecordType = RecordType::A;

    fn read(data: &RData) -> Option<Self> {
        let RData::A(a) = data else { return None };
        Some(a.0)
    }
}

impl Record for Ipv6Addr {
    const TYPE: RecordType = RecordType::AAAA;

    fn read(data: &RData) -> Option<Self> {
        let RData::AAAA(aaaa) = data else { return None };
        Some(aaaa.0)
    }
}

impl Record for String {
    const TYPE: RecordType = RecordType::PTR;

    fn read(data: &RData) -> Option<Self> {
        let RData::PTR(ptr) = data else { return None };
        text(&ptr.0)
    }

    fn octets(&self) -> usize {
        self.len()
    }
}

/// The name that a CNAME leads to.
pub(super) struct Alias(pub String);

impl Record for Alias {
    const TYPE: RecordType = RecordType::CNAME;

    fn read(data: &RData) -> Option<Self> {
        let RData::CNAME(cname) = data else { return None };
        text(&cname.0).map(Self)
    }

    fn octets(&self) -> usize {
        self.0.len()
    }
}

impl Record for Service {
    const TYPE: RecordType = RecordType::SRV;

    fn read(data: &RData) -> Option<Self> {
        let RData::SRV(srv) = data else { return None };
        Some(Self { priority: srv.priority, weight: srv.weight, port: srv.port, target: text(&srv.target)? })
    }

    fn order(&self) -> u16 {
        self.priority
    }

    fn octets(&self) -> usize {
        self.target.len()
    }
}

impl Record for Tlsa {
    const TYPE: RecordType = RecordType::TLSA;

    fn read(data: &RData) -> Option<Self> {
        let RData::TLSA(tlsa) = data else { return None };
        Some(Self {
            usage: tlsa.cert_usage.into(),
            selector: tlsa.selector.into(),
            matching: tlsa.matching.into(),
            data: Bytes::copy_from_slice(&tlsa.cert_data),
        })
    }

    fn octets(&self) -> usize {
        self.data.len()
    }
}
