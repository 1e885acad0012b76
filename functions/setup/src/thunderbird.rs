//! Thunderbird's `config-v1.1.xml` (wiki.mozilla.org/Thunderbird:Autoconfiguration:ConfigFileFormat).

use crate::host::Host;
use crate::wrong::Wrong;
use crate::xml::{self, element, escape};
use crate::{Parameters, Setup, address};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use penfold_directory::Service;
use penfold_types::Domain;
use std::fmt::Write;

/// Whom the query names comes first: a domain whose MX is ours is looked for under the name of the MX, too.
pub(crate) async fn config(State(setup): State<Setup>, host: Host, parameters: Parameters) -> Result<Response, Wrong> {
    let domain = match address(parameters, "emailaddress")? {
        Some(address) => Some(address.domain().clone()),
        None => host.domain("autoconfig"),
    };
    let domain = setup.ours(domain).await?;
    let text = write(&domain, &setup.service().await?);
    Ok(([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], text).into_response())
}

/// The client takes the first server that it can use, so TLS from the first byte comes first.
fn write(domain: &Domain, service: &Service) -> String {
    let mut out = format!("{}<clientConfig version=\"1.1\">\n  <emailProvider id=\"{}\">\n", xml::DECLARATION, escape(domain.as_str()));
    element(2, "domain", domain, &mut out);
    element(2, "displayName", domain, &mut out);
    element(2, "displayShortName", domain, &mut out);
    for (port, socket) in [(service.imaps, "SSL"), (service.imap, "STARTTLS")] {
        server("incomingServer", "imap", &service.host, port, socket, &mut out);
    }
    for (port, socket) in [(service.submissions, "SSL"), (service.submission, "STARTTLS")] {
        server("outgoingServer", "smtp", &service.host, port, socket, &mut out);
    }
    out.push_str("  </emailProvider>\n</clientConfig>\n");
    out
}

fn server(name: &str, kind: &str, host: &str, port: Option<u16>, socket: &str, out: &mut String) {
    let Some(port) = port else { return };
    let _ = writeln!(out, "    <{name} type=\"{kind}\">");
    element(3, "hostname", host, out);
    element(3, "port", port, out);
    element(3, "socketType", socket, out);
    element(3, "authentication", "password-cleartext", out);
    element(3, "username", "%EMAILADDRESS%", out);
    let _ = writeln!(out, "    </{name}>");
}
