use super::*;
use penfold_formats::mime::decode_body;
use proptest::prelude::*;

fn converted(message: &[u8], to: Octets) -> String {
    String::from_utf8(convert(message, to).unwrap().unwrap()).unwrap()
}

#[test]
fn what_is_fit_stays() {
    assert_eq!(convert(b"Subject: a\r\n\r\nb\r\n", Octets::SevenBit), Ok(None));
    assert_eq!(convert("Subject: a\r\n\r\nü\r\n".as_bytes(), Octets::EightBit), Ok(None));
}

#[test]
fn text_becomes_quoted_printable_and_the_rest_base64() {
    let plain = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\nMIME-Version: 1.0\r\n\r\nfür = \r\n";
    assert_eq!(
        converted(plain.as_bytes(), Octets::SevenBit),
        "Content-Type: text/plain; charset=utf-8\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nf=C3=BCr =3D=20\r\n"
    );
    assert_eq!(
        converted("Subject: a\r\n\r\nü\r\n".as_bytes(), Octets::SevenBit),
        "Subject: a\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=unknown-8bit\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=BC\r\n"
    );
    let head = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\nContent-Transfer-Encoding: binary\r\n\r\n--x\r\n\r\ntext\r\n--x\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n";
    let message = [head.as_bytes(), b"\x89PNG\r\n\0\n\r\n--x--\r\n"].concat();
    for to in [Octets::SevenBit, Octets::EightBit] {
        let of = if to == Octets::SevenBit { "7bit" } else { "8bit" };
        assert_eq!(
            converted(&message, to),
            format!(
                "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\nContent-Transfer-Encoding: {of}\r\n\r\n--x\r\n\r\ntext\r\n--x\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KAAo=\r\n--x--\r\n"
            )
        );
    }
}

#[test]
fn a_message_inside_is_converted_inside() {
    let message = "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\nMIME-Version: 1.0\r\n\r\nSubject: in\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nü\r\n";
    assert_eq!(
        converted(message.as_bytes(), Octets::SevenBit),
        "Content-Type: message/rfc822\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: 7bit\r\n\r\nSubject: in\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=BC\r\n"
    );
}

#[test]
fn what_must_not_be_changed_is_refused() {
    let signed = "Content-Type: multipart/signed; boundary=x\r\n\r\n--x\r\n\r\nü\r\n--x\r\n\r\ns\r\n--x--\r\n";
    assert_eq!(convert(signed.as_bytes(), Octets::SevenBit), Err(Unfit::Signed));
    let global = "Content-Type: message/global\r\n\r\nSubject: ü\r\n\r\nü\r\n";
    assert_eq!(convert(global.as_bytes(), Octets::SevenBit), Err(Unfit::Fixed));
    let status = "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: ü\r\n";
    assert_eq!(convert(status.as_bytes(), Octets::SevenBit), Err(Unfit::Fixed));
    assert_eq!(convert("Subject: ü\r\n\r\nb\r\n".as_bytes(), Octets::SevenBit), Err(Unfit::Octets));
    let preamble = "Content-Type: multipart/mixed; boundary=x\r\n\r\nü\r\n--x\r\n\r\nb\r\n--x--\r\n";
    assert_eq!(convert(preamble.as_bytes(), Octets::SevenBit), Err(Unfit::Octets));
    let broken = "Content-Transfer-Encoding: base64\r\n\r\nü\r\n";
    assert_eq!(convert(broken.as_bytes(), Octets::SevenBit), Err(Unfit::Octets));
}

/// The leaves, decoded.
fn leaves(message: &[u8]) -> Vec<(String, Vec<u8>)> {
    fn walk(part: &Part, message: &[u8], out: &mut Vec<(String, Vec<u8>)>) {
        if part.children.is_empty() {
            out.push((format!("{}/{}", part.kind, part.subtype), decode_body(part, part.body_of(message))));
        }
        part.children.iter().for_each(|child| walk(child, message, out));
    }
    let mut out = Vec::new();
    walk(&summarise(message).root, message, &mut out);
    out
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"\r\n".to_vec()),
        Just(b" \t".to_vec()),
        Just(b"=\x20\r\n.\r\n".to_vec()),
        Just("grüße".as_bytes().to_vec()),
        Just(b"\0\n\r".to_vec()),
        "[ -~]{0,100}".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..80),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Encoding and decoding a part gives what went in, in lines that every host takes.
    #[test]
    fn leaves_survive(bodies in proptest::collection::vec((body(), any::<bool>(), any::<bool>()), 1..4), to_seven in any::<bool>()) {
        let mut message = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_q\"\r\n\r\n".to_vec();
        for (body, text, nested) in &bodies {
            message.extend_from_slice(b"--=_q\r\n");
            if *nested {
                message.extend_from_slice(b"Content-Type: message/rfc822\r\n\r\nSubject: in\r\n");
            }
            let kind = if *text { "text/html" } else { "application/x" };
            message.extend_from_slice(format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: binary\r\n\r\n").as_bytes());
            message.extend_from_slice(body);
            message.extend_from_slice(b"\r\n");
        }
        message.extend_from_slice(b"--=_q--\r\n");
        let to = if to_seven { Octets::SevenBit } else { Octets::EightBit };
        let out = convert(&message, to).unwrap().unwrap_or_else(|| message.clone());
        prop_assert!(is_fit(&out, to));
        prop_assert_eq!(leaves(&out), leaves(&message));
        // A second time there is nothing to do.
        prop_assert_eq!(convert(&out, to), Ok(None));
    }

    #[test]
    fn encoded_lines_are_short(body in body()) {
        for encoded in [encode::quoted_printable(&body), encode::base64(&body)] {
            prop_assert!(encoded.is_ascii() && !has_bare_breaks(&encoded));
            prop_assert!(encoded.split(|byte| *byte == b'\n').all(|line| line.len() <= 77));
        }
    }

    #[test]
    fn nothing_makes_it_panic(message in body(), to_seven in any::<bool>()) {
        let to = if to_seven { Octets::SevenBit } else { Octets::EightBit };
        if let Ok(Some(out)) = convert(&message, to) {
            prop_assert!(is_fit(&out, to));
        }
    }
}
