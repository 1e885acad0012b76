//! Names, hosts and certificates for the tests.

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use penfold_ports::{Attempt, Body, Outcome, Outgoing, Recipient, Relay, Tlsa};
use penfold_relay::{Client, Config, Dial, Fact, Facts, FetchError, Outside, PolicyFetcher, PolicyType, ResultType, Roots, Stream};
use penfold_simulated::{Faults, Simulated, Zone};
use penfold_types::Env;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// What a host heard.
#[derive(Default, Debug, Clone)]
pub struct Heard {
    pub connections: u32,
    pub quits: u32,
    pub commands: Vec<String>,
    /// Names in the SMTP commands of each message, and its content.
    pub messages: Vec<(Vec<String>, String)>,
}

/// A host that behaves, but for what its `answers` say.
#[derive(Clone)]
pub struct Peer {
    pub greeting: String,
    pub extensions: Vec<String>,
    pub tls: Option<Arc<ServerConfig>>,
    /// TLS from the first byte.
    pub implicit: bool,
    /// The first one whose beginning a command has; `""` is the end of a message.
    pub answers: Vec<(String, String)>,
    pub heard: Arc<Mutex<Heard>>,
}

impl Peer {
    pub fn new() -> Self {
        Self {
            greeting: "220 mx ESMTP".into(),
            extensions: vec!["PIPELINING".into()],
            tls: None,
            implicit: false,
            answers: Vec::new(),
            heard: Arc::default(),
        }
    }

    pub fn greets(mut self, greeting: &str) -> Self {
        self.greeting = greeting.into();
        self
    }

    pub fn offers(mut self, extension: &str) -> Self {
        self.extensions.push(extension.into());
        self
    }

    pub fn answers(mut self, command: &str, answer: &str) -> Self {
        self.answers.push((command.into(), answer.into()));
        self
    }

    pub fn tls(mut self, tls: Arc<ServerConfig>) -> Self {
        self.tls = Some(tls);
        self.offers("STARTTLS")
    }

    pub fn messages(&self) -> usize {
        self.heard.lock().messages.len()
    }

    pub fn connections(&self) -> u32 {
        self.heard.lock().connections
    }

    fn answer(&self, command: &str, otherwise: &str) -> String {
        let special = self.answers.iter().find(|(begin, _)| command.starts_with(begin.as_str()) && begin.is_empty() == command.is_empty());
        special.map_or(otherwise, |(_, answer)| answer).to_owned()
    }

    fn ehlo(&self, tls: bool) -> String {
        let mut out = String::from("250-mx");
        for extension in self.extensions.iter().filter(|extension| !tls || *extension != "STARTTLS") {
            out += &format!("\r\n250-{extension}");
        }
        out + "\r\n250 HELP"
    }

    pub async fn serve(self, mut stream: Stream) -> io::Result<()> {
        self.heard.lock().connections += 1;
        if self.implicit {
            stream = Box::new(TlsAcceptor::from(self.tls.clone().unwrap()).accept(stream).await?);
        }
        let mut secure = self.implicit;
        let mut io = BufReader::new(stream);
        io.write_all(format!("{}\r\n", self.greeting).as_bytes()).await?;
        let (mut names, mut line) = (Vec::new(), String::new());
        loop {
            line.clear();
            if io.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let command = line.trim_end().to_owned();
            self.heard.lock().commands.push(command.clone());
            let verb = command.get(..4).unwrap_or_default().to_owned();
            let answer = match verb.as_str() {
                "EHLO" => self.answer(&command, &self.ehlo(secure)),
                "MAIL" | "RCPT" => {
                    let answer = self.answer(&command, "250 2.1.0 ok");
                    if answer.starts_with('2') {
                        names.push(command.clone());
                    }
                    answer
                }
                "DATA" => self.answer(&command, if names.len() > 1 { "354 go on" } else { "554 5.5.1 nobody" }),
                "BDAT" => {
                    let mut words = command.split(' ').skip(1);
                    let mut chunk = vec![0; words.next().unwrap().parse().unwrap()];
                    io.read_exact(&mut chunk).await?;
                    if words.next().is_some() {
                        let content = String::from_utf8_lossy(&chunk).into_owned();
                        self.heard.lock().messages.push((std::mem::take(&mut names), content));
                        self.answer("", "250 2.0.0 taken")
                    } else {
                        "250 ok".to_owned()
                    }
                }
                "STAR" => self.answer(&command, "220 go ahead"),
                "RSET" => {
                    names.clear();
                    self.answer(&command, "250 ok")
                }
                "QUIT" => {
                    self.heard.lock().quits += 1;
                    "221 bye".to_owned()
                }
                _ => self.answer(&command, "235 ok"),
            };
            if answer == "hang up" {
                return Ok(());
            }
            io.write_all(format!("{answer}\r\n").as_bytes()).await?;
            io.flush().await?;
            if verb == "QUIT" || answer.starts_with("421") {
                return Ok(());
            }
            if verb == "STAR" && answer.starts_with("220") {
                let tls = TlsAcceptor::from(self.tls.clone().unwrap());
                io = BufReader::new(Box::new(tls.accept(io.into_inner()).await?));
                secure = true;
            }
            if verb == "DATA" && answer.starts_with("354") {
                let content = read_content(&mut io).await?;
                let answer = self.answer("", "250 2.0.0 taken");
                if answer.starts_with('2') {
                    self.heard.lock().messages.push((std::mem::take(&mut names), content));
                }
                if answer == "hang up" {
                    return Ok(());
                }
                if answer == "silence" {
                    return std::future::pending().await;
                }
                io.write_all(format!("{answer}\r\n").as_bytes()).await?;
                io.flush().await?;
            }
        }
    }
}

async fn read_content(io: &mut BufReader<Stream>) -> io::Result<String> {
    let (mut content, mut line) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        if io.read_until(b'\n', &mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if line == b".\r\n" {
            return Ok(String::from_utf8_lossy(&content).into_owned());
        }
        content.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}

type Serving = Pin<Box<dyn Future<Output = ()> + Send>>;

#[derive(Clone)]
pub enum At {
    Peer(Peer),
    /// It never answers.
    Nowhere,
    Raw(Arc<dyn Fn(Stream, Env) -> Serving + Send + Sync>),
}

impl At {
    pub fn raw<F: Future<Output = ()> + Send + 'static>(serve: impl Fn(Stream, Env) -> F + Send + Sync + 'static) -> Self {
        Self::Raw(Arc::new(move |stream, env| Box::pin(serve(stream, env))))
    }
}

/// Hosts by address; who is not here refuses connections.
#[derive(Default)]
pub struct Net {
    pub hosts: Mutex<BTreeMap<IpAddr, At>>,
    pub dials: Mutex<Vec<(SocketAddr, Option<IpAddr>)>>,
}

struct Dialer(Arc<Net>, Env);

#[async_trait]
impl Dial for Dialer {
    async fn dial(&self, to: SocketAddr, source: Option<IpAddr>) -> io::Result<Stream> {
        self.0.dials.lock().push((to, source));
        let at = self.0.hosts.lock().get(&to.ip()).cloned();
        let (ours, theirs) = tokio::io::duplex(16 * 1024);
        match at {
            None => return Err(io::ErrorKind::ConnectionRefused.into()),
            Some(At::Nowhere) => std::future::pending().await,
            Some(At::Peer(peer)) => drop(tokio::spawn(peer.serve(Box::new(theirs)))),
            Some(At::Raw(serve)) => drop(tokio::spawn(serve(Box::new(theirs), self.1.clone()))),
        }
        Ok(Box::new(ours))
    }
}

#[derive(Default)]
pub struct Reports(pub Mutex<Vec<Fact>>);

impl Facts for Reports {
    fn session(&self, fact: Fact) {
        self.0.lock().push(fact);
    }
}

#[derive(Default)]
pub struct Texts(pub Mutex<BTreeMap<String, String>>);

#[async_trait]
impl PolicyFetcher for Texts {
    async fn fetch(&self, domain: &str) -> Result<String, FetchError> {
        self.0.lock().get(domain).cloned().ok_or(FetchError::Unreachable("no".into()))
    }
}

pub struct World {
    pub env: Env,
    pub zone: Zone,
    pub net: Arc<Net>,
    pub reports: Arc<Reports>,
    pub texts: Arc<Texts>,
    pub authority: Authority,
}

impl World {
    pub fn new() -> Self {
        Self {
            env: Simulated::new(5, Faults::NONE).env(),
            zone: Zone::default(),
            net: Arc::default(),
            reports: Arc::default(),
            texts: Arc::default(),
            authority: Authority::new(),
        }
    }

    pub fn dialer(&self) -> Arc<dyn Dial> {
        Arc::new(Dialer(self.net.clone(), self.env.clone()))
    }

    pub fn client_with(&self, config: Config) -> Client {
        let outside = Outside {
            dns: Arc::new(self.zone.clone()),
            dial: self.dialer(),
            policies: self.texts.clone(),
            facts: self.reports.clone(),
            roots: self.authority.roots(),
        };
        Client::new(config, self.env.clone(), outside)
    }

    pub fn client(&self) -> Client {
        self.client_with(config())
    }

    /// An MX of y.test at its own address.
    pub fn mx(&self, preference: u16, name: &str, address: &str, at: At) -> &Self {
        self.zone.mx("y.test", preference, name);
        self.host(name, address, at)
    }

    pub fn host(&self, name: &str, address: &str, at: At) -> &Self {
        let address = address.parse().unwrap();
        if self.net.hosts.lock().insert(address, at).is_none() {
            self.zone.address(name, address);
        }
        self
    }

    pub fn peer(&self, preference: u16, name: &str, address: &str, peer: Peer) -> Peer {
        self.mx(preference, name, address, At::Peer(peer.clone()));
        peer
    }

    pub fn dials(&self) -> Vec<String> {
        self.net.dials.lock().iter().map(|(to, _)| to.ip().to_string()).collect()
    }

    /// Kind, host and result of each fact.
    pub fn facts(&self) -> Vec<(PolicyType, Option<String>, Result<(), ResultType>)> {
        std::mem::take(&mut *self.reports.0.lock()).into_iter().map(|fact| (fact.policy.kind, fact.host, fact.result)).collect()
    }
}

pub fn config() -> Config {
    Config { hostname: "us.test".into(), ..Config::default() }
}

pub fn mail(to: &[&str]) -> Outgoing {
    Outgoing {
        destination: "y.test".into(),
        from: "a@x.test".into(),
        recipients: to.iter().map(|path| Recipient { path: (*path).into(), notify: None, original: None }).collect(),
        message: vec![Bytes::from_static(b"Subject: hello\r\n\r\nhello\r\n")].into(),
        body: Body::SevenBit,
        utf8: false,
        require_tls: false,
        tls_optional: false,
        ret: None,
        envelope_id: None,
        deliver_by: None,
        pool: None,
    }
}

/// `accepted 250 2.0.0`, `deferred 451 4.4.1`, `deferred? 451 4.4.2` where that is unsure.
pub fn brief(outcome: &Outcome) -> String {
    let (word, said) = match outcome {
        Outcome::Accepted { said, .. } => ("accepted", said),
        Outcome::Deferred { said, unsure: true } => ("deferred?", said),
        Outcome::Deferred { said, .. } => ("deferred", said),
        Outcome::Refused { said } => ("refused", said),
    };
    let (class, subject, detail) = said.status;
    format!("{word} {} {class}.{subject}.{detail}", said.code)
}

pub fn briefs(attempt: &Attempt) -> Vec<String> {
    attempt.outcomes.iter().map(brief).collect()
}

/// One recipient of y.test.
pub async fn one(client: &Client) -> String {
    brief(&client.attempt(&mail(&["b@y.test"])).await.outcomes[0])
}

pub struct Authority(pub CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub fn roots(&self) -> Roots {
        let mut store = RootCertStore::empty();
        store.add(self.0.as_ref().der().clone()).unwrap();
        Roots::of(store)
    }

    pub fn certificate(&self, name: &str) -> Certificate {
        self.dated(name, 4000)
    }

    /// Not valid after the end of `year`.
    pub fn dated(&self, name: &str, year: i32) -> Certificate {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(year, 12, 31);
        let leaf = params.signed_by(&key, &self.0).unwrap();
        let spki = rcgen::PublicKeyData::subject_public_key_info(&key);
        Certificate { chain: vec![leaf.der().clone(), self.0.as_ref().der().clone()], key: key.serialize_der(), spki }
    }
}

pub struct Certificate {
    pub chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
    pub spki: Vec<u8>,
}

impl Certificate {
    pub fn server(&self) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.clone()));
        Arc::new(ServerConfig::builder().with_no_client_auth().with_single_cert(self.chain.clone(), key).unwrap())
    }
}

/// With `data` hashed as `matching` says.
pub fn tlsa(usage: u8, selector: u8, matching: u8, data: &[u8]) -> Tlsa {
    use aws_lc_rs::digest::{SHA256, SHA512, digest};
    let data = match matching {
        1 => Bytes::copy_from_slice(digest(&SHA256, data).as_ref()),
        2 => Bytes::copy_from_slice(digest(&SHA512, data).as_ref()),
        _ => Bytes::copy_from_slice(data),
    };
    Tlsa { usage, selector, matching, data }
}
