// Keys are derived, never reused: each purpose has its own label, each password its own salt and stored cost.

internal import COpenSSL

/// HKDF (RFC 5869).
package enum HKDF {
    /// Derives `count` bytes for one purpose from a key that is already uniformly random.
    ///
    /// - Throws: ``SealingError/badParameter(_:)`` when more than 255 digests are asked for.
    package static func derive(
        from key: Secret, salt: [UInt8] = [], info: String, count: Int = 32, hash: HashFunction = .sha256
    ) throws(SealingError) -> Secret {
        try derive(from: key, salt: salt, info: Array(info.utf8), count: count, hash: hash)
    }

    /// Derives `count` bytes; `info` as bytes.
    package static func derive(
        from key: Secret, salt: [UInt8], info: [UInt8], count: Int, hash: HashFunction
    ) throws(SealingError) -> Secret {
        guard count > 0, count <= 255 * hash.digestCount else { throw .badParameter("HKDF output of \(count) bytes") }
        let size = hash.digestCount
        let salt = salt.isEmpty ? [UInt8](repeating: 0, count: size) : salt
        var pseudorandom = SecretBytes(zeros: size)
        pseudorandom.withMutableBytes { target in
            key.reveal { input in salt.withUnsafeBytes { HMAC.write(into: target, of: input, key: $0, hash: hash) } }
        }
        // T(i) = HMAC(PRK, T(i−1) ‖ info ‖ i), where T(0) is nothing; all of it lies on the secure heap.
        var message = SecretBytes(zeros: size + info.count + 1)
        var block = SecretBytes(zeros: size)
        var out = SecretBytes(zeros: count)
        for (index, done) in stride(from: 0, to: count, by: size).enumerated() {
            message.withMutableBytes { message in
                message[size..<size + info.count].copyBytes(from: info)
                message[size + info.count] = UInt8(truncatingIfNeeded: index + 1)
                let input = UnsafeRawBufferPointer(rebasing: index == 0 ? message[size...] : message[...])
                block.withMutableBytes { block in
                    pseudorandom.withBytes { HMAC.write(into: block, of: input, key: $0, hash: hash) }
                    message[..<size].copyBytes(from: block)
                    let take = min(size, count - done)
                    out.withMutableBytes { $0[done..<done + take].copyBytes(from: block[..<take]) }
                }
            }
        }
        return Secret(out)
    }
}

/// scrypt (RFC 7914) with the cost it was made with, so that old hashes stay verifiable when the default grows.
package struct Scrypt: Sendable, Equatable {
    /// CPU and memory cost, a power of two.
    package let n: UInt64
    /// Block size.
    package let r: UInt64
    /// Parallelism.
    package let p: UInt64

    /// 2^16, 8, 1: a third of a second and 72 MB on the reference machine.
    package static let standard = Scrypt(n: 1 << 16, r: 8, p: 1)

    /// Names a cost; it is checked when used.
    package init(n: UInt64, r: UInt64, p: UInt64) {
        self.n = n
        self.r = r
        self.p = p
    }

    /// Derives `count` bytes from a password. Slow by intent: never call it on an event loop.
    ///
    /// - Throws: ``SealingError/badParameter(_:)`` for a cost that would need over 512 MiB or is no power of two, and for
    ///   an output that is not 1 to 1024 bytes.
    package func derive(from password: Secret, salt: [UInt8], count: Int = 32) throws(SealingError) -> Secret {
        let limit: UInt64 = 512 << 20
        guard n > 1, n & (n - 1) == 0, (1...64).contains(r), (1...16).contains(p), n <= limit / (128 * r) else {
            throw .badParameter("scrypt N=\(n) r=\(r) p=\(p)")
        }
        guard (1...1024).contains(count) else { throw .badParameter("scrypt output of \(count) bytes") }
        var out = SecretBytes(zeros: count)
        let result = password.reveal { bytes in
            out.withMutableBytes { target in
                EVP_PBE_scrypt(
                    bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, salt, salt.count, n, r, p,
                    limit + (64 << 20), target.baseAddress?.assumingMemoryBound(to: UInt8.self), count)
            }
        }
        try check(result, "scrypt")
        return Secret(out)
    }
}

/// PBKDF2 (RFC 8018), only because Mosquitto's dynamic-security file stores passwords this way.
package enum PBKDF2 {
    /// Derives `count` bytes with HMAC-SHA-512.
    ///
    /// - Throws: ``SealingError/badParameter(_:)`` unless there are 1 to 10 million iterations for 1 to 1024 bytes.
    package static func sha512(
        password: Secret, salt: [UInt8], iterations: Int, count: Int = 64
    ) throws(SealingError) -> [UInt8] {
        guard (1...10_000_000).contains(iterations), (1...1024).contains(count) else {
            throw .badParameter("PBKDF2 of \(iterations) iterations for \(count) bytes")
        }
        var out = [UInt8](repeating: 0, count: count)
        let result = password.reveal { bytes in
            PKCS5_PBKDF2_HMAC(
                bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count), salt, Int32(salt.count),
                Int32(iterations), EVP_sha512(), Int32(count), &out)
        }
        try check(result, "PBKDF2")
        return out
    }
}
