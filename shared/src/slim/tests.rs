use super::*;
use model::address::AddressRequest;
use serde_json::{Value, json};

fn read(object: Value) -> Service {
    service(serde_json::from_value(object).unwrap())
}

fn read_slice(object: Value) -> Option<EndpointSlice> {
    slice(serde_json::from_value(object).unwrap())
}

fn tcp(port: u16) -> ServicePort {
    ServicePort { protocol: Protocol::Tcp, port }
}

fn udp(port: u16) -> ServicePort {
    ServicePort { protocol: Protocol::Udp, port }
}

/// As `kubectl get service -o json --show-managed-fields` prints it.
fn dns() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {
            "annotations": {
                "kube-vip.io/loadbalancerIPs": "192.0.2.53,2001:db8::53", "kube-vip.io/vipHost": "n2",
                "kubectl.kubernetes.io/last-applied-configuration": "{\"apiVersion\":\"v1\"}\n",
            },
            "creationTimestamp": "2025-03-01T10:00:00Z",
            "finalizers": ["service.kubernetes.io/load-balancer-cleanup", "example.com/other"],
            "labels": {"app": "dns", "implementation": "kube-vip"},
            "managedFields": [{
                "apiVersion": "v1", "fieldsType": "FieldsV1", "manager": "kube-vip", "operation": "Update",
                "fieldsV1": {"f:status": {"f:loadBalancer": {"f:ingress": {}}}},
                "subresource": "status", "time": "2025-03-01T10:00:01Z",
            }],
            "name": "dns", "namespace": "shop", "resourceVersion": "4711",
            "uid": "7d0b8e6a-6f0e-4b0f-9d6c-1f2a3b4c5d6e",
        },
        "spec": {
            "allocateLoadBalancerNodePorts": true, "clusterIP": "10.96.0.53",
            "clusterIPs": ["10.96.0.53", "fd00::53"], "externalTrafficPolicy": "Local",
            "healthCheckNodePort": 30999, "internalTrafficPolicy": "Cluster",
            "ipFamilies": ["IPv4", "IPv6"], "ipFamilyPolicy": "PreferDualStack",
            "loadBalancerClass": "kube-vip.io/kube-vip-class", "loadBalancerIP": "192.0.2.53",
            "ports": [
                {"name": "udp", "nodePort": 30053, "port": 53, "protocol": "UDP", "targetPort": 5353},
                {"name": "tcp", "nodePort": 30053, "port": 53, "protocol": "TCP", "targetPort": "dns"},
            ],
            "selector": {"app": "dns"}, "sessionAffinity": "None", "type": "LoadBalancer",
        },
        "status": {"loadBalancer": {"ingress": [
            {"ip": "192.0.2.53", "ipMode": "VIP", "ports": [
                {"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"},
            ]},
            {"ip": "2001:db8::53", "ipMode": "VIP"},
        ]}},
    })
}

#[test]
fn a_dual_stack_service_of_a_living_cluster_is_kept_field_by_field() {
    let expected = Service {
        key: ObjectKey::new("shop", "dns"),
        uid: "7d0b8e6a-6f0e-4b0f-9d6c-1f2a3b4c5d6e".to_owned(),
        version: ResourceVersion("4711".to_owned()),
        kind: ServiceType::LoadBalancer,
        class: Some("kube-vip.io/kube-vip-class".to_owned()),
        annotation: Some("192.0.2.53,2001:db8::53".to_owned()),
        load_balancer_ip: Some("192.0.2.53".to_owned()),
        interface: None,
        wishes: Wishes { vip_host: Some("n2".to_owned()), ..Wishes::default() },
        ignored: false,
        labelled: true,
        fenced: false,
        finalizers: vec![
            "service.kubernetes.io/load-balancer-cleanup".to_owned(),
            "example.com/other".to_owned(),
        ],
        families: vec![Family::V4, Family::V6],
        family_policy: FamilyPolicy::PreferDualStack,
        traffic_policy: TrafficPolicy::Local,
        ports: vec![udp(53), tcp(53)],
        ingress: vec![
            Ingress {
                ip: "192.0.2.53".parse().unwrap(),
                is_vip: true,
                ports: vec![udp(53), tcp(53)],
            },
            Ingress { ip: "2001:db8::53".parse().unwrap(), is_vip: true, ports: vec![] },
        ],
        deleting: false,
    };
    assert_eq!(read(dns()), expected);
}

#[test]
fn a_service_without_any_field_is_of_another_type_and_asks_for_nothing() {
    let bare = read(json!({}));
    assert_eq!(bare.kind, ServiceType::Other);
    assert_eq!(bare.addresses(), Ok(vec![]));
    assert_eq!((bare.key, bare.ports, bare.ingress), (ObjectKey::new("", ""), vec![], vec![]));
    assert_eq!(bare.family_policy, FamilyPolicy::SingleStack);
    assert_eq!(bare.traffic_policy, TrafficPolicy::Cluster);
}

#[test]
fn only_load_balancer_is_a_load_balancer() {
    for other in ["ClusterIP", "NodePort", "ExternalName", "loadbalancer", ""] {
        assert_eq!(read(json!({"spec": {"type": other}})).kind, ServiceType::Other, "{other}");
    }
    let balancer = read(json!({"spec": {"type": "LoadBalancer"}}));
    assert_eq!(balancer.kind, ServiceType::LoadBalancer);
}

#[test]
fn only_the_text_true_makes_a_service_ignored() {
    for (text, ignored) in [("true", true), ("false", false), ("True", false), ("", false)] {
        let object = json!({"metadata": {"annotations": {"kube-vip.io/ignore": text}}});
        assert_eq!(read(object).ignored, ignored, "{text}");
    }
}

#[test]
fn what_annotations_ask_of_the_announcer_is_kept() {
    let wishes =
        |annotations: Value| read(json!({"metadata": {"annotations": annotations}})).wishes;
    let all = json!({
        "kube-vip.io/leaseName": "shop/red", "kube-vip.io/forcePerServiceElection": "true",
        "kube-vip.io/allow-reconcile-without-endpoints": "True", "kube-vip.io/flush-conntrack": "true",
        "kube-vip.io/ignore-service-security": "true", "kube-vip.io/vipHost": "n1",
    });
    let expected = Wishes {
        lease: Some("shop/red".to_owned()),
        alone: true,
        without_endpoints: true,
        flush_conntrack: true,
        ignore_service_security: true,
        vip_host: Some("n1".to_owned()),
    };
    assert_eq!(wishes(all), expected);
    let nothing = json!({
        "kube-vip.io/leaseName": "", "kube-vip.io/forcePerServiceElection": "True",
        "kube-vip.io/allow-reconcile-without-endpoints": "yes", "kube-vip.io/flush-conntrack": "1",
        "kube-vip.io/ignore-service-security": "yes", "kube-vip.io/vipHost": "",
    });
    assert_eq!(wishes(nothing), Wishes::default());
}

#[test]
fn only_our_own_value_of_the_label_counts() {
    let labelled = |labels: Value| read(json!({"metadata": {"labels": labels}})).labelled;
    assert!(labelled(json!({"implementation": "kube-vip"})));
    assert!(!labelled(json!({"implementation": "somebody"})));
    assert!(!labelled(json!({"implementation": ""})));
    assert!(!labelled(json!({"app": "kube-vip"})));
}

#[test]
fn a_deletion_timestamp_means_deleting() {
    let object = json!({"metadata": {"deletionTimestamp": "2025-03-01T10:00:00Z"}});
    assert!(read(object).deleting);
}

#[test]
fn empty_texts_are_no_addresses_and_an_empty_annotation_falls_back() {
    let object = json!({
        "metadata": {"annotations": {"kube-vip.io/loadbalancerIPs": ""}},
        "spec": {"loadBalancerIP": "192.0.2.1"},
    });
    let vip = AddressRequest::Vip("192.0.2.1".parse().unwrap());
    assert_eq!(read(object).addresses(), Ok(vec![vip]));
    assert_eq!(read(json!({"spec": {"loadBalancerIP": ""}})).load_balancer_ip, None);
}

#[test]
fn a_port_without_a_protocol_is_tcp_and_one_that_makes_no_sense_is_dropped() {
    let object = json!({"spec": {"ports": [
        {"port": 80}, {"port": 70_000}, {"port": -1}, {"port": 9, "protocol": "QUIC"},
        {"port": 5060, "protocol": "SCTP"},
    ]}});
    let sctp = ServicePort { protocol: Protocol::Sctp, port: 5060 };
    assert_eq!(read(object).ports, [tcp(80), sctp]);
}

#[test]
fn an_unknown_family_is_dropped_and_the_order_of_the_others_is_kept() {
    let object = json!({"spec": {"ipFamilies": ["IPv6", "IPv7", "IPv4"]}});
    assert_eq!(read(object).families, [Family::V6, Family::V4]);
}

#[test]
fn an_entry_of_the_status_needs_an_address_and_only_the_mode_vip_is_vip() {
    let object = json!({"status": {"loadBalancer": {"ingress": [
        {"hostname": "web.example"}, {"ip": "not an address"}, {"ip": "192.0.2.1"},
        {"ip": "192.0.2.2", "ipMode": "Proxy"}, {"ip": "192.0.2.3", "ipMode": "VIP", "hostname": "x"},
    ]}}});
    let found: Vec<_> =
        read(object).ingress.iter().map(|it| (it.ip.to_string(), it.is_vip)).collect();
    let expected = [("192.0.2.1", false), ("192.0.2.2", false), ("192.0.2.3", true)];
    assert_eq!(found, expected.map(|(ip, is_vip)| (ip.to_owned(), is_vip)));
}

/// As the endpoint slice controller writes it, with these endpoints.
fn web_slice(endpoints: Value) -> Value {
    json!({
        "addressType": "IPv4", "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "endpoints": endpoints,
        "metadata": {
            "annotations": {"endpoints.kubernetes.io/last-change-trigger-time": "2025-03-01T10:00:00Z"},
            "generateName": "web-", "name": "web-abcde", "namespace": "shop", "resourceVersion": "12",
            "labels": {
                "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
                "kubernetes.io/service-name": "web",
            },
            "ownerReferences": [{"apiVersion": "v1", "kind": "Service", "name": "web", "uid": "u"}],
        },
        "ports": [{"name": "", "port": 8080, "protocol": "TCP"}],
    })
}

fn endpoint(node: &str, conditions: Value) -> Value {
    json!({"addresses": ["10.244.1.7"], "conditions": conditions, "nodeName": node, "zone": "z",
           "targetRef": {"kind": "Pod", "name": "web-1", "namespace": "shop", "uid": "p"}})
}

#[test]
fn serving_endpoints_are_counted_per_node_and_all_endpoints_in_total() {
    let yes = json!({"ready": true, "serving": true, "terminating": false});
    let no = json!({"ready": false, "serving": false, "terminating": false});
    let endpoints = json!([
        endpoint("n1", yes.clone()),
        endpoint("n1", yes.clone()),
        endpoint("n2", yes),
        endpoint("n3", no),
    ]);
    let expected = EndpointSlice {
        key: ObjectKey::new("shop", "web-abcde"),
        service: ObjectKey::new("shop", "web"),
        endpoints: 4,
        serving_on: [("n1".to_owned(), 2), ("n2".to_owned(), 1)].into(),
        ready_on: [("n1".to_owned(), 2), ("n2".to_owned(), 1)].into(),
    };
    assert_eq!(read_slice(web_slice(endpoints)), Some(expected));
}

#[test]
fn serving_defers_to_ready_and_an_absent_ready_means_yes() {
    let cases = [
        (json!({"serving": true, "ready": false}), true),
        (json!({"serving": false, "ready": true}), false),
        (json!({"ready": true}), true),
        (json!({"ready": false}), false),
        (json!({"terminating": true}), true),
        (json!({}), true),
        (Value::Null, true),
    ];
    for (conditions, serving) in cases {
        let slice = read_slice(web_slice(json!([endpoint("n1", conditions.clone())]))).unwrap();
        assert_eq!(slice.serving_on.contains_key("n1"), serving, "{conditions}");
        assert_eq!(slice.endpoints, 1);
    }
}

#[test]
fn an_endpoint_that_ends_may_serve_but_is_not_ready() {
    let ending = json!({"ready": false, "serving": true, "terminating": true});
    let unsaid = json!({});
    let slice = web_slice(json!([
        endpoint("n1", ending.clone()),
        endpoint("n2", ending),
        endpoint("n2", unsaid)
    ]));
    let slice = read_slice(slice).unwrap();
    assert_eq!(slice.serving_on, [("n1".to_owned(), 1), ("n2".to_owned(), 2)].into());
    assert_eq!(slice.ready_on, [("n2".to_owned(), 1)].into());
}

#[test]
fn an_endpoint_without_a_node_counts_for_no_node() {
    let slice = read_slice(web_slice(json!([{"addresses": ["203.0.113.9"]}]))).unwrap();
    assert_eq!((slice.endpoints, slice.serving_on.len()), (1, 0));
}

#[test]
fn a_slice_without_endpoints_is_kept_and_one_without_a_service_is_not() {
    let empty = read_slice(web_slice(json!([]))).unwrap();
    assert_eq!((empty.endpoints, empty.serving_on.len()), (0, 0));
    let mut orphan = web_slice(json!([]));
    orphan["metadata"]["labels"] = json!({"app": "web"});
    assert_eq!(read_slice(orphan.clone()), None);
    orphan["metadata"].as_object_mut().unwrap().remove("labels");
    assert_eq!(read_slice(orphan), None);
}
