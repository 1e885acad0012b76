//! The patterns of LIST: `*` stands for anything, `%` for anything within one level (RFC 9051 §6.3.9).

/// Octets that are looked at; no mailbox name is longer than a fraction of what these can tell.
const LIMIT: usize = 2048;

pub struct Pattern(String);

impl Pattern {
    pub fn new(text: &str) -> Self {
        let mut end = text.len().min(LIMIT);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let mut pattern = text.get(..end).unwrap_or_default().to_owned();
        // INBOX is one name in any case (RFC 9051 §5.1).
        if pattern.get(..5).is_some_and(|head| head.eq_ignore_ascii_case("INBOX"))
            && matches!(pattern.as_bytes().get(5), None | Some(b'/' | b'*' | b'%'))
        {
            pattern.replace_range(..5, "INBOX");
        }
        Self(pattern)
    }

    /// Walks the name with the set of places in the pattern that it may stand at: no recursion, and time bounded by the
    /// product of both lengths.
    pub fn matches(&self, name: &str) -> bool {
        let pattern = self.0.as_bytes();
        let mut here = vec![false; pattern.len() + 1];
        if let Some(first) = here.first_mut() {
            *first = true;
        }
        spread(pattern, &mut here);
        for byte in name.bytes() {
            let mut next = vec![false; pattern.len() + 1];
            for (at, wanted) in pattern.iter().enumerate() {
                if here.get(at) != Some(&true) {
                    continue;
                }
                let stays = *wanted == b'*' || (*wanted == b'%' && byte != b'/');
                let to = if stays { at } else { at + 1 };
                if (stays || *wanted == byte)
                    && let Some(place) = next.get_mut(to)
                {
                    *place = true;
                }
            }
            spread(pattern, &mut next);
            here = next;
        }
        here.last() == Some(&true)
    }

    /// Some name at or below `root` may match.
    pub fn may_reach(&self, root: &str) -> bool {
        let fixed = self.0.split(['*', '%']).next().unwrap_or_default();
        root.starts_with(fixed) || fixed.starts_with(root)
    }
}

/// A wildcard also stands for nothing.
fn spread(pattern: &[u8], places: &mut [bool]) {
    for (at, byte) in pattern.iter().enumerate() {
        if matches!(byte, b'*' | b'%')
            && places.get(at) == Some(&true)
            && let Some(next) = places.get_mut(at + 1)
        {
            *next = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_what_they_may() {
        for (pattern, name, wanted) in [
            ("*", "a/b/c", true),
            ("%", "a", true),
            ("%", "a/b", false),
            ("a/%", "a/b", true),
            ("a/%", "a", false),
            ("a*", "a", true),
            ("%/%", "a/b", true),
            ("*c", "a/b/c", true),
            ("%c", "a/b/c", false),
            ("inbox", "INBOX", true),
            ("InBox/*", "INBOX/x", true),
            ("inboxes", "INBOX", false),
            ("", "a", false),
            ("a", "A", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(name), wanted, "{pattern} {name}");
        }
    }

    #[test]
    fn a_hostile_pattern_ends() {
        assert!(!Pattern::new(&"*a".repeat(5000)).matches(&"b".repeat(1000)));
    }
}
