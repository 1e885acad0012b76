//! The whole of it over a simulated store: what clients do, and what they must not be able to.

mod attachments;
mod begin;
mod collections;
mod cost;
mod directory;
mod objects;
mod published;
mod queries;
mod sharing;
mod synchronising;

use crate::{Dav, router};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use penfold_directory::{Cheap, Directory, NewPerson, Options};
use penfold_mailbox::Mailboxes;
use penfold_ports::World;
use penfold_simulated::{Faults, Simulated};
use penfold_types::PrincipalId;
use std::sync::Arc;
use tower::ServiceExt;

/// Ann and Bob of one tenant, Zoe of another.
pub struct House {
    router: Router,
    pub world: World,
    pub directory: Directory,
    pub mailboxes: Mailboxes,
    pub ann: PrincipalId,
    pub bob: PrincipalId,
    pub zoe: PrincipalId,
}

#[derive(Debug)]
pub struct Heard {
    pub status: StatusCode,
    pub headers: axum::http::HeaderMap,
    pub text: String,
}

impl Heard {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// What stands in the first element of a name, whatever its prefix.
    pub fn within(&self, local: &str) -> &str {
        let open = format!(":{local}>");
        let at = self.text.find(&open).unwrap_or_else(|| panic!("no {local} in {}", self.text)) + open.len();
        let end = self.text[at..].find("</").unwrap();
        &self.text[at..at + end]
    }

    /// The resources that a multistatus tells of.
    pub fn hrefs(&self) -> Vec<&str> {
        let href = |response: &'_ str| -> usize { response.find("</").unwrap() };
        let begins = self.text.split("<d:response><d:href>").skip(1);
        begins.map(|response| &response[..href(response)]).collect()
    }
}

pub async fn house() -> House {
    let world = Simulated::new(7, Faults::NONE).world();
    let directory = Directory::with_options(world.clone(), Options { hasher: Arc::new(Cheap), quota: 1 << 30, ..Options::default() });
    let operator = directory.operator();
    let mut ids = Vec::new();
    for (tenant, address, name) in [("One", "ann@one.test", "Ann"), ("One", "bob@one.test", "Bob"), ("Two", "zoe@two.test", "Zoe")] {
        let address: penfold_types::Address = address.parse().unwrap();
        operator.ensure_tenant(tenant).await.unwrap();
        operator.ensure_domain(tenant, address.domain()).await.unwrap();
        let new = NewPerson { address, name: name.into(), password: Some("secret".into()), quota: None };
        ids.push(operator.ensure_person(&new).await.unwrap().0.principal);
    }
    let mailboxes = Mailboxes::new(world.clone(), directory.clone());
    let router = router(Dav::new(&world.env, &directory, &mailboxes, penfold_ports::Turns::new(8)));
    House { router, world, directory, mailboxes, ann: ids[0], bob: ids[1], zoe: ids[2] }
}

impl House {
    pub fn calendar(&self, of: PrincipalId) -> String {
        format!("/dav/calendars/{of}/calendar/")
    }

    pub async fn raw(&self, request: Request<Body>) -> Heard {
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = to_bytes(answer.into_body(), 1 << 30).await.unwrap();
        Heard { status, headers, text: String::from_utf8_lossy(&body).into_owned() }
    }

    /// `who` is the part before the at sign, with the tenant's domain behind it.
    pub async fn ask(&self, who: &str, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Heard {
        let token = BASE64_STANDARD.encode(format!("{who}:secret"));
        let mut request = Request::builder().method(method).uri(path).header("authorization", format!("Basic {token}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.raw(request.body(body.into()).unwrap()).await
    }

    pub async fn put(&self, who: &str, path: &str, body: &str) -> Heard {
        self.ask(who, "PUT", path, &[("content-type", "text/calendar")], body.to_owned()).await
    }

    pub async fn get(&self, who: &str, path: &str) -> Heard {
        self.ask(who, "GET", path, &[], "").await
    }

    pub async fn propfind(&self, who: &str, path: &str, depth: &str, props: &str) -> Heard {
        let body = format!(
            "<d:propfind xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav' xmlns:card='urn:ietf:params:xml:ns:carddav' \
             xmlns:cs='http://calendarserver.org/ns/' xmlns:i='http://apple.com/ns/ical/'><d:prop>{props}</d:prop></d:propfind>"
        );
        self.ask(who, "PROPFIND", path, &[("depth", depth)], body).await
    }

    pub async fn report(&self, who: &str, path: &str, root: &str, inner: &str) -> Heard {
        let name = root.split(' ').next().unwrap();
        let body = format!(
            "<{root} xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav' xmlns:card='urn:ietf:params:xml:ns:carddav' \
             xmlns:cs='http://calendarserver.org/ns/'>{inner}</{name}>"
        );
        self.ask(who, "REPORT", path, &[("depth", "1")], body).await
    }
}

/// An event at an hour of 2026-03-10, with more lines.
pub fn event(uid: &str, hour: u32, more: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\n\
         DTSTART:20260310T{hour:02}0000Z\r\nDTEND:20260310T{hour:02}3000Z\r\nSUMMARY:Event {uid}\r\n{more}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

pub fn task(uid: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\nBEGIN:VTODO\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:Do\r\n\
         END:VTODO\r\nEND:VCALENDAR\r\n"
    )
}
