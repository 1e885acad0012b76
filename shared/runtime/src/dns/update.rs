//! Changes of zones: DNS UPDATE (RFC 2136), signed by TSIG (RFC 8945), over TCP. The answer must be signed too.

use super::name_server::NameServer;
use super::records;
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hickory_resolver::proto::op::{Message, MessageType, OpCode, Query, ResponseCode, UpdateMessage};
use hickory_resolver::proto::rr::rdata::tsig::TsigAlgorithm;
use hickory_resolver::proto::rr::rdata::{CNAME, MX, SRV, TXT};
use hickory_resolver::proto::rr::{DNSClass, Name, RData, Record, RecordType, TSigner};
use penfold_ports::{Change, RecordData, RecordKind, ZoneError, Zones};
use penfold_types::Env;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One exchange.
const TIME: Duration = Duration::from_secs(15);
/// How far clocks may be apart (RFC 8945 §10).
const FUDGE: u16 = 300;
const CHANGES: usize = 100;
/// Octets of a key; SHA-256 takes 32.
const KEY: usize = 512;
/// Octets of one string of a TXT record.
const STRING: usize = 255;

/// What is wrong with the setting; one sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UpdateError(String);

/// `KEY-NAME:FILE@ADDRESS[:PORT]`: a name server that takes updates, and the key that signs them. The file holds the key in
/// base64, or is one that `tsig-keygen` or `keymgr` wrote.
#[derive(Clone, PartialEq, Eq, Debug, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct DnsUpdate {
    pub key: String,
    pub file: PathBuf,
    pub server: SocketAddr,
}

impl FromStr for DnsUpdate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text} names no name server for updates; write for example penfold:/etc/penfold/tsig.key@192.0.2.53");
        let (key, server) = text.rsplit_once('@').ok_or_else(wrong)?;
        let (key, file) = key.split_once(':').filter(|(key, file)| !key.is_empty() && !file.is_empty()).ok_or_else(wrong)?;
        let server: NameServer = server.parse().map_err(|_| wrong())?;
        Ok(Self { key: key.to_owned(), file: file.into(), server: server.address() })
    }
}

impl TryFrom<String> for DnsUpdate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// The primary name server of our zones.
pub struct Updater {
    env: Env,
    server: SocketAddr,
    signer: TSigner,
}

impl Updater {
    pub fn new(setting: &DnsUpdate, env: Env) -> Result<Self, UpdateError> {
        let name = records::name(&setting.key).ok_or_else(|| UpdateError(format!("{} is no name of a key", setting.key)))?;
        let signer = TSigner::new(read_key(&setting.file)?, TsigAlgorithm::HmacSha256, name, FUDGE);
        let signer = signer.map_err(|error| UpdateError(format!("the key in {} cannot be used: {error}", setting.file.display())))?;
        Ok(Self { env, server: setting.server, signer })
    }

    fn id(&self) -> u16 {
        u16::try_from(self.env.below(1 << 16)).unwrap_or_default()
    }

    async fn exchange(&self, request: &[u8]) -> Result<Vec<u8>, ZoneError> {
        let unreachable = |error: std::io::Error| ZoneError::Unreachable(format!("{}: {error}", self.server));
        let exchange = async {
            let mut stream = TcpStream::connect(self.server).await?;
            let length = u16::try_from(request.len()).map_err(std::io::Error::other)?;
            stream.write_all(&[&length.to_be_bytes()[..], request].concat()).await?;
            let mut answer = vec![0; usize::from(stream.read_u16().await?)];
            stream.read_exact(&mut answer).await?;
            Ok(answer)
        };
        tokio::select! {
            biased;
            answer = exchange => answer.map_err(unreachable),
            () = self.env.sleep(TIME) => Err(ZoneError::Unreachable(format!("{} does not answer", self.server))),
        }
    }

    /// Signed, and answered by whoever knows the key.
    async fn signed(&self, mut message: Message) -> Result<Message, ZoneError> {
        let broken = |error: &dyn std::fmt::Display| ZoneError::Refused(format!("the update cannot be made: {error}"));
        let now = u64::try_from(self.env.now().seconds()).unwrap_or_default();
        let (id, verifier) = (message.id, message.finalize(&self.signer, now).map_err(|error| broken(&error))?);
        let answer = self.exchange(&message.to_vec().map_err(|error| broken(&error))?).await?;
        let plain = Message::from_vec(&answer).map_err(|error| ZoneError::Unreachable(format!("the answer cannot be read: {error}")))?;
        if plain.id != id || plain.message_type != MessageType::Response {
            return Err(ZoneError::Unreachable("the answer belongs to another question".to_owned()));
        }
        // A server that does not know the key cannot sign that it does not.
        if plain.response_code == ResponseCode::NotAuth {
            return Err(ZoneError::Refused(format!("it does not take the key {} for this zone", self.signer.signer_name())));
        }
        let Some(mut verifier) = verifier else { return Ok(plain) };
        let verified = verifier.verify(&answer);
        verified.map_err(|error| ZoneError::Unreachable(format!("the answer is not signed as it must be: {error}")))?;
        Ok(plain)
    }
}

/// The key in base64, alone or as the `secret` of a configuration.
fn read_key(file: &Path) -> Result<Vec<u8>, UpdateError> {
    let wrong = |error: &dyn std::fmt::Display| UpdateError(format!("cannot read a key from {}: {error}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| wrong(&error))?;
    let after = text.split_once("secret").map_or(text.as_str(), |(_, rest)| rest.trim_start_matches([':', ' ', '\t']));
    let word = after.split_whitespace().next().unwrap_or_default().trim_matches(['"', ';']);
    let key = STANDARD.decode(word).map_err(|error| wrong(&error))?;
    if key.is_empty() || key.len() > KEY { Err(wrong(&"it holds none")) } else { Ok(key) }
}

fn named(text: &str) -> Result<Name, ZoneError> {
    records::name(text).ok_or_else(|| ZoneError::Refused(format!("{text} is no name")))
}

fn data(data: &RecordData) -> Result<RData, ZoneError> {
    Ok(match data {
        RecordData::Txt(text) => RData::TXT(TXT::from_bytes(text.as_bytes().chunks(STRING).collect())),
        RecordData::Mx(mx) => {
            let exchange = if mx.exchange.is_empty() { Name::root() } else { named(&mx.exchange)? };
            RData::MX(MX::new(mx.preference, exchange))
        }
        RecordData::Srv(srv) => {
            let target = if srv.target.is_empty() { Name::root() } else { named(&srv.target)? };
            RData::SRV(SRV::new(srv.priority, srv.weight, srv.port, target))
        }
        RecordData::Alias(host) => RData::CNAME(CNAME(named(host)?)),
    })
}

fn types(kind: RecordKind) -> RecordType {
    match kind {
        RecordKind::Txt => RecordType::TXT,
        RecordKind::Mx => RecordType::MX,
        RecordKind::Srv => RecordType::SRV,
        RecordKind::Alias => RecordType::CNAME,
        RecordKind::V4 => RecordType::A,
        RecordKind::V6 => RecordType::AAAA,
    }
}

/// RFC 2136 §2.5.
fn record(change: &Change) -> Result<Record, ZoneError> {
    Ok(match change {
        Change::Add { name, ttl, data: what } => Record::from_rdata(named(name)?, *ttl, data(what)?),
        Change::Remove { name, data: what } => {
            let mut record = Record::from_rdata(named(name)?, 0, data(what)?);
            record.dns_class = DNSClass::NONE;
            record
        }
        Change::RemoveAll { name, kind } => {
            let mut record = Record::update0(named(name)?, 0, types(*kind));
            record.dns_class = DNSClass::ANY;
            record
        }
    })
}

#[async_trait]
impl Zones for Updater {
    /// By the SOA that the server answers with, or puts beside its answer.
    async fn zone_of(&self, name: &str) -> Result<Option<String>, ZoneError> {
        let name = named(name)?;
        let mut question = Message::new(self.id(), MessageType::Query, OpCode::Query);
        question.add_query(Query::query(name.clone(), RecordType::SOA));
        let request = question.to_vec().map_err(|error| ZoneError::Refused(error.to_string()))?;
        let answer = self.exchange(&request).await?;
        let answer = Message::from_vec(&answer).map_err(|error| ZoneError::Unreachable(format!("the answer cannot be read: {error}")))?;
        if answer.id != question.id || !answer.authoritative {
            return Ok(None);
        }
        let soa = |record: &&Record| record.record_type() == RecordType::SOA && record.name.zone_of(&name);
        let found = answer.answers.iter().chain(&answer.authorities).find(soa);
        Ok(found.map(|record| record.name.to_lowercase().to_ascii().trim_end_matches('.').to_owned()))
    }

    async fn change(&self, zone: &str, changes: &[Change]) -> Result<(), ZoneError> {
        if changes.is_empty() {
            return Ok(());
        }
        if changes.len() > CHANGES {
            return Err(ZoneError::Refused("there are too many changes at once".to_owned()));
        }
        let mut message = Message::new(self.id(), MessageType::Query, OpCode::Update);
        let zone = if zone.is_empty() { Name::root() } else { named(zone)? };
        let mut section = Query::query(zone, RecordType::SOA);
        section.set_query_class(DNSClass::IN);
        message.add_zone(section);
        for change in changes {
            message.add_update(record(change)?);
        }
        let answer = self.signed(message).await?;
        match answer.response_code {
            ResponseCode::NoError => Ok(()),
            ResponseCode::ServFail => Err(ZoneError::Unreachable("it fails; look at its log".to_owned())),
            code => Err(ZoneError::Refused(code.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_the_setting_is_written() {
        let read = |text: &str| text.parse::<DnsUpdate>().map(|one| (one.key, one.file, one.server.to_string()));
        let wanted = |server: &str| Ok(("penfold.key".to_owned(), PathBuf::from("/a:b/c@d.key"), server.to_owned()));
        assert_eq!(read("penfold.key:/a:b/c@d.key@192.0.2.53"), wanted("192.0.2.53:53"));
        assert_eq!(read("penfold.key:/a:b/c@d.key@[2001:db8::53]:5353"), wanted("[2001:db8::53]:5353"));
        for wrong in ["", "penfold@192.0.2.53", ":/file@192.0.2.53", "penfold:@192.0.2.53", "penfold:/file", "penfold:/file@ns.test"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn keys_as_tools_write_them() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key");
        let read = |text: &str| {
            std::fs::write(&file, text).unwrap();
            read_key(&file).ok()
        };
        let key = Some(b"a key".to_vec());
        assert_eq!(read("YSBrZXk=\n"), key);
        assert_eq!(read("key \"penfold\" {\n\talgorithm hmac-sha256;\n\tsecret \"YSBrZXk=\";\n};\n"), key);
        assert_eq!(read("# hmac-sha256:penfold:YSBrZXk=\nkey:\n  - id: penfold\n    algorithm: hmac-sha256\n    secret: YSBrZXk=\n"), key);
        for wrong in ["", "no key", "secret \"\";"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
