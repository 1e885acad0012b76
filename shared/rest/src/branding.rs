//! How a tenant is seen, and its logo as bytes.

use crate::{Call, Problem};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use penfold_directory::{Branding, Colour, LogoInfo};
use penfold_types::TenantId;
use serde::Serialize;
use utoipa::ToSchema;

/// How an organisation is seen. What was not set is absent.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct BrandingView {
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accent: Option<String>,
    /// Black or white: what reads on the accent.
    #[serde(skip_serializing_if = "Option::is_none")]
    text_on_accent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    second_accent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_on_second_accent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    support_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    support_url: Option<String>,
    /// The path under which the logo is.
    #[serde(skip_serializing_if = "Option::is_none")]
    logo: Option<String>,
}

impl BrandingView {
    /// `logo`: where one is, where there is one.
    pub fn of(branding: &Branding, logo: &str) -> Self {
        let colour = |colour: Option<Colour>| colour.map(|colour| colour.to_string());
        Self {
            display_name: branding.display_name.clone(),
            accent: colour(branding.accent),
            text_on_accent: colour(branding.accent.map(Colour::text_on_it)),
            second_accent: colour(branding.second),
            text_on_second_accent: colour(branding.second.map(Colour::text_on_it)),
            support_address: branding.support_address.as_ref().map(ToString::to_string),
            support_url: branding.support_url.clone(),
            logo: branding.logo.as_ref().map(|_| logo.to_owned()),
        }
    }
}

/// The bytes of a logo, or that they are those that the caller has (RFC 9110 §13.1.2).
pub async fn logo(call: &Call, tenant: TenantId, info: &LogoInfo, headers: &HeaderMap, caching: &'static str) -> Result<Response, Problem> {
    let tag = format!("\"{}\"", info.tag);
    if known(headers, &tag) {
        return Ok(image(StatusCode::NOT_MODIFIED, info.kind.content_type(), &tag, caching, Vec::new()));
    }
    let bytes = call.directory().logo(tenant).await?.ok_or_else(Problem::not_found)?;
    Ok(image(StatusCode::OK, info.kind.content_type(), &tag, caching, bytes.to_vec()))
}

pub fn known(headers: &HeaderMap, tag: &str) -> bool {
    let all = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|text| text.split(',')).map(|one| one.trim().trim_start_matches("W/")).any(|one| one == tag || one == "*")
}

/// A picture that is a picture for every browser, and nothing else.
pub fn image(status: StatusCode, kind: &'static str, tag: &str, caching: &'static str, bytes: Vec<u8>) -> Response {
    let mut answer = (status, bytes).into_response();
    let headers = answer.headers_mut();
    if status == StatusCode::NOT_MODIFIED {
        headers.remove(header::CONTENT_TYPE);
    } else {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
    answer
}
