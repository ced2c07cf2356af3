//! `kube-vip`: makes addresses of Services and of the control plane reachable from this node.

use announcer::args::{self, ConfigFile, Reading, Surroundings};
use announcer::{app, completion, dry_run, manifest, status};
use shared::about::{answer, environment, host_name, refuse, say, tell};
use std::process::ExitCode;

// What must never be late has threads of its own: hellos, and addresses. Two workers here would wake each other.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some((command, rest)) = arguments.split_first()
        && command == "status"
    {
        return status::command::run(rest, &environment()).await;
    }
    if let Some(answer) = answer(&arguments, "kube-vip", env!("CARGO_PKG_VERSION"), args::help) {
        return answer;
    }
    match arguments.split_first() {
        Some((command, rest)) if matches!(command.as_str(), "manager" | "service" | "start") => {
            run(rest).await
        }
        Some((command, rest)) if matches!(command.as_str(), "manifest" | "kubeadm") => {
            print(command, rest)
        }
        Some((command, rest)) if command == "completion" => match completion::script(rest) {
            Ok(text) => say(&text),
            Err(error) => refuse(&error),
        },
        Some((command, _)) => refuse(&format!("{command:?} is not a command; try kube-vip --help")),
        None => refuse(&args::help()),
    }
}

fn print(command: &str, arguments: &[String]) -> ExitCode {
    match manifest::print(command, arguments, &around(arguments)) {
        Ok(printed) => {
            for warning in &printed.warnings {
                tell(warning);
            }
            say(&printed.text)
        }
        Err(error) => refuse(&error),
    }
}

fn around(arguments: &[String]) -> Surroundings {
    let environment = environment();
    Surroundings {
        file: ConfigFile::named(arguments, &environment),
        environment,
        host: host_name(),
        pod_namespace: shared::api_client::pod_namespace(),
    }
}

async fn run(arguments: &[String]) -> ExitCode {
    let reading = Reading::of(&args::table(), arguments, &around(arguments));
    if let Some(output) = reading.dry_run {
        return dry_run::print(&reading, output);
    }
    let meant = match reading.meant {
        Ok(meant) => meant,
        Err(error) => return refuse(&error),
    };
    shared::log::start(meant.level, shared::log::Lines::Few);
    for warning in &meant.warnings {
        tracing::warn!("{warning}");
    }
    match app::run(meant).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(&format!("{error:#}")),
    }
}
