//! What a principal says of itself: where its homes are, and what it is called by (RFC 4791 §6.2.1, RFC 6638 §2.4, RFC 6352 §7.1).
//! Homes stand on the root too: some clients ask there first.

use super::{href, hrefs, text};
use crate::path::{self, Home};
use crate::resource::{INBOX, OUTBOX, Resource, Session};
use crate::wrong::Wrong;
use penfold_formats::xml::{CALDAV, CALENDARSERVER, CARDDAV, Element, Name};
use penfold_types::PrincipalId;

pub(super) async fn value(session: &Session, resource: &Resource, name: &Name) -> Result<Option<Element>, Wrong> {
    let id = match resource {
        Resource::Principal(id) => *id,
        Resource::Root | Resource::Principals => session.me(),
        _ => return Ok(None),
    };
    let mine = id == session.me();
    let calendars = path::home(Home::Calendars, id);
    Ok(match (name.ns(), name.local()) {
        (CALDAV, "calendar-home-set") => Some(hrefs(CALDAV, "calendar-home-set", &[calendars])),
        // What Apple's clients look people up in.
        (CARDDAV, "directory-gateway") if mine => Some(hrefs(CARDDAV, "directory-gateway", &[crate::book::href(id)])),
        (CARDDAV, "addressbook-home-set") => Some(hrefs(CARDDAV, "addressbook-home-set", &[path::home(Home::AddressBooks, id)])),
        (CALDAV, "calendar-user-address-set") => {
            let mut all: Vec<String> = addresses(session, id).await?.iter().map(|address| format!("mailto:{address}")).collect();
            all.push(path::principal(id));
            Some(hrefs(CALDAV, "calendar-user-address-set", &all))
        }
        (CALENDARSERVER, "email-address-set") => {
            let all = addresses(session, id).await?;
            let set = Element::known(CALENDARSERVER, "email-address-set");
            Some(all.iter().fold(set, |set, address| set.with(text(CALENDARSERVER, "email-address", address))))
        }
        (CALDAV, "calendar-user-type") => {
            let group = session.card(id).await?.is_some_and(|card| Session::is_group(&card));
            Some(text(CALDAV, "calendar-user-type", if group { "GROUP" } else { "INDIVIDUAL" }))
        }
        (CALDAV, "schedule-inbox-URL") if mine => {
            Some(Element::known(CALDAV, "schedule-inbox-URL").with(href(&format!("{calendars}{INBOX}/"))))
        }
        (CALDAV, "schedule-outbox-URL") if mine => {
            Some(Element::known(CALDAV, "schedule-outbox-URL").with(href(&format!("{calendars}{OUTBOX}/"))))
        }
        _ => None,
    })
}

/// One's own with all aliases, another's the primary one.
async fn addresses(session: &Session, id: PrincipalId) -> Result<Vec<String>, Wrong> {
    if id == session.me() {
        let all = session.dav.directory.addresses(session.who.account).await?;
        return Ok(all.iter().map(ToString::to_string).collect());
    }
    Ok(session.card(id).await?.into_iter().map(|card| card.address.to_string()).collect())
}
