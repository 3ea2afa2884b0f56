//! What must never be written into a configuration: passwords, tokens, private keys.
//!
//! The configuration names where a secret is: `password_file`, `password_env`, or
//! `password_credential`, a file of `$CREDENTIALS_DIRECTORY` as systemd's `LoadCredential=` makes
//! it. [`Section::secret`] reads the reference; [`SecretRef::read`] fetches the value when it is
//! needed.
//!
//! Promises: no `Debug`, `Display` or error here holds a value; memory that held one is
//! overwritten. Not here: which files a reference may name (`hilum_gateway`).

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{Placed, Section};
use crate::Problems;

/// The longest secret. A chain of keys is a few KiB; a longer file is the wrong file.
pub const SECRET_BYTES_MAX: usize = 64 << 10;

/// Where a secret is. It prints as the reference that it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretRef {
    /// A file; relative to the configuration's folder.
    File(PathBuf),
    /// A variable of the environment.
    Env(String),
    /// A name in `$CREDENTIALS_DIRECTORY`.
    Credential(String),
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::Credential(name) => write!(f, "credential {name}"),
        }
    }
}

/// Where secrets are fetched from: the machine, or a test's tables.
pub trait SecretSource {
    /// The content of a file.
    fn file(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// The value of a variable of the environment, if it is set.
    fn env(&self, name: &str) -> Option<String>;
    /// The content of a file of `$CREDENTIALS_DIRECTORY`.
    fn credential(&self, name: &str) -> io::Result<Vec<u8>>;
}

/// Why a secret cannot be had. Holds no part of it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file or the credential cannot be read.
    #[error("cannot be read")]
    Unreadable(#[source] io::Error),
    /// The variable of the environment is not set.
    #[error("is not set")]
    NotSet,
    /// There is nothing in it.
    #[error("is empty")]
    Empty,
    /// It is longer than any secret.
    #[error("is longer than {SECRET_BYTES_MAX} bytes")]
    TooLong,
    /// It is no text.
    #[error("is not UTF-8")]
    NotText,
}

impl SecretRef {
    /// Fetches the secret. One line break at its end is cut: editors and `echo` write it.
    pub fn read(&self, from: &dyn SecretSource) -> Result<Secret, SecretError> {
        let bytes = match self {
            Self::File(path) => from.file(path).map_err(SecretError::Unreadable)?,
            Self::Env(name) => from.env(name).ok_or(SecretError::NotSet)?.into_bytes(),
            Self::Credential(name) => from.credential(name).map_err(SecretError::Unreadable)?,
        };
        Secret::from_bytes(bytes)
    }
}

impl Placed<SecretRef> {
    /// Fetches the secret; none after a problem, which names the reference and why.
    pub fn fetch(&self, from: &dyn SecretSource, problems: &Problems) -> Option<Secret> {
        let note = |fault: SecretError| {
            let cause = match &fault {
                SecretError::Unreadable(cause) => format!(": {cause}"),
                _ => String::new(),
            };
            self.problem(problems, format!("{} {fault}{cause}", self.value));
        };
        self.value.read(from).map_err(note).ok()
    }
}

/// A secret. It prints as `***`, and its memory is overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes over what was read.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, SecretError> {
        let bytes = Zeroizing::new(bytes);
        if SECRET_BYTES_MAX < bytes.len() {
            return Err(SecretError::TooLong);
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| SecretError::NotText)?;
        let text = text.strip_suffix('\n').map_or(text, |it| it.strip_suffix('\r').unwrap_or(it));
        if text.is_empty() {
            return Err(SecretError::Empty);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// Opens the secret. `rg '\.open_secret\('` is the complete list of places that do.
    pub fn open_secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The endings of the keys that refer to a secret.
const ENDINGS: [&str; 3] = ["_file", "_env", "_credential"];

impl Section<'_> {
    /// A reference to a secret: `KEY_file`, `KEY_env` or `KEY_credential`, one of them. A secret
    /// that is written inline as `KEY` is a problem.
    pub fn secret(&mut self, key: &str) -> Option<Placed<SecretRef>> {
        let named: Vec<_> = ENDINGS.map(|ending| format!("{key}{ending}")).into_iter().collect();
        let choices = choices(&named);
        // The value itself is not looked at: it must not end up in a message.
        self.pass_secret(key);
        if self.has(key) {
            let text = format!("a secret is never written here; refer to it by {choices}");
            self.problem_at(key, text);
        }
        let mut found = Vec::new();
        for (key, make) in
            named.iter().zip([file as fn(&str) -> Option<SecretRef>, env, credential])
        {
            let Some(text) = self.text(key) else { continue };
            match make(&text.value) {
                Some(reference) => found.push(text.map(|_| reference)),
                None => text.problem(self.problems(), wanted(key)),
            }
        }
        if 1 < named.iter().filter(|key| self.has(key)).count() {
            let second = found.into_iter().nth(1);
            let text = format!("only one of {choices} can be the secret");
            match second {
                Some(second) => second.problem(self.problems(), text),
                None => self.problem(text),
            }
            return None;
        }
        found.pop()
    }

    /// A reference to a secret that has to be there.
    pub fn required_secret(&mut self, key: &str) -> Option<Placed<SecretRef>> {
        let named: Vec<_> = ENDINGS.map(|ending| format!("{key}{ending}")).into_iter().collect();
        let is_there = self.has(key) || named.iter().any(|key| self.has(key));
        let secret = self.secret(key);
        self.require_secret(key);
        if !is_there {
            self.problem(format!("needs one of the keys {}", choices(&named)));
        }
        secret
    }
}

fn choices(named: &[String]) -> String {
    named.iter().map(|key| format!("\"{key}\"")).collect::<Vec<_>>().join(", ")
}

fn wanted(key: &str) -> &'static str {
    if key.ends_with("_file") {
        "must be the path of a file"
    } else if key.ends_with("_env") {
        "must be the name of an environment variable, such as \"HILUM_EHR_TOKEN\""
    } else {
        "must be the name of a file in $CREDENTIALS_DIRECTORY, without a path"
    }
}

fn file(text: &str) -> Option<SecretRef> {
    (!text.is_empty()).then(|| SecretRef::File(PathBuf::from(text)))
}

fn env(text: &str) -> Option<SecretRef> {
    let is_name = !text.is_empty()
        && !text.starts_with(|it: char| it.is_ascii_digit())
        && text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
    is_name.then(|| SecretRef::Env(text.to_owned()))
}

fn credential(text: &str) -> Option<SecretRef> {
    let is_name =
        !matches!(text, "" | "." | "..") && !text.bytes().any(|it| matches!(it, b'/' | b'\\' | 0));
    is_name.then(|| SecretRef::Credential(text.to_owned()))
}

#[cfg(test)]
mod tests;
