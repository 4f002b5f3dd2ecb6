import Budget

extension Field {
    /// Reads the spec of a `GPUPool`.
    func pool(named name: Reference) -> DeclaredPool {
        var pool = DeclaredPool(name: name)
        guard var fields = Fields(self) else { return pool }
        let selectorField = fields.required("nodeSelector", "the labels of the pool's nodes")
        let selector = selectorField?.stringMap()
        if let selectorField, selector?.isEmpty == true {
            selectorField.fault("\(selectorField.path) is empty: it would select every node")
        }
        let taint = fields.optional("taint")?.taint()
        let gpus = fields.required("gpusPerNode", "a whole number")?.integer(in: 1...64)
        let mig = fields.optional("mig")?.migSlices() ?? []
        let price = fields.optional("pricePerGPUHour")?.money()
        let nodes = fields.required("nodes", "{min: 0, max: 4}")?.bounds(
            minDefault: 0, in: Ranges.replicas)
        let provisioning = fields.optional("provisioning")?.latencyBounds()
        fields.close()
        guard let selector, let gpus, let nodes else { return pool }
        pool.spec = GPUPoolSpec(
            name: name.name, nodeSelector: selector.map { NodeLabel(key: $0.key, value: $0.value) },
            taint: taint, gpusPerNode: gpus, mig: mig, pricePerGPUHour: price,
            nodesMin: nodes.min, nodesMax: nodes.max, provisioning: provisioning)
        return pool
    }

    private func taint() -> TaintSpec? {
        guard var fields = Fields(self) else { return nil }
        let key = fields.required("key", "the taint's key")?.string()
        let value = fields.optional("value")?.string()
        let effect = fields.required("effect", "NoSchedule")?.choice(of: TaintEffect.self)
        fields.close()
        guard let key, let effect else { return nil }
        return TaintSpec(key: key, value: value, effect: effect)
    }

    private func migSlices() -> [MIGSlice] {
        (self.entries() ?? []).compactMap { entry in
            guard isMIGProfile(entry.key) else {
                self.faults.add(
                    entry.keyPosition,
                    "\"\(quoted(entry.key))\" is not a MIG profile such as 3g.40gb")
                return nil
            }
            return entry.integer(in: 1...7).map { MIGSlice(profile: entry.key, count: $0) }
        }
    }
}
