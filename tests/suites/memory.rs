//! The demo's mapping never has a patient's value in its memory: not only is none in its output.
//!
//! Nobody can look into a plugin from outside, so the plugin is made to show itself: its core module
//! is taken out of the shipped component, and its `run` is wrapped in one that maps the message as
//! always and then hands back the whole linear memory in place of the result. Engine, pool, code and
//! budget are the product's own. What is freed is searched too, since nothing overwrites it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use hilum_contract::World;
use hilum_message::{Message, TimeZone};
use hilum_policy::{Class, Grant, Input, Policy, RunSeed, Sight};
use hilum_sandbox::{Answered, Budget, Call, Facts, MANIFEST_SECTION, Package, Plugin, Sandbox};
use hilum_tests::repository;
use hilum_words::{MessageId, Timestamp};
use wasm_encoder::{
    CodeSection, ComponentSection, CustomSection, ExportKind, ExportSection, Function,
    FunctionSection, MemArg, Module, RawSection,
};
use wasmparser::{ExternalKind, Parser, Payload, TypeRef};

const RUN: &str = "hilum:plugin/transform@0.1.0#run";

/// Values that stand in the message and nowhere else in the world.
const MARKED: &[&str] = &[
    "Zwiebelfisch",
    "Hildegunde",
    "Kaspressknoedel",
    "MRN88172635",
    "19470229",
    "1947-02-28",
    "Schnurrbartgasse",
    "Oberunterbach",
    "4499887766",
    "VISIT55443322",
    "Geheimnotiz",
];

const MESSAGE: &str = "MSH|^~\\&|ADT|ST-ANNA|HILUM|ST-ANNA|20261124090000+0100||ADT^A01^ADT_A01|CANARY1|P|2.5.1\r\
    EVN|A01|20261124090000+0100\r\
    PID|1||MRN88172635^^^ST-ANNA^MR||Zwiebelfisch^Hildegunde^Kaspressknoedel||19470228|F|||Schnurrbartgasse 9^^Oberunterbach^^7777^AUT||4499887766\r\
    NK1|1|Zwiebelfisch^Kaspressknoedel|SPO||4499887766\r\
    PV1|1|I|2W^204^A^ST-ANNA||||||||||||||||VISIT55443322^^^ST-ANNA^VN\r\
    NTE|1||Geheimnotiz ueber Zwiebelfisch\r\
    ZPI|1|Geheimnotiz|Zwiebelfisch\r";

/// The first core module inside a component: the plugin's own code.
fn core_module(component: &[u8]) -> &[u8] {
    Parser::new(0)
        .parse_all(component)
        .find_map(|payload| match payload.expect("a component") {
            Payload::ModuleSection { unchecked_range, .. } => component.get(unchecked_range),
            _ => None,
        })
        .expect("a core module")
}

/// What has to be known of a module before it can be written anew.
#[derive(Default)]
struct Known {
    imported: u32,
    types: Vec<u32>,
    /// The function that is exported as `run`.
    run: u32,
}

impl Known {
    fn of(core: &[u8]) -> Self {
        let mut known = Self::default();
        for payload in Parser::new(0).parse_all(core) {
            match payload.expect("a module") {
                Payload::ImportSection(section) => {
                    let imports = section.into_imports().map(|it| it.expect("an import").ty);
                    let functions = imports.filter(|ty| matches!(ty, TypeRef::Func(_))).count();
                    known.imported = u32::try_from(functions).expect("fits");
                }
                Payload::FunctionSection(section) => {
                    known.types = section.into_iter().map(|it| it.expect("a function")).collect();
                }
                Payload::ExportSection(section) => {
                    let mut exports = section.into_iter().map(|it| it.expect("an export"));
                    known.run = exports.find(|it| it.name == RUN).expect("run is exported").index;
                }
                _ => {}
            }
        }
        known
    }

    /// The index that the next function gets.
    fn next(&self) -> u32 {
        self.imported + u32::try_from(self.types.len()).expect("fits")
    }
}

/// The module with `run` wrapped: it does its work, and then hands back the whole memory as one
/// output.
fn witness(core: &[u8]) -> Vec<u8> {
    let known = Known::of(core);
    let mut module = Module::new();
    for payload in Parser::new(0).parse_all(core) {
        match payload.expect("a module") {
            Payload::FunctionSection(_) => {
                let mut functions = FunctionSection::new();
                let run = known.types[(known.run - known.imported) as usize];
                for ty in known.types.iter().chain([&run]) {
                    functions.function(*ty);
                }
                module.section(&functions);
            }
            Payload::ExportSection(section) => module_exports(section, &known, &mut module),
            Payload::CodeSectionStart { range, .. } => {
                let mut code = CodeSection::new();
                let reader = wasmparser::BinaryReader::new(&core[range.clone()], range.start);
                for body in wasmparser::CodeSectionReader::new(reader).expect("code") {
                    code.raw(&core[body.expect("a body").range()]);
                }
                code.function(&wrapper(known.run));
                module.section(&code);
            }
            Payload::CodeSectionEntry(_) | Payload::CustomSection(_) => {}
            payload => {
                if let Some((id, range)) = payload.as_section() {
                    module.section(&RawSection { id, data: &core[range] });
                }
            }
        }
    }
    let world = World::Transformer.component_type();
    module.section(&CustomSection { name: "component-type".into(), data: Cow::Borrowed(world) });
    module.finish()
}

fn module_exports(
    section: wasmparser::ExportSectionReader<'_>,
    known: &Known,
    module: &mut Module,
) {
    let mut kept = ExportSection::new();
    for export in section.into_iter().map(|it| it.expect("an export")) {
        let index = if export.name == RUN { known.next() } else { export.index };
        let kind = match export.kind {
            // `cabi_post_…` would free a result that is not the one it knows.
            ExternalKind::Func if export.name.starts_with("cabi_post_") => continue,
            ExternalKind::Func => ExportKind::Func,
            ExternalKind::Memory => ExportKind::Memory,
            _ => continue,
        };
        kept.export(export.name, kind, index);
    }
    module.section(&kept);
}

fn wrapper(run: u32) -> Function {
    let at = |offset| MemArg { offset, align: 2, memory_index: 0 };
    let mut wrapper = Function::new([(1, wasm_encoder::ValType::I32)]);
    wrapper
        .instructions()
        .call(run)
        .drop()
        // The answer goes to a page of its own, behind all there is.
        .memory_size(0)
        .i32_const(16)
        .i32_shl()
        .local_set(0)
        .i32_const(1)
        .memory_grow(0)
        .i32_const(-1)
        .i32_eq()
        .if_(wasm_encoder::BlockType::Empty)
        .unreachable()
        .end()
        // ok, a list of one output that stands 32 bytes further on.
        .local_get(0)
        .local_get(0)
        .i32_const(32)
        .i32_add()
        .i32_store(at(4))
        .local_get(0)
        .i32_const(1)
        .i32_store(at(8))
        // Its body is bytes, from 0, as long as the memory was.
        .local_get(0)
        .local_get(0)
        .i32_store(at(32 + 28))
        .local_get(0)
        .end();
    wrapper
}

/// The shipped plugin, made to show itself.
pub(crate) fn shown(sandbox: &Sandbox, shipped: &Package) -> Plugin {
    let encoder = wit_component::ComponentEncoder::default().validate(true);
    let module = witness(core_module(&shipped.bytes));
    let mut component = encoder.module(&module).expect("it fits").encode().expect("a component");
    let manifest = format!(
        "[plugin]\nname = \"test/witness\"\nversion = \"1.0.0\"\ncontract = \"{}\"\n",
        World::Transformer.id()
    );
    CustomSection { name: MANIFEST_SECTION.into(), data: Cow::Borrowed(manifest.as_bytes()) }
        .append_to_component(&mut component);
    let package = Package::read(component.into(), sandbox.limits().component_bytes_max);
    sandbox.load(&package.expect("a package")).expect("a plugin")
}

fn call(grant: &Grant) -> Call {
    let message =
        Message::parse("hl7v2", Bytes::from_static(MESSAGE.as_bytes())).expect("a message");
    let policy = Policy::new(TimeZone::named("Europe/Vienna").expect("a time zone"));
    Call {
        view: policy.view(Input::Message(Arc::new(message)), grant, RunSeed([3; 16]), 0),
        facts: Facts { id: MessageId::from_bits(7), received: Timestamp::from_micros(0) },
        settings: Arc::default(),
        tables: Arc::new(BTreeMap::new()),
        tables_known: Arc::default(),
    }
}

fn holds(memory: &[u8], value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    memory.windows(value.len()).any(|it| it == value.as_bytes())
}

#[test]
fn no_marked_value_is_in_the_memory_of_the_demos_mapping() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let sandbox =
        Sandbox::new(&hilum_env::system::doors(runtime.handle().clone())).expect("a sandbox");
    let file = repository().join("examples/st-anna/plugins/adt-to-fhir.wasm");
    let bytes = std::fs::read(file).expect("`make plugins` builds it");
    let package = Package::read(bytes.into(), sandbox.limits().component_bytes_max);
    let shipped = package.expect("a package");
    let budget = Budget { output_bytes: 64 << 20, ..Budget::GATEWAY_MAX };

    // It maps: otherwise its memory says nothing.
    let sealed = Grant::sealed_by_default();
    let mapped = sandbox.load(&shipped).expect("a plugin").call(call(&sealed), &budget);
    assert!(matches!(&mapped.result, Ok(Answered::Mapped(made)) if made.len() == 1));

    let witness = shown(&sandbox, &shipped);
    let memory = |grant: &Grant| match witness.call(call(grant), &budget).result {
        Ok(Answered::Mapped(made)) => made[0].body.to_ascii_lowercase(),
        other => panic!("it shows its memory, not {other:?}"),
    };
    let blind = memory(&sealed);
    assert!(holds(&blind, "resourceType"), "the mapping was made in there");
    for value in MARKED {
        assert!(!holds(&blind, value), "{value} is in the plugin's memory");
    }
    // The same search finds what is granted.
    let seeing = memory(&sealed.with(Class::Name, Sight::Open));
    assert!(holds(&seeing, "Zwiebelfisch"));
    assert!(!holds(&seeing, "Oberunterbach"));
}
