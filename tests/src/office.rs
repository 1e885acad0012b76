//! Mail as an office gets it, for measuring what bytes cost: headers of real size, text out of this repository's own
//! documents (English prose), the markup that office programs write, quoted history, and attachments that are compressed
//! already, as documents and pictures are.

use crate::letters;
use crate::rng::Rng;
use bytes::Bytes;
use std::fmt::Write;

const PROSE: [&str; 6] = [
    include_str!("../../ARCHITECTURE.md"),
    include_str!("../../docs/operations.md"),
    include_str!("../../docs/operations-aws.md"),
    include_str!("../../docs/protocols.md"),
    include_str!("../../docs/decisions/0011-aws-ports.md"),
    include_str!("../../LICENSE-APACHE"),
];

/// What begins every letter that an office program writes in HTML.
const STYLES: &str = "<html xmlns:v=\"urn:schemas-microsoft-com:vml\" xmlns:o=\"urn:schemas-microsoft-com:office:office\" xmlns=\"http://www.w3.org/TR/REC-html40\"><head><meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">\r\n<style><!--\r\n@font-face {font-family:\"Cambria Math\"; panose-1:2 4 5 3 5 4 6 3 2 4;}\r\n@font-face {font-family:Calibri; panose-1:2 15 5 2 2 2 4 3 2 4;}\r\np.MsoNormal, li.MsoNormal, div.MsoNormal {margin:0cm; font-size:11.0pt; font-family:\"Calibri\",sans-serif; mso-fareast-language:EN-US;}\r\na:link, span.MsoHyperlink {mso-style-priority:99; color:#0563C1; text-decoration:underline;}\r\nspan.EmailStyle17 {mso-style-type:personal-compose; font-family:\"Calibri\",sans-serif; color:windowtext;}\r\n@page WordSection1 {size:612.0pt 792.0pt; margin:70.85pt 70.85pt 2.0cm 70.85pt;}\r\n--></style></head><body lang=\"EN-GB\" link=\"#0563C1\" vlink=\"#954F72\" style=\"word-wrap:break-word\"><div class=\"WordSection1\">\r\n";

/// Letter `number`, from somebody. The mean of many is about 120 KB: of 100 letters 35 are short, 35 answers with what they
/// answer, 15 newsletters, 13 carry a document of 80 to 600 KB and 2 one of 1 to 4 MB.
pub fn letter(number: u64, from: &str) -> Bytes {
    let mut rng = Rng::new(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x6f66_6669_6365);
    let (text, attached) = match rng.below(100) {
        0..35 => (3_000 + rng.below(8_000), 0),
        35..70 => (8_000 + rng.below(30_000), 0),
        70..85 => (25_000 + rng.below(60_000), 0),
        85..98 => (3_000 + rng.below(9_000), 60_000 + rng.below(390_000)),
        _ => (3_000 + rng.below(9_000), 750_000 + rng.below(2_250_000)),
    };
    let mut out = header(number, from);
    let _ = write!(out, "Content-Type: multipart/mixed; boundary=\"m{number}\"\r\n\r\n--m{number}\r\n");
    let _ = write!(out, "Content-Type: multipart/alternative; boundary=\"a{number}\"\r\n\r\n--a{number}\r\n");
    out.push_str("Content-Type: text/plain; charset=\"utf-8\"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n");
    let begin = out.len();
    let mut paragraphs = Vec::new();
    // HTML of the same text weighs about twice as much.
    while out.len() < begin + text / 3 {
        let paragraph = paragraph(&mut rng);
        out.push_str(&paragraph);
        out.push_str("\r\n\r\n");
        paragraphs.push(paragraph);
    }
    let _ = write!(out, "--a{number}\r\nContent-Type: text/html; charset=\"utf-8\"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{STYLES}");
    for paragraph in paragraphs {
        let _ = write!(
            out,
            "<p class=\"MsoNormal\"><span lang=\"EN-US\" style=\"mso-fareast-language:EN-US\">{paragraph}<o:p></o:p></span></p>\r\n<p class=\"MsoNormal\"><span lang=\"EN-US\"><o:p>&nbsp;</o:p></span></p>\r\n"
        );
    }
    let _ = write!(out, "</div></body></html>\r\n--a{number}--\r\n");
    if attached > 0 {
        let name = format!("Report {number}.docx");
        let _ = write!(
            out,
            "--m{number}\r\nContent-Type: application/vnd.openxmlformats-officedocument.wordprocessingml.document; name=\"{name}\"\r\nContent-Disposition: attachment; filename=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        );
        base64(&mut rng, attached, &mut out);
    }
    let _ = write!(out, "--m{number}--\r\n");
    Bytes::from(out)
}

/// The header of `letters::real`, with another From and without the type of its body.
fn header(number: u64, from: &str) -> String {
    let real = letters::real(number, 0);
    let text = String::from_utf8_lossy(&real).into_owned();
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    let mut out = String::with_capacity(8_192);
    for line in head.split_inclusive("\r\n") {
        if line.starts_with("From: ") {
            let _ = write!(out, "From: {from}\r\n");
        } else if !line.starts_with("Content-Type:") {
            out.push_str(line);
        }
    }
    out
}

/// A few lines of prose from anywhere.
fn paragraph(rng: &mut Rng) -> String {
    let source = *rng.pick(&PROSE);
    let words = 20 + rng.below(60);
    let from = rng.below(source.len().saturating_sub(600));
    let text = source.get(source.ceil_char_boundary(from)..).unwrap_or_default();
    let mut out = String::new();
    let mut line = 0;
    for word in text.split_whitespace().skip(1).take(words) {
        if line + word.len() > 76 {
            out.push_str("\r\n");
            line = 0;
        }
        out.push_str(word);
        out.push(' ');
        line += word.len() + 1;
    }
    out
}

/// What is compressed already, in lines of 76.
fn base64(rng: &mut Rng, bytes: usize, out: &mut String) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for _ in 0..(bytes * 4 / 3).div_ceil(76) {
        for _ in 0..8 {
            let mut word = rng.word();
            for _ in 0..10 {
                out.push(ALPHABET[(word & 63) as usize] as char);
                word >>= 6;
            }
        }
        out.truncate(out.len() - 4);
        out.push_str("\r\n");
    }
}
