use async_trait::async_trait;
use parking_lot::Mutex;
use penfold_ports::{Fetched, Found, Web, WebError, WebPage};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Pages of the web in memory. Cheap to clone; clones share everything.
#[derive(Clone, Default)]
pub struct Pages(Arc<Mutex<BTreeMap<String, Page>>>);

struct Page {
    answer: Result<Fetched, WebError>,
    asked: usize,
}

impl Pages {
    /// What a URL gives from here on.
    pub fn answer(&self, url: &str, answer: Result<Fetched, WebError>) -> &Self {
        let mut pages = self.0.lock();
        let asked = pages.get(url).map_or(0, |page| page.asked);
        pages.insert(url.to_owned(), Page { answer, asked });
        drop(pages);
        self
    }

    /// A file; whoever has it from before under this tag is told that it is the same.
    pub fn file(&self, url: &str, tag: &str, text: &str) -> &Self {
        let bytes = text.to_owned().into();
        let found = Found { bytes, etag: Some(tag.to_owned()), last_modified: None, media: "text/calendar".to_owned() };
        self.answer(url, Ok(Fetched::New(found)))
    }

    /// How often it was asked for.
    pub fn asked(&self, url: &str) -> usize {
        self.0.lock().get(url).map_or(0, |page| page.asked)
    }
}

#[async_trait]
impl Web for Pages {
    async fn get(&self, wanted: &WebPage) -> Result<Fetched, WebError> {
        let mut pages = self.0.lock();
        let page = pages.get_mut(&wanted.url).ok_or(WebError::Unreachable)?;
        page.asked += 1;
        match &page.answer {
            Ok(Fetched::New(found)) if found.etag.is_some() && found.etag == wanted.etag => Ok(Fetched::Same),
            answer => answer.clone(),
        }
    }
}
