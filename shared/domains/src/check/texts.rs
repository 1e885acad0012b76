//! TXT records, each judged by what it means and not by its letters.

use super::{Judged, Verdict, concerns};
use crate::records::Aim;
use bytes::Bytes;

/// Those of `found` that are meant, and what is to be said of them.
pub(super) fn judge(aim: Aim, wanted: &str, found: &[String]) -> (Vec<String>, Judged) {
    let meant: Vec<String> = found.iter().filter(|text| concerns(aim, text.trim_start())).cloned().collect();
    let judged = match (aim, meant.as_slice()) {
        (_, []) => Judged::missing(),
        (Aim::Ownership, all) if all.iter().any(|text| text.trim() == wanted) => Judged::ok(),
        (Aim::Ownership, _) => Judged::differs("this token is of another claim; replace it with the one that is wanted"),
        (_, [one]) => single(aim, wanted, one),
        (Aim::Spf, _) => {
            Judged::differs("more than one SPF record counts as none (RFC 7208 §4.5); make one of them, with the mechanisms of all")
        }
        (_, _) => Judged::differs("there may be only one such record here; remove the others"),
    };
    (meant, judged)
}

fn single(aim: Aim, wanted: &str, found: &str) -> Judged {
    match aim {
        Aim::Spf => spf(wanted, found),
        Aim::Dkim => key(wanted, found),
        Aim::Dmarc => dmarc(found),
        Aim::MtaSts => match tag(found, "id") {
            Some(id) if tag(wanted, "id") == Some(id) => Judged::ok(),
            _ => Judged::differs("set this id, so that senders fetch the present policy"),
        },
        Aim::TlsRpt => match tag(found, "rua") {
            Some(rua) if rua.starts_with("mailto:") || rua.starts_with("https:") => Judged::ok(),
            _ => Judged::differs("say in rua where reports go"),
        },
        _ if found == wanted => Judged::ok(),
        _ => Judged::differs("replace it with what is wanted"),
    }
}

/// A tag of a list `a=b; c=d` (RFC 6376 §3.2).
fn tag<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let pairs = text.split(';').filter_map(|pair| pair.split_once('='));
    pairs.map(|(own, value)| (own.trim(), value.trim())).find(|(own, _)| *own == name).map(|(_, value)| value)
}

/// RFC 7208: our mechanisms must stand before the end that catches everybody else.
fn spf(wanted: &str, found: &str) -> Judged {
    let plain = |term: &str| term.strip_prefix('+').unwrap_or(term).to_ascii_lowercase();
    let terms: Vec<String> = found.split_whitespace().skip(1).map(plain).collect();
    let end = terms.iter().position(|term| matches!(term.as_str(), "all" | "-all" | "~all" | "?all"));
    let before = end.and_then(|end| terms.get(..end)).unwrap_or(&terms);
    let lacking: Vec<&str> =
        wanted.split_whitespace().skip(1).filter(|term| !term.ends_with("all") && !before.contains(&plain(term))).collect();
    if !lacking.is_empty() {
        return Judged::differs(format!("put {} into this record, before its end (the word with all)", lacking.join(" ")));
    }
    let redirects = terms.iter().any(|term| term.starts_with("redirect="));
    match end.and_then(|end| terms.get(end)).map(String::as_str) {
        Some("all") => Judged::differs("it lets everybody send as this domain; end it with -all"),
        Some("?all") => Judged::noting("it says nothing about other hosts; better end it with -all"),
        None if !redirects => Judged::noting("it says nothing about other hosts; better end it with -all"),
        _ => Judged::ok(),
    }
}

/// RFC 9989: any policy that can be read is the owner's to choose.
fn dmarc(found: &str) -> Judged {
    match tag(found, "p").map(str::to_ascii_lowercase).as_deref() {
        Some("quarantine" | "reject") if tag(found, "rua").is_none() => {
            Judged::noting("it asks for no reports; add the rua that is wanted, and penfold report dmarc shows who sends in its name")
        }
        Some("quarantine" | "reject") => Judged::ok(),
        Some("none") | None => Judged::noting("it only watches; once all mail of the domain passes, ask for p=quarantine"),
        Some(_) => Judged::differs("p must be none, quarantine or reject"),
    }
}

fn key(wanted: &str, found: &str) -> Judged {
    let public = |text| tag(text, "p").map(|p| p.split_whitespace().collect::<String>());
    let kind = |text| tag(text, "k").unwrap_or("rsa");
    match public(found) {
        Some(p) if p.is_empty() => Judged::differs("it says that the key is revoked; replace it with what is wanted"),
        Some(p) if Some(&p) == public(wanted).as_ref() && kind(found) == kind(wanted) => Judged::ok(),
        _ => Judged::differs("it is another key, or a part of it is lost; replace it with what is wanted"),
    }
}

/// Whether a key is published: exactly its own record stands there.
pub(crate) fn key_verdict(wanted: &str, found: &[Bytes]) -> Verdict {
    let found: Vec<String> = found.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect();
    judge(Aim::Dkim, wanted, &found).1.verdict
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(aim: Aim, wanted: &str, found: &[&str]) -> Verdict {
        judge(aim, wanted, &found.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).1.verdict
    }

    #[test]
    fn spf_is_judged_by_what_it_means() {
        let spf = |found: &[&str]| verdict(Aim::Spf, "v=spf1 mx include:_spf.host.test -all", found);
        assert_eq!(spf(&["v=spf1 mx include:_spf.host.test -all"]), Verdict::Ok);
        assert_eq!(spf(&["google-site-verification=x", "V=SPF1  a +MX  include:_SPF.host.test ~all"]), Verdict::Ok);
        assert_eq!(spf(&["v=spf1 mx include:_spf.host.test redirect=other.test"]), Verdict::Ok);
        assert_eq!(spf(&["v=spf1 mx include:_spf.host.test"]), Verdict::Ok);
        assert_eq!(spf(&["v=spf10 mx", "other"]), Verdict::Missing);
        assert_eq!(spf(&["v=spf1 mx -all"]), Verdict::Differs);
        assert_eq!(spf(&["v=spf1 -mx include:_spf.host.test -all"]), Verdict::Differs);
        assert_eq!(spf(&["v=spf1 mx -all include:_spf.host.test"]), Verdict::Differs);
        assert_eq!(spf(&["v=spf1 mx include:_spf.host.test +all"]), Verdict::Differs);
        let both = ["v=spf1 mx include:_spf.host.test -all", "v=spf1 a -all"];
        assert_eq!(spf(&both), Verdict::Differs);
    }

    #[test]
    fn a_key_is_the_key_however_it_is_written() {
        let key = |found: &[&str]| verdict(Aim::Dkim, "v=DKIM1; k=ed25519; p=AAAA", found);
        assert_eq!(key(&["v=DKIM1;k=ed25519;t=s; p=AA AA;"]), Verdict::Ok);
        assert_eq!(key(&["v=DKIM1; p=AAAA"]), Verdict::Differs, "k is rsa where it is not named");
        assert_eq!(key(&["v=DKIM1; k=ed25519; p=AAA"]), Verdict::Differs);
        assert_eq!(key(&["v=DKIM1; k=ed25519; p="]), Verdict::Differs);
        assert_eq!(key(&["v=DKIM1; k=ed25519; p=AAAA", "v=DKIM1; k=ed25519; p=BBBB"]), Verdict::Differs);
        assert_eq!(key(&[]), Verdict::Missing);
    }

    #[test]
    fn policies_are_the_owner_s_to_choose() {
        let dmarc = |found: &[&str]| verdict(Aim::Dmarc, "v=DMARC1; p=quarantine", found);
        for good in
            ["v=DMARC1; p=quarantine", "v=DMARC1;p=reject; rua=mailto:x@y.test", "v=DMARC1; p=none", "v=DMARC1; rua=mailto:x@y.test"]
        {
            assert_eq!(dmarc(&[good]), Verdict::Ok, "{good}");
        }
        assert_eq!(dmarc(&["v=DMARC1; p=maybe"]), Verdict::Differs);
        assert_eq!(dmarc(&["v=DMARC1; p=none", "v=DMARC1; p=reject"]), Verdict::Differs);
        assert_eq!(dmarc(&["v=spf1 -all"]), Verdict::Missing);
        assert_eq!(verdict(Aim::MtaSts, "v=STSv1; id=2", &["v=STSv1; id=2;"]), Verdict::Ok);
        assert_eq!(verdict(Aim::MtaSts, "v=STSv1; id=2", &["v=STSv1; id=1"]), Verdict::Differs);
        assert_eq!(verdict(Aim::TlsRpt, "v=TLSRPTv1; rua=mailto:a@b.test", &["v=TLSRPTv1; rua=https://c.test/"]), Verdict::Ok);
        assert_eq!(verdict(Aim::TlsRpt, "v=TLSRPTv1; rua=mailto:a@b.test", &["v=TLSRPTv1"]), Verdict::Differs);
    }
}
