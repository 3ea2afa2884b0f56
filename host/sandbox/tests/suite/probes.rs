//! One probe for each function of the contract: a guest that calls it where nothing is granted, and
//! gives up unless the answer is the typed denial, or shows nothing.
//!
//! Used by the sandbox's own tests and by the system's, which look for the same denials in the trail.

use hilum_contract::World;

/// One function: how it is called, and what has to stand at 1,024 and behind afterwards.
#[derive(Clone, Copy)]
pub struct Probe {
    pub interface: &'static str,
    pub function: &'static str,
    /// Core parameters as text; the answer goes to 1,024.
    pub signature: &'static str,
    pub arguments: &'static str,
    /// An expression that is 1 if the answer is right.
    pub right: &'static str,
    pub denied: Denied,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// One request, under this capability.
    By(&'static str),
    /// Nothing, since there is nothing to deny: why.
    Nothing(&'static str),
}

impl Denied {
    /// The counts that a report has to have.
    pub fn counts(self) -> Vec<(&'static str, u64)> {
        match self {
            Self::By(capability) => vec![(capability, 1)],
            Self::Nothing(_) => Vec::new(),
        }
    }
}

/// An error of the first case.
pub const WITHHELD: &str = "(i32.and (i32.eq (i32.load8_u (i32.const 1024)) (i32.const 1))
        (i32.eqz (i32.load8_u (i32.const 1028))))";
/// An error of the second case.
const UNGRANTED: &str = "(i32.and (i32.eq (i32.load8_u (i32.const 1024)) (i32.const 1))
        (i32.eq (i32.load8_u (i32.const 1028)) (i32.const 1)))";
/// An error of the fifth case.
const UNFIT: &str = "(i32.and (i32.eq (i32.load8_u (i32.const 1024)) (i32.const 1))
        (i32.eq (i32.load8_u (i32.const 1028)) (i32.const 4)))";
/// No error is possible; that the name is nowhere in the guest's memory is looked at for all of them.
const ANYTHING: &str = "(i32.const 1)";

/// Ok, or none: the first byte says so.
const OK: &str = "(i32.eqz (i32.load8_u (i32.const 1024)))";

/// `PID-5.1`, which is at 64.
const PATH: &str = "(i32.const 64) (i32.const 7) (i32.const 1024)";
/// A draft of its own, then `PID-5.1`.
const DRAFT_PATH: &str = "(local.get $draft) (i32.const 64) (i32.const 7) (i32.const 1024)";
const DRAFT_TWO: &str =
    "(local.get $draft) (i32.const 64) (i32.const 7) (i32.const 64) (i32.const 7) (i32.const 1024)";

const BY_MESSAGE: Denied = Denied::By("message");
const OWN: Denied = Denied::Nothing("it re-writes what the plugin has already");

/// All of them.
pub const PROBES: &[Probe] = &[
    probe(
        "message",
        "about",
        "i32",
        "(i32.const 1024)",
        ANYTHING,
        Denied::Nothing("id, format, type and time say nothing of a patient"),
    ),
    probe("message", "get", "i32 i32 i32", PATH, WITHHELD, BY_MESSAGE),
    // One string at 128, which is the same path; one answer, where the list says.
    probe(
        "message",
        "get-many",
        "i32 i32 i32",
        "(i32.const 128) (i32.const 1) (i32.const 1024)",
        "(i32.and (i32.eq (i32.load8_u (i32.load (i32.const 1024))) (i32.const 1))
            (i32.eqz (i32.load8_u offset=4 (i32.load (i32.const 1024)))))",
        BY_MESSAGE,
    ),
    probe("message", "all", "i32 i32 i32", PATH, WITHHELD, BY_MESSAGE),
    probe(
        "message",
        "count",
        "i32 i32 i32",
        PATH,
        OK,
        Denied::Nothing("how many there are is never hidden"),
    ),
    probe(
        "message",
        "outline",
        "i32",
        "(i32.const 1024)",
        ANYTHING,
        Denied::Nothing("what parts are called is never hidden"),
    ),
    probe(
        "message",
        "sight-of",
        "i32 i32 i32",
        PATH,
        "(i32.and (i32.eqz (i32.load8_u (i32.const 1024)))
            (i32.eq (i32.load8_u (i32.const 1028)) (i32.const 2)))",
        Denied::Nothing("that a value is withheld is the answer"),
    ),
    probe(
        "message",
        "body",
        "i32",
        "(i32.const 1024)",
        ANYTHING,
        Denied::Nothing("what is withheld is empty in it"),
    ),
    probe(
        "message",
        "text",
        "i32",
        "(i32.const 1024)",
        OK,
        Denied::Nothing("what is withheld is empty in it"),
    ),
    probe("conversions", "fhir-date", "i32 i32 i32", PATH, OK, OWN),
    probe("conversions", "fhir-date-time", "i32 i32 i32", PATH, OK, OWN),
    probe("conversions", "hl7-date", "i32 i32 i32", PATH, OK, OWN),
    probe("conversions", "upper-case", "i32 i32 i32", PATH, ANYTHING, OWN),
    probe("conversions", "lower-case", "i32 i32 i32", PATH, ANYTHING, OWN),
    probe("conversions", "trim", "i32 i32 i32", PATH, ANYTHING, OWN),
    probe("conversions", "digits", "i32 i32 i32", PATH, ANYTHING, OWN),
    probe("conversions", "first-letter", "i32 i32 i32", PATH, ANYTHING, OWN),
    probe(
        "drafts",
        "[static]draft.copy-of-message",
        "i32",
        "(i32.const 1024)",
        OK,
        Denied::Nothing("what is withheld is left out of the copy"),
    ),
    probe(
        "drafts",
        "[static]draft.blank",
        "i32 i32 i32 i32 i32",
        "(i32.const 64) (i32.const 3) (i32.const 64) (i32.const 3) (i32.const 1024)",
        UNFIT,
        Denied::Nothing("it shows nothing; here the format is none"),
    ),
    probe(
        "drafts",
        "[method]draft.set",
        "i32 i32 i32 i32 i32 i32",
        DRAFT_TWO,
        OK,
        Denied::Nothing("writing shows nothing"),
    ),
    probe(
        "drafts",
        "[method]draft.copy",
        "i32 i32 i32 i32 i32 i32",
        DRAFT_TWO,
        WITHHELD,
        BY_MESSAGE,
    ),
    // What was left out is not there to be removed.
    probe(
        "drafts",
        "[method]draft.remove",
        "i32 i32 i32 i32",
        DRAFT_PATH,
        "(i32.and (i32.eqz (i32.load8_u (i32.const 1024))) (i32.eqz (i32.load (i32.const 1028))))",
        Denied::Nothing("what is withheld is left out of the copy, and none went"),
    ),
    // The table `kept`, which the site has and did not lend.
    probe(
        "tables",
        "translate",
        "i32 i32 i32 i32 i32",
        "(i32.const 72) (i32.const 4) (i32.const 64) (i32.const 7) (i32.const 1024)",
        UNGRANTED,
        Denied::By("tables"),
    ),
    probe(
        "settings",
        "get",
        "i32 i32 i32",
        PATH,
        OK,
        Denied::Nothing("a plugin has its own route's settings and no way to name another's"),
    ),
    probe(
        "log",
        "write",
        "i32 i32 i32",
        "(i32.const 1) (i32.const 64) (i32.const 7)",
        ANYTHING,
        Denied::Nothing("everybody may write; what is written is searched"),
    ),
];

const fn probe(
    interface: &'static str,
    function: &'static str,
    signature: &'static str,
    arguments: &'static str,
    right: &'static str,
    denied: Denied,
) -> Probe {
    Probe { interface, function, signature, arguments, right, denied }
}

impl Probe {
    /// The guest as a core module. It answers with nothing: no output, no destination, no objection.
    /// Whatever it called, nothing of the withheld name may be in its memory.
    pub fn module(&self, world: World) -> String {
        let Self { function, signature, arguments, right, .. } = self;
        let interface = hilum_contract::id_of(self.interface);
        let export = hilum_contract::id_of(world.export());
        let (import, make) = if function.starts_with("[method]draft.") {
            (
                r#"(import "hilum:plugin/drafts@0.1.0" "[static]draft.copy-of-message"
                    (func $new (param i32)))"#,
                "(call $new (i32.const 1024))
                (if (i32.load8_u (i32.const 1024)) (then unreachable))
                (local.set $draft (i32.load (i32.const 1028)))",
            )
        } else {
            ("", "")
        };
        format!(
            r#"(module
            (import "{interface}" "{function}" (func $it (param {signature})))
            {import}
            (memory (export "memory") 2)
            (data (i32.const 64) "PID-5.1\00kept")
            (data (i32.const 128) "\40\00\00\00\07\00\00\00")
            (global $free (mut i32) (i32.const 4096))
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                (global.get $free)
                (global.set $free
                    (i32.and (i32.add (global.get $free) (i32.add (local.get 3) (i32.const 15)))
                        (i32.const -16))))
            (func (export "{export}#run") (result i32)
                (local $draft i32) (local $at i32)
                {make}
                (call $it {arguments})
                (if (i32.eqz {right}) (then unreachable))
                ;; "EVER", of the name that is withheld.
                (loop $search
                    (if (i32.eq (i32.load (local.get $at)) (i32.const 0x52455645)) (then unreachable))
                    (local.set $at (i32.add (local.get $at) (i32.const 1)))
                    (br_if $search (i32.lt_u (local.get $at) (i32.const 131000))))
                (i32.const 2048)))"#
        )
    }
}
