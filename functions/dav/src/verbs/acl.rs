//! ACL (RFC 3744 §8.1): the rights of a folder set as a whole.

use super::Call;
use crate::wrong::Wrong;
use axum::response::Response;

pub async fn acl(call: Call) -> Result<Response, Wrong> {
    call.resource().await?;
    Err(Wrong::Method)
}
