use super::*;

/// Elements by name, with the texts of their repetitions.
struct Fields<'f>(&'f [(&'f str, &'f [&'f str])]);

impl Elements for Fields<'_> {
    fn texts(&self, reference: &Reference) -> Vec<String> {
        let numbers: Vec<String> = reference.numbers.iter().map(u32::to_string).collect();
        let name = format!("{} {}", reference.name, numbers.join("."));
        let found = self.0.iter().find(|it| it.0 == name.trim());
        found.map_or_else(Vec::new, |it| it.1.iter().map(|text| (*text).to_owned()).collect())
    }
}

#[track_caller]
fn check(condition: &str, elements: &[(&str, &[&str])]) -> bool {
    Condition::read(condition).expect("a condition").holds(&Fields(elements))
}

#[test]
fn the_grammar_is_read() {
    let a = &[("PV1 2.1", &["P"][..])];
    assert!(check("", a) && check("IF PV1-2.1 EQUALS \"P\"", a));
    assert!(!check("IF PV1-2.1 NOT EQUALS \"P\"", a));
    assert!(
        check("IF PV1-2.1 IN (\"O\", \"P\")", a) && !check("IF PV1-2.1 NOT IN (\"O\",\"P\")", a)
    );
    assert!(check("IF PV1-3 NOT VALUED", a) && !check("IF PV1-3 VALUED", a));
    assert!(check("IF PV1-3 VALUED OR (PV1-2.1 VALUED AND PV1-4 NOT VALUED)", a));
    assert!(check("IF NOT (PV1-3 VALUED OR PV1-4 VALUED)", a));
}

#[test]
fn what_is_written_beside_the_grammar_is_read() {
    let sn = &[("OBX 2", &["SN"][..]), ("OBX 5.1", &["<>"]), ("OBX 5", &["<>"])];
    assert!(check("IF (OBX-2 EQUALS \"SN\"  AND OBX-5.1  EQUALS \"<>\"", sn));
    assert!(check("IF OBX-5 LST.count LESS THAN OR EQUALS 1 OR OBX-2 IS \"NA\"", sn));
    assert!(!check("IF  OBX-5 LST.count GREATER THAN 1 AND OBX-2 IS NOT \"NA\"", sn));
    assert!(check("IF OBX-5 LENGTH GREATER THAN 1 AND OBX-5 COUNT=1", sn));
    let pl = &[("PL 2", &["B"][..]), ("HD 3", &["ISO"])];
    assert!(!check("IF PL.1 AND PL.2 AND PL.3 NOT VALUED", pl));
    assert!(check("IF PL.1 AND PL.3 AND PL.4 NOT VALUED", pl));
    assert!(check("IF PL.1 OR PL.2 IS VALUED", pl));
    assert!(!check("IF PID-33 AND PID-34 VALUED", pl));
    assert!(check("IF HD.1 NOT VALUED AND IF HD-3 = \"ISO\"", pl));
    assert!(check("IF PL.2 VALUED AND PL.1 NOT VALUED AND PL3.NOT VALUED", pl));
    assert!(check("IF XCN.19 NOT VALUED XCN.20 NOT VALUED", pl));
    assert!(check("IF XCN.19 DOES NOT EXIST AND IF XCN.20 DOES NOT EXIST", pl));
    assert!(!check("IF ORC VALUED", pl));
}

#[test]
fn a_row_asks_of_its_own_element_where_it_names_none() {
    let own = &[("", &["DNS"][..])];
    assert!(!check("IF NOT VALUED", own));
    assert!(!check("IF NOT VALUED OR NOT IN (\"ISO\", \"UUID\", \"DNS\", \"URI\")", own));
    assert!(check("IF NOT EQUAL TO \"=\"", own));
}

#[test]
fn an_element_is_compared_with_another() {
    let one = &[("PID 11.9", &["AT"][..]), ("PID 12", &["DE"])];
    assert!(check("IF PID-11.9 IS VALUED NOT EQUAL PID-12", one));
    let same = &[("PID 11.9", &["AT"][..]), ("PID 12", &["AT"])];
    assert!(!check("IF PID-11.9 IS VALUED NOT EQUAL PID-12", same));
}

#[test]
fn what_cannot_be_read_is_an_error() {
    assert!(Condition::read("IF CX.4 IN http://hl7.org/registry.html").is_err());
    assert!(Condition::read("If it is so").is_err());
}
