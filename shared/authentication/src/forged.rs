//! Authentication-Results fields that came with a message and say that they are ours (RFC 8601 §5).

use crate::header::Message;
use crate::name;
use std::ops::Range;

/// Where such fields stand, whole, from the top on. One whose authserv-id cannot be read counts too: some reader may find
/// ours in it.
pub fn forged_results(message: &[u8], authserv_id: &str) -> Vec<Range<usize>> {
    let own = form(authserv_id);
    let message = Message::read(message);
    let forged = message.named("Authentication-Results").filter(|field| id(field.value).is_none_or(|id| form(&id) == own));
    forged.map(super::header::Field::range).collect()
}

fn form(id: &str) -> String {
    name::canonical(id).unwrap_or_else(|| id.to_lowercase())
}

/// `[CFWS] value`, where the value is a token or a quoted string.
fn id(value: &[u8]) -> Option<String> {
    let rest = without_comments(value)?;
    let (id, rest) = match rest.split_first()? {
        (b'"', quoted) => unquoted(quoted)?,
        _ => {
            let end = rest.iter().position(|byte| byte.is_ascii_whitespace() || b";(\"".contains(byte)).unwrap_or(rest.len());
            let (token, rest) = rest.split_at_checked(end)?;
            (token.to_vec(), rest)
        }
    };
    // Behind it stand a version, a result, or nothing.
    let ends = matches!(rest.first(), None | Some(b';' | b'(')) || rest.first().is_some_and(u8::is_ascii_whitespace);
    String::from_utf8(id).ok().filter(|id| ends && !id.is_empty())
}

fn unquoted(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (mut out, mut rest) = (Vec::new(), text);
    loop {
        let (byte, after) = rest.split_first()?;
        rest = after;
        match byte {
            b'"' => return Some((out, rest)),
            b'\\' => {
                let (byte, after) = rest.split_first()?;
                out.push(*byte);
                rest = after;
            }
            b'\r' | b'\n' => (),
            _ => out.push(*byte),
        }
    }
}

/// Behind white space and comments, which nest.
fn without_comments(text: &[u8]) -> Option<&[u8]> {
    let (mut rest, mut depth) = (text, 0_usize);
    loop {
        let Some((byte, after)) = rest.split_first() else {
            return (depth == 0).then_some(rest);
        };
        match byte {
            b'(' => depth += 1,
            b')' if depth > 0 => depth -= 1,
            b'\\' if depth > 0 => {
                rest = after.get(1..)?;
                continue;
            }
            byte if depth > 0 || byte.is_ascii_whitespace() => (),
            _ => return Some(rest),
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_are_found() {
        let ours = [
            "Authentication-Results: mx.test; spf=pass\r\n",
            "authentication-results : MX.Test 1; none\r\n",
            "Authentication-Results:\r\n (a (nested\\)) one) \"mx\\.test\"(x);\r\n dkim=pass\r\n",
            "Authentication-Results: mx.test\r\n",
            "Authentication-Results: mx.test.; x\r\n",
            // Not readable.
            "Authentication-Results:\r\n",
            "Authentication-Results: ; spf=pass\r\n",
            "Authentication-Results: (mx.test; x\r\n",
            "Authentication-Results: \"mx.test; x\r\n",
        ];
        let others = [
            "Authentication-Results: mx.test.evil.test; spf=pass\r\n",
            "Authentication-Results: other.test (mx.test); x=mx.test\r\n",
            "X-Authentication-Results: mx.test; x\r\n",
            "ARC-Authentication-Results: i=1; mx.test; x\r\n",
        ];
        for one in ours {
            let message = format!("{}{one}{}\r\nAuthentication-Results: mx.test; body\r\n", others[0], others[1]);
            let at = others[0].len();
            let found = forged_results(message.as_bytes(), "mx.test");
            assert!(found.len() == 1 && found.first() == Some(&(at..at + one.len())), "{one:?}: {found:?}");
        }
        for one in others {
            assert!(forged_results(one.as_bytes(), "mx.test").is_empty(), "{one}");
        }
        let international = "Authentication-Results: m\u{fc}.test; x\r\n";
        assert_eq!(forged_results(international.as_bytes(), "xn--m-eha.test").len(), 1);
    }
}
