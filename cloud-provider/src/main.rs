//! `kube-vip-cloud-provider`: gives Services of type LoadBalancer their addresses.

use cloud_provider::{app, args, commands};
use std::process::ExitCode;

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let environment = shared::about::environment();
    if let Some(answer) = commands::answer(&arguments, &environment).await {
        return answer;
    }
    if let Some(answer) = shared::about::answer(
        &arguments,
        "kube-vip-cloud-provider",
        env!("CARGO_PKG_VERSION"),
        args::help,
    ) {
        return answer;
    }
    let host = shared::about::host_name();
    let identity = shared::about::unique_name(&host);
    let config = match args::read(&arguments, &environment, &identity) {
        Ok(config) => config,
        Err(error) => return shared::about::refuse(&error),
    };
    shared::log::start(config.level, shared::log::Lines::All);
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    match app::run(config, &host).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => shared::about::refuse(&format!("{error:#}")),
    }
}
