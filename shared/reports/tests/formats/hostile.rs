use crate::dmarc::SAMPLE;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use penfold_reports::bounds::{JSON, RECORDS, XML};
use penfold_reports::{Unreadable, dmarc, tls, unpack};
use std::io::Write;

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A zip archive's first file, with the sizes in front of it, or behind it where `behind`.
pub fn zip(name: &str, method: u16, data: &[u8], behind: bool) -> Vec<u8> {
    let mut out = b"PK\x03\x04\x14\0".to_vec();
    out.extend(if behind { 8u16 } else { 0 }.to_le_bytes());
    out.extend(method.to_le_bytes());
    out.extend([0; 8]);
    let size = if behind { 0 } else { u32::try_from(data.len()).unwrap() };
    out.extend(size.to_le_bytes());
    out.extend([0; 4]);
    out.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
    out.extend([0; 2]);
    out.extend(name.as_bytes());
    out.extend(data);
    out
}

#[test]
fn archives_of_all_kinds_open() {
    for packed in [
        zip("r.xml", 8, &deflated(SAMPLE.as_bytes()), false),
        zip("r.xml", 8, &deflated(SAMPLE.as_bytes()), true),
        zip("r.xml", 0, SAMPLE.as_bytes(), false),
        [zip("dir/", 0, b"", false), zip("dir/r.xml", 8, &deflated(SAMPLE.as_bytes()), false)].concat(),
        penfold_reports::gzip(SAMPLE.as_bytes()).to_vec(),
        SAMPLE.as_bytes().to_vec(),
    ] {
        assert_eq!(unpack(&packed, XML).unwrap().as_ref(), SAMPLE.as_bytes());
    }
    let mut locked = zip("r.xml", 8, &deflated(b"x"), false);
    locked[6] = 1;
    for broken in [locked, zip("r.xml", 99, b"x", false), zip("r.xml", 0, b"x", true), b"PK\x03\x04".to_vec(), b"\x1f\x8bxx".to_vec()] {
        assert!(matches!(unpack(&broken, XML), Err(Unreadable::Archive(_))), "{broken:?}");
    }
    let whole = zip("r.xml", 8, &deflated(SAMPLE.as_bytes()), false);
    for cut in 4..whole.len() {
        assert!(unpack(&whole[..cut], XML).is_err(), "{cut}");
    }
}

/// A hundred megabytes in a hundred kilobytes: read up to the limit and no further.
#[test]
fn bombs_do_not_go_off() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![b' '; 1 << 20];
    for _ in 0..100 {
        encoder.write_all(&zeros).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 2 << 20);
    assert_eq!(unpack(&bomb, XML), Err(Unreadable::TooLarge));
    assert_eq!(unpack(&zip("r.xml", 8, &deflated(&vec![b' '; XML + 1]), true), XML), Err(Unreadable::TooLarge));
    // Packed twice it is no report.
    assert_eq!(dmarc::read(&penfold_reports::gzip(&bomb)).map(|_| ()), Err(Unreadable::Encoding));
}

#[test]
fn entities_are_not_expanded() {
    let laughs = r#"<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>
        <feedback><report_metadata><org_name>&b;&c;</org_name></report_metadata></feedback>"#;
    assert_eq!(dmarc::read(laughs.as_bytes()), Err(Unreadable::DocumentType));
    let unknown = SAMPLE.replace("Sample Reporter", "&b;");
    assert!(matches!(dmarc::read(unknown.as_bytes()), Err(Unreadable::Xml(_))));
}

#[test]
fn many_and_deep_and_long_ones_are_bounded() {
    let (head, rest) = SAMPLE.split_once("  <record>").unwrap();
    let record = format!("<record>{}", rest.split_once("</feedback>").unwrap().0.split_whitespace().collect::<String>());
    let many = |count: usize| format!("{head}{}</feedback>", record.repeat(count));
    assert_eq!(dmarc::read(many(2_000).as_bytes()).unwrap().records.len(), 2_000);
    let short = "<record><row><source_ip>::1</source_ip></row></record>";
    let much = format!("{head}{}</feedback>", short.repeat(RECORDS + 1));
    assert_eq!(dmarc::read(much.as_bytes()), Err(Unreadable::TooMany));
    let million = vec![b' '; XML + 1];
    assert_eq!(dmarc::read(&million), Err(Unreadable::TooLarge));
    let deep = format!("<feedback>{}", "<a>".repeat(1_000_000));
    assert!(matches!(dmarc::read(deep.as_bytes()), Err(Unreadable::Xml(_))));
    let long = SAMPLE.replace("Sample Reporter", &"ü".repeat(1 << 20));
    assert_eq!(dmarc::read(long.as_bytes()).unwrap().metadata.org_name.len(), 1_000);
    let signed = SAMPLE.replace("<spf>\n        <domain>", &format!("{}<spf><domain>", "<dkim><domain>a</domain></dkim>".repeat(10_000)));
    assert_eq!(dmarc::read(signed.as_bytes()).unwrap().records[0].dkim.len(), 100);
}

#[test]
fn what_is_no_report_says_why() {
    for (text, why) in [
        ("", Unreadable::NoReport),
        ("<html></html>", Unreadable::NoReport),
        ("<feedback/>", Unreadable::Missing("org_name")),
        (&SAMPLE.replace("<source_ip>192.0.2.123", "<source_ip>nowhere"), Unreadable::Missing("source_ip")),
        (&SAMPLE.replace("1732751999", "1"), Unreadable::Missing("date_range")),
    ] {
        assert_eq!(dmarc::read(text.as_bytes()), Err(why), "{text}");
    }
    for broken in
        [SAMPLE.split_once("</record>").unwrap().0, "<feedback></other>", "<feedback><a></b></feedback>", &format!("{SAMPLE}<more/>")]
    {
        assert!(matches!(dmarc::read(broken.as_bytes()), Err(Unreadable::Xml(_))), "{broken}");
    }
    assert_eq!(dmarc::read(b"<feedback>\xff\xfe</feedback>"), Err(Unreadable::Encoding));
}

#[test]
fn no_text_can_paint_a_terminal() {
    let text = SAMPLE.replace("Sample Reporter", "a&#27;[2Jb&#x202e;c&#10;d");
    assert_eq!(dmarc::read(text.as_bytes()).unwrap().metadata.org_name, "a [2Jb c d");
}

#[test]
fn tls_reports_are_bounded_too() {
    assert_eq!(tls::read(&vec![b' '; JSON + 1]), Err(Unreadable::TooLarge));
    let deep = format!("{{\"policies\":{}", "[".repeat(1_000_000));
    assert!(matches!(tls::read(deep.as_bytes()), Err(Unreadable::Json(_))));
    let mut report = crate::tls::sample();
    let failure = report["policies"][0]["failure-details"][0].clone();
    report["policies"][0]["failure-details"] = vec![failure; 20_001].into();
    assert_eq!(tls::read(report.to_string().as_bytes()), Err(Unreadable::TooMany));
    let mut report = crate::tls::sample();
    report["policies"] = vec![report["policies"][0].clone(); 1_001].into();
    assert_eq!(tls::read(report.to_string().as_bytes()), Err(Unreadable::TooMany));
    for (field, value) in [("report-id", ""), ("date-range", "x")] {
        let mut report = crate::tls::sample();
        report[field] = value.into();
        assert!(tls::read(report.to_string().as_bytes()).is_err(), "{field}");
    }
    let mut report = crate::tls::sample();
    report["policies"][0]["summary"]["total-failure-session-count"] = (-1).into();
    assert!(tls::read(report.to_string().as_bytes()).is_err());
}
