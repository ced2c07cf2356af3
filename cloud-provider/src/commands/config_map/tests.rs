use super::*;

const GOOD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kubevip, namespace: kube-system}\ndata: {cidr-global: 192.0.2.1}\n";

fn found(texts: &[&str]) -> Found {
    let file = |(place, text): (usize, &&str)| File {
        name: format!("{place}.yaml"),
        text: (*text).to_owned(),
    };
    let files: Vec<_> = texts.iter().enumerate().map(file).collect();
    find(&files, &ObjectKey::new("kube-system", "kubevip"))
}

fn rules(found: &Found) -> Vec<Rule> {
    found.findings.iter().map(|finding| finding.rule).collect()
}

/// What is read of `data` written like this, and what is said about it.
fn of_data(data: &str) -> (BTreeMap<String, String>, Vec<String>) {
    let text = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: kubevip, namespace: kube-system}}\n{data}\n"
    );
    let found = found(&[&text]);
    (found.data.unwrap(), found.findings.iter().map(ToString::to_string).collect())
}

fn pairs(data: &[(&str, &str)]) -> BTreeMap<String, String> {
    data.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn finds_it_alone_or_among_other_objects_in_yaml_and_json() {
    let other = "apiVersion: v1\nkind: Service\nmetadata: {name: kubevip}\n";
    let json = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"kubevip","namespace":"kube-system"},"data":{"cidr-global":"192.0.2.1"}}"#;
    let list = format!(r#"{{"apiVersion":"v1","kind":"ConfigMapList","items":[{json}]}}"#);
    let many = format!("---\n# nothing\n---\n{other}---\n{GOOD}---\n");
    for texts in [vec![GOOD], vec![json], vec![&list], vec![&many], vec![other, "", GOOD]] {
        let found = found(&texts);
        assert_eq!(
            (found.data, found.findings.len()),
            (Some(pairs(&[("cidr-global", "192.0.2.1")])), 0),
            "{texts:?}"
        );
        assert_eq!(found.file, format!("{}.yaml", texts.len() - 1));
    }
}

#[test]
fn an_object_that_is_not_read_is_not_taken_for_the_one_that_is() {
    for (text, said) in [
        ("", ""),
        ("just text", ""),
        (
            "kind: Secret\nmetadata: {name: kubevip, namespace: kube-system}",
            "(there is Secret kube-system/kubevip)",
        ),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kubevip, namespace: default}",
            "(there is ConfigMap default/kubevip)",
        ),
        (
            "apiVersion: v2\nkind: ConfigMap\nmetadata: {name: kubevip}",
            "(there is ConfigMap kubevip of apiVersion \"v2\")",
        ),
        ("metadata: {name: kubevip}", "(there is an object without a kind (kubevip))"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: other}", ""),
    ] {
        let found = found(&[text]);
        assert_eq!(rules(&found)[0], Rule::NoConfigMap, "{text}");
        let sentence = found.findings[0].to_string();
        assert!(
            sentence.starts_with(&format!(
                "ConfigMap kube-system/kubevip, which the provider reads, is not there{}",
                if said.is_empty() { ":" } else { " " }
            )),
            "{sentence}"
        );
        assert!(sentence.contains(said), "{sentence}");
    }
}

#[test]
fn the_only_configmap_is_judged_under_another_name_too() {
    let misnamed = GOOD.replace("kubevip", "kube-vip");
    assert_eq!(found(&[&misnamed]).data, Some(pairs(&[("cidr-global", "192.0.2.1")])));
    assert_eq!(found(&[&misnamed, &misnamed]).data, None, "of two nobody knows which is meant");
}

#[test]
fn of_two_the_last_one_counts_and_that_is_an_error() {
    let last = GOOD.replace("192.0.2.1", "192.0.2.2");
    let found = found(&[GOOD, &last]);
    assert_eq!(rules(&found), [Rule::Repeated]);
    assert_eq!(found.data, Some(pairs(&[("cidr-global", "192.0.2.2")])));
}

#[test]
fn without_a_namespace_it_may_end_up_anywhere() {
    let found = found(&[&GOOD.replace(", namespace: kube-system", "")]);
    assert_eq!(rules(&found), [Rule::NamespaceMissing]);
    assert!(found.data.is_some());
}

#[test]
fn a_file_that_is_not_yaml_is_said_to_be_so_with_the_place() {
    let bad = found(&["data: [1"]);
    assert_eq!((rules(&bad), bad.data), (vec![Rule::NotYaml], None));
    let twice = found(&[&GOOD.replace("{cidr-global: 192.0.2.1}", "\n  a: x\n  a: y")]);
    let sentence = twice.findings[0].to_string();
    assert_eq!(
        sentence,
        "0.yaml cannot be read as YAML: duplicate mapping key: a not allowed here at line 6, column 3"
    );
    let beside = found(&["data: [1", GOOD]);
    assert_eq!(
        (rules(&beside), beside.file.as_str()),
        (vec![Rule::NotYaml], "1.yaml"),
        "the other file counts all the same"
    );
    assert!(beside.data.is_some());
}

#[test]
fn what_is_not_text_is_refused_and_read_as_it_was_meant() {
    let (data, said) = of_data(
        "data: {skip-end-ips-in-cidr: yes, a: 10, b: 1.5, c: null, d: [x], e: '', f: 'true'}",
    );
    assert_eq!(
        data,
        pairs(&[
            ("skip-end-ips-in-cidr", "true"),
            ("a", "10"),
            ("b", "1.5"),
            ("e", ""),
            ("f", "true")
        ])
    );
    assert_eq!(
        said,
        [
            "a: is 10 and not text: put it in quotes, \"10\"",
            "b: is 1.5 and not text: put it in quotes, \"1.5\"",
            "c: has no value: write one, or remove the key",
            "d: is not text: write the value as one text, with commas between its parts",
            "skip-end-ips-in-cidr: is true and not text: put it in quotes, \"true\"",
        ]
    );
}

#[test]
fn keys_that_the_api_server_refuses_are_named_and_left_out() {
    let long = "k".repeat(254);
    let (data, said) = of_data(&format!(
        "data: {{'a b': x, '..': x, '..a': x, '': x, '.': x, {long}: x, .a_B-1: x}}"
    ));
    assert_eq!(data, pairs(&[(".a_B-1", "x")]));
    assert_eq!(said.len(), 6, "{said:?}");
}

#[test]
fn no_data_is_no_pools_and_binary_data_is_not_read() {
    for nothing in ["", "data:", "data: {}", "binaryData: {}"] {
        assert_eq!(of_data(nothing), (BTreeMap::new(), vec![]), "{nothing}");
    }
    assert_eq!(
        of_data("binaryData: {cidr-global: MQ==}").1,
        ["binaryData is not read: write what it says under data"]
    );
    assert_eq!(of_data("data: [a, b]").1, ["data must be a mapping of keys to texts"]);
}
