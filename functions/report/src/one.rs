//! One report: about one domain and one day.

use crate::Reporter;
use crate::sender::Sender;
use crate::told::Told;
use aws_lc_rs::digest;
use bytes::Bytes;
use penfold_ports::DnsError;
use penfold_reports::dmarc::{self, Metadata};
use penfold_reports::{
    Claim, Counted, Destination, Kind, Letter, Sent, State, dmarc_destinations, forget_facts, gzip, time, tls, tls_destinations,
};
use penfold_transport::outbound::OwnMail;
use penfold_types::{AcceptanceId, Address, Result, Timestamp};
use std::sync::Arc;

/// Where others find out who wrote it.
const GENERATOR: &str = concat!("Penfold ", env!("CARGO_PKG_VERSION"));

pub(crate) struct Task {
    pub kind: Kind,
    /// Days since 1970, UTC.
    pub day: i64,
    pub counted: Counted,
    pub sender: Arc<Sender>,
    pub told: Arc<Told>,
}

impl Task {
    fn begin(&self) -> i64 {
        self.day * time::DAY
    }

    /// The last second that it is about.
    fn end(&self) -> i64 {
        self.begin() + time::DAY - 1
    }

    /// The same at every try, and another one for every reporter, domain and day.
    fn name(&self) -> [u8; 16] {
        let text = format!("{}\0{}\0{}\0{}", self.kind.letter(), self.day, self.counted.domain, self.sender.address);
        let hash = digest::digest(&digest::SHA256, text.as_bytes());
        let mut name = [0; 16];
        name.iter_mut().zip(hash.as_ref()).for_each(|(slot, byte)| *slot = *byte);
        name
    }

    fn acceptance(&self) -> AcceptanceId {
        AcceptanceId::shaped(Timestamp::from_seconds(self.end() + 1), self.name())
    }

    fn report_id(&self) -> String {
        format!("{}@{}", self.acceptance(), self.sender.address.domain())
    }
}

impl Reporter {
    /// True where it left now.
    pub(crate) async fn one(&self, task: &Task) -> Result<bool> {
        let (kind, domain) = (task.kind, task.counted.domain.as_str());
        let dns = self.world.dns.as_ref();
        let wishes = match kind {
            Kind::Dmarc => dmarc_destinations(dns, domain).await,
            Kind::Tls => tls_destinations(dns, domain).await,
        };
        let mut wishes = match wishes {
            Ok(wishes) => wishes,
            // Asked again in an hour, for some days.
            Err(DnsError::Temporary) => return Ok(false),
            Err(_) => Vec::new(),
        };
        // Most domains, as far as TLS goes: they get no row either.
        if wishes.is_empty() {
            forget_facts(&self.world, kind, task.day, domain).await?;
            return Ok(false);
        }
        let mut sent = match Sent::claim(&self.world, kind, task.day, domain).await? {
            Claim::Ours(sent) => sent,
            Claim::Taken => return Ok(false),
            // What was counted later comes too late.
            Claim::Done => {
                forget_facts(&self.world, kind, task.day, domain).await?;
                return Ok(false);
            }
        };
        wishes.retain(|wish| task.told.has_room(wish));
        let report = self.report(task);
        let mut told = self.post(task, &wishes, &report).await;
        let (to, message) = letter(task, &wishes, &report, sent.begun);
        if !to.is_empty() {
            let acceptance = task.acceptance();
            let own = OwnMail { tenant: task.sender.tenant, acceptance, message, to, at: sent.begun };
            let taken = self.transport.send_own(&own).await?;
            if !taken.is_empty() {
                sent.acceptance = Some(acceptance);
            }
            told.extend(taken.iter().map(Address::to_string));
        }
        sent.state = if told.is_empty() { State::Unwanted } else { State::Sent };
        (sent.at, sent.count, sent.to) = (self.world.env.now(), task.counted.total(), told.join(" "));
        sent.done(&self.world).await?;
        forget_facts(&self.world, kind, task.day, domain).await?;
        tracing::info!(target: "mail", domain, kind = ?kind, day = task.day, to = %sent.to, count = sent.count, "report");
        Ok(sent.state == State::Sent)
    }

    /// Packed.
    fn report(&self, task: &Task) -> Bytes {
        let (contact, report_id) = (task.sender.address.to_string(), task.report_id());
        match task.kind {
            Kind::Dmarc => {
                let metadata = Metadata {
                    org_name: self.host.clone(),
                    email: contact,
                    report_id,
                    begin: task.begin(),
                    end: task.end(),
                    generator: Some(GENERATOR.to_owned()),
                    ..Metadata::default()
                };
                gzip(dmarc::write(&task.counted.feedback(metadata)).as_bytes())
            }
            Kind::Tls => gzip(&tls::write(&tls::Report {
                organization_name: self.host.clone(),
                date_range: tls::DateRange { start_datetime: time::write(task.begin()), end_datetime: time::write(task.end()) },
                contact_info: contact,
                report_id,
                policies: task.counted.policies(),
            })),
        }
    }

    /// To web servers, which took it when this returns. One that does not is not tried again: the next report is due soon.
    async fn post(&self, task: &Task, wishes: &[Destination], report: &Bytes) -> Vec<String> {
        let mut told = Vec::new();
        for wish in wishes {
            let Destination::Https(url) = wish else { continue };
            match self.post.post(url, "application/tlsrpt+gzip", report.clone()).await {
                Ok(()) => told.push(url.clone()),
                Err(error) => tracing::info!(domain = %task.counted.domain, %url, %error, "a report was not taken"),
            }
        }
        told
    }
}

/// For all who want it by mail, and whose message it is not too large for.
fn letter(task: &Task, wishes: &[Destination], report: &[u8], at: Timestamp) -> (Vec<Address>, Bytes) {
    let (mut to, mut limits) = (Vec::new(), Vec::new());
    for wish in wishes {
        if let Destination::Mail { address, limit } = wish {
            to.push(address.clone());
            limits.push(limit.unwrap_or(u64::MAX));
        }
    }
    let write = |to: &[Address]| {
        let letter = Letter {
            kind: task.kind,
            from: &task.sender.address,
            to,
            domain: &task.counted.domain,
            report_id: &task.report_id(),
            begin: task.begin(),
            end: task.end(),
            at: at.seconds(),
            report,
        };
        letter.write()
    };
    let size = write(&to).len() as u64;
    let fit: Vec<Address> = to.into_iter().zip(limits).filter(|(_, limit)| size <= *limit).map(|(address, _)| address).collect();
    let message = write(&fit);
    (fit, message)
}
