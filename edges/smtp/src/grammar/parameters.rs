//! The parameters of MAIL and RCPT: RFC 5321 §4.1.2 (esmtp-param) and the extensions that define them.

use super::times;
use crate::reply::{self, Reply};
use penfold_ports::{Body, Notify, Return};
use penfold_transport::outbound::Late;
use penfold_types::Timestamp;

/// Of MAIL.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct MailParameters {
    /// RFC 1870.
    pub size: Option<u64>,
    /// RFC 6152.
    pub body: Body,
    /// RFC 6531.
    pub utf8: bool,
    pub ret: Option<Return>,
    /// RFC 3461 §4.4, still as xtext.
    pub envid: Option<String>,
    /// RFC 8689 §2.
    pub require_tls: bool,
    /// RFC 4865 §3.
    pub hold: Option<Hold>,
    /// RFC 2852 §4.
    pub by: Option<By>,
}

/// How long to keep a message before it goes out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hold {
    Seconds(u32),
    Until(Timestamp),
}

/// Within how many seconds it must be delivered; below zero where a host before us was late already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct By {
    pub seconds: i64,
    pub late: Late,
    pub trace: bool,
}

/// What was offered in the answer to EHLO: a parameter of anything else is not known.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Offers {
    pub auth: bool,
    pub require_tls: bool,
    pub future_release: bool,
    pub deliver_by: bool,
}

impl Offers {
    fn knows(self, keyword: &str) -> bool {
        match keyword {
            "SIZE" | "BODY" | "SMTPUTF8" | "RET" | "ENVID" => true,
            "AUTH" => self.auth,
            "REQUIRETLS" => self.require_tls,
            "HOLDFOR" | "HOLDUNTIL" => self.future_release,
            "BY" => self.deliver_by,
            _ => false,
        }
    }
}

/// Of RCPT.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct RcptParameters {
    pub notify: Option<Notify>,
    /// RFC 3461 §4.2, still as it came: `type;xtext`.
    pub orcpt: Option<String>,
}

pub(crate) fn mail(text: &str, offers: Offers) -> Result<MailParameters, Reply> {
    let mut out = MailParameters::default();
    let mut seen = Seen::default();
    for (keyword, value) in each(text) {
        seen.once(keyword)?;
        let keyword = keyword.to_ascii_uppercase();
        if !offers.knows(&keyword) {
            return Err(reply::UNKNOWN_PARAMETER);
        }
        match (keyword.as_str(), value) {
            // RFC 1870 §4: up to 20 digits.
            ("SIZE", Some(v)) if v.len() <= 20 && is_number(v) => out.size = Some(v.parse().unwrap_or(u64::MAX)),
            ("BODY", Some(v)) if v.eq_ignore_ascii_case("7BIT") => (),
            ("BODY", Some(v)) if v.eq_ignore_ascii_case("8BITMIME") => out.body = Body::EightBit,
            ("SMTPUTF8", None) => out.utf8 = true,
            ("RET", Some(v)) if v.eq_ignore_ascii_case("FULL") => out.ret = Some(Return::Full),
            ("RET", Some(v)) if v.eq_ignore_ascii_case("HDRS") => out.ret = Some(Return::Headers),
            ("ENVID", Some(v)) if (1..=100).contains(&v.len()) && is_xtext(v) => out.envid = Some(v.to_owned()),
            // Whom a trusted peer names as the submitter: we trust none, so it says nothing (RFC 4954 §5).
            ("AUTH", Some(v)) if !v.is_empty() && v.len() <= 500 && is_xtext(v) => (),
            ("REQUIRETLS", None) => out.require_tls = true,
            // RFC 4865 §3: one of the two.
            ("HOLDFOR" | "HOLDUNTIL", Some(v)) if out.hold.is_none() => {
                out.hold = Some(times::hold(&keyword, v).ok_or(reply::BAD_PARAMETER)?);
            }
            ("BY", Some(v)) => out.by = Some(times::by(v).ok_or(reply::BAD_PARAMETER)?),
            _ => return Err(reply::BAD_PARAMETER),
        }
    }
    Ok(out)
}

pub(crate) fn rcpt(text: &str) -> Result<RcptParameters, Reply> {
    let mut out = RcptParameters::default();
    let mut seen = Seen::default();
    for (keyword, value) in each(text) {
        seen.once(keyword)?;
        match (keyword.to_ascii_uppercase().as_str(), value) {
            ("NOTIFY", Some(v)) => out.notify = Some(notify(v).ok_or(reply::BAD_PARAMETER)?),
            ("ORCPT", Some(v)) if is_original_recipient(v) => out.orcpt = Some(v.to_owned()),
            ("NOTIFY" | "ORCPT", _) => return Err(reply::BAD_PARAMETER),
            _ => return Err(reply::UNKNOWN_PARAMETER),
        }
    }
    Ok(out)
}

fn each(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    text.split(' ').filter(|word| !word.is_empty()).map(|word| match word.split_once('=') {
        Some((keyword, value)) => (keyword, Some(value)),
        None => (word, None),
    })
}

/// A parameter may stand once. A line is short, so the list is too.
#[derive(Default)]
struct Seen<'a>(Vec<&'a str>);

impl<'a> Seen<'a> {
    fn once(&mut self, keyword: &'a str) -> Result<(), Reply> {
        if self.0.len() >= 16 || self.0.iter().any(|k| k.eq_ignore_ascii_case(keyword)) {
            return Err(reply::BAD_PARAMETER);
        }
        self.0.push(keyword);
        Ok(())
    }
}

pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn notify(value: &str) -> Option<Notify> {
    let mut out = Notify::NEVER;
    if value.eq_ignore_ascii_case("NEVER") {
        return Some(out);
    }
    for word in value.split(',') {
        let flag = match word.to_ascii_uppercase().as_str() {
            "SUCCESS" => &mut out.success,
            "FAILURE" => &mut out.failure,
            "DELAY" => &mut out.delay,
            _ => return None,
        };
        *flag = true;
    }
    Some(out)
}

/// RFC 3461 §4.2: at most 500 characters; RFC 6533 §3 adds the type `utf-8`, whose text may be UTF-8.
fn is_original_recipient(value: &str) -> bool {
    let Some((kind, text)) = value.split_once(';') else { return false };
    let atom = !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let encoded = if kind.eq_ignore_ascii_case("utf-8") { !text.chars().any(char::is_control) } else { is_xtext(text) };
    value.len() <= 500 && atom && !text.is_empty() && encoded
}

/// RFC 3461 §4: `+` and two upper-case hexadecimal digits, or a printable character other than `+` and `=`.
fn is_xtext(text: &str) -> bool {
    let mut bytes = text.bytes();
    let hex = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b));
    while let Some(byte) = bytes.next() {
        let good = match byte {
            b'+' => hex(bytes.next()) && hex(bytes.next()),
            b'=' => false,
            other => other.is_ascii_graphic(),
        };
        if !good {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Offers = Offers { auth: false, require_tls: false, future_release: false, deliver_by: false };
    const ALL: Offers = Offers { auth: true, require_tls: true, future_release: true, deliver_by: true };

    #[test]
    fn reads_parameters() {
        let all = mail("SIZE=500 body=8bitmime SMTPUTF8 RET=HDRS ENVID=QQ+2B1 AUTH=<> requiretls HOLDFOR=60 by=120;R", ALL).unwrap();
        let wanted = MailParameters {
            size: Some(500),
            body: Body::EightBit,
            utf8: true,
            ret: Some(Return::Headers),
            envid: Some("QQ+2B1".into()),
            require_tls: true,
            hold: Some(Hold::Seconds(60)),
            by: Some(By { seconds: 120, late: Late::Return, trace: false }),
        };
        assert_eq!(all, wanted);
        assert_eq!(mail("SIZE=99999999999999999999", PLAIN).unwrap().size, Some(u64::MAX));
        let one = rcpt("NOTIFY=SUCCESS,DELAY ORCPT=rfc822;bob@x.test").unwrap();
        assert_eq!(one.notify, Some(Notify { success: true, failure: false, delay: true }));
        assert_eq!(one.orcpt.as_deref(), Some("rfc822;bob@x.test"));
    }

    #[test]
    fn refuses_the_rest() {
        for bad in ["SIZE=", "SIZE=-1", "SIZE=1 SIZE=2", "BODY=BINARYMIME", "SMTPUTF8=1", "RET=ALL", "ENVID=a+2b", "ENVID=", "SIZE"] {
            assert_eq!(mail(bad, PLAIN), Err(reply::BAD_PARAMETER), "{bad}");
        }
        for bad in ["AUTH=", "AUTH", "REQUIRETLS=1", "HOLDFOR", "HOLDFOR=x", "HOLDFOR=1 HOLDUNTIL=2030-01-01T00:00:00Z", "BY", "BY=0;R"] {
            assert_eq!(mail(bad, ALL), Err(reply::BAD_PARAMETER), "{bad}");
        }
        for unknown in ["X=1", "AUTH=<>", "HOLDFOR=1", "HOLDUNTIL=2030-01-01T00:00:00Z", "BY=1;R", "REQUIRETLS"] {
            assert_eq!(mail(unknown, PLAIN), Err(reply::UNKNOWN_PARAMETER), "{unknown}");
        }
        for bad in ["NOTIFY=NEVER,DELAY", "NOTIFY=", "ORCPT=rfc822", "ORCPT=rfc822;a=b", "NOTIFY=DELAY NOTIFY=DELAY"] {
            assert_eq!(rcpt(bad), Err(reply::BAD_PARAMETER), "{bad}");
        }
    }
}
