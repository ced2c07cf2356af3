use super::*;
use proptest::prelude::*;

fn fence(instance: &str, link: &str) -> Result<TableName, TableNameError> {
    TableName::new(Purpose::Fence, instance, link)
}

#[test]
fn the_name_tells_instance_and_link() {
    assert_eq!(fence("svc", "eth0").unwrap().table(), "kube-vip-svc/eth0");
    assert_eq!(
        TableName::of_table(Purpose::Fence, "svc", "kube-vip-svc/eth0"),
        Some(fence("svc", "eth0").unwrap())
    );
    assert_eq!(TableName::of_table(Purpose::Fence, "cp", "kube-vip-svc/eth0"), None);
    assert_eq!(TableName::of_table(Purpose::Fence, "svc", "kube-vip-svc-2/eth0"), None);
    assert_eq!(TableName::of_table(Purpose::Fence, "svc", "kube-vip-svc"), None);
    assert_eq!(TableName::of_table(Purpose::Fence, "svc", "kube-vip-svc/"), None);
}

#[test]
fn names_that_the_kernel_would_refuse_are_refused() {
    for link in ["", "a/b", "a b", "sixteen-octets-0", "a\0"] {
        assert_eq!(fence("svc", link), Err(TableNameError::Link(link.to_owned())));
    }
    let long = "n".repeat(250);
    for instance in ["", "a\0", &long] {
        let refused = TableNameError::Instance(instance.to_owned());
        assert_eq!(fence(instance, "eth0"), Err(refused));
    }
}

fn purpose() -> impl Strategy<Value = Purpose> {
    prop_oneof![Just(Purpose::Fence), Just(Purpose::Guard)]
}

proptest! {
    #[test]
    fn no_table_is_shared_by_two_purposes_instances_or_links(
        one in "[a-z./-]{1,8}", link in "[a-z.-]{1,6}", purpose in purpose(),
        other in "[a-z./-]{1,8}", other_link in "[a-z.-]{1,6}", other_purpose in purpose(),
    ) {
        let named = TableName::new(purpose, &one, &link).unwrap();
        let others = TableName::new(other_purpose, &other, &other_link).unwrap();
        let same = (&one, &link, purpose) == (&other, &other_link, other_purpose);
        prop_assert_eq!(named.table() == others.table(), same);
        let seen_as_ours = TableName::of_table(purpose, &one, others.table());
        prop_assert_eq!(seen_as_ours.is_some(), one == other && purpose == other_purpose);
    }
}
