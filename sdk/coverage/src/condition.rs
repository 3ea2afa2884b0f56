//! Conditions of the guide, as they are written rather than as the grammar has them.
//!
//! The grammar is in `guide/antlr_condition_syntax.md`. What is written beside it: `IF` in the middle,
//! `IS`, `VALUE`, `=`, a list of elements before one predicate (`PL.1 AND PL.2 NOT VALUED`), no element
//! at all (the row's own), a bracket that is never closed, `LST.COUNT`, `LENGTH`.

use anyhow::bail;

/// Whether a row holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Always.
    True,
    /// Both.
    And(Box<Condition>, Box<Condition>),
    /// Either.
    Or(Box<Condition>, Box<Condition>),
    /// Not.
    Not(Box<Condition>),
    /// A test of an element; the row's own element where the reference is empty.
    Test(Reference, Test),
}

/// `OBX-5.1`, `CX.4`, `ORC`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reference {
    /// The segment or data type.
    pub name: String,
    /// The field, component, subcomponent.
    pub numbers: Vec<u32>,
}

/// What is asked of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// It has a value.
    Valued,
    /// It has one of these texts.
    In(Vec<String>),
    /// It has the text of another element.
    Same(Reference),
    /// So many repetitions, or characters.
    Count(Of, Order, usize),
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Repetitions.
    Repetitions,
    /// Characters.
    Characters,
}

/// How a number is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `EQUALS`
    Equal,
    /// `GREATER THAN`
    Greater,
    /// `LESS THAN`
    Less,
    /// `GREATER THAN OR EQUALS`
    AtLeast,
    /// `LESS THAN OR EQUALS`
    AtMost,
}

/// What answers for the elements of a message.
pub trait Elements {
    /// The texts of an element, one for each repetition; empty if it is not valued.
    fn texts(&self, reference: &Reference) -> Vec<String>;

    /// How many repetitions it has, where [`texts`](Self::texts) tells of one alone.
    fn repetitions(&self, reference: &Reference) -> usize {
        self.texts(reference).len()
    }
}

impl Condition {
    /// Reads a condition; an empty text holds always.
    pub fn read(text: &str) -> anyhow::Result<Self> {
        let words = words(text)?;
        let mut reader = Reader { words: &words, at: 0 };
        if words.is_empty() {
            return Ok(Self::True);
        }
        let condition = reader.any()?;
        if reader.at < words.len() {
            bail!("\"{text}\" cannot be read after {:?}", &words[..reader.at]);
        }
        Ok(condition)
    }

    /// Whether it holds for a message.
    pub fn holds(&self, elements: &impl Elements) -> bool {
        match self {
            Self::True => true,
            Self::And(one, two) => one.holds(elements) && two.holds(elements),
            Self::Or(one, two) => one.holds(elements) || two.holds(elements),
            Self::Not(one) => !one.holds(elements),
            Self::Test(reference, test) => {
                let texts = elements.texts(reference);
                match test {
                    Test::Valued => !texts.is_empty(),
                    Test::In(list) => texts.iter().any(|it| list.contains(it)),
                    Test::Same(other) => elements.texts(other).iter().any(|it| texts.contains(it)),
                    Test::Count(of, order, number) => {
                        let count = match of {
                            Of::Repetitions => elements.repetitions(reference),
                            Of::Characters => texts.first().map_or(0, |it| it.chars().count()),
                        };
                        match order {
                            Order::Equal => count == *number,
                            Order::Greater => count > *number,
                            Order::Less => count < *number,
                            Order::AtLeast => count >= *number,
                            Order::AtMost => count <= *number,
                        }
                    }
                }
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Word {
    /// In capitals.
    Name(String),
    Text(String),
    Sign(char),
}

fn words(text: &str) -> anyhow::Result<Vec<Word>> {
    let mut words = Vec::new();
    let mut rest = text.trim();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '"' | '\'' => {
                let Some(length) = rest[1..].find(first) else { bail!("{text}: a quote is open") };
                words.push(Word::Text(rest[1..=length].to_owned()));
                length + 2
            }
            '(' | ')' | ',' | '=' | '>' | '<' => {
                words.push(Word::Sign(first));
                1
            }
            _ if first.is_whitespace() => first.len_utf8(),
            _ => {
                let is_end = |it: char| it.is_whitespace() || "()=,<>\"'".contains(it);
                let length = rest.find(is_end).unwrap_or(rest.len());
                words.push(Word::Name(rest[..length].to_uppercase()));
                length
            }
        };
        rest = &rest[end..];
    }
    // `IF` says nothing.
    words.retain(|it| *it != Word::Name("IF".to_owned()));
    Ok(words)
}

struct Reader<'a> {
    words: &'a [Word],
    at: usize,
}

/// What was read of one side of AND and OR.
enum Read {
    Whole(Condition),
    /// An element without a predicate: it has that of the next one.
    Bare(Reference),
}

impl Reader<'_> {
    fn is_next(&self, word: &str) -> bool {
        matches!(self.words.get(self.at), Some(Word::Name(it)) if it == word)
    }

    fn take(&mut self, word: &str) -> bool {
        let is_next = self.is_next(word);
        self.at += usize::from(is_next);
        is_next
    }

    fn take_sign(&mut self, sign: char) -> bool {
        let is_next = self.words.get(self.at) == Some(&Word::Sign(sign));
        self.at += usize::from(is_next);
        is_next
    }

    /// `one OR two`, each side `one AND two`. Where elements stand in a row before one predicate, OR
    /// and AND between them are of the same rank.
    fn any(&mut self) -> anyhow::Result<Condition> {
        let mut all = self.all()?;
        while self.take("OR") {
            let two = self.all()?;
            all = Condition::Or(Box::new(all), Box::new(two));
        }
        Ok(all)
    }

    fn all(&mut self) -> anyhow::Result<Condition> {
        // Bare elements, each with how it is joined to what follows.
        let mut bare: Vec<(Reference, bool)> = Vec::new();
        let mut whole: Option<Condition> = None;
        loop {
            match self.one()? {
                Read::Whole(mut condition) => {
                    for (reference, is_and) in bare.drain(..).rev() {
                        let same = with_reference(&condition, reference)?;
                        let (one, two) = (Box::new(same), Box::new(condition));
                        condition =
                            if is_and { Condition::And(one, two) } else { Condition::Or(one, two) };
                    }
                    whole = Some(match whole {
                        Some(before) => Condition::And(Box::new(before), Box::new(condition)),
                        None => condition,
                    });
                    let is_over = self.is_next("OR")
                        || self.at == self.words.len()
                        || self.words.get(self.at) == Some(&Word::Sign(')'));
                    if is_over {
                        break;
                    }
                    // AND is left out once.
                    self.take("AND");
                }
                Read::Bare(reference) => {
                    let is_and = self.take("AND");
                    if !is_and && !self.take("OR") {
                        bail!("{} has no predicate", reference.name);
                    }
                    bare.push((reference, is_and));
                }
            }
        }
        match whole {
            Some(whole) => Ok(whole),
            None => bail!("nothing is asked"),
        }
    }

    fn one(&mut self) -> anyhow::Result<Read> {
        if self.take_sign('(') {
            let inner = self.any()?;
            // One bracket of the guide is never closed.
            if !self.take_sign(')') && self.at < self.words.len() {
                bail!("a bracket is open");
            }
            return Ok(Read::Whole(inner));
        }
        if self.is_next("NOT") && self.words.get(self.at + 1) == Some(&Word::Sign('(')) {
            self.at += 1;
            return Ok(match self.one()? {
                Read::Whole(inner) => Read::Whole(Condition::Not(Box::new(inner))),
                Read::Bare(_) => bail!("NOT of nothing"),
            });
        }
        let mut reference = Reference::default();
        let mut is_negated = false;
        if let Some(Word::Name(word)) = self.words.get(self.at) {
            // `PL3.NOT VALUED`
            let (word, not) = match word.strip_suffix(".NOT") {
                Some(word) => (word, true),
                None => (word.as_str(), false),
            };
            if let Some(read) = Reference::read(word) {
                reference = read;
                is_negated = not;
                self.at += 1;
            }
        }
        self.take("AREA");
        let before = self.at;
        let Some((test, is_not)) = self.predicate()? else {
            if reference.name.is_empty() {
                bail!("\"{:?}\" is no condition", self.words.get(self.at));
            }
            self.at = before;
            return Ok(Read::Bare(reference));
        };
        let mut condition = Condition::Test(reference.clone(), test);
        if is_not != is_negated {
            condition = Condition::Not(Box::new(condition));
        }
        // `VALUED NOT EQUAL PID-12`
        if (self.is_next("NOT") || self.is_next("EQUAL"))
            && let Some((test, is_not)) = self.predicate()?
        {
            let mut also = Condition::Test(reference, test);
            if is_not {
                also = Condition::Not(Box::new(also));
            }
            condition = Condition::And(Box::new(condition), Box::new(also));
        }
        Ok(Read::Whole(condition))
    }

    /// A test, and whether it is negated. None if no predicate stands here.
    fn predicate(&mut self) -> anyhow::Result<Option<(Test, bool)>> {
        if self.is_next("AND") || self.is_next("OR") {
            return Ok(None);
        }
        if self.take("DOES") {
            if self.take("NOT") && self.take("EXIST") {
                return Ok(Some((Test::Valued, true)));
            }
            bail!("DOES what?");
        }
        let of = if self.take("LENGTH") {
            Some(Of::Characters)
        } else if self.take("LST.COUNT") || self.take("COUNT") {
            Some(Of::Repetitions)
        } else {
            None
        };
        if let Some(of) = of {
            let order = self.order()?;
            let number = match self.words.get(self.at) {
                Some(Word::Name(number)) => number.parse()?,
                other => bail!("{other:?} is no number"),
            };
            self.at += 1;
            return Ok(Some((Test::Count(of, order, number), false)));
        }
        let is = self.take("IS");
        let is_not = self.take("NOT");
        if self.take("VALUED") || self.take("VALUE") {
            return Ok(Some((Test::Valued, is_not)));
        }
        if self.take("IN") {
            let mut list = Vec::new();
            if !self.take_sign('(') {
                bail!("IN has no list");
            }
            while !self.take_sign(')') {
                match self.words.get(self.at) {
                    Some(Word::Text(text)) => list.push(text.clone()),
                    Some(Word::Sign(',')) => {}
                    other => bail!("{other:?} in a list"),
                }
                self.at += 1;
            }
            return Ok(Some((Test::In(list), is_not)));
        }
        let equal = self.take_sign('=') || self.take("EQUALS") || self.take("EQUAL");
        self.take("TO");
        match self.words.get(self.at) {
            Some(Word::Text(text)) => {
                let test = Test::In(vec![text.clone()]);
                self.at += 1;
                Ok(Some((test, is_not)))
            }
            Some(Word::Name(name)) if equal => match Reference::read(name) {
                Some(other) => {
                    self.at += 1;
                    Ok(Some((Test::Same(other), is_not)))
                }
                None => bail!("equal to {name}"),
            },
            other if is || is_not || equal => bail!("{other:?} is compared with"),
            _ => Ok(None),
        }
    }

    fn order(&mut self) -> anyhow::Result<Order> {
        if self.take_sign('=') || self.take("EQUALS") {
            return Ok(Order::Equal);
        }
        if self.take_sign('>') {
            return Ok(Order::Greater);
        }
        let is_greater = self.take("GREATER");
        if !is_greater && !self.take("LESS") {
            bail!("{:?} orders nothing", self.words.get(self.at));
        }
        self.take("THAN");
        let or_equal = self.take("OR") && self.take("EQUALS");
        Ok(match (is_greater, or_equal) {
            (true, false) => Order::Greater,
            (true, true) => Order::AtLeast,
            (false, false) => Order::Less,
            (false, true) => Order::AtMost,
        })
    }
}

impl Reference {
    /// `PID-3.1`, `HD-3`, `ORC`, `PL3`. None if the word is none.
    pub fn read(word: &str) -> Option<Self> {
        let (name, numbers) = match word.find(['-', '.']) {
            Some(at) => (&word[..at], &word[at + 1..]),
            None if word == "PL3" => ("PL", "3"),
            None => (word, ""),
        };
        let is_name = (2..=3).contains(&name.len())
            && name.starts_with(|it: char| it.is_ascii_uppercase())
            && name.chars().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit());
        // What the language itself says.
        let is_word = ["IS", "OR", "AND", "NOT", "IN", "IF", "TO", "LST"].contains(&name);
        if !is_name || is_word {
            return None;
        }
        let numbers = numbers.split(['.', '-']).filter(|it| !it.is_empty());
        let numbers: Option<Vec<u32>> = numbers.map(|it| it.parse().ok()).collect();
        Some(Self { name: name.to_owned(), numbers: numbers? })
    }
}

/// The same test of another element.
fn with_reference(condition: &Condition, reference: Reference) -> anyhow::Result<Condition> {
    Ok(match condition {
        Condition::Test(_, test) => Condition::Test(reference, test.clone()),
        Condition::Not(inner) => Condition::Not(Box::new(with_reference(inner, reference)?)),
        // The predicate is that of the first element to the right.
        Condition::And(one, _) | Condition::Or(one, _) => with_reference(one, reference)?,
        Condition::True => bail!("nothing is asked"),
    })
}

#[cfg(test)]
mod tests;
