//! Writes the receiver's codes in the places of the site's own; all else stays as it came.
//!
//! A table translates, and the route's settings say where:
//!
//! ```toml
//! [route.adt.settings]
//! fields = "PV1-2, OBX-3.1"          # by the table `codes`
//! "fields.codes-2" = "PID-10.1"      # by the table `codes-2`, and so on to `codes-4`
//! unknown = "keep"
//! alternate = "true"
//! system = "LN"
//! ```
//!
//! A path without numbers means each segment and each repetition of the field. A code that the table
//! does not have refuses the message; with `unknown = "keep"` it stays, with `"remove"` it goes. An empty
//! code in the table removes as well.
//!
//! With `alternate = "true"` a code that is the first component of its field (`OBX-3.1`) takes its text
//! and system with it into the alternate ones (components 4 to 6), as HL7 v2 has it for local codes, and
//! the new code gets the `system` of the settings. A message that has an alternate code there already is
//! refused: one of the three would be lost.
//!
//! No value is opened: the host looks codes up, moves them and writes them.

mod place;

use hilum_sdk::{Draft, Message, Output, Reason, Refusal, Sight, refuse, settings, tables};

use place::Place;

hilum_sdk::transformer!(map);

/// The tables that the manifest asks for. A site lends those that it needs.
const TABLES: [&str; 4] = ["codes", "codes-2", "codes-3", "codes-4"];

fn map(message: &Message) -> Result<Vec<Output>, Refusal> {
    let options = Options::read()?;
    let mut draft = Draft::copy_of_message()?;
    for table in TABLES {
        for place in fields(table)? {
            for path in place.each(|path| message.count(path).unwrap_or(0)) {
                if let Some(code) = message.get(&path)? {
                    write(&mut draft, message, &path, translated(table, &code)?, &options)?;
                }
            }
        }
    }
    Ok(vec![draft.into()])
}

/// What the settings say beside places.
struct Options {
    unknown: Unknown,
    alternate: bool,
    system: Option<String>,
}

/// What becomes of a code that the table does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unknown {
    Refuse,
    Keep,
    Remove,
}

impl Unknown {
    fn of(word: Option<&str>) -> Option<Self> {
        Some(match word {
            None | Some("refuse") => Self::Refuse,
            Some("keep") => Self::Keep,
            Some("remove") => Self::Remove,
            Some(_) => return None,
        })
    }
}

impl Options {
    fn read() -> Result<Self, Refusal> {
        let unknown = Unknown::of(settings::get("unknown").as_deref())
            .ok_or_else(|| wrong_setting("unknown", "\"refuse\", \"keep\" or \"remove\""))?;
        let alternate = match settings::get("alternate").as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(wrong_setting("alternate", "\"true\" or \"false\"")),
        };
        Ok(Self { unknown, alternate, system: settings::get("system") })
    }
}

/// A setting is the site's mistake, and no fault of the message.
fn wrong_setting(key: &str, expected: &str) -> Refusal {
    refuse(Reason::Application, format!("the route's setting {key} has to be {expected}"))
}

/// The places whose codes a table translates.
fn fields(table: &str) -> Result<Vec<Place>, Refusal> {
    let own = settings::list(&format!("fields.{table}")).unwrap_or_default();
    let usual = if table == TABLES[0] { settings::list("fields") } else { None };
    let paths = usual.into_iter().flatten().chain(own);
    let places = paths.map(|path| {
        Place::parse(&path).ok_or_else(|| wrong_setting("fields", "a list of paths as OBX-3.1"))
    });
    places.collect()
}

/// What a table has for a code; none if it does not have it.
fn translated(table: &str, code: &str) -> Result<Option<String>, Refusal> {
    let not_lent = |_| {
        let text = format!("the site does not lend the table \"{table}\" to this plugin");
        refuse(Reason::Application, text)
    };
    tables::translate(table, code).map_err(not_lent)
}

fn write(
    draft: &mut Draft,
    message: &Message,
    path: &str,
    code: Option<String>,
    options: &Options,
) -> Result<(), Refusal> {
    let Some(code) = code else {
        return match options.unknown {
            Unknown::Keep => Ok(()),
            Unknown::Remove => draft.remove(path).map(drop).map_err(Refusal::from),
            Unknown::Refuse => {
                Err(refuse(Reason::UnknownCode, "no such code in the table").at(path))
            }
        };
    };
    if let Some(field) = path.strip_suffix(".1").filter(|_| options.alternate) {
        move_to_alternate(draft, message, field, options)?;
    }
    Ok(draft.set(path, &code)?)
}

/// `718^Haemoglobin^L` becomes `^^LN^718^Haemoglobin^L`; the new code is written after.
fn move_to_alternate(
    draft: &mut Draft,
    message: &Message,
    field: &str,
    options: &Options,
) -> Result<(), Refusal> {
    for (from, to) in [(1, 4), (2, 5), (3, 6)] {
        let alternate = format!("{field}.{to}");
        if message.sight_of(&alternate) != Sight::Absent {
            let text = "an alternate code stands here already, and there is room for one";
            return Err(refuse(Reason::Inconsistent, text).at(alternate));
        }
        draft.copy(&format!("{field}.{from}"), &alternate)?;
    }
    draft.remove(&format!("{field}.2"))?;
    match &options.system {
        Some(system) => draft.set(&format!("{field}.3"), system)?,
        None => drop(draft.remove(&format!("{field}.3"))?),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Unknown, wrong_setting};

    #[test]
    fn an_unknown_word_for_unknown_codes_is_told() {
        assert_eq!(Unknown::of(None), Some(Unknown::Refuse));
        assert_eq!(Unknown::of(Some("keep")), Some(Unknown::Keep));
        assert_eq!(Unknown::of(Some("remove")), Some(Unknown::Remove));
        assert_eq!(Unknown::of(Some("keeep")), None);
        let said = wrong_setting("unknown", "\"keep\"").text;
        assert_eq!(said, "the route's setting unknown has to be \"keep\"");
    }
}
