//! Writes the receiver's codes in the places of the site's own; all else stays as it came.
//!
//! The table `codes` translates, and the route's settings say where:
//!
//! ```toml
//! [route.adt.settings]
//! fields = "PV1-2, OBX-3.1"
//! unknown = "keep"
//! ```
//!
//! A path without a number of its segment (`OBX-3.1`) means each of them. A code that the table does
//! not have refuses the message, unless `unknown = "keep"`: then it stays.

use hilum_sdk::{Draft, Message, Output, Reason, Refusal, refuse, settings, tables};

hilum_sdk::transformer!(map);

const TABLE: &str = "codes";

fn map(message: &Message) -> Result<Vec<Output>, Refusal> {
    let keeps_unknown = settings::get("unknown").is_some_and(|it| it == "keep");
    let mut draft = Draft::copy_of_message()?;
    for paths in settings::list("fields").unwrap_or_default() {
        for path in each(&paths, message)? {
            let Some(code) = message.get(&path)? else { continue };
            match translated(&code)? {
                Some(other) => draft.set(&path, &other)?,
                None if keeps_unknown => {}
                None => {
                    return Err(refuse(Reason::UnknownCode, "no such code in the table").at(path));
                }
            }
        }
    }
    Ok(vec![draft.into()])
}

fn translated(code: &str) -> Result<Option<String>, Refusal> {
    let no_table = |_| refuse(Reason::Application, "the site does not lend the table \"codes\"");
    tables::translate(TABLE, code).map_err(no_table)
}

/// The path itself if it says which segment, else one for each segment that there is.
fn each(path: &str, message: &Message) -> Result<Vec<String>, Refusal> {
    Ok(match path.split_once('-') {
        Some((segment, rest)) if !segment.contains('[') => {
            numbered(segment, rest, message.count(segment)?)
        }
        _ => vec![path.to_owned()],
    })
}

fn numbered(segment: &str, rest: &str, count: u32) -> Vec<String> {
    (1..=count).map(|number| format!("{segment}[{number}]-{rest}")).collect()
}

#[cfg(test)]
mod tests {
    use super::numbered;

    #[test]
    fn a_path_means_each_segment() {
        assert_eq!(numbered("OBX", "3.1", 2), ["OBX[1]-3.1", "OBX[2]-3.1"]);
        assert!(numbered("PV1", "2", 0).is_empty());
    }
}
