//! Lists come page by page. A cursor is opaque: it says where the last page ended, and belongs to its list.

use crate::Problem;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

const DEFAULT: usize = 50;
const MOST: usize = 200;
/// Characters of a cursor.
const CURSOR: usize = 800;

/// One page of a list.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Listed<T> {
    pub items: Vec<T>,
    /// Give it as `cursor` for what comes next; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T> Listed<T> {
    pub fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }

    pub fn page(items: Vec<T>, next: Option<impl AsRef<[u8]>>) -> Self {
        Self { items, next: next.map(|next| BASE64_URL_SAFE_NO_PAD.encode(next)) }
    }
}

#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// Items of a page, 1 to 200; 50 where it is absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// From the page before.
    cursor: Option<String>,
}

impl IntoParams for Paging {
    fn into_params(place: impl Fn() -> Option<utoipa::openapi::path::ParameterIn>) -> Vec<utoipa::openapi::path::Parameter> {
        Asked::into_params(place)
    }
}

/// Which page: `limit` (1 to 200, 50 where it is absent) and `cursor`.
#[derive(Debug, Clone)]
pub struct Paging {
    pub limit: usize,
    pub after: Option<Vec<u8>>,
}

impl Paging {
    pub fn new(limit: Option<usize>, cursor: Option<&str>) -> Result<Self, Problem> {
        let limit = limit.unwrap_or(DEFAULT);
        if !(1..=MOST).contains(&limit) {
            return Err(Problem::field("limit", format!("a page has 1 to {MOST} items")));
        }
        let wrong = || Problem::field("cursor", "this is no cursor of this list; begin without one");
        let after = match cursor {
            None => None,
            Some(text) if text.len() > CURSOR => return Err(wrong()),
            Some(text) => Some(BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?),
        };
        Ok(Self { limit, after })
    }

    /// Where it goes on, as text; most lists do by a name.
    pub fn after_text(&self) -> Result<Option<&str>, Problem> {
        let wrong = |_| Problem::field("cursor", "this is no cursor of this list; begin without one");
        self.after.as_deref().map(std::str::from_utf8).transpose().map_err(wrong)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Query(asked) = Query::<Asked>::try_from_uri(&parts.uri).map_err(|error| Problem::field("limit", error.body_text()))?;
        Self::new(asked.limit, asked.cursor.as_deref())
    }
}
