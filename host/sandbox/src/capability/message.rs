use hilum_contract::message::{self, Facts, Sight};
use hilum_contract::types::AccessError;
use hilum_policy::{Access, Class, Grant};
use hilum_words::Problems;
use hilum_words::config::Placed;
use wasmtime::component::{HasSelf, Linker};

use crate::guest::Guest;
use crate::{Allowed, Asks};

/// The name that denials are counted under.
const NAME: &str = "message";

/// Bytes of a path. The longest sensible one is far shorter.
const PATH_BYTES_MAX: usize = 512;

pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    message::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)
}

/// For each class the less open of what is asked and what is allowed.
pub(crate) fn grant(asks: &Asks, allowed: &Allowed, problems: &Problems) -> Grant {
    let Placed { place, key, .. } = &allowed.place;
    for class in Class::ALL {
        if allowed.message.sight(*class) == hilum_policy::Sight::Open
            && !asks.phi.contains_key(class)
        {
            let text = format!("the plugin does not ask to see {class}; take this out");
            problems.push(place, format!("{key}.phi.{class}"), text);
        }
    }
    if allowed.message.big() && !asks.big {
        problems.push(place, format!("{key}.big"), "the plugin does not ask for big values");
    }
    let asked = asks.phi.iter().map(|(class, ask)| (*class, ask.sight)).collect();
    allowed.message.limited_to(&asked).with_big(allowed.message.big() && asks.big)
}

/// What is known about the message beside its content.
pub(crate) struct Loan {
    id: String,
    received: String,
}

pub(crate) fn lend(facts: &crate::Facts) -> Loan {
    Loan { id: facts.id.hyphenated(), received: facts.received.to_string() }
}

impl Guest {
    /// One read of the message: paid, bounded, and counted if it is denied.
    fn read<T>(
        &mut self,
        path: &str,
        read: impl FnOnce(&mut hilum_policy::View, &str) -> Result<T, Access>,
    ) -> Result<T, AccessError> {
        if PATH_BYTES_MAX < path.len() {
            let text = format!("a path has at most {PATH_BYTES_MAX} bytes");
            return Err(AccessError::MalformedPath(text));
        }
        read(&mut self.view, path).map_err(|access| self.told(access))
    }

    pub(crate) fn told(&mut self, access: Access) -> AccessError {
        match access {
            Access::Withheld => {
                self.denied(NAME);
                AccessError::Withheld
            }
            Access::MalformedPath(text) => AccessError::MalformedPath(text),
            Access::Unstructured => AccessError::Unstructured,
            Access::Unfit(text) => AccessError::Unfit(text),
            Access::Other(text) => AccessError::Other(text),
        }
    }
}

impl message::Host for Guest {
    fn about(&mut self) -> wasmtime::Result<Facts> {
        self.meter.call(0)?;
        Ok(Facts {
            id: self.message.id.clone(),
            format: self.view.format().to_owned(),
            kind: self.view.kind(),
            received: self.message.received.clone(),
        })
    }

    fn get(&mut self, path: String) -> wasmtime::Result<Result<Option<String>, AccessError>> {
        self.meter.call(path.len())?;
        let value = self.read(&path, |view, path| view.get(path));
        self.meter.moved(length(&value))?;
        Ok(value)
    }

    fn get_many(
        &mut self,
        paths: Vec<String>,
    ) -> wasmtime::Result<Vec<Result<Option<String>, AccessError>>> {
        self.meter.call(0)?;
        let mut values = Vec::new();
        let mut gathered = 0;
        for path in paths {
            // Cheaper for the guest than so many calls, not for the host.
            self.meter.item()?;
            let value = self.read(&path, |view, path| view.get(path));
            self.meter.moved(path.len() + length(&value))?;
            gathered += length(&value);
            self.memory.could_take(gathered)?;
            values.push(value);
        }
        Ok(values)
    }

    fn all(&mut self, path: String) -> wasmtime::Result<Result<Vec<Option<String>>, AccessError>> {
        self.meter.call(path.len())?;
        let values = self.read(&path, |view, path| view.all(path));
        if let Ok(values) = &values {
            // An empty entry is work too.
            self.meter.moved(values.iter().map(|it| 16 + it.as_ref().map_or(0, String::len)).sum())?;
        }
        Ok(values)
    }

    fn count(&mut self, path: String) -> wasmtime::Result<Result<u32, AccessError>> {
        self.meter.call(path.len())?;
        Ok(self.read(&path, |view, path| view.count(path)))
    }

    fn outline(&mut self) -> wasmtime::Result<Vec<String>> {
        self.meter.call(0)?;
        let outline = self.view.outline();
        self.meter.moved(outline.iter().map(|it| 16 + it.len()).sum())?;
        Ok(outline)
    }

    fn sight_of(&mut self, path: String) -> wasmtime::Result<Result<Sight, AccessError>> {
        self.meter.call(path.len())?;
        Ok(self.read(&path, |view, path| view.sight_of(path)).map(|seen| match seen {
            hilum_policy::Seen::Open => Sight::Open,
            hilum_policy::Seen::Sealed => Sight::Sealed,
            hilum_policy::Seen::Withheld => Sight::Withheld,
            hilum_policy::Seen::Absent => Sight::Absent,
            hilum_policy::Seen::Deleted => Sight::Deleted,
        }))
    }

    fn body(&mut self) -> wasmtime::Result<Vec<u8>> {
        self.meter.call(0)?;
        let body = self.view.body();
        if self.view.is_body_withheld() {
            self.denied(NAME);
        }
        self.meter.moved(body.len())?;
        Ok(body.to_vec())
    }

    fn text(&mut self) -> wasmtime::Result<Result<String, AccessError>> {
        self.meter.call(0)?;
        let text = self.view.text().map_err(|access| self.told(access));
        self.meter.moved(text.as_ref().map_or(0, String::len))?;
        Ok(text)
    }
}

fn length(value: &Result<Option<String>, AccessError>) -> usize {
    value.as_ref().ok().and_then(Option::as_ref).map_or(0, String::len)
}
