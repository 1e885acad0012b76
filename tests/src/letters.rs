//! Messages as they come over the wire.

use crate::rng::Rng;
use bytes::Bytes;
use std::fmt::Write;

/// What makes a message real is its header: the way it came, a signature and ten recipients, nothing of it repeated from
/// message to message but what really is.
pub fn real(number: u64, body: usize) -> Bytes {
    let mut rng = Rng::new(number.wrapping_mul(0x9e37_79b9) ^ 0x6c65_7474_6572);
    let mut token = |len: usize| -> String {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        (0..len).map(|_| ALPHABET[rng.below(64)] as char).collect()
    };
    let mut out = String::with_capacity(body + 4096);
    let hosts = [
        "mail-qv1-f52.google.com",
        "mx0a-001b2d01.pphosted.com",
        "edge7.relay.example.net",
        "filter-3.example.org",
        "app-19.internal.example.com",
    ];
    for (at, host) in hosts.iter().enumerate() {
        let by = hosts.get(at + 1).unwrap_or(&"localhost.localdomain");
        let id = token(14);
        let _ = write!(
            out,
            "Received: from {host} ({host} [203.0.113.{}])\r\n\tby {by} (Postfix) with ESMTPS id {id}\r\n\t(version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256);\r\n\tWed, 25 Nov 2026 17:{:02}:{:02} +0000 (UTC)\r\n",
            number % 250 + 1,
            number % 60,
            at * 7 + 3
        );
    }
    let _ = write!(
        out,
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=20230601; t={};\r\n\th=to:subject:message-id:date:from:mime-version:from:to:cc:subject\r\n\t :date:message-id:reply-to;\r\n\tbh={}=;\r\n\tb={}\r\n\t {}\r\n\t {}\r\n\t {}\r\n\t {}==\r\n",
        1_795_000_000 + number,
        token(43),
        token(70),
        token(70),
        token(70),
        token(70),
        token(62)
    );
    let _ = write!(out, "Message-ID: <CA{}@mail.example.com>\r\nIn-Reply-To: <CA{}@mail.example.com>\r\n", token(48), token(48));
    let _ = write!(out, "References: <CA{}@mail.example.com>\r\n <CA{}@mail.example.com>\r\n", token(48), token(48));
    let _ = write!(
        out,
        "Date: Wed, 25 Nov 2026 17:{:02}:02 +0100\r\nFrom: \"Margarethe Lindqvist-{number}\" <margarethe.lindqvist@example.com>\r\n",
        number % 60
    );
    let people = [
        "Ann Archer",
        "Bob Baker",
        "Cid Carpenter",
        "Dora Draper",
        "Emil Fletcher",
        "Frieda Glover",
        "Gustav Hayward",
        "Hanna Joiner",
        "Igor Mason",
        "Julia Naylor",
    ];
    for (field, some) in [("To", &people[..6]), ("Cc", &people[6..])] {
        let list: Vec<String> = some.iter().map(|name| format!("{name} <{}@example.org>", name.to_lowercase().replace(' ', "."))).collect();
        let _ = write!(out, "{field}: {}\r\n", list.join(",\r\n\t"));
    }
    let _ = write!(
        out,
        "Subject: Re: Quarterly figures {number} and the schedule for the new building\r\nMIME-Version: 1.0\r\nX-Mailer: Example Mail 16.0\r\nX-Spam-Status: No, score=-2.1 required=5.0\r\nContent-Type: multipart/alternative; boundary=\"{}\"\r\n\r\n",
        token(28)
    );
    let boundary = out.rsplit("boundary=\"").next().and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned();
    let _ = write!(out, "--{boundary}\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n");
    let words = [
        "the", "figures", "of", "this", "quarter", "and", "a", "plan", "for", "moving", "into", "new", "rooms", "before", "spring",
        "please",
    ];
    while out.len() < body / 2 {
        for _ in 0..11 {
            out.push_str(words[rng.below(words.len())]);
            out.push(' ');
        }
        out.push_str("\r\n");
    }
    let _ = write!(out, "--{boundary}\r\nContent-Type: text/html; charset=UTF-8\r\n\r\n<div>");
    while out.len() + boundary.len() + 16 < body {
        for _ in 0..9 {
            out.push_str(words[rng.below(words.len())]);
            out.push_str("<br>");
        }
        out.push_str("\r\n");
    }
    let _ = write!(out, "</div>\r\n--{boundary}--\r\n");
    Bytes::from(out)
}

/// A short message that carries a token to be found again by.
pub fn short(token: &str, from: &str) -> Bytes {
    Bytes::from(format!(
        "From: {from}\r\nTo: somebody@acme.test\r\nSubject: {token}\r\nMessage-ID: <{token}@sim.test>\r\n\r\nBody of {token}.\r\n"
    ))
}
