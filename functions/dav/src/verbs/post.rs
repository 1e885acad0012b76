//! POST: nothing takes one yet.

use super::Call;
use crate::wrong::Wrong;
use axum::response::Response;

pub async fn post(call: Call) -> Result<Response, Wrong> {
    call.resource().await?;
    Err(Wrong::Method)
}
