//! URLs of the web (RFC 3986), as far as they are fetched.

use super::judge::is_port;
use hyper::Uri;
use penfold_ports::resolve_url;
use std::net::IpAddr;

/// Octets of a URL.
const LONGEST: usize = 2048;

/// Where a request goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Target {
    pub tls: bool,
    /// In small letters, without brackets.
    pub host: String,
    pub port: u16,
    /// Path and query.
    pub path: String,
}

impl Target {
    /// `None`: it is no URL that may be fetched.
    pub fn read(url: &str) -> Option<Self> {
        if url.len() > LONGEST || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let url = url.split_once('#').map_or(url, |(url, _)| url);
        let uri: Uri = url.parse().ok()?;
        let tls = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let authority = uri.authority()?;
        if authority.as_str().contains('@') {
            return None;
        }
        let host = authority.host().trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
        // The reader passes over a port that is none.
        let port = match authority.as_str().get(authority.host().len()..)? {
            "" if tls => 443,
            "" => 80,
            port => port.strip_prefix(':')?.parse().ok()?,
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        // What a reader of hosts takes for a number, and another for a name, is neither.
        let digits =
            host.parse::<IpAddr>().is_err() && host.rsplit('.').next().is_none_or(|last| last.starts_with(|c: char| c.is_ascii_digit()));
        let fits = !host.is_empty() && host.len() <= 253 && !digits && is_port(port);
        fits.then(|| Self { tls, host, port, path: if path.starts_with('/') { path.to_owned() } else { format!("/{path}") } })
    }

    /// The host as a field says it (RFC 9110 §7.2).
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == if self.tls { 443 } else { 80 } { host } else { format!("{host}:{}", self.port) }
    }

    /// The whole of it.
    pub fn url(&self) -> String {
        format!("{}://{}{}", if self.tls { "https" } else { "http" }, self.authority(), self.path)
    }

    /// Where a redirect leads (RFC 9110 §10.2.2); never from TLS to where there is none.
    pub fn follow(&self, location: &str) -> Option<Self> {
        Self::read(&resolve_url(&self.url(), location.trim())).filter(|to| to.tls || !self.tls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_that_may_be_fetched() {
        let read = |url| Target::read(url).map(|to| (to.tls, to.host, to.port, to.path));
        let of = |tls, host: &str, port, path: &str| Some((tls, host.to_owned(), port, path.to_owned()));
        assert_eq!(read("https://Cal.Example.com"), of(true, "cal.example.com", 443, "/"));
        assert_eq!(read("http://example.com:8080/a/b.ics?x=1#top"), of(false, "example.com", 8080, "/a/b.ics?x=1"));
        assert_eq!(read("https://[2001:db8::1]/x"), of(true, "2001:db8::1", 443, "/x"));
        assert_eq!(read("http://192.0.2.7/x"), of(false, "192.0.2.7", 80, "/x"));
        for wrong in [
            "",
            "/x",
            "ftp://example.com/",
            "file:///etc/passwd",
            "https://",
            "https://ann@example.com/",
            "https://ann:p@example.com/",
            "https://example.com:25/",
            "https://example.com:99999/",
            "https://example.com/a b",
            "https://example.com/\r\nX: y",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0177.0.0.1/",
            "https://ex\u{e4}mple.com/",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn redirects_lead_on_but_never_out_of_tls() {
        let from = Target::read("https://a.test/x/y.ics?k=1").unwrap();
        let to = |location| from.follow(location).map(|to| format!("{}{}", to.authority(), to.path));
        for (location, wanted) in [
            ("/z", "a.test/z"),
            ("z.ics", "a.test/x/z.ics"),
            ("?k=2", "a.test/x/y.ics?k=2"),
            ("//b.test/q", "b.test/q"),
            ("https://b.test:8443/q?u=http://c.test/", "b.test:8443/q?u=http://c.test/"),
            ("z?u=http://c.test/", "a.test/x/z?u=http://c.test/"),
            ("../q/./z.ics#top", "a.test/q/z.ics"),
            ("../../../z.ics", "a.test/z.ics"),
            ("HTTPS://b.test/q/../z", "b.test/z"),
        ] {
            assert_eq!(to(location).as_deref(), Some(wanted), "{location}");
        }
        for wrong in ["http://a.test/z", "gopher://a.test/", "https://u@a.test/", "https://a.test:22/", "https:z"] {
            assert_eq!(to(wrong), None, "{wrong}");
        }
        assert!(Target::read("http://a.test/").unwrap().follow("https://a.test/").is_some());
    }
}
