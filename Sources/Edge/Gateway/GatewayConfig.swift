package import Budget
import Config
import Engines
package import EventLoop
import Planning
package import RequestPath
import Wire

/// The configuration in force, compiled for the request path. Immutable; loops share it.
///
/// Ids are places in its arrays. They keep their meaning over reloads: entries are changed,
/// deactivated or appended, never moved.
package final class GatewayConfig: Sendable {
    /// A class, so that the request path passes on one reference instead of a whole specification.
    package final class Model: Sendable {
        package let spec: ModelSpec
        /// Still in the configuration.
        package let isActive: Bool
        /// `Bearer ...` for the engines; `nil` when they want none.
        package let authorization: String?
        /// The name the engines know the model by.
        let engineName: [UInt8]
        let tellsUsage: Bool
        let defaultClassIndex: Int

        init(_ spec: ModelSpec, isActive: Bool, authorization: String?) {
            self.spec = spec
            self.isActive = isActive
            self.authorization = authorization
            self.engineName = Array((spec.engine.servedModelName ?? spec.name).utf8)
            self.tellsUsage = EngineAdapter(spec.engine.kind).tellsUsage
            self.defaultClassIndex = spec.defaultClassIndex
        }

        var deactivated: Model {
            Model(self.spec, isActive: false, authorization: self.authorization)
        }
    }

    /// One tenant and what it may use.
    package struct Tenant: Sendable {
        package var spec: TenantSpec
        package var isActive: Bool
        /// By model: whether it may be used, and the highest class (lowest index) allowed.
        var grants: [Grant]
    }

    struct Grant: Sendable {
        var isAllowed: Bool
        var classCeiling: Int
    }

    /// One engine endpoint of a model.
    package struct Endpoint: Sendable {
        package var model: ModelID
        package var engine: EngineEndpoint
        package var address: SocketAddress?
        package var isActive: Bool
    }

    package let models: [Model]
    package let tenants: [Tenant]
    package let endpoints: [Endpoint]
    package let plan: Plan
    /// Grows with each reload; a cached identity of another version is looked up again.
    package let version: Int
    /// What each tenant may do with each model; a row a tenant.
    private let grants: [Grant]
    private let keys: KeyRing
    /// By index in the key ring's tenants.
    private let keyTenants: [TenantID]
    /// Names and aliases a client may ask for.
    private let names: [Name]

    fileprivate struct Name: Sendable {
        var bytes: [UInt8]
        var model: Int
    }

    /// The tenant of requests without a key, where no tenant has one.
    package static let anonymous = TenantID(raw: 0)

    /// Whether clients must show a key.
    package var requiresKey: Bool { !self.keys.isEmpty }

    /// Compiles `configuration`; `previous` keeps ids stable.
    ///
    /// Resolves host names and reads engine credentials: blocks, and throws with the words for
    /// them.
    package init(
        _ configuration: Configuration, previous: GatewayConfig? = nil
    ) throws(GatewayConfigFault) {
        var draft = Draft(previous)
        for spec in configuration.models { try draft.take(spec) }
        for spec in configuration.tenants { draft.take(spec) }
        draft.grantAll()
        let specs = draft.models.map { $0.spec }
        self.models = draft.models
        self.tenants = draft.tenants
        self.grants = draft.tenants.flatMap { $0.grants }
        self.endpoints = draft.endpoints
        self.keys = KeyRing(configuration.tenants)
        self.keyTenants = draft.keyTenants
        self.names = draft.names
        self.version = (previous?.version ?? 0) + 1
        self.plan = Plan(
            models: specs.map { ModelPlan($0, among: specs) },
            tenants: draft.tenants.map { TenantPlan($0.spec) })
    }

    /// The tenant whose token this is; `nil` when it is nobody's.
    func tenant(ofToken token: UnsafeRawBufferPointer, _ hasher: borrowing TenantKeyHasher)
        -> TenantID?
    {
        self.keys.tenantIndex(ofToken: token, hasher).map { self.keyTenants[$0] }
    }

    /// The model a client asked for by name or alias.
    func model(_ bytes: Span<UInt8>, _ name: ByteRange) -> ModelID? {
        for entry in self.names where entry.bytes.count == name.count {
            var index = 0
            while index < name.count, entry.bytes[index] == bytes[name.start + index] {
                index += 1
            }
            if index == name.count { return ModelID(raw: entry.model) }
        }
        return nil
    }

    /// The active models a tenant may use, for lists and messages.
    func modelNames(for tenant: TenantID) -> [String] {
        self.models.indices
            .filter { self.models[$0].isActive && self.grant(tenant, ModelID(raw: $0)).isAllowed }
            .map { self.models[$0].spec.name }
    }

    func grant(_ tenant: TenantID, _ model: ModelID) -> Grant {
        self.grants[tenant.raw * self.models.count + model.raw]
    }

}

/// A configuration being compiled.
private struct Draft {
    typealias Model = GatewayConfig.Model
    typealias Tenant = GatewayConfig.Tenant
    typealias Endpoint = GatewayConfig.Endpoint

    var models: [Model]
    var tenants: [Tenant]
    var endpoints: [Endpoint]
    var keyTenants: [TenantID] = []
    var names: [GatewayConfig.Name] = []

    /// Everything known before, not yet in the new configuration.
    init(_ previous: GatewayConfig?) {
        self.models = previous?.models.map { $0.deactivated } ?? []
        self.tenants = previous?.tenants ?? [Tenant.anonymous]
        self.endpoints = previous?.endpoints ?? []
        for index in self.tenants.indices.dropFirst() { self.tenants[index].isActive = false }
        for index in self.endpoints.indices { self.endpoints[index].isActive = false }
    }

    mutating func take(_ spec: ModelSpec) throws(GatewayConfigFault) {
        var authorization: String?
        if let bearer = spec.engine.bearer {
            do {
                authorization = "Bearer \(try bearer.token())"
            } catch {
                throw GatewayConfigFault("model '\(spec.name)': \(error.message)")
            }
        }
        let model = Model(spec, isActive: true, authorization: authorization)
        let index: Int
        if let known = self.models.firstIndex(where: { $0.spec.name == spec.name }) {
            index = known
            self.models[known] = model
        } else {
            index = self.models.count
            self.models.append(model)
        }
        for name in [spec.name] + spec.aliases {
            self.names.append(GatewayConfig.Name(bytes: Array(name.utf8), model: index))
        }
        for engine in spec.engine.endpoints {
            try self.take(engine, of: ModelID(raw: index))
        }
    }

    private mutating func take(
        _ engine: EngineEndpoint, of model: ModelID
    ) throws(GatewayConfigFault) {
        guard let address = SocketAddress.resolve(host: engine.host, port: engine.port) else {
            throw GatewayConfigFault(
                "engine '\(engine.url)': the host name cannot be resolved; check its spelling")
        }
        if let known = self.endpoints.firstIndex(where: {
            $0.model == model && $0.engine == engine
        }) {
            self.endpoints[known].isActive = true
            self.endpoints[known].address = address
        } else {
            self.endpoints.append(
                Endpoint(model: model, engine: engine, address: address, isActive: true))
        }
    }

    mutating func take(_ spec: TenantSpec) {
        let index: Int
        if let known = self.tenants.indices.dropFirst().first(where: {
            self.tenants[$0].spec.name == spec.name
        }) {
            index = known
            self.tenants[known] = Tenant(spec: spec, isActive: true, grants: [])
        } else {
            index = self.tenants.count
            self.tenants.append(Tenant(spec: spec, isActive: true, grants: []))
        }
        self.keyTenants.append(TenantID(raw: index))
    }

    mutating func grantAll() {
        for index in self.tenants.indices {
            let spec = self.tenants[index].spec
            self.tenants[index].grants = self.models.map { model in
                let ceiling = spec.classCeiling.flatMap { model.spec.classIndex(named: $0) }
                return GatewayConfig.Grant(
                    isAllowed: model.isActive && spec.mayUse(model: model.spec.name),
                    classCeiling: ceiling ?? 0)
            }
        }
    }
}

extension GatewayConfig.Tenant {
    static let anonymous = GatewayConfig.Tenant(
        spec: TenantSpec(name: "anonymous"), isActive: true, grants: [])
}

/// Why a valid budget cannot be put in force on this machine.
package struct GatewayConfigFault: Error, CustomStringConvertible {
    package var description: String

    init(_ description: String) {
        self.description = description
    }
}
