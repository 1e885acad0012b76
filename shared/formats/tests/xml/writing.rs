use penfold_formats::xml::{APPLE, CALDAV, DAV, Element, Limits, Name, Writer, element_bytes, read};

use crate::parsed;

#[test]
fn known_namespaces_are_declared_once_and_others_where_they_are() {
    let mut writer = Writer::new();
    writer.open(&Name::known(DAV, "prop"));
    writer.leaf(&Name::known(APPLE, "calendar-color"), "#FF0000FF");
    writer.open(&Name::known("http://ns.example.com/", "a"));
    writer.empty(&Name::known("http://ns.example.com/", "b"));
    writer.close();
    writer.empty(&Name::known("", "none"));
    writer.open(&Name::known(CALDAV, "comp"));
    writer.attribute(&Name::known("", "name"), "VEVENT \"<&>\"\n");
    let text = String::from_utf8(writer.finish()).unwrap();
    assert_eq!(
        text,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<d:prop xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\" \
         xmlns:card=\"urn:ietf:params:xml:ns:carddav\" xmlns:cs=\"http://calendarserver.org/ns/\" \
         xmlns:ical=\"http://apple.com/ns/ical/\"><ical:calendar-color>#FF0000FF</ical:calendar-color>\
         <x5:a xmlns:x5=\"http://ns.example.com/\"><x5:b/></x5:a><none/>\
         <c:comp name=\"VEVENT &quot;&lt;&amp;&gt;&quot;&#10;\"/></d:prop>"
    );
}

/// What is stored of a dead property stands by itself: only its own namespaces, and its language.
#[test]
fn an_element_is_written_alone() {
    let root = parsed(r#"<p xmlns="DAV:" xml:lang="de"><prop><Z:x xmlns:Z="urn:z" Z:k="v">a<Z:y xml:lang="en"/>b</Z:x></prop></p>"#);
    let element = root.child(DAV, "prop").unwrap().elements().next().unwrap();
    let bytes = element_bytes(element);
    assert_eq!(
        String::from_utf8(bytes.clone()).unwrap(),
        r#"<x0:x xmlns:x0="urn:z" xml:lang="de" x0:k="v">a<x0:y xml:lang="en"/>b</x0:x>"#
    );
    assert_eq!(read(&bytes, Limits::default()).unwrap(), *element);
}

/// Lines of iCalendar end with CRLF, which a reader would fold into LF; controls cannot be in XML at all.
#[test]
fn lines_survive_and_controls_are_replaced() {
    let mut writer = Writer::new();
    writer.leaf(&Name::known(CALDAV, "calendar-data"), "BEGIN:VCALENDAR\r\nX:a]]>\u{1}\u{FFFF}b\r\n");
    let back = read(&writer.finish(), Limits::default()).unwrap();
    assert_eq!(back.text(), "BEGIN:VCALENDAR\r\nX:a]]>\u{FFFD}\u{FFFD}b\r\n");
}

#[test]
fn names_that_cannot_be_written_are_none() {
    for local in ["", "1a", "a b", "a:b", "a>", "-a"] {
        assert_eq!(Name::new(DAV, local), None, "{local}");
    }
    assert_eq!(Name::new("a\u{0}", "x"), None);
    assert_eq!(Name::new(&"n".repeat(1000), "x"), None);
    assert_eq!(Name::new(DAV, "prop").map(Element::new), Some(Element::known(DAV, "prop")));
}
