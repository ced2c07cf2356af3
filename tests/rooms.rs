//! The rules of the house that no compiler knows: how long a room may be, what a pure package may touch, and that what
//! is printed is what is kept.

#[path = "rooms/documents.rs"]
mod documents;

use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use tests::cluster::programs::root;

/// Packages that decide and never act.
const PURE: [&str; 4] =
    ["shared/model", "cloud-provider/decide", "announcer/decide", "announcer/protocols"];
/// Longest file.
const LONGEST: usize = 400;
/// Longest `plan.rs` and `apply.rs`: they compose and order, and leave the rest to the rooms behind them.
const LONGEST_HALL: usize = 200;
/// Names that say nothing about what is in a file.
const EMPTY_NAMES: [&str; 9] =
    ["utils", "util", "helpers", "common", "manager", "handler", "processor", "index", "types"];
/// Crates that reach outside, and what begins like them.
const ACTING_CRATES: [&str; 12] = [
    "tokio",
    "async",
    "futures",
    "kube",
    "k8s-openapi",
    "hyper",
    "rtnetlink",
    "netlink",
    "socket2",
    "libc",
    "nix",
    "shared",
];
/// What a pure package does not say outside of comments.
const ACTING_WORDS: [&str; 6] =
    ["async fn", "async move", ".await", "tokio::", "Instant::now", "SystemTime::now"];

/// All files of the workspace below `folder` whose names end in `.extension`; what was built is left out.
fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            found.extend(files(&path, extension)?);
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    Ok(found)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The path as it is written in the house.
fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// Every file of Rust that breaks a rule, with what is said about it.
fn offenders(folder: &Path, rule: impl Fn(&Path, &str) -> Option<String>) -> Result<Vec<String>> {
    let all = files(folder, "rs")?;
    ensure!(!all.is_empty(), "no Rust in {}: the guard looks at the wrong place", folder.display());
    let mut found = Vec::new();
    for path in all {
        found.extend(
            rule(&path, &read(&path)?).map(|sentence| format!("{}: {sentence}", shown(&path))),
        );
    }
    Ok(found)
}

const NONE: [String; 0] = [];

#[test]
fn a_file_is_one_room() -> Result<()> {
    let too_long = |_: &Path, text: &str| {
        let lines = text.lines().count();
        (lines > LONGEST).then(|| format!("{lines} lines, more than {LONGEST}"))
    };
    assert_eq!(offenders(&root(), too_long)?, NONE);
    Ok(())
}

#[test]
fn the_halls_stay_small() -> Result<()> {
    let mut halls = 0;
    for path in files(&root(), "rs")? {
        if path.ends_with("src/plan.rs") || path.ends_with("src/apply.rs") {
            let lines = read(&path)?.lines().count();
            assert!(
                lines < LONGEST_HALL,
                "{}: {lines} lines, not under {LONGEST_HALL}",
                shown(&path)
            );
            halls += 1;
        }
    }
    assert!(halls >= 3, "{halls} plan.rs and apply.rs: the guard looks at the wrong place");
    Ok(())
}

#[test]
fn every_module_says_what_it_is_for() -> Result<()> {
    let silent = |path: &Path, text: &str| {
        // Unit tests next door belong to the module whose sentence stands there already.
        let unit_tests = path.components().any(|part| part.as_os_str() == "src")
            && (path.ends_with("tests.rs")
                || path.parent().is_some_and(|folder| folder.ends_with("tests")));
        let words = text.starts_with("//!") || text.starts_with("#![no_main]");
        (!unit_tests && !words).then(|| "no module documentation".to_owned())
    };
    assert_eq!(offenders(&root(), silent)?, NONE);
    Ok(())
}

#[test]
fn a_file_is_named_for_what_it_holds() -> Result<()> {
    let empty = |path: &Path, _: &str| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let folder = path
            .parent()
            .and_then(Path::file_name)
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let repeats = stem == folder && stem != "tests";
        (EMPTY_NAMES.contains(&stem.as_str()) || repeats).then(|| format!("{stem} says nothing"))
    };
    assert_eq!(offenders(&root(), empty)?, NONE);
    Ok(())
}

#[test]
fn pure_packages_do_not_act() -> Result<()> {
    for package in PURE {
        let acts = |_: &Path, text: &str| {
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            let said =
                code.flat_map(|line| ACTING_WORDS.iter().filter(move |word| line.contains(**word)));
            said.into_iter().next().map(|word| format!("says {word:?} in a pure package"))
        };
        assert_eq!(offenders(&root().join(package).join("src"), acts)?, NONE);
    }
    Ok(())
}

/// Names under `[dependencies]` of a manifest.
fn dependencies(manifest: &str) -> Vec<String> {
    let lines = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
    let own = lines.take_while(|line| !line.starts_with('['));
    let names = own.filter_map(|line| line.split(['.', '=', ' ']).next());
    names.filter(|name| !name.is_empty() && !name.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn pure_packages_list_nothing_that_acts_and_do_not_see_each_other() -> Result<()> {
    for package in PURE {
        let listed = dependencies(&read(&root().join(package).join("Cargo.toml"))?);
        ensure!(
            !listed.is_empty(),
            "{package} lists no dependencies: the guard cannot read its manifest"
        );
        for name in listed {
            let acts = ACTING_CRATES
                .iter()
                .any(|acting| name == *acting || name.starts_with(&format!("{acting}-")));
            assert!(!acts, "{package} lists {name}, which acts");
            let sees = name == "protocols"
                || name.ends_with("-decide")
                || name == "announcer"
                || name == "cloud-provider";
            assert!(!sees, "{package} lists {name}: what decides sees only model");
        }
    }
    Ok(())
}

#[test]
fn pure_packages_repeat_the_houses_thresholds() -> Result<()> {
    let house = read(&root().join("clippy.toml"))?;
    let rules: Vec<_> =
        house.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    ensure!(
        rules.len() >= 3,
        "the house has {} rules for clippy: the guard cannot read them",
        rules.len()
    );
    for package in PURE {
        let own = read(&root().join(package).join("clippy.toml"))?;
        for rule in &rules {
            assert!(own.lines().any(|line| line == *rule), "{package}/clippy.toml lacks: {rule}");
        }
        for banned in ["std::time::Instant::now", "std::env::var", "std::net::UdpSocket"] {
            assert!(own.contains(banned), "{package}/clippy.toml does not ban {banned}");
        }
    }
    Ok(())
}

#[test]
fn every_package_takes_the_houses_lints() -> Result<()> {
    let manifest = read(&root().join("Cargo.toml"))?;
    let members = manifest.lines().skip_while(|line| !line.starts_with("members")).skip(1);
    let members: Vec<_> = members
        .take_while(|line| !line.starts_with(']'))
        .map(|line| line.trim_matches([' ', '"', ',']))
        .collect();
    ensure!(members.len() >= 8, "{members:?}: the guard cannot read the members");
    for member in members {
        let own = read(&root().join(member).join("Cargo.toml"))?;
        assert!(
            own.contains("[lints]\nworkspace = true"),
            "{member}/Cargo.toml does not take the workspace's lints"
        );
    }
    Ok(())
}

#[test]
fn the_beds_scripts_name_no_folder_of_one_machine() -> Result<()> {
    let scripts = files(&root().join("tests"), "sh")?;
    ensure!(scripts.len() >= 5, "{} scripts: the guard looks at the wrong place", scripts.len());
    for path in scripts {
        for (line, number) in read(&path)?.lines().zip(1..) {
            for folder in ["/home/", "/work/", "/mnt/", "/Users/", "/root/"] {
                let said = line
                    .split([' ', '"', '\'', '=', ':', '('])
                    .any(|word| word.starts_with(folder));
                assert!(!said, "{}:{number} names {folder}", shown(&path));
            }
        }
    }
    Ok(())
}

#[test]
fn the_manifest_that_is_kept_is_the_one_that_is_printed() -> Result<()> {
    let kept = read(&root().join("manifests/announcer.yaml"))?;
    let kept: Vec<_> = kept.lines().skip_while(|line| line.starts_with('#')).collect();
    let around = announcer::args::Surroundings::default();
    let print = |kind: &str| announcer::manifest::print("manifest", &[kind.to_owned()], &around);
    let printed = format!("{}---\n{}", print("rbac")?.text, print("daemonset")?.text);
    let printed: Vec<_> = printed.lines().collect();
    assert_eq!(kept, printed, "run `make manifests`");
    Ok(())
}

#[test]
fn the_figure_of_a_hello_is_the_one_in_the_code() -> Result<()> {
    let code = read(&root().join("announcer/protocols/src/hello.rs"))?;
    let in_code = code.lines().filter_map(|line| line.strip_prefix("//! "));
    let drawn = |line: &&str| line.starts_with(['|', '+']);
    let in_code: Vec<_> = in_code.filter(drawn).collect();
    let page = read(&root().join("docs/hello.md"))?;
    let on_page: Vec<_> = page.lines().filter(drawn).collect();
    ensure!(in_code.len() > 20, "{} lines: the guard looks at the wrong place", in_code.len());
    assert_eq!(on_page, in_code);
    Ok(())
}
