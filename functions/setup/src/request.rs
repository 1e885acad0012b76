//! The request of Autodiscover in XML (MS-OXDSCLI §2.2.3). Two elements are looked for; nothing is resolved, and a document
//! type, which could define entities, is refused.

use xmlparser::{ElementEnd, Token, Tokenizer};

/// Elements inside one another.
const DEPTH: usize = 8;
/// Characters of one value.
const VALUE: usize = 1024;

#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct Request {
    pub address: String,
    /// AcceptableResponseSchema.
    pub schema: String,
}

/// `None` where it is no such request.
pub(crate) fn read(body: &[u8]) -> Option<Request> {
    let text = std::str::from_utf8(body).ok()?;
    let (mut out, mut path) = (Request::default(), Vec::with_capacity(DEPTH));
    for token in Tokenizer::from(text) {
        match token.ok()? {
            Token::DtdStart { .. } | Token::EmptyDtd { .. } | Token::EntityDeclaration { .. } | Token::DtdEnd { .. } => return None,
            Token::ElementStart { local, .. } => {
                path.push(local.as_str());
                if path.len() > DEPTH {
                    return None;
                }
            }
            Token::ElementEnd { end: ElementEnd::Empty, .. } => drop(path.pop()?),
            Token::ElementEnd { end: ElementEnd::Close(_, local), .. } if path.pop()? != local.as_str() => return None,
            Token::Text { text } => take(&mut out, &path, &resolved(text.as_str())?)?,
            Token::Cdata { text, .. } => take(&mut out, &path, text.as_str())?,
            _ => (),
        }
    }
    let Request { address, schema } = out;
    let out = Request { address: address.trim().to_owned(), schema: schema.trim().to_owned() };
    (path.is_empty() && !out.address.is_empty() && !out.schema.is_empty()).then_some(out)
}

fn take(out: &mut Request, path: &[&str], text: &str) -> Option<()> {
    let value = match path {
        ["Autodiscover", "Request", "EMailAddress"] => &mut out.address,
        ["Autodiscover", "Request", "AcceptableResponseSchema"] => &mut out.schema,
        _ => return Some(()),
    };
    value.push_str(text);
    (value.len() <= VALUE).then_some(())
}

/// The five entities of XML 1.0 §4.6 and characters by number; any other reference is an error.
fn resolved(text: &str) -> Option<String> {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once('&') {
        let (name, behind) = after.split_once(';')?;
        out.push_str(before);
        out.push(character(name)?);
        rest = behind;
    }
    out.push_str(rest);
    Some(out)
}

fn character(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        other => {
            let number = other.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(address: &str) -> String {
        format!(
            "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Autodiscover xmlns=\"http://x/2006\">\n <Request>\n  <EMailAddress>{address}</EMailAddress>\n  \
             <AcceptableResponseSchema>http://y/2006a</AcceptableResponseSchema><LegacyDN/>\n </Request>\n</Autodiscover>\n"
        )
    }

    #[test]
    fn reads_the_two_elements() {
        for (written, meant) in [
            ("ann@x.test", "ann@x.test"),
            (" a&amp;b@x.test\n", "a&b@x.test"),
            ("<![CDATA[a&b@x.test]]>", "a&b@x.test"),
            ("&#x61;&#98;@x.test", "ab@x.test"),
        ] {
            let found = read(request(written).as_bytes());
            assert_eq!(found, Some(Request { address: meant.to_owned(), schema: "http://y/2006a".to_owned() }), "{written}");
        }
        assert!(
            read(request("a@x.test").replace("<Autodiscover xmlns", "<a:Autodiscover xmlns:a").replace("</Auto", "</a:Auto").as_bytes())
                .is_some()
        );
    }

    #[test]
    fn refuses_what_is_no_request() {
        let bomb = format!("<!DOCTYPE x [<!ENTITY a \"b\">]>{}", request("&a;").trim_start_matches('\u{feff}'));
        let deep = "<a>".repeat(100_000);
        let long = request(&"a".repeat(2000));
        let plain = request("a@x.test");
        let wrong = [
            "",
            "Autodiscover",
            &bomb,
            &deep,
            &long,
            &request("&a;"),
            &request("&#xd800;"),
            &request("&amp"),
            &request(""),
            &plain.replace("EMailAddress", "Address"),
            &plain.replace("</Request>", "</Answer>"),
            &plain.replace("</Autodiscover>", ""),
            &plain.replace("Autodiscover", "Other"),
        ];
        for wrong in wrong {
            assert_eq!(read(wrong.as_bytes()), None, "{}", wrong.get(..200).unwrap_or(wrong));
        }
        assert_eq!(read(b"\xff\xfe<\0a\0>\0"), None);
    }
}
