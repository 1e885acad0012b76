//! What somebody asks for, and whether it can be.

use crate::schedule::{LONGEST, SHORTEST};
use penfold_formats::xml::{APPLE, Element, element_bytes};
use penfold_mailbox::Property;
use penfold_types::{Error, Result};

/// A subscription that is to be.
#[derive(Debug, Clone)]
pub struct New {
    /// As people write it: `webcal:` too.
    pub url: String,
    pub name: String,
    /// `#rrggbb`
    pub color: Option<String>,
    /// Seconds.
    pub refresh: u64,
}

/// What is absent stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub url: Option<String>,
    pub name: Option<String>,
    pub refresh: Option<u64>,
}

/// A field of the request, and what is wrong with it.
pub type WrongField = (&'static str, Error);

impl New {
    pub fn check(&self) -> std::result::Result<(), WrongField> {
        read_url(&self.url).map_err(|error| ("/url", error))?;
        check_refresh(self.refresh).map_err(|error| ("/refresh", error))?;
        self.color.as_deref().map(color).transpose().map_err(|error| ("/color", error)).map(|_| ())
    }
}

impl Change {
    pub fn check(&self) -> std::result::Result<(), WrongField> {
        self.url.as_deref().map(read_url).transpose().map_err(|error| ("/url", error))?;
        self.refresh.map(check_refresh).transpose().map_err(|error| ("/refresh", error)).map(|_| ())
    }

    /// Whether it is followed by a fetch.
    pub fn fetches(&self) -> bool {
        self.url.is_some() || self.refresh.is_some()
    }
}

/// `https` for what means it. Whether it may be fetched is judged when it is.
pub(crate) fn read_url(url: &str) -> Result<String> {
    let wrong = || Error::invalid("a URL that begins with https://, http://, webcal:// or webcals://, of at most 2,048 octets");
    let url = url.trim();
    let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "https" | "webcal" | "webcals" => "https",
        "http" => "http",
        _ => return Err(wrong()),
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() || host.contains('@') || url.len() > 2048 || !rest.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong());
    }
    Ok(format!("{scheme}://{rest}"))
}

pub(crate) fn check_refresh(seconds: u64) -> Result<u64> {
    if (SHORTEST..=LONGEST).contains(&seconds) {
        Ok(seconds)
    } else {
        Err(Error::invalid("a calendar is fetched every 15 minutes to 7 days"))
    }
}

/// The colour, under the name that calendars look for.
pub(crate) fn color(text: &str) -> Result<Property> {
    let fits =
        text.strip_prefix('#').is_some_and(|digits| matches!(digits.len(), 6 | 8) && digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if !fits {
        return Err(Error::invalid("a colour is written as #rrggbb"));
    }
    let element = Element::known(APPLE, "calendar-color").with_text(text);
    Ok((format!("{APPLE}\ncalendar-color").into_bytes(), element_bytes(&element).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_as_people_write_them() {
        for (written, read) in [
            ("https://a.test/x.ics", "https://a.test/x.ics"),
            ("webcal://a.test/x.ics?k=1", "https://a.test/x.ics?k=1"),
            (" WEBCALS://a.test/x ", "https://a.test/x"),
            ("HTTP://a.test", "http://a.test"),
        ] {
            assert_eq!(read_url(written).unwrap(), read);
        }
        for wrong in [
            "",
            "a.test",
            "ftp://a.test/",
            "file:///etc/passwd",
            "https://",
            "https://u:p@a.test/",
            "https://a.test/ x",
            "https://a.test/\r\nX",
        ] {
            assert!(read_url(wrong).is_err(), "{wrong}");
        }
    }
}
