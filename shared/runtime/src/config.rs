//! Settings come from flags, then the environment, then a TOML file, then defaults. Each has one name everywhere:
//! `--max-message-size`, `PENFOLD_MAX_MESSAGE_SIZE`, `max-message-size`.

use crate::{DnsUpdate, Fairness, Front, LogFormat, NameServer, Network, PublicPorts, Source};
use penfold_types::Address;
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// What may be set. Everything is optional; what is set by a flag hides what a file says.
#[derive(Clone, Default, clap::Args, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Settings as TOML
    #[arg(long, env = "PENFOLD_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// Tenants and people to create where they are absent (TOML)
    #[arg(long, env = "PENFOLD_SEED", value_name = "FILE")]
    pub seed: Option<PathBuf>,
    /// Name of this host in greetings and Received fields [default: localhost]
    #[arg(long, env = "PENFOLD_HOST_NAME", value_name = "NAME")]
    pub host_name: Option<String>,
    /// MX [default: 127.0.0.1:2525]
    #[arg(long, env = "PENFOLD_SMTP", value_name = "ADDRESS:PORT")]
    pub smtp: Option<SocketAddr>,
    /// Submission with STARTTLS [default: 127.0.0.1:2587]
    #[arg(long, env = "PENFOLD_SUBMISSION", value_name = "ADDRESS:PORT")]
    pub submission: Option<SocketAddr>,
    /// Submission over TLS [default: 127.0.0.1:2465]
    #[arg(long, env = "PENFOLD_SUBMISSIONS", value_name = "ADDRESS:PORT")]
    pub submissions: Option<SocketAddr>,
    /// IMAP with STARTTLS [default: 127.0.0.1:2143]
    #[arg(long, env = "PENFOLD_IMAP", value_name = "ADDRESS:PORT")]
    pub imap: Option<SocketAddr>,
    /// IMAP over TLS [default: 127.0.0.1:2993]
    #[arg(long, env = "PENFOLD_IMAPS", value_name = "ADDRESS:PORT")]
    pub imaps: Option<SocketAddr>,
    /// HTTP: health and metrics [default: 127.0.0.1:2080]
    #[arg(long, env = "PENFOLD_HTTP", value_name = "ADDRESS:PORT")]
    pub http: Option<SocketAddr>,
    /// The same over TLS [default: 127.0.0.1:2443]
    #[arg(long, env = "PENFOLD_HTTPS", value_name = "ADDRESS:PORT")]
    pub https: Option<SocketAddr>,
    /// Ports on which clients come in from outside, for records and their set-up; `none` is not served [default: the standard ones]
    #[arg(long, env = "PENFOLD_PUBLIC_PORTS", value_name = "NAME=PORT,...")]
    pub public_ports: Option<PublicPorts>,
    /// SPF mechanisms that match the hosts that send, such as include:_spf.example.com [default: mx]
    #[arg(long, env = "PENFOLD_SPF", value_name = "MECHANISMS")]
    pub spf: Option<String>,
    /// What other hosts are told to do where TLS to ours does not verify (MTA-STS) [default: testing]
    #[arg(long, env = "PENFOLD_MTA_STS", value_name = "testing|enforce")]
    pub mta_sts: Option<StsMode>,
    /// Certificate chain (PEM); without it one is made and signed by itself
    #[arg(long, env = "PENFOLD_TLS_CERTIFICATE", value_name = "FILE")]
    pub tls_certificate: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, env = "PENFOLD_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Get certificates by ACME: letsencrypt, letsencrypt-staging, or the URL of an authority's directory
    #[arg(long, env = "PENFOLD_ACME", value_name = "AUTHORITY")]
    pub acme: Option<String>,
    /// Mail address that the authority may write to; whoever gives one agrees to the authority's terms
    #[arg(long, env = "PENFOLD_ACME_CONTACT", value_name = "ADDRESS", value_delimiter = ',')]
    pub acme_contact: Option<Vec<String>>,
    /// How it is proved that a name is ours: http, dns, tls-alpn, the preferred first [default: tls-alpn,http, after dns where there is --dns-update]
    #[arg(long, env = "PENFOLD_ACME_CHALLENGE", value_name = "CHALLENGE", value_delimiter = ',')]
    pub acme_challenge: Option<Vec<String>>,
    /// Certificates (PEM) that the authority's own server is trusted by [default: the system's]
    #[arg(long, env = "PENFOLD_ACME_ROOT", value_name = "FILE")]
    pub acme_root: Option<PathBuf>,
    /// Primary name server that takes updates (RFC 2136), and the TSIG key that signs them (hmac-sha256)
    #[arg(long, env = "PENFOLD_DNS_UPDATE", value_name = "KEY-NAME:FILE@SERVER")]
    pub dns_update: Option<DnsUpdate>,
    /// Networks whose load balancers put a PROXY protocol header (version 2) before each SMTP and IMAP connection
    #[arg(long, env = "PENFOLD_PROXY_FROM", value_name = "NETWORK", value_delimiter = ',')]
    pub proxy_from: Option<Vec<Network>>,
    /// The certificate chain and the key as PEM text; meant for the environment, where a container gets its secrets
    #[arg(long, env = "PENFOLD_TLS_CERTIFICATE_PEM", value_name = "PEM", hide_env_values = true, requires = "tls_key_pem")]
    #[serde(skip)]
    pub tls_certificate_pem: Option<String>,
    #[arg(long, env = "PENFOLD_TLS_KEY_PEM", value_name = "PEM", hide_env_values = true, requires = "tls_certificate_pem")]
    #[serde(skip)]
    pub tls_key_pem: Option<String>,
    /// Name servers, IP[:PORT] [default: the system's]
    #[arg(long, env = "PENFOLD_NAME_SERVERS", value_name = "SERVER", value_delimiter = ',')]
    pub name_servers: Option<Vec<NameServer>>,
    /// DNSKEY records of a root zone to believe in, in place of the public one
    #[arg(long, env = "PENFOLD_TRUST_ANCHOR", value_name = "FILE", hide = true)]
    pub trust_anchor: Option<PathBuf>,
    /// Whose mailbox gets mail to the postmaster of this host [default: nobody's, it is refused]
    #[arg(long, env = "PENFOLD_POSTMASTER", value_name = "ADDRESS")]
    pub postmaster: Option<Address>,
    /// Networks whose mail is taken without SPF, DKIM and DMARC [default: 127.0.0.0/8,::1]
    #[arg(long, env = "PENFOLD_TRUSTED", value_name = "NETWORK", value_delimiter = ',')]
    pub trusted: Option<Vec<Network>>,
    /// Networks that calendars may be fetched from though they are not public [default: none]
    #[arg(long, env = "PENFOLD_SUBSCRIPTIONS_ALLOW", value_name = "NETWORK", value_delimiter = ',')]
    pub subscriptions_allow: Option<Vec<Network>>,
    /// The host that takes all mail to other domains, such as smtps://USER:PASSWORD@HOST:PORT [default: their own hosts]
    #[arg(long, env = "PENFOLD_SMART_HOST", value_name = "URL", hide_env_values = true)]
    pub smart_host: Option<String>,
    /// Addresses of this host to send mail from; those with a pool's name for tenants of that pool [default: the system's choice]
    #[arg(long, env = "PENFOLD_SEND_FROM", value_name = "[POOL=]ADDRESS", value_delimiter = ',')]
    pub send_from: Option<Vec<Source>>,
    /// Bytes of one message [default: 52428800]
    #[arg(long, env = "PENFOLD_MAX_MESSAGE_SIZE", value_name = "BYTES")]
    pub max_message_size: Option<usize>,
    /// Recipients of one message that a person hands in, at most 1000 [default: 500]
    #[arg(long, env = "PENFOLD_RECIPIENTS_PER_MESSAGE", value_name = "NUMBER")]
    pub recipients_per_message: Option<usize>,
    /// Recipients a day that one person may send to; 0: no limit [default: 10000]
    #[arg(long, env = "PENFOLD_RECIPIENTS_PER_DAY", value_name = "NUMBER")]
    pub recipients_per_day: Option<u64>,
    /// Messages a minute that one person may send; 0: no limit [default: 30]
    #[arg(long, env = "PENFOLD_MESSAGES_PER_MINUTE", value_name = "NUMBER")]
    pub messages_per_minute: Option<u64>,
    /// Connections to submission on which one person has signed in; 0: no limit [default: 20]
    #[arg(long, env = "PENFOLD_SUBMISSIONS_PER_PERSON", value_name = "NUMBER")]
    pub submissions_per_person: Option<u32>,
    /// Messages a minute that other hosts may bring for one tenant; 0: no limit [default: 30000]
    #[arg(long, env = "PENFOLD_MAIL_IN_PER_MINUTE", value_name = "NUMBER")]
    pub mail_in_per_minute: Option<u32>,
    /// Transactions of other hosts that are open at a time with recipients of one tenant; 0: no limit [default: 2500]
    #[arg(long, env = "PENFOLD_MAIL_IN_PER_TENANT", value_name = "NUMBER")]
    pub mail_in_per_tenant: Option<u32>,
    /// IMAP connections of one person; 0: no limit [default: 40]
    #[arg(long, env = "PENFOLD_IMAP_PER_PERSON", value_name = "NUMBER")]
    pub imap_per_person: Option<u32>,
    /// IMAP connections of all people of one tenant; 0: no limit [default: 10000]
    #[arg(long, env = "PENFOLD_IMAP_PER_TENANT", value_name = "NUMBER")]
    pub imap_per_tenant: Option<u32>,
    /// IMAP connections from one network (an address, or a /64) on which nobody has signed in yet; 0: no limit [default: 100]
    #[arg(long, env = "PENFOLD_IMAP_STRANGERS_PER_NETWORK", value_name = "NUMBER")]
    pub imap_strangers_per_network: Option<u32>,
    /// IMAP commands of one person a minute; more are carried out later; 0: no limit [default: 12000]
    #[arg(long, env = "PENFOLD_IMAP_COMMANDS_PER_MINUTE", value_name = "NUMBER")]
    pub imap_commands_per_minute: Option<u32>,
    /// IMAP commands that are carried out at a time, tenants in turn, and of messages four times as many taken in; 0: no limit
    /// [default: 4 for each processor, at least 8; 64 in an edge beside the cloud's store]
    #[arg(long, env = "PENFOLD_TURNS", value_name = "NUMBER")]
    pub turns: Option<usize>,
    /// Whether other domains that ask for it get reports about their mail and about TLS to their hosts [default: true]
    #[arg(long, env = "PENFOLD_SEND_REPORTS", value_name = "BOOL")]
    pub send_reports: Option<bool>,
    /// In whose name; an address in a tenant's domain [default: postmaster@ the domain of a tenant that host-name is in]
    #[arg(long, env = "PENFOLD_REPORT_FROM", value_name = "ADDRESS")]
    pub report_from: Option<String>,
    /// Memory for lists and contents, in MiB [default: 128]
    #[arg(long, env = "PENFOLD_CACHE", value_name = "MIB")]
    pub cache: Option<u64>,
    /// Days that changes and deleted messages are kept [default: 30]
    #[arg(long, env = "PENFOLD_RETENTION_DAYS", value_name = "DAYS")]
    pub retention_days: Option<u32>,
    /// text or json [default: text]
    #[arg(long, env = "PENFOLD_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    /// What is logged, such as info or penfold_smtp=debug [default: info]
    #[arg(long, env = "PENFOLD_LOG", value_name = "FILTER")]
    pub log: Option<String>,
}

/// A setting that cannot be used; one sentence that says what to change.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

macro_rules! prefer {
    ($first:ident, $second:ident, $($field:ident),*) => {
        Settings { config: $first.config, $($field: $first.$field.or($second.$field)),* }
    };
}

impl Settings {
    fn or(self, file: Self) -> Self {
        prefer!(
            self,
            file,
            seed,
            host_name,
            smtp,
            submission,
            submissions,
            imap,
            imaps,
            http,
            https,
            public_ports,
            spf,
            mta_sts,
            tls_certificate,
            tls_key,
            tls_certificate_pem,
            tls_key_pem,
            acme,
            acme_contact,
            acme_challenge,
            acme_root,
            dns_update,
            proxy_from,
            name_servers,
            trust_anchor,
            postmaster,
            trusted,
            subscriptions_allow,
            smart_host,
            send_from,
            max_message_size,
            recipients_per_message,
            recipients_per_day,
            messages_per_minute,
            submissions_per_person,
            mail_in_per_minute,
            mail_in_per_tenant,
            imap_per_person,
            imap_per_tenant,
            imap_strangers_per_network,
            imap_commands_per_minute,
            turns,
            send_reports,
            report_from,
            cache,
            retention_days,
            log_format,
            log
        )
    }

    fn read(path: &Path) -> Result<Self, ConfigError> {
        let text =
            std::fs::read_to_string(path).map_err(|e| ConfigError(format!("cannot read the settings in {}: {e}", path.display())))?;
        toml::from_str(&text).map_err(|e| ConfigError(format!("{}: {}", path.display(), e.to_string().trim().replace('\n', " "))))
    }

    /// Adds what the file says, then the defaults.
    pub fn resolve(self) -> Result<Config, ConfigError> {
        let file = self.config.as_deref().map(Self::read).transpose()?.unwrap_or_default();
        let settings = self.or(file);
        let fairness = Fairness::of(&settings);
        if settings.tls_certificate.is_some() != settings.tls_key.is_some() {
            return Err(ConfigError("give both tls-certificate and tls-key, or neither".to_owned()));
        }
        let at = |own: Option<SocketAddr>, port| own.unwrap_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
        let host_name = settings.host_name.unwrap_or_else(|| "localhost".to_owned());
        if host_name.parse::<penfold_types::Domain>().is_err() {
            return Err(ConfigError(format!("host-name {host_name:?} is not a host name")));
        }
        let max_message_size = settings.max_message_size.unwrap_or(50 << 20);
        if !(65_536..=150 << 20).contains(&max_message_size) {
            return Err(ConfigError("max-message-size must lie between 65536 and 157286400".to_owned()));
        }
        let spf = settings.spf.unwrap_or_else(|| "mx".to_owned());
        if !is_spf(&spf) {
            return Err(ConfigError("spf names mechanisms and nothing else, such as \"mx\" or \"include:_spf.example.com\"".to_owned()));
        }
        let is_https = |name: &str| directory(name).strip_prefix("https://").is_some_and(|rest| !rest.is_empty());
        if let Some(name) = settings.acme.as_deref().filter(|name| !is_https(name)) {
            return Err(ConfigError(format!("acme {name:?} is no authority; write letsencrypt, or a URL that begins with https://")));
        }
        let recipients_per_message = settings.recipients_per_message.unwrap_or(500);
        if !(1..=1000).contains(&recipients_per_message) {
            return Err(ConfigError("recipients-per-message must lie between 1 and 1000".to_owned()));
        }
        let report_from = settings.report_from.map(|text| text.parse::<penfold_types::Address>()).transpose();
        let report_from = report_from.map_err(|error| ConfigError(format!("report-from: {error}")))?;
        Ok(Config {
            seed: settings.seed,
            host_name,
            public_ports: settings.public_ports.unwrap_or_default(),
            enforce_tls: settings.mta_sts == Some(StsMode::Enforce),
            spf,
            smtp: at(settings.smtp, 2525),
            submission: at(settings.submission, 2587),
            submissions: at(settings.submissions, 2465),
            imap: at(settings.imap, 2143),
            imaps: at(settings.imaps, 2993),
            http: at(settings.http, 2080),
            https: at(settings.https, 2443),
            tls: settings.tls_certificate.zip(settings.tls_key),
            tls_pem: settings.tls_certificate_pem.zip(settings.tls_key_pem),
            acme: settings.acme.map(|name| Acme {
                directory: directory(&name),
                contacts: settings.acme_contact.unwrap_or_default(),
                challenges: settings.acme_challenge.unwrap_or_default(),
                root: settings.acme_root,
            }),
            dns_update: settings.dns_update,
            front: Front::new(&settings.proxy_from.unwrap_or_default()),
            name_servers: settings.name_servers.unwrap_or_default(),
            trust_anchor: settings.trust_anchor,
            postmaster: settings.postmaster,
            trusted: settings.trusted.unwrap_or_else(|| vec![Network::LOOPBACK_V4, Network::LOOPBACK_V6]),
            subscriptions_allow: settings.subscriptions_allow.unwrap_or_default(),
            smart_host: settings.smart_host,
            send_from: settings.send_from.unwrap_or_default(),
            max_message_size,
            recipients_per_message,
            recipients_per_day: settings.recipients_per_day.unwrap_or(10_000),
            messages_per_minute: settings.messages_per_minute.unwrap_or(30),
            fairness,
            send_reports: settings.send_reports.unwrap_or(true),
            report_from,
            cache_bytes: settings.cache.unwrap_or(128) << 20,
            retention_days: settings.retention_days.unwrap_or(30),
            log_format: settings.log_format.unwrap_or(LogFormat::Text),
            log: settings.log.unwrap_or_else(|| "info".to_owned()),
        })
    }
}

/// The URL of a well-known authority, or what is one already.
fn directory(name: &str) -> String {
    match name {
        "letsencrypt" => "https://acme-v02.api.letsencrypt.org/directory".to_owned(),
        "letsencrypt-staging" => "https://acme-staging-v02.api.letsencrypt.org/directory".to_owned(),
        url => url.to_owned(),
    }
}

/// RFC 8461 §3.2.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StsMode {
    Testing,
    Enforce,
}

/// RFC 7208 §4.6.1: mechanisms; the version and the end are put around them.
fn is_spf(text: &str) -> bool {
    let word = |word: &str| {
        let plain = word.trim_start_matches(['+', '-', '~', '?']).to_ascii_lowercase();
        plain != "all" && !plain.contains('=') && plain.bytes().all(|byte| byte.is_ascii_graphic())
    };
    text.split_whitespace().next().is_some() && text.split_whitespace().all(word)
}

/// Where certificates come from.
#[derive(Clone)]
pub struct Acme {
    /// The URL of its directory (RFC 8555 §7.1.1).
    pub directory: String,
    pub contacts: Vec<String>,
    /// As they were written.
    pub challenges: Vec<String>,
    pub root: Option<PathBuf>,
}

/// Settings, complete and checked.
#[derive(Clone)]
pub struct Config {
    pub seed: Option<PathBuf>,
    pub host_name: String,
    /// How clients reach it from outside.
    pub public_ports: PublicPorts,
    /// Mechanisms of SPF.
    pub spf: String,
    /// The mode of MTA-STS is `enforce`.
    pub enforce_tls: bool,
    pub smtp: SocketAddr,
    pub submission: SocketAddr,
    pub submissions: SocketAddr,
    pub imap: SocketAddr,
    pub imaps: SocketAddr,
    pub http: SocketAddr,
    pub https: SocketAddr,
    /// Certificate chain and key, as files.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// The same as text, which comes first.
    pub tls_pem: Option<(String, String)>,
    pub acme: Option<Acme>,
    pub dns_update: Option<DnsUpdate>,
    /// Load balancers in front of SMTP and IMAP.
    pub front: Front,
    /// None are the system's.
    pub name_servers: Vec<NameServer>,
    /// In place of the keys of the public root.
    pub trust_anchor: Option<PathBuf>,
    /// Whose mailbox gets mail to the postmaster of the host itself.
    pub postmaster: Option<Address>,
    /// Hosts whose mail is not authenticated.
    pub trusted: Vec<Network>,
    /// Networks that calendars are fetched from though they are not public.
    pub subscriptions_allow: Vec<Network>,
    /// Its URL.
    pub smart_host: Option<String>,
    pub send_from: Vec<Source>,
    pub max_message_size: usize,
    pub recipients_per_message: usize,
    /// Of one person; 0 is no limit.
    pub recipients_per_day: u64,
    pub messages_per_minute: u64,
    pub fairness: Fairness,
    /// To other domains (RFC 9990, RFC 8460).
    pub send_reports: bool,
    pub report_from: Option<penfold_types::Address>,
    pub cache_bytes: u64,
    pub retention_days: u32,
    pub log_format: LogFormat,
    pub log: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_hide_the_file_and_the_file_hides_defaults() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("penfold.toml");
        std::fs::write(&path, "host-name = \"mx.example.com\"\nsmtp = \"127.0.0.1:26\"\nimap = \"127.0.0.1:144\"\n").unwrap();
        let flags = Settings { config: Some(path), smtp: "127.0.0.1:25".parse().ok(), ..Settings::default() };
        let config = flags.resolve().unwrap();
        assert_eq!((config.smtp.port(), config.imap.port(), config.imaps.port()), (25, 144, 2993));
        assert_eq!(config.host_name, "mx.example.com");
    }

    #[test]
    fn what_cannot_be_used_says_what_to_change() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("penfold.toml");
        std::fs::write(&path, "smpt = \"127.0.0.1:25\"\n").unwrap();
        let error = Settings { config: Some(path), ..Settings::default() }.resolve().err().unwrap();
        assert!(error.to_string().contains("smpt"), "{error}");
        for wrong in ["", "v=spf1 mx", "mx -all", "mx \u{e9}"] {
            let error = Settings { spf: Some(wrong.into()), ..Settings::default() }.resolve().err().unwrap();
            assert!(error.to_string().contains("mechanisms"), "{error}");
        }
        let error = Settings { tls_key: Some("k".into()), ..Settings::default() }.resolve().err().unwrap();
        assert!(error.to_string().contains("tls-certificate"), "{error}");
    }
}
