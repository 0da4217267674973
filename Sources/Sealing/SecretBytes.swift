// A secret has one owner, lies on OpenSSL's secure heap (locked, not dumped, guard pages) and is zeroed when the owner
// ends. It cannot be copied, so `print(secret)` does not compile.

internal import COpenSSL

/// A buffer of secret bytes with exactly one owner.
package struct SecretBytes: ~Copyable, @unchecked Sendable {
    // Unchecked: the pointer is private and has one owner; only `withMutableBytes`, which needs exclusive access, writes.
    private let base: UnsafeMutableRawPointer
    /// How many bytes the buffer holds.
    package let count: Int

    /// Allocates `count` zero bytes.
    ///
    /// When the secure heap is nearly full the bytes lie on the ordinary heap; they are zeroed at the end all the same.
    package init(zeros count: Int) {
        SecureHeap.prepare()
        self.count = count
        let size = max(count, 1)
        // A full arena leaves an error behind, which must not turn up in the report of another operation.
        ERR_set_mark()
        let locked = SecureHeap.hasRoom(for: size) ? CRYPTO_secure_zalloc(size, #file, #line) : nil
        ERR_pop_to_mark()
        guard let memory = locked ?? CRYPTO_zalloc(size, #file, #line) else {
            fatalError("out of memory for a secret of \(size) bytes")
        }
        base = memory
    }

    /// Copies bytes in; the source stays the caller's to wipe.
    package init(copying source: UnsafeRawBufferPointer) {
        self.init(zeros: source.count)
        if let start = source.baseAddress { base.copyMemory(from: start, byteCount: source.count) }
    }

    /// Fills a new buffer from the operating system's random source.
    package init(randomCount count: Int) {
        self.init(zeros: count)
        Random.fill(UnsafeMutableRawBufferPointer(start: base, count: count), isPrivate: true)
    }

    /// Lends the bytes for reading.
    package borrowing func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try body(UnsafeRawBufferPointer(start: base, count: count))
    }

    /// Lends the bytes for writing.
    package mutating func withMutableBytes<R, E: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try body(UnsafeMutableRawBufferPointer(start: base, count: count))
    }

    deinit { CRYPTO_secure_clear_free(base, max(count, 1), #file, #line) }
}

/// The arena of locked memory that secrets lie on.
package enum SecureHeap {
    /// Bytes set aside; a secret takes its size rounded up to a power of two, 32 at least.
    private static let size = 1 << 20

    /// What came of asking for the arena: 1 locked and guarded, 2 without lock or guard pages, 0 none.
    private static let outcome: Int32 = CRYPTO_secure_malloc_init(size, 32)

    static func prepare() { _ = outcome }

    /// Whether a secret may take so much; a quarter stays free, because libcrypto's own generator and keys live here too
    /// and cannot go elsewhere.
    static func hasRoom(for bytes: Int) -> Bool { CRYPTO_secure_used() + bytes * 2 <= size / 4 * 3 }

    /// Whether secrets lie in memory that is never swapped out; `status` says so.
    package static var isLocked: Bool { outcome == 1 }
}
