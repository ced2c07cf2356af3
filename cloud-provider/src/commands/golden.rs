//! What the commands print, told as files: `tests/golden/commands/<sentence>/`
//!
//! ```text
//!  snapshot.json   the cluster; without it there is none
//!  *.yaml          the files that `check` is given; without them it is `pools` that is asked
//!  pools.txt, summary.txt, pools.json    or    check.txt, check.json    what is printed
//!  why.md          why that is right
//! ```
//!
//! `UPDATE=1 cargo test -p cloud-provider golden` writes what is printed anew; read the difference before believing it.

use super::check::Judgement;
use super::config_map::{File, find};
use super::pools;
use cloud_provider_decide::Snapshot;
use cloud_provider_decide::report::Report;
use model::object::ObjectKey;
use std::fs;
use std::path::{Path, PathBuf};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden/commands");

#[test]
fn every_case_prints_what_is_kept() {
    let cases = listed(Path::new(CASES));
    assert!(cases.len() >= 5, "{} cases: the guard looks at the wrong place", cases.len());
    let mut differ = Vec::new();
    for case in &cases {
        let why = fs::read_to_string(case.join("why.md")).unwrap_or_default();
        assert!(why.trim().len() > 40, "{}: why.md says too little", case.display());
        for (name, text) in printed(case) {
            let path = case.join(name);
            if std::env::var_os("UPDATE").is_some() {
                fs::write(&path, &text).unwrap();
            }
            let kept = fs::read_to_string(&path).unwrap_or_default();
            if kept != text {
                differ.push(format!("{}:\n{kept}\nbut printed is\n{text}", path.display()));
            }
        }
    }
    assert!(differ.is_empty(), "{} files differ:\n\n{}", differ.len(), differ.join("\n\n"));
}

/// What the commands print in this case, by the name of the file that keeps it.
fn printed(case: &Path) -> Vec<(&'static str, String)> {
    let snapshot = fs::read_to_string(case.join("snapshot.json"));
    let snapshot: Option<Snapshot> = snapshot.ok().map(|text| serde_json::from_str(&text).unwrap());
    let files: Vec<_> = listed(case)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|it| it == "yaml"))
        .map(read)
        .collect();
    if files.is_empty() {
        let report = Report::of(snapshot.unwrap());
        return vec![
            ("pools.txt", pools::text(&report, false)),
            ("summary.txt", pools::text(&report, true)),
            ("pools.json", pools::json(&report, &[])),
        ];
    }
    let found = find(&files, &ObjectKey::new("kube-system", "kubevip"));
    let judgement = Judgement::of(found, snapshot, Vec::new());
    vec![("check.txt", judgement.text()), ("check.json", judgement.json())]
}

fn read(path: PathBuf) -> File {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    File { name, text: fs::read_to_string(path).unwrap() }
}

fn listed(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
