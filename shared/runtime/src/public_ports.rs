//! On which ports the service is reached from outside, whatever it listens on behind a load balancer or a port forwarding:
//! `submission=587,submissions=465,imap=143,imaps=993,https=443`. A port that is `none` or 0 is not served.

use serde::Deserialize;
use std::str::FromStr;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PublicPorts {
    pub submission: Option<u16>,
    pub submissions: Option<u16>,
    pub imap: Option<u16>,
    pub imaps: Option<u16>,
    pub https: Option<u16>,
}

/// Those of the standards.
impl Default for PublicPorts {
    fn default() -> Self {
        Self { submission: Some(587), submissions: Some(465), imap: Some(143), imaps: Some(993), https: Some(443) }
    }
}

/// What is not named keeps its standard port.
impl FromStr for PublicPorts {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut ports = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, port) = part.split_once('=').ok_or_else(|| format!("{part:?} is not NAME=PORT"))?;
            let port = match port.trim() {
                "none" => None,
                number => {
                    Some(number.parse::<u16>().map_err(|_| format!("{number:?} is neither a port nor none"))?).filter(|port| *port > 0)
                }
            };
            let slot = match name.trim() {
                "submission" => &mut ports.submission,
                "submissions" => &mut ports.submissions,
                "imap" => &mut ports.imap,
                "imaps" => &mut ports.imaps,
                "https" => &mut ports.https,
                other => return Err(format!("{other:?} is none of submission, submissions, imap, imaps, https")),
            };
            *slot = port;
        }
        Ok(ports)
    }
}

impl TryFrom<String> for PublicPorts {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_named_and_what_is_not_named_is_standard() {
        let ports: PublicPorts = "imap=none, submission=0,https=8443".parse().unwrap();
        assert_eq!((ports.imap, ports.submission, ports.https, ports.imaps), (None, None, Some(8443), Some(993)));
        assert_eq!("".parse(), Ok(PublicPorts::default()));
        for wrong in ["imap", "pop3=110", "imap=x", "imap=70000"] {
            assert!(wrong.parse::<PublicPorts>().is_err(), "{wrong}");
        }
    }
}
