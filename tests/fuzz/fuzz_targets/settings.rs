//! Whatever is typed, both programs start with a meaning or say what is wrong.

#![no_main]

mod texts;

use announcer::args::ConfigFile;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use model::settings::Setting;
use texts::Text;

/// What the text of the file is read as; it is never opened.
const FILE: &str = "settings.yaml";

#[derive(Debug, Arbitrary)]
struct Input {
    arguments: Vec<Argument>,
    environment: Vec<(Name, Text)>,
    host: Text,
    pod_namespace: Option<Text>,
    file: Text,
}

#[derive(Debug, Arbitrary)]
enum Argument {
    Flag(u8),
    Assigned(u8, Text),
    Word(Text),
}

#[derive(Debug, Arbitrary)]
enum Name {
    Known(u8),
    Raw(String),
}

fuzz_target!(|input: Input| {
    let announcer = announcer::args::table();
    let (arguments, environment) = typed(&input, &announcer);
    let around = announcer::args::Surroundings {
        environment,
        host: input.host.read(),
        pod_namespace: input.pod_namespace.as_ref().map(Text::read),
        file: Some(ConfigFile { path: FILE.to_owned(), text: Ok(input.file.read()) }),
    };
    let arguments = [vec![format!("--config-file={FILE}")], arguments].concat();
    check(announcer::args::read(&arguments, &around).map_err(|error| error.0));
    let (arguments, environment) = typed(&input, cloud_provider::args::SETTINGS);
    let read = cloud_provider::args::read(&arguments, &environment, &around.host);
    check(read.map_err(|error| error.0));
});

fn check<T>(read: Result<T, Vec<String>>) {
    if let Err(faults) = read {
        assert!(!faults.is_empty() && faults.iter().all(|fault| !fault.is_empty()), "{faults:?}");
    }
}

/// Arguments and environment as the input has them, with the names of `settings`.
fn typed(input: &Input, settings: &[Setting]) -> (Vec<String>, Vec<(String, String)>) {
    let setting = |number: u8| &settings[usize::from(number) % settings.len()];
    let argument = |argument: &Argument| match argument {
        Argument::Flag(number) => format!("--{}", setting(*number).flag),
        Argument::Assigned(number, text) => format!("--{}={}", setting(*number).flag, text.read()),
        Argument::Word(text) => text.read(),
    };
    let name = |name: &Name| match name {
        Name::Known(number) => setting(*number).variable.to_owned(),
        Name::Raw(text) => text.clone(),
    };
    let variable = |(key, text): &(Name, Text)| (name(key), text.read());
    (
        input.arguments.iter().map(argument).collect(),
        input.environment.iter().map(variable).collect(),
    )
}
