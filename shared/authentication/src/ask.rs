//! The questions of one message: each is asked once, and all of them together are bounded in number and time. What lies
//! beyond is a temporary failure, so a hostile message delays itself and nobody else.

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use penfold_ports::{Answer, Dns, DnsError, MailExchange, Service, Tlsa};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// SPF for two identities (each at most 10 terms, 10 hosts a term), 10 signatures, an ARC chain and a few tree walks.
const QUESTIONS: usize = 300;
/// RFC 7208 §4.6.4 asks for at least 20 seconds.
const TIME: Duration = Duration::from_secs(30);

type Known<T> = Mutex<BTreeMap<String, Result<Answer<T>, DnsError>>>;

pub(crate) struct Asked<'a> {
    dns: &'a dyn Dns,
    until: Instant,
    left: Mutex<usize>,
    txt: Known<Bytes>,
    mx: Known<MailExchange>,
    v4: Known<Ipv4Addr>,
    v6: Known<Ipv6Addr>,
    names: Known<String>,
}

impl<'a> Asked<'a> {
    pub fn new(dns: &'a dyn Dns, now: Instant) -> Self {
        Self {
            dns,
            until: now + TIME,
            left: Mutex::new(QUESTIONS),
            txt: Known::default(),
            mx: Known::default(),
            v4: Known::default(),
            v6: Known::default(),
            names: Known::default(),
        }
    }

    async fn ask<T: Clone>(
        &self,
        known: &Known<T>,
        name: &str,
        question: impl Future<Output = Result<Answer<T>, DnsError>>,
    ) -> Result<Answer<T>, DnsError> {
        let key = name.to_ascii_lowercase();
        if let Some(answer) = known.lock().get(&key) {
            return answer.clone();
        }
        {
            let mut left = self.left.lock();
            *left = left.checked_sub(1).ok_or(DnsError::Temporary)?;
        }
        let answer = timeout_at(self.until, question).await.unwrap_or(Err(DnsError::Temporary));
        known.lock().insert(key, answer.clone());
        answer
    }
}

#[async_trait]
impl Dns for Asked<'_> {
    async fn txt(&self, name: &str) -> Result<Answer<Bytes>, DnsError> {
        self.ask(&self.txt, name, self.dns.txt(name)).await
    }

    async fn mx(&self, name: &str) -> Result<Answer<MailExchange>, DnsError> {
        self.ask(&self.mx, name, self.dns.mx(name)).await
    }

    async fn v4(&self, host: &str) -> Result<Answer<Ipv4Addr>, DnsError> {
        self.ask(&self.v4, host, self.dns.v4(host)).await
    }

    async fn v6(&self, host: &str) -> Result<Answer<Ipv6Addr>, DnsError> {
        self.ask(&self.v6, host, self.dns.v6(host)).await
    }

    async fn names(&self, address: IpAddr) -> Result<Answer<String>, DnsError> {
        self.ask(&self.names, &address.to_string(), self.dns.names(address)).await
    }

    async fn srv(&self, name: &str) -> Result<Answer<Service>, DnsError> {
        self.dns.srv(name).await
    }

    async fn tlsa(&self, name: &str) -> Result<Answer<Tlsa>, DnsError> {
        self.dns.tlsa(name).await
    }
}
