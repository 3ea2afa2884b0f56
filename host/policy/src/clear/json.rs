//! JSON: values go into strings, never into names; a name that was one in the message may be one again.
//! A string that is one token becomes a number or
//! boolean where the value was one.
//!
//! What is withheld goes with its member, and so does what that leaves empty. A member whose name FHIR
//! does not know goes whole, unless what is unknown may leave: a name cannot be masked. In a URL nothing is
//! withheld or masked: without the value it would name another thing, so it parks. A URL is
//! `request.url` and `ifNoneExist` of a Bundle's entry, and a string that begins with `http://` or
//! `https://` before its first token.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use hilum_message::{At, Json, Kind, Node, NodeId, json_string};

use super::literal::LOOSE;
use super::writer::{Writer, raw};
use super::{Job, MASK};
use crate::origin::{Shape, is_bundle};
use crate::seals::{Plain, Seal};
use crate::token::Token;
use crate::view::gaps;
use crate::{Classes, Clear, ClearFault, Cleared};

/// Values above this go as a range of the input, where nothing in them has to be escaped.
const RAW_BYTES_MIN: usize = 512;

pub(super) fn clear(job: &Job<'_>, json: &Json) -> Result<Cleared, ClearFault> {
    let plan = Plan::of(job, json)?;
    let mut writer = job.writer();
    plan.write(&mut writer)?;
    Ok(job.cleared(writer))
}

/// What becomes of a node.
enum Act {
    Keep(Classes),
    /// It goes, with its name.
    Remove,
    /// `***` in its place.
    Mask,
    /// A string with tokens.
    Fill {
        text: String,
        tokens: Vec<(Range<usize>, Token)>,
        url: Url,
        marked: Classes,
    },
}

impl Act {
    /// Whether it stays, and nothing is to be said about it.
    fn is_plain(&self) -> bool {
        matches!(self, Self::Keep(classes) if classes.is_empty())
    }
}

/// Whether a string is a URL, or part of one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Url {
    No,
    /// Values are percent-encoded.
    Whole,
    /// It is a search: after `?`, or from the start. There a comma would mean "or".
    Search,
}

struct Plan<'a> {
    job: &'a Job<'a>,
    json: &'a Json,
    /// By node.
    acts: Vec<Act>,
    /// The classes of each node's name.
    names: Vec<Classes>,
    /// Names that were tokens.
    unsealed: BTreeMap<NodeId, Plain>,
}

impl<'a> Plan<'a> {
    fn of(job: &'a Job<'a>, json: &'a Json) -> Result<Self, ClearFault> {
        let mut acts = Vec::with_capacity(json.nodes().len());
        let mut names = Vec::with_capacity(json.nodes().len());
        let mut unsealed = BTreeMap::new();
        let is_bundle = is_bundle(json);
        let mut leads = Leads::of(job);
        for (id, node) in json.nodes() {
            let is_close = |range: &Range<usize>| leads.may_have(range);
            let name = if job.is_original || node.name.as_ref().is_some_and(is_close) {
                name_of(job, json, id, node)?
            } else {
                debug_assert!(name_of(job, json, id, node).is_ok_and(|it| it.is_plain()));
                Name::Of(Classes::NONE)
            };
            let classes = match name {
                Name::Of(classes) => classes,
                Name::Unsealed(plain, classes) => {
                    unsealed.insert(id, plain);
                    classes
                }
                // A name cannot be masked.
                Name::Withheld => {
                    names.push(Classes::NONE);
                    acts.push(Act::Remove);
                    continue;
                }
            };
            names.push(classes);
            let is_close = node.kind.is_leaf()
                && (leads.may_have(&node.range) || !read_classes(job, id).is_empty());
            acts.push(if job.is_original || is_close {
                act(job, json, id, node, is_bundle)?
            } else {
                debug_assert!(act(job, json, id, node, is_bundle).is_ok_and(|it| it.is_plain()));
                Act::Keep(Classes::NONE)
            });
        }
        let mut plan = Self { job, json, acts, names, unsealed };
        plan.check_names()?;
        plan.remove_empty();
        Ok(plan)
    }

    /// Two members of one name would be read as either.
    fn check_names(&self) -> Result<(), ClearFault> {
        if self.unsealed.is_empty() {
            return Ok(());
        }
        let mut all = BTreeSet::new();
        for (id, node) in self.json.nodes().filter(|(_, node)| node.name.is_some()) {
            let name = match self.unsealed.get(&id) {
                Some(plain) => plain.text(),
                None => self.json.name(id).map(Arc::from),
            };
            if !all.insert((node.parent, name)) {
                return Err(ClearFault::CannotUnseal {
                    at: self.job.place(At::Json(node.parent.unwrap_or(Json::ROOT))),
                    why: "with its names put in, an object would have one of them twice",
                });
            }
        }
        Ok(())
    }

    /// Removes what has lost all that was in it. The document itself stays.
    fn remove_empty(&mut self) {
        if !self.acts.iter().any(|it| matches!(it, Act::Remove)) {
            return;
        }
        let mut left: Vec<(u32, u32)> = vec![(0, 0); self.acts.len()];
        for (id, node) in self.json.nodes().rev() {
            let (children, removed) = left.get(id.index()).copied().unwrap_or_default();
            if let Some(act) = self.acts.get_mut(id.index()) {
                if 0 < children && children == removed && node.parent.is_some() {
                    *act = Act::Remove;
                }
                let count = u32::from(matches!(act, Act::Remove));
                if let Some(of) = node.parent.and_then(|parent| left.get_mut(parent.index())) {
                    of.0 += 1;
                    of.1 += count;
                }
            }
        }
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), ClearFault> {
        // Per container: where its last child ended, and whether one was kept.
        let mut siblings: Vec<(usize, bool)> = vec![(0, false); self.acts.len()];
        let mut next = Json::ROOT;
        while let (Some(node), Some(act)) = (self.json.node(next), self.acts.get(next.index())) {
            let id = next;
            next = node.after();
            let of = node.parent.and_then(|parent| siblings.get_mut(parent.index()));
            if matches!(act, Act::Remove) {
                match of {
                    Some((last_end, true)) => {
                        writer.keep_to(*last_end);
                        writer.skip_to(node.range.end);
                        *last_end = node.range.end;
                    }
                    // The comma after it goes too.
                    Some(_) => {
                        writer.keep_to(node.start());
                        let sibling = self.json.node(next).filter(|it| it.parent == node.parent);
                        writer.skip_to(sibling.map_or(node.range.end, Node::start));
                    }
                    None => {
                        writer.put(b"null");
                        writer.skip_to(node.range.end);
                    }
                }
                continue;
            }
            if let Some(of) = of {
                *of = (node.range.end, true);
            }
            let classes = self.names.get(id.index()).copied().unwrap_or_default();
            if let (Some(name), Some(plain)) = (&node.name, self.unsealed.get(&id)) {
                writer.keep_to(name.start);
                let start = writer.at();
                match plain {
                    Plain::Name(message, _, range) => writer.put_raw(message, range),
                    other => writer.put(&json_string(&other.text().unwrap_or_default())),
                }
                writer.skip_to(name.end);
                writer.mark(start, classes);
            } else if let Some(name) = node.name.as_ref().filter(|_| !classes.is_empty()) {
                writer.keep_to(name.start);
                let start = writer.at();
                writer.keep_to(name.end);
                writer.mark(start, classes);
            }
            if !node.kind.is_leaf() {
                next = id.next();
                continue;
            }
            writer.keep_to(node.range.start);
            let start = writer.at();
            match act {
                Act::Keep(classes) => {
                    writer.keep_to(node.range.end);
                    writer.mark(start, *classes);
                }
                Act::Mask => writer.put(&json_string(MASK)),
                Act::Fill { text, tokens, url, marked } => {
                    self.fill(id, text, tokens, *url, writer)?;
                    writer.mark(start, *marked);
                }
                Act::Remove => {}
            }
            writer.skip_to(node.range.end);
        }
        Ok(())
    }

    fn fill(
        &self,
        id: NodeId,
        text: &str,
        tokens: &[(Range<usize>, Token)],
        url: Url,
        writer: &mut Writer<'_>,
    ) -> Result<(), ClearFault> {
        let cannot = || ClearFault::CannotUnseal {
            at: self.job.place(At::Json(id)),
            why: "the value is no text in its own character set",
        };
        if let Some(seal) = whole(self.job, text, tokens)
            && url == Url::No
            && self.job.clearance.clear_of(seal.classes) == Ok(Clear::Open)
        {
            // A value of JSON goes as it was written.
            if let Some((message, range, _)) =
                raw(&seal.plain).filter(|it| it.0.as_json().is_some())
            {
                writer.put_raw(message, range);
                return Ok(());
            }
            let value = seal.plain.text().ok_or_else(cannot)?;
            if seal.shape.fits(&value) {
                writer.put(value.as_bytes());
                return Ok(());
            }
        }
        writer.put(b"\"");
        let mut values = tokens.iter();
        for gap in gaps(tokens, text.len()) {
            put_text(text.get(gap.clone()).unwrap_or_default(), writer);
            let Some(seal) = values.next().and_then(|(_, token)| self.job.seals().get(token))
            else {
                continue;
            };
            if self.job.clearance.clear_of(seal.classes) == Ok(Clear::Mask) {
                writer.put(MASK.as_bytes());
                continue;
            }
            let before = text.get(..gap.end).unwrap_or_default();
            let is_search = url == Url::Search || url == Url::Whole && before.contains('?');
            match url {
                Url::No => put_value(self.job, seal, writer).ok_or_else(cannot)?,
                Url::Whole | Url::Search => {
                    let value = seal.plain.text().ok_or_else(cannot)?;
                    writer.put(percent_encoded(&value, is_search).as_bytes());
                }
            }
        }
        writer.put(b"\"");
        Ok(())
    }
}

/// Where values and tokens may begin in a plugin's output, to pass over what has none.
struct Leads {
    /// None: each text is looked at closely.
    at: Option<Vec<usize>>,
    next: usize,
}

impl Leads {
    fn of(job: &Job<'_>) -> Self {
        let is_searched = !job.is_original && !job.reads_at_large();
        let leads = || job.seals().source.sensitive().leads(job.body().bytes());
        Self { at: is_searched.then(leads), next: 0 }
    }

    /// Whether any is in a range. Ranges have to come in order.
    fn may_have(&mut self, range: &Range<usize>) -> bool {
        let Some(at) = &self.at else { return true };
        while at.get(self.next).is_some_and(|it| *it < range.start) {
            self.next += 1;
        }
        at.get(self.next).is_some_and(|it| *it < range.end)
    }
}

/// What becomes of a member's name.
enum Name {
    /// It stays; what it holds that may leave.
    Of(Classes),
    /// It was a token.
    Unsealed(Plain, Classes),
    /// It may not leave, and its member with it.
    Withheld,
}

impl Name {
    /// Whether it stays, and nothing is to be said about it.
    fn is_plain(&self) -> bool {
        matches!(self, Self::Of(classes) if classes.is_empty())
    }
}

fn name_of(job: &Job<'_>, json: &Json, id: NodeId, node: &Node) -> Result<Name, ClearFault> {
    if node.name.is_none() {
        return Ok(Name::Of(Classes::NONE));
    }
    if job.is_original {
        return Ok(Name::Of(job.classer.name_classes(json, id)));
    }
    let name = json.name(id).unwrap_or_default();
    let at = || job.place(At::Json(node.parent.unwrap_or(id)));
    let tokens = job.seals().tokens_in(name.as_bytes());
    if tokens.is_empty() {
        // The name of an element is one whatever the message holds: `family`, `code`.
        let excused = if json.has_known_name(id) { LOOSE } else { Classes::NONE };
        return Ok(Name::Of(job.search_but(&name, excused, at)?));
    }
    let seal = whole(job, &name, &tokens).filter(|it| it.shape == Shape::Name);
    let Some(Seal { plain, classes, .. }) = seal else {
        return Err(ClearFault::CannotUnseal {
            at: at(),
            why: "a token stands in the name of a member",
        });
    };
    match job.clearance.clear_of(*classes) {
        Ok(Clear::Open) => Ok(Name::Unsealed(plain.clone(), *classes)),
        Ok(Clear::Mask | Clear::Withhold) => Ok(Name::Withheld),
        Err(classes) => Err(ClearFault::Denied { classes, at: at() }),
    }
}

fn act(
    job: &Job<'_>,
    json: &Json,
    id: NodeId,
    node: &Node,
    is_bundle: bool,
) -> Result<Act, ClearFault> {
    let at = || job.place(At::Json(id));
    let denied = |classes| ClearFault::Denied { classes, at: at() };
    if job.is_original {
        let of_name = job.classer.name_classes(json, id);
        if job.clearance.clear_of(of_name).map_err(denied)? != Clear::Open {
            // A name cannot be masked.
            return Ok(Act::Remove);
        }
        if !node.kind.is_leaf() {
            return Ok(Act::Keep(Classes::NONE));
        }
        let classes = job.classer.classes(At::Json(id));
        return Ok(match job.clearance.clear_of(classes).map_err(denied)? {
            Clear::Open => Act::Keep(classes),
            Clear::Mask if node.kind == Kind::Text => Act::Mask,
            Clear::Mask | Clear::Withhold => Act::Remove,
        });
    }
    if !node.kind.is_leaf() {
        return Ok(Act::Keep(Classes::NONE));
    }
    let text = json.scalar(id).unwrap_or_default();
    let tokens = match node.kind {
        Kind::Text => job.seals().tokens_in(text.as_bytes()),
        _ => Vec::new(),
    };
    let literals = gaps(&tokens, text.len()).filter_map(|gap| text.get(gap));
    let mut marked = Classes::NONE;
    for literal in literals {
        marked = marked.and(job.check_read(literal, at)?);
    }
    if node.kind != Kind::Boolean && !is_table_name(&text) {
        for gap in gaps(&tokens, text.len()) {
            marked = marked.and(job.search(text.get(gap).unwrap_or_default(), at)?);
        }
    }
    // What a step was granted to read leaves as what it is, wherever the plugin has written it: a name
    // of three letters is not found by a search.
    let own = own_classes(job, id, &text, &tokens);
    let clear = job.clearance.clear_of(own).map_err(denied)?;
    marked = marked.and(own);
    if clear != Clear::Open && url_of(json, id, node, is_bundle, &text) != Url::No {
        return Err(denied(own));
    }
    if clear == Clear::Withhold || clear == Clear::Mask && node.kind != Kind::Text {
        return Ok(Act::Remove);
    }
    if clear == Clear::Mask {
        return Ok(Act::Mask);
    }
    if tokens.is_empty() {
        return Ok(Act::Keep(marked));
    }
    let sealed = tokens.iter().filter_map(|(_, token)| job.seals().get(token));
    let classes = sealed.fold(Classes::NONE, |all, seal| all.and(seal.classes));
    let url = url_of(json, id, node, is_bundle, text.get(..tokens[0].0.start).unwrap_or_default());
    let clear = job.clearance.clear_of(classes).map_err(denied)?;
    if clear != Clear::Open && url != Url::No {
        // A URL with something else in the value's place would name another thing.
        return Err(denied(classes));
    }
    if clear == Clear::Withhold {
        return Ok(Act::Remove);
    }
    if let Some(seal) = whole(job, &text, &tokens) {
        let value = seal.plain.text();
        let is_empty = value.as_ref().is_some_and(|it| it.is_empty());
        let is_other = clear == Clear::Mask && value.is_some_and(|it| seal.shape.fits(&it));
        // FHIR has no empty strings, and no `***` among its numbers.
        if url == Url::No && (is_empty || is_other) {
            return Ok(Act::Remove);
        }
    }
    Ok(Act::Fill { text, tokens, url, marked: marked.and(classes) })
}

/// The classes of the element in which a plugin has written text of its own, as far as a step was granted
/// to read them.
fn own_classes(job: &Job<'_>, id: NodeId, text: &str, tokens: &[(Range<usize>, Token)]) -> Classes {
    let classes = read_classes(job, id);
    let mut literals = gaps(tokens, text.len()).filter_map(|gap| text.get(gap));
    if classes.is_empty() || !literals.any(|it| it.contains(char::is_alphanumeric)) {
        return Classes::NONE;
    }
    classes
}

/// The classes of an element, as far as a step was granted to read them.
fn read_classes(job: &Job<'_>, id: NodeId) -> Classes {
    let opened = job.seals().opened;
    if opened.is_empty() {
        return Classes::NONE;
    }
    job.classer.classes(At::Json(id)).common(opened)
}

/// The seal, if the string is one token and nothing else.
fn whole<'a>(job: &'a Job<'_>, text: &str, tokens: &[(Range<usize>, Token)]) -> Option<&'a Seal> {
    match tokens {
        [(range, token)] if range.len() == text.len() => job.seals().get(token),
        _ => None,
    }
}

/// `http://terminology.hl7.org/CodeSystem/v2-0203` names a table of HL7; its number is in many
/// other places by chance.
fn is_table_name(text: &str) -> bool {
    let number = text.strip_prefix("http://terminology.hl7.org/CodeSystem/v2-");
    number.is_some_and(|it| it.len() == 4 && it.bytes().all(|byte| byte.is_ascii_digit()))
}

fn url_of(json: &Json, id: NodeId, node: &Node, is_bundle: bool, before: &str) -> Url {
    let in_request = || {
        let request = node.parent?;
        let entry = json.node(request)?.parent?;
        let entries = json.node(entry)?.parent?;
        let is_there = json.name(request)? == "request" && json.name(entries)? == "entry";
        is_there.then_some(())
    };
    // Its own name first: the names above it may be long, and many values may stand below them.
    let url = match json.name(id).as_deref() {
        Some("url") => Some(Url::Whole),
        Some("ifNoneExist") => Some(Url::Search),
        _ => None,
    };
    if let Some(url) = url.filter(|_| is_bundle && in_request().is_some()) {
        return url;
    }
    let is_url = ["http://", "https://"].iter().any(|scheme| before.starts_with(scheme));
    if is_url { Url::Whole } else { Url::No }
}

fn put_text(text: &str, writer: &mut Writer<'_>) {
    let quoted = json_string(text);
    writer.put(quoted.get(1..quoted.len() - 1).unwrap_or_default());
}

fn put_value(job: &Job<'_>, seal: &Seal, writer: &mut Writer<'_>) -> Option<()> {
    if let Some((message, range, raw)) = raw(&seal.plain)
        && RAW_BYTES_MIN <= raw.len()
        && std::sync::Arc::ptr_eq(message, job.seals().source.message())
        && let Some(delimiters) =
            message.as_hl7().and(job.seals().source.classer.delimiters_at(range.start))
    {
        // Base 64 and other plain ASCII means the same in HL7 and in JSON.
        let is_plain = |byte: &u8| {
            matches!(byte, b' '..=b'~')
                && !matches!(byte, b'"' | b'\\')
                && Some(*byte) != delimiters.escape
        };
        if raw.iter().all(is_plain) {
            writer.put_raw(message, range);
            return Some(());
        }
    }
    put_text(&seal.plain.text()?, writer);
    Some(())
}

/// RFC 3986: all but unreserved characters are encoded. In a search of FHIR (R4, 3.1.1.4.4) what
/// would end the value is escaped before.
fn percent_encoded(value: &str, is_search: bool) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if is_search && matches!(byte, b'\\' | b',' | b'|' | b'$') {
            encoded.push_str("%5C");
        }
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
