// A label with anything wrong in it is refused with the field that is wrong, and never shows its code.

import CommandProtocol
import Sealing
import Testing

@Suite struct LabelTests {
    private static let key = Ed25519PrivateKey().publicKey
    private static let code = "AAECAwQFBgcICQoLDA0ODw"

    private static func label() throws -> Label {
        let seal = try X25519PrivateKey(rawSecret: .random(count: 32)).publicKey
        return try Label(
            device: .random(), key: key, seal: seal, code: Secret((0..<16).map(UInt8.init)), profile: "locks/demo-lock")
    }

    @Test("a label is read back as it was made")
    func roundTrip() throws {
        let label = try Self.label()
        let text = label.revealText()
        #expect(text.hasPrefix("dac-label:v1?dev=\(label.device.rawValue)&key="))
        #expect(text.hasSuffix("&code=\(Self.code)&profile=locks/demo-lock"))
        let read = try Label(parsing: text)
        #expect(read.device == label.device)
        #expect(read.key == label.key)
        #expect(read.seal == label.seal)
        #expect(read.code.matches(label.code))
        #expect(read.profile == label.profile)
    }

    private static let zeros = String(repeating: "A", count: 43)
    private static let identity = "AQ" + String(repeating: "A", count: 41)
    /// 2^255 − 19 in little endian.
    private static let prime = Base64.encode([0xED] + [UInt8](repeating: 0xFF, count: 30) + [0x7F], as: .url)
    private static let topBit = Base64.encode([9] + [UInt8](repeating: 0, count: 30) + [0x80], as: .url)

    @Test(
        "a wrong field is named",
        arguments: [
            ("dev", "Front-Door"), ("dev", ""), ("dev", "a/b"), ("key", ""), ("key", zeros), ("key", identity),
            ("key", prime), ("key", "not base64"), ("key", "AAAA"), ("seal", zeros), ("seal", identity),
            ("seal", prime), ("seal", topBit), ("seal", "AAAA"), ("seal", "="), ("code", "AAAA"), ("code", ""),
            ("code", code + "AA"), ("code", code + "=="), ("profile", ""), ("profile", "locks"),
            ("profile", "locks/../x"), ("profile", "/x"), ("profile", "locks/Demo"), ("profile", "a/b/c"),
        ])
    func wrongField(_ field: String, _ value: String) throws {
        var text = try Self.label().revealText()
        let start = try #require(text.firstRange(of: "\(field)=")).upperBound
        let end = text[start...].firstIndex(of: "&") ?? text.endIndex
        text.replaceSubrange(start..<end, with: value)
        let fault = #expect(throws: ProtocolFault.self) { try Label(parsing: text) }
        guard case .label(field, _, _) = fault else {
            Issue.record("refused as \(String(describing: fault))")
            return
        }
        #expect(!"\(String(describing: fault))".contains(Self.code))
    }

    @Test("another shape is refused without showing the code")
    func wrongShape() throws {
        let text = try Self.label().revealText()
        let wrong = [
            "", "dac-label:v2?" + text.dropFirst(13), "x" + text, text + "&dev=a", text + "&more=1", text + "&",
            text + "\n",
            text + " ", String(text.dropLast(24)), "dac-label:v1?", "dac-label:v1?\(Self.code)",
            text + String(repeating: "a", count: 512),
        ]
        for text in wrong {
            let fault = #expect(throws: ProtocolFault.self) { try Label(parsing: text) }
            guard let fault, case .label = fault else {
                Issue.record("not refused as a label: \(text)")
                continue
            }
            #expect(!fault.description.contains(Self.code))
        }
    }

    @Test("the message says what was found and what is allowed")
    func message() {
        let fault = #expect(throws: ProtocolFault.self) { try Label(parsing: "dac-label:v1?dev=a&dev=b") }
        #expect(fault?.description == "label: dev is there twice, must be there once")
    }

    @Test("printing a label does not show its code")
    func redaction() throws {
        let label = try Self.label()
        var dumped = ""
        dump(label, to: &dumped)
        #expect(!dumped.contains(Self.code))
        #expect(!"\(label)".contains(Self.code))
    }
}
