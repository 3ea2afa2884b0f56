use hilum_hl7::Header;

/// When a sender wants an acknowledgement: HL7 table 0155.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// `AL`
    Always,
    /// `NE`
    Never,
    /// `ER`: on error or reject.
    OnError,
    /// `SU`: on success.
    OnSuccess,
}

impl Wish {
    /// A field that is empty beside one that is not means never. What is not in the table means
    /// always: an answer too many does less harm than silence.
    fn of(code: &[u8]) -> Self {
        match code.trim_ascii().to_ascii_uppercase().as_slice() {
            b"" | b"\"\"" | b"NE" => Self::Never,
            b"ER" => Self::OnError,
            b"SU" => Self::OnSuccess,
            _ => Self::Always,
        }
    }

    pub(crate) fn is_for_success(self) -> bool {
        matches!(self, Self::Always | Self::OnSuccess)
    }

    pub(crate) fn is_for_error(self) -> bool {
        matches!(self, Self::Always | Self::OnError)
    }
}

/// HL7 v2.5.1 ch. 2, 2.9.2 and 2.9.3: which acknowledgements a sender expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// One application acknowledgement, always.
    Original,
    /// A commit acknowledgement as MSH-15 says, an application acknowledgement as MSH-16 says.
    Enhanced { accept: Wish, application: Wish },
}

impl Mode {
    pub(crate) fn of(header: &Header) -> Self {
        let (accept, application) =
            (&header.accept_acknowledgement, &header.application_acknowledgement);
        let is_empty = |field: &[u8]| matches!(field.trim_ascii(), b"" | b"\"\"");
        if is_empty(accept) && is_empty(application) {
            return Self::Original;
        }
        Self::Enhanced { accept: Wish::of(accept), application: Wish::of(application) }
    }
}

/// What a sender waits for, if a message of it is answered after processing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Whether it waits for one answer before it sends its next message: the original mode.
    pub holds: bool,
    /// Whether it wants to hear that its message is accepted.
    pub acceptance: bool,
    /// Whether it wants to hear that its message is refused.
    pub refusal: bool,
    /// Whether it wants to hear anything at all, at any time.
    pub anything: bool,
    /// Whether it wants to hear that its message is stored, before it is processed.
    pub commit: bool,
}

impl Wanted {
    /// A sender that waits for its one answer.
    pub const ALL: Self =
        Self { holds: true, acceptance: true, refusal: true, anything: true, commit: false };

    /// What the sender of this message wants to hear of its processing.
    pub fn of(header: &Header) -> Self {
        match Mode::of(header) {
            Mode::Original => Self::ALL,
            Mode::Enhanced { accept, application } => Self {
                holds: false,
                acceptance: application.is_for_success(),
                refusal: application.is_for_error(),
                anything: (accept, application) != (Wish::Never, Wish::Never),
                commit: accept.is_for_success(),
            },
        }
    }
}
