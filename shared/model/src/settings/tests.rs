use super::*;

const SETTINGS: &[Setting] = &[
    Setting::new("arp", "vip_arp", Kind::Switch, "", "").keyed(&["enableARP"]),
    Setting::new("port", "port", Kind::Value, "", "").renamed(&["oldPort"]),
    Setting::new("", "notes", Kind::Object, "", ""),
];

fn read(arguments: &[&str], environment: &[(&str, &str)]) -> Typed {
    let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
    let environment: Vec<_> =
        environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Typed::read(SETTINGS, &arguments, &environment)
}

#[test]
fn an_explicit_flag_beats_the_environment() {
    let mut typed =
        read(&["manager", "--arp=false", "--port", "7"], &[("vip_arp", "T"), ("port", "8")]);
    assert_eq!(typed.switch("arp"), Some(false));
    assert_eq!(typed.text("port"), Some("7"));
    assert_eq!(typed.words, ["manager"]);
}

#[test]
fn finds_all_faults_in_one_reading() {
    let mut typed = read(&["--nope", "--neither=1", "--port"], &[("vip_arp", "maybe")]);
    assert_eq!(typed.switch("arp"), None);
    assert_eq!(
        typed.faults,
        [
            "--nope: there is no such flag",
            "--neither: there is no such flag",
            "--port: a value must follow",
            "vip_arp: \"maybe\" is neither true nor false",
        ]
    );
}

#[test]
fn an_empty_variable_is_unset_and_an_old_name_warns() {
    let typed = read(&["--oldPort=9"], &[("vip_arp", "")]);
    assert_eq!((typed.text("arp"), typed.text("port")), (None, Some("9")));
    assert_eq!(typed.warnings, ["--oldPort is an old name and still works; write --port"]);
}

#[test]
fn a_letter_is_short_for_its_flag_and_may_be_repeated() {
    let file = Setting::new("filename", "", Kind::Value, "", "").renamed(&["f"]);
    let arguments = ["-f", "a", "--filename=b", "-f=c", "-f"].map(str::to_owned);
    let typed = Typed::read(&[file], &arguments, &[]);
    assert_eq!(typed.every("filename").collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(typed.text("filename"), Some("c"));
    assert_eq!(
        (typed.warnings.len(), typed.faults),
        (0, vec!["-f: a value must follow".to_owned()])
    );
    assert!(table(&[file]).starts_with("  -f, --filename "), "{}", table(&[file]));
}

#[test]
fn dashes_without_a_name_are_no_flag_even_where_a_setting_has_none() {
    let nameless = Setting::new("", "vip_rate", Kind::Value, "", "");
    let arguments = ["--", "1", "-", "2", "--=3"].map(str::to_owned);
    let typed = Typed::read(&[nameless], &arguments, &[]);
    assert_eq!(typed.text("vip_rate"), None);
    assert_eq!(typed.words, ["1", "2"]);
    assert_eq!(
        typed.faults,
        ["--", "-", "--"].map(|typed| format!("{typed}: there is no such flag"))
    );
}

#[test]
fn names_variables_that_look_like_ours() {
    let environment = [("vip_apr".to_owned(), String::new()), ("HOME".to_owned(), String::new())];
    assert_eq!(unknown_variables(SETTINGS, &environment, &["vip_"]), ["vip_apr"]);
}

fn plain(key: &str, text: &str) -> (String, FileValue) {
    (key.to_owned(), FileValue::Plain(text.to_owned()))
}

#[test]
fn a_file_counts_where_nobody_else_says_anything() {
    let mut typed = read(&["--port=7"], &[]);
    let nested = ("Notes".to_owned(), FileValue::Nested("{}".to_owned()));
    let entries = [plain("ENABLEarp", "false"), plain("port", "8"), nested];
    typed.take_file(SETTINGS, "f.yaml", entries);
    assert_eq!(typed.switch("arp"), Some(false));
    assert_eq!((typed.text("port"), typed.text("notes")), (Some("7"), Some("{}")));
    let said = typed.said("arp").map(|(source, _)| source.to_string());
    assert_eq!(said.as_deref(), Some("ENABLEarp in f.yaml"));
    assert_eq!((typed.faults.len(), typed.warnings.len()), (0, 0));
}

#[test]
fn everything_that_is_wrong_with_a_file_is_named_by_its_key() {
    let mut typed = read(&[], &[]);
    let nested = ("port".to_owned(), FileValue::Nested("{}".to_owned()));
    let entries = [
        plain("prot", "1"),
        plain("vip_arp", "maybe"),
        plain("arp", "true"),
        nested,
        plain("", "x"),
    ];
    typed.take_file(SETTINGS, "f.yaml", entries);
    assert_eq!(typed.switch("arp"), None);
    assert_eq!(
        typed.faults,
        [
            "prot in f.yaml: there is no such key",
            "arp in f.yaml: \"vip_arp\" in the same file means the same",
            "port in f.yaml: a text or a number is expected there",
            " in f.yaml: there is no such key",
            "vip_arp in f.yaml: \"maybe\" is neither true nor false",
        ]
    );
}

#[test]
fn an_old_name_warns_in_a_file_too_and_never_beats_the_new_flag() {
    let mut typed = read(&[], &[]);
    typed.take_file(SETTINGS, "f.yaml", [plain("OldPort", "8")]);
    assert_eq!(typed.text("port"), Some("8"));
    assert_eq!(typed.warnings, ["OldPort in f.yaml is an old name and still works; write port"]);
    assert_eq!(read(&["--port=1", "--oldPort=2"], &[]).text("port"), Some("1"));
    assert_eq!(read(&["--oldPort=2", "--port=1"], &[]).text("port"), Some("1"));
    assert_eq!(read(&["--oldPort=2"], &[("port", "1")]).text("port"), Some("2"));
}

#[test]
fn the_documentation_has_every_name() {
    let row = markdown_in_full(&SETTINGS[..2]);
    assert!(row.contains("| `--arp` | `vip_arp` | `enableARP` |  |  | 0.1.0 |  |"), "{row}");
    assert!(row.contains("| `--port` | `port` | `port` |  |  | 0.1.0 | `oldPort` |"), "{row}");
}
