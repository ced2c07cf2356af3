#!/bin/sh
# Prints kube-vip as a DaemonSet on control planes: it announces $vipAddress on $vipInterface.
#   vipAddress=192.168.0.75 vipInterface=eth0 sh manifests/k3s.sh >/var/lib/rancher/k3s/server/manifests/vip.yaml
set -eu
: "${vipAddress:?say which address, as vipAddress=192.168.0.75}"
: "${vipInterface:?say which interface it is announced on, as vipInterface=eth0}"
cat <<YAML
apiVersion: v1
kind: ServiceAccount
metadata:
  name: kube-vip
  namespace: "kube-system"
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: system:kube-vip-cp-role
rules:
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
- apiGroups: [coordination.k8s.io]   # those of other nodes, and those that peers elect owners of Services by
  resources: [leases]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [events]
  verbs: [create]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: system:kube-vip-cp-binding
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: system:kube-vip-cp-role
subjects:
- kind: ServiceAccount
  name: kube-vip
  namespace: "kube-system"
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: kube-vip-cp-leases
  namespace: "kube-system"
rules:
- apiGroups: [coordination.k8s.io]   # the group's, one for each node, and those that Services name
  resources: [leases]
  verbs: [get, create, update]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: kube-vip-cp-leases
  namespace: "kube-system"
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: kube-vip-cp-leases
subjects:
- kind: ServiceAccount
  name: kube-vip
  namespace: "kube-system"
---
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: kube-vip-cp-ds
  namespace: "kube-system"
  labels:
    app.kubernetes.io/name: kube-vip-cp-ds
    app.kubernetes.io/component: announcer
    app.kubernetes.io/part-of: kube-vip
    app.kubernetes.io/version: "0.1.0"
spec:
  selector:
    matchLabels:
      app.kubernetes.io/name: kube-vip-cp-ds
  updateStrategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 1
  template:
    metadata:
      labels:
        app.kubernetes.io/name: kube-vip-cp-ds
        app.kubernetes.io/component: announcer
        app.kubernetes.io/part-of: kube-vip
        app.kubernetes.io/version: "0.1.0"
    spec:
      serviceAccountName: kube-vip
      hostNetwork: true
      priorityClassName: system-node-critical
      terminationGracePeriodSeconds: 10
      nodeSelector:
        kubernetes.io/os: linux
      tolerations:
      - operator: Exists
      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms:
            - matchExpressions:
              - {key: node-role.kubernetes.io/control-plane, operator: Exists}
            - matchExpressions:
              - {key: node-role.kubernetes.io/master, operator: Exists}
      containers:
      - name: kube-vip
        image: "localhost/kube-vip:v0.1.0"
        imagePullPolicy: IfNotPresent
        args: [manager]
        env:
        - name: vip_nodename
          valueFrom:
            fieldRef:
              fieldPath: spec.nodeName
        - name: vip_arp
          value: "true"
        - name: port
          value: "6443"
        - name: vip_interface
          value: "$vipInterface"
        - name: cp_enable
          value: "true"
        - name: cp_namespace
          value: "kube-system"
        - name: address
          value: "$vipAddress"
        - name: vip_leaderelection
          value: "true"
        - name: vip_leasename
          value: "plndr-cp-lock"
        - name: vip_leaseduration
          value: "5"
        - name: vip_renewdeadline
          value: "3"
        - name: vip_retryperiod
          value: "1"
        - name: prometheus_server
          value: ":2113"
        livenessProbe:
          httpGet: {path: /livez, port: 2113}
          initialDelaySeconds: 5
          periodSeconds: 10
          timeoutSeconds: 3
        readinessProbe:
          httpGet: {path: /readyz, port: 2113}
          periodSeconds: 5
          timeoutSeconds: 3
        resources:
          requests: {cpu: 100m, memory: 32Mi}
          limits: {memory: 128Mi}
        securityContext:
          allowPrivilegeEscalation: false
          readOnlyRootFilesystem: true
          capabilities:
            drop: [ALL]
            add: [NET_ADMIN, NET_RAW]
          seccompProfile: {type: RuntimeDefault}
YAML
