use super::*;
use penfold_directory::{Cheap, Directory, NewPerson, Options};
use penfold_mailbox::{Kind, Mailboxes, NewCollection, uid_hash};
use penfold_simulated::{Faults, Simulated};
use std::sync::Arc;

struct House {
    mailbox: Mailbox,
    folder: FolderId,
}

async fn house(seed: u64) -> House {
    let world = Simulated::new(seed, Faults::NONE).world();
    let directory = Directory::with_options(world.clone(), Options { hasher: Arc::new(Cheap), ..Options::default() });
    let operator = directory.operator();
    operator.create_tenant("One").await.unwrap();
    operator.create_domain("One", &"one.test".parse().unwrap()).await.unwrap();
    let new = NewPerson { address: "ann@one.test".parse().unwrap(), name: "Ann".to_owned(), password: None, quota: None };
    let account = operator.create_person(&new).await.unwrap();
    let mailbox = Mailboxes::new(world, directory.clone()).open(&directory.job_scope(account)).await.unwrap();
    let (segment, name) = ("work".to_owned(), "Work".to_owned());
    let new = NewCollection { kind: Kind::Events, parent: None, segment, name, properties: Vec::new() };
    let folder = mailbox.create_collection(&new).await.unwrap();
    House { mailbox, folder }
}

impl House {
    async fn bring(&self, id: &str, uid: &str) {
        attach(&self.mailbox, id, Bytes::from_static(b"x"), "text/plain", uid_hash(uid)).await.unwrap();
    }

    /// An event that names these, whatever they know of it.
    async fn put(&self, uid: &str, ids: &[&str]) {
        let owner = self.mailbox.account().principal;
        let lines: String =
            ids.iter().map(|id| format!("ATTACH;MANAGED-ID={id}:https://h.test/dav/attachments/{owner}/{id}/x\r\n")).collect();
        let text = format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\n\
             DTSTART:20260301T100000Z\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        let object = crate::object(Kind::Events, &format!("{uid}.ics"), text.into()).unwrap();
        self.mailbox.put_object(self.folder, &object, &|_| true).await.unwrap();
    }

    async fn also(&self, id: &str, uid: &str) -> Result<()> {
        let (folder, _) = attached(&self.mailbox, id).await.unwrap().unwrap();
        attach_also(&self.mailbox, folder, id, uid_hash(uid), &mut Looks::default()).await
    }

    /// One that is attached to as many as it can be.
    async fn often(&self, id: &str) {
        self.bring(id, "0").await;
        for number in 0..USES_OF_ATTACHMENT {
            self.also(id, &number.to_string()).await.unwrap();
            self.put(&number.to_string(), &[id]).await;
        }
    }

    async fn pass(&self, time: Duration) {
        self.mailbox.env().sleep(time).await;
    }
}

fn is_limit(done: Result<()>) -> bool {
    done.is_err_and(|error| error.kind() == Why::Limit)
}

#[tokio::test(start_paused = true)]
async fn what_no_longer_names_an_attachment_makes_room_for_what_does() {
    let house = house(1).await;
    house.often("logo").await;
    house.pass(3 * NOTED).await;
    assert!(is_limit(house.also("logo", "new").await), "all name it");
    // One is gone, another names it no more.
    house.mailbox.remove_object(house.folder, "7.ics", &|_| true).await.unwrap();
    house.also("logo", "a").await.unwrap();
    house.put("a", &["logo"]).await;
    house.put("8", &[]).await;
    house.also("logo", "b").await.unwrap();
    house.put("b", &["logo"]).await;
    assert!(is_limit(house.also("logo", "c").await));
    let (folder, _) = attached(&house.mailbox, "logo").await.unwrap().unwrap();
    let known = uses(&house.mailbox, folder, "logo").await.unwrap();
    let is = |uid: &str| known.contains(&uid_hash(uid));
    assert_eq!((known.len(), is("7"), is("8"), is("9"), is("a"), is("b")), (USES_OF_ATTACHMENT, false, false, true, true, true));
    assert!(check_attachments(&house.mailbox, false).await.unwrap().problems.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_was_noted_lately_is_on_its_way_and_keeps_its_place() {
    let house = house(2).await;
    house.often("logo").await;
    house.mailbox.remove_object(house.folder, "7.ics", &|_| true).await.unwrap();
    house.pass(3 * NOTED).await;
    // Somebody puts it back.
    house.also("logo", "7").await.unwrap();
    assert!(is_limit(house.also("logo", "new").await));
    house.put("7", &["logo"]).await;
    assert!(check_attachments(&house.mailbox, false).await.unwrap().problems.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_repair_tells_what_it_cannot_do_and_goes_on() {
    let house = house(3).await;
    house.often("a-full").await;
    house.bring("b-other", "else").await;
    house.put("more", &["a-full", "b-other"]).await;
    let found = check_attachments(&house.mailbox, true).await.unwrap();
    let tells = |words: &str| found.problems.iter().filter(|problem| problem.contains(words)).count();
    assert_eq!((tells("does not know that object more.ics"), tells("cannot learn"), found.repaired), (2, 1, 1), "{found:?}");
    house.also("b-other", "more").await.unwrap();
    assert_eq!(check_attachments(&house.mailbox, false).await.unwrap().problems.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_goes_during_a_sweep_does_not_end_it() {
    for seed in 0..20 {
        let house = house(seed).await;
        for number in 0..5 {
            house.bring(&format!("id{number}"), "gone").await;
        }
        house.pass(2 * GRACE).await;
        let (folder, _) = attached(&house.mailbox, "id0").await.unwrap().unwrap();
        let removing = async {
            for number in [4, 3, 2] {
                house.mailbox.remove_object(folder, &format!("id{number}"), &|_| true).await.unwrap();
            }
        };
        let (swept, ()) = tokio::join!(sweep_attachments(&house.mailbox), removing);
        assert_eq!(swept.unwrap(), 0, "seed {seed}");
        house.pass(2 * GRACE).await;
        assert_eq!(sweep_attachments(&house.mailbox).await.unwrap(), 2, "seed {seed}");
    }
}
