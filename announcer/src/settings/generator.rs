//! What `kube-vip manifest` and `kube-vip kubeadm` can be told beside the settings that they put into a manifest.

use model::settings::{Kind, Setting};

use Kind::{Switch, Value};

/// Of all kinds of manifests, each with those that it is for.
pub const GENERATOR: &[Setting] = &[
    Setting::new(
        "image",
        "",
        Value,
        concat!("localhost/kube-vip:v", env!("CARGO_PKG_VERSION")),
        "Image of the container.",
    ),
    Setting::new(
        "inCluster",
        "",
        Switch,
        "true for a DaemonSet, false for a pod",
        "Use the ServiceAccount kube-vip; false: the folder of the kubeconfig (k8s_config_file) is mounted.",
    ),
    Setting::new(
        "taint",
        "",
        Switch,
        "false",
        "DaemonSet: on control planes only, whatever their taints.",
    ),
    Setting::new(
        "config",
        "",
        Value,
        "/etc/kubernetes/admin.conf",
        "kubeadm join: the kubeconfig; one that is named must be there.",
    ),
];

/// Of `kube-vip manifest rbac`, and refused: why is said elsewhere.
pub const REFUSED: &[Setting] =
    &[Setting::new("role", "", Switch, "", ""), Setting::new("rolebinding", "", Switch, "", "")];
