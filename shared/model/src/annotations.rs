//! Every annotation, label and finalizer that the two programs read or write, as kube-vip spells them.

/// The addresses of a Service, comma-separated; the truth about them.
pub const LOADBALANCER_IPS: &str = "kube-vip.io/loadbalancerIPs";
/// The interface that the addresses of a Service are to be announced on.
pub const SERVICE_INTERFACE: &str = "kube-vip.io/serviceInterface";
/// `true`: the announcer leaves the Service alone.
pub const IGNORE: &str = "kube-vip.io/ignore";
/// The group of Services that are announced by one node, named as the Lease that stands for it: `name` in the Service's
/// namespace, or `namespace/name`.
pub const LEASE_NAME: &str = "kube-vip.io/leaseName";
/// `true`: the Service has an owner of its own, whatever others have.
pub const FORCE_PER_SERVICE_ELECTION: &str = "kube-vip.io/forcePerServiceElection";
/// `true`, in any case of letters: with policy Cluster the Service is announced also while it has no endpoint.
pub const WITHOUT_ENDPOINTS: &str = "kube-vip.io/allow-reconcile-without-endpoints";
/// `true`: what the connection tracking of the kernel knows of an address is forgotten when a node takes it.
pub const FLUSH_CONNTRACK: &str = "kube-vip.io/flush-conntrack";
/// `true`: traffic to the addresses of the Service may go to any port.
pub const IGNORE_SERVICE_SECURITY: &str = "kube-vip.io/ignore-service-security";
/// The node that announces the Service.
pub const VIP_HOST: &str = "kube-vip.io/vipHost";
/// On the Lease of the control plane: the addresses of the control plane, comma-separated, as its holder notes them.
pub const CONTROL_PLANE_ADDRESS: &str = "kube-vip.io/address";
/// On the Lease of a group: the epoch in which its holder owns the group on the segment; it never goes back.
pub const EPOCH: &str = "kube-vip.io/epoch";
/// On the Lease of a node: the claims that it owns and that have no Lease of their own, each with its epoch, as in
/// `vip:198.51.100.8=3 vip:2001:db8::8=1`.
pub const OWNED: &str = "kube-vip.io/owned";
/// On a Lease: the `renewTime` that was written by one who says hello. Where `renewTime` is another, a peer that knows
/// nothing of hellos has written since.
pub const RENEWED: &str = "kube-vip.io/renewed";
/// Put on a Service by a cloud provider for the sake of a new version: the version that it was put on. What another
/// provider has decided on that one cannot be written any more.
pub const FENCE: &str = "kube-vip.io/fence";
/// Label on every Service whose addresses the cloud provider looks after.
pub const IMPLEMENTATION_LABEL: &str = "implementation";
/// Value of [`IMPLEMENTATION_LABEL`].
pub const IMPLEMENTATION: &str = "kube-vip";
/// Finalizer that keeps a Service, and so its address, until the cloud provider has seen it go.
pub const CLEANUP_FINALIZER: &str = "service.kubernetes.io/load-balancer-cleanup";
/// Label on a Node that people do not want to see addresses on, whatever its value.
pub const EXCLUDE_NODE_LABEL: &str = "node.kubernetes.io/exclude-from-external-load-balancers";
/// What comes before the slash in the labels on a Node that tell which Services it announces.
pub const SERVICE_PROVIDED_LABEL: &str = "service-provided.kube-vip.io";
