use axum::http::StatusCode;
use penfold_formats::xml::{DAV, Element, Name, Writer};

use super::error::Precondition;

#[cfg(test)]
mod tests;

/// What is said of one resource (RFC 4918 §14.24). `href` is encoded already (see [`super::href`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub href: String,
    pub outcome: Outcome,
    /// What goes into DAV:error.
    pub error: Vec<Element>,
    pub description: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Status(StatusCode),
    Propstats(Propstats),
}

impl Response {
    pub fn status(href: impl Into<String>, status: StatusCode) -> Self {
        Self { href: href.into(), outcome: Outcome::Status(status), error: Vec::new(), description: None }
    }

    pub fn props(href: impl Into<String>, propstats: Propstats) -> Self {
        Self { href: href.into(), outcome: Outcome::Propstats(propstats), error: Vec::new(), description: None }
    }

    /// That there is more than what is told: of the resource that was asked (RFC 6578 §3.6, RFC 6352 §8.6.2).
    pub fn truncated(href: impl Into<String>) -> Self {
        Self::status(href, StatusCode::INSUFFICIENT_STORAGE).with_error(&Precondition::NUMBER_OF_MATCHES_WITHIN_LIMITS)
    }

    /// The same within a property (RFC 3253 §3.8).
    pub fn element(&self) -> Element {
        let leaf = |local, text: &str| Element::new(dav(local)).with_text(text);
        let mut element = Element::new(dav("response")).with(leaf("href", &self.href));
        match &self.outcome {
            Outcome::Status(status) => element = element.with(leaf("status", &line(*status))),
            Outcome::Propstats(all) => {
                for group in &all.groups {
                    let prop = group.props.iter().fold(Element::new(dav("prop")), |prop, value| prop.with(value.clone()));
                    element = element.with(Element::new(dav("propstat")).with(prop).with(leaf("status", &line(group.status))));
                }
            }
        }
        element
    }

    #[must_use]
    pub fn with_error(mut self, precondition: &Precondition) -> Self {
        self.error.push(precondition.element());
        self
    }
}

/// Properties by status (RFC 4918 §14.22). Those that were found come first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Propstats {
    groups: Vec<Propstat>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Propstat {
    status: StatusCode,
    props: Vec<Element>,
    error: Option<Element>,
}

impl Propstats {
    /// 200, with the value.
    pub fn found(&mut self, value: Element) {
        self.push(StatusCode::OK, None, value);
    }

    /// 404.
    pub fn missing(&mut self, name: Name) {
        self.add(StatusCode::NOT_FOUND, name);
    }

    pub fn add(&mut self, status: StatusCode, name: Name) {
        self.push(status, None, Element::new(name));
    }

    /// With an element that says why, such as DAV:cannot-modify-protected-property.
    pub fn refused(&mut self, name: Name, precondition: &Precondition) {
        self.push(precondition.status, Some(precondition.element()), Element::new(name));
    }

    /// What a client that sent `Prefer: return=minimal` gets (RFC 8144 §2.1): nothing of what was not found.
    pub fn minimal(&mut self) {
        self.groups.retain(|group| group.status != StatusCode::NOT_FOUND);
    }

    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// What was found under a name.
    pub fn value(&self, name: &Name) -> Option<&Element> {
        let found = self.groups.iter().filter(|group| group.status == StatusCode::OK);
        found.flat_map(|group| &group.props).find(|prop| prop.name == *name)
    }

    /// With all that another tells.
    pub fn merge(&mut self, other: Self) {
        for group in other.groups {
            for prop in group.props {
                self.push(group.status, group.error.clone(), prop);
            }
        }
    }

    fn push(&mut self, status: StatusCode, error: Option<Element>, prop: Element) {
        match self.groups.iter_mut().find(|group| group.status == status && group.error == error) {
            Some(group) => group.props.push(prop),
            None => {
                let at = if status == StatusCode::OK { 0 } else { self.groups.len() };
                self.groups.insert(at, Propstat { status, props: vec![prop], error });
            }
        }
    }
}

/// A body of status 207, written as it comes (RFC 4918 §13, §14.16).
#[derive(Debug)]
pub struct Multistatus {
    writer: Writer,
}

impl Default for Multistatus {
    fn default() -> Self {
        Self::new()
    }
}

impl Multistatus {
    pub fn new() -> Self {
        let mut writer = Writer::new();
        writer.open(&dav("multistatus"));
        Self { writer }
    }

    pub fn response(&mut self, response: &Response) {
        let writer = &mut self.writer;
        writer.open(&dav("response"));
        writer.leaf(&dav("href"), &response.href);
        match &response.outcome {
            Outcome::Status(status) => status_line(writer, *status),
            Outcome::Propstats(propstats) => write_propstats(writer, propstats),
        }
        write_error(writer, &response.error);
        if let Some(description) = &response.description {
            writer.leaf(&dav("responsedescription"), description);
        }
        writer.close();
    }

    /// Comes after all responses (RFC 6578 §6.4).
    pub fn sync_token(&mut self, token: &str) {
        self.writer.leaf(&dav("sync-token"), token);
    }

    /// How many octets there are by now, for whoever has to stop in time.
    pub fn octets(&self) -> usize {
        self.writer.octets()
    }

    pub fn finish(self) -> Vec<u8> {
        self.writer.finish()
    }
}

/// The body of an answer to an extended MKCOL that failed (RFC 5689 §3.5), in DAV:mkcol-response, or to
/// MKCALENDAR (RFC 4791 §9.3), in CALDAV:mkcalendar-response.
pub fn mkcol_response(root: &Name, propstats: &Propstats) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.open(root);
    write_propstats(&mut writer, propstats);
    writer.finish()
}

fn write_propstats(writer: &mut Writer, propstats: &Propstats) {
    if propstats.is_empty() {
        // RFC 4918 §14.24 wants one propstat at least; an empty one says that nothing was asked for.
        writer.open(&dav("propstat"));
        writer.empty(&dav("prop"));
        status_line(writer, StatusCode::OK);
        writer.close();
    }
    for group in &propstats.groups {
        writer.open(&dav("propstat"));
        writer.open(&dav("prop"));
        for value in &group.props {
            writer.element(value);
        }
        writer.close();
        status_line(writer, group.status);
        write_error(writer, group.error.as_slice());
        writer.close();
    }
}

fn write_error(writer: &mut Writer, error: &[Element]) {
    if !error.is_empty() {
        writer.open(&dav("error"));
        for element in error {
            writer.element(element);
        }
        writer.close();
    }
}

fn status_line(writer: &mut Writer, status: StatusCode) {
    writer.leaf(&dav("status"), &line(status));
}

fn line(status: StatusCode) -> String {
    format!("HTTP/1.1 {} {}", status.as_u16(), status.canonical_reason().unwrap_or("Unknown"))
}

fn dav(local: &'static str) -> Name {
    Name::known(DAV, local)
}
