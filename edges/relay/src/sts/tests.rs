use super::*;
use penfold_simulated::{Faults, Simulated, Zone};
use std::sync::atomic::{AtomicU32, Ordering};

#[test]
fn policies() {
    let policy: Policy =
        "version: STSv1\r\nmode: enforce\r\nmx: Mail.x.test\r\nmx: *.y.test\r\nmax_age: 604800\r\nnew: field\r\n".parse().unwrap();
    assert_eq!((policy.mode, policy.max_age), (Mode::Enforce, Duration::from_secs(604_800)));
    for (host, allowed) in
        [("mail.x.test", true), ("MAIL.X.TEST.", true), ("a.y.test", true), ("y.test", false), ("a.b.y.test", false), (".y.test", false)]
    {
        assert_eq!(policy.allows(host), allowed, "{host}");
    }
    let wrong = [
        ("", PolicyError::Version),
        ("version: STSv2\nmode: none\nmax_age: 1", PolicyError::Version),
        ("version: STSv1\nmode: maybe\nmax_age: 1", PolicyError::Mode),
        ("version: STSv1\nmode: none\nmax_age: -1", PolicyError::MaxAge),
        ("version: STSv1\nmode: none", PolicyError::MaxAge),
        ("version: STSv1\nmode: enforce\nmax_age: 1", PolicyError::Mx),
        ("<html>", PolicyError::Field),
    ];
    for (text, error) in wrong {
        assert_eq!(text.parse::<Policy>(), Err(error), "{text}");
    }
    let none: Policy = "version: STSv1\nmode: none\nmax_age: 9999999999".parse().unwrap();
    assert_eq!(none.max_age, Duration::from_secs(31_557_600));
}

#[test]
fn record_ids() {
    let id = |records: &[&str]| record_id(records.iter().map(|text| text.as_bytes()));
    assert_eq!(id(&["v=STSv1; id=20160831085700Z;", "v=spf1 -all"]).as_deref(), Some("20160831085700Z"));
    assert_eq!(id(&["v=STSv1;id=1", "v=STSv1;id=2"]), None);
    assert_eq!(id(&["v=STSv1; id=a_b"]), None);
    assert_eq!(id(&["v=STSv1;"]), None);
    assert_eq!(id(&[]), None);
}

struct Fetcher {
    text: Mutex<Result<String, FetchError>>,
    asked: AtomicU32,
}

#[async_trait]
impl PolicyFetcher for Fetcher {
    async fn fetch(&self, _: &str) -> Result<String, FetchError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.text.lock().clone()
    }
}

#[tokio::test(start_paused = true)]
async fn a_policy_is_remembered_as_long_as_it_says() {
    let env = Simulated::new(1, Faults::NONE).env();
    let zone = Zone::default();
    let text = |mode: &str| Ok(format!("version: STSv1\nmode: {mode}\nmx: mx.x.test\nmax_age: 3600\n"));
    let fetcher = Arc::new(Fetcher { text: Mutex::new(text("enforce")), asked: AtomicU32::new(0) });
    let policies = Policies::new(env.clone(), Arc::new(zone.clone()), fetcher.clone());
    let asked = || fetcher.asked.load(Ordering::Relaxed);
    let mode = |found: &Found| found.policy.as_ref().map(|policy| policy.mode);

    assert_eq!(policies.of("x.test").await, Found::default());
    assert_eq!(asked(), 0);
    zone.txt("_mta-sts.x.test", "v=STSv1; id=1;");
    for _ in 0..3 {
        assert_eq!(mode(&policies.of("x.test").await), Some(Mode::Enforce));
    }
    assert_eq!(asked(), 1);

    // A new id, but the policy host is gone: the old one holds, and nobody is asked again at once.
    zone.remove("_mta-sts.x.test").txt("_mta-sts.x.test", "v=STSv1; id=2;");
    *fetcher.text.lock() = Err(FetchError::Untrusted);
    let found = policies.of("x.test").await;
    assert_eq!((mode(&found), found.wrong), (Some(Mode::Enforce), Some(ResultType::StsWebpkiInvalid)));
    assert_eq!(policies.of("x.test").await.wrong, None);
    assert_eq!(asked(), 2);
    *fetcher.text.lock() = text("testing");
    env.sleep(AGAIN).await;
    assert_eq!(mode(&policies.of("x.test").await), Some(Mode::Testing));

    // Without the record it holds until it expires.
    zone.remove("_mta-sts.x.test");
    assert_eq!(mode(&policies.of("x.test").await), Some(Mode::Testing));
    env.sleep(Duration::from_secs(3600)).await;
    assert_eq!(mode(&policies.of("x.test").await), None);
    assert_eq!(asked(), 3);
}
