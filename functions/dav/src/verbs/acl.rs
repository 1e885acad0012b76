//! ACL (RFC 3744 §8.1): who else may do what in a folder, set as a whole.

use super::Call;
use crate::live::rights_of_privileges;
use crate::path::Target;
use crate::resource::Resource;
use crate::wrong::Wrong;
use crate::xml::Precondition;
use crate::xml::acl::{Ace, Principal, read};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use penfold_directory::ANYONE;
use penfold_formats::xml::{DAV, Name};
use penfold_mailbox::RightsChange;
use penfold_ports::Rights;
use penfold_types::PrincipalId;
use std::collections::BTreeMap;

pub async fn acl(call: Call) -> Result<Response, Wrong> {
    let aces = read(&call.xml()?)?;
    let place = match call.resource().await? {
        Resource::Collection(place) => place,
        // Rights are a folder's: what lies in it has none of its own.
        Resource::Nothing(..) => return Err(Wrong::MISSING),
        _ => return Err(Wrong::FORBIDDEN),
    };
    place.need(Rights::ADMINISTER, "write-acl")?;
    let mut wanted: BTreeMap<String, Rights> = BTreeMap::new();
    for ace in &aces {
        if let Some((who, rights)) = granted(&call, place.owner(), ace).await? {
            let own = wanted.entry(who).or_default();
            *own = own.and(rights);
        }
    }
    let before = place.mailbox.folder_rights(place.folder.id).await?;
    let mut changes: Vec<(String, Rights)> = Vec::new();
    for (grantee, rights) in &before.list {
        let now = wanted.remove(&grantee.identifier()).unwrap_or(Rights::NONE);
        if now != *rights {
            changes.push((grantee.identifier(), now));
        }
    }
    changes.extend(wanted);
    let actor = call.session.who.address.to_string();
    // Whoever takes their own rights, or everybody's, can do nothing behind that.
    changes.sort_by_key(|(who, _)| (*who == actor, who == ANYONE));
    let (mut revision, last) = (before.revision, changes.len());
    for (at, (who, rights)) in changes.into_iter().enumerate() {
        let to = call.session.dav.directory.grantee(call.session.who.account.tenant, &who).await?;
        place.mailbox.set_rights(place.folder.id, to, RightsChange::Set(rights), &actor, Some(revision), false).await?;
        if at + 1 < last {
            revision = place.mailbox.folder_rights(place.folder.id).await?.revision;
        }
    }
    Ok(StatusCode::OK.into_response())
}

/// To whom an entry grants what; nothing for what always holds.
async fn granted(call: &Call, owner_id: PrincipalId, ace: &Ace) -> Result<Option<(String, Rights)>, Wrong> {
    if ace.inverted {
        return Err(Precondition::NO_INVERT.into());
    }
    if ace.deny {
        return Err(Precondition::GRANT_ONLY.into());
    }
    let owner = Name::known(DAV, "owner");
    let who = match &ace.principal {
        Principal::Property(name) if *name == owner => return Ok(None),
        // Nobody gets in without signing in.
        Principal::All | Principal::Authenticated => ANYONE.to_owned(),
        Principal::Href(href) => match Target::read(href) {
            Some(Target::Principal(id)) if id == owner_id => return Ok(None),
            Some(Target::Principal(id)) => {
                let card = call.session.card(id).await?.ok_or(Precondition::RECOGNIZED_PRINCIPAL)?;
                card.address.to_string()
            }
            _ => return Err(Precondition::RECOGNIZED_PRINCIPAL.into()),
        },
        Principal::Unauthenticated | Principal::Itself | Principal::Property(_) => return Err(Precondition::ALLOWED_PRINCIPAL.into()),
    };
    let names = ace.privileges.iter().map(Name::key);
    let rights = rights_of_privileges(names).ok_or(Precondition::NOT_SUPPORTED_PRIVILEGE)?;
    Ok(Some((who, rights)))
}
