use async_trait::async_trait;
use parking_lot::Mutex;
use penfold_ports::{Fetched, Found, Validators, WEB_REDIRECTS, WEB_SIZE, Web, WebError, WebPage, resolve_url};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Pages of the web in memory. Cheap to clone; clones share everything.
#[derive(Clone, Default)]
pub struct Pages(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    pages: BTreeMap<String, Says>,
    /// Whose addresses are not public.
    hidden: BTreeSet<String>,
    /// With what each URL was asked for, each time.
    asked: BTreeMap<String, Vec<Option<Validators>>>,
}

/// What a URL gives.
#[derive(Clone)]
enum Says {
    File(Found),
    Not(u16, Option<Duration>),
    Moved(String),
    Fails(WebError),
}

impl Pages {
    fn set(&self, url: &str, says: Says) -> &Self {
        self.0.lock().pages.insert(url.to_owned(), says);
        self
    }

    /// A file; whoever has it from before under this tag is told that it is the same.
    pub fn file(&self, url: &str, tag: &str, text: &str) -> &Self {
        let validators = Validators { of: url.to_owned(), etag: Some(tag.to_owned()), last_modified: None };
        self.found(url, Found { bytes: text.to_owned().into(), validators: Some(validators), media: "text/calendar".to_owned() })
    }

    /// The same, with all that there is to say.
    pub fn found(&self, url: &str, found: Found) -> &Self {
        self.set(url, Says::File(found))
    }

    /// An answer without a file.
    pub fn status(&self, url: &str, status: u16, after: Option<Duration>) -> &Self {
        self.set(url, Says::Not(status, after))
    }

    /// A redirect.
    pub fn moved(&self, url: &str, location: &str) -> &Self {
        self.set(url, Says::Moved(location.to_owned()))
    }

    /// No answer at all.
    pub fn fails(&self, url: &str, error: WebError) -> &Self {
        self.set(url, Says::Fails(error))
    }

    /// A host that has no public address.
    pub fn hide(&self, host: &str) -> &Self {
        self.0.lock().hidden.insert(host.to_owned());
        self
    }

    /// How often it was asked for.
    pub fn asked(&self, url: &str) -> usize {
        self.heard(url).len()
    }

    /// With which validators it was asked for, each time.
    pub fn heard(&self, url: &str) -> Vec<Option<Validators>> {
        self.0.lock().asked.get(url).cloned().unwrap_or_default()
    }
}

/// The host of a URL that may be fetched.
fn host(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "443"));
    let port: u16 = port.parse().ok()?;
    let fits = matches!(scheme, "https" | "http") && !host.is_empty() && !authority.contains('@');
    (fits && (matches!(port, 80 | 443) || port >= 1024) && url.bytes().all(|byte| byte.is_ascii_graphic())).then_some(host)
}

fn answer(found: Found, known: Option<&Validators>) -> Result<Fetched, WebError> {
    let same = |now: &Validators, known: &Validators| match (&now.etag, &known.etag) {
        // RFC 9110 §13.2.2: the tag counts, where there is one.
        (Some(now), Some(known)) => now == known,
        _ => now.last_modified.is_some() && now.last_modified == known.last_modified,
    };
    if found.validators.as_ref().zip(known).is_some_and(|(now, known)| same(now, known)) {
        return Ok(Fetched::Same);
    }
    if found.bytes.len() > WEB_SIZE { Err(WebError::Large) } else { Ok(Fetched::New(found)) }
}

#[async_trait]
impl Web for Pages {
    async fn get(&self, wanted: &WebPage) -> Result<Fetched, WebError> {
        let mut state = self.0.lock();
        let mut url = wanted.url.clone();
        host(&url).ok_or(WebError::Url)?;
        for _ in 0..=WEB_REDIRECTS {
            let host = host(&url).ok_or(WebError::Redirect)?;
            if state.hidden.contains(host) {
                return Err(WebError::Forbidden);
            }
            let known = wanted.known.clone().filter(|known| known.of == url);
            let Some(says) = state.pages.get(&url).cloned() else { return Err(WebError::NoName) };
            state.asked.entry(url.clone()).or_default().push(known.clone());
            match says {
                Says::File(found) => return answer(found, known.as_ref()),
                Says::Not(304, _) if known.is_some() => return Ok(Fetched::Same),
                Says::Not(status, after) => return Ok(Fetched::Not { status, after }),
                Says::Fails(error) => return Err(error),
                Says::Moved(location) => {
                    let next = resolve_url(&url, &location);
                    if url.starts_with("https:") && !next.starts_with("https:") {
                        return Err(WebError::Redirect);
                    }
                    url = next;
                }
            }
        }
        Err(WebError::Redirect)
    }
}
