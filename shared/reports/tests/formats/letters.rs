use crate::dmarc::{SAMPLE, sample};
use crate::hostile::zip;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use penfold_reports::{Found, Kind, Letter, Unreadable, dmarc, find, gzip, tls};
use penfold_types::Address;

fn letter(kind: Kind, report: &[u8]) -> String {
    let (from, to): (Address, Address) = ("postmaster@reporter.test".parse().unwrap(), "r@x.test".parse().unwrap());
    let to = [to];
    let letter = Letter {
        kind,
        from: &from,
        to: &to,
        domain: "example.com",
        report_id: "1.2@reporter.test",
        begin: 1_732_665_600,
        end: 1_732_751_999,
        at: 1_732_755_600,
        report,
    };
    String::from_utf8(letter.write().to_vec()).unwrap()
}

#[test]
fn a_report_is_written_as_its_document_says() {
    let text = letter(Kind::Dmarc, &gzip(dmarc::write(&sample()).as_bytes()));
    for expected in [
        "From: Mail reports <postmaster@reporter.test>\r\nTo: <r@x.test>\r\nDate: Thu, 28 Nov 2024 01:00:00 +0000\r\n",
        "\r\nSubject: Report Domain: example.com\r\n Submitter: reporter.test\r\n Report-ID: <1.2@reporter.test>\r\n",
        "\r\nContent-Type: application/gzip;\r\n",
        "\r\nContent-Disposition: attachment;\r\n filename=\"reporter.test!example.com!1732665600!1732751999.xml.gz\"\r\n",
    ] {
        assert!(text.contains(expected), "{expected:?} is missing:\n{text}");
    }
    assert!(text.is_ascii() && text.split("\r\n").all(|line| line.len() <= 78 || line.contains("name=")), "{text}");
    assert_eq!(find(text.as_bytes()), Ok(Found::Dmarc(Box::new(sample()))));
}

#[test]
fn a_tls_report_carries_the_fields_that_sort_it() {
    let report = tls::read(crate::tls::sample().to_string().as_bytes()).unwrap();
    let text = letter(Kind::Tls, &gzip(&tls::write(&report)));
    for expected in [
        "\r\nTLS-Report-Domain: example.com\r\nTLS-Report-Submitter: reporter.test\r\nTLS-Required: No\r\n",
        "\r\nContent-Type: multipart/report; report-type=\"tlsrpt\";\r\n boundary=\"",
        "\r\nContent-Type: application/tlsrpt+gzip;\r\n",
        " filename=\"reporter.test!example.com!1732665600!1732751999.json.gz\"\r\n",
    ] {
        assert!(text.contains(expected), "{expected:?} is missing:\n{text}");
    }
    assert_eq!(find(text.as_bytes()), Ok(Found::Tls(report)));
}

/// The whole message is the archive; or it is one of several parts, by its name alone; or it is not packed at all.
#[test]
fn reports_are_found_however_they_are_sent() {
    let packed = STANDARD.encode(zip("r.xml", 0, SAMPLE.as_bytes(), false));
    let whole = format!(
        "Subject: Report\r\nContent-Type: application/zip; name=\"a!b!1!2.zip\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{packed}\r\n"
    );
    assert_eq!(find(whole.as_bytes()), Ok(Found::Dmarc(Box::new(sample()))));
    let part = |kind: &str, body: &str| {
        format!(
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b\r\n{kind}\r\n\r\n{body}\r\n--b\r\n\
             Content-Type: application/pdf\r\n\r\nx\r\n--b--\r\n"
        )
    };
    let named = part("Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=R.XML", SAMPLE);
    assert_eq!(find(named.as_bytes()), Ok(Found::Dmarc(Box::new(sample()))));
    let plain = part("Content-Type: application/tlsrpt+json", &crate::tls::sample().to_string());
    assert!(matches!(find(plain.as_bytes()), Ok(Found::Tls(_))));
    assert_eq!(find(b"Subject: hello\r\n\r\nno report\r\n"), Err(Unreadable::NoReport));
    assert_eq!(find(part("Content-Type: text/xml", "<html/>").as_bytes()), Err(Unreadable::NoReport));
}
