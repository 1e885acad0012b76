//! How the tenant is seen: names, colours, a logo.

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use penfold_directory::{Branding, Colour, LOGO};
use penfold_rest::{Body, BrandingView, Call, IfMatch, Problem, logo, tagged};
use penfold_types::Address;
use serde::Deserialize;
use utoipa::ToSchema;

/// All of it; what is absent is taken away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "display_name": "Example Ltd", "accent": "#0a5fc4", "support_address": "help@example.test",
    "support_url": "https://help.example.test/" }))]
pub(crate) struct NewBranding {
    /// 1 to 200 octets; also in letters of the service to people of the tenant.
    display_name: Option<String>,
    /// `#rrggbb`, with a contrast of at least 3 to a white page.
    #[schema(pattern = "^#[0-9A-Fa-f]{6}$")]
    accent: Option<String>,
    /// Like `accent`.
    #[schema(pattern = "^#[0-9A-Fa-f]{6}$")]
    second_accent: Option<String>,
    /// Where people ask for help; also in letters.
    support_address: Option<String>,
    /// An https:// address.
    support_url: Option<String>,
}

impl NewBranding {
    fn read(self) -> Result<Branding, Problem> {
        let colour = |field: &str, text: Option<String>| {
            let wrong = || Problem::field(field, "a colour such as #0a5fc4");
            text.map(|text| Colour::parse(&text).ok_or_else(wrong)).transpose()
        };
        let address = |text: String| text.parse::<Address>().map_err(|error| Problem::field("/support_address", format!("{error}")));
        let branding = Branding {
            display_name: self.display_name,
            accent: colour("/accent", self.accent)?,
            second: colour("/second_accent", self.second_accent)?,
            support_address: self.support_address.map(address).transpose()?,
            support_url: self.support_url,
            ..Branding::default()
        };
        match branding.wrong() {
            Some((field, words)) => Err(Problem::field(format!("/{field}"), words)),
            None => Ok(branding),
        }
    }
}

fn place(call: &Call) -> Result<String, Problem> {
    Ok(format!("/v1/tenants/{}/branding/logo", call.tenant()?))
}

fn view(call: &Call, branding: &Branding) -> Result<Response, Problem> {
    Ok(tagged(branding.revision, BrandingView::of(branding, &place(call)?)))
}

/// How the tenant is seen.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/branding", tag = "branding", extensions(("x-permission" = json!("tenant-read"))),
    responses((status = 200, body = BrandingView)))]
pub(crate) async fn show(call: Call) -> Result<Response, Problem> {
    let branding = call.directory().branding(call.tenant()?).await?;
    view(&call, &branding)
}

/// Sets how the tenant is seen, on pages where people sign in and in letters of the service; the logo stays.
#[utoipa::path(put, path = "/v1/tenants/{tenant}/branding", tag = "branding", request_body = NewBranding,
    extensions(("x-permission" = json!("tenant-write"))), responses((status = 200, body = BrandingView)))]
pub(crate) async fn set(call: Call, wanted: IfMatch, Body(new): Body<NewBranding>) -> Result<Response, Problem> {
    let (tenant, new) = (call.tenant()?, new.read()?);
    let expected = wanted.judge(call.directory().branding(tenant).await?.revision)?;
    let set = call.operator()?.expecting(expected).set_branding(tenant, &new).await.map_err(|error| wanted.explain(error))?;
    if call.dry_run {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    view(&call, &set)
}

/// The logo.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/branding/logo", tag = "branding", extensions(("x-permission" = json!("tenant-read"))),
    responses((status = 200, content(("image/png"), ("image/jpeg"), ("image/webp")))))]
pub(crate) async fn show_logo(call: Call, headers: HeaderMap) -> Result<Response, Problem> {
    let branding = call.directory().branding(call.tenant()?).await?;
    let Some(info) = branding.logo else { return Err(Problem::not_found()) };
    logo(&call, call.tenant()?, &info, &headers, "private, no-cache").await
}

/// Sets the logo: a PNG, a JPEG or a WebP of at most 65,536 octets, whatever it is called.
#[utoipa::path(put, path = "/v1/tenants/{tenant}/branding/logo", tag = "branding",
    request_body(content(("image/png"), ("image/jpeg"), ("image/webp"))),
    extensions(("x-permission" = json!("tenant-write"))), responses((status = 200, body = BrandingView)))]
pub(crate) async fn set_logo(call: Call, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.trim().to_ascii_lowercase().starts_with("image/") {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Send an image: image/png, image/jpeg or image/webp."));
    }
    if body.len() > LOGO {
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("A logo has at most {LOGO} octets.")));
    }
    let set = call.operator()?.set_logo(call.tenant()?, Some(body)).await.map_err(|error| match error.kind() {
        penfold_types::Kind::Invalid => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, error.text()),
        _ => error.into(),
    })?;
    if call.dry_run {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    view(&call, &set)
}

/// Takes the logo away.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/branding/logo", tag = "branding", extensions(("x-permission" = json!("tenant-write"))),
    responses((status = 204)))]
pub(crate) async fn remove_logo(call: Call) -> Result<StatusCode, Problem> {
    call.operator()?.set_logo(call.tenant()?, None).await?;
    Ok(StatusCode::NO_CONTENT)
}
