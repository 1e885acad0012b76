//! What a tenant has, as files: people, or all mail of a mailbox.

use crate::Admin;
use crate::transfers::{After, Progress, TransferProblem, find};
use axum::body::Body as Content;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::{Stream, try_unfold};
use penfold_directory::Permission;
use penfold_rest::{Body, Call, Listed, Paging, Params, Problem, When};
use penfold_transfers::{Order, Part, State as Is, Transfer, Transfers};
use penfold_types::PrincipalId;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use utoipa::ToSchema;

/// A file of what is there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Export {
    id: String,
    kind: ExportKind,
    /// Whose mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    mailbox: Option<String>,
    #[serde(flatten)]
    progress: Progress,
    /// How many messages there were at the last look.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    /// Until when it can be downloaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    content_until: Option<When>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ExportKind {
    /// All people, as a CSV file that an import takes.
    People,
    /// All messages of one mailbox, as a tar archive of a Maildir.
    Mailbox,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "kind": "people" }))]
pub(crate) struct NewExport {
    kind: ExportKind,
    /// The id of the person or shared mailbox, where the kind is `mailbox`.
    mailbox: Option<String>,
}

impl Export {
    fn of(transfer: &Transfer) -> Result<Self, Problem> {
        let (kind, mailbox) = match transfer.order {
            Order::ExportPeople => (ExportKind::People, None),
            Order::ExportMailbox { mailbox } => (ExportKind::Mailbox, Some(mailbox.to_string())),
            Order::ImportPeople { .. } => return Err(Problem::not_found()),
        };
        let (id, content_until) = (transfer.id.to_string(), transfer.content_until().map(When));
        Ok(Self { id, kind, mailbox, progress: transfer.into(), total: transfer.total, content_until })
    }
}

/// Exports, the newest first.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/exports", tag = "exports", params(Paging), extensions(("x-permission" = json!("export-read"))),
    responses((status = 200, body = Listed<Export>)))]
pub(crate) async fn list(State(admin): State<Admin>, call: Call, paging: Paging) -> Result<axum::Json<Listed<Export>>, Problem> {
    let (page, next) = crate::transfers::page(&admin.transfers, call.tenant()?, &paging, false).await?;
    let items = page.iter().map(Export::of).collect::<Result<_, _>>()?;
    Ok(axum::Json(Listed::page(items, next)))
}

/// Orders an export. It begins at once; a mailbox needs the right to what is in it, and stands in the audit log.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/exports", tag = "exports", request_body = NewExport,
    extensions(("x-permission" = json!("export-write"))), responses((status = 202, body = Export)))]
pub(crate) async fn order(State(admin): State<Admin>, call: Call, Body(new): Body<NewExport>) -> Result<Response, Problem> {
    let (order, about) = match (new.kind, &new.mailbox) {
        (ExportKind::People, None) => (Order::ExportPeople, "people".to_owned()),
        (ExportKind::People, Some(_)) => return Err(Problem::field("/mailbox", "an export of people has none")),
        (ExportKind::Mailbox, None) => return Err(Problem::field("/mailbox", "the id of a person or shared mailbox")),
        (ExportKind::Mailbox, Some(id)) => {
            call.also(Permission::ContentWrite)?;
            let unknown = || Problem::field("/mailbox", "there is no such person or shared mailbox");
            let mailbox: PrincipalId = id.parse().map_err(|_| unknown())?;
            let address = call.operator()?.mailbox_address(call.tenant()?, mailbox).await.map_err(|_| unknown())?;
            (Order::ExportMailbox { mailbox }, format!("mailbox {address}"))
        }
    };
    crate::transfers::order(&admin, &call, order, &about, StatusCode::ACCEPTED, Export::of).await
}

/// One export.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/exports/{export}", tag = "exports", extensions(("x-permission" = json!("export-read"))),
    responses((status = 200, body = Export)))]
pub(crate) async fn show(State(admin): State<Admin>, call: Call, path: Path<(String, String)>) -> Result<axum::Json<Export>, Problem> {
    let transfer = find(&call, &admin.transfers, path, false).await?;
    admin.transfers.nudge(&transfer).await?;
    Ok(axum::Json(Export::of(&transfer)?))
}

/// Downloads it, whole or a range of it (RFC 9110 §14). Each download stands in the audit log.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/exports/{export}/content", tag = "exports", extensions(("x-permission" = json!("export-write"))),
    responses((status = 200, content((String = "text/csv"), (Vec<u8> = "application/x-tar"))), (status = 206, content((String = "text/csv"), (Vec<u8> = "application/x-tar")))))]
pub(crate) async fn download(
    State(admin): State<Admin>,
    call: Call,
    path: Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let transfer = find(&call, &admin.transfers, path, false).await?;
    let mailbox = matches!(transfer.order, Order::ExportMailbox { .. });
    if mailbox {
        call.also(Permission::ContentWrite)?;
    }
    if transfer.state != Is::Done {
        return Err(Problem::new(StatusCode::CONFLICT, "It is not done; there is nothing to download yet."));
    }
    let parts = admin.transfers.parts(&transfer).await?;
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
    let mut answer = Content::from_stream(stream(admin.transfers.clone(), transfer.clone(), parts, wanted.clone())).into_response();
    *answer.status_mut() = if partial { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let (kind, name) = if mailbox { ("application/x-tar", "mailbox.tar") } else { ("text/csv; charset=utf-8", "people.csv") };
    let fields = answer.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
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

/// Messages that could not be taken out.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/exports/{export}/problems", tag = "exports", params(After),
    extensions(("x-permission" = json!("export-read"))), responses((status = 200, body = Listed<TransferProblem>)))]
pub(crate) async fn problems(
    State(admin): State<Admin>,
    call: Call,
    path: Path<(String, String)>,
    Params(after): Params<After>,
) -> Result<axum::Json<Listed<TransferProblem>>, Problem> {
    crate::transfers::problems(&admin, &call, path, after, false).await
}

/// Stops an export.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/exports/{export}/cancel", tag = "exports", extensions(("x-permission" = json!("export-write"))),
    responses((status = 200, body = Export)))]
pub(crate) async fn cancel(State(admin): State<Admin>, call: Call, path: Path<(String, String)>) -> Result<Response, Problem> {
    crate::transfers::cancel(&admin, &call, path, false, Export::of).await
}

/// Forgets an export that has ended, with its file. Who ordered and downloaded it stays in the audit log.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/exports/{export}", tag = "exports", extensions(("x-permission" = json!("export-write"))),
    responses((status = 204)))]
pub(crate) async fn remove(State(admin): State<Admin>, call: Call, path: Path<(String, String)>) -> Result<StatusCode, Problem> {
    crate::transfers::remove(&admin, &call, path, false).await
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
