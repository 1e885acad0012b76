//! A configuration profile for Apple's devices, with the payload `com.apple.mail.managed`
//! (developer.apple.com/documentation/devicemanagement/mail). It is not signed, and the device says so.

use crate::wrong::Wrong;
use crate::xml::{self, element};
use crate::{Parameters, Setup, address};
use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use penfold_directory::Service;
use penfold_types::{Address, Domain};

const TYPE: &str = "application/x-apple-aspen-config";
const DOCTYPE: &str = "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n";

/// `/apple/DOMAIN.mobileconfig?address=ADDRESS`; without an address the device asks for it.
pub(crate) async fn profile(State(setup): State<Setup>, Path(file): Path<String>, parameters: Parameters) -> Result<Response, Wrong> {
    let domain = file.strip_suffix(".mobileconfig").and_then(|domain| domain.parse().ok());
    let address = address(parameters, "address")?;
    if address.as_ref().is_some_and(|address| Some(address.domain()) != domain.as_ref()) {
        return Err(Wrong::Bad("The address belongs to another domain."));
    }
    let domain = setup.ours(domain).await?;
    let text = write(&domain, address.as_ref(), &setup.service().await?);
    let disposition = format!("attachment; filename=\"{domain}.mobileconfig\"");
    Ok(([(header::CONTENT_TYPE, TYPE.to_owned()), (header::CONTENT_DISPOSITION, disposition)], text).into_response())
}

fn write(domain: &Domain, address: Option<&Address>, service: &Service) -> String {
    let whose = address.map_or_else(|| domain.to_string(), Address::key);
    let mut out = format!("{}{DOCTYPE}<plist version=\"1.0\">\n<dict>\n", xml::DECLARATION);
    out.push_str("  <key>PayloadContent</key>\n  <array>\n  <dict>\n");
    mail(domain, address, service, &mut out);
    payload("com.apple.mail.managed", domain, &id("account", &whose), &mut out);
    out.push_str("  </dict>\n  </array>\n");
    payload("Configuration", domain, &id("profile", &whose), &mut out);
    out.push_str("  <key>PayloadRemovalDisallowed</key>\n  <false/>\n</dict>\n</plist>\n");
    out
}

/// What every payload says of itself. A device replaces what has the same identifier, so installing twice leaves one.
fn payload(kind: &str, domain: &Domain, id: &str, out: &mut String) {
    text("PayloadType", kind, out);
    number("PayloadVersion", 1, out);
    text("PayloadIdentifier", format!("penfold.mail.{id}"), out);
    text("PayloadUUID", id, out);
    text("PayloadDisplayName", format!("Mail of {domain}"), out);
}

fn mail(domain: &Domain, address: Option<&Address>, service: &Service, out: &mut String) {
    text("EmailAccountType", "EmailTypeIMAP", out);
    text("EmailAccountDescription", domain, out);
    if let Some(address) = address {
        text("EmailAddress", address, out);
    }
    server("Incoming", service.imaps.or(service.imap), address, service, out);
    server("Outgoing", service.submissions.or(service.submission), address, service, out);
    flag("OutgoingPasswordSameAsIncomingPassword", out);
}

/// With `UseSSL` a device takes TLS from the first byte or STARTTLS, whichever the port wants.
fn server(way: &str, port: Option<u16>, address: Option<&Address>, service: &Service, out: &mut String) {
    text(&format!("{way}MailServerHostName"), &service.host, out);
    if let Some(port) = port {
        number(&format!("{way}MailServerPortNumber"), port, out);
    }
    flag(&format!("{way}MailServerUseSSL"), out);
    text(&format!("{way}MailServerAuthentication"), "EmailAuthPassword", out);
    if let Some(address) = address {
        text(&format!("{way}MailServerUsername"), address, out);
    }
}

fn text(key: &str, value: impl std::fmt::Display, out: &mut String) {
    element(2, "key", key, out);
    element(2, "string", value, out);
}

fn number(key: &str, value: u16, out: &mut String) {
    element(2, "key", key, out);
    element(2, "integer", value, out);
}

fn flag(key: &str, out: &mut String) {
    element(2, "key", key, out);
    out.push_str("    <true/>\n");
}

/// A UUID of version 8 made from a name (RFC 9562 §5.8 and appendix B.2): the same for the same address.
fn id(what: &str, whose: &str) -> String {
    let hash = digest(&SHA256, format!("penfold set-up {what} {whose}").as_bytes());
    let mut bytes = [0; 16];
    for (slot, byte) in bytes.iter_mut().zip(hash.as_ref()) {
        *slot = *byte;
    }
    bytes[6] = 0x80 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    let hex = format!("{:032X}", u128::from_be_bytes(bytes));
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
    [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-")
}
