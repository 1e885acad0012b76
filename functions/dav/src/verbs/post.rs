//! POST: attachments of events are brought by it.

use super::attachments;
use crate::call::Call;
use crate::wrong::Wrong;
use axum::response::Response;

pub async fn post(call: Call) -> Result<Response, Wrong> {
    match &call.query {
        Some(query) => attachments::post(&call, query).await,
        None => {
            call.resource().await?;
            Err(Wrong::Method)
        }
    }
}
