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
            let private = Private::of(true, peer, Some(request.headers()));
            request.extensions_mut().insert(private);
        }
        next.run(request)
    };
    router.fallback(|| async { Problem::not_found() }).layer(from_fn(named))
}

/// Whose request it is, put into the request by whoever hosts the router: the load balancer's word, or the socket's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peer(pub IpAddr);

/// Whether nobody on the way could have read the request: it came by TLS, or from this very machine. Put into it by whoever hosts the router.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Private(pub bool);

impl Private {
    /// `tls`: on the connection that it came by. Behind a load balancer of ours that is the last part of the way; of the first part
    /// it says what that was.
    pub fn of(tls: bool, peer: Peer, forwarded_by: Option<&HeaderMap>) -> Self {
        let first =
            |headers: &HeaderMap| headers.get("x-forwarded-proto").is_some_and(|scheme| scheme.as_bytes().eq_ignore_ascii_case(b"https"));
        Self(match forwarded_by {
            Some(headers) => first(headers),
            None => tls || peer.0.is_loopback(),
        })
    }
}

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
    fn what_is_read_along_is_not_private() {
        let (here, there) = (Peer(IpAddr::from([127, 0, 0, 1])), Peer(IpAddr::from([203, 0, 113, 9])));
        assert_eq!(
            [Private::of(false, here, None), Private::of(true, there, None), Private::of(false, there, None)].map(|one| one.0),
            [true, true, false]
        );
        let mut headers = HeaderMap::new();
        // A load balancer on this machine makes nobody local.
        assert_eq!(Private::of(true, here, Some(&headers)), Private(false));
        headers.insert("x-forwarded-proto", "https".parse().unwrap());
        assert_eq!(Private::of(false, there, Some(&headers)), Private(true));
    }

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
