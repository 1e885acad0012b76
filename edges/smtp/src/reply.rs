//! Replies: RFC 5321 §4.2, with the enhanced status codes of RFC 2034 and RFC 3463.

use std::borrow::Cow;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    pub code: u16,
    /// `class.subject.detail`; empty where RFC 2034 §4 has none (greeting, EHLO, 3xx).
    pub status: &'static str,
    pub text: Cow<'static, str>,
}

impl Reply {
    pub const fn new(code: u16, status: &'static str, text: &'static str) -> Self {
        Self { code, status, text: Cow::Borrowed(text) }
    }

    pub fn with(code: u16, status: &'static str, text: String) -> Self {
        Self { code, status, text: Cow::Owned(text) }
    }

    /// True for 4xx and 5xx.
    pub fn is_refusal(&self) -> bool {
        self.code >= 400
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&digits(self.code));
        out.push(b' ');
        if !self.status.is_empty() {
            out.extend_from_slice(self.status.as_bytes());
            out.push(b' ');
        }
        out.extend_from_slice(self.text.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
}

/// Several lines of one code, without enhanced status: the answer to EHLO (RFC 5321 §4.2.1).
pub(crate) fn write_lines(code: u16, lines: &[Cow<'_, str>], out: &mut Vec<u8>) {
    for (number, line) in lines.iter().enumerate() {
        out.extend_from_slice(&digits(code));
        out.push(if number + 1 == lines.len() { b' ' } else { b'-' });
        out.extend_from_slice(line.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
}

fn digits(code: u16) -> [u8; 3] {
    let digit = |n: u16| b'0' + (n % 10) as u8;
    [digit(code / 100), digit(code / 10), digit(code)]
}

macro_rules! replies {
    ($($name:ident = $code:literal $status:literal $text:literal;)*) => {
        $(pub(crate) const $name: Reply = Reply::new($code, $status, $text);)*
    };
}

replies! {
    OK = 250 "2.0.0" "OK";
    BYE = 221 "2.0.0" "Bye";
    HELP = 214 "2.0.0" "See RFC 5321";
    SENDER_OK = 250 "2.1.0" "Sender OK";
    RECIPIENT_OK = 250 "2.1.5" "Recipient OK";
    START_TLS = 220 "2.0.0" "Ready to start TLS";
    START_DATA = 354 "" "End data with <CR><LF>.<CR><LF>";
    SIGNED_IN = 235 "2.7.0" "Authentication succeeded";
    CANNOT_VERIFY = 252 "2.5.2" "Send the message and its recipients will be tried";

    SHUTTING_DOWN = 421 "4.3.2" "Shutting down, come back soon";
    IDLE = 421 "4.4.2" "Nothing came for too long";
    TRANSACTION_SLOW = 421 "4.4.2" "The transaction took too long";
    ENOUGH_ERRORS = 421 "4.7.0" "Too many errors";
    ENOUGH_CHATTER = 421 "4.7.0" "Too many commands without a message";
    ENOUGH_UNKNOWN = 421 "4.7.0" "Too many recipients that do not exist";
    ENDLESS = 421 "4.3.4" "Far past the size limit";

    BAD_LINE = 500 "5.5.2" "A line ends with CRLF and holds no other CR, LF or NUL";
    LONG_LINE = 500 "5.5.2" "Line too long";
    LONG_RESPONSE = 500 "5.5.6" "Authentication line too long";
    UNKNOWN_COMMAND = 500 "5.5.1" "Command not known";
    NOT_OFFERED = 502 "5.5.1" "Command not offered";
    NO_ARGUMENT = 501 "5.5.4" "This command takes no argument";
    BAD_ARGUMENT = 501 "5.5.4" "Syntax error in the arguments";
    BAD_NAME = 501 "5.5.4" "Give your host name";
    BAD_SENDER = 501 "5.1.7" "Syntax: MAIL FROM:<address> [parameters]";
    BAD_RECIPIENT = 501 "5.1.3" "Syntax: RCPT TO:<address> [parameters]";
    BAD_PARAMETER = 501 "5.5.4" "Syntax error in a parameter";
    UNKNOWN_PARAMETER = 555 "5.5.4" "Parameter not known";
    HELD_TOO_LONG = 501 "5.5.4" "A message is held for 45 days at most";
    BAD_CHUNK = 501 "5.5.4" "Syntax: BDAT size [LAST]";
    HELLO_FIRST = 503 "5.5.1" "Send EHLO first";
    MAIL_FIRST = 503 "5.5.1" "Send MAIL first";
    MAIL_ALREADY = 503 "5.5.1" "A transaction has begun already";
    BDAT_BEGUN = 503 "5.5.1" "BDAT has begun this message";
    NO_RECIPIENTS = 554 "5.5.1" "No valid recipients";
    NEEDS_UTF8 = 553 "5.6.7" "Such an address needs SMTPUTF8";
    WRONG_PROTOCOL = 554 "5.7.0" "This is SMTP";

    TOO_LARGE = 552 "5.3.4" "Message larger than the limit";
    NO_ROOM = 452 "4.3.1" "Too much mail just now, try again later";
    TOO_MANY_RECIPIENTS = 452 "4.5.3" "Too many recipients, send them in another transaction";
    BARE_LINE = 554 "5.6.0" "Message refused: a CR or LF stood alone in it";

    SIGN_IN_FIRST = 530 "5.7.0" "Authentication required";
    NEEDS_TLS = 538 "5.7.11" "Send STARTTLS first";
    UNKNOWN_MECHANISM = 504 "5.5.4" "Mechanism not known";
    SIGNED_IN_ALREADY = 503 "5.5.1" "Authenticated already";
    BAD_BASE64 = 501 "5.5.2" "Not base64";
    CANCELLED = 501 "5.0.0" "Authentication cancelled";
    SIGN_IN_REFUSED = 535 "5.7.8" "Authentication failed";
    SIGN_IN_LATER = 454 "4.7.0" "Authentication is not possible now, try again later";
    TLS_ALREADY = 503 "5.5.1" "TLS is on already";
}
