//! Records as a master file (RFC 1035 §5).

use crate::records::{Data, Record};
use std::fmt::Write;

/// Octets of one string of a TXT record.
const STRING: usize = 255;
const TTL: u32 = 3600;

/// A line for each record, with absolute names, and a comment that says what it is for.
pub fn zone_file(records: &[Record]) -> String {
    let mut out = String::new();
    for record in records {
        let data = match &record.data {
            Data::Mx { preference, host } => format!("{preference} {host}."),
            Data::Txt(text) => strings(text.as_bytes()),
            Data::Cname(host) => format!("{host}."),
            Data::Srv { priority, weight, port, target } => format!("{priority} {weight} {port} {target}."),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(out, "; {}\n{}. {TTL} IN {} {data}", record.purpose, record.name, record.data.kind());
    }
    out
}

fn strings(text: &[u8]) -> String {
    let quoted: Vec<String> = text.chunks(STRING).map(quoted).collect();
    if quoted.is_empty() { "\"\"".to_owned() } else { quoted.join(" ") }
}

/// One string of at most 255 octets. What is not plain ASCII stands as three decimal digits.
fn quoted(octets: &[u8]) -> String {
    let mut out = String::from("\"");
    for octet in octets {
        let _ = match octet {
            b'"' | b'\\' => write!(out, "\\{}", *octet as char),
            b' '..=b'~' => write!(out, "{}", *octet as char),
            _ => write!(out, "\\{octet:03}"),
        };
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_awkward_texts_are_quoted() {
        assert_eq!(strings(b""), "\"\"");
        assert_eq!(strings(br#"a "b" \ ;"#), r#""a \"b\" \\ ;""#);
        assert_eq!(strings("é\n".as_bytes()), r#""\195\169\010""#);
        let long = strings(&[b'x'; 600]);
        let lengths: Vec<_> = long.split(' ').map(|part| part.len() - 2).collect();
        assert_eq!(lengths, [255, 255, 90]);
    }
}
