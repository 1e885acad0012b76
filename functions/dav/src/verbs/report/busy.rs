//! When somebody is busy (RFC 4791 §7.10).

use super::super::{availability, zone::zone_of};
use crate::place::Place;
use crate::wrong::Wrong;
use crate::xml::Precondition;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::ops::Range;

pub async fn busy(place: &Place, window: Range<i64>) -> Result<Response, Wrong> {
    let zone = zone_of(place).await?;
    let availability = availability::of(place).await?;
    let found = penfold_calendar::busy(&place.mailbox, place.folder.id, window.clone(), &zone, &availability).await?;
    let Some(times) = found else { return Err(Precondition::NUMBER_OF_MATCHES_WITHIN_LIMITS.into()) };
    let text = penfold_calendar::free_busy_text(&window, &times, place.mailbox.env().now());
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, "text/calendar; charset=utf-8; component=VFREEBUSY")], text).into_response())
}
