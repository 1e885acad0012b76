//! How clients are set up: a person types their address, and the client finds servers and ports by itself. Everything here
//! is the same for every address of a domain, so nobody learns from it whether an address exists.
//!
//! | file | what |
//! |---|---|
//! | thunderbird.rs | config-v1.1.xml, which K-9 and others read too |
//! | outlook.rs, request.rs | Autodiscover in XML (MS-OXDSCLI) and the request that it answers |
//! | locate.rs | Autodiscover version 2: where the other one is |
//! | apple.rs | a configuration profile |
//! | host.rs | the name by which we were asked |

mod apple;
mod host;
mod locate;
mod outlook;
mod request;
mod thunderbird;
mod wrong;
mod xml;

#[cfg(test)]
mod tests;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing;
use host::Host;
use penfold_directory::{Directory, Service};
use penfold_domains::mta_sts_policy;
use penfold_types::{Address, Domain};
use wrong::Wrong;

/// Octets of a request; a real one has some hundred.
const BODY: usize = 16 * 1024;
/// How clients spell the path of Autodiscover.
const SPELLINGS: [&str; 4] = ["autodiscover", "Autodiscover", "AutoDiscover", "AUTODISCOVER"];

pub fn router(directory: Directory) -> Router {
    let mut router = Router::new()
        .route("/mail/config-v1.1.xml", routing::get(thunderbird::config))
        .route("/.well-known/autoconfig/mail/config-v1.1.xml", routing::get(thunderbird::config))
        .route("/apple/{file}", routing::get(apple::profile))
        .route("/.well-known/mta-sts.txt", routing::get(mta_sts));
    for (folder, file) in SPELLINGS.iter().flat_map(|folder| SPELLINGS.map(|file| (folder, file))) {
        router = router
            .route(&format!("/{folder}/{file}.xml"), routing::get(outlook::redirect).post(outlook::settings))
            .route(&format!("/{folder}/{file}.json"), routing::get(locate::locate));
    }
    router.layer(DefaultBodyLimit::max(BODY)).with_state(Setup { directory })
}

#[derive(Clone)]
struct Setup {
    directory: Directory,
}

impl Setup {
    async fn service(&self) -> Result<Service, Wrong> {
        self.directory.service().await?.ok_or(Wrong::NotYet)
    }

    /// Refuses a domain that is nobody's here.
    async fn ours(&self, domain: Option<Domain>) -> Result<Domain, Wrong> {
        let domain = domain.ok_or(Wrong::Unknown)?;
        match self.directory.domain_tenant(&domain).await? {
            Some(_) => Ok(domain),
            None => Err(Wrong::Unknown),
        }
    }
}

type Parameters = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// The address that a query names under one of these names, in any case of letters.
fn address(parameters: Parameters, name: &str) -> Result<Option<Address>, Wrong> {
    let Ok(Query(all)) = parameters else { return Err(Wrong::Bad("The query cannot be read.")) };
    let given = all.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).filter(|value| !value.is_empty());
    given.map(|text| text.parse().map_err(|_| Wrong::Bad("Give a whole mail address."))).transpose()
}

/// Where mail for the domain may be sent, and that TLS is to be proven there.
async fn mta_sts(State(setup): State<Setup>, host: Host) -> Result<Response, Wrong> {
    setup.ours(host.below("mta-sts")).await?;
    let text = mta_sts_policy(&setup.service().await?);
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

/// `https://host`, with the port where it is not the usual one; `None` where there is no HTTPS.
fn origin(service: &Service) -> Option<String> {
    match service.https? {
        443 => Some(format!("https://{}", service.host)),
        port => Some(format!("https://{}:{port}", service.host)),
    }
}
