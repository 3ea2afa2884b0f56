//! Which answers a message asks for, and when it is settled: HL7 v2.5.1 ch. 2, 2.9.2 and 2.9.3.

use hilum_hl7::Header;
use hilum_words::AckCode;

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// An answer comes, whatever happened.
    Must,
    /// An answer comes only if something is wrong.
    May,
    /// None comes.
    No,
}

/// Which answers a message asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Expected {
    /// The first answer.
    pub(super) first: Wait,
    /// Whether an application acknowledgement follows a commit acknowledgement (`CA`).
    pub(super) application: bool,
    /// Whether a receiver that takes the message says `CA` on its connection. Until it has, nothing
    /// that comes another way settles the message: anybody may say so who guesses its control id.
    pub(super) commit: bool,
}

/// When an acknowledgement is wanted: table 0155.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wish {
    Always,
    OnSuccess,
    OnError,
    Never,
}

impl Wish {
    /// A field that is empty beside one that is not means never, and what is not in the table
    /// means always, as our own listeners read them.
    fn of(field: &[u8]) -> Self {
        match field.trim_ascii().to_ascii_uppercase().as_slice() {
            b"" | b"\"\"" | b"NE" => Self::Never,
            b"ER" => Self::OnError,
            b"SU" => Self::OnSuccess,
            _ => Self::Always,
        }
    }

    fn is_for_success(self) -> bool {
        matches!(self, Self::Always | Self::OnSuccess)
    }
}

/// Whether a message that was taken asks for a commit acknowledgement: MSH-15.
pub(super) fn wants_commit(header: &Header) -> bool {
    Wish::of(&header.accept_acknowledgement).is_for_success()
}

impl Expected {
    /// What MSH-15 and MSH-16 ask for. Both empty is the original mode: one answer, always.
    ///
    /// `ER` in MSH-16 asks for an application acknowledgement that may or may not come, at any
    /// time: `CA` settles such a message, and what comes later is counted.
    pub(super) fn of(header: &Header) -> Self {
        let is_empty = |field: &[u8]| matches!(field.trim_ascii(), b"" | b"\"\"");
        let (accept, application) =
            (&header.accept_acknowledgement, &header.application_acknowledgement);
        if is_empty(accept) && is_empty(application) {
            return Self { first: Wait::Must, application: false, commit: false };
        }
        let (accept, application) = (Wish::of(accept), Wish::of(application));
        let first = match (accept, application) {
            (Wish::Never, Wish::Never) => Wait::No,
            _ if accept.is_for_success() || application.is_for_success() => Wait::Must,
            _ => Wait::May,
        };
        let commit = accept.is_for_success();
        Self { first, application: application.is_for_success(), commit }
    }

    /// Whether this answer is followed by the one that counts. Receivers that know one mode alone
    /// answer `CA` where nobody asked for it, or `AA` at once: both speak for the message.
    pub(super) fn goes_on_after(self, code: AckCode) -> bool {
        code == AckCode::CA && self.application
    }
}

#[cfg(test)]
mod tests {
    use hilum_hl7::Message;

    use super::*;

    #[track_caller]
    fn check(accept: &str, application: &str, first: Wait, application_follows: bool) {
        let text = format!("MSH|^~\\&|A|B|C|D|2026||ADT^A01|7|P|2.5|||{accept}|{application}\r");
        let message = Message::parse(text.into_bytes().into()).expect("a message");
        let expected = Expected::of(&message.header());
        let commit = matches!(accept, "AL" | "SU" | "al" | "ALWAYS");
        let wanted = Expected { first, application: application_follows, commit };
        assert_eq!(expected, wanted, "{accept}/{application}");
        assert_eq!(expected.goes_on_after(AckCode::CA), application_follows);
        for last in [AckCode::AA, AckCode::AE, AckCode::AR, AckCode::CE, AckCode::CR] {
            assert!(!expected.goes_on_after(last), "{last:?}");
        }
    }

    #[test]
    fn every_row_of_msh_15_and_msh_16() {
        use Wait::{May, Must, No};
        check("", "", Must, false);
        check("\"\"", "", Must, false);
        for (accept, first, with_error) in [
            ("AL", Must, Must),
            ("SU", Must, Must),
            ("ER", May, May),
            ("NE", No, May),
            ("", No, May),
        ] {
            check(accept, "AL", Must, true);
            check(accept, "SU", Must, true);
            check(accept, "ER", with_error, false);
            check(accept, "NE", first, false);
            if !accept.is_empty() {
                check(accept, "", first, false);
            }
        }
        check("al", "ne", Must, false);
        check("ALWAYS", "NE", Must, false);
    }
}
