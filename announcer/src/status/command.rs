//! `kube-vip status`: who owns what, why, since when, and who is next, as the process on this host knows it.

use super::text::text;
use crate::args::{self, ConfigFile, Surroundings, admin_address};
use crate::settings::SETTINGS;
use announcer_decide::status::Status;
use model::settings::{Setting, Typed, table};
use shared::about::{self, refuse, say, tell};
use shared::admin::ask::ask;
use shared::output::{OUTPUT, Output, json};
use std::net::SocketAddr;
use std::process::ExitCode;

/// The setting that says where the process is asked.
const ADDRESS: &str = "prometheusHTTPServer";

/// Everything that is wrong with what was typed, a line each.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("kube-vip status cannot be run as it was typed:\n  {}\n--help lists the flags", .0.join("\n  "))]
struct UsageError(Vec<String>);

/// What was asked.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    address: SocketAddr,
    output: Output,
}

/// All that it can be told.
#[must_use]
pub fn settings() -> Vec<Setting> {
    let address = SETTINGS.iter().filter(|setting| setting.name() == ADDRESS);
    std::iter::once(&OUTPUT).chain(address).copied().collect()
}

/// What `--help` prints.
fn help() -> String {
    format!(
        "kube-vip status: Prints who answers for which address, why, since when, and who is next.\n\n\
         Asks the process that runs on this host; the exit status is 0, 1 when it does not answer, 2 when something is typed\n\
         that is not understood.\n\n{}",
        table(&settings())
    )
}

/// Answers, and says how it went.
pub async fn run(arguments: &[String], environment: &[(String, String)]) -> ExitCode {
    let version = env!("CARGO_PKG_VERSION");
    if let Some(answer) = about::answer(arguments, "kube-vip status", version, help) {
        return answer;
    }
    let asked = match read(arguments, environment) {
        Ok(asked) => asked,
        Err(error) => return refuse(&error),
    };
    match answer(&asked).await {
        Ok(printed) => say(&printed),
        Err(error) => {
            tell(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn read(arguments: &[String], environment: &[(String, String)]) -> Result<Asked, UsageError> {
    let mut typed = Typed::read(&settings(), arguments, environment);
    for word in std::mem::take(&mut typed.words) {
        typed.faults.push(format!("{word:?} is not a flag"));
    }
    let output = Output::read(&mut typed);
    let address = match ConfigFile::named(&[], environment) {
        Some(file) if typed.said(ADDRESS).is_none() => told_by(file, environment),
        _ => admin_address(&mut typed),
    };
    if address.is_none() && typed.faults.is_empty() {
        typed.faults.push(format!("--{ADDRESS}: set to nothing, there is nobody to ask"));
    }
    match address {
        Some(address) if typed.faults.is_empty() => Ok(Asked { address, output }),
        _ => Err(UsageError(typed.faults)),
    }
}

/// Where the process answers that reads its settings from `file`; what is wrong with the others is for that one to say.
fn told_by(file: ConfigFile, environment: &[(String, String)]) -> Option<SocketAddr> {
    let environment = environment.to_vec();
    let around = Surroundings { environment, file: Some(file), ..Surroundings::default() };
    admin_address(&mut args::typed(&args::table(), &[], &around))
}

async fn answer(asked: &Asked) -> anyhow::Result<String> {
    let answer = ask(asked.address, "/status").await?;
    let status: Status = serde_json::from_str(&answer).map_err(|error| {
        anyhow::anyhow!(
            "{} answers with what is no status ({error}): is it of this version?",
            asked.address
        )
    })?;
    Ok(match asked.output {
        Output::Json => json(&status),
        Output::Text => {
            status.notes.iter().for_each(|note| tell(note));
            text(&status)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_words(words: &[&str], environment: &[(&str, &str)]) -> Result<Asked, UsageError> {
        let words: Vec<_> = words.iter().map(ToString::to_string).collect();
        let environment: Vec<_> =
            environment.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        read(&words, &environment)
    }

    fn port(asked: Result<Asked, UsageError>) -> u16 {
        asked.unwrap().address.port()
    }

    #[test]
    fn it_asks_where_the_process_was_told_to_answer() {
        assert_eq!(port(read_words(&[], &[])), 2112);
        let variable = [("prometheus_server", ":2113"), ("vip_arp", "true")];
        assert_eq!(port(read_words(&[], &variable)), 2113);
        assert_eq!(port(read_words(&["--prometheusHTTPServer=127.0.0.1:9"], &variable)), 9);
        let told = |text: &str| {
            let text = Ok(text.to_owned());
            let file = ConfigFile { path: "f.yaml".to_owned(), text };
            told_by(file, &[("config_file".to_owned(), "f.yaml".to_owned())])
        };
        assert_eq!(told("prometheusHTTPServer: :2114").map(|it| it.port()), Some(2114));
        assert_eq!(told("port: 1").map(|it| it.port()), Some(2112));
        assert_eq!(told("prometheusHTTPServer: ''"), None);
        assert_eq!(read_words(&["-o", "json"], &[]).unwrap().output, Output::Json);
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let UsageError(faults) = read_words(&["now", "-o=yaml", "--nope"], &[]).unwrap_err();
        for part in ["now", "yaml", "--nope"] {
            assert!(faults.iter().any(|fault| fault.contains(part)), "{part} in {faults:?}");
        }
        let UsageError(faults) = read_words(&["--prometheusHTTPServer="], &[]).unwrap_err();
        assert!(faults.concat().contains("nobody to ask"), "{faults:?}");
    }
}
