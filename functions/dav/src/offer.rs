//! What there is: methods, and what of the standards.

use crate::path::Target;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// What this service complies with (RFC 4918 §18, RFC 3744 §7.2, RFC 5689 §3.1, RFC 4791 §5.1, RFC 7809 §3.1.1, RFC 7953 §7.1, RFC 8607 §3.1, RFC 6352 §6.1).
pub const COMPLIANCE: HeaderValue = HeaderValue::from_static(
    "1, 3, access-control, extended-mkcol, calendar-access, calendar-no-timezone, calendar-availability, \
     calendar-managed-attachments, calendar-managed-attachments-no-recurrence, addressbook",
);
pub const ALLOW: HeaderValue =
    HeaderValue::from_static("OPTIONS, GET, HEAD, PUT, DELETE, COPY, MOVE, MKCOL, MKCALENDAR, PROPFIND, PROPPATCH, REPORT, ACL, POST");

/// The same for everybody and everything: nobody is asked who they are.
pub fn options(path: &str) -> Response {
    if Target::read(path).is_none() {
        return StatusCode::NOT_FOUND.into_response();
    }
    let headers = [(header::ALLOW, ALLOW), (header::HeaderName::from_static("dav"), COMPLIANCE)];
    (StatusCode::OK, headers).into_response()
}
