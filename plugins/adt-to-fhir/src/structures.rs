//! The guide's message maps (`messages/ADT_…`): which map takes an event, and the ids of its rows.

/// One message map.
pub struct Structure {
    /// MSH becomes the Bundle, the MessageHeader, and two Provenances: whence, and by whom made.
    pub bundle: &'static str,
    pub header: &'static str,
    pub source: &'static str,
    pub transformation: &'static str,
    /// MSH becomes the Encounter's status.
    pub status: Option<&'static str>,
    /// SFT becomes a Device: of the software that wrote the message, and of those that handed it on.
    pub software: [&'static str; 2],
    /// EVN and MSH become the Provenance of the event.
    pub event: &'static str,
    pub operator: &'static str,
    /// What follows a PID, for the first and the second in a message.
    pub persons: &'static [Person],
}

/// The rows of a patient and what belongs to the patient. None: the map has no such row.
#[derive(Clone, Copy)]
pub struct Person {
    pub patient: &'static str,
    pub account: &'static str,
    pub updated: &'static str,
    pub demographics: &'static str,
    pub living_will: Option<&'static str>,
    /// ROL behind PID and PD1: the general practitioner, and the care team.
    pub roles: Option<[&'static str; 2]>,
    /// PRT behind PID and PD1, likewise.
    pub participations: Option<[&'static str; 2]>,
    pub merged_account: Option<&'static str>,
    pub relative: Option<Relative>,
    pub encounter: &'static str,
    pub history: Option<&'static str>,
    pub importance: &'static str,
    pub class: Option<&'static str>,
    pub visit: &'static str,
    /// ROL behind PV1 and PV2.
    pub visit_role: Option<&'static str>,
    /// OBX with one value, and with several.
    pub observation: [&'static str; 2],
    pub allergy: Option<&'static str>,
    /// DG1 becomes a Condition, and a diagnosis of the Encounter.
    pub diagnosis: Option<[&'static str; 2]>,
    pub procedure: Option<&'static str>,
    pub coverage: Option<&'static str>,
    pub case_manager: Option<&'static str>,
}

/// The rows of NK1.
#[derive(Clone, Copy)]
pub struct Relative {
    pub person: &'static str,
    /// As a contact of the Patient: of a relative, and of an organization.
    pub contact: [&'static str; 2],
    /// Whether an organization (NK1-3: employer, insurance and the like) is no RelatedPerson.
    pub is_person_only: bool,
}

/// The map for an event of MSH-9.2; none: the guide has none.
pub fn of_event(event: &str) -> Option<&'static Structure> {
    Some(match event {
        "A01" | "A04" | "A08" | "A13" => &A01,
        // The guide has no ADT_A03. Its segments are those of ADT_A01, and so are their meanings.
        "A03" => &A03,
        "A02" => &A02,
        "A05" | "A14" | "A28" | "A31" => &A05,
        "A06" | "A07" => &A06,
        // Since 2.5 A12 has a structure of its own, with the segments of ADT_A09.
        "A09" | "A10" | "A12" => &A09,
        "A11" => &A11,
        "A17" => &A17,
        _ => return None,
    })
}

/// The id of a row of `messages/ADT_…`.
macro_rules! at {
    ($map:literal, $number:literal) => {
        concat!("messages/ADT_", $map, "#", $number)
    };
}

macro_rules! heads {
    ($map:literal, $($key:ident: $value:expr),* $(,)?) => {
        Structure {
            bundle: at!($map, 1),
            header: at!($map, 2),
            source: at!($map, 3),
            transformation: at!($map, 4),
            status: None,
            software: [at!($map, 7), at!($map, 6)],
            event: at!($map, 9),
            operator: at!($map, 10),
            $($key: $value),*
        }
    };
}

const A01: Structure = heads!("A01", persons: &[Person {
    patient: at!("A01", 11),
    account: at!("A01", 12),
    updated: at!("A01", 13),
    demographics: at!("A01", 14),
    living_will: Some(at!("A01", 15)),
    roles: Some([at!("A01", 21), at!("A01", 22)]),
    participations: Some([at!("A01", 23), at!("A01", 24)]),
    merged_account: None,
    relative: Some(Relative {
        person: at!("A01", 26),
        contact: [at!("A01", 27), at!("A01", 28)],
        is_person_only: true,
    }),
    encounter: at!("A01", 32),
    history: Some(at!("A01", 33)),
    importance: at!("A01", 34),
    class: Some(at!("A01", 35)),
    visit: at!("A01", 36),
    visit_role: Some(at!("A01", 38)),
    observation: [at!("A01", 42), at!("A01", 43)],
    allergy: Some(at!("A01", 46)),
    diagnosis: Some([at!("A01", 48), at!("A01", 49)]),
    procedure: Some(at!("A01", 53)),
    coverage: Some(at!("A01", 59)),
    case_manager: Some(at!("A01", 61)),
}]);

const A02: Structure = heads!("A02", persons: &[Person {
    patient: at!("A02", 11),
    account: at!("A02", 12),
    updated: at!("A02", 13),
    demographics: at!("A02", 14),
    living_will: Some(at!("A02", 15)),
    roles: Some([at!("A02", 21), at!("A02", 22)]),
    participations: Some([at!("A02", 23), at!("A02", 24)]),
    encounter: at!("A02", 25),
    history: Some(at!("A02", 26)),
    importance: at!("A02", 27),
    class: Some(at!("A02", 28)),
    visit: at!("A02", 29),
    visit_role: Some(at!("A02", 31)),
    observation: [at!("A02", 35), at!("A02", 36)],
    ..SHORT
}]);

const A05: Structure = heads!("A05", persons: &[Person {
    patient: at!("A05", 11),
    account: at!("A05", 12),
    updated: at!("A05", 13),
    demographics: at!("A05", 14),
    living_will: Some(at!("A05", 15)),
    roles: Some([at!("A05", 21), at!("A05", 22)]),
    participations: Some([at!("A05", 23), at!("A05", 24)]),
    merged_account: None,
    relative: Some(Relative {
        person: at!("A05", 26),
        contact: [at!("A05", 27), at!("A05", 27)],
        is_person_only: false,
    }),
    encounter: at!("A05", 31),
    history: Some(at!("A05", 32)),
    importance: at!("A05", 33),
    class: Some(at!("A05", 34)),
    visit: at!("A05", 35),
    visit_role: Some(at!("A05", 37)),
    observation: [at!("A05", 41), at!("A05", 42)],
    allergy: Some(at!("A05", 45)),
    diagnosis: Some([at!("A05", 47), at!("A05", 48)]),
    procedure: Some(at!("A05", 52)),
    coverage: Some(at!("A05", 58)),
    case_manager: Some(at!("A05", 60)),
}]);

const A06: Structure = heads!("A06", persons: &[Person {
    patient: at!("A06", 11),
    account: at!("A06", 12),
    updated: at!("A06", 13),
    demographics: at!("A06", 14),
    living_will: Some(at!("A06", 15)),
    roles: Some([at!("A06", 21), at!("A06", 22)]),
    participations: Some([at!("A06", 23), at!("A06", 24)]),
    merged_account: Some(at!("A06", 25)),
    relative: Some(Relative {
        person: at!("A06", 27),
        contact: [at!("A06", 28), at!("A06", 28)],
        is_person_only: false,
    }),
    encounter: at!("A06", 32),
    history: Some(at!("A06", 33)),
    importance: at!("A06", 34),
    class: Some(at!("A06", 35)),
    visit: at!("A06", 36),
    visit_role: Some(at!("A06", 38)),
    observation: [at!("A06", 42), at!("A06", 43)],
    allergy: Some(at!("A06", 46)),
    diagnosis: Some([at!("A06", 48), at!("A06", 49)]),
    procedure: Some(at!("A06", 53)),
    coverage: Some(at!("A06", 59)),
    case_manager: Some(at!("A06", 61)),
}]);

const A09: Structure = heads!("A09", persons: &[Person {
    patient: at!("A09", 11),
    account: at!("A09", 12),
    updated: at!("A09", 13),
    demographics: at!("A09", 14),
    living_will: Some(at!("A09", 15)),
    encounter: at!("A09", 16),
    history: Some(at!("A09", 17)),
    importance: at!("A09", 18),
    class: Some(at!("A09", 19)),
    visit: at!("A09", 20),
    observation: [at!("A09", 23), at!("A09", 24)],
    ..SHORT
}]);

const A11: Structure = Structure {
    bundle: at!("A11", 1),
    header: at!("A11", 2),
    source: at!("A11", 3),
    transformation: at!("A11", 4),
    status: Some(at!("A11", 5)),
    software: [at!("A11", 8), at!("A11", 7)],
    event: at!("A11", 10),
    operator: at!("A11", 11),
    persons: &[Person {
        patient: at!("A11", 12),
        account: at!("A11", 13),
        updated: at!("A11", 14),
        demographics: at!("A11", 15),
        living_will: Some(at!("A11", 16)),
        encounter: at!("A11", 17),
        history: Some(at!("A11", 18)),
        importance: at!("A11", 19),
        class: Some(at!("A11", 20)),
        visit: at!("A11", 21),
        observation: [at!("A11", 24), at!("A11", 25)],
        diagnosis: Some([at!("A11", 27), at!("A11", 28)]),
        ..SHORT
    }],
};

const A17: Structure = heads!("A17", persons: &[
    Person {
        patient: at!("A17", 11),
        account: at!("A17", 12),
        updated: at!("A17", 13),
        demographics: at!("A17", 14),
        living_will: Some(at!("A17", 15)),
        encounter: at!("A17", 16),
        importance: at!("A17", 17),
        visit: at!("A17", 18),
        observation: [at!("A17", 21), at!("A17", 22)],
        ..SHORT
    },
    Person {
        patient: at!("A17", 25),
        account: at!("A17", 26),
        updated: at!("A17", 27),
        demographics: at!("A17", 28),
        encounter: at!("A17", 29),
        history: Some(at!("A17", 30)),
        importance: at!("A17", 31),
        class: Some(at!("A17", 32)),
        visit: at!("A17", 33),
        observation: [at!("A17", 36), at!("A17", 37)],
        ..SHORT
    },
]);

/// ADT_A01, but for the visit: it is over, whatever else the message says.
const A03: Structure = Structure { status: Some(""), ..A01 };

/// The rows that not every map has. What every map has is written in each.
const SHORT: Person = Person {
    patient: "",
    account: "",
    updated: "",
    demographics: "",
    living_will: None,
    roles: None,
    participations: None,
    merged_account: None,
    relative: None,
    encounter: "",
    history: None,
    importance: "",
    class: None,
    visit: "",
    visit_role: None,
    observation: ["", ""],
    allergy: None,
    diagnosis: None,
    procedure: None,
    coverage: None,
    case_manager: None,
};
