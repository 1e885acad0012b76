//! Whose request it is: Basic with the person's address and password, or an app password (RFC 7617).

use crate::wrong::Wrong;
use axum::extract::Request;
use penfold_directory::{Directory, SignInError, SignedIn, Use};
use penfold_rest::{Peer, basic};

/// Who says to be whom, from where.
pub struct Claim {
    named: Option<(String, String)>,
    peer: Peer,
}

impl Claim {
    pub fn of(request: &Request) -> Self {
        let peer = request.extensions().get::<Peer>().copied().unwrap_or(Peer::UNKNOWN);
        Self { named: basic(request.headers()), peer }
    }
}

pub async fn sign_in(directory: &Directory, claim: Claim) -> Result<SignedIn, Wrong> {
    let (user, password) = claim.named.ok_or(Wrong::SignIn)?;
    let peer = claim.peer;
    directory.sign_in_for(Use::Http, &user, &password, peer.0).await.map_err(|error| match error {
        SignInError::TooMany(wait) => Wrong::Wait(wait),
        SignInError::Unavailable => Wrong::Busy,
        SignInError::Refused | SignInError::NeedsCode => Wrong::SignIn,
    })
}
