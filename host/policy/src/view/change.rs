//! Conversions and tables, on tokens and on plain text.

use hilum_message::Conversion;
use hilum_words::Name;

use super::View;
use crate::origin::Shape;
use crate::seals::{Origin, Plain, Seal};
use crate::token::Token;

impl View {
    /// Re-writes a value. A token is converted inside, and the answer is a token again; anything
    /// else is plain text. None if it had to be a date and is none.
    pub fn convert(&mut self, conversion: Conversion, value: &str) -> Option<String> {
        let zone = self.zone.clone();
        match self.sealed(value) {
            Some(token) => {
                let change = conversion.word();
                self.change(token, change, |plain| conversion.apply(plain, &zone))
            }
            None => conversion.apply(value, &zone),
        }
    }

    /// Translates a code by a table. A token is looked up inside, and the answer is a token, or the
    /// plain code where the table opens. None: the table has no such code.
    ///
    /// A table opens for a value as it came and never for one that was converted before: the first
    /// letters or the digits of a value could be spelt out with it. What it opens is counted as
    /// opened.
    pub fn translate(
        &mut self,
        table: &Name,
        opens: bool,
        lookup: &dyn Fn(&str) -> Option<String>,
        code: &str,
    ) -> Option<String> {
        let Some(token) = self.sealed(code) else { return lookup(code) };
        let seal = self.seals.get(&token)?;
        if opens && seal.origin.changes.is_empty() {
            let (classes, path) = (seal.classes, seal.origin.path.to_string());
            let plain = lookup(&seal.plain.text()?);
            self.sights.opened.add(classes);
            self.sights.note(path, classes);
            return plain;
        }
        self.change(token, &format!("table {table}"), lookup)
    }

    /// How many bytes of the host a conversion or look-up of this value reads beside the value itself:
    /// as long as what a token stands for, however short the token is. A plugin pays for them.
    pub fn weight_of(&self, value: &str) -> usize {
        let seal = self.sealed(value).and_then(|token| self.seals.get(&token));
        seal.map_or(0, |seal| seal.plain.weight() + 16 * seal.origin.changes.len())
    }

    /// How many bytes of the host hold what conversions and tables have made of sealed values. It
    /// never shrinks within a call.
    pub fn made_bytes(&self) -> usize {
        self.seals.made_bytes()
    }

    /// The token that a text is, if this view handed it out.
    fn sealed(&self, text: &str) -> Option<Token> {
        Token::exactly(text).filter(|token| self.seals.get(token).is_some())
    }

    /// The token for what `apply` makes of a sealed value.
    fn change(
        &mut self,
        from: Token,
        change: &str,
        apply: impl Fn(&str) -> Option<String>,
    ) -> Option<String> {
        let token = self.mint.of_change(from, change);
        if self.seals.get(&token).is_some() {
            return Some(token.to_string());
        }
        let seal = self.seals.get(&from)?;
        let text = apply(&seal.plain.text()?)?;
        let mut changes = seal.origin.changes.clone();
        changes.push(Box::from(change));
        let origin = Origin { changes, ..seal.origin.clone() };
        let plain = Plain::Text(text.into());
        let made = Seal { plain, classes: seal.classes, shape: Shape::Text, origin };
        self.seals.add_made(token, made);
        Some(token.to_string())
    }
}
