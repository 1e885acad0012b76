//! Reports about TLS (RFC 8460 §4.4): with which of a domain's hosts a sender could make secure sessions.

use crate::bounds::{FAILURES, JSON, POLICIES, TEXT, tidy};
use crate::{Unreadable, time};
use serde::{Deserialize, Deserializer, Serialize};

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Report {
    #[serde(default)]
    pub organization_name: String,
    pub date_range: DateRange,
    #[serde(default, deserialize_with = "one_or_none")]
    pub contact_info: String,
    pub report_id: String,
    pub policies: Vec<Policy>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DateRange {
    pub start_datetime: String,
    pub end_datetime: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Policy {
    pub policy: PolicyFacts,
    pub summary: Summary,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "list_or_null")]
    pub failure_details: Vec<Failure>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PolicyFacts {
    /// `tlsa`, `sts` or `no-policy-found`.
    pub policy_type: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    pub policy_string: Vec<String>,
    #[serde(default)]
    pub policy_domain: String,
    /// Some write one text, some a list, some `mx-host-pattern`.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many", alias = "mx-host-pattern")]
    pub mx_host: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Summary {
    pub total_successful_session_count: u64,
    pub total_failure_session_count: u64,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Failure {
    pub result_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sending_mta_ip: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiving_mx_hostname: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiving_mx_helo: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiving_ip: Option<String>,
    #[serde(default)]
    pub failed_session_count: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub additional_information: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_reason_code: Option<String>,
}

/// A text, or a list of them, or nothing.
#[derive(Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Many(Vec<String>),
    None(()),
}

fn one_or_many<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    Ok(match Texts::deserialize(from)? {
        Texts::One(text) => vec![text],
        Texts::Many(texts) => texts,
        Texts::None(()) => Vec::new(),
    })
}

fn one_or_none<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(one_or_many(from)?.into_iter().next().unwrap_or_default())
}

fn list_or_null<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Failure>, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// `bytes`: at most [`JSON`] of them.
pub fn read(bytes: &[u8]) -> Result<Report, Unreadable> {
    if bytes.len() > JSON {
        return Err(Unreadable::TooLarge);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut report: Report = serde_json::from_slice(bytes).map_err(|error| Unreadable::Json(error.to_string()))?;
    if report.policies.len() > POLICIES || report.policies.iter().map(|policy| policy.failure_details.len()).sum::<usize>() > FAILURES {
        return Err(Unreadable::TooMany);
    }
    report.tidy();
    if report.policies.is_empty() {
        return Err(Unreadable::Missing("policies"));
    }
    if report.report_id.is_empty() {
        return Err(Unreadable::Missing("report-id"));
    }
    match (time::read(&report.date_range.start_datetime), time::read(&report.date_range.end_datetime)) {
        (Some(begin), Some(end)) if begin > 0 && begin <= end => Ok(report),
        _ => Err(Unreadable::Missing("date-range")),
    }
}

pub fn write(report: &Report) -> Vec<u8> {
    // Every key is a text, so nothing can go wrong.
    serde_json::to_vec_pretty(report).unwrap_or_default()
}

impl Report {
    /// Seconds since 1970 at which its time begins; 0 where that cannot be read.
    pub fn begin(&self) -> i64 {
        time::read(&self.date_range.start_datetime).unwrap_or(0)
    }

    fn tidy(&mut self) {
        let Self { organization_name, date_range, contact_info, report_id, policies } = self;
        for text in [organization_name, &mut date_range.start_datetime, &mut date_range.end_datetime, contact_info, report_id] {
            *text = tidy(text, TEXT);
        }
        for policy in policies {
            let PolicyFacts { policy_type, policy_string, policy_domain, mx_host } = &mut policy.policy;
            *policy_type = tidy(&policy_type.to_ascii_lowercase(), 40);
            *policy_domain = tidy(&policy_domain.trim_end_matches('.').to_ascii_lowercase(), 253);
            for list in [policy_string, mx_host] {
                list.truncate(100);
                list.iter_mut().for_each(|text| *text = tidy(text, TEXT));
            }
            for failure in &mut policy.failure_details {
                failure.result_type = tidy(&failure.result_type.to_ascii_lowercase(), 60);
                let Failure { sending_mta_ip, receiving_mx_hostname, receiving_mx_helo, receiving_ip, .. } = failure;
                let more = [&mut failure.additional_information, &mut failure.failure_reason_code];
                for text in [sending_mta_ip, receiving_mx_hostname, receiving_mx_helo, receiving_ip].into_iter().chain(more).flatten() {
                    *text = tidy(text, TEXT);
                }
            }
        }
    }
}
