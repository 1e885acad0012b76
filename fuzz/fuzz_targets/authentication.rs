//! Mail authentication: a name server that answers everything with the first line, and a message behind it. What we write of it
//! stays one field that is ours.
#![no_main]

use libfuzzer_sys::fuzz_target;
use penfold_authentication::{Arriving, forged_results, verify};
use penfold_simulated::Zone;
use penfold_types::Env;

fuzz_target!(|input: &[u8]| {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (record, message) = input.split_at(end);
    let zone = Zone::default();
    for name in ["b.test", "_dmarc.b.test", "s._domainkey.b.test", "mail.b.test"] {
        zone.txt_bytes(name, record).address(name, "192.0.2.1".parse().unwrap());
    }
    let said = String::from_utf8_lossy(record.get(..40).unwrap_or(record));
    let path = format!("{said}@b.test");
    let arriving = Arriving { peer: "192.0.2.1".parse().unwrap(), helo: &said, mail_from: &path, hostname: "mx.test", message };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let field = runtime.block_on(verify(&zone, &Env::system(), &arriving)).authentication_results("mx.test");
    assert!(field.is_ascii() && field.ends_with("\r\n") && !field.contains("\r\n\r\n"));
    assert_eq!(forged_results(field.as_bytes(), "mx.test").first(), Some(&(0..field.len())));
    for range in forged_results(message, "mx.test") {
        assert!(message.get(range).is_some());
    }
});
