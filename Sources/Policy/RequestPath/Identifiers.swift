/// Names one request from its arrival to its settlement. The caller makes it unique among the live.
package struct RequestID: Hashable, Sendable {
    package var raw: UInt64

    package init(raw: UInt64) {
        self.raw = raw
    }
}

/// Names one engine endpoint. Dense from zero; an id is not given to another endpoint while its
/// requests live.
package struct EndpointID: Hashable, Sendable {
    package var raw: Int

    package init(raw: Int) {
        self.raw = raw
    }
}

/// Names one served model: an index into the plan's models.
package struct ModelID: Hashable, Sendable {
    package var raw: Int

    package init(raw: Int) {
        self.raw = raw
    }
}

/// Names one tenant: an index into the plan's tenants.
package struct TenantID: Hashable, Sendable {
    package var raw: Int

    package init(raw: Int) {
        self.raw = raw
    }
}
