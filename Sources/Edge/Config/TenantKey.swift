package import Budget
import COpenSSL

/// A tenant's key as it is made, once: the token goes to the tenant, the record into the budget.
///
/// The token is `plm_<id>_<secret>`. The id is `k` and 7 of `a-z2-7`, for looking up; the secret is
/// 256 random bits in 43 characters of base64url. The record keeps the id, 16 random bytes of salt
/// and SHA-256(salt bytes, then the 43 ASCII characters of the secret); both are written in
/// base64url without padding, 22 and 43 characters. The secret is random, so that a slow hash would
/// add nothing.
package struct TenantKey: Sendable {
    package static let saltBytes = 16
    package static let hashBytes = 32
    package static let secretBytes = 32
    /// Characters of a secret in a token.
    package static let secretCharacters = 43
    package static let idBytesMax = 16

    /// What the tenant presents: `Authorization: Bearer <token>`.
    package let token: String
    package let record: TenantKeyRecord

    /// The line for `spec.keys` of the tenant.
    package var yaml: String {
        "{id: \(self.record.id), salt: \"\(Base64URL.encode(self.record.salt))\", "
            + "hash: \"\(Base64URL.encode(self.record.hash))\"}"
    }

    /// Makes a new key from the system's randomness; throws when there is none.
    package static func generate() throws(TenantKeyFault) -> TenantKey {
        let idAlphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
        let idBytes = try self.random(7).map { idAlphabet[Int($0 & 31)] }
        let id = "k" + String(decoding: idBytes, as: UTF8.self)
        let secret = Base64URL.encode(try self.random(self.secretBytes))
        let salt = try self.random(self.saltBytes)
        var hash = [UInt8](repeating: 0, count: self.hashBytes)
        let hasher = try TenantKeyHasher()
        guard
            Array(secret.utf8).withUnsafeBytes({ hasher.hash(salt: salt, secret: $0, into: &hash) })
        else { throw .cryptography }
        return TenantKey(
            token: "plm_\(id)_\(secret)", record: TenantKeyRecord(id: id, salt: salt, hash: hash))
    }

    private static func random(_ count: Int) throws(TenantKeyFault) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard RAND_bytes(&bytes, CInt(count)) == 1 else { throw .cryptography }
        return bytes
    }
}

/// Why a key could not be made.
package enum TenantKeyFault: Error, Sendable {
    /// OpenSSL gave no randomness or no SHA-256.
    case cryptography
}
