use super::*;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, ServerConnection, SignatureScheme};
use rustls_pki_types::{ServerName, UnixTime};
use std::io::Read;

const NAME: &str = "mx.host.test";

/// Believes everything: what is shown is what is looked at.
#[derive(Debug)]
struct Anything(Vec<SignatureScheme>);

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.clone()
    }
}

/// What a client sees that asks for a name, or for none, and offers these protocols: the certificate, and the protocol chosen.
fn ask(server: &Arc<ServerConfig>, name: Option<&str>, offered: &[&[u8]]) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let schemes = provider.signature_verification_algorithms.supported_schemes();
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anything(schemes)))
        .with_no_client_auth();
    config.alpn_protocols = offered.iter().map(|protocol| protocol.to_vec()).collect();
    let name = ServerName::try_from(name.unwrap_or("192.0.2.1").to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut server = ServerConnection::new(server.clone()).unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut wire.as_slice()).unwrap();
        server.process_new_packets().ok()?;
        wire.clear();
        server.write_tls(&mut wire).unwrap();
        let mut rest = wire.as_slice();
        while !rest.is_empty() && client.read_tls(rest.by_ref()).unwrap() > 0 {
            client.process_new_packets().ok()?;
        }
    }
    let shown = client.peer_certificates()?.first()?.as_ref().to_vec();
    Some((shown, client.alpn_protocol().map(<[u8]>::to_vec)))
}

fn shown(server: &Arc<ServerConfig>, name: Option<&str>) -> Vec<u8> {
    ask(server, name, &[]).unwrap().0
}

/// Chain, key as PKCS#8, and the first certificate.
fn issue(name: &str) -> (String, Vec<u8>, Vec<u8>) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_der(), made.cert.der().to_vec())
}

fn set(names: &Names, name: &str, certificate: Option<(&str, &[u8])>) -> Result<(), TlsError> {
    let mut edit = names.edit();
    let done = edit.set(name, certificate);
    edit.show();
    done
}

fn set_proof(names: &Names, name: &str, digest: Option<&[u8]>) -> Result<(), TlsError> {
    let mut edit = names.edit();
    let done = edit.set_proof(name, digest);
    edit.show();
    done
}

#[test]
fn each_name_has_its_own_and_the_others_get_the_hosts() {
    let tls = Tls::make(NAME).unwrap().called("MX.host.test").unwrap();
    let made = shown(&tls.server, Some(NAME));
    let (one, host) = (issue("autoconfig.one.test"), issue(NAME));
    set(&tls.names, "autoconfig.one.test", Some((&one.0, &one.1))).unwrap();
    assert_eq!(shown(&tls.server, Some("AutoConfig.one.test")), one.2);
    assert_eq!(shown(&tls.server, Some("two.test")), made);
    assert_eq!(shown(&tls.web, None), made);
    set(&tls.names, NAME, Some((&host.0, &host.1))).unwrap();
    for name in [Some(NAME), Some("two.test"), None] {
        assert_eq!(shown(&tls.server, name), host.2, "{name:?}");
        assert_eq!(shown(&tls.web, name), host.2, "{name:?}");
    }
    set(&tls.names, "autoconfig.one.test", None).unwrap();
    assert_eq!(shown(&tls.server, Some("autoconfig.one.test")), host.2);
    let wrong = set(&tls.names, NAME, Some((&one.0, &host.1)));
    assert!(wrong.is_err() && shown(&tls.server, Some(NAME)) == host.2, "a key of another certificate");
}

#[test]
fn what_the_operator_chose_comes_first_for_what_it_carries() {
    let dir = tempfile::tempdir().unwrap();
    let (certificate, key) = (dir.path().join("c.pem"), dir.path().join("k.pem"));
    let own = rcgen::generate_simple_self_signed(["*.host.test".to_owned()]).unwrap();
    std::fs::write(&certificate, own.cert.pem()).unwrap();
    std::fs::write(&key, own.signing_key.serialize_pem()).unwrap();
    let tls = Tls::load(&certificate, &key).unwrap().called(NAME).unwrap();
    assert!(tls.names.covers(NAME) && !tls.names.covers("host.test") && !tls.names.covers("one.test"));
    let (host, one) = (issue(NAME), issue("one.test"));
    set(&tls.names, NAME, Some((&host.0, &host.1))).unwrap();
    set(&tls.names, "one.test", Some((&one.0, &one.1))).unwrap();
    for name in [Some(NAME), Some("elsewhere.test"), None] {
        assert_eq!(shown(&tls.server, name), own.cert.der().to_vec(), "{name:?}");
    }
    assert_eq!(shown(&tls.server, Some("one.test")), one.2);
    let made = Tls::load_or_make(&dir.path().join("tls"), NAME).unwrap();
    assert!(!made.names.covers(NAME), "one that was made here is no choice");
}

/// RFC 8737 §3.
#[test]
fn an_authority_sees_the_proof_and_nothing_else() {
    let tls = Tls::make(NAME).unwrap();
    let web = |offered: &[&[u8]]| ask(&tls.web, Some("one.test"), offered);
    assert_eq!(web(&[ACME_TLS]), None, "there is nothing to be proved");
    set_proof(&tls.names, "one.test", Some(&[0xab; 32])).unwrap();
    let (proof, protocol) = web(&[ACME_TLS]).unwrap();
    assert_eq!(protocol.as_deref(), Some(ACME_TLS));
    // id-pe-acmeIdentifier, critical, with an octet string of 32 octets in an octet string.
    let extension = [&[0x06, 0x08, 0x2b, 6, 1, 5, 5, 7, 1, 0x1f, 0x01, 0x01, 0xff, 0x04, 0x22, 0x04, 0x20][..], &[0xab; 32]].concat();
    assert!(proof.windows(extension.len()).any(|part| part == extension));
    assert!(proof.windows(8).any(|part| part == b"one.test"));
    assert_ne!(shown(&tls.web, Some("one.test")), proof);
    assert_eq!(web(&[b"http/1.1"]).unwrap().1.as_deref(), Some(&b"http/1.1"[..]));
    assert_eq!(ask(&tls.web, None, &[ACME_TLS]), None);
    set_proof(&tls.names, "one.test", None).unwrap();
    assert_eq!(web(&[ACME_TLS]), None);
}
