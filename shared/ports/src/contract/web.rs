//! What each adapter of [`Web`] does. `penfold_ports::web_suite!(fixture)` makes one test of each; `fixture` is an
//! `async fn() -> Given`. Time is not paused: an adapter may have real sockets.

use crate::{Fetched, Found, Validators, WEB_REDIRECTS, WEB_SIZE, Web, WebError, WebPage};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

/// What a server gives.
#[derive(Clone, Debug)]
pub enum Says {
    /// Whoever has these validators is told that it is the same. `media` is the field as it is written.
    File {
        bytes: Bytes,
        etag: Option<&'static str>,
        last_modified: Option<&'static str>,
        media: &'static str,
    },
    Status(u16, Option<Duration>),
    Moved(String),
}

/// The tag and the date that came with each request, where they did.
pub type Known = Vec<(Option<String>, Option<String>)>;

/// Servers that a case sets up.
pub trait Site: Send + Sync {
    /// A URL of `http` with this path, at one of two hosts that may be reached.
    fn url(&self, host: Host, path: &str) -> String;
    /// What a URL gives from here on.
    fn says(&self, url: &str, says: Says);
    /// With what a URL was asked for.
    fn heard(&self, url: &str) -> Known;
}

#[derive(Clone, Copy, Debug)]
pub enum Host {
    First,
    Second,
    /// It has an address, which is not public; whatever it says is never heard.
    Inside,
    /// It has no address.
    Nobody,
}

#[derive(Clone)]
pub struct Given {
    pub web: Arc<dyn Web>,
    pub site: Arc<dyn Site>,
}

const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

fn file(text: &str, etag: Option<&'static str>, last_modified: Option<&'static str>) -> Says {
    Says::File { bytes: Bytes::copy_from_slice(text.as_bytes()), etag, last_modified, media: "Text/Calendar; charset=utf-8" }
}

impl Given {
    async fn get(&self, url: &str, known: Option<Validators>) -> Result<Fetched, WebError> {
        self.web.get(&WebPage { url: url.to_owned(), known }).await
    }

    /// Of a file that must come.
    async fn found(&self, url: &str, known: Option<Validators>) -> Found {
        match self.get(url, known).await {
            Ok(Fetched::New(found)) => found,
            other => panic!("{url}: {other:?}"),
        }
    }

    fn first(&self, path: &str) -> String {
        self.site.url(Host::First, path)
    }
}

pub async fn a_file_comes_as_it_is(given: Given) {
    let url = given.first("/a/b.ics?k=1");
    given.site.says(&url, file("BEGIN", Some("\"7\""), Some(DATE)));
    let validators = Validators { of: url.clone(), etag: Some("\"7\"".to_owned()), last_modified: Some(DATE.to_owned()) };
    let wanted = Found { bytes: "BEGIN".into(), validators: Some(validators), media: "text/calendar".to_owned() };
    assert_eq!(given.found(&url, None).await, wanted);
    given.site.says(&url, file("", None, None));
    let found = given.found(&url, None).await;
    assert_eq!((found.bytes.len(), found.validators), (0, None));
}

pub async fn who_has_it_is_told_that_it_is_the_same(given: Given) {
    let url = given.first("/x");
    for (etag, last_modified) in [(Some("\"7\""), None), (None, Some(DATE)), (Some("W/\"7\""), Some(DATE))] {
        given.site.says(&url, file("one", etag, last_modified));
        let known = given.found(&url, None).await.validators;
        assert_eq!(given.get(&url, known.clone()).await, Ok(Fetched::Same));
        assert_eq!(given.site.heard(&url).last(), Some(&(etag.map(str::to_owned), last_modified.map(str::to_owned))));
        given.site.says(&url, file("two", Some("\"8\""), None));
        assert_eq!(given.found(&url, known).await.bytes, "two");
    }
}

pub async fn nobody_is_told_so_who_did_not_ask(given: Given) {
    let url = given.first("/x");
    given.site.says(&url, Says::Status(304, None));
    assert_eq!(given.get(&url, None).await, Ok(Fetched::Not { status: 304, after: None }));
}

pub async fn validators_go_only_to_who_gave_them(given: Given) {
    let (from, one, other) = (given.first("/from"), given.first("/one"), given.site.url(Host::Second, "/other"));
    given.site.says(&from, Says::Moved(one.clone()));
    given.site.says(&one, file("one", Some("\"7\""), None));
    given.site.says(&other, file("two", Some("\"7\""), None));
    let known = given.found(&from, None).await.validators;
    assert_eq!(known.as_ref().map(|known| &known.of), Some(&one));
    assert_eq!(given.get(&from, known.clone()).await, Ok(Fetched::Same));
    given.site.says(&from, Says::Moved(other.clone()));
    assert_eq!(given.found(&from, known.clone()).await.bytes, "two");
    assert_eq!(given.found(&other, known).await.bytes, "two");
    let without = (None, None);
    assert!(given.site.heard(&from).iter().chain(&given.site.heard(&other)).all(|heard| *heard == without));
    assert_eq!(given.site.heard(&one), [without, (Some("\"7\"".to_owned()), None)]);
}

pub async fn other_answers_are_told(given: Given) {
    let url = given.first("/x");
    for (status, after) in [(404, None), (410, None), (401, None), (503, Some(120)), (429, Some(0)), (500, None), (204, None)] {
        let after = after.map(Duration::from_secs);
        given.site.says(&url, Says::Status(status, after));
        assert_eq!(given.get(&url, None).await, Ok(Fetched::Not { status, after }));
    }
}

pub async fn as_many_redirects_as_may_be(given: Given) {
    let at = |n: usize| given.site.url(if n.is_multiple_of(2) { Host::First } else { Host::Second }, &format!("/{n}"));
    for n in 0..=WEB_REDIRECTS {
        given.site.says(&at(n), Says::Moved(at(n + 1)));
    }
    given.site.says(&at(WEB_REDIRECTS + 1), file("x", None, None));
    assert_eq!(given.found(&at(1), None).await.bytes, "x");
    assert_eq!(given.get(&at(0), None).await, Err(WebError::Redirect));
    assert_eq!(given.site.heard(&at(WEB_REDIRECTS + 1)).len(), 1);
}

pub async fn redirects_are_references(given: Given) {
    let from = given.first("/a/b/c?q=1");
    for (location, path) in [("d", "/a/b/d"), ("../d?x=1#top", "/a/d?x=1"), ("/d/./e/../f", "/d/f"), ("?y", "/a/b/c?y"), (".", "/a/b/")] {
        let to = given.first(path);
        given.site.says(&from, Says::Moved(location.to_owned()));
        given.site.says(&to, file(path, Some("\"1\""), None));
        let found = given.found(&from, None).await;
        assert_eq!((&found.bytes[..], found.validators.map(|known| known.of)), (path.as_bytes(), Some(to)), "{location}");
    }
    let other = given.site.url(Host::Second, "/z");
    given.site.says(&other, file("z", None, None));
    given.site.says(&from, Says::Moved(other.replace("http:", "")));
    assert_eq!(given.found(&from, None).await.bytes, "z");
}

pub async fn redirects_lead_to_the_web_alone(given: Given) {
    let from = given.first("/x");
    for location in
        ["file:///etc/passwd", "ftp://a.test/", "http://ann@a.test/", "http://a.test:25/", "http://", "http:x", "http://a.test/ x"]
    {
        given.site.says(&from, Says::Moved(location.to_owned()));
        assert_eq!(given.get(&from, None).await, Err(WebError::Redirect), "{location}");
    }
}

pub async fn what_is_not_public_is_never_asked(given: Given) {
    let (from, inside) = (given.first("/x"), given.site.url(Host::Inside, "/secret"));
    given.site.says(&inside, file("x", None, None));
    given.site.says(&from, Says::Moved(inside.clone()));
    for url in [&inside, &from] {
        assert_eq!(given.get(url, None).await, Err(WebError::Forbidden), "{url}");
    }
    assert!(given.site.heard(&inside).is_empty());
}

pub async fn who_has_no_address_is_not_there(given: Given) {
    assert_eq!(given.get(&given.site.url(Host::Nobody, "/"), None).await, Err(WebError::NoName));
}

pub async fn urls_that_are_none_of_the_web(given: Given) {
    for url in [
        "",
        "a.test/x",
        "/x",
        "ftp://a.test/x",
        "http://",
        "http://ann:secret@a.test/",
        "http://a.test:25/",
        "http://a.test/a b",
        "http://a.test/\r\nX: y",
    ] {
        assert_eq!(given.get(url, None).await, Err(WebError::Url), "{url:?}");
    }
}

pub async fn a_file_is_as_long_as_it_may_be(given: Given) {
    let url = given.first("/x");
    let of = |octets: usize| Says::File { bytes: vec![b'x'; octets].into(), etag: None, last_modified: None, media: "text/plain" };
    given.site.says(&url, of(WEB_SIZE));
    assert_eq!(given.found(&url, None).await.bytes.len(), WEB_SIZE);
    given.site.says(&url, of(WEB_SIZE + 1));
    assert_eq!(given.get(&url, None).await, Err(WebError::Large));
}

/// Makes one test of every rule of `Web`.
#[macro_export]
macro_rules! web_suite {
    ($fixture:path) => {
        $crate::web_cases! { $fixture;
            a_file_comes_as_it_is, who_has_it_is_told_that_it_is_the_same, nobody_is_told_so_who_did_not_ask, validators_go_only_to_who_gave_them,
            other_answers_are_told, as_many_redirects_as_may_be, redirects_are_references, redirects_lead_to_the_web_alone,
            what_is_not_public_is_never_asked, who_has_no_address_is_not_there, urls_that_are_none_of_the_web, a_file_is_as_long_as_it_may_be
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! web_cases {
    ($fixture:path; $($case:ident),* $(,)?) => {
        $(#[tokio::test]
        async fn $case() {
            $crate::contract::web::$case($fixture().await).await;
        })*
    };
}
