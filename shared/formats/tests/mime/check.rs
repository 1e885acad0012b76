//! What must hold of every summary of every message. The fuzz target includes this file too.

use penfold_formats::mime::{MAX_DEPTH, MAX_ENCODED, MAX_PARTS, Part, Summary, summarise};

pub fn check(message: &[u8]) -> Summary {
    let summary = summarise(message);
    let encoded = summary.encode();
    assert!(encoded.len() <= MAX_ENCODED, "encoded to {} bytes", encoded.len());
    assert_eq!(Summary::decode(&encoded).as_ref(), Some(&summary));
    assert!(summary.preview.chars().count() <= 120);
    assert!(summary.references.len() <= 20);
    let length = u32::try_from(message.len()).unwrap();
    assert_eq!((summary.root.header.start, summary.root.body.end), (0, length));
    let parts = check_part(&summary.root, 0);
    assert!(parts <= 2 * MAX_PARTS);
    summary
}

fn check_part(part: &Part, depth: usize) -> usize {
    assert!(depth <= MAX_DEPTH);
    assert!(part.header.start <= part.header.end && part.header.end == part.body.start && part.body.start <= part.body.end);
    assert_eq!(part.kind == "multipart", part.is_multipart());
    let embedded = part.kind == "message" && (part.subtype == "rfc822" || part.subtype == "global");
    assert_eq!(embedded, part.message.is_some());
    if embedded {
        assert_eq!(part.children.len(), 1);
        assert_eq!((part.body.start, part.body.end), (part.children[0].header.start, part.children[0].body.end));
    }
    let mut at = part.body.start;
    let mut parts = 1;
    for child in &part.children {
        assert!(child.header.start >= at && child.body.end <= part.body.end, "{:?} in {:?}", child.header, part.body);
        at = child.body.end;
        parts += check_part(child, depth + 1);
    }
    parts
}
