//! ACL (RFC 3744 §8.1): who else may do what in a folder, set as a whole: 25 changes are one commit.

use crate::call::Call;
use crate::condition::Condition;
use crate::live::{privileges_of, rights_of_privileges};
use crate::path::Target;
use crate::resource::Resource;
use crate::wrong::Wrong;
use crate::xml::Precondition;
use crate::xml::acl::{Ace, Principal, read};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use penfold_directory::ANYONE;
use penfold_formats::xml::{DAV, Name};
use penfold_mailbox::{Mailbox, RightsChange};
use penfold_ports::Rights;
use penfold_types::PrincipalId;
use std::collections::{BTreeMap, BTreeSet};

pub async fn acl(call: Call) -> Result<Response, Wrong> {
    let aces = read(&call.xml()?)?;
    let place = match call.resource().await? {
        Resource::Collection(place) => place,
        // Rights are a folder's: what lies in it has none of its own.
        Resource::Nothing(..) => return Err(Wrong::MISSING),
        _ => return Err(Wrong::FORBIDDEN),
    };
    place.need(Rights::ADMINISTER, "write-acl")?;
    let condition = Condition::of(&call).await?;
    if !condition.holds_for_folder() {
        return Err(Wrong::FAILED);
    }
    let mut asked: BTreeMap<String, Vec<Name>> = BTreeMap::new();
    for ace in &aces {
        if let Some(who) = grantee(&call, place.owner(), ace).await? {
            asked.entry(who).or_default().extend(ace.privileges.iter().cloned());
        }
    }
    let mut wanted: BTreeMap<String, (Rights, BTreeSet<Name>)> = BTreeMap::new();
    for (who, names) in asked {
        let rights = rights_of_privileges(names.iter().map(Name::key)).ok_or(Precondition::NOT_SUPPORTED_PRIVILEGE)?;
        wanted.insert(who, (rights, names.into_iter().collect()));
    }
    let before = place.mailbox.folder_rights(place.folder.id).await?;
    let mut changes: Vec<(String, Rights)> = Vec::new();
    for (grantee, rights) in &before.list {
        let (now, names) = wanted.remove(&grantee.identifier()).unwrap_or_default();
        // What a client writes back as it read it stays, also what privileges have no word for.
        let same = !names.is_empty()
            && privileges_of(*rights).into_iter().map(|(ns, local)| Name::known(ns, local)).collect::<BTreeSet<_>>() == names;
        if now != *rights && !same {
            changes.push((grantee.identifier(), now));
        }
    }
    changes.extend(wanted.into_iter().map(|(who, (rights, _))| (who, rights)));
    let actor = call.session.who.address.to_string();
    // Whoever takes their own rights, or everybody's, can do nothing behind that.
    changes.sort_by_key(|(who, _)| (*who == actor, who == ANYONE));
    let mut all = Vec::with_capacity(changes.len());
    for (who, rights) in changes {
        all.push((call.session.dav.directory.grantee(call.session.who.account.tenant, &who).await?, RightsChange::Set(rights)));
    }
    let (mut revision, mailbox) = (before.revision, condition.on(&place.mailbox));
    for (at, some) in all.chunks(Mailbox::RIGHTS_TOGETHER).enumerate() {
        if at > 0 {
            revision = place.mailbox.folder_rights(place.folder.id).await?.revision;
        }
        mailbox.change_rights(place.folder.id, some, &actor, Some(revision), false).await?;
    }
    Ok(StatusCode::OK.into_response())
}

/// To whom an entry grants something; nothing for what always holds.
async fn grantee(call: &Call, owner_id: PrincipalId, ace: &Ace) -> Result<Option<String>, Wrong> {
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
    Ok(Some(who))
}
