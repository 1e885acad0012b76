use crate::Problem;
use axum::Router;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::middleware::{Next, from_fn};
use std::net::IpAddr;

/// A router that nobody but the load balancer calls, so that what it says is believed; what is not there is told as everything
/// else is.
pub fn behind_balancer(router: Router) -> Router {
    let named = |mut request: Request, next: Next| {
        if let Some(peer) = Peer::forwarded(request.headers()) {
            request.extensions_mut().insert(peer);
        }
        next.run(request)
    };
    router.fallback(|| async { Problem::not_found() }).layer(from_fn(named))
}

/// Whose request it is, put into the request by whoever hosts the router: the load balancer's word, or the socket's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peer(pub IpAddr);

impl Peer {
    /// Without a word for where a request comes from, all such requests share one limit.
    pub const UNKNOWN: Self = Self(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED));

    /// The last of X-Forwarded-For: what the load balancer itself added.
    pub fn forwarded(headers: &HeaderMap) -> Option<Self> {
        let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
        last.rsplit(',').next()?.trim().parse().ok().map(Self)
    }

    /// The network for limits: an address of version 4, or the first 64 bits of one of version 6.
    pub fn network(self) -> String {
        match self.0 {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => address.segments()[..4].iter().map(|part| format!("{part:x}:")).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_load_balancer_s_own_word_counts() {
        let mut headers = HeaderMap::new();
        assert_eq!(Peer::forwarded(&headers), None);
        headers.append("x-forwarded-for", "203.0.113.9, 198.51.100.7".parse().unwrap());
        assert_eq!(Peer::forwarded(&headers), Some(Peer(IpAddr::from([198, 51, 100, 7]))));
        headers.append("x-forwarded-for", "2001:db8::7".parse().unwrap());
        assert_eq!(Peer::forwarded(&headers), "2001:db8::7".parse().ok().map(Peer));
        headers.append("x-forwarded-for", "somebody".parse().unwrap());
        assert_eq!(Peer::forwarded(&headers), None);
    }
}
