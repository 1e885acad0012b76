//! How imports and exports are shown, and how their files come and go.

use crate::{Call, Paging, Problem, When};
use axum::body::Body as Content;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::{Stream, try_unfold};
use http_body_util::BodyExt;
use penfold_transfers::{Part, State, Transfer, Transfers, Wrong};
use penfold_types::{CommitId, Error, Kind, PrincipalId, TenantId};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use utoipa::{IntoParams, ToSchema};

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TransferState {
    /// Its content is still to come.
    Uploading,
    /// It will begin.
    Waiting,
    Running,
    Done,
    /// It could not be carried on; what was done stays.
    Failed,
    /// Somebody stopped it; what was done stays.
    Cancelled,
}

impl From<State> for TransferState {
    fn from(state: State) -> Self {
        match state {
            State::Uploading => Self::Uploading,
            State::Waiting => Self::Waiting,
            State::Running => Self::Running,
            State::Done => Self::Done,
            State::Failed => Self::Failed,
            State::Cancelled => Self::Cancelled,
        }
    }
}

/// What was wrong with one row, or one message.
#[derive(Debug, Serialize, ToSchema)]
pub struct TransferProblem {
    /// The line of the file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<String>,
    /// What is wrong, and what would be taken.
    detail: String,
}

impl From<Wrong> for TransferProblem {
    fn from(wrong: Wrong) -> Self {
        Self { line: Some(wrong.line).filter(|line| *line > 0), column: wrong.column, detail: wrong.detail }
    }
}

/// How far it came.
#[derive(Debug, Serialize, ToSchema)]
pub struct Progress {
    state: TransferState,
    created_by: String,
    created: When,
    #[serde(skip_serializing_if = "Option::is_none")]
    began: Option<When>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<When>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Octets of its content so far.
    octets: u64,
    /// What was done: people, messages, or objects.
    done: u64,
    /// What could not be done.
    failed: u64,
}

impl From<&Transfer> for Progress {
    fn from(transfer: &Transfer) -> Self {
        Self {
            state: transfer.state.into(),
            created_by: transfer.by.clone(),
            created: When(transfer.created),
            began: transfer.began.map(When),
            ended: transfer.ended.map(When),
            reason: transfer.why.clone(),
            octets: transfer.octets,
            done: transfer.done,
            failed: transfer.failed,
        }
    }
}

/// A page of what was wrong. It holds what one step found, so pages differ in length.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct After {
    /// From the page before.
    pub cursor: Option<String>,
}

/// Those of one kind, of a tenant or of somebody's own, the newest first, and where the next page begins.
pub async fn transfers_page(
    transfers: &Transfers,
    (tenant, owner): (TenantId, Option<PrincipalId>),
    paging: &Paging,
    imports: bool,
) -> Result<(Vec<Transfer>, Option<String>), Problem> {
    let wrong = || Problem::field("cursor", "this is no cursor of this list; begin without one");
    let before: Option<CommitId> = paging.after_text()?.map(|text| text.parse().map_err(|_| wrong())).transpose()?;
    let mut all = transfers.all(tenant).await?;
    let fits = |one: &Transfer| one.order.owner() == owner && one.order.is_import() == imports;
    all.retain(|one| fits(one) && before.is_none_or(|before| one.id < before));
    all.reverse();
    let more = all.len() > paging.limit;
    all.truncate(paging.limit);
    let next = all.last().filter(|_| more).map(|one| one.id.to_string());
    Ok((all, next))
}

/// Takes the file of an import, of this media type.
pub async fn uploaded(transfers: &Transfers, call: &Call, transfer: &Transfer, media: &str, request: Request) -> Result<Transfer, Problem> {
    of_media(&request, media)?;
    let mut body: Content = request.into_body();
    let mut upload = transfers.upload(transfer).await?;
    while let Some(bytes) = more(&mut body).await? {
        upload.put(bytes).await.map_err(refused)?;
    }
    upload.finish(&call.operator()?).await.map_err(refused)
}

/// Refuses a request that brings something else.
pub fn of_media(request: &Request, media: &str) -> Result<(), Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(media) {
        return Ok(());
    }
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("Send {media}.")))
}

/// The next octets of a file.
pub async fn more(body: &mut Content) -> Result<Option<Bytes>, Problem> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "The file was cut off; send it again."))?;
        if let Ok(bytes) = frame.into_data() {
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}

/// Why a file is not taken.
pub fn refused(error: Error) -> Problem {
    match error.kind() {
        Kind::Invalid => Problem::field("", error.text()),
        Kind::Limit => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, error.text()),
        _ => error.into(),
    }
}

/// What an export wrote, whole or a range of it (RFC 9110 §14), under this media type and name. The download is noted.
pub async fn downloaded(
    transfers: &Transfers,
    call: &Call,
    transfer: &Transfer,
    headers: &HeaderMap,
    (media, name): (&'static str, &str),
) -> Result<Response, Problem> {
    if transfer.state != State::Done {
        return Err(Problem::new(StatusCode::CONFLICT, "It is not done; there is nothing to download yet."));
    }
    let parts = transfers.parts(transfer).await?;
    let octets: u64 = parts.iter().map(|part| part.octets).sum();
    if octets != transfer.octets {
        return Err(Problem::new(StatusCode::GONE, "It was kept for a week; order it again."));
    }
    let asked = headers.get(header::RANGE).and_then(|value| value.to_str().ok()).and_then(|text| range(text, octets));
    let wanted = match asked {
        Some(None) => {
            let mut answer = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "There is nothing in this range.").into_response();
            answer.headers_mut().insert(header::CONTENT_RANGE, text(&format!("bytes */{octets}")));
            return Ok(answer);
        }
        Some(Some(ref range)) => range.clone(),
        None => 0..octets,
    };
    call.operator()?.note(transfer.tenant, "export.download", &transfer.id.to_string(), "").await?;
    let partial = asked.is_some();
    let mut answer = Content::from_stream(stream(transfers.clone(), transfer.clone(), parts, wanted.clone())).into_response();
    *answer.status_mut() = if partial { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let fields = answer.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    fields.insert(header::CONTENT_LENGTH, HeaderValue::from(wanted.end - wanted.start));
    fields.insert(header::CONTENT_DISPOSITION, text(&format!("attachment; filename=\"{name}\"")));
    fields.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    fields.insert(header::ETAG, text(&format!("\"{}\"", transfer.id)));
    if partial {
        fields.insert(header::CONTENT_RANGE, text(&format!("bytes {}-{}/{octets}", wanted.start, wanted.end - 1)));
    }
    Ok(answer)
}

fn text(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

/// One range of octets. `None`: not understood, and so not asked for; `Some(None)`: there is nothing in it.
fn range(text: &str, octets: u64) -> Option<Option<Range<u64>>> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    let range = match (first, last) {
        ("", last) => octets.saturating_sub(number(last)?)..octets,
        (first, "") => number(first)?..octets,
        (first, last) => number(first)?..number(last)?.saturating_add(1).min(octets),
    };
    Some((range.start < range.end).then_some(range))
}

/// The octets of a range, a part at a time, as fast as they are taken.
fn stream(
    transfers: Transfers,
    transfer: Transfer,
    parts: Vec<Part>,
    wanted: Range<u64>,
) -> impl Stream<Item = penfold_types::Result<Bytes>> {
    try_unfold((parts.into_iter(), 0u64), move |(mut left, mut at)| {
        let (transfers, transfer, wanted) = (transfers.clone(), transfer.clone(), wanted.clone());
        async move {
            loop {
                let Some(part) = left.next() else { return Ok(None) };
                let (begin, end) = (at, at + part.octets);
                at = end;
                if end <= wanted.start || begin >= wanted.end {
                    continue;
                }
                let bytes = transfers.part(&transfer, part).await?;
                let from = usize::try_from(wanted.start.saturating_sub(begin)).unwrap_or(0);
                let upto = usize::try_from(wanted.end.min(end) - begin).unwrap_or(bytes.len());
                return Ok(Some((bytes.slice(from..upto.min(bytes.len())), (left, at))));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_as_in_rfc_9110() {
        for (text, found) in [
            ("bytes=0-0", Some(Some(0..1))),
            ("bytes=2-", Some(Some(2..10))),
            ("bytes=2-99", Some(Some(2..10))),
            ("bytes=-3", Some(Some(7..10))),
            ("bytes=-99", Some(Some(0..10))),
            ("bytes=10-", Some(None)),
            ("bytes=-0", Some(None)),
            ("bytes=5-4", Some(None)),
            ("bytes=0-1,3-4", None),
            ("lines=0-1", None),
            ("bytes=a-", None),
        ] {
            assert_eq!(range(text, 10), found, "{text}");
        }
    }
}
