// A `Secret` travels through ordinary values and can be printed, dumped and logged without ever showing what it holds.
// `reveal` and `revealText` are the only ways out, and easy to search for.

/// A secret to be carried in values: copies share one zeroed-at-the-end buffer.
///
/// There is no `Equatable`, `Hashable` or `Codable`, on purpose: compare with ``matches(_:)``, write with ``reveal(_:)``.
package struct Secret: Sendable {
    private final class Box: Sendable {
        let bytes: SecretBytes
        init(_ bytes: consuming SecretBytes) { self.bytes = bytes }
    }

    private let box: Box

    /// Takes over a buffer.
    package init(_ bytes: consuming SecretBytes) { box = Box(bytes) }

    /// Copies bytes in.
    package init(copying bytes: UnsafeRawBufferPointer) { self.init(SecretBytes(copying: bytes)) }

    /// Copies bytes in; the array stays the caller's and is not wiped.
    package init(_ bytes: [UInt8]) {
        var copy = SecretBytes(zeros: bytes.count)
        copy.withMutableBytes { $0.copyBytes(from: bytes) }
        self.init(copy)
    }

    /// Copies the UTF-8 of a text in; the text is not wiped.
    package init(text: String) { self.init(Array(text.utf8)) }

    /// Makes a new secret of `count` random bytes.
    package static func random(count: Int) -> Secret { Secret(SecretBytes(randomCount: count)) }

    /// How many bytes the secret has.
    package var count: Int { box.bytes.count }

    /// Lends the bytes; they must not outlive `body`.
    package func reveal<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try box.bytes.withBytes(body)
    }

    /// Copies the secret out as text, for the one place that puts it on the wire.
    ///
    /// Bytes that are not UTF-8 come out as replacement characters.
    package func revealText() -> String { reveal { String(decoding: $0, as: UTF8.self) } }

    /// Copies the secret out as bytes, for the one place that puts it on the wire.
    package func revealBytes() -> [UInt8] { reveal { Array($0) } }

    /// Whether both hold the same bytes, in time that depends on the length only.
    package func matches(_ other: Secret) -> Bool {
        reveal { mine in other.reveal { ConstantTime.equal(mine, $0) } }
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "<secret>" }
    package var debugDescription: String { "<secret>" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
