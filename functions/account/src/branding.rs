//! How a page looks on which people of a domain sign in. For a domain that nobody has, or whose organisation set nothing, it is the
//! same: the default.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use penfold_directory::Branding;
use penfold_rest::{BrandingView, Call, Params, Problem, image, known, logo};
use penfold_types::{Domain, TenantId};
use serde::Deserialize;
use utoipa::IntoParams;

/// For how long browsers keep it.
const CACHING: &str = "public, max-age=300";
/// One transparent pixel: the logo where there is none.
const PIXEL: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0, 0, 1, 8, 6, 0, 0, 0, 0x1f,
    0x15, 0xc4, 0x89, 0, 0, 0, 0x0b, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0x60, 0, 2, 0, 0, 5, 0, 1, 0x7a, 0x5e, 0xab, 0x3f, 0, 0, 0,
    0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];
const PIXEL_TAG: &str = "\"pixel\"";

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfDomain {
    /// What stands behind the @.
    domain: Option<String>,
}

async fn find(call: &Call, of: &OfDomain) -> Result<Option<(TenantId, Branding)>, Problem> {
    let Some(domain) = of.domain.as_deref().and_then(|text| text.parse::<Domain>().ok()) else { return Ok(None) };
    let Some(tenant) = call.directory().domain_tenant(&domain).await? else { return Ok(None) };
    Ok(Some((tenant, call.directory().branding(tenant).await?)))
}

/// How a page looks on which people of a domain sign in; all fields are absent where nothing was set.
#[utoipa::path(get, path = "/v1/branding", tag = "branding", params(OfDomain), extensions(("x-permission" = json!("public"))),
    responses((status = 200, body = BrandingView)))]
pub(crate) async fn show(call: Call, Params(of): Params<OfDomain>) -> Result<axum::Json<BrandingView>, Problem> {
    let Some((_, branding)) = find(&call, &of).await? else { return Ok(axum::Json(BrandingView::default())) };
    Ok(axum::Json(BrandingView::of(&branding, &format!("/v1/branding/logo?domain={}", of.domain.unwrap_or_default()))))
}

/// The logo for such a page; one transparent pixel where none was set.
#[utoipa::path(get, path = "/v1/branding/logo", tag = "branding", params(OfDomain), extensions(("x-permission" = json!("public"))),
    responses((status = 200, content(("image/png"), ("image/jpeg"), ("image/webp")))))]
pub(crate) async fn show_logo(call: Call, Params(of): Params<OfDomain>, headers: HeaderMap) -> Result<Response, Problem> {
    match find(&call, &of).await? {
        Some((tenant, Branding { logo: Some(info), .. })) => logo(&call, tenant, &info, &headers, CACHING).await,
        _ if known(&headers, PIXEL_TAG) => Ok(image(StatusCode::NOT_MODIFIED, "image/png", PIXEL_TAG, CACHING, Vec::new())),
        _ => Ok(image(StatusCode::OK, "image/png", PIXEL_TAG, CACHING, PIXEL.to_vec())),
    }
}
