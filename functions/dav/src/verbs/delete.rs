//! DELETE (RFC 4918 §9.6).

use crate::call::{Call, Depth};
use crate::condition::Condition;
use crate::resource::Resource;
use crate::wrong::Wrong;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use penfold_mailbox::{Object, Removal};
use penfold_ports::Rights;

pub async fn delete(call: Call) -> Result<Response, Wrong> {
    let condition = Condition::of(&call).await?;
    match call.resource().await? {
        Resource::Object(place, object) => {
            place.need(Rights::DELETE_ITEM.and(Rights::EXPUNGE), "unbind")?;
            place.need_sight(&object).await?;
            let same = |old: Option<&Object>| condition.holds(&place, old) && place.is_as_seen(&object, old);
            match condition.on(&place.mailbox).remove_object(place.folder.id, &object.name, &same).await? {
                Removal::Done => Ok(StatusCode::NO_CONTENT.into_response()),
                Removal::Missing => Err(Wrong::MISSING),
                Removal::Failed => Err(Wrong::FAILED),
            }
        }
        Resource::Collection(place) => {
            // RFC 4918 §9.6.1: a collection is deleted whole.
            if matches!(call.depth()?, Some(Depth::Zero | Depth::One)) {
                return Err(Wrong::BAD);
            }
            if !condition.holds_for_folder() {
                return Err(Wrong::FAILED);
            }
            place.need(Rights::DELETE_FOLDER, "unbind")?;
            condition.on(&place.mailbox).delete_collection(place.folder.id).await?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        Resource::Nothing(..) => Err(Wrong::MISSING),
        _ => Err(Wrong::FORBIDDEN),
    }
}
