/// A value whose fields are another API's business: a pod template's.
package enum FreeForm: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case list([FreeForm])
    /// In written order; keys are unique.
    case map([Field])

    /// One entry of a map.
    package struct Field: Sendable, Equatable {
        package var key: String
        package var value: FreeForm

        package init(key: String, value: FreeForm) {
            self.key = key
            self.value = value
        }
    }
}
