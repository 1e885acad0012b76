use super::{authority, encode, segment, segments};

#[test]
fn names_come_back_as_they_were() {
    for name in ["a b", "ä/€", "100%", "x?y#z", "user@example.org", "a&b;c<d>\"", "BEGIN:x", "~-_.", "+=,'()*!$"] {
        let path = format!("/dav/{}/", segment(name));
        assert!(path.bytes().all(|byte| byte.is_ascii_graphic()), "{path}");
        assert_eq!(segments(&path), Some(vec!["dav".to_owned(), name.to_owned()]), "{path}");
    }
    assert_eq!(encode("/dav/a b/ä.ics"), "/dav/a%20b/%C3%A4.ics");
}

/// RFC 4918 §8.3: clients send paths and whole URLs.
#[test]
fn urls_and_paths_are_the_same() {
    let path = Some(vec!["a".to_owned(), "b c".to_owned()]);
    for href in ["/a/b%20c", "/a//b c/", "http://h:80/a/b%20c", "https://u@h/a/b%20c?q#f", "  /a/b%20c\n"] {
        assert_eq!(segments(href), path, "{href}");
    }
    assert_eq!(segments("http://host"), Some(Vec::new()));
    assert_eq!(authority("https://u:p@h.example:8443/a?b"), Some("h.example:8443"));
    assert_eq!(authority("/a?u=http://other/"), None);
}

#[test]
fn what_is_no_path_is_none() {
    for href in ["", "a/b", "/a/../b", "/a/%2e%2E/b", "/./a", "/%", "/%4", "/%zz", "/%FF", "/a%00b", "/a%0Ab", "mailto:a@b"] {
        assert_eq!(segments(href), None, "{href}");
    }
}
