use std::path::PathBuf;
use std::sync::Mutex;

use bytes::Bytes;
use hilum_mllp::{Decoder, Event, Limits};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::arguments::Tls;

const ADT: &str = "MSH|^~\\&|ADT|A|HILUM|B|20261124||ADT^A01|ID1|P|2.5.1\rPID|1||17\r";

/// What a receiver does with one message: answers to write, and whether to hang up then.
type Habit = fn(&[u8]) -> (Vec<String>, bool);

/// A receiver on a free port, with everything that it got.
struct Receiver {
    doors: Doors,
    to: String,
    got: Arc<Mutex<Vec<Vec<u8>>>>,
    folder: tempfile::TempDir,
}

impl Receiver {
    async fn start(habit: Habit) -> Self {
        let doors = hilum_env::system::doors(tokio::runtime::Handle::current());
        let at = Address::Tcp("127.0.0.1:0".to_owned());
        let acceptor = doors.net.listen(&at).await.expect("a port is free");
        let to = acceptor.address().to_string();
        let got = Arc::new(Mutex::new(Vec::new()));
        let (tasks, seen) = (Arc::clone(&doors.tasks), Arc::clone(&got));
        doors.tasks.spawn(
            "receiver",
            Box::pin(async move {
                while let Ok(connection) = acceptor.accept().await {
                    let talking = talk(connection, habit, Arc::clone(&seen));
                    tasks.spawn("receiver/connection", Box::pin(talking));
                }
            }),
        );
        Self { doors, to, got, folder: tempfile::tempdir().expect("a folder") }
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        self.doors.disk.replace(&path, content.as_bytes()).expect("written");
        path
    }

    async fn send(&self, change: impl FnOnce(&mut Send)) -> Value {
        let mut arguments = Send {
            paths: vec![self.folder.path().to_owned()],
            to: self.to.clone(),
            connections: 1,
            repeat: None,
            timeout: Duration::from_secs(20),
            tls: Tls::default(),
        };
        change(&mut arguments);
        let (tally, _) = send(&self.doors, &arguments, true).await.expect("it can be sent");
        tally.document()
    }

    fn got(&self) -> Vec<String> {
        let got = self.got.lock().expect("not poisoned");
        got.iter().map(|it| String::from_utf8_lossy(it).into_owned()).collect()
    }
}

async fn talk(mut connection: hilum_env::Connection, habit: Habit, seen: Arc<Mutex<Vec<Vec<u8>>>>) {
    let limits = Limits { frame_bytes_max: 1 << 20, junk_bytes_max: 0, strict: true };
    let mut decoder = Decoder::new(limits);
    let mut buffer = [0; 4096];
    loop {
        while let Ok(Some(Event::Frame(frame))) = decoder.next_event() {
            seen.lock().expect("not poisoned").push(frame.content.to_vec());
            let (answers, hang_up) = habit(&frame.content);
            for answer in answers {
                let framed = hilum_mllp::encode(answer.as_bytes()).expect("it can be framed");
                if connection.stream.write_all(&framed).await.is_err() {
                    return;
                }
            }
            if hang_up {
                return;
            }
        }
        match connection.stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => decoder.feed(&buffer[..count]),
        }
    }
}

fn control_id(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message);
    text.split('|').nth(9).unwrap_or_default().to_owned()
}

fn answer(code: &str, to: &str) -> String {
    format!("MSH|^~\\&|HILUM|B|ADT|A|20261124||ACK^A01^ACK|X|P|2.5.1\rMSA|{code}|{to}\r")
}

fn accept(message: &[u8]) -> (Vec<String>, bool) {
    (vec![answer("AA", &control_id(message))], false)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_goes_byte_for_byte() {
    let receiver = Receiver::start(accept).await;
    receiver.file("a.hl7", ADT);
    receiver.file("notes.txt", "not sent");
    let tally = receiver.send(|_| ()).await;
    assert_eq!(receiver.got(), [ADT]);
    assert_eq!(tally["accepted"], 1);
    assert_eq!(tally["codes"]["AA"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_has_fresh_control_ids_and_nothing_else_changes() {
    let receiver = Receiver::start(accept).await;
    receiver.file("a.hl7", ADT);
    receiver.file("b.hl7", &ADT.replace("ID1", ""));
    let tally = receiver
        .send(|it| {
            it.repeat = Some(50);
            it.connections = 8;
        })
        .await;
    assert_eq!((&tally["sent"], &tally["accepted"]), (&100.into(), &100.into()));
    let got = receiver.got();
    let mut ids: Vec<String> = got.iter().map(|it| control_id(it.as_bytes())).collect();
    ids.retain(|id| !id.is_empty());
    for (id, message) in ids.iter().zip(got.iter().filter(|it| !it.contains("||P|"))) {
        assert_eq!(id.len(), 20, "HL7 v2.5 allows 20 characters");
        assert_eq!(message.replace(id, "ID1"), ADT);
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_counted_and_named_with_its_place() {
    let receiver = Receiver::start(|message| {
        let error = "ERR||PID^1^3|101^Required field missing^HL70357|E\r";
        (vec![answer("AE", &control_id(message)) + error], false)
    })
    .await;
    let path = receiver.file("a.hl7", ADT);
    let tally = receiver.send(|_| ()).await;
    assert_eq!(tally["accepted"], 0);
    assert_eq!(tally["codes"]["AE"], 1);
    assert_eq!(tally["not_accepted"][0]["file"], path.display().to_string());
    assert_eq!(tally["not_accepted"][0]["why"], "AE 101 at PID^1^3");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_answered_is_not_accepted() {
    let receiver = Receiver::start(|_| (Vec::new(), true)).await;
    receiver.file("a.hl7", ADT);
    let tally = receiver.send(|_| ()).await;
    assert_eq!((&tally["accepted"], &tally["unanswered"]), (&0.into(), &1.into()));
    let why = &tally["not_accepted"][0]["why"];
    assert_eq!(why, "the connection ended before the answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_for_an_answer_is_bounded() {
    let receiver = Receiver::start(|_| (Vec::new(), false)).await;
    receiver.file("a.hl7", ADT);
    let tally = receiver.send(|it| it.timeout = Duration::from_millis(50)).await;
    assert_eq!(tally["not_accepted"][0]["why"], "no answer within 50ms");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_another_message_is_no_answer() {
    let receiver = Receiver::start(|message| {
        (vec![answer("AA", "OLD"), answer("AE", &control_id(message))], false)
    })
    .await;
    receiver.file("a.hl7", ADT);
    let tally = receiver.send(|_| ()).await;
    assert_eq!((&tally["codes"]["AE"], &tally["codes"]["AA"]), (&1.into(), &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn enhanced_mode_waits_for_what_it_asked_for() {
    let receiver = Receiver::start(|message| {
        let text = String::from_utf8_lossy(message).into_owned();
        let id = control_id(message);
        match () {
            () if text.contains("|AL|AL\r") => (vec![answer("CA", &id), answer("AE", &id)], false),
            () if text.contains("|AL|NE\r") => (vec![answer("CA", &id)], false),
            () => (Vec::new(), false),
        }
    })
    .await;
    for (name, asked) in
        [("a.hl7", "AL|AL"), ("b.hl7", "AL|NE"), ("c.hl7", "NE|NE"), ("d.hl7", "ER|ER")]
    {
        let header = format!("|2.5.1|||{asked}\r");
        receiver.file(name, &ADT.replace("|2.5.1\r", &header).replace("ID1", name));
    }
    let tally = receiver.send(|_| ()).await;
    assert_eq!(tally["accepted"], 3);
    assert_eq!(tally["codes"], serde_json::json!({ "AE": 1, "CA": 1 }));
    assert_eq!(tally["silent"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_broke_is_opened_again() {
    let receiver = Receiver::start(|message| {
        let is_bad = control_id(message) == "BAD";
        if is_bad { (Vec::new(), true) } else { accept(message) }
    })
    .await;
    receiver.file("a.hl7", ADT);
    receiver.file("b.hl7", &ADT.replace("ID1", "BAD"));
    receiver.file("c.hl7", ADT);
    let tally = receiver.send(|_| ()).await;
    assert_eq!((&tally["accepted"], &tally["unanswered"]), (&2.into(), &1.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_listens_nothing_is_sent() {
    let receiver = Receiver::start(accept).await;
    receiver.file("a.hl7", ADT);
    let arguments = Send {
        paths: vec![receiver.folder.path().to_owned()],
        to: "127.0.0.1:1".to_owned(),
        connections: 4,
        repeat: Some(3),
        timeout: Duration::from_secs(20),
        tls: Tls::default(),
    };
    let (tally, _) = send(&receiver.doors, &arguments, true).await.expect("it ends");
    assert!(tally.nothing_was_sent().is_some_and(|why| why.contains("refused")));
    assert!(!tally.all_accepted());
}

/// A receiver that speaks TLS and knows its clients, with what `hilum pki dev` makes.
async fn secured(folder: &std::path::Path) -> (Doors, String) {
    use crate::command::pki::{Dev, make, write};
    use hilum_env::tls::{ClientAuth, ServerMaterial, ServerTls};
    let doors = hilum_env::system::doors(tokio::runtime::Handle::current());
    let dev = Dev {
        folder: folder.to_owned(),
        hosts: vec!["127.0.0.1".to_owned(), "lab.example".to_owned()],
        client: "lab-1".to_owned(),
        days: 1,
        force: false,
    };
    let now = hilum_words::Timestamp::from_micros(doors.clock.now_micros());
    write(&*doors.disk, folder, &make(&dev, now).expect("made"), false).expect("written");
    let read = |name: &str| doors.disk.read(&folder.join(name), 1 << 16).expect("there");
    let tls = ServerTls::new(&ServerMaterial {
        certificate: read("server.pem"),
        key: read("server.key"),
        client_ca: Some(read("ca.pem")),
        client: ClientAuth::Required,
    });
    let tls = tls.expect("fits");
    let at = Address::Tcp("127.0.0.1:0".to_owned());
    let acceptor = doors.net.listen(&at).await.expect("a port is free");
    let to = acceptor.address().to_string();
    doors.tasks.spawn(
        "receiver",
        Box::pin(async move {
            while let Ok(accepted) = acceptor.accept().await {
                if let Ok((stream, _)) = tls.accept(accepted.stream).await {
                    let connection = hilum_env::Connection { stream, peer: accepted.peer };
                    talk(connection, accept, Arc::default()).await;
                }
            }
        }),
    );
    (doors, to)
}

#[tokio::test(flavor = "multi_thread")]
async fn it_goes_over_tls_and_both_ends_are_known() {
    let (files, pki) = (tempfile::tempdir().expect("made"), tempfile::tempdir().expect("made"));
    let (doors, to) = secured(pki.path()).await;
    doors.disk.replace(&files.path().join("a.hl7"), ADT.as_bytes()).expect("written");
    let file = |name: &str| Some(pki.path().join(name));
    let known = Tls {
        ca: file("ca.pem"),
        certificate: file("client.pem"),
        key: file("client.key"),
        ..Tls::default()
    };
    let nobody = Tls { ca: file("ca.pem"), ..Tls::default() };
    let named = |name: &str| Tls { server_name: Some(name.to_owned()), ..known.clone() };
    for (tls, is_sent) in [
        (known.clone(), true),
        (named("lab.example"), true),
        (named("ehr.example"), false),
        (nobody, false),
        (Tls::default(), false),
    ] {
        let arguments = Send {
            paths: vec![files.path().to_owned()],
            to: to.clone(),
            connections: 1,
            repeat: None,
            timeout: Duration::from_secs(20),
            tls,
        };
        let (tally, _) = send(&doors, &arguments, true).await.expect("it ends");
        assert_eq!(tally.all_accepted(), is_sent, "{:?}", arguments.tls);
    }
}

#[test]
fn what_mllp_cannot_carry_is_said_before_anything_is_sent() {
    let doors = {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        hilum_env::system::doors(runtime.handle().clone())
    };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.hl7");
    doors.disk.replace(&path, b"MSH|^~\\&|a\x1c\rb").expect("written");
    let problem = messages::gather(&*doors.disk, &[path]).expect_err("it cannot be framed");
    assert!(problem.to_string().ends_with("holds a VT or FS byte, which MLLP cannot carry"));
    let problem = messages::gather(&*doors.disk, &[folder.path().join("none")]).expect_err("none");
    assert!(problem.to_string().contains("none: "));
}

#[test]
fn a_message_without_a_control_id_stays_without_one() {
    let bare = Prepared::new("a", Bytes::from_static(b"MSH|^~\\&|A\r"));
    assert_eq!(bare.with_control_id("X").content(), bare.content());
    let no_hl7 = Prepared::new("a", Bytes::from_static(b"hello"));
    assert_eq!(no_hl7.with_control_id("X").content(), no_hl7.content());
}
