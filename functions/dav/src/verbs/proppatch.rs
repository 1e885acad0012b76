//! PROPPATCH (RFC 4918 §9.2): all of it, or nothing.

use super::propfind::key;
use super::{availability, multistatus, zone};
use crate::call::Call;
use crate::condition::Condition;
use crate::live;
use crate::resource::Resource;
use crate::wrong::Wrong;
use crate::xml::{Multistatus, Precondition, Propstats, multistatus::Response as Answer, proppatch as body};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use body::Change;
use bytes::Bytes;
use penfold_formats::xml::{DAV, Element, Name, element_bytes};
use penfold_mailbox::{Kind, PROPERTY_BYTES, Property};
use penfold_ports::Rights;
use penfold_types::Kind as Why;

/// What is to be set and removed.
#[derive(Default)]
pub struct Patch {
    pub set: Vec<Property>,
    pub remove: Vec<Vec<u8>>,
    /// The folder's own name.
    pub rename: Option<String>,
}

pub async fn proppatch(call: Call) -> Result<Response, Wrong> {
    let changes = body::read(&call.xml()?)?;
    let resource = call.resource().await?;
    let beside;
    let (place, object) = match &resource {
        Resource::Inbox(owner) if changes.iter().all(|change| *change.name() == availability::NAME) => {
            beside = availability::place(&call.session, *owner).await?;
            (&beside, "")
        }
        Resource::Collection(place) => (place, ""),
        Resource::Object(place, object) => (place, object.name.as_str()),
        Resource::Nothing(..) => return Err(Wrong::MISSING),
        _ => return Ok(refuse(&resource, &changes, |_| Some(Precondition::CANNOT_MODIFY_PROTECTED_PROPERTY))),
    };
    let condition = Condition::of(&call).await?;
    let holds = match &resource {
        Resource::Object(place, object) => condition.holds(place, Some(object)),
        _ => condition.holds_for_folder(),
    };
    if !holds {
        return Err(Wrong::FAILED);
    }
    if !object.is_empty() {
        place.need(Rights::WRITE, "write-properties")?;
    }
    let protected = |name: &Name| live::is_live(name).then_some(Precondition::CANNOT_MODIFY_PROTECTED_PROPERTY);
    if changes.iter().any(|change| live::is_live(change.name())) {
        return Ok(refuse(&resource, &changes, protected));
    }
    let wrong = |name: &Name, value: &Element| match value.text() {
        text if *name == availability::NAME => availability::wrong(&text),
        text => zone::wrong(name, &text),
    };
    let value_of = |name: &Name| {
        let value = changes.iter().find_map(|change| match change {
            Change::Set(value) if value.name == *name => Some(value),
            _ => None,
        });
        value.and_then(|value| wrong(name, value))
    };
    if changes.iter().any(|change| value_of(change.name()).is_some()) {
        return Ok(refuse(&resource, &changes, value_of));
    }
    let owns = object.is_empty() && place.owner() == call.session.me() && place.folder.kind != Kind::Files;
    let patch = patch(&changes, owns);
    let too_long = |name: &Name| {
        let own = key(name);
        patch.set.iter().any(|(key, value)| *key == own && value.len() > PROPERTY_BYTES).then_some(Precondition::QUOTA_NOT_EXCEEDED)
    };
    if changes.iter().any(|change| too_long(change.name()).is_some()) {
        return Ok(refuse(&resource, &changes, too_long));
    }
    let done =
        condition.on(&place.mailbox).set_properties(place.folder.id, object, (&patch.set, &patch.remove), patch.rename.as_deref()).await;
    match done {
        Ok(()) => {}
        Err(error) if error.kind() == Why::Limit => return Ok(refuse(&resource, &changes, |_| Some(Precondition::QUOTA_NOT_EXCEEDED))),
        Err(error) => return Err(error.into()),
    }
    if call.wants_little() {
        return Ok(StatusCode::OK.into_response());
    }
    let mut all = Propstats::default();
    for change in &changes {
        all.add(StatusCode::OK, change.name().clone());
    }
    Ok(answer(&resource, all))
}

/// In the order of the document: what is said last of a name holds.
pub fn patch(changes: &[Change], owns: bool) -> Patch {
    let mut patch = Patch::default();
    for change in changes {
        let own = key(change.name());
        let name = change.name().key() == (DAV, "displayname");
        patch.set.retain(|(key, _)| *key != own);
        patch.remove.retain(|key| *key != own);
        match change {
            // One without a name would be seen by nobody.
            Change::Set(value) if name && owns => patch.rename = Some(one_line(value)).filter(|text| !text.is_empty()),
            Change::Set(value) => patch.set.push((own, Bytes::from(element_bytes(value)))),
            Change::Remove(_) => patch.remove.push(own),
        }
    }
    one_zone(&mut patch);
    patch
}

/// The zone of a calendar has two spellings (RFC 7809 §5.2). Set alone, either takes the place of the other, which would speak of an
/// older zone; set together they say the same.
fn one_zone(patch: &mut Patch) {
    let [id, definition] = zone::PROPERTIES.map(|name| key(&name));
    let sets = |wanted: &[u8]| patch.set.iter().any(|(key, _)| key == wanted);
    let old = match (sets(&id), sets(&definition)) {
        (true, false) => definition,
        (false, true) => id,
        _ => return,
    };
    if !patch.remove.contains(&old) {
        patch.remove.push(old);
    }
}

/// What a folder can be called.
pub fn one_line(value: &Element) -> String {
    let text: String = value.text().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.trim().chars().take(250).collect()
}

/// Nothing is done: some of it for a reason, the rest because of that (RFC 4918 §9.2.1).
fn refuse(resource: &Resource, changes: &[Change], why: impl Fn(&Name) -> Option<Precondition>) -> Response {
    let mut all = Propstats::default();
    for change in changes {
        match why(change.name()) {
            Some(precondition) => all.refused(change.name().clone(), &precondition),
            None => all.add(StatusCode::FAILED_DEPENDENCY, change.name().clone()),
        }
    }
    answer(resource, all)
}

fn answer(resource: &Resource, all: Propstats) -> Response {
    let mut out = Multistatus::new();
    out.response(&Answer::props(resource.href(), all));
    multistatus(out)
}
