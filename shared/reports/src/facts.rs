//! What is to be reported, as it happens: what was found of one message, how one session went. Alike ones are counted, and
//! what was counted stands in rows of the cell, by day and domain; nothing in them names a tenant or a person.

use crate::bounds::tidy;
use crate::dmarc::{DkimResult, Evaluated, Feedback, Identifiers, Metadata, PolicyPublished, Reason, Record, SpfResult};
use crate::{archive, tls};
use penfold_authentication::{Alignment, Author, DmarcResult, Handling, Published, Verdicts};
use penfold_ports::{Query, Row, Sk, World, Write, limits, shared};
use penfold_types::Result;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Bytes of facts in one row, before they are packed.
const ROW: usize = 256 * 1024;
/// Different facts of one report; of the others there is no word.
const FACTS: usize = 20_000;
/// Signatures of one message that are told of: those that passed first.
const SIGNATURES: usize = 4;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    Dmarc,
    Tls,
}

impl Kind {
    pub const ALL: [Self; 2] = [Self::Dmarc, Self::Tls];

    /// As in keys.
    pub fn letter(self) -> char {
        match self {
            Self::Dmarc => 'd',
            Self::Tls => 't',
        }
    }

    pub fn of_letter(letter: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.letter() as u8 == letter)
    }
}

/// What was found of one message, and what was done with it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct DmarcFact {
    pub policy: PolicyPublished,
    pub source_ip: IpAddr,
    pub evaluated: Evaluated,
    pub identifiers: Identifiers,
    pub dkim: Vec<DkimResult>,
    pub spf: Vec<SpfResult>,
}

/// How one session went, or that there was none.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct TlsFact {
    pub policy: tls::PolicyFacts,
    /// Its own count is of no meaning.
    pub failure: Option<tls::Failure>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub(crate) enum Fact {
    Dmarc(Box<DmarcFact>),
    Tls(Box<TlsFact>),
}

impl DmarcFact {
    /// `None` where nobody wants to hear of it, or where the message will come again. `envelope_from`: the reverse-path.
    pub fn of(verdicts: &Verdicts, envelope_from: &str) -> Option<Self> {
        let dmarc = &verdicts.dmarc;
        let (Author::Domain(author), Some(domain), Some(published)) = (&dmarc.author, &dmarc.policy_domain, &dmarc.published) else {
            return None;
        };
        let handling = dmarc.handling();
        if published.rua.is_empty() || handling == Handling::Later {
            return None;
        }
        let disposition = match (handling, dmarc.result) {
            (Handling::Quarantine, _) => "quarantine",
            (Handling::Reject, _) => "reject",
            (_, DmarcResult::Pass) if dmarc.policy > penfold_authentication::Policy::None => "pass",
            _ => "none",
        };
        // The only case in which less is done than the owner's policy says.
        let spared = dmarc.result == DmarcResult::Fail && published.testing && dmarc.policy != dmarc.policy.less();
        let reasons = if spared { vec![Reason { kind: "policy_test_mode".to_owned(), comment: None }] } else { Vec::new() };
        let envelope_from = match envelope_from.rsplit_once('@') {
            Some(_) => verdicts.mail_from.domain.clone(),
            None => String::new(),
        };
        // Where the reverse-path is null the identity is that of MAIL FROM all the same, by the name of HELO (RFC 7208 §2.4).
        let spf = SpfResult {
            domain: tidy(&verdicts.mail_from.domain, 253),
            scope: Some("mfrom".to_owned()),
            result: verdicts.mail_from.result.keyword().to_owned(),
            human_result: None,
        };
        Some(Self {
            policy: policy(domain, published),
            source_ip: verdicts.peer.to_canonical(),
            evaluated: Evaluated { disposition: disposition.to_owned(), dkim: dmarc.dkim_aligned, spf: dmarc.spf_aligned, reasons },
            identifiers: Identifiers {
                header_from: author.clone(),
                envelope_from: Some(tidy(&envelope_from, 253)),
                // It would be a tenant's.
                envelope_to: None,
            },
            dkim: signatures(verdicts, author),
            spf: vec![spf],
        })
    }
}

fn policy(domain: &str, published: &Published) -> PolicyPublished {
    let mode = |alignment| Some(if alignment == Alignment::Strict { "s" } else { "r" }.to_owned());
    PolicyPublished {
        domain: domain.to_owned(),
        discovery_method: Some("treewalk".to_owned()),
        p: published.for_itself().keyword().to_owned(),
        sp: Some(published.for_subdomains().keyword().to_owned()),
        np: Some(published.for_nonexistent().keyword().to_owned()),
        fo: Some(published.fo.clone()),
        adkim: mode(published.adkim),
        aspf: mode(published.aspf),
        testing: Some(if published.testing { "y" } else { "n" }.to_owned()),
    }
}

/// RFC 9990 §3.1.3: those that pass before the others, and the author's own before those.
fn signatures(verdicts: &Verdicts, author: &str) -> Vec<DkimResult> {
    let mut all: Vec<_> = verdicts.dkim.iter().filter(|dkim| !dkim.domain.is_empty()).collect();
    let rank = |dkim: &penfold_authentication::Dkim| (dkim.result != penfold_authentication::DkimResult::Pass, dkim.domain != author);
    all.sort_by_key(|dkim| rank(dkim));
    let told = all.into_iter().take(SIGNATURES).map(|dkim| DkimResult {
        domain: tidy(&dkim.domain, 253),
        selector: tidy(&dkim.selector, 253),
        result: dkim.result.keyword().to_owned(),
        human_result: dkim.reason.map(str::to_owned),
    });
    told.collect()
}

/// What was counted of one domain on one day.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    pub domain: String,
    facts: BTreeMap<Fact, u64>,
}

/// Rows of facts, so many bytes to each.
pub(crate) fn rows(facts: &BTreeMap<Fact, u64>) -> Vec<Row> {
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    for (fact, count) in facts {
        let Ok(line) = serde_json::to_vec(&(fact, count)) else { continue };
        if !lines.is_empty() && lines.len() + line.len() > ROW {
            rows.push(row(&std::mem::take(&mut lines)));
        }
        if line.len() <= ROW {
            lines.extend_from_slice(&line);
            lines.push(b'\n');
        }
    }
    if !lines.is_empty() {
        rows.push(row(&lines));
    }
    rows
}

fn row(lines: &[u8]) -> Row {
    Row::new().with("f", archive::gzip(lines))
}

/// What was counted on a day of the first domain behind `after`, or `None` at the end.
pub async fn days_facts(world: &World, kind: Kind, day: i64, after: Option<&str>) -> Result<Option<Counted>> {
    let pk = shared::facts(kind.letter(), day);
    let from = after.map_or(Sk::text(""), |domain| shared::facts_of(domain).after_prefix());
    let mut query = Query { pk, from, to: None, limit: limits::BATCH, reverse: false };
    let mut counted: Option<Counted> = None;
    loop {
        let page = world.table.query(&query).await?;
        for (sk, row) in &page.rows {
            let Some(domain) = domain_of(sk) else { continue };
            let known = counted.get_or_insert_with(|| Counted { domain: domain.to_owned(), facts: BTreeMap::new() });
            if known.domain != domain {
                return Ok(counted);
            }
            known.add(row);
        }
        match page.rows.last() {
            Some((last, _)) if page.more => query.from = last.successor(),
            _ => return Ok(counted),
        }
    }
}

fn domain_of(sk: &Sk) -> Option<&str> {
    let end = sk.as_bytes().iter().position(|byte| *byte == 0)?;
    std::str::from_utf8(sk.as_bytes().get(..end)?).ok()
}

/// Once they are told, or where nobody wants to hear them.
pub async fn forget_facts(world: &World, kind: Kind, day: i64, domain: &str) -> Result<()> {
    let prefix = shared::facts_of(domain);
    let pk = shared::facts(kind.letter(), day);
    for (sk, _) in world.table.query_all(Query::prefix(pk.clone(), &prefix)).await? {
        world.table.put(Write::delete(penfold_ports::Key::from_stored(pk.clone(), sk))).await?;
    }
    Ok(())
}

impl Counted {
    /// What cannot be read, as what another version wrote may be, is left out: it must not keep the others from being told.
    fn add(&mut self, row: &Row) {
        let lines = archive::unpack(row.bytes("f").map_or(&[], |packed| packed), 2 * ROW).unwrap_or_else(|error| {
            tracing::warn!(%error, domain = self.domain, "a row of facts for reports cannot be read");
            Cow::Borrowed(&[])
        });
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            match serde_json::from_slice::<(Fact, u64)>(line) {
                Ok((fact, count)) if self.facts.len() < FACTS || self.facts.contains_key(&fact) => {
                    *self.facts.entry(fact).or_default() += count;
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, domain = self.domain, "a fact for reports cannot be read"),
            }
        }
    }

    /// As a DMARC report. Where the policy changed during the day, the one that most messages met is named (RFC 9990 §3.3).
    pub fn feedback(&self, metadata: Metadata) -> Feedback {
        let (mut policies, mut records) = (BTreeMap::<&PolicyPublished, u64>::new(), Vec::with_capacity(self.facts.len()));
        for (fact, count) in &self.facts {
            let Fact::Dmarc(fact) = fact else { continue };
            *policies.entry(&fact.policy).or_default() += count;
            let DmarcFact { source_ip, evaluated, identifiers, dkim, spf, .. } = (**fact).clone();
            records.push(Record { source_ip, count: *count, evaluated, identifiers, dkim, spf });
        }
        let policy = policies.into_iter().max_by_key(|(_, count)| *count).map(|(policy, _)| policy.clone()).unwrap_or_default();
        Feedback { metadata, policy, records }
    }

    /// As the policies of a TLS report.
    pub fn policies(&self) -> Vec<tls::Policy> {
        let mut found: BTreeMap<&tls::PolicyFacts, tls::Policy> = BTreeMap::new();
        for (fact, count) in &self.facts {
            let Fact::Tls(fact) = fact else { continue };
            let own = found.entry(&fact.policy).or_insert_with(|| tls::Policy { policy: fact.policy.clone(), ..tls::Policy::default() });
            match &fact.failure {
                None => own.summary.total_successful_session_count += count,
                Some(failure) => {
                    own.summary.total_failure_session_count += count;
                    own.failure_details.push(tls::Failure { failed_session_count: *count, ..failure.clone() });
                }
            }
        }
        found.into_values().collect()
    }

    /// Messages or sessions.
    pub fn total(&self) -> u64 {
        self.facts.values().sum()
    }
}
