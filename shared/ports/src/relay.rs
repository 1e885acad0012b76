use async_trait::async_trait;
use bytes::Bytes;
use penfold_types::Address;

/// What another host said for one recipient.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RelayOutcome {
    /// It took responsibility (2yz).
    Accepted(String),
    /// Try again later (4yz, or no connection).
    Deferred(String),
    /// Never (5yz).
    Refused(String),
}

/// Hands a message to the host that is responsible for other people's mail. One outcome per recipient, in their order.
#[async_trait]
pub trait Relay: Send + Sync {
    async fn send(&self, from: Option<&Address>, to: &[Address], message: Vec<Bytes>) -> Vec<RelayOutcome>;
}
