use super::{Condition, Operand, PredicateError};
use crate::{Path, ReadError};

/// Parentheses and `not`s in each other.
const DEPTH_MAX: usize = 32;
/// Bytes of a condition.
const LENGTH_MAX: usize = 16 << 10;

pub(super) fn condition(text: &str) -> Result<Condition, PredicateError> {
    let mut parser = Parser { text, at: 0, depth_left: DEPTH_MAX };
    if LENGTH_MAX < text.len() {
        return Err(parser.expected("a condition of at most 16 KiB"));
    }
    let condition = parser.any()?;
    match parser.next()? {
        (_, Token::End) => Ok(condition),
        (at, _) => Err(parser.fault(at, "expected \"and\", \"or\" or the end")),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token<'a> {
    /// A word or a path.
    Word(&'a str),
    Text(String),
    Symbol(&'a str),
    End,
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth_left: usize,
}

impl<'a> Parser<'a> {
    fn any(&mut self) -> Result<Condition, PredicateError> {
        let mut list = vec![self.all()?];
        while self.take_word("or")? {
            list.push(self.all()?);
        }
        Ok(if list.len() == 1 { list.remove(0) } else { Condition::Any(list) })
    }

    fn all(&mut self) -> Result<Condition, PredicateError> {
        let mut list = vec![self.single()?];
        while self.take_word("and")? {
            list.push(self.single()?);
        }
        Ok(if list.len() == 1 { list.remove(0) } else { Condition::All(list) })
    }

    fn single(&mut self) -> Result<Condition, PredicateError> {
        if self.take_word("not")? {
            let condition = self.deeper(Self::single)?;
            return Ok(Condition::Not(Box::new(condition)));
        }
        if self.take_symbol("(")? {
            let condition = self.deeper(Self::any)?;
            self.expect_symbol(")", "expected \")\"")?;
            return Ok(condition);
        }
        if self.take_word("exists")? {
            let is_enclosed = self.take_symbol("(")?;
            let operand = self.operand()?;
            if is_enclosed {
                self.expect_symbol(")", "expected \")\"")?;
            }
            return Ok(Condition::Exists(operand));
        }
        self.test()
    }

    fn deeper(
        &mut self,
        read: fn(&mut Self) -> Result<Condition, PredicateError>,
    ) -> Result<Condition, PredicateError> {
        let too_deep = || self.fault(self.at, "too many parentheses or \"not\"s in each other");
        self.depth_left = self.depth_left.checked_sub(1).ok_or_else(too_deep)?;
        let condition = read(self)?;
        self.depth_left += 1;
        Ok(condition)
    }

    fn test(&mut self) -> Result<Condition, PredicateError> {
        let start = self.at;
        let left = self.operand()?;
        if self.take_word("exists")? {
            return Ok(Condition::Exists(left));
        }
        self.check_value(start, &left)?;
        if self.take_symbol("==")? {
            return Ok(Condition::Equal(left, self.value()?));
        }
        if self.take_symbol("!=")? {
            return Ok(Condition::NotEqual(left, self.value()?));
        }
        if self.take_word("in")? {
            return Ok(Condition::In(left, self.list()?));
        }
        if self.take_word("not")? {
            let (at, token) = self.next()?;
            if token != Token::Word("in") {
                return Err(self.fault(at, "expected \"in\" after \"not\""));
            }
            return Ok(Condition::Not(Box::new(Condition::In(left, self.list()?))));
        }
        let (at, token) = self.next()?;
        let hint = if token == Token::Symbol("=") { "; equality is written \"==\"" } else { "" };
        Err(self.fault(at, &format!("expected \"==\", \"!=\", \"in\" or \"exists\"{hint}")))
    }

    fn list(&mut self) -> Result<Vec<String>, PredicateError> {
        let close = match self.next()? {
            (_, Token::Symbol("(")) => ")",
            (_, Token::Symbol("[")) => "]",
            (at, _) => return Err(self.fault(at, "expected a list such as ('A', 'B')")),
        };
        let mut list = Vec::new();
        loop {
            match self.next()? {
                (_, Token::Text(text)) => list.push(text),
                (at, _) => return Err(self.fault(at, "expected a text in quotes")),
            }
            if self.take_symbol(close)? {
                return Ok(list);
            }
            self.expect_symbol(",", &format!("expected \",\" or \"{close}\""))?;
        }
    }

    fn value(&mut self) -> Result<Operand, PredicateError> {
        let start = self.at;
        let operand = self.operand()?;
        self.check_value(start, &operand)?;
        Ok(operand)
    }

    /// `MSH-9.1 == ADT` reads like a comparison with a segment, and is a forgotten quote.
    fn check_value(&self, before: usize, operand: &Operand) -> Result<(), PredicateError> {
        let Operand::Place(places) = operand else { return Ok(()) };
        // Small letters are an element of FHIR: `use`.
        let is_small = |name: &str| name.contains(|it: char| it.is_ascii_lowercase());
        let is_segment = |path: &Path| matches!(path, Path::Hl7(it) if it.field.is_none() && !is_small(it.segment.as_str()));
        if !places.iter().any(is_segment) {
            return Ok(());
        }
        let blanks = self.text.get(before..).map_or(0, |rest| rest.len() - rest.trim_start().len());
        Err(self.fault(before + blanks, "a segment has no value; a text stands in quotes"))
    }

    fn operand(&mut self) -> Result<Operand, PredicateError> {
        match self.next()? {
            (_, Token::Text(text)) => Ok(Operand::Text(text)),
            (at, Token::Word(word)) => self.place(at, word),
            (at, _) => Err(self.fault(at, "expected a path such as PID-3.1, or a text in quotes")),
        }
    }

    fn place(&self, at: usize, word: &str) -> Result<Operand, PredicateError> {
        // The reader of JSON takes more names than FHIR has, and would take most slips.
        let is_element =
            |step: &str| step.starts_with(|it: char| it.is_ascii_alphabetic() || it == '_');
        let is_json = !word.contains('-') && word.split('.').all(is_element);
        let json = Path::json(word).ok().filter(|_| is_json);
        let places: Vec<_> = Path::hl7(word).ok().into_iter().chain(json).collect();
        if places.is_empty() {
            let why = match Path::hl7(word) {
                Err(ReadError::MalformedPath(why)) => why,
                _ => "not a path".to_owned(),
            };
            return Err(self.fault(at, &format!("{why}; a text stands in quotes")));
        }
        Ok(Operand::Place(places))
    }

    fn take_word(&mut self, word: &str) -> Result<bool, PredicateError> {
        self.take(|token| *token == Token::Word(word))
    }

    fn take_symbol(&mut self, symbol: &str) -> Result<bool, PredicateError> {
        self.take(|token| *token == Token::Symbol(symbol))
    }

    fn expect_symbol(&mut self, symbol: &str, text: &str) -> Result<(), PredicateError> {
        let at = self.at;
        if self.take_symbol(symbol)? { Ok(()) } else { Err(self.fault(at, text)) }
    }

    fn take(&mut self, is: impl Fn(&Token<'_>) -> bool) -> Result<bool, PredicateError> {
        let before = self.at;
        let (_, token) = self.next()?;
        let taken = is(&token);
        if !taken {
            self.at = before;
        }
        Ok(taken)
    }

    /// The next token and where it begins.
    fn next(&mut self) -> Result<(usize, Token<'a>), PredicateError> {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
        let (at, rest) = (self.at, self.rest());
        let Some(first) = rest.chars().next() else { return Ok((at, Token::End)) };
        if first == '\'' || first == '"' {
            return Ok((at, Token::Text(self.quoted(first)?)));
        }
        for symbol in ["==", "!=", "=", "(", ")", ",", "[", "]"] {
            if rest.starts_with(symbol) {
                self.at += symbol.len();
                return Ok((at, Token::Symbol(rest.get(..symbol.len()).unwrap_or_default())));
            }
        }
        let in_word = |letter: char| letter.is_alphanumeric() || "-._[]?".contains(letter);
        let mut length = rest.find(|letter| !in_word(letter)).unwrap_or(rest.len());
        // `]` ends a list, unless this word has opened it: `OBX[2]`.
        let word = rest.get(..length).unwrap_or_default();
        let extra =
            word.find(']').filter(|end| !word.get(..*end).unwrap_or_default().contains('['));
        length = extra.unwrap_or(length);
        if length == 0 {
            return Err(self.fault(at, "this is not part of a condition"));
        }
        self.at += length;
        Ok((at, Token::Word(rest.get(..length).unwrap_or_default())))
    }

    fn quoted(&mut self, quote: char) -> Result<String, PredicateError> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        let mut letters = self.rest().chars().peekable();
        while let Some(letter) = letters.next() {
            self.at += letter.len_utf8();
            if letter != quote {
                text.push(letter);
                continue;
            }
            if letters.next_if_eq(&quote).is_none() {
                return Ok(text);
            }
            self.at += 1;
            text.push(quote);
        }
        Err(self.fault(start, "the text that begins here has no end"))
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn expected(&self, what: &str) -> PredicateError {
        self.fault(self.at, &format!("expected {what}"))
    }

    fn fault(&self, at: usize, text: &str) -> PredicateError {
        let column = self.text.get(..at).unwrap_or_default().chars().count() + 1;
        PredicateError { column, text: text.to_owned() }
    }
}
