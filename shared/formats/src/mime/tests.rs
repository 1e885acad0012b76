//! Linear time, by counting the scanner's steps and not by the clock.

use super::structure::summarise_counted;

/// Steps for a message, and for one of twice the length, must be as one to two.
fn assert_linear(what: &str, message: impl Fn(usize) -> Vec<u8>) {
    let (small, large) = (message(2000), message(4000));
    let (few, many) = (summarise_counted(&small).1, summarise_counted(&large).1);
    assert!(many <= 2 * few + 200, "{what}: {few} steps for {} bytes, {many} for {}", small.len(), large.len());
    // No byte is compared with more than the 32 boundaries that can be open.
    assert!(many <= 34 * large.len() as u64, "{what}: {many} steps for {} bytes", large.len());
}

fn mixed(boundary: &str) -> Vec<u8> {
    format!("Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n").into_bytes()
}

/// 32 open multiparts whose boundaries differ in the last byte only.
fn open_32() -> Vec<u8> {
    (0..32_u8).flat_map(|level| mixed(&format!("{}{}", "b".repeat(60), char::from(b'A' + level)))).collect()
}

fn with(mut start: Vec<u8>, unit: &str, times: usize) -> Vec<u8> {
    start.extend(unit.repeat(times).into_bytes());
    start
}

#[test]
fn header_lines() {
    assert_linear("fields", |times| with(Vec::new(), "a: b\r\n", times));
    assert_linear("folds", |times| with(b"a: b\r\n".to_vec(), " c\n", times));
    assert_linear("dashes", |times| with(mixed("x"), "--y\r\n", times));
}

#[test]
fn parts() {
    assert_linear("empty parts", |times| with(mixed("x"), "--x\r\n", times));
    assert_linear("parts", |times| with(mixed("x"), "--x\r\n\r\na\r\n", times));
    assert_linear("closed parts", |times| with(mixed("x"), "--x--\r\n", times));
    assert_linear("nested", |times| with(Vec::new(), "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n", times));
    assert_linear("messages", |times| with(Vec::new(), "Content-Type: message/rfc822\r\n\r\n", times));
}

#[test]
fn lines_that_are_nearly_delimiters() {
    let nearly = format!("--{}\r\n", "b".repeat(60));
    assert_linear("prefixes", |times| with(open_32(), &nearly, times));
    assert_linear("prefixes after a header", |times| with(with(open_32(), "\r\n", 1), &nearly, times));
    let padded = format!("--{}A    x\n", "b".repeat(60));
    assert_linear("padding", |times| with(with(open_32(), "\r\n", 1), &padded, times));
    assert_linear("dashes", |times| with(with(open_32(), "\r\n", 1), "\n--", times));
    assert_linear("one long line", |times| with(with(open_32(), "\r\n--", 1), "b", times));
    assert_linear("one long padding", |times| with(with(mixed("x"), "\r\n--x", 1), " ", times));
}
