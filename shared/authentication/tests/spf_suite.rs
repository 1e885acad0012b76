//! The test suite of openspf.org for RFC 7208, as pyspf 2.0.14 carries it (vectors/spf, BSD licence; turned from YAML into
//! JSON without its comments).
#![allow(clippy::unwrap_used)]

use async_trait::async_trait;
use bytes::Bytes;
use penfold_authentication::{Arriving, verify};
use penfold_ports::{Answer, Dns, DnsError, MailExchange, Service, Tlsa};
use penfold_simulated::Zone;
use penfold_types::Env;
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const SUITE: &str = include_str!("vectors/spf/rfc7208-tests.json");

/// A zone in which some names answer for the types that they have, and for no other.
struct Names {
    zone: Zone,
    slow: BTreeSet<String>,
}

impl Names {
    fn late<T>(&self, name: &str, answer: Result<Answer<T>, DnsError>) -> Result<Answer<T>, DnsError> {
        let slow = self.slow.contains(&name.to_ascii_lowercase());
        answer.map_err(|error| if slow { DnsError::Temporary } else { error })
    }

    fn read(data: &Value) -> Self {
        let (zone, mut slow) = (Zone::default(), BTreeSet::new());
        for (name, records) in data.as_object().unwrap() {
            zone.name(name);
            let records = records.as_array().unwrap();
            // Records of the old type SPF stand for TXT where there is no TXT.
            let has_txt = records.iter().any(|record| record.get("TXT").is_some());
            for record in records {
                let Some(record) = record.as_object() else {
                    slow.insert(name.to_ascii_lowercase());
                    continue;
                };
                for (kind, value) in record {
                    match kind.as_str() {
                        "TXT" => text(&zone, name, value),
                        "SPF" if !has_txt => text(&zone, name, value),
                        "SPF" => (),
                        "A" | "AAAA" => drop(zone.address(name, value.as_str().unwrap().parse().unwrap())),
                        "CNAME" => drop(zone.alias(name, value.as_str().unwrap())),
                        "PTR" => drop(zone.ptr(reversed(name), value.as_str().unwrap())),
                        "MX" => {
                            let exchange = value[1].as_str().unwrap();
                            zone.mx(name, u16::try_from(value[0].as_u64().unwrap()).unwrap(), exchange);
                        }
                        other => panic!("{other}"),
                    }
                }
            }
        }
        Self { zone, slow }
    }
}

fn text(zone: &Zone, name: &str, value: &Value) {
    match value.as_array() {
        Some(strings) => drop(zone.txt(name, &strings.iter().map(|s| s.as_str().unwrap()).collect::<String>())),
        None if value == "NONE" => (),
        None => drop(zone.txt(name, value.as_str().unwrap())),
    }
}

/// The address that a name below in-addr.arpa or ip6.arpa is for.
fn reversed(name: &str) -> IpAddr {
    let name = name.to_ascii_lowercase();
    match name.strip_suffix(".in-addr.arpa") {
        Some(octets) => octets.split('.').rev().collect::<Vec<_>>().join(".").parse().unwrap(),
        None => {
            let nibbles: String = name.strip_suffix(".ip6.arpa").unwrap().split('.').rev().collect();
            IpAddr::V6(Ipv6Addr::from_bits(u128::from_str_radix(&nibbles, 16).unwrap()))
        }
    }
}

#[async_trait]
impl Dns for Names {
    async fn txt(&self, name: &str) -> Result<Answer<Bytes>, DnsError> {
        self.late(name, Dns::txt(&self.zone, name).await)
    }

    async fn mx(&self, name: &str) -> Result<Answer<MailExchange>, DnsError> {
        self.late(name, Dns::mx(&self.zone, name).await)
    }

    async fn v4(&self, host: &str) -> Result<Answer<Ipv4Addr>, DnsError> {
        self.late(host, self.zone.v4(host).await)
    }

    async fn v6(&self, host: &str) -> Result<Answer<Ipv6Addr>, DnsError> {
        self.late(host, self.zone.v6(host).await)
    }

    async fn names(&self, address: IpAddr) -> Result<Answer<String>, DnsError> {
        self.zone.names(address).await
    }

    async fn srv(&self, name: &str) -> Result<Answer<Service>, DnsError> {
        Dns::srv(&self.zone, name).await
    }

    async fn tlsa(&self, name: &str) -> Result<Answer<Tlsa>, DnsError> {
        Dns::tlsa(&self.zone, name).await
    }
}

/// It wants the nibbles of an IPv6 address in upper case, while the examples of RFC 7208 §7.4 have them in lower case; to DNS
/// they are the same.
const IN_ANY_CASE: &str = "v-macro-ip6";

#[tokio::test]
async fn all_cases() {
    let scenarios: Vec<Value> = serde_json::from_str(SUITE).unwrap();
    let (mut cases, mut wrong) = (0, Vec::new());
    for scenario in &scenarios {
        let names = Names::read(&scenario["zonedata"]);
        for (case, test) in scenario["tests"].as_object().unwrap() {
            cases += 1;
            let of = |name: &str| test[name].as_str().unwrap_or_default();
            let arriving = Arriving {
                peer: of("host").parse().unwrap(),
                helo: of("helo"),
                mail_from: of("mailfrom"),
                hostname: "receiver.com",
                message: b"",
            };
            let found = verify(&names, &Env::system(), &arriving).await.mail_from;
            let allowed = match &test["result"] {
                Value::Array(several) => several.clone(),
                one => vec![one.clone()],
            };
            let explanation = found.explanation.as_deref().unwrap_or("DEFAULT");
            let same = |expected: &str| match case.as_str() {
                IN_ANY_CASE => expected.eq_ignore_ascii_case(explanation),
                _ => expected == explanation,
            };
            let explained = test.get("explanation").is_none_or(|expected| same(expected.as_str().unwrap()));
            if !allowed.contains(&found.result.keyword().into()) || !explained {
                wrong.push(format!("{case} ({}): {found:?}, expected {} {}", of("spec"), test["result"], test["explanation"]));
            }
        }
    }
    assert_eq!(cases, 203);
    assert!(wrong.is_empty(), "{} of {cases}:\n{}", wrong.len(), wrong.join("\n"));
}
