//! COPY and MOVE (RFC 4918 §9.8, §9.9).

use super::attachments;
use super::put::uid_conflict;
use crate::call::{Call, Depth};
use crate::condition::Condition;
use crate::limits;
use crate::path::Home;
use crate::place::Place;
use crate::resource::{Resource, Session};
use crate::wrong::Wrong;
use crate::xml::{Precondition, href};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use penfold_mailbox::{Kind, NewCollection, NewObject, Object, Put, Relocated, Removal};
use penfold_ports::Rights;
use penfold_types::FolderId;

/// Where something is to go: what is there now, and what it would lie in.
struct Destination {
    parent: Option<Place>,
    home: Home,
    name: String,
    there: Option<Resource>,
}

pub async fn copy(call: Call) -> Result<Response, Wrong> {
    relocate(call, false).await
}

pub async fn moved(call: Call) -> Result<Response, Wrong> {
    relocate(call, true).await
}

async fn relocate(call: Call, moving: bool) -> Result<Response, Wrong> {
    let (overwrite, condition) = (call.overwrite()?, Condition::of(&call).await?);
    let mut source = call.resource().await?;
    let mut destination = destination(&call).await?;
    if let Resource::Object(place, _) | Resource::Collection(place) = &mut source {
        rest(&condition, place, &mut destination);
    }
    match source {
        Resource::Object(place, object) => {
            let to = destination.parent.clone().ok_or(Wrong::FORBIDDEN)?;
            if to.folder.kind != place.folder.kind {
                return Err(match (to.folder.kind, place.folder.kind) {
                    (Kind::Contacts, _) => Precondition::SUPPORTED_ADDRESS_DATA.into(),
                    (Kind::Events | Kind::Tasks | Kind::Notes, Kind::Events | Kind::Tasks | Kind::Notes) => {
                        Precondition::SUPPORTED_CALENDAR_COMPONENT.into()
                    }
                    (Kind::Events | Kind::Tasks | Kind::Notes, _) => Precondition::SUPPORTED_CALENDAR_DATA.into(),
                    _ => Wrong::FORBIDDEN,
                });
            }
            if to.folder.id == place.folder.id && to.owner() == place.owner() && destination.name == object.name {
                return Err(Wrong::FORBIDDEN);
            }
            if moving {
                place.need(Rights::MOVE_OUT, "unbind")?;
                place.need_sight(&object).await?;
            }
            if let Some(Resource::Object(_, old)) = &destination.there {
                to.need_sight(old).await?;
            }
            to.need(if destination.there.is_some() { Rights::WRITE } else { Rights::INSERT }, "bind")?;
            if let Some(Resource::Collection(inner)) = &destination.there {
                // Something else is in the way: it goes first, once nothing else is.
                if !condition.holds(&place, Some(&object)) {
                    return Err(Wrong::FAILED);
                }
                if !moving && place.mailbox.usage().await.is_ok_and(|(used, quota)| used + u64::from(object.size) > quota) {
                    return Err(Precondition::QUOTA_NOT_EXCEEDED.into());
                }
                replace_folder(inner, overwrite).await?;
            }
            one(&call.session, (&place, &object), (&to, &destination.name), overwrite, moving, &condition, destination.there.is_some())
                .await
        }
        Resource::Collection(_) if !condition.holds_for_folder() => Err(Wrong::FAILED),
        Resource::Collection(place) => folder(&call, &place, destination, overwrite, moving).await,
        Resource::Nothing(..) => Err(Wrong::MISSING),
        _ => Err(Wrong::FORBIDDEN),
    }
}

/// All that is done in an account is done by one hold on it: what is in the way goes first, and the rest follows that.
fn rest(condition: &Condition, from: &mut Place, to: &mut Destination) {
    from.mailbox = condition.on(&from.mailbox);
    let there = match &mut to.there {
        Some(Resource::Object(place, _) | Resource::Collection(place)) => Some(place),
        _ => None,
    };
    let mut elsewhere = None;
    for place in to.parent.iter_mut().chain(there) {
        place.mailbox = if place.owner() == from.owner() {
            from.mailbox.clone()
        } else {
            elsewhere.get_or_insert_with(|| condition.on(&place.mailbox)).clone()
        };
    }
}

/// RFC 4918 §10.3. Another host's would be a gateway's work (§9.8.5: 502); the path alone is looked at, as `path.rs` does.
async fn destination(call: &Call) -> Result<Destination, Wrong> {
    let given = call.header("destination").filter(|given| given.starts_with('/') || given.contains("://")).ok_or(Wrong::BAD)?;
    if let (Some(host), Some(own)) = (href::authority(given), call.header("host"))
        && !host.eq_ignore_ascii_case(own)
    {
        return Err(Wrong::Status(StatusCode::BAD_GATEWAY));
    }
    let found = match call.session.resource(given).await {
        Err(wrong) if wrong.status() == StatusCode::NOT_FOUND => return Err(Wrong::CONFLICT),
        found => found?,
    };
    match found {
        Resource::Nothing(parent, home, _, name) => Ok(Destination { parent, home, name, there: None }),
        Resource::Object(place, object) => {
            let name = object.name.clone();
            Ok(Destination { parent: Some(place.clone()), home: place.home, name, there: Some(Resource::Object(place, object)) })
        }
        Resource::Collection(place) => {
            let parent = match place.folder.parent {
                Some(parent) => {
                    let above = place.mailbox.folder(parent).await?;
                    let href = place.href.trim_end_matches('/').rsplit_once('/').map(|(href, _)| format!("{href}/"));
                    Some(Place { rights: place.mailbox.rights(&above), folder: above, href: href.ok_or(Wrong::BAD)?, ..place.clone() })
                }
                None => None,
            };
            let name = place.folder.segment.clone();
            Ok(Destination { parent, home: place.home, name, there: Some(Resource::Collection(place)) })
        }
        _ => Err(Wrong::FORBIDDEN),
    }
}

/// The folder that is to be replaced is deleted (RFC 4918 §9.8.4), unless it is not to be.
async fn replace_folder(inner: &Place, overwrite: bool) -> Result<(), Wrong> {
    if !overwrite {
        return Err(Wrong::FAILED);
    }
    inner.need(Rights::DELETE_FOLDER, "unbind")?;
    Ok(inner.mailbox.delete_collection(inner.folder.id).await?)
}

async fn one(
    session: &Session,
    (place, object): (&Place, &Object),
    (to, name): (&Place, &str),
    overwrite: bool,
    moving: bool,
    condition: &Condition,
    replaces: bool,
) -> Result<Response, Wrong> {
    let from = (place.folder.id, object.name.as_str());
    let target = (to.folder.id, name);
    if place.owner() != to.owner() {
        return across(session, (place, object), (to, name), overwrite, moving, condition).await;
    }
    if !condition.holds(place, Some(object)) {
        return Err(Wrong::FAILED);
    }
    let done = if moving {
        place.mailbox.move_object(from, target, overwrite, &|old| condition.holds(place, old) && place.is_as_seen(object, old)).await?
    } else {
        place.mailbox.copy_object(from, target, overwrite, &|old| condition.holds(place, old)).await?
    };
    match done {
        Relocated::Done { created, .. } => Ok(status(created && !replaces).into_response()),
        Relocated::Missing => Err(Wrong::MISSING),
        Relocated::Failed | Relocated::Taken => Err(Wrong::FAILED),
        Relocated::UidTaken(name) => Err(uid_conflict(to, &name)),
    }
}

fn status(created: bool) -> StatusCode {
    if created { StatusCode::CREATED } else { StatusCode::NO_CONTENT }
}

/// From one person's to another's: a copy, and only when that is there the original goes.
async fn across(
    session: &Session,
    (place, object): (&Place, &Object),
    (to, name): (&Place, &str),
    overwrite: bool,
    moving: bool,
    condition: &Condition,
) -> Result<Response, Wrong> {
    if !condition.holds(place, Some(object)) {
        return Err(Wrong::FAILED);
    }
    let (object, bytes) = place.read(vec![object.clone()]).await?.pop().ok_or(Wrong::MISSING)?;
    if to.home == Home::Calendars {
        // What is attached stays where it is kept: with the original gone nobody could read it.
        if moving && penfold_formats::icalendar::Object::read(&bytes).is_ok_and(|read| attachments::names_ours(&read)) {
            return Err(Precondition::VALID_MANAGED_ID.into());
        }
        attachments::judge(session, to, &bytes, None).await?;
    }
    let new: NewObject = super::put::object(to, name, bytes, &object.media)?;
    let put = to.mailbox.put_object(to.folder.id, &new, &|old| overwrite || old.is_none()).await?;
    let created = match put {
        Put::Done { created, .. } => created,
        Put::Failed => return Err(Wrong::FAILED),
        Put::UidTaken(name) => return Err(uid_conflict(to, &name)),
    };
    if moving {
        let copied = object.item;
        let gone = place.mailbox.remove_object(place.folder.id, &object.name, &|old| old.is_some_and(|old| old.item == copied)).await?;
        if gone == Removal::Failed {
            return Err(Wrong::CONFLICT);
        }
    }
    Ok(status(created).into_response())
}

async fn folder(call: &Call, place: &Place, to: Destination, overwrite: bool, moving: bool) -> Result<Response, Wrong> {
    let depth = call.depth()?.unwrap_or(Depth::Infinity);
    if depth == Depth::One || moving && depth == Depth::Zero {
        return Err(Wrong::BAD);
    }
    let Some(parent) = to.parent.as_ref().filter(|_| place.folder.kind == Kind::Files && to.home == Home::Files) else {
        return Err(Wrong::FORBIDDEN);
    };
    if parent.owner() != place.owner() || place.folder.parent.is_none() {
        return Err(Wrong::FORBIDDEN);
    }
    // Not into itself, and not onto itself or what it lies in (§9.8.5).
    let target = format!("{}{}/", parent.href, href::segment(&to.name));
    if target.starts_with(&place.href) || place.href.starts_with(&target) {
        return Err(Wrong::FORBIDDEN);
    }
    if moving {
        place.need(Rights::DELETE_FOLDER, "unbind")?;
    }
    parent.need(Rights::CREATE, "bind")?;
    if to.there.is_some() && !overwrite {
        return Err(Wrong::FAILED);
    }
    let tree = if moving { Vec::new() } else { tree(call, place, depth).await? };
    let mut replaced = None;
    match &to.there {
        Some(Resource::Collection(inner)) => {
            inner.need(Rights::DELETE_FOLDER, "unbind")?;
            if moving {
                replaced = Some(inner.folder.id);
            } else {
                replace_folder(inner, overwrite).await?;
            }
        }
        Some(Resource::Object(_, object)) => {
            parent.mailbox.remove_object(parent.folder.id, &object.name, &|_| true).await?;
        }
        _ => {}
    }
    if moving {
        place.mailbox.move_collection(place.folder.id, Some(parent.folder.id), &to.name, replaced).await?;
    } else {
        copy_tree(&tree, place, parent, &to.name).await?;
    }
    Ok(status(to.there.is_none()).into_response())
}

/// One folder of those that are copied, and which of them it lies in.
struct Branch {
    place: Place,
    within: Option<usize>,
    objects: Vec<Object>,
}

/// All that is to be copied, before anything is: no more of it than is bounded, and than there is room for.
async fn tree(call: &Call, place: &Place, depth: Depth) -> Result<Vec<Branch>, Wrong> {
    let too_much = || Wrong::Status(StatusCode::INSUFFICIENT_STORAGE);
    let mut found = vec![Branch { place: place.clone(), within: None, objects: Vec::new() }];
    let (mut at, mut members, mut octets) = (0, 0, 0);
    while at < found.len() && depth != Depth::Zero {
        let own = found[at].place.clone();
        let (objects, more) = own.mailbox.objects(own.folder.id, None, limits::COPIED).await?;
        let inner = call.session.folders_in(&own).await?;
        members += objects.len() + inner.len();
        octets += objects.iter().map(|object| u64::from(object.size)).sum::<u64>();
        if more || members > limits::COPIED {
            return Err(too_much());
        }
        found[at].objects = objects;
        found.extend(inner.into_iter().map(|place| Branch { place, within: Some(at), objects: Vec::new() }));
        at += 1;
    }
    if place.owner() == call.session.me() {
        let (used, quota) = place.mailbox.usage().await?;
        if used + octets > quota {
            return Err(Precondition::QUOTA_NOT_EXCEEDED.into());
        }
    }
    Ok(found)
}

async fn copy_tree(tree: &[Branch], source: &Place, parent: &Place, name: &str) -> Result<(), Wrong> {
    let mut made: Vec<FolderId> = Vec::with_capacity(tree.len());
    for branch in tree {
        let own = &branch.place;
        let into = branch.within.and_then(|at| made.get(at).copied()).unwrap_or(parent.folder.id);
        let segment = if branch.within.is_none() { name.to_owned() } else { own.folder.segment.clone() };
        let properties = source.mailbox.properties(own.folder.id, "").await?.into_iter().collect();
        let new = NewCollection { kind: Kind::Files, parent: Some(into), segment: segment.clone(), name: segment, properties };
        let folder = source.mailbox.create_collection(&new).await?;
        made.push(folder);
        for object in &branch.objects {
            source.mailbox.copy_object((own.folder.id, &object.name), (folder, &object.name), false, &|_| true).await?;
        }
    }
    Ok(())
}
