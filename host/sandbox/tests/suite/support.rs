//! One sandbox for all tests, and a view to call plugins with.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use hilum_contract::World;
use hilum_env::Doors;
use hilum_message::{Message, TimeZone};
use hilum_policy::{Grant, Input, Policy, RunSeed, View};
use hilum_sandbox::{
    Budget, BudgetAsk, Call, Called, Facts, Package, PackageProblem, Plugin, Sandbox, Table,
};
use hilum_words::{MessageId, Name, Timestamp};

pub use crate::texts::{component, headers, manifest, with_manifest};

/// One gateway's doors and sandbox, shared by all tests of this program.
static GATEWAY: LazyLock<(tokio::runtime::Runtime, Sandbox)> = LazyLock::new(|| {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let doors: Doors = hilum_env::system::doors(runtime.handle().clone());
    let sandbox = Sandbox::new(&doors).expect("a sandbox");
    (runtime, sandbox)
});

pub fn sandbox() -> &'static Sandbox {
    &GATEWAY.1
}

pub fn read(bytes: Vec<u8>) -> Result<Package, PackageProblem> {
    Package::read(Bytes::from(bytes), sandbox().limits().component_bytes_max)
}

/// A plugin of a core module that must be good.
pub fn plugin(text: &str, world: World) -> Plugin {
    let bytes = with_manifest(component(text, Some(world)), &manifest(&world.id(), &[]));
    sandbox().load(&read(bytes).expect("a package")).expect("a plugin")
}

/// What the plugin asks, from a site that allows all that a gateway can.
pub fn budget(package: &Package) -> Budget {
    let max = Budget::GATEWAY_MAX;
    let ask = &package.manifest.budget;
    let site = BudgetAsk {
        fuel: ask.fuel,
        memory_bytes: ask.memory_bytes,
        wall: ask.wall.or(Some(max.wall)),
        output_bytes: ask.output_bytes,
        host_calls: ask.host_calls,
        handles: ask.handles,
        log_bytes: ask.log_bytes,
    };
    Budget::smaller(ask, &site, &max)
}

pub const ADT: &str = "MSH|^~\\&|ADT|ST-ANNA|HILUM|ST-ANNA|20261124090000+0100||ADT^A01^ADT_A01|c1|P|2.5.1\r\
    EVN|A01|20261124090000+0100\r\
    PID|1||4711-0815^^^ST-ANNA^MR||EVERYWOMAN^EVE^E||19800312|F|||Uhlenweg 7^^Wien^^1090^AUT\r\
    NK1|1|EVERYMAN^ADAM\r\
    PV1|1|I|2W^204^A^ST-ANNA|||||||||||1|||||V99001^^^ST-ANNA^VN\r";

pub const SEED: RunSeed = RunSeed([7; 16]);

/// A message as a plugin with this grant sees it.
pub fn view_of(message: &str, grant: &Grant) -> View {
    view_as("hl7v2", message, grant)
}

/// A message of any format as a plugin with this grant sees it.
pub fn view_as(format: &str, message: &str, grant: &Grant) -> View {
    let message = Message::parse(format, Bytes::from(message.to_owned())).expect("a message");
    let policy = Policy::new(TimeZone::named("Europe/Vienna").expect("a time zone"));
    policy.view(Input::Message(Arc::new(message)), grant, SEED, 0)
}

/// A call about [`ADT`] with nothing granted, two tables known and one of them lent.
pub fn call(grant: &Grant) -> Call {
    call_about(ADT, grant)
}

pub fn call_about(message: &str, grant: &Grant) -> Call {
    let rows = [("1".to_owned(), "outp".to_owned()), ("EVERYWOMAN".to_owned(), "found".to_owned())];
    let lent = Arc::new(Table::new(false, rows));
    Call {
        view: view_of(message, grant),
        facts: Facts {
            id: MessageId::new(Timestamp::from_micros(1_795_510_800_000_000), [7; 10]),
            received: Timestamp::from_micros(1_795_510_800_000_000),
        },
        settings: Arc::new(BTreeMap::from([("site".to_owned(), "st-anna".to_owned())])),
        tables: Arc::new(BTreeMap::from([(Name::from("lent"), lent)])),
        tables_known: Arc::new(vec![Name::from("lent"), Name::from("kept")]),
    }
}

/// Calls with nothing granted and the default budget.
pub fn run(plugin: &Plugin) -> Called {
    plugin.call(call(&Grant::sealed_by_default()), &Budget::DEFAULT)
}
