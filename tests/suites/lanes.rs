//! Order by patient, from the door to the destination: one patient's trouble holds up nobody else,
//! but a merge with that patient, and what comes after the merge.

use anyhow::{Context, Result, ensure};
use hilum_peers::{Ack, MllpReceiver};
use hilum_tests::{Running, Site};

fn site(receiver: &MllpReceiver, on_park: &str) -> Result<Site> {
    let configuration = format!(
        r#"
[gateway]
name = "lanes"
data = "data"
timezone = "UTC"

[listener.adt-in]
kind = "mllp"
bind = "127.0.0.1:0"

[destination.lab]
kind = "mllp"
address = "{}"
clearance = "treatment"
on_park = "{on_park}"

[route.adt]
from = "adt-in"
to = ["lab"]
lane = "PID-3.1"
"#,
        receiver.address()
    );
    Site::new(&configuration)
}

/// A message about a patient, or one that says that `gone` is the same one.
fn about(id: &str, patient: &str, gone: Option<&str>) -> Vec<u8> {
    let event = if gone.is_some() { "A40" } else { "A08" };
    let merged = gone.map(|it| format!("MRG|{it}^^^X^MR\r")).unwrap_or_default();
    format!(
        "MSH|^~\\&|ADT|X|||20261124||ADT^{event}|{id}|P|2.5.1\rPID|1||{patient}^^^X^MR\r{merged}"
    )
    .into_bytes()
}

fn ids(receiver: &MllpReceiver) -> Vec<String> {
    let id = |message: Vec<u8>| {
        let text = String::from_utf8_lossy(&message).into_owned();
        text.split('|').nth(9).unwrap_or_default().to_owned()
    };
    receiver.received().into_iter().map(id).collect()
}

/// Patient 1, 2, then both are one, each again, and a third one. The first message is refused.
fn send_all(running: &Running<'_>, receiver: &MllpReceiver) -> Result<()> {
    receiver.answer_next([Ack::Code("AE")]);
    let mut client = running.client("adt-in")?;
    let send = |client: &mut hilum_tests::Client, message: Vec<u8>| -> Result<()> {
        let answer = client.send(&message)?;
        ensure!(answer.contains("\rMSA|AA|"), "{answer}");
        Ok(())
    };
    send(&mut client, about("first", "17", None))?;
    // Its refusal is known before the others come, so that they meet it.
    running.wait("the first to be parked", |it| {
        Ok(it.list("parked")?.as_array().is_some_and(|all| all.len() == 1))
    })?;
    for message in [
        about("other", "18", None),
        about("merge", "17", Some("18")),
        about("again", "17", None),
        about("gone", "18", None),
        about("third", "19", None),
    ] {
        send(&mut client, message)?;
    }
    Ok(())
}

#[test]
fn a_parked_message_blocks_its_patient_the_merge_and_what_comes_after_and_nobody_else() -> Result<()>
{
    let receiver = MllpReceiver::start()?;
    let site = site(&receiver, "block")?;
    let running = site.serve()?;
    send_all(&running, &receiver)?;
    running.wait("the others to be delivered", |it| {
        let queued = &it.json(&["status"])?["counts"]["queued"];
        Ok(*queued == 3 && ids(&receiver).len() == 3)
    })?;
    assert_eq!(ids(&receiver), ["first", "other", "third"]);

    let parked = running.list("parked")?;
    let id = parked[0]["id"].as_str().context("an id")?.to_owned();
    let (code, _, err) = site.run(&["parked", "discard", &id, "--reason", "told by telephone"])?;
    assert_eq!(code, 0, "{err}");
    running.wait_until_idle()?;
    assert_eq!(ids(&receiver), ["first", "other", "third", "merge", "again", "gone"]);
    Ok(())
}

#[test]
fn a_block_outlives_a_kill() -> Result<()> {
    let receiver = MllpReceiver::start()?;
    let site = site(&receiver, "block")?;
    let running = site.serve()?;
    send_all(&running, &receiver)?;
    running.wait("the others to be delivered", |_| Ok(ids(&receiver).len() == 3))?;
    running.kill()?;
    let running = site.serve()?;
    // What may go has gone by the time that a fourth patient's message has.
    assert!(running.client("adt-in")?.send(&about("fourth", "20", None))?.contains("|AA|"));
    running.wait("the fourth", |it| {
        let queued = &it.json(&["status"])?["counts"]["queued"];
        Ok(ids(&receiver).iter().any(|it| it == "fourth") && *queued == 3)
    })?;
    assert!(ids(&receiver).iter().all(|it| !["merge", "again", "gone"].contains(&it.as_str())));
    Ok(())
}

#[test]
fn a_parked_message_is_passed_where_the_site_says_so() -> Result<()> {
    let receiver = MllpReceiver::start()?;
    let site = site(&receiver, "pass")?;
    let running = site.serve()?;
    send_all(&running, &receiver)?;
    running.wait_until_idle()?;
    let came = ids(&receiver);
    assert_eq!(came.len(), 6, "{came:?}");
    let place = |id: &str| came.iter().position(|it| it == id).context("delivered");
    assert!(place("other")? < place("merge")?, "{came:?}");
    assert!(place("merge")? < place("again")? && place("merge")? < place("gone")?, "{came:?}");
    Ok(())
}
