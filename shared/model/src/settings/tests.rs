use super::*;

const SETTINGS: &[Setting] = &[
    Setting {
        flag: "arp",
        variable: "vip_arp",
        old_names: &[],
        kind: Kind::Switch,
        default: "",
        help: "",
    },
    Setting {
        flag: "port",
        variable: "port",
        old_names: &["oldPort"],
        kind: Kind::Value,
        default: "",
        help: "",
    },
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
    let file = Setting { flag: "filename", variable: "", old_names: &["f"], ..SETTINGS[1] };
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
    let nameless = Setting { flag: "", variable: "vip_rate", ..SETTINGS[1] };
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
