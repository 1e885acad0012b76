//! Whose request it is: Basic with the person's address and password, or an app password (RFC 7617).

use crate::wrong::Wrong;
use axum::extract::Request;
use penfold_directory::{Directory, SignInError, SignedIn, Use};
use penfold_rest::{Peer, basic};

pub async fn sign_in(directory: &Directory, request: &Request) -> Result<SignedIn, Wrong> {
    let (user, password) = basic(request.headers()).ok_or(Wrong::SignIn)?;
    let peer = request.extensions().get::<Peer>().copied().unwrap_or(Peer::UNKNOWN);
    directory.sign_in_for(Use::Http, &user, &password, peer.0).await.map_err(|error| match error {
        SignInError::TooMany(wait) => Wrong::Wait(wait),
        SignInError::Unavailable => Wrong::Busy,
        SignInError::Refused | SignInError::NeedsCode => Wrong::SignIn,
    })
}
