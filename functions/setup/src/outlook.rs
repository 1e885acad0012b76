//! Autodiscover in XML, as Outlook asks for it: MS-OXDSCLI §2.2.4, with IMAP and SMTP for its protocols.

use crate::wrong::Wrong;
use crate::xml::{self, element};
use crate::{Setup, origin, request};
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use penfold_directory::Service;
use penfold_types::Address;

const FRAME: &str = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006";
const OUTLOOK: &str = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";
pub(crate) const PATH: &str = "/autodiscover/autodiscover.xml";

/// MS-OXDSCLI, and MS-ASCMD §2.2.3.64: no such address; a request that cannot be read; an answer that nobody gives here.
const NOT_FOUND: (u16, &str) = (500, "The email address cannot be found.");
const INVALID: (u16, &str) = (600, "Invalid Request");
const NO_PROVIDER: (u16, &str) = (601, "Provider is not available");

/// MS-OXDISCO §3.1.5.4: a client that found no certificate to trust asks in the clear, and is told where there is one.
pub(crate) async fn redirect(State(setup): State<Setup>) -> Result<Response, Wrong> {
    let origin = origin(&setup.service().await?).ok_or(Wrong::Unknown)?;
    Ok((StatusCode::FOUND, [(header::LOCATION, format!("{origin}{PATH}"))]).into_response())
}

/// What is wrong with a request is said in its own schema, with status 200, or clients do not read it.
pub(crate) async fn settings(State(setup): State<Setup>, body: Result<Bytes, BytesRejection>) -> Result<Response, Wrong> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Wrong::TooLarge,
        _ => Wrong::Bad("The request did not come whole."),
    })?;
    let Some(request) = request::read(&body) else { return Ok(failed(INVALID)) };
    let Ok(address) = request.address.parse::<Address>() else { return Ok(failed(INVALID)) };
    if request.schema != OUTLOOK {
        return Ok(failed(NO_PROVIDER));
    }
    match setup.ours(Some(address.domain().clone())).await {
        Ok(_) => Ok(answer(write(&address, &setup.service().await?))),
        Err(Wrong::Unknown) => Ok(failed(NOT_FOUND)),
        Err(other) => Err(other),
    }
}

fn answer(text: String) -> Response {
    ([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], text).into_response()
}

fn failed((code, message): (u16, &str)) -> Response {
    let mut out = format!("{}<Autodiscover xmlns=\"{FRAME}\">\n  <Response>\n    <Error>\n", xml::DECLARATION);
    element(3, "ErrorCode", code, &mut out);
    element(3, "Message", message, &mut out);
    out.push_str("      <DebugData />\n    </Error>\n  </Response>\n</Autodiscover>\n");
    answer(out)
}

fn write(address: &Address, service: &Service) -> String {
    let mut out = format!("{}<Autodiscover xmlns=\"{FRAME}\">\n  <Response xmlns=\"{OUTLOOK}\">\n    <User>\n", xml::DECLARATION);
    element(3, "DisplayName", address, &mut out);
    out.push_str("    </User>\n    <Account>\n");
    element(3, "AccountType", "email", &mut out);
    element(3, "Action", "settings", &mut out);
    protocol("IMAP", [(service.imaps, "SSL"), (service.imap, "TLS")], address, service, &mut out);
    protocol("SMTP", [(service.submissions, "SSL"), (service.submission, "TLS")], address, service, &mut out);
    out.push_str("    </Account>\n  </Response>\n</Autodiscover>\n");
    out
}

/// Outlook reads one of each kind: the one with TLS from the first byte, where it is served. `TLS` means STARTTLS.
fn protocol(kind: &str, ports: [(Option<u16>, &str); 2], address: &Address, service: &Service, out: &mut String) {
    let Some((port, encryption)) = ports.into_iter().find_map(|(port, encryption)| Some((port?, encryption))) else { return };
    out.push_str("      <Protocol>\n");
    element(4, "Type", kind, out);
    element(4, "Server", &service.host, out);
    element(4, "Port", port, out);
    element(4, "DomainRequired", "off", out);
    element(4, "LoginName", address, out);
    element(4, "SPA", "off", out);
    element(4, "SSL", "on", out);
    element(4, "Encryption", encryption, out);
    element(4, "AuthRequired", "on", out);
    out.push_str("      </Protocol>\n");
}
