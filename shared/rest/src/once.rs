//! Idempotency-Key: a POST that is sent again under the same key within a day is not done again; its answer is the one that it
//! got. The answer is kept sealed with the tenant's key, for it may hold a secret.

use crate::body::too_large;
use crate::{BODY, Call, Problem};
use aws_lc_rs::digest;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, Limited};
use penfold_directory::{Once as Kept, Turn};
use serde::{Deserialize, Serialize};
use std::time::Duration;

const KEY: &str = "idempotency-key";
/// Characters of a key.
const LONGEST: usize = 255;

/// A request that wants to be done once.
pub(crate) struct Once {
    call: Call,
    key: String,
    about: String,
}

/// An answer as it is kept.
#[derive(Serialize, Deserialize)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Once {
    pub fn of(call: &Call, parts: &Parts) -> Result<Option<Self>, Problem> {
        let Some(key) = parts.headers.get(KEY).filter(|_| parts.method == Method::POST) else { return Ok(None) };
        let Ok(caller) = call.caller() else { return Ok(None) };
        let wrong = || Problem::field("Idempotency-Key", format!("1 to {LONGEST} printable characters"));
        let key = key.to_str().map_err(|_| wrong())?;
        if key.is_empty() || key.len() > LONGEST {
            return Err(wrong());
        }
        if call.dry_run {
            return Ok(None);
        }
        let about = format!("{} {}", parts.method, parts.uri);
        Ok(Some(Self { call: call.clone(), key: format!("{} {key}", caller.key()), about }))
    }

    pub async fn run(self, request: Request, next: Next) -> Result<Response, Problem> {
        let (parts, body) = request.into_parts();
        let body = Limited::new(body, BODY).collect().await.map_err(|_| too_large())?.to_bytes();
        let hash = |parts: &[&[u8]]| {
            let mut context = digest::Context::new(&digest::SHA256);
            for part in parts {
                context.update(&(part.len() as u64).to_be_bytes());
                context.update(part);
            }
            Bytes::copy_from_slice(context.finish().as_ref())
        };
        let tenant = self.call.caller()?.tenant();
        let kept = Kept { tenant, key: hash(&[self.key.as_bytes()]), print: hash(&[self.about.as_bytes(), &body]) };
        let directory = self.call.directory().clone();
        match directory.begin_once(&kept).await? {
            Turn::Mine => {}
            Turn::Another => return Err(Problem::field("Idempotency-Key", "this key was used for another request; take a new one")),
            Turn::UnderWay => {
                let problem = Problem::new(StatusCode::CONFLICT, "The same request is still being worked on.");
                return Err(problem.after(Duration::from_secs(2)));
            }
            Turn::Done(answer) => return replay(&answer),
        }
        let answer = next.run(Request::from_parts(parts, Body::from(body))).await;
        // What may turn out otherwise the next time is not kept.
        if answer.status().is_server_error() || answer.status() == StatusCode::TOO_MANY_REQUESTS {
            directory.forget_once(&kept).await?;
            return Ok(answer);
        }
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "The answer was lost."))?.to_bytes();
        let told = [header::CONTENT_TYPE, header::ETAG, header::LOCATION];
        let headers = told.iter().filter_map(|name| Some((name.to_string(), parts.headers.get(name)?.to_str().ok()?.to_owned()))).collect();
        let answer = Answer { status: parts.status.as_u16(), headers, body: String::from_utf8_lossy(&body).into_owned() };
        let text = serde_json::to_vec(&answer).unwrap_or_default();
        if let Err(error) = directory.end_once(&kept, &text).await {
            tracing::warn!(%error, "the answer to a request was not kept");
        }
        Ok(Response::from_parts(parts, Body::from(body)))
    }
}

fn replay(kept: &[u8]) -> Result<Response, Problem> {
    let lost = || Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "The answer that was kept cannot be read.");
    let answer: Answer = serde_json::from_slice(kept).map_err(|_| lost())?;
    let status = StatusCode::from_u16(answer.status).map_err(|_| lost())?;
    let mut response = (status, answer.body).into_response();
    response.headers_mut().remove(header::CONTENT_TYPE);
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (header::HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
    Ok(response)
}
