//! The bundle of a message: the segments' maps in the order in which their resources refer to each
//! other. Specimens come first, then what was found in them, then the order, then the report.

use hilum_sdk::hl7::{Field, Segment};
use hilum_sdk::v2_to_fhir::bundle::Urn;
use hilum_sdk::v2_to_fhir::segments::obr::{self, Made, Order};
use hilum_sdk::v2_to_fhir::segments::obx::{self, Keys, Observed};
use hilum_sdk::v2_to_fhir::segments::{in1, msh, nk1, pd1, pid, prt, pv1};
use hilum_sdk::v2_to_fhir::{Bundle, Context, Refs, row};
use hilum_sdk::{Refusal, Writer, is_token};

use crate::groups::{Observation, OrderGroup, PatientResult};

/// The map of the message: its rows by number.
macro_rules! at {
    ($number:literal) => {
        concat!("messages/ORU_R01#", $number)
    };
}

/// Everything that the message's map says.
pub fn bundle<'m>(
    ctx: &'m Context<'m>,
    msh: Segment<'m>,
    results: &[PatientResult<'m>],
) -> Result<Bundle<'m>, Refusal> {
    let mut bundle = Bundle::new(ctx);
    bundle.head(|w| msh::bundle(w, msh, ctx));
    row(at!(1), true);
    let mut of_message = OfMessage::default();
    for result in results {
        of_message.patient_result(&mut bundle, result)?;
    }
    // These stand in a bundle of type message alone.
    if ctx.setting("message").is_some() {
        row(at!(2), msh::message_header(&mut bundle, msh, &of_message.reports).is_some());
        let software = [at!(6), at!(5)];
        row(at!(3), msh::source(&mut bundle, msh, software).is_some());
        row(at!(4), msh::transformation(&mut bundle, msh, "Hilum oru-to-fhir").is_some());
    }
    Ok(bundle)
}

/// What was made so far.
#[derive(Default)]
struct OfMessage {
    reports: Vec<Urn>,
    orders: usize,
    specimens: usize,
    /// Keys of the orders: two of the same number and code are told apart, if they are open.
    keys: Vec<String>,
}

/// The specimens of one order.
#[derive(Default)]
struct Specimens {
    /// What OBR says.
    of_order: Option<Urn>,
    /// One for each SPM.
    of_segments: Vec<Option<Urn>>,
}

impl Specimens {
    fn all(&self) -> Vec<Urn> {
        self.of_order.iter().chain(self.of_segments.iter().flatten()).cloned().collect()
    }

    /// The one that was examined: of several SPM nobody knows which.
    fn examined(&self) -> Option<&str> {
        match self.of_segments.as_slice() {
            [] => self.of_order.as_deref(),
            [only] => only.as_deref(),
            _ => None,
        }
    }
}

/// A result that others may be a part of.
struct Parent<'m> {
    code: &'m str,
    sub: &'m str,
    urn: Urn,
}

impl OfMessage {
    fn patient_result<'m>(
        &mut self,
        bundle: &mut Bundle<'m>,
        result: &PatientResult<'m>,
    ) -> Result<(), Refusal> {
        if let Some(pid) = result.pid {
            patient(bundle, result, pid)?;
        }
        if let Some(pv1) = result.pv1 {
            visit(bundle, result, pv1);
        }
        let mut keys = Keys::new();
        for observed in &result.observations {
            let mut key = keys.key(observed.obx);
            // Without an order it is the time that tells it from the next one of its kind.
            if let Some(time) = observed.obx.field(14).text() {
                key.push('-');
                key.push_str(&time);
            }
            let it = Observed { has_encounter: false, ..of(observed, &key) };
            let made = obx::observation(bundle, &it).is_some();
            row(of_count(observed.obx, [at!(21), at!(22)]), made);
            participants(observed, [at!(23), at!(24), at!(25)], made);
        }
        let mut parents = Vec::new();
        for order in &result.orders {
            self.order(bundle, order, &mut parents);
        }
        Ok(())
    }

    fn order<'m>(
        &mut self,
        bundle: &mut Bundle<'m>,
        group: &OrderGroup<'m>,
        parents: &mut Vec<Parent<'m>>,
    ) {
        self.orders += 1;
        let key = self.key(group);
        let order = Order {
            orc: group.orc,
            obr: group.obr,
            notes: &group.notes,
            participations: &group.participations,
            timings: &group.timings,
            key: &key,
            number: self.orders,
        };
        let specimens = self.specimens(bundle, group, &order);
        let only = specimens.examined();
        let parent = group.obr.and_then(|obr| parent(obr, parents));
        let mut keys = Keys::new();
        let [mut results, mut answers] = [Vec::new(), Vec::new()];
        for observed in &group.observations {
            let key = [&key, "-", &keys.key(observed.obx)].concat();
            let it = Observed {
                specimen: only,
                derived_from: parent.as_deref(),
                observed_at: group.obr.map_or(Field::EMPTY, |obr| obr.field(7)),
                ..of(observed, &key)
            };
            let made = obx::observation(bundle, &it);
            let is_answer = matches!(observed.obx.field(29).code(), Some("QST" | "SCI"));
            let rows = if is_answer { [at!(63), at!(64)] } else { [at!(61), at!(62)] };
            row(of_count(observed.obx, rows), made.is_some());
            participants(observed, [at!(65), at!(66), at!(67)], made.is_some());
            row(at!(68), made.is_some() && !observed.notes.is_empty());
            let Some(urn) = made else {
                continue;
            };
            let [code, sub] = [3, 4].map(|it| observed.obx.field(it).code().unwrap_or_default());
            parents.push(Parent { code, sub, urn: urn.clone() });
            if is_answer { answers.push(urn) } else { results.push(urn) }
        }
        self.specimen_observations(bundle, group, &key, &specimens, &mut keys);
        let specimens = specimens.all();

        let made =
            Made { specimens: &specimens, results: &results, answers: &answers, ..Made::default() };
        let request = request(bundle, &order, &made);
        let participates = |codes: &[&str]| {
            let mut roles =
                group.participations.iter().filter_map(|it| it.field(4).component(1).code());
            roles.any(|it| codes.contains(&it))
        };
        row(at!(39), request.is_some() && group.orc.is_some());
        row(at!(49), request.is_some() && group.orc.is_some() && group.obr.is_some());
        row(at!(40), request.is_some() && participates(&["OP"]));
        row(at!(54), request.is_some() && participates(&["OP"]));
        if group.obr.is_none() && results.is_empty() && group.orc.is_some() {
            return;
        }
        let made = Made { request: request.as_deref(), ..made };
        let report = obr::diagnostic_report(bundle, &order, &made);
        row(at!(38), report.is_some() && group.orc.is_some());
        row(at!(47), report.is_some() && group.obr.is_some());
        row(at!(51), report.is_some() && participates(&["ARI", "TN", "TR"]));
        row(at!(52), report.is_some() && participates(&["PRI"]));
        self.reports.extend(report);
    }

    /// What tells an order from the others of the patient, whenever the message or a correction of it
    /// comes again: the laboratory's number and the code; else the sender's number; else the time.
    fn key(&mut self, group: &OrderGroup<'_>) -> String {
        let field = |segment: Option<Segment<'_>>, number| {
            segment.and_then(|it| it.field(number).text().map(std::borrow::Cow::into_owned))
        };
        let number = |at| field(group.orc, at).or_else(|| field(group.obr, at));
        let number = number(3).or_else(|| number(2)).or_else(|| field(group.obr, 7));
        let mut key = number.unwrap_or_default();
        if let Some(code) = field(group.obr, 4) {
            key.push('-');
            key.push_str(&code);
        }
        let known = self.keys.iter().filter(|it| **it == key).count();
        self.keys.push(key.clone());
        if 0 < known {
            key.push('-');
            key.push_str(&(known + 1).to_string());
        }
        key
    }

    /// One specimen for each SPM. What OBR says of one is a specimen of its own, as the guide has it; but
    /// if that is only when it was taken, it is told of the first SPM.
    fn specimens<'m>(
        &mut self,
        bundle: &mut Bundle<'m>,
        group: &OrderGroup<'m>,
        order: &Order<'_, 'm>,
    ) -> Specimens {
        let mut made = Specimens::default();
        let is_own = match group.specimens.is_empty() {
            true => obr::has_specimen(order),
            false => obr::is_described(order),
        };
        if is_own {
            self.specimens += 1;
            made.of_order = obr::specimen(bundle, order, None, order.key, self.specimens);
        }
        for (number, specimen) in group.specimens.iter().enumerate() {
            self.specimens += 1;
            let key = [order.key, "-", &(number + 1).to_string()].concat();
            let alone = Order { key: order.key, ..Order::default() };
            let order = if number == 0 && !is_own { order } else { &alone };
            let spm = Some(specimen.spm);
            made.of_segments.push(obr::specimen(bundle, order, spm, &key, self.specimens));
        }
        let is_told = made.of_segments.first().is_some_and(Option::is_some) && !is_own;
        row(at!(48), made.of_order.is_some() || is_told);
        row(at!(73), made.of_segments.iter().any(Option::is_some));
        made
    }

    /// What was observed of the specimens themselves.
    fn specimen_observations<'m>(
        &mut self,
        bundle: &mut Bundle<'m>,
        group: &OrderGroup<'m>,
        key: &str,
        specimens: &Specimens,
        keys: &mut Keys<'m>,
    ) {
        for (number, specimen) in group.specimens.iter().enumerate() {
            for observed in &specimen.observations {
                let key = [key, "-", &keys.key(observed.obx)].concat();
                let focus = specimens.of_segments.get(number).and_then(Option::as_deref);
                let it = Observed { focus, ..of(observed, &key) };
                let made = obx::observation(bundle, &it).is_some();
                row(of_count(observed.obx, [at!(75), at!(76)]), made);
            }
        }
    }
}

fn of<'a, 'm>(observed: &'a Observation<'m>, key: &'a str) -> Observed<'a, 'm> {
    Observed {
        participations: &observed.participations,
        notes: &observed.notes,
        ..Observed::new(observed.obx, key)
    }
}

/// The row for one value, or the one for several.
fn of_count(obx: Segment<'_>, [one, several]: [&'static str; 2]) -> &'static str {
    if obx::has_components(obx) { several } else { one }
}

/// Rows for a device, a place and a person.
fn participants(
    observed: &Observation<'_>,
    [device, place, person]: [&'static str; 3],
    made: bool,
) {
    for prt in &observed.participations {
        row(device, made && prt.is_valued(10));
        row(place, made && (prt.is_valued(9) || prt.is_valued(14)));
        row(person, made && prt.is_valued(5));
    }
}

/// The order as a resource: where there is an ORC, as the guide says; and where OBR alone says who
/// ordered, or by what number. The setting `orders = "none"` is for receivers that have them.
fn request(bundle: &mut Bundle<'_>, order: &Order<'_, '_>, made: &Made<'_>) -> Option<Urn> {
    if bundle.ctx().setting("orders").as_deref() == Some("none") {
        return None;
    }
    let is_known = order.obr.is_some_and(|obr| obr.is_valued(2) || obr.is_valued(16));
    if order.orc.is_none() && !is_known && made.answers.is_empty() && order.notes.is_empty() {
        return None;
    }
    obr::service_request(bundle, order, made)
}

/// OBR-26 names the result that this order's results are a part of, by code and sub-identifier: an
/// organism, whose susceptibilities these are. What is sealed of it cannot be compared.
fn parent(obr: Segment<'_>, parents: &[Parent<'_>]) -> Option<Urn> {
    let result = obr.field(26);
    let code = result.component(1).component(1).code()?;
    let sub = result.component(2).code().unwrap_or_default();
    let is_it = |it: &&Parent<'_>| {
        it.code == code && (sub.is_empty() || is_token(sub) || is_token(it.sub) || it.sub == sub)
    };
    let mut found = parents.iter().filter(is_it);
    match (found.next(), found.next()) {
        (Some(only), None) => Some(only.urn.clone()),
        _ => None,
    }
}

/// The Patient. A result says less of a patient than the registry knows, so that one that is there
/// stays as it is; the setting `demographics = "update"` is for receivers that have no other source.
fn patient<'m>(
    bundle: &mut Bundle<'m>,
    result: &PatientResult<'m>,
    pid: Segment<'m>,
) -> Result<(), Refusal> {
    let ctx = bundle.ctx();
    let identifier = pid::key(pid, ctx)?;
    let made = bundle.patient(identifier, |w, refs| fill_patient(w, refs, result, pid));
    row(at!(10), made.is_some());
    keep(bundle, made);
    if ctx.setting("message").is_some() {
        row(at!(11), pid::updated(bundle, pid).is_some());
    }
    pid::mother(bundle, pid);
    if let Some(account) = pid::account(bundle, pid) {
        keep(bundle, Some(account));
    }
    if let Some(pd1) = result.pd1 {
        row(at!(13), pd1::living_will(bundle, pd1).is_some());
    }
    for (number, nk1) in result.nk1.iter().enumerate() {
        row(at!(17), nk1::related_person(bundle, *nk1, number + 1).is_some());
    }
    for prt in result.participations.iter().filter(|it| !prt::is_general_practitioner(**it)) {
        row(at!(15), prt::related_person(bundle, *prt).is_some());
    }
    Ok(())
}

fn keep(bundle: &mut Bundle<'_>, made: Option<Urn>) {
    if let Some(urn) = made
        && bundle.ctx().setting("demographics").as_deref() != Some("update")
    {
        bundle.keep(&urn);
    }
}

fn fill_patient<'m>(
    w: &mut Writer,
    refs: &mut Refs<'_, 'm>,
    result: &PatientResult<'m>,
    pid: Segment<'m>,
) {
    w.array("extension", |w| {
        pid::extensions(w, refs, pid);
        if let Some(pd1) = result.pd1 {
            pd1::extensions(w, refs, pd1);
        }
        if let Some(pv1) = result.pv1 {
            pv1::importance(w, refs, pv1);
            row(at!(30), true);
        }
    });
    pid::patient(w, refs, pid);
    w.array("generalPractitioner", |w| {
        if let Some(pd1) = result.pd1 {
            pd1::general_practitioners(w, refs, pd1);
            row(at!(12), true);
        }
        for prt in result.participations.iter().filter(|it| prt::is_general_practitioner(**it)) {
            row(at!(14), prt::general_practitioner(w, refs, *prt));
        }
    });
    w.array("contact", |w| {
        for nk1 in &result.nk1 {
            row(at!(18), nk1::contact(w, refs, *nk1));
        }
    });
}

/// The Encounter, and what else the visit says.
fn visit<'m>(bundle: &mut Bundle<'m>, result: &PatientResult<'m>, pv1: Segment<'m>) {
    let visit = pv1::Visit { pv1, pv2: result.pv2, pv2_row: at!(32), status: None };
    let name = ["Encounter[", &pv1.number().to_string(), "]"].concat();
    let encounter = pv1::encounter(
        bundle,
        &name,
        &visit,
        &mut |w, refs| {
            for prt in &result.visit_participations {
                row(at!(33), participant(w, refs, *prt));
            }
        },
        &mut |_, _| {},
    );
    row(at!(28), encounter.is_some());
    keep(bundle, encounter);
    row(at!(29), pv1::history(bundle, pv1).is_some());
    if pv1.is_valued(20) {
        row(at!(31), in1::coverage_of_class(bundle, pv1).is_some());
    }
}

/// Somebody who took part in the visit: an element of `participant`.
fn participant<'m>(w: &mut Writer, refs: &mut Refs<'_, 'm>, prt: Segment<'m>) -> bool {
    w.element_if(|w| prt::practitioner_role(w, "individual", refs, prt))
}
