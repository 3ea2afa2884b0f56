//! The messages that `send` sends: gathered from files, framed, with fresh control ids on demand.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use hilum_env::Disk;
use hilum_hl7::Message;

use crate::exit::{Exit, failed};

/// The longest file that is sent.
const FILE_BYTES_MAX: u64 = 256 << 20;
/// Folders below folders, so that a loop of links ends.
const DEPTH_MAX: usize = 16;

/// One message, ready to be framed.
#[derive(Clone, Debug)]
pub struct Prepared {
    name: Arc<str>,
    content: Bytes,
    control_id: Option<Range<usize>>,
    expects: Expects,
}

/// Which answers the sender asked for (HL7 table 0155).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expects {
    /// Original mode, or no header to say otherwise: one answer.
    One,
    /// Enhanced mode.
    Asked {
        /// MSH-15: CA, CE or CR.
        accept: Asked,
        /// MSH-16: AA, AE or AR.
        application: Asked,
    },
}

/// Whether an answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// `AL`.
    Always,
    /// `ER` or `SU`: depends on the outcome.
    Perhaps,
    /// `NE`, or empty beside a field that is not.
    Never,
}

impl Asked {
    fn by_code(code: Option<&[u8]>) -> Self {
        match code {
            Some(b"AL") => Self::Always,
            Some(b"ER" | b"SU") => Self::Perhaps,
            _ => Self::Never,
        }
    }
}

impl Prepared {
    /// A message from the content of a file. What is no HL7 is sent all the same: how a receiver
    /// answers that is worth knowing.
    pub fn new(name: &str, content: Bytes) -> Self {
        let (control_id, expects) = match Message::parse(content.clone()) {
            Ok(message) => (value(&message, "MSH-10"), expects(&message, &content)),
            Err(_) => (None, Expects::One),
        };
        Self { name: Arc::from(name), content, control_id, expects }
    }

    /// The file it came from.
    pub fn name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    /// How many bytes it has, unframed.
    pub fn bytes(&self) -> u64 {
        self.content.len() as u64
    }

    /// The bytes.
    pub fn content(&self) -> &Bytes {
        &self.content
    }

    /// MSH-10, if it has one.
    pub fn control_id(&self) -> Option<&[u8]> {
        self.control_id.clone().and_then(|range| self.content.get(range))
    }

    /// Which answers come back.
    pub fn expects(&self) -> Expects {
        self.expects
    }

    /// The same message under another control id, all other bytes as they are. A message without
    /// one stays without one.
    pub fn with_control_id(&self, control_id: &str) -> Self {
        let Some(range) = self.control_id.clone() else { return self.clone() };
        let (Some(before), Some(after)) =
            (self.content.get(..range.start), self.content.get(range.end..))
        else {
            return self.clone();
        };
        let content = [before, control_id.as_bytes(), after].concat();
        let range = range.start..range.start + control_id.len();
        Self { content: content.into(), control_id: Some(range), ..self.clone() }
    }
}

fn value(message: &Message, path: &str) -> Option<Range<usize>> {
    path.parse().ok().and_then(|path| message.find(&path)).filter(|range| !range.is_empty())
}

fn expects(message: &Message, content: &[u8]) -> Expects {
    let field = |path: &str| value(message, path).and_then(|range| content.get(range));
    match (field("MSH-15"), field("MSH-16")) {
        (None, None) => Expects::One,
        (accept, application) => Expects::Asked {
            accept: Asked::by_code(accept),
            application: Asked::by_code(application),
        },
    }
}

/// Control ids that no other run of `send` uses: 20 characters, as HL7 v2.5 allows.
#[derive(Clone, Debug)]
pub struct ControlIds {
    prefix: String,
}

impl ControlIds {
    /// Ids of one run, told apart from others by random bytes.
    pub fn new(random: [u8; 8]) -> Self {
        const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let letters = random.iter().filter_map(|byte| LETTERS.get(usize::from(byte & 31)));
        Self { prefix: letters.map(|letter| char::from(*letter)).collect() }
    }

    /// The id of the message with this number.
    pub fn of(&self, number: u64) -> String {
        format!("{}{number:012}", self.prefix)
    }
}

/// Reads the files, and the `.hl7` files of the folders, in the order given and by name.
pub fn gather(disk: &dyn Disk, paths: &[PathBuf]) -> anyhow::Result<Vec<Prepared>> {
    let mut files = Vec::new();
    for path in paths {
        match disk.list(path) {
            Ok(_) => {
                let before = files.len();
                gather_folder(disk, path, DEPTH_MAX, &mut files)?;
                if files.len() == before {
                    let sentence = format!("{}: no .hl7 file in it", path.display());
                    return Err(failed(Exit::Usage, sentence));
                }
            }
            Err(_) => files.push(path.clone()),
        }
    }
    files.iter().map(|path| read(disk, path)).collect()
}

fn gather_folder(
    disk: &dyn Disk,
    folder: &Path,
    depth: usize,
    files: &mut Vec<PathBuf>,
) -> anyhow::Result<()> {
    let entries = disk
        .list(folder)
        .map_err(|fault| failed(Exit::Io, format!("{}: {fault}", folder.display())))?;
    for entry in entries {
        let path = folder.join(&entry.name);
        let is_message = path.extension().is_some_and(|it| it.eq_ignore_ascii_case("hl7"));
        if entry.is_folder && 0 < depth {
            gather_folder(disk, &path, depth - 1, files)?;
        } else if is_message && !entry.is_folder {
            files.push(path);
        }
    }
    Ok(())
}

fn read(disk: &dyn Disk, path: &Path) -> anyhow::Result<Prepared> {
    let name = path.display().to_string();
    let content = disk
        .read(path, FILE_BYTES_MAX)
        .map_err(|fault| failed(Exit::Io, format!("{name}: {fault}")))?;
    if content.is_empty() {
        return Err(failed(Exit::Usage, format!("{name}: the file is empty")));
    }
    if hilum_mllp::encode(&content).is_err() {
        let sentence = format!("{name}: holds a VT or FS byte, which MLLP cannot carry");
        return Err(failed(Exit::Usage, sentence));
    }
    Ok(Prepared::new(&name, content.into()))
}
