//! The contract of `Web`, in memory.

use penfold_ports::contract::web::{Given, Host, Known, Says, Site};
use penfold_ports::{Found, Validators};
use penfold_simulated::Pages;
use std::sync::Arc;

struct Inner(Pages);

impl Site for Inner {
    fn url(&self, host: Host, path: &str) -> String {
        let name = match host {
            Host::First => "a.test",
            Host::Second => "b.test:8080",
            Host::Inside => "inside.test",
            Host::Nobody => "nobody.test",
        };
        format!("http://{name}{path}")
    }

    fn says(&self, url: &str, says: Says) {
        match says {
            Says::File { bytes, etag, last_modified, media } => {
                let (etag, last_modified) = (etag.map(str::to_owned), last_modified.map(str::to_owned));
                let given = etag.is_some() || last_modified.is_some();
                let validators = given.then(|| Validators { of: url.to_owned(), etag, last_modified });
                let media = media.split(';').next().unwrap_or_default().to_lowercase();
                self.0.found(url, Found { bytes, validators, media })
            }
            Says::Status(status, after) => self.0.status(url, status, after),
            Says::Moved(location) => self.0.moved(url, &location),
        };
    }

    fn heard(&self, url: &str) -> Known {
        self.0.heard(url).into_iter().map(|known| known.map(|known| (known.etag, known.last_modified)).unwrap_or_default()).collect()
    }
}

async fn fixture() -> Given {
    let pages = Pages::default();
    pages.hide("inside.test");
    Given { web: Arc::new(pages.clone()), site: Arc::new(Inner(pages)) }
}

penfold_ports::web_suite!(fixture);
