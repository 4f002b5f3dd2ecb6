import Config

/// The objects of the files that have to do with scaling; others are passed over.
struct Manifests {
    var podScalers: [PodScaler] = []
    var revisions: [KnativeRevision] = []
    var nodePools: [NodePool] = []
    var workloads: [Workload] = []

    /// The first scaler and the workload of each target, and whether every workload with
    /// accelerators keeps its pods where they are; set by `index`.
    private var scalers: [Target: Int] = [:]
    private var targets: [Target: Int] = [:]
    private(set) var keepsAllPods = false

    /// Makes what the lookups below need, once everything is read.
    mutating func index() {
        for (index, scaler) in self.podScalers.enumerated().reversed() {
            self.scalers[scaler.target] = index
        }
        for (index, workload) in self.workloads.enumerated().reversed() {
            self.targets[workload.target] = index
        }
        let served = self.workloads.filter(\.usesGPU)
        self.keepsAllPods = !served.isEmpty && served.allSatisfy(\.keepsPods)
    }

    /// How many objects were read.
    var count: Int {
        self.podScalers.count + self.revisions.count + self.nodePools.count + self.workloads.count
    }

    /// The workload of the files that a scaler names.
    func workload(_ target: Target) -> Workload? {
        self.targets[target].map { self.workloads[$0] }
    }

    /// The first scaler of the files that names a workload.
    func scaler(_ target: Target) -> PodScaler? {
        self.scalers[target].map { self.podScalers[$0] }
    }
}

/// The kinds that are read, each in one version.
private enum ManifestKind: String, CaseIterable {
    case podAutoscaler = "HorizontalPodAutoscaler"
    case scaledObject = "ScaledObject"
    case knativePodAutoscaler = "PodAutoscaler"
    case knativeService = "Service"
    case configMap = "ConfigMap"
    case nodePool = "NodePool"
    case deployment = "Deployment"
    case statefulSet = "StatefulSet"

    var apiVersion: String {
        switch self {
        case .podAutoscaler: "autoscaling/v2"
        case .scaledObject: "keda.sh/v1alpha1"
        case .knativePodAutoscaler: "autoscaling.internal.knative.dev/v1alpha1"
        case .knativeService: "serving.knative.dev/v1"
        case .configMap: "v1"
        case .nodePool: "karpenter.sh/v1"
        case .deployment, .statefulSet: "apps/v1"
        }
    }

    /// Kinds of the cluster itself have no namespace.
    var isNamespaced: Bool { self != .nodePool }
}

/// Sorts documents by kind, then reads them: ConfigMaps first, whose defaults others take.
struct ManifestReader {
    private var documents: [(kind: ManifestKind, root: Field)] = []
    private var defaults = KnativeDefaults()

    /// The ConfigMaps of Knative that hold defaults of scaling.
    private static let configMaps = ["config-autoscaler", "config-deployment", "config-defaults"]

    /// Takes a document, or every item of a printed `List`, where its kind is one that is read.
    mutating func add(_ root: Field) {
        if let kind = root.peek("kind")?.peekedText, kind.hasSuffix("List"),
            let items = root.peek("items")
        {
            for item in items.peekedItems { self.take(item) }
        } else {
            self.take(root)
        }
    }

    private mutating func take(_ root: Field) {
        guard let kindField = root.peek("kind"), let kindText = kindField.peekedText,
            let versionField = root.peek("apiVersion"), let version = versionField.peekedText
        else { return }
        if let kind = ManifestKind(rawValue: kindText) {
            if version == kind.apiVersion {
                self.documents.append((kind, root))
            } else if NearestSpelling.of(version, among: [kind.apiVersion]) != nil {
                versionField.fault(
                    "apiVersion: \(kindText) is read as \(kind.apiVersion), "
                        + "not \"\(quoted(version))\"", suggestion: kind.apiVersion)
            }
        } else if version != "v1" {
            let kinds = ManifestKind.allCases.filter { $0.apiVersion == version }.map(\.rawValue)
            if let nearest = NearestSpelling.of(kindText, among: kinds) {
                kindField.fault(
                    "kind: \"\(quoted(kindText))\" is no kind of \(version) that is known here",
                    suggestion: nearest)
            }
        }
    }

    /// Reads what was taken.
    mutating func read() -> Manifests {
        var manifests = Manifests()
        for (kind, root) in self.documents where kind == .configMap {
            guard let name = root.peek("metadata")?.peek("name")?.peekedText,
                Self.configMaps.contains(name), let data = root.peek("data"), !data.isNull
            else { continue }
            self.defaults.read(data, ofMap: name)
        }
        for (kind, root) in self.documents where kind != .configMap {
            self.read(kind, root, into: &manifests)
        }
        if manifests.revisions.contains(where: \.isService) {
            // A Service writes its PodAutoscalers: it is the one to change.
            manifests.revisions.removeAll { !$0.isService }
        }
        manifests.index()
        return manifests
    }

    private func read(_ kind: ManifestKind, _ root: Field, into manifests: inout Manifests) {
        guard var fields = Fields(root) else { return }
        fields.passOver("apiVersion", "kind", "status")
        let metadata = fields.required("metadata", "metadata: {name: ...}")
        let spec = fields.required("spec", "the \(kind.rawValue)'s fields")
        fields.closeToMisspellings()
        guard let metadata, let spec, let object = Self.name(kind, metadata) else { return }
        switch kind {
        case .podAutoscaler:
            // What another scaler owns is judged there, where it can be changed.
            guard !Self.isOwned(metadata) else { return }
            manifests.podScalers += spec.podAutoscaler(object).map { [$0] } ?? []
        case .scaledObject:
            manifests.podScalers +=
                spec.scaledObject(object, metadata: metadata).map { [$0] } ?? []
        case .knativeService:
            manifests.revisions += spec.knativeService(object, self.defaults).map { [$0] } ?? []
        case .knativePodAutoscaler:
            let revision = spec.knativePodAutoscaler(object, metadata: metadata, self.defaults)
            manifests.revisions += revision.map { [$0] } ?? []
        case .nodePool:
            manifests.nodePools += spec.nodePool(object).map { [$0] } ?? []
        case .deployment, .statefulSet:
            manifests.workloads += spec.workload(object).map { [$0] } ?? []
        case .configMap:
            break
        }
    }

    private static func name(_ kind: ManifestKind, _ metadata: Field) -> ObjectName? {
        guard var fields = Fields(metadata) else { return nil }
        // Charts and printed objects may hold a generated name alone.
        let field =
            fields.present("name") ?? fields.present("generateName")
            ?? fields.required("name", "the object's name")
        guard let field, let name = field.string() else { return nil }
        let namespace = fields.present("namespace")?.string() ?? "default"
        return ObjectName(
            kind: kind.rawValue, namespace: kind.isNamespaced ? namespace : "", name: name,
            position: field.position)
    }

    private static func isOwned(_ metadata: Field) -> Bool {
        (metadata.peek("ownerReferences")?.peekedItems ?? []).contains { owner in
            ["ScaledObject", "PodAutoscaler"].contains(owner.peek("kind")?.peekedText)
        }
    }
}
