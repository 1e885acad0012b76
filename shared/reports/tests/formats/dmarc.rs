use penfold_reports::dmarc::{
    DkimResult, Evaluated, Feedback, Identifiers, Metadata, PolicyPublished, Reason, Record, SpfResult, read, write,
};

/// After the sample of RFC 9990, Appendix B.
pub const SAMPLE: &str = r#"<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">
  <version>1.0</version>
  <report_metadata>
    <org_name>Sample Reporter</org_name>
    <email>report_sender@example-reporter.com</email>
    <extra_contact_info>...</extra_contact_info>
    <report_id>3v98abbp8ya9n3va8yr8oa3ya</report_id>
    <date_range>
      <begin>1732665600</begin>
      <end>1732751999</end>
    </date_range>
    <generator>Example DMARC Aggregate Reporter v1.2</generator>
  </report_metadata>
  <policy_published>
    <domain>example.com</domain>
    <p>quarantine</p>
    <sp>none</sp>
    <np>none</np>
    <testing>n</testing>
    <discovery_method>treewalk</discovery_method>
  </policy_published>
  <record>
    <row>
      <source_ip>192.0.2.123</source_ip>
      <count>123</count>
      <policy_evaluated>
        <disposition>pass</disposition>
        <dkim>pass</dkim>
        <spf>fail</spf>
      </policy_evaluated>
    </row>
    <identifiers>
      <envelope_from>example.com</envelope_from>
      <header_from>example.com</header_from>
    </identifiers>
    <auth_results>
      <dkim>
        <domain>example.com</domain>
        <result>pass</result>
        <selector>abc123</selector>
      </dkim>
      <spf>
        <domain>example.com</domain>
        <result>fail</result>
      </spf>
    </auth_results>
  </record>
</feedback>
"#;

pub fn sample() -> Feedback {
    let some = |text: &str| Some(text.to_owned());
    Feedback {
        metadata: Metadata {
            org_name: "Sample Reporter".to_owned(),
            email: "report_sender@example-reporter.com".to_owned(),
            extra_contact_info: some("..."),
            report_id: "3v98abbp8ya9n3va8yr8oa3ya".to_owned(),
            begin: 1_732_665_600,
            end: 1_732_751_999,
            errors: Vec::new(),
            generator: some("Example DMARC Aggregate Reporter v1.2"),
        },
        policy: PolicyPublished {
            domain: "example.com".to_owned(),
            discovery_method: some("treewalk"),
            p: "quarantine".to_owned(),
            sp: some("none"),
            np: some("none"),
            testing: some("n"),
            ..PolicyPublished::default()
        },
        records: vec![Record {
            source_ip: [192, 0, 2, 123].into(),
            count: 123,
            evaluated: Evaluated { disposition: "pass".to_owned(), dkim: true, spf: false, reasons: Vec::new() },
            identifiers: Identifiers { header_from: "example.com".to_owned(), envelope_from: some("example.com"), envelope_to: None },
            dkim: vec![DkimResult {
                domain: "example.com".to_owned(),
                selector: "abc123".to_owned(),
                result: "pass".to_owned(),
                human_result: None,
            }],
            spf: vec![SpfResult { domain: "example.com".to_owned(), scope: None, result: "fail".to_owned(), human_result: None }],
        }],
    }
}

#[test]
fn the_sample_is_read_and_comes_back() {
    let read_once = read(SAMPLE.as_bytes()).unwrap();
    assert_eq!(read_once, sample());
    assert_eq!(read(write(&read_once).as_bytes()).unwrap(), read_once);
}

/// What may stand where is the order of the document's tables; a reader by the schema refuses any other.
#[test]
fn elements_stand_in_their_order() {
    let mut feedback = sample();
    feedback.metadata.errors.push("rua & <more>".to_owned());
    let record = &mut feedback.records[0];
    record.evaluated.reasons.push(Reason { kind: "policy_test_mode".to_owned(), comment: Some("t=y".to_owned()) });
    record.spf[0].scope = Some("mfrom".to_owned());
    record.identifiers.envelope_from = Some(String::new());
    let text = write(&feedback);
    let names: Vec<&str> =
        text.split('<').filter_map(|piece| piece.split(['>', ' ']).next()).filter(|name| !name.starts_with(['/', '?'])).collect();
    let wanted = "feedback version report_metadata org_name email extra_contact_info report_id date_range begin end error generator \
                  policy_published domain discovery_method p sp np testing record row source_ip count policy_evaluated disposition dkim spf \
                  reason type comment identifiers header_from envelope_from auth_results dkim domain selector result spf domain scope result";
    assert_eq!(names[1..], wanted.split_whitespace().collect::<Vec<_>>());
    assert!(text.contains("<error>rua &amp; &lt;more&gt;</error>") && text.contains("<envelope_from></envelope_from>"), "{text}");
    assert_eq!(read(text.as_bytes()).unwrap(), feedback);
}

/// RFC 7489's, and what its reporters make of it.
#[test]
fn older_reports_are_read_too() {
    let text = r#"<?xml version="1.0" encoding="ISO-8859-1" ?><!-- c -->
<feedback><report_metadata><org_name>M&#252;ller &amp; S\u{f6}hne</org_name><email>x@y</email><report_id>1</report_id>
<date_range><begin> 1700000000 </begin><end>1700086399</end></date_range></report_metadata>
<policy_published><domain>Example.COM.</domain><adkim>r</adkim><aspf></aspf><p>Reject</p><sp>none</sp><pct>100</pct></policy_published>
<record><row><source_ip>2001:db8::1</source_ip><count>2</count><policy_evaluated><disposition>reject</disposition><dkim>Fail</dkim><spf>PASS</spf>
<reason><type>sampled_out</type><comment><![CDATA[<why>]]></comment></reason></policy_evaluated></row>
<identifiers><header_from>News.Example.com</header_from></identifiers><auth_results><dkim></dkim><spf><domain>a.b</domain><result>unknown</result></spf>
</auth_results><x:more xmlns:x="u"><x:record><x:deep>1</x:deep></x:record></x:more></record></feedback>"#
        .replace("\\u{f6}", "\u{f6}");
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let feedback = read(&latin).unwrap();
    assert_eq!(feedback.metadata.org_name, "Müller & Söhne");
    assert_eq!(
        (feedback.policy.domain.as_str(), feedback.policy.p.as_str(), feedback.policy.aspf.as_deref()),
        ("example.com", "reject", None)
    );
    let [record] = feedback.records.as_slice() else { panic!("{feedback:?}") };
    assert_eq!((record.count, record.evaluated.dkim, record.evaluated.spf), (2, false, true));
    assert_eq!(record.evaluated.reasons, [Reason { kind: "sampled_out".to_owned(), comment: Some("<why>".to_owned()) }]);
    assert_eq!((record.identifiers.header_from.as_str(), record.dkim.len(), record.spf.len()), ("news.example.com", 0, 1));
    // The same in two octets a character, as its byte order mark says.
    let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(SAMPLE.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!(read(&wide).unwrap(), sample());
}
