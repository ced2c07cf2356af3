use super::*;

fn at(name: &str) -> PathBuf {
    // These exist, or not, on every machine.
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn file(name: &str) -> Source {
    Source::File(at(name))
}

#[test]
fn the_file_that_was_named_is_used_or_nothing() {
    let kubeconfigs = Kubeconfigs {
        named: Some(at("none")),
        preferred: Some(at("Cargo.toml")),
        ..Kubeconfigs::default()
    };
    let chosen = choose(&kubeconfigs, &Surroundings::default()).unwrap();
    assert_eq!(chosen, file("none"));
}

#[test]
fn the_environment_comes_after_the_preferred_file_and_before_the_usual_ones() {
    let around = Surroundings { kubeconfig: Some(at("from-the-environment")), service: None };
    let usual = vec![at("none"), at("Cargo.toml")];
    let mut kubeconfigs = Kubeconfigs { usual, ..Kubeconfigs::default() };
    let chosen =
        |kubeconfigs: &Kubeconfigs, around: &Surroundings| choose(kubeconfigs, around).unwrap();
    assert_eq!(chosen(&kubeconfigs, &Surroundings::default()), file("Cargo.toml"));
    assert_eq!(chosen(&kubeconfigs, &around), file("from-the-environment"));
    kubeconfigs.preferred = Some(at("none"));
    assert_eq!(chosen(&kubeconfigs, &around), file("from-the-environment"));
    kubeconfigs.preferred = Some(at("src"));
    assert_eq!(chosen(&kubeconfigs, &around), file("src"));
}

#[test]
fn a_container_without_a_token_has_no_identity_of_its_own() {
    let service = Some(("192.0.2.1".to_owned(), "443".to_owned()));
    let around = Surroundings { kubeconfig: None, service };
    let found = choose(&Kubeconfigs::default(), &around);
    assert!(matches!(found, Err(ConnectError::NoCluster(_))), "{found:?}");
}
