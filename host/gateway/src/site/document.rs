//! What an operator wrote, as one document: the configuration, the files in `conf.d` beside it, and
//! the overrides of the environment.

use std::sync::Arc;

use hilum_words::config::{Document, Overrides};
use hilum_words::{Place, Problems};

use crate::files::Files;

/// Where more files of a configuration are, beside it.
const MORE: &str = "conf.d";

/// How many there may be.
const MORE_MAX: usize = 1000;

/// Reads the configuration named `root` with all that belongs to it.
pub(crate) fn read(files: &dyn Files, root: &str, problems: &Problems) -> Document {
    let mut document = read_one(files, root, problems);
    let more = files.list(MORE).unwrap_or_else(|fault| {
        problem(problems, MORE, &format!("cannot be read: {fault}"));
        Vec::new()
    });
    let more: Vec<_> = more.into_iter().filter(|it| it.ends_with(".toml")).collect();
    if MORE_MAX < more.len() {
        problem(problems, MORE, &format!("holds more than {MORE_MAX} files"));
    }
    for name in more.iter().take(MORE_MAX) {
        document.merge(read_one(files, name, problems), problems);
    }
    match files.overrides() {
        Ok(overrides) => document.overlay(overrides.as_slice(), problems),
        Err(fault) => problem(problems, "environment", &format!("cannot be read: {fault}")),
    }
    document
}

/// The names of the files that a configuration consists of now.
pub(crate) fn names(files: &dyn Files, root: &str) -> std::io::Result<Vec<String>> {
    let more = files.list(MORE)?.into_iter().filter(|it| it.ends_with(".toml")).take(MORE_MAX);
    Ok(std::iter::once(root.to_owned()).chain(more).collect())
}

fn read_one(files: &dyn Files, name: &str, problems: &Problems) -> Document {
    let text = match files.read(name).map(String::from_utf8) {
        Ok(Ok(text)) => text,
        Ok(Err(_)) => {
            problem(problems, name, "is not UTF-8");
            String::new()
        }
        Err(fault) => {
            problem(problems, name, &format!("cannot be read: {fault}"));
            String::new()
        }
    };
    Document::parse(name, &text, problems)
}

fn problem(problems: &Problems, file: &str, text: &str) {
    problems.push(&Place { file: Arc::from(file), line: 0 }, "", text);
}

/// The overrides of this process. What is not UTF-8 is none: no key takes it.
pub(crate) fn environment() -> Overrides {
    Overrides::among(
        std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }),
    )
}
