//! A report to XML, its elements in the order of RFC 9990 §3.1.1.

use super::{DkimResult, Feedback, Record, SpfResult};
use std::fmt::Write;
use std::net::IpAddr;

const NAMESPACE: &str = "urn:ietf:params:xml:ns:dmarc-2.0";

pub fn write(feedback: &Feedback) -> String {
    let mut out = Writer { text: String::with_capacity(1024 + feedback.records.len() * 768), depth: 1 };
    let _ = write!(out.text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feedback xmlns=\"{NAMESPACE}\">\n");
    out.leaf("version", "1.0");
    out.inside("report_metadata", |out| {
        let metadata = &feedback.metadata;
        out.leaf("org_name", &metadata.org_name);
        out.leaf("email", &metadata.email);
        out.some("extra_contact_info", metadata.extra_contact_info.as_deref());
        out.leaf("report_id", &metadata.report_id);
        out.inside("date_range", |out| {
            out.leaf("begin", &metadata.begin.to_string());
            out.leaf("end", &metadata.end.to_string());
        });
        metadata.errors.iter().for_each(|error| out.leaf("error", error));
        out.some("generator", metadata.generator.as_deref());
    });
    out.inside("policy_published", |out| {
        let policy = &feedback.policy;
        out.leaf("domain", &policy.domain);
        out.some("discovery_method", policy.discovery_method.as_deref());
        out.leaf("p", &policy.p);
        for (name, value) in [
            ("sp", &policy.sp),
            ("np", &policy.np),
            ("fo", &policy.fo),
            ("adkim", &policy.adkim),
            ("aspf", &policy.aspf),
            ("testing", &policy.testing),
        ] {
            out.some(name, value.as_deref());
        }
    });
    feedback.records.iter().for_each(|one| record(&mut out, one));
    out.text.push_str("</feedback>\n");
    out.text
}

fn record(out: &mut Writer, record: &Record) {
    let verdict = |aligned| if aligned { "pass" } else { "fail" };
    out.inside("record", |out| {
        out.inside("row", |out| {
            out.leaf("source_ip", &source(record.source_ip));
            out.leaf("count", &record.count.to_string());
            out.inside("policy_evaluated", |out| {
                out.leaf("disposition", &record.evaluated.disposition);
                out.leaf("dkim", verdict(record.evaluated.dkim));
                out.leaf("spf", verdict(record.evaluated.spf));
                for reason in &record.evaluated.reasons {
                    out.inside("reason", |out| {
                        out.leaf("type", &reason.kind);
                        out.some("comment", reason.comment.as_deref());
                    });
                }
            });
        });
        out.inside("identifiers", |out| {
            out.leaf("header_from", &record.identifiers.header_from);
            out.some("envelope_from", record.identifiers.envelope_from.as_deref());
            out.some("envelope_to", record.identifiers.envelope_to.as_deref());
        });
        out.inside("auth_results", |out| {
            record.dkim.iter().for_each(|one| dkim(out, one));
            record.spf.iter().for_each(|one| spf(out, one));
        });
    });
}

fn dkim(out: &mut Writer, result: &DkimResult) {
    out.inside("dkim", |out| {
        out.leaf("domain", &result.domain);
        out.leaf("selector", &result.selector);
        out.leaf("result", &result.result);
        out.some("human_result", result.human_result.as_deref());
    });
}

fn spf(out: &mut Writer, result: &SpfResult) {
    out.inside("spf", |out| {
        out.leaf("domain", &result.domain);
        out.some("scope", result.scope.as_deref());
        out.leaf("result", &result.result);
        out.some("human_result", result.human_result.as_deref());
    });
}

fn source(address: IpAddr) -> String {
    address.to_canonical().to_string()
}

struct Writer {
    text: String,
    depth: usize,
}

impl Writer {
    fn indent(&mut self) {
        (0..self.depth).for_each(|_| self.text.push_str("  "));
    }

    fn inside(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.indent();
        let _ = writeln!(self.text, "<{name}>");
        self.depth += 1;
        content(self);
        self.depth -= 1;
        self.indent();
        let _ = writeln!(self.text, "</{name}>");
    }

    fn leaf(&mut self, name: &str, value: &str) {
        self.indent();
        let _ = write!(self.text, "<{name}>");
        for c in value.chars() {
            match c {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                // XML 1.0 has no way to write these.
                '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => self.text.push('?'),
                _ => self.text.push(c),
            }
        }
        let _ = writeln!(self.text, "</{name}>");
    }

    fn some(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.leaf(name, value);
        }
    }
}
