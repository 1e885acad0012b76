use super::Home;
use penfold_ports::Units;

/// About 20 KB with a header of real size.
fn message(number: usize) -> String {
    let mut out = String::new();
    for hop in 0..5 {
        out += &format!(
            "Received: from mail{hop}.example.test (mail{hop}.example.test [192.0.2.{hop}])\r\n by relay{hop}.example.test (Postfix) with ESMTPS id 4XyZ{hop}A1b2C3d4\r\n for <ann@x.test>; Wed, 25 Nov 2026 17:13:0{hop} +0000 (UTC)\r\n"
        );
    }
    out += &format!(
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.test; s=s1;\r\n h=from:to:subject:date; bh={}; b={}\r\n",
        "A".repeat(44),
        "B".repeat(344)
    );
    out += "From: Some Body <some.body@example.test>\r\nTo: ";
    let to: Vec<_> = (0..10).map(|n| format!("Person Number {n} <person{n}@x.test>")).collect();
    out += &to.join(",\r\n ");
    out += &format!(
        "\r\nSubject: Minutes of meeting {number}\r\nDate: Wed, 25 Nov 2026 17:13:06 +0000\r\nMessage-ID: <{number}.minutes@example.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    );
    out + &format!("Line {number} of the minutes, as people write them in their meetings.\r\n").repeat(270)
}

async fn spent(home: &Home, messages: usize) -> (Units, Units) {
    let before = (home.world.meter.total("accept"), home.world.meter.total("deliver"));
    for number in 0..messages {
        home.send(&["ann@x.test"], &message(number)).await.unwrap();
    }
    home.settle().await;
    let after = (home.world.meter.total("accept"), home.world.meter.total("deliver"));
    let less = |a: Units, b: Units| Units { read: a.read - b.read, write: a.write - b.write, blob_put: a.blob_put - b.blob_put, ..a };
    (less(after.0, before.0), less(after.1, before.1))
}

#[tokio::test(start_paused = true)]
async fn a_delivery_costs_what_the_design_allows() {
    let home = Home::new(31).await;
    home.person("ann@x.test").await;
    spent(&home, 1).await;
    let (_, alone) = spent(&home, 1).await;
    assert!(alone.write <= 12, "{alone:?}");
    let (_, ten) = spent(&home, 10).await;
    assert!(ten.write <= 70, "{ten:?}");
}
