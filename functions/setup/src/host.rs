//! The name by which we were asked: `Host`, or `:authority` in HTTP/2 (RFC 9110 §7.2).

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use axum::http::uri::Authority;
use penfold_types::Domain;
use std::convert::Infallible;

/// `None`: an address literal, or what is no name.
pub(crate) struct Host(Option<Domain>);

impl<S: Send + Sync> FromRequestParts<S> for Host {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let named = || parts.headers.get(header::HOST)?.to_str().ok()?.parse::<Authority>().ok();
        let authority = parts.uri.authority().cloned().or_else(named);
        Ok(Self(authority.and_then(|authority| authority.host().trim_end_matches('.').parse().ok())))
    }
}

impl Host {
    /// The domain behind `label.`; `None` where the name does not begin so.
    pub fn below(&self, label: &str) -> Option<Domain> {
        self.0.as_ref()?.as_str().strip_prefix(label)?.strip_prefix('.')?.parse().ok()
    }

    /// The same, or the name itself where it does not begin so.
    pub fn domain(&self, label: &str) -> Option<Domain> {
        self.below(label).or_else(|| self.0.clone())
    }
}
