//! REPORT (RFC 3253 §3.6), a file for each.

use super::Call;
use crate::wrong::Wrong;
use crate::xml::Precondition;
use axum::response::Response;

pub async fn report(call: Call) -> Result<Response, Wrong> {
    call.resource().await?;
    Err(Precondition::SUPPORTED_REPORT.into())
}
