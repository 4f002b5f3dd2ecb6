package import Budget
import COpenSSL

/// Verifies presented secrets. One for each loop: it keeps its digest and context.
///
/// OpenSSL 3.0 allocates its hash state anew for each digest, the one allocation of a verification;
/// so verify once for a connection's credential, not once a request.
package struct TenantKeyHasher: ~Copyable {
    private let context: OpaquePointer
    private let digest: OpaquePointer

    /// Throws when OpenSSL has no SHA-256.
    package init() throws(TenantKeyFault) {
        // At exit OpenSSL would free what a loop that still runs is using.
        OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_ATEXIT), nil)
        guard let context = EVP_MD_CTX_new() else { throw .cryptography }
        guard let digest = EVP_MD_fetch(nil, "SHA256", nil) else {
            EVP_MD_CTX_free(context)
            throw .cryptography
        }
        self.context = context
        self.digest = digest
    }

    deinit {
        EVP_MD_CTX_free(self.context)
        EVP_MD_free(self.digest)
    }

    /// Whether the presented secret is the one of the record, compared in constant time.
    package borrowing func verify(presented: PresentedKey, against record: TenantKeyRecord) -> Bool
    {
        withUnsafeTemporaryAllocation(byteCount: TenantKey.hashBytes, alignment: 8) { hash in
            guard record.hash.count == TenantKey.hashBytes,
                self.hash(salt: record.salt, secret: presented.secret, into: hash)
            else { return false }
            return record.hash.withUnsafeBytes { expected in
                CRYPTO_memcmp(hash.baseAddress, expected.baseAddress, TenantKey.hashBytes) == 0
            }
        }
    }

    /// Writes SHA-256(salt, secret); false when OpenSSL fails.
    borrowing func hash(
        salt: [UInt8], secret: UnsafeRawBufferPointer, into hash: inout [UInt8]
    ) -> Bool {
        hash.withUnsafeMutableBytes { self.hash(salt: salt, secret: secret, into: $0) }
    }

    private borrowing func hash(
        salt: [UInt8], secret: UnsafeRawBufferPointer, into hash: UnsafeMutableRawBufferPointer
    ) -> Bool {
        let target = hash.bindMemory(to: UInt8.self).baseAddress
        return salt.withUnsafeBytes { salt in
            EVP_DigestInit_ex(self.context, self.digest, nil) == 1
                && EVP_DigestUpdate(self.context, salt.baseAddress, salt.count) == 1
                && EVP_DigestUpdate(self.context, secret.baseAddress, secret.count) == 1
                && EVP_DigestFinal_ex(self.context, target, nil) == 1
        }
    }
}
