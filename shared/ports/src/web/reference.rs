//! Where a reference leads (RFC 3986 §5.2): pure, and the same for every adapter.

/// A URI in its parts (RFC 3986 §3), without its fragment, which no server is told.
#[derive(Clone, Copy, Default)]
struct Parts<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Self {
        let text = text.split_once('#').map_or(text, |(text, _)| text);
        let (text, query) = text.split_once('?').map_or((text, None), |(text, query)| (text, Some(query)));
        let (scheme, text) = match text.split_once(':') {
            Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme), rest),
            _ => (None, text),
        };
        let Some(rest) = text.strip_prefix("//") else { return Self { scheme, authority: None, path: text, query } };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        Self { scheme, authority: Some(authority), path, query }
    }

    /// RFC 3986 §5.3.
    fn write(self, path: &str) -> String {
        let scheme = self.scheme.map(|scheme| format!("{scheme}:")).unwrap_or_default();
        let authority = self.authority.map(|authority| format!("//{authority}")).unwrap_or_default();
        let query = self.query.map(|query| format!("?{query}")).unwrap_or_default();
        format!("{scheme}{authority}{path}{query}")
    }
}

/// What a reference means that stands in an answer of `base`, an absolute URL. Its fragment is left out.
pub fn resolve(base: &str, reference: &str) -> String {
    let (base, reference) = (Parts::of(base), Parts::of(reference));
    if reference.scheme.is_some() {
        return reference.write(&without_dots(reference.path));
    }
    let reference = Parts { scheme: base.scheme, ..reference };
    if reference.authority.is_some() {
        return reference.write(&without_dots(reference.path));
    }
    let reference = Parts { authority: base.authority, ..reference };
    if reference.path.is_empty() {
        return Parts { query: reference.query.or(base.query), ..reference }.write(base.path);
    }
    if reference.path.starts_with('/') {
        return reference.write(&without_dots(reference.path));
    }
    // RFC 3986 §5.2.3.
    let folder = match base.path.rfind('/') {
        Some(at) => &base.path[..=at],
        None if base.authority.is_some() => "/",
        None => "",
    };
    reference.write(&without_dots(&format!("{folder}{}", reference.path)))
}

/// RFC 3986 §5.2.4: segment by segment, `..` takes one away and `.` none; as the last one, both leave a slash.
fn without_dots(path: &str) -> String {
    let Some(absolute) = path.strip_prefix('/') else { return path.to_owned() };
    let mut kept = Vec::new();
    let mut segments = absolute.split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            segment => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All examples of RFC 3986 §5.4, without the fragments.
    #[test]
    fn examples_of_the_standard() {
        for (reference, wanted) in [
            ("g:h", "g:h"),
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q"),
            ("g#s", "http://a/b/c/g"),
            ("g?y#s", "http://a/b/c/g?y"),
            (";x", "http://a/b/c/;x"),
            ("g;x", "http://a/b/c/g;x"),
            ("g;x?y#s", "http://a/b/c/g;x?y"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("./", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../..", "http://a/"),
            ("../../", "http://a/"),
            ("../../g", "http://a/g"),
            // §5.4.2
            ("../../../g", "http://a/g"),
            ("../../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("/../g", "http://a/g"),
            ("g.", "http://a/b/c/g."),
            (".g", "http://a/b/c/.g"),
            ("g..", "http://a/b/c/g.."),
            ("..g", "http://a/b/c/..g"),
            ("./../g", "http://a/b/g"),
            ("./g/.", "http://a/b/c/g/"),
            ("g/./h", "http://a/b/c/g/h"),
            ("g/../h", "http://a/b/c/h"),
            ("g;x=1/./y", "http://a/b/c/g;x=1/y"),
            ("g;x=1/../y", "http://a/b/c/y"),
            ("g?y/./x", "http://a/b/c/g?y/./x"),
            ("g?y/../x", "http://a/b/c/g?y/../x"),
            ("g#s/./x", "http://a/b/c/g"),
            ("g#s/../x", "http://a/b/c/g"),
            // As a strict parser reads it.
            ("http:g", "http:g"),
        ] {
            assert_eq!(resolve("http://a/b/c/d;p?q", reference), wanted, "{reference}");
        }
    }

    #[test]
    fn what_the_examples_leave_out() {
        for (base, reference, wanted) in [
            ("http://a", "g", "http://a/g"),
            ("http://a?q", "g", "http://a/g"),
            ("https://a/b", "https://c/d/../../e/.?x=/../", "https://c/e/?x=/../"),
            ("https://a/b", "z?u=http://c.test/", "https://a/z?u=http://c.test/"),
            ("https://a/b/", "1:2", "https://a/b/1:2"),
            ("https://a/b", "//c:8443//d/./", "https://c:8443//d/"),
        ] {
            assert_eq!(resolve(base, reference), wanted, "{base} {reference}");
        }
    }
}
