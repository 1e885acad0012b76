//! Attachments that are kept here (RFC 8607): POST to an event or a task brings, replaces and removes them, GET reads them. They are
//! always of all instances (§3.1: `calendar-managed-attachments-no-recurrence`).

use super::brought::File;
use super::put::{done, object};
use crate::call::Call;
use crate::condition::Condition;
use crate::limits;
use crate::path::{self, Home, Target};
use crate::place::Place;
use crate::resource::{Resource, Session};
use crate::wrong::Wrong;
use crate::xml::{Precondition, href};
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use penfold_calendar::{Looks, attach, attach_also, attached, uses};
use penfold_formats::icalendar::{Managed, Object as Calendar};
use penfold_mailbox::{Kind, Mailbox, Object, Put, uid_hash};
use penfold_ports::{Account, Rights};
use penfold_types::{ItemId, Kind as Why, PrincipalId};

/// §5.1.
const MANAGED_ID: HeaderName = HeaderName::from_static("cal-managed-id");
/// How often an object is read anew that is replaced meanwhile.
const ROUNDS: usize = 8;

/// §3.3 to §3.5, by the query of the URL.
enum Action {
    Add,
    Update(String),
    Remove(String),
}

impl Action {
    fn read(query: &str) -> Result<Self, Wrong> {
        let value = |name: &str| {
            let found = query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
            found.and_then(href::decoded)
        };
        // A request for single instances is none that can be done here.
        if value("rid").is_some() {
            return Err(Precondition::VALID_RID.into());
        }
        let id = || value("managed-id").ok_or_else(|| Wrong::from(Precondition::VALID_MANAGED_ID_PARAMETER));
        match value("action").as_deref() {
            Some("attachment-add") if value("managed-id").is_some() => Err(Precondition::VALID_MANAGED_ID_PARAMETER.into()),
            Some("attachment-add") => Ok(Self::Add),
            Some("attachment-update") => Ok(Self::Update(id()?)),
            Some("attachment-remove") => Ok(Self::Remove(id()?)),
            _ => Err(Precondition::VALID_ACTION.into()),
        }
    }

    fn old(&self) -> Option<&str> {
        match self {
            Self::Add => None,
            Self::Update(id) | Self::Remove(id) => Some(id),
        }
    }
}

pub async fn post(call: &Call, query: &str) -> Result<Response, Wrong> {
    let Resource::Object(place, first) = call.resource().await? else { return Err(Wrong::Method) };
    if !matches!(place.folder.kind, Kind::Events | Kind::Tasks | Kind::Notes) {
        return Err(Wrong::Method);
    }
    let action = Action::read(query)?;
    place.need(Rights::WRITE, "write-content")?;
    place.need_sight(&first).await?;
    let condition = Condition::of(call).await?;
    let file = if matches!(action, Action::Remove(_)) { None } else { Some(File::of(call)?) };
    let owners = owners(&call.session, place.owner()).await?;
    let id = ItemId::new(owners.env()).to_string();
    let url = url(call, place.owner(), &id, file.as_ref().map_or("", |file| &file.name)).await?;
    let mut kept = false;
    for _ in 0..ROUNDS {
        let old = place.mailbox.object(place.folder.id, &first.name).await?.ok_or(Wrong::MISSING)?;
        if !condition.holds(&place, Some(&old)) {
            return Err(Wrong::FAILED);
        }
        place.need_sight(&old).await?;
        let Some(bytes) = place.mailbox.object_bytes(place.folder.id, &[old.item]).await?.pop().flatten() else { continue };
        let read = Calendar::read(&bytes).map_err(|_| Precondition::VALID_CALENDAR_DATA)?;
        let there = read.managed();
        if action.old().is_some_and(|old| !there.contains_key(old)) {
            return Err(Precondition::VALID_MANAGED_ID_PARAMETER.into());
        }
        if action.old().is_none() && there.len() >= limits::ATTACHMENTS {
            return Err(Precondition::MAX_ATTACHMENTS.into());
        }
        if let Some(file) = file.as_ref().filter(|_| !kept) {
            attach(&owners, &id, file.bytes.clone(), &file.content_type, uid_hash(read.uid())).await.map_err(too_much)?;
            kept = true;
        }
        let new =
            file.as_ref().map(|file| Managed { id: &id, media: &file.media, size: file.bytes.len() as u64, name: &file.name, url: &url });
        let written = match (action.old(), &new) {
            (Some(old), new) => read.with_managed_instead(old, new.as_ref()),
            (None, Some(new)) => read.with_managed(new),
            (None, None) => return Err(Precondition::VALID_ACTION.into()),
        };
        if written.len() > limits::CALENDAR_OBJECT {
            return Err(Precondition::CALENDAR_MAX_RESOURCE_SIZE.into());
        }
        let new_version = object(&place, &first.name, written.into(), "text/calendar")?;
        let same = |now: Option<&Object>| now.is_some_and(|now| now.item == old.item);
        match condition.on(&place.mailbox).put_object(place.folder.id, &new_version, &same).await? {
            Put::Failed => {}
            put => return answer(call, &place, &action, put, new.as_ref().map(|new| new.id)).await,
        }
    }
    Err(Wrong::Busy)
}

fn too_much(error: penfold_types::Error) -> Wrong {
    if error.kind() == Why::Limit { Precondition::QUOTA_NOT_EXCEEDED.into() } else { error.into() }
}

/// It is attached to as many as one can be.
fn too_often(error: penfold_types::Error) -> Wrong {
    if error.kind() == Why::Limit { Precondition::MAX_ATTACHMENTS.into() } else { error.into() }
}

/// §3.3.2: with the object itself where the client wants it.
async fn answer(call: &Call, place: &Place, action: &Action, put: Put, id: Option<&str>) -> Result<Response, Wrong> {
    let now = match &put {
        Put::Done { object, .. } => Some(object.clone()),
        _ => None,
    };
    let mut answer = done(place, put)?;
    let wants = call.headers.get_all("prefer").iter().any(|value| value.to_str().is_ok_and(|text| text.contains("return=representation")));
    if let Some(object) = now.filter(|_| wants) {
        let (object, bytes) = place.read(vec![object]).await?.pop().ok_or(Wrong::MISSING)?;
        let tag = HeaderValue::from_str(&place.etag(&object)).map_err(|_| Wrong::BAD)?;
        let kind = HeaderValue::from_static("text/calendar; charset=utf-8");
        answer = ([(header::ETAG, tag), (header::CONTENT_TYPE, kind)], Body::from(bytes)).into_response();
    }
    if matches!(action, Action::Add) {
        *answer.status_mut() = StatusCode::CREATED;
    }
    if let Some(id) = id {
        answer.headers_mut().insert(MANAGED_ID, HeaderValue::from_str(id).map_err(|_| Wrong::BAD)?);
    }
    Ok(answer)
}

/// The service's own hold on somebody's mailbox: attachments lie in a folder that is opened to nobody. Whoever asks was judged by
/// the event.
async fn owners(session: &Session, owner: PrincipalId) -> Result<Mailbox, Wrong> {
    let account = Account { tenant: session.who.account.tenant, principal: owner };
    Ok(session.dav.mailboxes.open(&session.dav.directory.job_scope(account)).await?)
}

/// Where it is read: a whole URL, as ATTACH wants one.
async fn url(call: &Call, owner: PrincipalId, id: &str, name: &str) -> Result<String, Wrong> {
    let path = path::attachment(owner, id, name);
    let service = call.session.dav.directory.service().await?;
    let public = service.and_then(|service| service.url(&path));
    let asked = || call.header("host").map(|host| format!("http://{host}{path}"));
    Ok(public.or_else(asked).unwrap_or_else(|| path.clone()))
}

pub async fn get(session: &Session, owner: PrincipalId, id: &str) -> Result<Response, Wrong> {
    // Whoever sees nothing of the owner's learns nothing here either.
    let scope = session.scope_of(owner).await?;
    let keeper = owners(session, owner).await?;
    let (folder, object) = attached(&keeper, id).await?.ok_or(Wrong::MISSING)?;
    let viewer = session.dav.mailboxes.open(&scope).await?;
    if !may_read(&viewer, &uses(&keeper, folder, id).await?, id).await? {
        return Err(Wrong::MISSING);
    }
    let bytes = keeper.object_bytes(folder, &[object.item]).await?.pop().flatten().ok_or(Wrong::MISSING)?;
    let media = HeaderValue::from_str(&object.media).map_err(|_| Wrong::MISSING)?;
    let fields = [(header::CONTENT_TYPE, media), (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"))];
    Ok((fields, super::get::SAFE, Body::from(bytes)).into_response())
}

/// Whether somebody is shown an object that names it.
async fn may_read(viewer: &Mailbox, uids: &[penfold_mailbox::UidHash], id: &str) -> Result<bool, Wrong> {
    let folders = viewer.folders().await?;
    for uid in uids {
        for (folder, name) in viewer.objects_of_uid(uid).await? {
            let Some(folder) = folders.get(folder) else { continue };
            let place = Place::of(viewer, folder, Home::Calendars, String::new());
            let Some(object) = viewer.object(folder.id, &name).await? else { continue };
            let found = place.read(vec![object]).await?.pop();
            let names = |object: Calendar| object.managed_urls().any(|(own, url)| own == id && is_ours(id, url));
            if found.is_some_and(|(_, bytes)| Calendar::read(&bytes).is_ok_and(names)) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether an object names what is kept here.
pub fn names_ours(object: &Calendar) -> bool {
    object.managed_urls().any(|(id, url)| is_ours(id, url))
}

/// Whether a URL is where the attachment of this id is read here.
fn is_ours(id: &str, url: &str) -> bool {
    matches!(Target::read(url), Some(Target::Attachment(_, named)) if named == id)
}

/// What a client writes may name attachments that it was given, of this object or of another that it may read (§3.7); those
/// of other services are theirs.
pub async fn judge(session: &Session, place: &Place, new: &Bytes, old: Option<&Object>) -> Result<(), Wrong> {
    let Ok(read) = Calendar::read(new) else { return Ok(()) };
    let wanted = read.managed();
    // Nearly all: what was there before is not read for them.
    if wanted.is_empty() {
        return Ok(());
    }
    let before = match old {
        Some(old) => place.mailbox.object_bytes(place.folder.id, &[old.item]).await?.pop().flatten(),
        None => None,
    };
    let before = before.and_then(|bytes| Calendar::read(&bytes).ok());
    let known = before.as_ref().map(Calendar::managed).unwrap_or_default();
    if wanted.len() > limits::ATTACHMENTS && wanted.len() > known.len() {
        return Err(Precondition::MAX_ATTACHMENTS.into());
    }
    let wrong = || Wrong::from(Precondition::VALID_MANAGED_ID);
    let mut looks = Looks::default();
    for (id, url) in read.managed_urls().filter(|(id, url)| known.get(id) != Some(url)) {
        let named = match Target::read(url) {
            Some(Target::Attachment(owner, named)) if named == id => Some(owner),
            Some(Target::Attachment(..)) => return Err(wrong()),
            _ => None,
        };
        // One of this mailbox is one, whatever URL stands beside it.
        let owner = named.unwrap_or(place.owner());
        let keeper = match owner == place.owner() || session.scope_of(owner).await.map(|_| true).or_else(missing)? {
            true => owners(session, owner).await?,
            false => return Err(wrong()),
        };
        let Some((folder, _)) = attached(&keeper, id).await? else {
            match named {
                Some(_) => return Err(wrong()),
                None => continue,
            }
        };
        // Whose it is puts it back where they took it away, as long as it is kept (undo).
        let own = owner == place.owner() && place.sees_private();
        let viewer = session.dav.mailboxes.open(&session.scope_of(owner).await?).await?;
        if named.is_none() || !(own || may_read(&viewer, &uses(&keeper, folder, id).await?, id).await?) {
            return Err(wrong());
        }
        if owner == place.owner() {
            attach_also(&keeper, folder, id, uid_hash(read.uid()), &mut looks).await.map_err(too_often)?;
        }
    }
    Ok(())
}

/// What is not there is no fault of the store.
fn missing(wrong: Wrong) -> Result<bool, Wrong> {
    if wrong.status() == StatusCode::NOT_FOUND { Ok(false) } else { Err(wrong) }
}
