//! The one host that takes all our mail, where we do not deliver ourselves: `smtp://HOST:PORT`,
//! `smtps://USER:PASSWORD@HOST:PORT`.

use crate::session::SignIn;
use std::net::IpAddr;
use std::str::FromStr;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SmartHost {
    /// A name or an address; without brackets.
    pub host: String,
    pub port: u16,
    /// TLS from the first byte (RFC 8314 §3.3); else by STARTTLS.
    pub implicit_tls: bool,
    pub sign_in: Option<SignIn>,
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SmartHostError {
    #[error("a smart host begins with smtp:// or smtps://")]
    Scheme,
    #[error("the smart host has no name, as in smtp://HOST:PORT")]
    Host,
    #[error("the port of the smart host is no number from 1 to 65535")]
    Port,
    #[error("in front of the @ of a smart host stands USER:PASSWORD, where %XX is any other character")]
    SignIn,
    #[error("nothing may stand behind the port of a smart host")]
    Rest,
}

impl SmartHost {
    /// RFC 4616 passwords need TLS with a certificate that is checked, and so does everything that leaves this machine.
    pub(crate) fn needs_tls(&self) -> bool {
        self.implicit_tls || self.sign_in.is_some() || !self.is_loopback()
    }

    fn is_loopback(&self) -> bool {
        let address = self.host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback());
        address || self.host.eq_ignore_ascii_case("localhost")
    }
}

impl FromStr for SmartHost {
    type Err = SmartHostError;

    fn from_str(text: &str) -> Result<Self, SmartHostError> {
        let (scheme, rest) = text.trim().split_once("://").ok_or(SmartHostError::Scheme)?;
        let implicit_tls = match scheme.to_ascii_lowercase().as_str() {
            "smtp" => false,
            "smtps" => true,
            _ => return Err(SmartHostError::Scheme),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (sign_in, place) = match rest.rsplit_once('@') {
            Some((sign_in, place)) => (Some(credentials(sign_in)?), place),
            None => (None, rest),
        };
        if place.contains(['/', '?', '#']) {
            return Err(SmartHostError::Rest);
        }
        let (host, port) = split_port(place)?;
        let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let named = !host.is_empty() && host.chars().all(valid);
        if !named && host.parse::<IpAddr>().is_err() {
            return Err(SmartHostError::Host);
        }
        let port = match port {
            Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or(SmartHostError::Port)?,
            None if implicit_tls => 465,
            None if sign_in.is_some() => 587,
            None => 25,
        };
        Ok(Self { host: host.to_owned(), port, implicit_tls, sign_in })
    }
}

fn split_port(place: &str) -> Result<(&str, Option<&str>), SmartHostError> {
    if let Some(literal) = place.strip_prefix('[') {
        let (host, after) = literal.split_once(']').ok_or(SmartHostError::Host)?;
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err(SmartHostError::Rest),
        };
    }
    Ok(place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))))
}

fn credentials(text: &str) -> Result<SignIn, SmartHostError> {
    let (user, password) = text.split_once(':').ok_or(SmartHostError::SignIn)?;
    let (user, password) = (unescape(user)?, unescape(password)?);
    // RFC 4616 §2: NUL separates the two.
    if user.is_empty() || password.is_empty() || user.contains('\0') || password.contains('\0') {
        return Err(SmartHostError::SignIn);
    }
    Ok(SignIn { user, password })
}

/// RFC 3986 §2.1.
fn unescape(text: &str) -> Result<String, SmartHostError> {
    let (mut out, mut bytes) = (Vec::with_capacity(text.len()), text.bytes());
    let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16)).ok_or(SmartHostError::SignIn);
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let code = digit(bytes.next())? * 16 + digit(bytes.next())?;
        out.push(u8::try_from(code).map_err(|_| SmartHostError::SignIn)?);
    }
    String::from_utf8(out).map_err(|_| SmartHostError::SignIn)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<SmartHost, SmartHostError> {
        text.parse()
    }

    #[test]
    fn urls() {
        let plain = |host: &str, port, implicit_tls| SmartHost { host: host.into(), port, implicit_tls, sign_in: None };
        assert_eq!(parse("smtp://mail.x.test:2525"), Ok(plain("mail.x.test", 2525, false)));
        assert_eq!(parse("smtp://127.0.0.1"), Ok(plain("127.0.0.1", 25, false)));
        assert_eq!(parse("SMTPS://[::1]:465/"), Ok(plain("::1", 465, true)));
        let signed = parse("smtps://ann%40x.test:p%3A@ss%25@mail.x.test").unwrap();
        assert_eq!((signed.port, signed.sign_in), (465, Some(SignIn { user: "ann@x.test".into(), password: "p:@ss%".into() })));
        assert_eq!(parse("smtp://a:b@x.test").unwrap().port, 587);
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let wrong = [
            ("mail.x.test:25", SmartHostError::Scheme),
            ("http://x", SmartHostError::Scheme),
            ("smtp://", SmartHostError::Host),
            ("smtp://a b", SmartHostError::Host),
            ("smtp://[::1", SmartHostError::Host),
            ("smtp://x:0", SmartHostError::Port),
            ("smtp://x:many", SmartHostError::Port),
            ("smtps://user@x", SmartHostError::SignIn),
            ("smtps://:p@x", SmartHostError::SignIn),
            ("smtps://u:%zz@x", SmartHostError::SignIn),
            ("smtps://u:%00@x", SmartHostError::SignIn),
            ("smtp://x/path", SmartHostError::Rest),
            ("smtp://[::1]25", SmartHostError::Rest),
        ];
        for (text, error) in wrong {
            assert_eq!(parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn only_this_machine_is_talked_to_in_the_clear() {
        for (url, needs) in [
            ("smtp://localhost", false),
            ("smtp://[::1]:2525", false),
            ("smtp://127.9.9.9", false),
            ("smtp://u:p@localhost", true),
            ("smtp://x.test", true),
            ("smtps://localhost", true),
        ] {
            assert_eq!(parse(url).unwrap().needs_tls(), needs, "{url}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        assert!(!format!("{:?}", parse("smtps://u:secret@x")).contains("secret"));
    }
}
