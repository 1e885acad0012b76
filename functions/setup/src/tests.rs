use super::*;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use penfold_directory::{Cheap, NewPerson, Options};
use penfold_simulated::{Faults, Simulated};
use std::sync::Arc;
use tower::ServiceExt;

/// Ann's, at `one.test`; `two.test` is nobody's.
async fn directory() -> Directory {
    let world = Simulated::new(3, Faults::NONE).world();
    let directory = Directory::with_options(world, Options { hasher: Arc::new(Cheap), ..Options::default() });
    let operator = directory.operator();
    operator.create_tenant("One").await.unwrap();
    operator.create_domain("One", &"one.test".parse().unwrap()).await.unwrap();
    let new = NewPerson { address: "ann@one.test".parse().unwrap(), name: "Ann".to_owned(), password: None, quota: None };
    operator.create_person(&new).await.unwrap();
    directory
}

async fn setup() -> Router {
    let directory = directory().await;
    let service = Service { host: "mail.host.test".to_owned(), imap: None, https: Some(8443), ..Service::default() };
    directory.set_service(&service).await.unwrap();
    router(directory)
}

struct Heard {
    status: StatusCode,
    kind: String,
    location: String,
    text: String,
}

async fn send(router: &Router, request: Request<Body>) -> Heard {
    let answer = router.clone().oneshot(request).await.unwrap();
    let header = |name| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    let (status, kind, location) = (answer.status(), header("content-type"), header("location"));
    let body = to_bytes(answer.into_body(), 100_000).await.unwrap();
    Heard { status, kind, location, text: String::from_utf8(body.to_vec()).unwrap() }
}

async fn get(router: &Router, host: &str, path: &str) -> Heard {
    send(router, Request::get(path).header("host", host).body(Body::empty()).unwrap()).await
}

async fn post(router: &Router, path: &str, body: impl Into<Body>) -> Heard {
    send(router, Request::post(path).header("host", "autodiscover.one.test").body(body.into()).unwrap()).await
}

fn pox(address: &str, schema: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006\"><Request>\
         <EMailAddress>{address}</EMailAddress><AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/{schema}\
         </AcceptableResponseSchema></Request></Autodiscover>"
    )
}

const OUTLOOK: &str = "outlook/responseschema/2006a";
const POX: &str = "/Autodiscover/Autodiscover.xml";

/// The elements of a text, without the white space between them.
fn flat(text: &str) -> String {
    text.lines().map(str::trim).collect()
}

#[tokio::test(start_paused = true)]
async fn thunderbird_finds_the_servers() {
    let router = setup().await;
    let wanted = "<emailProvider id=\"one.test\"><domain>one.test</domain><displayName>one.test</displayName>\
                  <displayShortName>one.test</displayShortName>\
                  <incomingServer type=\"imap\"><hostname>mail.host.test</hostname><port>993</port><socketType>SSL</socketType>\
                  <authentication>password-cleartext</authentication><username>%EMAILADDRESS%</username></incomingServer>\
                  <outgoingServer type=\"smtp\"><hostname>mail.host.test</hostname><port>465</port><socketType>SSL</socketType>\
                  <authentication>password-cleartext</authentication><username>%EMAILADDRESS%</username></outgoingServer>\
                  <outgoingServer type=\"smtp\"><hostname>mail.host.test</hostname><port>587</port><socketType>STARTTLS</socketType>";
    for (host, path) in [
        ("autoconfig.one.test", "/mail/config-v1.1.xml"),
        ("AutoConfig.One.Test:80", "/mail/config-v1.1.xml?emailaddress="),
        ("one.test", "/.well-known/autoconfig/mail/config-v1.1.xml"),
        ("mail.host.test", "/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress=ann%40one.test"),
        ("autoconfig.host.test", "/mail/config-v1.1.xml?emailaddress=ann@one.test"),
    ] {
        let heard = get(&router, host, path).await;
        assert_eq!((heard.status, heard.kind.as_str()), (StatusCode::OK, "text/xml; charset=utf-8"), "{host}{path}");
        assert!(flat(&heard.text).contains(wanted), "{}", heard.text);
    }
}

#[tokio::test(start_paused = true)]
async fn thunderbird_hears_nothing_of_other_domains() {
    let router = setup().await;
    for (host, path, status) in [
        ("autoconfig.two.test", "/mail/config-v1.1.xml", StatusCode::NOT_FOUND),
        ("autoconfig.one.test", "/mail/config-v1.1.xml?emailaddress=a@two.test", StatusCode::NOT_FOUND),
        ("mail.host.test", "/mail/config-v1.1.xml", StatusCode::NOT_FOUND),
        ("192.0.2.1", "/mail/config-v1.1.xml", StatusCode::NOT_FOUND),
        ("autoconfig.one.test", "/mail/config-v1.1.xml?emailaddress=ann", StatusCode::BAD_REQUEST),
        ("autoconfig.one.test", "/mail/config-v1.1.xml?emailaddress=%ff", StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(get(&router, host, path).await.status, status, "{host}{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn outlook_finds_the_servers() {
    let router = setup().await;
    for path in [POX, "/autodiscover/autodiscover.xml", "/AutoDiscover/AutoDiscover.xml"] {
        let heard = post(&router, path, pox("a&amp;b@one.test", OUTLOOK)).await;
        assert_eq!((heard.status, heard.kind.as_str()), (StatusCode::OK, "text/xml; charset=utf-8"));
        let text = flat(&heard.text);
        for (kind, port) in [("IMAP", 993), ("SMTP", 465)] {
            let wanted = format!(
                "<Protocol><Type>{kind}</Type><Server>mail.host.test</Server><Port>{port}</Port><DomainRequired>off</DomainRequired>\
                 <LoginName>a&amp;b@one.test</LoginName><SPA>off</SPA><SSL>on</SSL><Encryption>SSL</Encryption><AuthRequired>on</AuthRequired></Protocol>"
            );
            assert!(text.contains(&wanted), "{text}");
        }
        assert!(text.contains("<AccountType>email</AccountType><Action>settings</Action>"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn outlook_is_told_what_is_wrong_in_its_own_schema() {
    let router = setup().await;
    for (body, code) in [
        (pox("a@two.test", OUTLOOK), "500"),
        (pox("nobody", OUTLOOK), "600"),
        ("<Autodiscover/>".to_owned(), "600"),
        (String::new(), "600"),
        (pox("ann@one.test", "mobilesync/responseschema/2006"), "601"),
        (pox("a@two.test", "mobilesync/responseschema/2006"), "601"),
    ] {
        let heard = post(&router, POX, body.clone()).await;
        assert_eq!(heard.status, StatusCode::OK);
        assert!(heard.text.contains(&format!("<ErrorCode>{code}</ErrorCode>")), "{body}: {}", heard.text);
    }
    assert_eq!(post(&router, POX, vec![b' '; 16 * 1024 + 1]).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test(start_paused = true)]
async fn outlook_is_led_to_https() {
    let router = setup().await;
    let heard = get(&router, "autodiscover.one.test", "/autodiscover/autodiscover.xml").await;
    let wanted = "https://mail.host.test:8443/autodiscover/autodiscover.xml";
    assert_eq!((heard.status, heard.location.as_str()), (StatusCode::FOUND, wanted));
    let heard =
        get(&router, "mail.host.test", "/autodiscover/autodiscover.json?Email=x@one.test&Protocol=AutodiscoverV1&RedirectCount=1").await;
    let value: serde_json::Value = serde_json::from_str(&heard.text).unwrap();
    assert_eq!(value, serde_json::json!({ "Protocol": "AutodiscoverV1", "Url": wanted }));
    for (query, status, code) in [
        ("Email=x@one.test&Protocol=ActiveSync", 400, "InvalidProtocol"),
        ("Email=x@one.test", 400, "MandatoryParameterMissing"),
        ("Protocol=AutodiscoverV1", 400, "MandatoryParameterMissing"),
        ("Email=x&Protocol=AutodiscoverV1", 400, "MandatoryParameterMissing"),
        ("Email=x@two.test&Protocol=autodiscoverv1", 404, "UserNotFound"),
    ] {
        let heard = get(&router, "mail.host.test", &format!("/autodiscover/autodiscover.json?{query}")).await;
        let value: serde_json::Value = serde_json::from_str(&heard.text).unwrap();
        assert_eq!((heard.status.as_u16(), value["ErrorCode"].as_str()), (status, Some(code)), "{query}");
    }
}

#[tokio::test(start_paused = true)]
async fn apple_gets_one_profile_for_one_address() {
    let router = setup().await;
    let heard = get(&router, "mail.host.test", "/apple/one.test.mobileconfig?address=Ann%27%26@one.test").await;
    assert_eq!((heard.status, heard.kind.as_str()), (StatusCode::OK, "application/x-apple-aspen-config"));
    let text = flat(&heard.text);
    for wanted in [
        "<key>EmailAddress</key><string>Ann&#39;&amp;@one.test</string>",
        "<key>IncomingMailServerHostName</key><string>mail.host.test</string><key>IncomingMailServerPortNumber</key><integer>993</integer>",
        "<key>IncomingMailServerUseSSL</key><true/>",
        "<key>OutgoingMailServerPortNumber</key><integer>465</integer>",
        "<key>PayloadType</key><string>com.apple.mail.managed</string>",
        "<key>PayloadType</key><string>Configuration</string>",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    let ids = |text: &str| text.split("<key>PayloadUUID</key><string>").skip(1).map(|rest| rest[..36].to_owned()).collect::<Vec<_>>();
    let (first, again) = (ids(&text), get(&router, "mail.host.test", "/apple/one.test.mobileconfig?address=ann'%26@one.test").await);
    assert_eq!((first.len(), first[0] == first[1], &first), (2, false, &ids(&flat(&again.text))));
    let other = get(&router, "mail.host.test", "/apple/one.test.mobileconfig?address=bob@one.test").await;
    assert!(ids(&flat(&other.text)).iter().all(|id| !first.contains(id)));
    assert!(!get(&router, "mail.host.test", "/apple/one.test.mobileconfig").await.text.contains("EmailAddress"));
    for (path, status) in [
        ("/apple/two.test.mobileconfig", StatusCode::NOT_FOUND),
        ("/apple/one.test", StatusCode::NOT_FOUND),
        ("/apple/one.test.mobileconfig?address=ann@two.test", StatusCode::BAD_REQUEST),
        ("/apple/one.test.mobileconfig?address=ann", StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(get(&router, "mail.host.test", path).await.status, status, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_policy_is_found_under_its_own_name_only() {
    let router = setup().await;
    let heard = get(&router, "mta-sts.one.test", "/.well-known/mta-sts.txt").await;
    assert_eq!((heard.status, heard.kind.as_str()), (StatusCode::OK, "text/plain; charset=utf-8"));
    assert_eq!(heard.text, "version: STSv1\r\nmode: testing\r\nmx: mail.host.test\r\nmax_age: 86400\r\n");
    for host in ["one.test", "mta-sts.two.test", "mta-sts.", "[::1]", "mail.host.test"] {
        assert_eq!(get(&router, host, "/.well-known/mta-sts.txt").await.status, StatusCode::NOT_FOUND, "{host}");
    }
}

/// Whoever asks learns of a domain that its mail is here, and of an address nothing at all.
#[tokio::test(start_paused = true)]
async fn an_address_that_exists_is_answered_as_one_that_does_not() {
    let router = setup().await;
    for query in [
        "/mail/config-v1.1.xml?emailaddress=",
        "/autodiscover/autodiscover.json?Protocol=AutodiscoverV1&Email=",
        "/autodiscover/autodiscover.json?Protocol=EWS&Email=",
    ] {
        let (here, absent) = (
            get(&router, "autoconfig.one.test", &format!("{query}ann@one.test")).await,
            get(&router, "autoconfig.one.test", &format!("{query}nil@one.test")).await,
        );
        assert_eq!((here.status, here.text), (absent.status, absent.text), "{query}");
    }
    // These name the address, and are the same but for that.
    for schema in [OUTLOOK, "mobilesync/responseschema/2006"] {
        let (here, absent) = (post(&router, POX, pox("ann@one.test", schema)).await, post(&router, POX, pox("nil@one.test", schema)).await);
        assert_eq!((here.status, here.text), (absent.status, absent.text.replace("nil@", "ann@")), "{schema}");
    }
    let profile = async |address: &str| get(&router, "mail.host.test", &format!("/apple/one.test.mobileconfig?address={address}")).await;
    let (here, absent) = (profile("ann@one.test").await, profile("nil@one.test").await);
    let nameless = |text: &str| {
        text.replace("nil@", "ann@")
            .lines()
            .filter(|line| !line.contains("<string>penfold.mail.") && line.matches('-').count() != 4)
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!((here.status, nameless(&here.text)), (absent.status, nameless(&absent.text)));
}

#[tokio::test(start_paused = true)]
async fn before_a_server_has_said_where_it_is_nobody_is_misled() {
    let router = router(directory().await);
    for path in ["/mail/config-v1.1.xml", "/autodiscover/autodiscover.xml", "/apple/one.test.mobileconfig"] {
        assert_eq!(get(&router, "autoconfig.one.test", path).await.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
}
