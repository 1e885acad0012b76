//! Against a name server of our own on loopback, whose root signs what it answers, or does not.

use super::*;
use hickory_resolver::proto::dnssec::crypto::Ed25519SigningKey;
use hickory_resolver::proto::dnssec::rdata::{DNSKEY, DNSSECRData, RRSIG};
use hickory_resolver::proto::dnssec::{DnssecSigner, SigningKey};
use hickory_resolver::proto::op::{Message, OpCode, Query};
use hickory_resolver::proto::rr::rdata::tlsa::{CertUsage, Matching, Selector};
use hickory_resolver::proto::rr::rdata::{CNAME, MX, PTR, SOA, SRV, TLSA, TXT};
use hickory_resolver::proto::rr::{DNSClass, RData, Record as Entry, RecordSet};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

fn at(text: &str) -> Name {
    Name::from_ascii(text).unwrap().to_lowercase()
}

/// The root zone, which holds everything.
struct Root {
    records: BTreeMap<(String, RecordType), RecordSet>,
    signer: Option<DnssecSigner>,
    anchors: TrustAnchors,
}

impl Root {
    fn new(signed: bool) -> Self {
        let pkcs8 = Ed25519SigningKey::generate_pkcs8().unwrap();
        let key = Ed25519SigningKey::from_pkcs8(&pkcs8).unwrap();
        let public = key.to_public_key().unwrap();
        let mut anchors = TrustAnchors::empty();
        anchors.insert(&public);
        let dnskey = DNSKEY::from_key(&public);
        let mut out = Self { records: BTreeMap::new(), signer: None, anchors };
        out.add(".", RData::SOA(SOA::new(at("ns."), at("admin."), 1, 60, 60, 60, 60)));
        if signed {
            out.add(".", RData::DNSSEC(DNSSECRData::DNSKEY(dnskey.clone())));
            out.signer = Some(DnssecSigner::new(dnskey, Box::new(key), Name::root(), Duration::from_secs(3600)));
        }
        out
    }

    fn add(&mut self, name: &str, data: RData) {
        let (name, kind) = (at(name), data.record_type());
        let set = self.records.entry((name.to_string(), kind)).or_insert_with(|| RecordSet::with_ttl(name, kind, 60));
        set.add_rdata(data);
    }

    fn answer(&self, question: &Message) -> Message {
        let query: &Query = &question.queries[0];
        let mut out = Message::response(question.metadata.id, OpCode::Query);
        out.metadata.recursion_available = true;
        out.add_query(query.clone());
        out.edns = question.edns.clone();
        let mut name = query.name().to_lowercase().to_string();
        for _ in 0..3 {
            let of = |kind| self.records.get(&(name.clone(), kind));
            let alias = if query.query_type() == RecordType::CNAME { None } else { of(RecordType::CNAME) };
            let Some(set) = alias.or_else(|| of(query.query_type())) else { break };
            out.add_answers(set.records_without_rrsigs().cloned());
            if let Some(signer) = &self.signer {
                let now = time::OffsetDateTime::from_unix_timestamp(Env::system().now().seconds() - 60).unwrap();
                let signature = RRSIG::from_rrset(set, DNSClass::IN, now, signer).unwrap();
                out.add_answer(Entry::from_rdata(set.name().clone(), 60, RData::DNSSEC(DNSSECRData::RRSIG(signature))));
            }
            match set.record().map(|record| &record.data) {
                Some(RData::CNAME(target)) => name = target.0.to_lowercase().to_string(),
                _ => break,
            }
        }
        if out.answers.is_empty() {
            let there = self.records.keys().any(|(other, _)| *other == name || other.ends_with(&format!(".{name}")));
            out.metadata.response_code = if there { ResponseCode::NoError } else { ResponseCode::NXDomain };
            out.add_authorities(self.records[&(".".to_owned(), RecordType::SOA)].records_without_rrsigs().cloned());
        }
        out
    }

    /// What is sent back, if anything.
    fn reply(&self, question: &[u8]) -> Option<Message> {
        let question = Message::from_vec(question).unwrap();
        let name = question.queries[0].name().to_string();
        let mut answer = self.answer(&question);
        match name.split_once('.').map_or("", |(label, _)| label) {
            "silent" => return None,
            "broken" => {
                answer.answers.clear();
                answer.metadata.response_code = ResponseCode::ServFail;
            }
            // Something else than what was signed.
            "forged" => answer.answers.iter_mut().for_each(|record| {
                if let RData::TXT(txt) = &mut record.data {
                    *txt = TXT::new(vec!["forged".to_owned()]);
                }
            }),
            _ => (),
        }
        Some(answer)
    }

    /// A resolver that trusts this root, and how often the server was asked by UDP.
    async fn serve(self, more: &[NameServer]) -> (SystemDns, Arc<AtomicUsize>) {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let server = NameServer::from(socket.local_addr().unwrap());
        let (asked, anchors) = (Arc::new(AtomicUsize::new(0)), Arc::new(self.anchors.clone()));
        let count = asked.clone();
        let (root, stream) = (Arc::new(self), TcpListener::bind(socket.local_addr().unwrap()).await.unwrap());
        let behind = root.clone();
        tokio::spawn(async move {
            let mut buffer = vec![0; 4096];
            while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
                count.fetch_add(1, Ordering::Relaxed);
                let Some(answer) = root.reply(&buffer[..length]) else { continue };
                let bytes = answer.to_vec().unwrap();
                // RFC 2181 §9: what does not fit is asked for by TCP.
                let bytes = if bytes.len() > 1232 { answer.truncate().to_vec().unwrap() } else { bytes };
                socket.send_to(&bytes, peer).await.unwrap();
            }
        });
        tokio::spawn(async move {
            while let Ok((mut peer, _)) = stream.accept().await {
                while let Ok(length) = peer.read_u16().await {
                    let mut question = vec![0; length.into()];
                    peer.read_exact(&mut question).await.unwrap();
                    let Some(answer) = behind.reply(&question) else { continue };
                    let bytes = answer.to_vec().unwrap();
                    peer.write_u16(bytes.len().try_into().unwrap()).await.unwrap();
                    peer.write_all(&bytes).await.unwrap();
                }
            }
        });
        let servers: Vec<_> = more.iter().copied().chain([server]).collect();
        (SystemDns::with_anchors(&servers, Env::system(), anchors, CACHE).unwrap(), asked)
    }
}

fn text(strings: &[&str]) -> RData {
    RData::TXT(TXT::new(strings.iter().map(|s| (*s).to_owned()).collect()))
}

fn filled(signed: bool) -> Root {
    let mut root = Root::new(signed);
    root.add("text.test.", text(&["v=spf1 ", "-all"]));
    root.add("text.test.", text(&["other"]));
    root.add("mx.test.", RData::MX(MX::new(20, at("B.test."))));
    root.add("mx.test.", RData::MX(MX::new(10, at("a.test."))));
    root.add("null.test.", RData::MX(MX::new(0, Name::root())));
    root.add("host.test.", RData::A(Ipv4Addr::new(192, 0, 2, 1).into()));
    root.add("host.test.", RData::AAAA("2001:db8::1".parse::<Ipv6Addr>().unwrap().into()));
    root.add("alias.test.", RData::CNAME(CNAME(at("host.test."))));
    root.add("1.2.0.192.in-addr.arpa.", RData::PTR(PTR(at("host.test."))));
    root.add("_x._tcp.test.", RData::SRV(SRV::new(1, 2, 3, at("host.test."))));
    root.add("_25._tcp.host.test.", RData::TLSA(TLSA::new(CertUsage::DaneEe, Selector::Spki, Matching::Sha256, vec![7; 32])));
    root.add("forged.test.", text(&["real"]));
    for number in 0..150 {
        root.add("many.test.", RData::A(Ipv4Addr::new(198, 51, 100, number).into()));
    }
    root
}

async fn all_kinds(signed: bool) {
    let (dns, _) = filled(signed).serve(&[]).await;
    let texts = dns.txt("Text.test").await.unwrap();
    assert_eq!((texts.records.len(), texts.secure), (2, signed));
    assert!(texts.records.contains(&Bytes::from_static(b"v=spf1 -all")));
    let mx = dns.mx("mx.test").await.unwrap();
    let mx: Vec<_> = mx.records.iter().map(|mx| (mx.preference, mx.exchange.as_str())).collect();
    assert_eq!(mx, [(10, "a.test"), (20, "b.test")]);
    assert_eq!(dns.mx("null.test").await.unwrap().records[0].exchange, "");
    let v4 = dns.v4("host.test.").await.unwrap();
    assert_eq!((v4.records, v4.secure), (vec![Ipv4Addr::new(192, 0, 2, 1)], signed));
    assert_eq!(dns.v6("host.test").await.unwrap().records.len(), 1);
    assert_eq!(dns.alias("alias.test").await.unwrap().records, ["host.test"]);
    let alias = dns.v4("alias.test").await.unwrap();
    assert_eq!((alias.records.len(), alias.secure), (1, signed));
    assert_eq!(dns.names("::ffff:192.0.2.1".parse().unwrap()).await.unwrap().records, ["host.test"]);
    let service = dns.srv("_x._tcp.test").await.unwrap().records.remove(0);
    assert_eq!((service.priority, service.weight, service.port, service.target.as_str()), (1, 2, 3, "host.test"));
    let tlsa = dns.tlsa("_25._tcp.host.test").await.unwrap();
    assert_eq!((tlsa.secure, tlsa.records[0].usage, tlsa.records[0].selector, tlsa.records[0].matching), (signed, 3, 1, 1));
}

#[tokio::test]
async fn all_kinds_secure() {
    all_kinds(true).await;
}

#[tokio::test]
async fn all_kinds_of_a_server_without_dnssec() {
    all_kinds(false).await;
}

#[tokio::test]
async fn what_is_not_there() {
    let (dns, _) = filled(false).serve(&[]).await;
    assert_eq!(dns.txt("nobody.example").await, Err(DnsError::NoName));
    assert_eq!(dns.txt("host.test").await, Err(DnsError::NoRecord));
    assert_eq!(dns.mx("test").await, Err(DnsError::NoRecord));
    assert_eq!(dns.alias("host.test").await, Err(DnsError::NoRecord));
    assert_eq!(dns.txt("broken.test").await, Err(DnsError::Temporary));
    for none in ["", ".", "a..b", "b\u{fc}cher.test", &"a".repeat(64), &"a.".repeat(130)] {
        assert_eq!(dns.txt(none).await, Err(DnsError::NoName), "{none}");
    }
    // What SPF makes of a sender.
    assert_eq!(dns.v4("a b\\\"@.test").await, Err(DnsError::NoName));
}

/// RFC 4035 §5.5: an answer that is not what was signed is none.
#[tokio::test]
async fn forgeries_are_noticed() {
    let (dns, _) = filled(true).serve(&[]).await;
    assert_eq!(dns.txt("forged.test").await, Err(DnsError::Temporary));
    assert!(dns.txt("text.test").await.unwrap().secure);
    // That there is nothing would have to be proven too.
    assert_eq!(dns.txt("nobody.example").await, Err(DnsError::Temporary));
}

#[tokio::test]
async fn answers_are_kept_and_bounded() {
    let (dns, asked) = filled(false).serve(&[]).await;
    dns.txt("text.test").await.unwrap();
    let before = asked.load(Ordering::Relaxed);
    for _ in 0..5 {
        dns.txt("text.test").await.unwrap();
        assert_eq!(dns.txt("nobody.example").await, Err(DnsError::NoName));
    }
    assert_eq!(asked.load(Ordering::Relaxed), before + 1);
    assert_eq!(dns.v4("many.test").await.unwrap().records.len(), RECORDS);
}

#[tokio::test]
async fn silence_ends() {
    let (dns, _) = filled(false).serve(&[]).await;
    let begin = Env::system().monotonic();
    assert_eq!(dns.txt("silent.test").await, Err(DnsError::Temporary));
    assert!(begin.elapsed() <= PROBE * 2 + QUESTION + Duration::from_secs(2));
}

/// One of the servers is not there.
#[tokio::test]
async fn another_server_helps() {
    let closed = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (dns, _) = filled(true).serve(&[closed.into()]).await;
    assert!(dns.txt("text.test").await.unwrap().secure);
}

#[test]
fn servers() {
    for (text, address) in [
        ("192.0.2.53", "192.0.2.53:53"),
        ("192.0.2.53:5353", "192.0.2.53:5353"),
        ("2001:db8::53", "[2001:db8::53]:53"),
        ("[2001:db8::53]:5353", "[2001:db8::53]:5353"),
    ] {
        assert_eq!(text.parse(), Ok(NameServer::from(address.parse::<std::net::SocketAddr>().unwrap())), "{text}");
    }
    assert!("ns.example.com".parse::<NameServer>().is_err() && "1.2.3.4:x".parse::<NameServer>().is_err());
}
