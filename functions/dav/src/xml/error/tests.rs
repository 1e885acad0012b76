use penfold_formats::xml::{DAV, Limits, Name, read};

use super::{Precondition, body};

fn inner(precondition: &Precondition) -> String {
    let body = body(&[precondition.element()]);
    assert!(read(&body, Limits::default()).unwrap().is(DAV, "error"));
    let text = String::from_utf8(body).unwrap();
    text.split_once("ical/\">").unwrap().1.replace("</d:error>", "")
}

/// RFC 4918 §16: the resources that are locked are named.
#[test]
fn locked_resources_are_named() {
    let locked = Precondition::LOCK_TOKEN_SUBMITTED.at("/workspace/webdav/");
    assert_eq!(locked.status.as_u16(), 423);
    assert_eq!(inner(&locked), "<d:lock-token-submitted><d:href>/workspace/webdav/</d:href></d:lock-token-submitted>");
}

/// RFC 3744 §7.1.1.
#[test]
fn privileges_that_are_needed_are_named() {
    let denied = Precondition::NEED_PRIVILEGES.needing("/a", Name::known(DAV, "unbind")).needing("/c", Name::known(DAV, "bind"));
    assert_eq!(
        inner(&denied),
        "<d:need-privileges><d:resource><d:href>/a</d:href><d:privilege><d:unbind/></d:privilege></d:resource>\
         <d:resource><d:href>/c</d:href><d:privilege><d:bind/></d:privilege></d:resource></d:need-privileges>"
    );
}

/// RFC 4791 §5.3.2.1, RFC 6352 §6.3.2.1: the same local name is another element in each.
#[test]
fn calendars_and_address_books_have_their_own_elements() {
    assert_eq!(inner(&Precondition::NO_UID_CONFLICT.at("/c/x.ics")), "<c:no-uid-conflict><d:href>/c/x.ics</d:href></c:no-uid-conflict>");
    assert_eq!(inner(&Precondition::CARD_NO_UID_CONFLICT), "<card:no-uid-conflict/>");
}
