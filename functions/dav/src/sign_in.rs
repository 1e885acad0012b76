//! Whose request it is: Basic with the person's address and password, or an app password (RFC 7617).

use crate::wrong::Wrong;
use axum::extract::Request;
use penfold_directory::{Directory, SignInError, SignedIn, Use};
use penfold_rest::{Peer, Private, basic};

/// Who says to be whom, from where.
pub struct Claim {
    named: Option<(String, String)>,
    peer: Peer,
    private: bool,
}

impl Claim {
    pub fn of(request: &Request) -> Self {
        let peer = request.extensions().get::<Peer>().copied().unwrap_or(Peer::UNKNOWN);
        // Whoever hosts the router without saying so answers for it.
        let private = request.extensions().get::<Private>().is_none_or(|private| private.0);
        Self { named: basic(request.headers()), peer, private }
    }
}

pub async fn sign_in(directory: &Directory, claim: Claim) -> Result<SignedIn, Wrong> {
    if !claim.private {
        return Err(Wrong::Clear);
    }
    let (user, password) = claim.named.ok_or(Wrong::SignIn)?;
    let peer = claim.peer;
    directory.sign_in_for(Use::Http, &user, &password, peer.0).await.map_err(|error| match error {
        SignInError::TooMany(wait) => Wrong::Wait(wait),
        SignInError::Unavailable => Wrong::Busy,
        SignInError::Refused | SignInError::NeedsCode => Wrong::SignIn,
    })
}
