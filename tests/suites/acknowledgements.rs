//! What a sender is told, over a real socket by a real gateway.
//!
//! `tests/golden/answers/` holds for each message the answer that the standard wants, with the chapter
//! that says so: `NAME.ack` for the message `NAME.hl7` beside it or under `tests/fixtures`. Frames are
//! divided by `--`; what is our own, times and control ids, stands there as `<time>` and `<id>`.
//! `NAME.errors.ack` is what the listener `errors` answers, and so on.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use hilum_tests::{Client, Running, Site, repository};

/// A listener for each way of answering; all take what no route takes.
const SITE: &str = r#"
[gateway]
name = "answers"
data = "data"
timezone = "UTC"

[listener.all]
kind = "mllp"
bind = "127.0.0.1:0"
unrouted = "accept"

[listener.errors]
kind = "mllp"
bind = "127.0.0.1:0"
unrouted = "accept"
batch_answer = "errors"

[listener.singly]
kind = "mllp"
bind = "127.0.0.1:0"
unrouted = "accept"
batch_answer = "singly"

[listener.strict]
kind = "mllp"
bind = "127.0.0.1:0"
unrouted = "accept"
on_batch_count = "refuse"

[listener.processed]
kind = "mllp"
bind = "127.0.0.1:0"
ack = "processed"

[plugin.adt-to-fhir]
file = "plugins/adt-to-fhir.wasm"
grant = { tables = ["admit-source"] }

[table.admit-source]
file = "tables/admit-source.csv"

[destination.kept]
kind = "file"
folder = "out"
clearance = "treatment"

[route.adt]
from = "processed"
steps = ["adt-to-fhir"]
to = ["kept"]
"#;

fn answers() -> PathBuf {
    repository().join("tests/golden/answers")
}

/// All files below a folder with this ending.
fn files(folder: &Path, ending: &str) -> Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path, ending)?);
        } else if path.extension().is_some_and(|it| it == ending) {
            found.insert(path);
        }
    }
    Ok(found)
}

/// The message that an answer belongs to, and the listener that gives the answer.
fn message_of(ack: &Path) -> Result<(PathBuf, String)> {
    let relative = ack.strip_prefix(answers())?.with_extension("");
    let name = relative.to_string_lossy().into_owned();
    let (name, listener) = ["errors", "singly", "strict", "processed"]
        .iter()
        .find_map(|it| Some((name.strip_suffix(&format!(".{it}"))?.to_owned(), *it)))
        .unwrap_or((name.clone(), "all"));
    let file = format!("{name}.hl7");
    let fixtures = repository().join("tests/fixtures");
    let samples = file.replace("v2-to-fhir/", "v2-to-fhir/samples/");
    let places = [
        answers().join(&file),
        fixtures.join("hl7v2-messages").join(&file),
        fixtures.join(samples),
    ];
    let message = places.into_iter().find(|it| it.is_file()).context(file)?;
    Ok((message, listener.to_owned()))
}

/// The frame's bytes; one of the fixtures has its frame with it.
fn framed(content: &[u8]) -> Vec<u8> {
    match content.first() {
        Some(0x0b) => content.to_vec(),
        _ => [&[0x0b], content, &[0x1c, 0x0d]].concat(),
    }
}

/// Sends a frame and then a message whose answer is known: what comes before that answer is said about
/// the frame.
fn talk(client: &mut Client, frame: &[u8], probe: &str) -> Result<Vec<String>> {
    client.write(frame)?;
    client.write(&framed(&adt(probe, "", "", "ADT^A01^ADT_A01", "4711^^^WARD^MR")))?;
    let mut said = Vec::new();
    loop {
        let answer = client.answer()?;
        if answer.contains(&format!("|{probe}\r")) {
            ensure!(answer.contains("\rMSA|AA|"), "the probe was not taken: {answer}");
            return Ok(said);
        }
        said.push(answer);
    }
}

/// The answer with placeholders for what is ours, a segment a line.
fn shown(answer: &str) -> String {
    let line = |segment: &str| {
        let separator = segment.get(3..4).unwrap_or("|");
        let mut fields: Vec<String> = segment.split(separator).map(str::to_owned).collect();
        // The first field of a header is the separator itself.
        let (time, id) = match fields.first().map(String::as_str) {
            Some("MSH") => (6, 9),
            Some("BHS" | "FHS") => (6, 10),
            _ => return segment.to_owned(),
        };
        let is_time = |it: &String| it.len() == 23 && it.ends_with("+0000");
        let is_id = |it: &String| it.len() == 20 && it.bytes().all(|it| it.is_ascii_hexdigit());
        if let Some(field) = fields.get_mut(time).filter(|it| is_time(it)) {
            *field = "<time>".to_owned();
        }
        if let Some(field) = fields.get_mut(id).filter(|it| is_id(it)) {
            *field = "<id>".to_owned();
        }
        fields.join(separator)
    };
    answer.split_terminator('\r').map(|it| line(it) + "\n").collect()
}

fn expected(ack: &Path) -> Result<String> {
    let text = std::fs::read_to_string(ack)?;
    let (comment, rest): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.starts_with('#'));
    ensure!(!comment.is_empty(), "{} names no chapter", ack.display());
    Ok(rest.iter().map(|line| format!("{line}\n")).collect())
}

#[test]
fn each_message_gets_the_answer_that_stands_beside_it() -> Result<()> {
    let site = Site::new(SITE)?;
    let running = site.serve()?;
    let mut wrong = Vec::new();
    let all = files(&answers(), "ack")?;
    ensure!(50 < all.len(), "answers");
    for (number, ack) in all.iter().enumerate() {
        let (message, listener) = message_of(ack)?;
        let content = std::fs::read(&message)?;
        let mut client = running.client(&listener)?;
        let said = talk(&mut client, &framed(&content), &format!("PROBE-{number}"))
            .with_context(|| format!("{}", ack.display()))?;
        let said = said.iter().map(|it| shown(it)).collect::<Vec<_>>().join("--\n");
        let expected = expected(ack)?;
        if said != expected {
            wrong.push(format!("{}\n{expected}got\n{said}", ack.display()));
        }
    }
    ensure!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}

/// What is unusual about a message: where an answer may go wrong.
fn oddities(content: &[u8]) -> Vec<&'static str> {
    let text = String::from_utf8_lossy(content);
    let text = text.trim_start_matches(['\u{feff}', '\u{b}', ' ', '\t', '\r', '\n']);
    let headers: Vec<&str> = text.split(['\r', '\n']).filter(|it| it.starts_with("MSH")).collect();
    let mut found = Vec::new();
    let mut note = |is_so: bool, what| found.extend(is_so.then_some(what));
    note(!text.starts_with("MSH"), "something before MSH");
    note(1 < headers.len(), "several MSH");
    let Some(first) = headers.first() else { return found };
    let separator = first.chars().nth(3).unwrap_or('|');
    let fields: Vec<&str> = first.split(separator).collect();
    let field = |number: usize| fields.get(number - 1).copied().unwrap_or_default().trim();
    note(separator != '|', "MSH-1");
    note(field(2) != "^~\\&", "MSH-2");
    for (number, name) in [(9, "no MSH-9"), (10, "no MSH-10"), (11, "no MSH-11"), (12, "no MSH-12")]
    {
        note(field(number).is_empty(), name);
    }
    found
}

#[test]
fn each_odd_message_has_an_answer_beside_it() -> Result<()> {
    let odd = |text: &str| oddities(text.as_bytes()).join(", ");
    assert_eq!(odd("MSH|^~\\&|A|||||ADT|ADT^A01|7|P|2.5\rPID|MSH\r"), "");
    assert_eq!(
        odd("FHS|^~\\&\rMSH$%~\\&$$$$$$$$\nMSH|\n"),
        "something before MSH, several MSH, MSH-1, \
        MSH-2, no MSH-9, no MSH-10, no MSH-11, no MSH-12"
    );
    let answered: BTreeSet<PathBuf> = files(&answers(), "ack")?
        .iter()
        .map(|ack| message_of(ack).map(|(message, _)| message))
        .collect::<Result<_>>()?;
    let fixtures = repository().join("tests/fixtures");
    let mut all = files(&fixtures.join("hl7v2-messages"), "hl7")?;
    all.extend(files(&fixtures.join("v2-to-fhir/samples"), "hl7")?);
    all.extend(files(&answers(), "hl7")?);
    let (mut count, mut without) = (0, Vec::new());
    for file in all {
        let oddities = oddities(&std::fs::read(&file)?);
        if oddities.is_empty() {
            continue;
        }
        count += 1;
        if !answered.contains(&file) {
            without.push(format!("{}: {}", file.display(), oddities.join(", ")));
        }
    }
    ensure!(30 < count, "{count} odd messages");
    ensure!(without.is_empty(), "without an answer:\n{}", without.join("\n"));
    Ok(())
}

/// What stands between delimiters.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let own = |it: char| !it.is_alphanumeric() && !"-'. ".contains(it);
    text.split(own).map(str::trim).filter(|it| 4 <= it.len())
}

/// The values of a message, but for those that the standard wants back.
fn values(content: &[u8]) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(content);
    let mut all = BTreeSet::new();
    let mut given_back = BTreeSet::new();
    for segment in text.split(['\r', '\n']) {
        let start = segment.trim_start_matches(['\u{feff}', '\u{b}', ' ']);
        let is_header = ["MSH", "BHS", "FHS"].iter().any(|it| start.starts_with(it));
        let values = if is_header { &mut given_back } else { &mut all };
        values.extend(words(segment).map(str::to_owned));
    }
    all.retain(|it| !given_back.contains(it));
    all
}

#[test]
fn no_answer_holds_a_value_of_its_message() -> Result<()> {
    let site = Site::new(SITE)?;
    let running = site.serve()?;
    let fixtures = repository().join("tests/fixtures");
    let mut all = files(&fixtures.join("hl7v2-messages"), "hl7")?;
    all.extend(files(&fixtures.join("v2-to-fhir/samples"), "hl7")?);
    all.extend(files(&answers(), "hl7")?);
    ensure!(150 < all.len(), "{} messages", all.len());
    let mut looked_for = 0;
    for listener in ["all", "processed"] {
        for (number, file) in all.iter().enumerate() {
            let content = std::fs::read(file)?;
            let mut client = running.client(listener)?;
            // An identifier, or the probe would be refused by the plugin.
            let said = hear(&mut client, &framed(&content), &format!("VALUE-{listener}-{number}"))
                .with_context(|| format!("{}", file.display()))?;
            let said = shown(&said);
            let values = values(&content);
            looked_for += values.len();
            let told: Vec<&str> = words(&said).filter(|it| values.contains(*it)).collect();
            ensure!(told.is_empty(), "{}: {told:?} in {said}", file.display());
        }
    }
    ensure!(10_000 < looked_for, "{looked_for} values");
    Ok(())
}

/// What is said about a frame, whatever becomes of the probe behind it.
fn hear(client: &mut Client, frame: &[u8], probe: &str) -> Result<String> {
    client.write(frame)?;
    let text = format!(
        "MSH|^~\\&|PROBE||||||ADT^A01|{probe}|P|2.5.1\rPID|1||{probe}^^^X^MR||A^B||1980|F\rPV1|1|I\r"
    );
    client.write(&framed(text.as_bytes()))?;
    let mut said = String::new();
    loop {
        let answer = client.answer()?;
        if answer.contains(&format!("|{probe}\r")) {
            return Ok(said);
        }
        said.push_str(&answer);
    }
}

/// An ADT with this id, MSH-15 and MSH-16; a patient without an identifier is refused by the plugin.
fn adt(id: &str, accept: &str, application: &str, kind: &str, patient: &str) -> Vec<u8> {
    format!(
        "MSH|^~\\&|ADT|WARD|HILUM|ST-ANNA|20261124||{kind}|{id}|P|2.5.1|||{accept}|{application}\r\
         PID|1||{patient}||ZWIEBELFISCH^QUIRINA||19800312|F\rPV1|1|I\r"
    )
    .into_bytes()
}

/// The codes of the answers to one message, in their order.
fn codes(running: &Running<'_>, listener: &str, message: &[u8], probe: &str) -> Result<String> {
    let mut client = running.client(listener)?;
    let mut said = Vec::new();
    client.write(&framed(message))?;
    // In the enhanced mode later answers may come after the probe's, so it is sent when all is decided.
    running.wait_until_idle()?;
    client.write(&framed(&adt(probe, "", "", "ADT^A01^ADT_A01", "4711^^^WARD^MR")))?;
    loop {
        let answer = client.answer()?;
        let msa = answer.split("\rMSA|").nth(1).context("an MSA")?.to_owned();
        if msa.contains(&format!("|{probe}\r")) {
            return Ok(if said.is_empty() { ".".into() } else { said.join(" ") });
        }
        said.push(msa.get(..2).context("a code")?.to_owned());
    }
}

#[test]
fn msh_15_and_msh_16_choose_what_comes_over_the_socket() -> Result<()> {
    let site = Site::new(SITE)?;
    let running = site.serve()?;
    let table = std::fs::read_to_string(answers().join("acknowledgements.table"))?;
    // Column, listener, MSH-9 and PID-3 of the message.
    let (good, none) = ("4711^^^WARD^MR", "");
    let columns = [
        (0, "all", "ADT^A01^ADT_A01", good),
        (1, "all", "", good),
        (3, "processed", "ADT^A01^ADT_A01", good),
        (4, "processed", "ADT^A01^ADT_A01", none),
        (6, "processed", "", good),
    ];
    let mut rows = 0;
    for line in table.lines().filter(|it| !it.starts_with('#')) {
        let mut cells = line.split('|').map(str::trim);
        let fields = cells.next().context("fields")?;
        let fields: Vec<&str> =
            fields.split_whitespace().map(|it| if it == "-" { "" } else { it }).collect();
        let [accept, application] = fields.as_slice() else { anyhow::bail!("{line}") };
        let cells: Vec<&str> = cells.collect();
        for (column, listener, kind, patient) in columns {
            let id = format!("T{rows}-{column}");
            let message = adt(&id, accept, application, kind, patient);
            let said = codes(&running, listener, &message, &format!("P{rows}-{column}"))?;
            let expected = cells.get(column).context("a cell")?.replace(" > ", " ");
            let expected = expected.trim_start_matches(". ");
            ensure!(said == expected, "column {column}: {line}\ngot {said}");
        }
        rows += 1;
    }
    ensure!(25 <= rows, "{rows} rows");
    Ok(())
}

#[test]
fn a_refusal_by_a_plugin_reaches_its_sender_and_nobody_else_has_to_know() -> Result<()> {
    let site = Site::new(SITE)?;
    let running = site.serve()?;
    let mut client = running.client("processed")?;
    let wrong = adt("R1", "", "", "ADT^A01^ADT_A01", "");
    let said = client.send(&wrong)?;
    ensure!(
        said.contains("\rMSA|AE|R1\rERR||PID^1^3|101^Required field missing^HL70357|E"),
        "{said}"
    );
    ensure!(!said.contains("ZWIEBELFISCH"), "{said}");
    ensure!(running.list("parked")?.as_array().is_some_and(Vec::is_empty), "it is final");
    let again = client.send(&wrong)?;
    ensure!(shown(&again) == shown(&said), "the same again: {again}");
    // Pipelined, in the original mode: answers in order.
    let good = |id| framed(&adt(id, "", "", "ADT^A01^ADT_A01", "4711^^^WARD^MR"));
    client.write(&[good("R2"), framed(&adt("R3", "", "", "ADT^A01", "")), good("R4")].concat())?;
    for expected in ["MSA|AA|R2\r", "MSA|AE|R3\r", "MSA|AA|R4\r"] {
        let said = client.answer()?;
        ensure!(said.contains(expected), "{expected}: {said}");
    }
    Ok(())
}
