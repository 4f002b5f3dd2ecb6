import Budget

extension Field {
    /// Reads `auth`. No message here quotes a value: it may be a secret in the wrong place.
    func auth() -> BearerSource? {
        guard self.isMapWithoutSecrets(), var fields = Fields(self) else { return nil }
        for key in ["bearer", "token", "apiKey", "api_key", "key", "password", "secret", "value"] {
            if let field = fields.refuse(key) {
                self.faults.add(field.keyPosition, "\(field.path): \(Self.secretAdvice)")
            }
        }
        let source = fields.required("bearerFrom", "{env: NAME} or {file: PATH}")?.bearerSource()
        fields.close()
        return source
    }

    private func bearerSource() -> BearerSource? {
        guard self.isMapWithoutSecrets(), var fields = Fields(self) else { return nil }
        let envField = fields.optional("env")
        let name = envField?.environmentName()
        let fileField = fields.optional("file")
        let path = fileField?.scalar("a path")?.text
        fields.close()
        if envField != nil, let fileField {
            self.faults.add(
                fileField.keyPosition, "\(self.path) has both env and file: remove one")
        }
        if envField == nil, fileField == nil {
            self.faults.add(
                self.keyPosition, "\(self.path) needs {env: NAME} or {file: PATH}")
        }
        return name.map(BearerSource.env) ?? path.map(BearerSource.file)
    }

    private func environmentName() -> String? {
        guard let (text, _) = self.scalar("the name of an environment variable") else {
            return nil
        }
        let isName = text.utf8.enumerated().allSatisfy { index, byte in
            let isLetter = (byte | 0x20) >= UInt8(ascii: "a") && (byte | 0x20) <= UInt8(ascii: "z")
            let isDigit = byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
            return isLetter || byte == UInt8(ascii: "_") || (isDigit && index > 0)
        }
        guard isName, text.utf8.count <= 128 else {
            self.fault(
                "\(self.path) must be the name of an environment variable, such as ENGINE_KEY, "
                    + "not the secret itself")
            return nil
        }
        return text
    }

    private func isMapWithoutSecrets() -> Bool {
        switch self.node.content {
        case .map: return true
        case .refused: return false
        case .scalar, .list:
            self.fault("\(self.path): \(Self.secretAdvice)")
            return false
        }
    }

    private static let secretAdvice =
        "a secret must not be written here: say where it is, "
        + "bearerFrom: {env: NAME} or bearerFrom: {file: PATH}"
}
