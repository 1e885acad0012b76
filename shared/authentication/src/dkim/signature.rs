//! DKIM-Signature fields (RFC 6376 §3.5); ARC-Message-Signature has nearly the same tags (RFC 8617 §4.1.2).

use super::Algorithm;
use crate::canonical::Form;
use crate::name;
use crate::tags::{Tags, base64, number, trim};

/// More names in `h=` than this are no honest signature.
const SIGNED: usize = 500;

#[derive(Debug)]
pub(crate) struct Signature<'a> {
    /// `None` where we do not know it.
    pub algorithm: Option<Algorithm>,
    pub domain: String,
    pub selector: &'a str,
    /// `i=` without its local part.
    pub identity: Option<String>,
    pub signed: Vec<&'a [u8]>,
    pub header_form: Form,
    pub body_form: Form,
    pub length: Option<u64>,
    pub body_hash: Vec<u8>,
    pub signature: Vec<u8>,
    /// `x=`, in seconds since 1970.
    pub expires: Option<u64>,
    /// The first characters of `b=`.
    pub mark: String,
}

impl<'a> Signature<'a> {
    /// The error says what is wrong.
    pub fn dkim(value: &'a [u8]) -> Result<Self, &'static str> {
        let tags = Tags::read(value).ok_or("it is no list of tags")?;
        if tags.get("v") != Some(b"1") {
            return Err("v is not 1");
        }
        let out = Self::read(&tags)?;
        if !out.signed.iter().any(|name| name.eq_ignore_ascii_case(b"From")) {
            return Err("From is not signed");
        }
        let identity = out.identity.as_deref().unwrap_or(&out.domain);
        if !name::is_within(identity, &out.domain) {
            return Err("i is not within d");
        }
        if let Some(mut methods) = tags.list("q")
            && !methods.any(|method| method.eq_ignore_ascii_case(b"dns/txt"))
        {
            return Err("q is unknown");
        }
        Ok(out)
    }

    /// ARC-Message-Signature: no `v`, and `i` is a number.
    pub fn arc(tags: &Tags<'a>) -> Result<Self, &'static str> {
        if tags.get("v").is_some() {
            return Err("it has a version");
        }
        let out = Self::read(tags)?;
        if out.signed.iter().any(|name| name.eq_ignore_ascii_case(b"ARC-Seal")) {
            return Err("ARC-Seal is signed");
        }
        Ok(out)
    }

    fn read(tags: &Tags<'a>) -> Result<Self, &'static str> {
        let (domain, selector) = signer(tags)?;
        let (header_form, body_form) = forms(tags.get("c")).ok_or("c is unknown")?;
        let signed: Vec<&[u8]> = tags.list("h").ok_or("h is missing")?.collect();
        if signed.len() > SIGNED || signed.iter().any(|name| name.is_empty()) {
            return Err("h is no list of fields");
        }
        let optional = |name| match tags.get(name) {
            None => Ok(None),
            Some(text) => number(text).map(Some).ok_or("a number is none"),
        };
        let (time, expires) = (optional("t")?, optional("x")?);
        if time.zip(expires).is_some_and(|(time, expires)| expires < time) {
            return Err("x lies before t");
        }
        let identity = match tags.text("i").and_then(|identity| identity.rsplit_once('@')) {
            Some((_, domain)) => Some(name::canonical(domain).ok_or("i has no domain")?),
            None => None,
        };
        let (algorithm, signature, mark) = seal(tags)?;
        Ok(Self {
            algorithm,
            domain,
            selector,
            identity,
            signed,
            header_form,
            body_form,
            length: optional("l")?,
            body_hash: tags.get("bh").and_then(base64).ok_or("bh is missing")?,
            signature,
            expires,
            mark,
        })
    }
}

/// `d=` and `s=`
pub(crate) fn signer<'a>(tags: &Tags<'a>) -> Result<(String, &'a str), &'static str> {
    let domain = tags.text("d").and_then(name::canonical).ok_or("d is no domain")?;
    let selector = tags.text("s").filter(|selector| is_selector(selector)).ok_or("s is no selector")?;
    Ok((domain, selector))
}

/// `a=` and `b=`, and the first characters of the latter.
pub(crate) fn seal(tags: &Tags<'_>) -> Result<(Option<Algorithm>, Vec<u8>, String), &'static str> {
    let named = tags.get("a").ok_or("a is missing")?;
    let algorithm =
        [Algorithm::RsaSha256, Algorithm::Ed25519Sha256].into_iter().find(|known| named.eq_ignore_ascii_case(known.name().as_bytes()));
    let text = tags.get("b").ok_or("b is missing")?;
    let signature = base64(text).filter(|bytes| !bytes.is_empty()).ok_or("b is no base64")?;
    let mark = text.iter().filter(|byte| !byte.is_ascii_whitespace()).take(8).map(|byte| char::from(*byte)).collect();
    Ok((algorithm, signature, mark))
}

/// RFC 6376 §3.1: labels, as in a domain.
pub(crate) fn is_selector(text: &str) -> bool {
    let label = |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    text.len() <= 128 && name::is_name(text) && text.split('.').all(label)
}

fn forms(text: Option<&[u8]>) -> Option<(Form, Form)> {
    let form = |text: &[u8]| match trim(text) {
        text if text.eq_ignore_ascii_case(b"simple") => Some(Form::Simple),
        text if text.eq_ignore_ascii_case(b"relaxed") => Some(Form::Relaxed),
        _ => None,
    };
    let Some(text) = text else { return Some((Form::Simple, Form::Simple)) };
    let mut parts = text.splitn(2, |byte| *byte == b'/');
    let header = form(parts.next()?)?;
    Some((header, parts.next().map_or(Some(Form::Simple), form)?))
}

/// The whole field with nothing behind `b=` (RFC 6376 §3.7).
pub(crate) fn without_b(whole: &[u8]) -> Vec<u8> {
    let colon = whole.iter().position(|byte| *byte == b':').map_or(0, |at| at + 1);
    let (name, value) = whole.split_at_checked(colon).unwrap_or((whole, &[]));
    let mut out = name.to_vec();
    for (at, tag) in value.split(|byte| *byte == b';').enumerate() {
        if at > 0 {
            out.push(b';');
        }
        let equals = tag.iter().position(|byte| *byte == b'=').map_or(0, |at| at + 1);
        let (name, _) = tag.split_at_checked(equals).unwrap_or((tag, &[]));
        let is_b = trim(name.strip_suffix(b"=").unwrap_or_default()) == b"b";
        out.extend_from_slice(if is_b { name } else { tag });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "v=1; a=rsa-sha256; d=Example.com; s=a.b; h=From : to; bh=YQ==; b=\r\n Y\r\n Q==";

    #[test]
    fn a_signature() {
        let signature = Signature::dkim(GOOD.as_bytes()).unwrap();
        assert_eq!((signature.domain.as_str(), signature.selector, signature.mark.as_str()), ("example.com", "a.b", "YQ=="));
        assert_eq!((signature.header_form, signature.body_form), (Form::Simple, Form::Simple));
        assert_eq!((signature.signed, signature.signature), (vec![b"From".as_slice(), b"to"], b"a".to_vec()));
        let relaxed = GOOD.to_owned() + "; c=relaxed; i=@a.example.com; q=x:dns/txt; t=1; x=2; l=3";
        let signature = Signature::dkim(relaxed.as_bytes()).unwrap();
        assert_eq!((signature.header_form, signature.body_form, signature.length), (Form::Relaxed, Form::Simple, Some(3)));
    }

    #[test]
    fn what_is_none() {
        for (from, to) in [
            ("v=1", "v=2"),
            ("v=1", "w=1"),
            ("d=Example.com", "d=-"),
            ("d=Example.com", "d=legitimate.com(.attacker.com"),
            ("s=a.b", "s=a..b"),
            ("s=a.b", "s=a b"),
            ("h=From : to", "h=to"),
            ("h=From : to", "h=From:"),
            ("bh=YQ==", "bh=?"),
            ("a=rsa-sha256", "c=x"),
            ("a=rsa-sha256", "a=rsa-sha256; c=simple/x"),
            ("a=rsa-sha256", "a=rsa-sha256; x=1; t=2"),
            ("a=rsa-sha256", "a=rsa-sha256; l=-1"),
            ("a=rsa-sha256", "a=rsa-sha256; i=@b.com"),
            ("a=rsa-sha256", "a=rsa-sha256; q=http"),
        ] {
            let bad = GOOD.replace(from, to);
            assert!(Signature::dkim(bad.as_bytes()).is_err(), "{bad}");
        }
        assert_eq!(Signature::dkim(GOOD.replace("rsa-sha256", "rsa-sha1").as_bytes()).unwrap().algorithm, None);
    }

    #[test]
    fn b_is_taken_out() {
        assert_eq!(without_b(b"X: bh=b=;\r\n b =\r\n ab\r\n c; d=1\r\n"), b"X: bh=b=;\r\n b =; d=1\r\n");
        assert_eq!(without_b(b"X: a=1; b=abc\r\n"), b"X: a=1; b=");
        assert_eq!(without_b(b"no colon"), b"no colon");
    }
}
