/// A token a client presents, taken apart where it lies: no copy, no allocation.
///
/// Valid as long as the buffer it was made from.
package struct PresentedKey {
    /// The `<id>` of `plm_<id>_<secret>`.
    package let id: UnsafeRawBufferPointer
    /// Its 43 characters of secret.
    package let secret: UnsafeRawBufferPointer

    /// `nil` when the bytes are not of the form `plm_<1 to 16 of a-z0-9>_<43 of base64url>`.
    package init?(parsing bytes: UnsafeRawBufferPointer) {
        let prefix: StaticString = "plm_"
        let idStart = prefix.utf8CodeUnitCount
        let secretStart = bytes.count - TenantKey.secretCharacters
        let idCount = secretStart - 1 - idStart
        guard idCount >= 1, idCount <= TenantKey.idBytesMax else { return nil }
        for index in 0..<idStart where bytes[index] != prefix.utf8Start[index] {
            return nil
        }
        guard bytes[secretStart - 1] == UInt8(ascii: "_") else { return nil }
        self.id = UnsafeRawBufferPointer(rebasing: bytes[idStart..<(secretStart - 1)])
        self.secret = UnsafeRawBufferPointer(rebasing: bytes[secretStart...])
        guard self.id.allSatisfy(\.isLowerOrDigit), self.secret.allSatisfy(Base64URL.contains)
        else { return nil }
    }
}
