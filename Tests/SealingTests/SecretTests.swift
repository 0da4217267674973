// However a secret is printed, what it holds does not come out; the memory is zero when its owner is gone.

import Foundation
import Sealing
import Testing

@Suite struct SecretTests {
    private static let content = "correct horse battery staple"

    struct Holder {
        let name = "holder"
        let secret: Secret
        let maybe: Secret?
        let list: [Secret]
    }

    private static func printed(_ value: Any) -> [String] {
        var dumped = ""
        dump(value, to: &dumped)
        var written = ""
        print(value, terminator: "", to: &written)
        return [
            dumped, written, "\(value)", String(describing: value), String(reflecting: value), "\([value])",
            "\(["key": value])", "\(Optional(value) as Any)", String(reflecting: Mirror(reflecting: value)),
        ]
    }

    /// Whether a text shows the content as text, numbers, hex or base64, four bytes of it are enough.
    private static func shows(_ text: String) -> Bool {
        let bytes = Array(content.utf8)
        return (0...bytes.count - 4).contains { start in
            let part = bytes[start..<start + 4]
            return text.contains(String(decoding: part, as: UTF8.self))
                || text.contains(part.map(String.init).joined(separator: ", "))
                || text.contains(Hex.encode(part))
        } || text.contains(Base64.encode(bytes, as: .url))
    }

    @Test("no way of printing shows the content")
    func printing() {
        let secret = Secret(text: Self.content)
        #expect(secret.description == "<secret>")
        #expect(secret.debugDescription == "<secret>")
        let holder = Holder(secret: secret, maybe: secret, list: [secret, secret])
        let printed = Self.printed(secret) + Self.printed(holder) + Self.printed([secret]) + Self.printed(["a": secret])
        for text in printed {
            #expect(!Self.shows(text), "\(text)")
        }
        // The search finds what is really there.
        #expect(Self.shows("a horse"))
        #expect(Self.printed(Array(Self.content.utf8)).contains(where: Self.shows))
        #expect(Self.printed(holder).contains { $0.contains("<secret>") })
    }

    @Test("a mirror has nothing to descend into")
    func mirror() {
        let mirror = Mirror(reflecting: Secret(text: Self.content))
        #expect(mirror.children.isEmpty)
        #expect(mirror.superclassMirror == nil)
        #expect(mirror.descendant("box") == nil)
    }

    @Test("the content goes in and comes out")
    func content() {
        let secret = Secret(text: Self.content)
        #expect(secret.count == Self.content.utf8.count)
        #expect(secret.revealText() == Self.content)
        #expect(secret.revealBytes() == Array(Self.content.utf8))
        #expect(Array(Self.content.utf8).withUnsafeBytes { Secret(copying: $0) }.matches(secret))
        #expect(Secret([]).count == 0)
        #expect(Secret([]).revealText() == "")
        #expect(Secret([0xFF]).revealText() == "\u{FFFD}")
    }

    @Test("secrets match when their bytes do")
    func matches() {
        let secret = Secret(text: Self.content)
        #expect(secret.matches(secret))
        #expect(secret.matches(Secret(text: Self.content)))
        #expect(!secret.matches(Secret(text: Self.content + " ")))
        #expect(!secret.matches(Secret(text: "Correct horse battery staple")))
        #expect(!secret.matches(Secret([])))
        #expect(Secret([]).matches(Secret([])))
    }

    // Sizes of one byte, of a page, and larger than the arena of locked memory.
    @Test("new memory is zero, can be written and keeps what is written", arguments: [0, 1, 4096, 3 << 20])
    func buffer(count: Int) {
        var buffer = SecretBytes(zeros: count)
        #expect(buffer.count == count)
        #expect(buffer.withBytes { $0.count == count && $0.allSatisfy { $0 == 0 } })
        buffer.withMutableBytes { bytes in
            for index in bytes.indices { bytes[index] = UInt8(index & 0x7F) | 0x80 }
        }
        #expect(buffer.withBytes { zip(0..., $0).allSatisfy { index, byte in byte == UInt8(index & 0x7F) | 0x80 } })
        #expect(
            buffer.withBytes { source in
                let copy = SecretBytes(copying: source)
                return copy.withBytes {
                    $0.elementsEqual(source) && (count == 0 || $0.baseAddress != source.baseAddress)
                }
            })
    }

    // The memory is no longer ours to read then, so the kernel is asked for it through /proc/self/mem; the arena stays
    // mapped. Another test may already have put something else there, but not this pattern.
    @Test("the memory of a secret no longer holds it when its last owner is gone")
    func zeroed() throws {
        let memory = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/self/mem"))
        defer { try? memory.close() }
        func read(_ address: UInt) throws -> [UInt8] {
            try memory.seek(toOffset: UInt64(address))
            return Array(try memory.read(upToCount: 1024) ?? Data())
        }
        let pattern = (0..<1024).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
        func agreeing(_ bytes: [UInt8]) -> Int { zip(bytes, pattern).filter { $0 == $1 }.count }

        var secret: Secret? = Secret(pattern)
        var second = secret
        let address = try #require(secret?.reveal { UInt(bitPattern: $0.baseAddress) })
        #expect(agreeing(try read(address)) == 1024)
        secret = nil
        #expect(agreeing(try read(address)) == 1024)
        #expect(second?.count == 1024)
        second = nil
        let after = try read(address)
        #expect(after.count == 1024)
        #expect(agreeing(after) < 64)
    }
}
