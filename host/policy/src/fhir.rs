//! Which class a value of FHIR has, by the element that it stands in.
//!
//! `table/fhir.txt` has every element of FHIR R4 with its type and class; a test makes it anew from the
//! definitions, `table/fhir_types.txt` and `table/fhir_decisions.txt`. What a definition has no element
//! for is *unknown*, and so is all below it; so are extensions, until the site says what one is.
//!
//! Promises: one way over the nodes of a document, parents first; a look-up compares a few names and
//! builds nothing; a value of another kind than its element's is unknown.
//! Not here: names of members (`origin`), what a site may say (`overrides`).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use hilum_message::{Json, Kind, Node, NodeId};

use crate::{Class, Classes};

static R4: LazyLock<Fhir> = LazyLock::new(|| Fhir::read(include_str!("table/fhir.txt")));

/// The elements of FHIR R4 as they come.
pub(crate) fn r4() -> &'static Fhir {
    &R4
}

const UNKNOWN: Classes = Classes::of(Class::Unknown);

/// Where nothing is known.
const NOWHERE: u16 = 0;
/// What is said about a primitive: `id` and `extension`.
const ELEMENT: u16 = 1;
/// Where `resourceType` decides.
const RESOURCE: u16 = 2;
const EXTENSION: u16 = 3;
const OWN: [&str; 4] = ["", "Element", "Resource", "Extension"];

/// The elements of all types.
#[derive(Clone)]
pub(crate) struct Fhir {
    contexts: Vec<Context>,
    types: BTreeMap<&'static str, u16>,
    /// Extensions by url.
    extensions: BTreeMap<Box<str>, Said>,
}

/// What can stand in one object.
#[derive(Clone)]
struct Context {
    /// As FHIR writes it: `Patient.contact`.
    name: Box<str>,
    /// By name, sorted.
    members: Vec<(&'static str, Member)>,
}

#[derive(Clone, Copy)]
struct Member {
    value: Value,
    /// What the site says about it and all below it, or a decision about a complex element.
    said: Option<Said>,
    /// The choice that it is one of: `value[x]`.
    choice: Option<&'static str>,
}

#[derive(Clone, Copy)]
enum Value {
    Complex(u16),
    Primitive(Classes, Kind),
}

/// What was said about an element and all that is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) classes: Classes,
    /// Which line of the site's; none is a decision of the table.
    pub(crate) line: Option<u16>,
}

/// Where a node stands.
#[derive(Clone, Copy)]
pub(crate) struct Standing {
    value: Value,
    said: Option<Said>,
    /// The object that it is a member of.
    of: u16,
}

impl Standing {
    const UNKNOWN: Self = Self { value: Value::Complex(NOWHERE), said: None, of: NOWHERE };

    /// Which line of the site's decides about a value here.
    pub(crate) fn line(&self) -> Option<u16> {
        self.said.and_then(|it| it.line)
    }

    /// What the site says about it.
    fn of_site(&self) -> Option<Said> {
        self.said.filter(|it| it.line.is_some())
    }

    /// The classes of a value of this kind here.
    fn classes(&self, kind: Kind) -> Classes {
        if let Some(said) = self.of_site() {
            return said.classes;
        }
        match self.value {
            Value::Primitive(classes, of) if of == kind => {
                self.said.map_or(classes, |said| said.classes)
            }
            Value::Primitive(..) | Value::Complex(_) => UNKNOWN,
        }
    }
}

/// The site's word counts more than the table's, and among those what is nearer.
fn nearest(own: Option<Said>, above: Option<Said>) -> Option<Said> {
    match (own, above) {
        (Some(own), Some(above)) if own.line.is_none() && above.line.is_some() => Some(above),
        (own, above) => own.or(above),
    }
}

/// Why an element has no place in the tables.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoElement {
    /// FHIR R4 has no type of this name; the types that it has.
    Type(Vec<&'static str>),
    /// The type has no such element; those that it has.
    Member(String, Vec<&'static str>),
}

impl Fhir {
    /// A line that cannot be read is left out, so what it names is unknown; a test says that there
    /// is none.
    fn read(text: &'static str) -> Self {
        let mut fhir = Self {
            contexts: OWN.iter().map(|name| Context::named(name)).collect(),
            types: BTreeMap::from([("Resource", RESOURCE)]),
            extensions: BTreeMap::new(),
        };
        let lines = || text.lines().filter(|it| !it.is_empty() && !it.starts_with('#'));
        for name in lines().filter(|it| !it.starts_with(' ')) {
            let number = match OWN.iter().position(|own| *own == name) {
                Some(number) => u16::try_from(number).unwrap_or(NOWHERE),
                None => fhir.add(Context::named(name)),
            };
            fhir.types.insert(name, number);
        }
        let mut context = NOWHERE;
        for line in lines() {
            if !line.starts_with(' ') {
                context = fhir.types.get(line).copied().unwrap_or(NOWHERE);
                continue;
            }
            let mut words = line.split_whitespace();
            let (Some(name), Some(of), Some(class)) = (words.next(), words.next(), words.next())
            else {
                continue;
            };
            let choice = words.next();
            let said = (class != ".").then(|| class_of(class));
            let member = match (kind_of(of), said) {
                (Some(kind), Some(classes)) => {
                    Member { value: Value::Primitive(classes, kind), said: None, choice }
                }
                (Some(_), None) => continue,
                (None, said) => {
                    let child = fhir.types.get(of).copied().unwrap_or(NOWHERE);
                    let said = said.map(|classes| Said { classes, line: None });
                    Member { value: Value::Complex(child), said, choice }
                }
            };
            if let Some(context) = fhir.contexts.get_mut(usize::from(context)) {
                context.members.push((name, member));
            }
        }
        for context in &mut fhir.contexts {
            context.members.sort_by_key(|(name, _)| *name);
        }
        fhir
    }

    /// The class of each value of a document, by node. What is no value has none.
    pub(crate) fn classes(&self, json: &Json) -> Box<[Classes]> {
        let standings = self.standings(json);
        let classes = json.nodes().zip(&standings).map(|((id, node), standing)| {
            if is_type(json, id, node) {
                Classes::NONE
            } else if node.kind.is_leaf() {
                standing.classes(node.kind)
            } else {
                Classes::NONE
            }
        });
        classes.collect()
    }

    /// Where each node stands.
    pub(crate) fn standings(&self, json: &Json) -> Vec<Standing> {
        let mut all: Vec<Standing> = Vec::with_capacity(json.nodes().len());
        for (id, node) in json.nodes() {
            let standing = match node.parent {
                None => Standing { value: Value::Complex(RESOURCE), ..Standing::UNKNOWN },
                Some(parent) => {
                    let of = all.get(parent.index()).copied().unwrap_or(Standing::UNKNOWN);
                    // What stands in a list stands where the list does.
                    if node.name.is_some() { self.member(json, id, of) } else { of }
                }
            };
            all.push(self.entered(json, id, node, standing));
        }
        all
    }

    /// What a member of an object is.
    fn member(&self, json: &Json, id: NodeId, of: Standing) -> Standing {
        // What the table decides about an element says nothing about what FHIR does not have in it.
        let unknown = Standing { said: of.of_site(), ..Standing::UNKNOWN };
        let Value::Complex(number) = of.value else { return unknown };
        let Some(name) = json.plain_name(id) else { return unknown };
        if let Some(member) = self.find(number, name) {
            let said = match name {
                // The url is what the site names an extension by.
                "url" if number == EXTENSION => member.said,
                // What the table decides about an element, it does not about what others add to it.
                "extension" | "modifierExtension" => nearest(member.said, of.of_site()),
                _ => nearest(member.said, of.said),
            };
            return Standing { value: member.value, said, of: number };
        }
        match name.strip_prefix('_').and_then(|name| self.find(number, name)) {
            Some(Member { value: Value::Primitive(..), said, .. }) => Standing {
                value: Value::Complex(ELEMENT),
                said: nearest(said, of.said).filter(|it| it.line.is_some()),
                of: number,
            },
            _ => unknown,
        }
    }

    /// A resource is of its type, and an extension what the site says about its url.
    fn entered(&self, json: &Json, id: NodeId, node: &Node, standing: Standing) -> Standing {
        if node.kind != Kind::Object {
            return standing;
        }
        match standing.value {
            Value::Complex(RESOURCE) => {
                let of = json.resource_type(id);
                let number = of.and_then(|it| self.types.get(it.as_str()).copied());
                Standing { value: Value::Complex(number.unwrap_or(NOWHERE)), ..standing }
            }
            Value::Complex(EXTENSION) if !self.extensions.is_empty() => {
                let url = json.member(id, "url").and_then(|it| json.scalar_text(it));
                let said = url.and_then(|it| self.extensions.get(&*it).copied());
                Standing { said: said.or(standing.said), ..standing }
            }
            _ => standing,
        }
    }

    fn find(&self, context: u16, name: &str) -> Option<Member> {
        let context = self.contexts.get(usize::from(context))?;
        if let Ok(at) = context.members.binary_search_by(|(it, _)| (*it).cmp(name)) {
            return context.members.get(at).map(|(_, member)| *member);
        }
        let is_known = !context.name.is_empty();
        let value = match name {
            "id" if is_known => Value::Primitive(Class::Identifier.into(), Kind::Text),
            "extension" | "modifierExtension" if is_known => Value::Complex(EXTENSION),
            _ => return None,
        };
        Some(Member { value, said: None, choice: None })
    }

    /// How FHIR writes the element that a node stands in: `Patient.contact.gender`. None if it has
    /// none.
    pub(crate) fn element(&self, json: &Json, id: NodeId, standing: &Standing) -> Option<String> {
        let context = self.contexts.get(usize::from(standing.of))?;
        if context.name.is_empty() {
            return None;
        }
        let mut named = id;
        while json.node(named).is_some_and(|it| it.name.is_none()) {
            named = json.node(named)?.parent?;
        }
        let name = json.plain_name(named)?;
        Some(format!("{}.{name}", context.name))
    }

    fn add(&mut self, context: Context) -> u16 {
        let Ok(number) = u16::try_from(self.contexts.len()) else { return NOWHERE };
        self.contexts.push(context);
        number
    }

    /// What a site says about an extension, wherever it stands.
    pub(crate) fn set_extension(&mut self, url: &str, said: Said) {
        self.extensions.insert(Box::from(url), said);
    }

    /// What a site says about an element and all that is in it. What is said about something in it
    /// counts more.
    pub(crate) fn set(&mut self, path: &[&str], said: Said) -> Result<(), NoElement> {
        let (of_type, elements) = path.split_first().unwrap_or((&"", &[]));
        let Some(mut context) = self.types.get(of_type).copied().filter(|it| *it != RESOURCE)
        else {
            let types = self.types.keys().copied();
            return Err(NoElement::Type(types.filter(|it| !it.contains('.')).collect()));
        };
        let Some((last, way)) = elements.split_last() else {
            return Err(self.no_member(context));
        };
        for name in way {
            context = self.own_child(context, name).ok_or_else(|| self.no_member(context))?;
        }
        for name in self.named(context, last)? {
            let Some(mut member) = self.find(context, name) else { continue };
            member.said = Some(said);
            self.put(context, name, member);
        }
        Ok(())
    }

    /// Whether a type is one of resources, and not of what is in them.
    pub(crate) fn is_resource(&self, of_type: &str) -> bool {
        let context = self.types.get(of_type).copied();
        context.is_some_and(|it| self.find(it, "implicitRules").is_some())
    }

    /// The elements that a name means: `value[x]` means each of the choice.
    fn named(&self, context: u16, name: &str) -> Result<Vec<&'static str>, NoElement> {
        let own = ["id", "extension", "modifierExtension"];
        let of = self.contexts.get(usize::from(context));
        let members = of.into_iter().flat_map(|it| &it.members);
        let members = members.map(|(name, member)| (*name, member.choice));
        let all = members.chain(own.map(|name| (name, None)));
        let named = all.filter(|(it, choice)| *it == name || *choice == Some(name));
        let named: Vec<_> = named.map(|(it, _)| it).collect();
        if named.is_empty() { Err(self.no_member(context)) } else { Ok(named) }
    }

    /// The elements of what a member is, for this member alone: a name is said something about in one
    /// place and not wherever there is one.
    fn own_child(&mut self, context: u16, name: &str) -> Option<u16> {
        // Each of a choice has elements of its own.
        let [name] = self.named(context, name).ok()?[..] else { return None };
        let member = self.find(context, name)?;
        let Value::Complex(child) = member.value else { return None };
        let of = &self.contexts.get(usize::from(context))?.name;
        let own_name = format!("{of}.{name}");
        let copied = self.contexts.get(usize::from(child))?;
        if child <= EXTENSION || *copied.name == *own_name {
            // Resources and extensions are said something about by their own types and urls.
            return (EXTENSION < child).then_some(child);
        }
        let copy = Context { name: own_name.into(), members: copied.members.clone() };
        let child = self.add(copy);
        self.put(context, name, Member { value: Value::Complex(child), ..member });
        Some(child)
    }

    fn put(&mut self, context: u16, name: &'static str, member: Member) {
        let Some(context) = self.contexts.get_mut(usize::from(context)) else { return };
        match context.members.binary_search_by(|(it, _)| (*it).cmp(name)) {
            Ok(at) => {
                if let Some((_, it)) = context.members.get_mut(at) {
                    *it = member;
                }
            }
            Err(at) => context.members.insert(at, (name, member)),
        }
    }

    fn no_member(&self, context: u16) -> NoElement {
        let of = self.contexts.get(usize::from(context));
        let members = of.map(|it| it.members.iter().map(|(name, _)| *name).collect());
        let name = of.map(|it| it.name.to_string());
        NoElement::Member(name.unwrap_or_default(), members.unwrap_or_default())
    }
}

impl Context {
    fn named(name: &str) -> Self {
        Self { name: name.into(), members: Vec::new() }
    }
}

/// Whether a node is the type of a resource: structure, and no value of a person's.
fn is_type(json: &Json, id: NodeId, node: &Node) -> bool {
    node.kind == Kind::Text
        && json.plain_name(id) == Some("resourceType")
        && json.is_resource_type(id)
}

/// What a primitive type is in JSON; none for a complex one.
fn kind_of(of: &str) -> Option<Kind> {
    Some(match of {
        "boolean" => Kind::Boolean,
        "decimal" | "integer" | "positiveInt" | "unsignedInt" => Kind::Number,
        _ if of.starts_with(|it: char| it.is_ascii_lowercase()) => Kind::Text,
        _ => return None,
    })
}

fn class_of(word: &str) -> Classes {
    match word {
        "open" => Classes::NONE,
        // A word that is none is a class that nobody has forgotten.
        word => Class::from_word(word).unwrap_or(Class::Unknown).into(),
    }
}

#[cfg(test)]
mod tests;
