//! Alarms are each viewer's own (RFC 5545 §3.6.6): in somebody else's calendar neither theirs ring here, nor ours there.

use bytes::Bytes;
use penfold_formats::icalendar::{Object, SelectedProp, Selection, select};
use penfold_mailbox::Kind;

/// What somebody wrote into another's folder, in two: what all see, with the alarms that were there before; and their own version, for
/// its alarms. `None`: nothing of it is an alarm.
pub fn apart(kind: Kind, written: &Bytes, before: Option<&[u8]>) -> (Bytes, Option<Bytes>) {
    let Some(object) = timed(kind, written) else { return (written.clone(), None) };
    let own = has_alarms(&object).then(|| alarms_of(&object));
    let shared = match before.and_then(|before| Object::read(before).ok()) {
        Some(before) if has_alarms(&before) => object.with_alarms_of(&before),
        _ if own.is_some() => object.without_alarms(),
        _ => return (written.clone(), None),
    };
    (shared.into(), own)
}

/// An object of another's folder as a viewer sees it: with their own alarms and no others.
pub fn as_seen(kind: Kind, shared: Bytes, own: Option<&[u8]>) -> Bytes {
    let Some(object) = timed(kind, &shared) else { return shared };
    match own.and_then(|own| Object::read(own).ok()) {
        Some(own) => object.with_alarms_of(&own).into(),
        None if has_alarms(&object) => object.without_alarms().into(),
        None => shared,
    }
}

/// Enough of an object to know which alarm is of which instance.
fn alarms_of(object: &Object) -> Bytes {
    let named = |names: &[&str]| Some(names.iter().map(|name| SelectedProp { name: (*name).to_owned(), novalue: false }).collect());
    let alarm = Selection { name: "VALARM".to_owned(), props: None, comps: None };
    let zone = Selection { name: "VTIMEZONE".to_owned(), props: None, comps: None };
    let times = named(&["UID", "DTSTAMP", "DTSTART", "DUE", "RECURRENCE-ID"]);
    let part = Selection { name: object.kind().name().to_owned(), props: times, comps: Some(vec![alarm]) };
    let whole = Selection { name: "VCALENDAR".to_owned(), props: named(&["VERSION", "PRODID"]), comps: Some(vec![zone, part]) };
    select(object.bytes(), &whole).unwrap_or_default().into()
}

fn timed(kind: Kind, bytes: &[u8]) -> Option<Object> {
    matches!(kind, Kind::Events | Kind::Tasks).then(|| Object::read(bytes).ok()).flatten()
}

fn has_alarms(object: &Object) -> bool {
    object.components().any(|(_, part)| part.components.iter().any(|inner| inner.is("VALARM")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(summary: &str, trigger: Option<&str>) -> Bytes {
        let alarm =
            trigger.map(|trigger| format!("BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nTRIGGER:{trigger}\r\nEND:VALARM\r\n"));
        let alarm = alarm.unwrap_or_default();
        Bytes::from(format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260102T100000Z\r\n\
             SUMMARY:{summary}\r\n{alarm}END:VEVENT\r\nEND:VCALENDAR\r\n"
        ))
    }

    #[test]
    fn nobody_hears_another_s_alarms_or_loses_their_own() {
        let owners = event("old", Some("-PT5M"));
        // What the owner set stays where somebody else changes the rest.
        let (shared, own) = apart(Kind::Events, &event("new", Some("-PT30M")), Some(&owners));
        assert_eq!(shared, event("new", Some("-PT5M")));
        let own = own.unwrap();
        assert_eq!(as_seen(Kind::Events, shared.clone(), Some(&own)), event("new", Some("-PT30M")));
        assert_eq!(as_seen(Kind::Events, shared, None), event("new", None));
        // A new one has none for the owner, and one without alarms is as it was written.
        assert_eq!(apart(Kind::Events, &event("new", Some("-PT30M")), None).0, event("new", None));
        assert_eq!(apart(Kind::Events, &event("new", None), None), (event("new", None), None));
        assert_eq!(apart(Kind::Events, &event("new", None), Some(&owners)), (event("new", Some("-PT5M")), None));
    }
}
