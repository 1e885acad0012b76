use super::*;

#[tokio::test]
async fn tenants_and_domains() {
    let office = office().await;
    office.run("tenant add Two").await.good();
    office.run("domain add two two.test").await.good();
    assert_eq!(office.run("domain add two one.test").await.kind(), "conflict");
    assert_eq!(office.run("domain add three x.test").await.kind(), "not-found");
    assert_eq!(office.run("domain add two x..y").await.kind(), "invalid");
    let listed = office.run("domain list").await.good();
    let domains: Vec<_> = listed.values.iter().map(|one| one["domain"].as_str().unwrap()).collect();
    assert_eq!(domains, ["one.test", "two.test"]);
    assert_eq!(office.run("tenant list").await.good().values.len(), 2);
    assert_eq!(office.run("tenant show Two").await.good().last()["domains"][0], "two.test");
    assert_eq!(office.run("tenant remove One").await.kind(), "conflict");
    let set = office.run("tenant set One --status suspended --pool bulk").await.good();
    assert_eq!((set.last()["status"].as_str(), set.last()["pool"].as_str()), (Some("suspended"), Some("bulk")));
    assert!(office.run("tenant set One --pool none").await.good().last()["pool"].is_null());
    assert_eq!(office.run("tenant set One --pool a/b").await.kind(), "invalid");
    office.run("tenant remove One --everything").await.good();
    assert_eq!(office.run("person list").await.good().values.len(), 0);
    assert_eq!(office.run("tenant show One").await.kind(), "not-found");
    assert!(Typed::try_parse_from(["penfold", "tenant", "set", "One", "--status", "gone"]).is_err());
}

#[tokio::test]
async fn people_and_passwords() {
    let office = office().await;
    let made = office.run("person add new@one.test --name New --quota 5G").await.good();
    assert_eq!(made.last()["password"].as_str().unwrap().len(), 16);
    assert_eq!(office.run("person add new@one.test").await.kind(), "conflict");
    assert_eq!(office.run("person add new@elsewhere.test").await.kind(), "not-found");
    office.run("person alias add new@one.test n@one.test").await.good();
    let shown = office.run("person show n@one.test").await.good();
    assert_eq!((shown.last()["address"].as_str(), shown.last()["quota"].as_u64()), (Some("new@one.test"), Some(5 << 30)));
    office.run("person set new@one.test --quota default --status suspended").await.good();
    assert_eq!(office.run("person show new@one.test").await.good().last()["status"], "suspended");
    assert_eq!(office.run("person list One").await.good().values.len(), 3);
    let shown = office.run("person set new@one.test --profile department=Sales --profile office=2.14 --manager ann@one.test").await.good();
    assert_eq!(shown.last()["profile"]["texts"], serde_json::json!({ "department": "Sales", "office": "2.14" }));
    assert!(shown.last()["profile"]["manager"].is_string());
    let shown = office.run("person set new@one.test --profile office= --manager none").await.good();
    assert_eq!(shown.last()["profile"], serde_json::json!({ "texts": { "department": "Sales" }, "manager": null }));

    office.run("password set ann@one.test --password other").await.good();
    let sign_in =
        async |secret: &str| office.context.service.directory.sign_in("ann@one.test", secret, [127, 0, 0, 1].into()).await.is_ok();
    assert!(sign_in("other").await && !sign_in("secret").await);
    let app = office.run("password app add ann@one.test phone").await.good();
    let secret = app.last()["password"].as_str().unwrap().to_owned();
    assert!(sign_in(&secret).await);
    assert_eq!(office.run("password app list ann@one.test").await.good().last()["name"], "phone");
    office.run("password app remove ann@one.test phone").await.good();
    assert!(!sign_in(&secret).await);

    assert_eq!(office.run("person set ann@one.test --sent-copy off").await.good().last()["sent_copy"], false);
    office.run("delegate add ann@one.test n@one.test --on-behalf").await.good();
    assert_eq!(office.run("delegate list ann@one.test").await.good().last()["right"], "on-behalf");
    office.run("delegate add ann@one.test new@one.test").await.good();
    assert_eq!(office.run("delegate list ann@one.test").await.good().last()["right"], "as");
    assert_eq!(office.run("delegate add ann@one.test ann@one.test").await.kind(), "invalid");
    office.run("person remove new@one.test").await.good();
    assert_eq!(office.run("delegate list ann@one.test").await.good().values.len(), 0, "who is gone has no rights");
    assert_eq!(office.run("person show new@one.test").await.kind(), "not-found");
    let acts = office.run("audit One").await.good();
    assert!(acts.values.iter().any(|one| one["act"] == "password.set" && one["actor"] == "command line"));
    assert!(acts.values.iter().all(|one| !one.to_string().contains(&secret)));
}

#[tokio::test]
async fn groups_and_shared_mailboxes() {
    let office = office().await;
    office.run("group add team@one.test --post members").await.good();
    let list = office.dir.path().join("members.txt");
    std::fs::write(&list, "# the team\nbob@one.test\n\nx@outside.test\n").unwrap();
    let added = office.run(&format!("group member add team@one.test ann@one.test --from {}", list.display())).await.good();
    assert_eq!(added.last()["added"], 3);
    let members = office.run("group member list team@one.test").await.good();
    assert_eq!(members.values.iter().filter(|one| one["kind"].is_null()).count(), 1);
    office.run("group member remove team@one.test x@outside.test").await.good();
    assert_eq!(office.run("group member list team@one.test").await.good().values.len(), 2);
    office.run("group set team@one.test --post named --allow bob@one.test").await.good();
    assert_eq!(office.run("group show team@one.test").await.good().last()["posters"][0], "bob@one.test");
    assert_eq!(office.run("group member add team@one.test team@one.test").await.kind(), "conflict");
    assert_eq!(office.run("group list One").await.good().values.len(), 1);
    office.run("group remove team@one.test").await.good();

    office.run("shared add info@one.test --name Info").await.good();
    assert_eq!(office.run("shared member add info@one.test ann@one.test").await.good().last()["added"], 1);
    assert_eq!(office.run("shared member list info@one.test").await.good().last()["address"], "ann@one.test");
    assert_eq!(office.run("shared list").await.good().values.len(), 1);
    office.run("shared member remove info@one.test ann@one.test").await.good();
    assert_eq!(office.run("shared member add info@one.test x@outside.test").await.kind(), "invalid");
    office.run("shared remove info@one.test").await.good();
    assert_eq!(office.run("check").await.good().last()["problems"], 0);
}

#[tokio::test]
async fn queues_and_traces_that_are_empty() {
    let office = office().await;
    assert!(office.run("queue parked").await.good().values.is_empty());
    assert_eq!(office.run("queue release --all").await.good().last()["released"], 0);
    assert_eq!(office.run("queue release nobody").await.kind(), "not-found");
    assert_eq!(office.run("trace <x@y>").await.kind(), "not-found");
}

#[test]
fn flags_that_are_wrong_are_refused_with_a_sentence() {
    for line in [
        "person add nobody",
        "person set ann@one.test --quota 5X",
        "queue release",
        "queue cancel",
        "person set ann@one.test --sent-copy maybe",
        "person set ann@one.test --profile shoe=43",
        "tenant set One",
        "shared member add info@one.test",
        "import mbox x",
        "password set ann@one.test --password a --password-stdin",
        "trace 01jdrdla0tem0a4ocv21js5bdr --from ann@one.test",
        "tenant",
        "group add team@one.test --post everybody",
    ] {
        let words = std::iter::once("penfold").chain(line.split_whitespace());
        assert!(Typed::try_parse_from(words).is_err(), "{line}");
    }
    let words = "penfold import mbox /does/not/exist --to ann@one.test".split_whitespace();
    let mut command = Typed::try_parse_from(words).unwrap().command;
    assert!(command.prepare().unwrap_err().contains("/does/not/exist"));
}

#[tokio::test]
async fn folders_and_the_rights_to_them() {
    let office = office().await;
    let listed = office.run("folder list ann@one.test").await.good();
    assert_eq!(listed.values.first().unwrap()["path"], "INBOX");
    office.run("folder rights set ann@one.test Drafts bob@one.test reviewer").await.good();
    office.run("folder rights set ann@one.test Drafts anyone il").await.good();
    let rights = office.run("folder rights list ann@one.test Drafts").await.good();
    let told: Vec<_> = rights.values.iter().map(|one| (one["address"].as_str().unwrap(), one["rights"].as_str().unwrap())).collect();
    assert_eq!(told, [("bob@one.test", "lr"), ("anyone", "li")]);
    assert_eq!((&rights.values[0]["role"], &rights.values[1]["role"]), (&"reviewer".into(), &"contributor".into()));
    for wrong in ["emperor", "r", "lq"] {
        assert_eq!(office.run(&format!("folder rights set ann@one.test Drafts bob@one.test {wrong}")).await.kind(), "invalid", "{wrong}");
    }
    assert_eq!(office.run("folder rights set ann@one.test Nothing bob@one.test owner").await.kind(), "not-found");
    assert_eq!(office.run("folder rights set ann@one.test Drafts nobody@one.test owner").await.kind(), "not-found");
    office.run("folder rights remove ann@one.test Drafts bob@one.test").await.good();
    assert_eq!(office.run("folder rights list ann@one.test Drafts").await.good().values.len(), 1);
    let holds = |path: &str| listed.values.iter().find(|one| one["path"] == path).map(|one| one["holds"].clone());
    assert_eq!((holds("calendar"), holds("INBOX"), holds("attachments")), (Some("events".into()), Some("mail".into()), None));
    let id = listed.values.iter().find(|one| one["path"] == "calendar").unwrap()["id"].as_str().unwrap().to_owned();
    for (named, role) in
        [("calendar", "availability-only"), ("Calendar", "limited-details"), (&id, "reviewer"), ("tasks", "limited-details")]
    {
        let set = office.run(&format!("folder rights set ann@one.test {named} bob@one.test {role}")).await.good();
        assert_eq!(set.last()["role"], role);
        assert_eq!(office.run(&format!("folder rights list ann@one.test {named}")).await.good().last()["role"], role);
    }
    for named in ["Drafts", "contacts"] {
        let refused = office.run(&format!("folder rights set ann@one.test {named} bob@one.test availability-only")).await;
        assert_eq!(refused.failed.as_ref().map(|(kind, text)| (kind.as_str(), text.contains("for calendars"))), Some(("invalid", true)));
    }
}

async fn anns(office: &Office) -> penfold_mailbox::Mailbox {
    let service = &office.context.service;
    let account = match service.directory.resolve_now(&"ann@one.test".parse().unwrap()).await.unwrap() {
        penfold_directory::Recipient::Mailbox(account) => account,
        other => panic!("{other:?}"),
    };
    service.mailboxes.open(&service.directory.job_scope(account)).await.unwrap()
}

#[tokio::test]
async fn of_several_folders_of_one_name_none_is_opened_by_it() {
    use penfold_mailbox::{Kind, NewCollection, Role};
    let office = office().await;
    office.run("folder list ann@one.test").await.good();
    let mailbox = anns(&office).await;
    let files = mailbox.collections().await.unwrap().with_role(Role::Files).unwrap().id;
    let mut ids = Vec::new();
    for (kind, parent, segment, name) in [
        (Kind::Events, None, "a1", "Work"),
        (Kind::Events, None, "a2", "Work"),
        (Kind::Events, None, "a3", "Drafts"),
        (Kind::Files, Some(files), "calendar", "calendar"),
    ] {
        let new = NewCollection { kind, parent, segment: segment.to_owned(), name: name.to_owned(), properties: Vec::new() };
        ids.push(mailbox.create_collection(&new).await.unwrap().to_string());
    }
    let set = async |folder: &str| office.run(&format!("folder rights set ann@one.test {folder} bob@one.test reviewer")).await;
    for (named, ids) in [("Work", &ids[..2]), ("Drafts", &ids[2..3])] {
        let refused = set(named).await;
        let (kind, text) = refused.failed.unwrap();
        assert!(kind == "invalid" && ids.iter().all(|id| text.contains(id)), "{named}: {text}");
    }
    let opened = async |folder: &str| office.run(&format!("folder rights list ann@one.test {folder}")).await.good().values.len();
    assert_eq!((opened(&ids[0]).await, opened(&ids[1]).await, opened(&ids[2]).await), (0, 0, 0));
    set("calendar").await.good();
    assert_eq!((opened(&ids[3]).await, opened("Calendar").await), (0, 1));
    for folder in ["files/calendar", &ids[1], "a1"] {
        set(folder).await.good();
    }
    assert_eq!((opened(&ids[3]).await, opened("a2").await, opened(&ids[0]).await), (1, 1, 1));
    let listed = office.run("folder list ann@one.test").await.good();
    let path = |id: &str| listed.values.iter().find(|one| one["id"] == id).unwrap()["path"].as_str().unwrap().to_owned();
    assert_eq!((path(&ids[3]), path(&ids[0])), ("files/calendar".to_owned(), "a1".to_owned()));
}

#[tokio::test]
async fn a_check_tells_of_an_attachment_that_is_gone() {
    let office = office().await;
    let mailbox = anns(&office).await;
    let calendar = mailbox.collections().await.unwrap().with_role(penfold_mailbox::Role::Calendar).unwrap().id;
    let text = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20260301T100000Z\r\n\
         ATTACH;MANAGED-ID=gone:/dav/attachments/{}/gone/x.txt\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        mailbox.account().principal
    );
    let new = penfold_calendar::object(penfold_mailbox::Kind::Events, "meeting.ics", text.into()).unwrap();
    mailbox.put_object(calendar, &new, &|_| true).await.unwrap();
    let found = office.run("check").await;
    assert_eq!((found.kind(), &found.last()["problems"]), ("broken", &1.into()));
    let problem = found.values.iter().find_map(|one| one["problem"].as_str()).unwrap();
    assert!(problem.contains("meeting.ics") && problem.contains("gone"), "{problem}");
}
