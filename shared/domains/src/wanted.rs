//! The records that a domain should have: of what is served, and nothing else. A service that is not there gets no record
//! either; RFC 6186 §3 lets a domain say so (with the target `.`), and does not ask for it.

use crate::keys::{Domains, PublicKey};
use crate::ownership;
use crate::records::{Aim, Data, Need, Record};
use crate::sts::{mta_sts_policy, policy_id};
use penfold_directory::{DMARC_REPORTS, KeyState, Service, TLS_REPORTS};
use penfold_types::{Domain, Result, TenantId};

const PREFERENCE: u16 = 10;
/// Where a policy and the set-up of clients are fetched: an alias cannot name another port.
const HTTPS: u16 = 443;

/// Where functions/dav has its root.
const DAV_PATH: &str = "path=/dav/";

/// Where a key is published (RFC 6376 §3.6.2.1).
pub(crate) fn key_name(domain: &Domain, selector: &str) -> String {
    format!("{selector}._domainkey.{domain}")
}

impl Domains {
    /// The records that a domain should have, in the order in which they matter; its first keys are made here.
    pub async fn records(&self, tenant: TenantId, domain: &Domain) -> Result<Vec<Record>> {
        let claim = self.claim(tenant, domain).await?;
        let keys = self.public_keys(tenant, domain).await?;
        let (service, _) = self.service().await?;
        let proof = ownership::record(domain, &claim);
        Ok(proof.into_iter().chain(wanted(domain, &service, &keys)).collect())
    }
}

/// Of a domain with these keys, beside a service that is reached like this.
pub fn wanted(domain: &Domain, service: &Service, keys: &[PublicKey]) -> Vec<Record> {
    let mut list = List { domain, records: Vec::new() };
    list.mail(service);
    for state in [KeyState::Active, KeyState::Next, KeyState::Retired] {
        keys.iter().filter(|key| key.state == state).for_each(|key| list.key(key));
    }
    list.policies(service);
    list.clients(service);
    list.records
}

struct List<'a> {
    domain: &'a Domain,
    records: Vec<Record>,
}

impl List<'_> {
    /// `label`: empty for the domain itself.
    fn add(&mut self, label: &str, data: Data, aim: Aim, need: Need, purpose: &str) {
        let name = if label.is_empty() { self.domain.to_string() } else { format!("{label}.{}", self.domain) };
        self.records.push(Record { name, data, aim, need, purpose: purpose.to_owned() });
    }

    fn mail(&mut self, service: &Service) {
        let mx = Data::Mx { preference: PREFERENCE, host: service.host.clone() };
        self.add("", mx, Aim::Mx, Need::Required, "brings mail for the domain here");
        let spf = Data::Txt(format!("v=spf1 {} -all", service.spf));
        self.add("", spf, Aim::Spf, Need::Required, "says which hosts send mail for the domain (RFC 7208)");
    }

    fn key(&mut self, key: &PublicKey) {
        let (need, purpose) = match key.state {
            KeyState::Active => (Need::Required, "lets others verify what the domain signs (RFC 6376)"),
            KeyState::Next => (Need::Recommended, "is the next key; it begins to sign once it is seen here"),
            KeyState::Retired => (Need::Recommended, "verifies mail that is still on its way; leave it until it is no longer listed here"),
        };
        self.add(&format!("{}._domainkey", key.selector), Data::Txt(key.record.clone()), Aim::Dkim, need, purpose);
    }

    fn policies(&mut self, service: &Service) {
        let dmarc = Data::Txt(format!("v=DMARC1; p=quarantine; rua=mailto:{DMARC_REPORTS}@{}", self.domain));
        let purpose = "asks others to set aside mail that only pretends to come from the domain, and to report it (RFC 9989)";
        self.add("_dmarc", dmarc, Aim::Dmarc, Need::Recommended, purpose);
        if service.https == Some(HTTPS) {
            let id = policy_id(&mta_sts_policy(service));
            let text = Data::Txt(format!("v=STSv1; id={id}"));
            self.add("_mta-sts", text, Aim::MtaSts, Need::Recommended, "says that there is a policy about TLS to the MX (RFC 8461)");
            let host = Data::Cname(service.host.clone());
            self.add("mta-sts", host, Aim::MtaStsHost, Need::Recommended, "leads to that policy");
        }
        let reports = Data::Txt(format!("v=TLSRPTv1; rua=mailto:{TLS_REPORTS}@{}", self.domain));
        self.add("_smtp._tls", reports, Aim::TlsRpt, Need::Recommended, "has others report where TLS to the MX failed (RFC 8460)");
    }

    fn clients(&mut self, service: &Service) {
        let srv = |port: u16, weight: u16| Data::Srv { priority: 0, weight, port, target: service.host.clone() };
        // TLS from the first octet on is preferred (RFC 8314 §5.1), and each name is a service of its own.
        let services = [
            ("_submissions._tcp", service.submissions, Aim::Submissions, "tells clients where to send by (TLS; RFC 8314)"),
            ("_submission._tcp", service.submission, Aim::Submission, "tells clients where to send by (STARTTLS; RFC 6186)"),
            ("_imaps._tcp", service.imaps, Aim::Imaps, "tells clients where to read (TLS; RFC 6186)"),
            ("_imap._tcp", service.imap, Aim::Imap, "tells clients where to read (STARTTLS; RFC 6186)"),
        ];
        for (label, port, aim, purpose) in services {
            if let Some(port) = port {
                self.add(label, srv(port, 1), aim, Need::Recommended, purpose);
            }
        }
        let Some(https) = service.https else { return };
        if https == HTTPS {
            let host = || Data::Cname(service.host.clone());
            self.add("autoconfig", host(), Aim::Autoconfig, Need::Recommended, "sets up Thunderbird and others");
            self.add("autodiscover", host(), Aim::Autodiscover, Need::Recommended, "sets up Outlook and phones");
        }
        let purpose = "leads Outlook and phones to their set-up, on whatever port it is";
        self.add("_autodiscover._tcp", srv(https, 0), Aim::Autodiscover, Need::Recommended, purpose);
        // RFC 6764 §3 and §4: where, and under which path.
        for (label, aim, purpose) in [
            ("_caldavs._tcp", Aim::Caldavs, "tells clients where calendars and tasks are (RFC 6764)"),
            ("_carddavs._tcp", Aim::Carddavs, "tells clients where contacts are (RFC 6764)"),
        ] {
            self.add(label, srv(https, 1), aim, Need::Recommended, purpose);
            self.add(label, Data::Txt(DAV_PATH.to_owned()), aim, Need::Recommended, "says under which path");
        }
    }
}
