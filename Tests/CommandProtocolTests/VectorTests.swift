// The published vectors are the contract; every file of their form that the environment names is run as well.

import CommandProtocol
import Sealing
import StrictJSON
import Testing

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

@Suite struct VectorTests {
    private static func published() throws -> JSON {
        // The folder of vectors lies beside the folder of this file, or of one of its parents.
        var folder = URL(filePath: #filePath).deletingLastPathComponent()
        while folder.path.count > 1 {
            let file = folder.appending(path: "Vectors/dac1.json")
            if let data = try? Data(contentsOf: file) { return try JSON(parsing: data) }
            folder = folder.deletingLastPathComponent()
        }
        throw CocoaError(.fileNoSuchFile)
    }

    private static func documents() throws -> [JSON] {
        var documents = [try published()]
        if let folder = ProcessInfo.processInfo.environment["KEYHOLDER_VECTORS"] {
            for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            where name.hasSuffix(".json") {
                let data = try Data(contentsOf: URL(filePath: folder).appending(path: name))
                if let document = try? JSON(parsing: data) { documents.append(document) }
            }
        }
        return documents.filter(ConformanceRunner.recognises)
    }

    @Test("every vector gives exactly its code")
    func everyVector() throws {
        for outcome in try Self.documents().flatMap(ConformanceRunner.run) {
            #expect(outcome.got == outcome.expected, "\(outcome.id): \(outcome.about)")
        }
    }

    @Test("all published vectors are run, none is skipped")
    func count() throws {
        let document = try Self.published()
        let outcomes = ConformanceRunner.run(document)
        #expect(
            outcomes.count == (document["vectors"]?.array?.count ?? 0) + (document["ack_vectors"]?.array?.count ?? 0))
        #expect(outcomes.count >= 59)
    }

    @Test("a vector that expects another code fails")
    func runnerCanFail() throws {
        let document = try Self.published()
        let vectors = try #require(document["vectors"]?.array).map { $0.changing([("expect", "E_NOTHING")]) }
        let outcomes = ConformanceRunner.run(document.changing([("vectors", .array(vectors)), ("ack_vectors", nil)]))
        #expect(!outcomes.isEmpty)
        #expect(outcomes.allSatisfy { !$0.passed })
    }

    @Test("the identity point in a key set verifies nothing")
    func smallOrderKeyInState() throws {
        let identity = [1] + [UInt8](repeating: 0, count: 31)
        let keyID = Base64.encode(JWKThumbprint.ed25519(identity).prefix(8), as: .url)
        let document = try Self.published()
        let state = try #require(document["default_state"])
        let entry: JSON = ["x": .string(Base64.encode(identity, as: .url)), "ops": ["lock.lock"]]
        let keys = JSON.object([JSON.Member(keyID, entry)])
        // R the identity, S zero: OpenSSL 3.0 takes this for any message under the identity key.
        let input = Base64.encode(MessageType.command.protectedHeader(keyID: keyID), as: .url) + ".e30"
        let forged = input + "." + Base64.encode(identity + [UInt8](repeating: 0, count: 32), as: .url)
        let outcomes = ConformanceRunner.run([
            "default_state": state, "topic": document["topic"] ?? "",
            "vectors": [["id": "small", "state": ["keys": keys], "msg": .string(forged), "expect": "E_SIG"]],
        ])
        #expect(outcomes.map(\.got) == ["E_SIG"])
    }

    @Test("a document of another form is not taken for vectors, and a broken one gives no trap")
    func otherForms() {
        #expect(!ConformanceRunner.recognises(["vectors": []]))
        let outcomes = ConformanceRunner.run([
            "default_state": [:], "ack_state": [:], "vectors": [["id": "x", "expect": "OK", "msg": "a"]],
            "ack_vectors": [7],
        ])
        #expect(outcomes.count == 2)
        #expect(outcomes.allSatisfy { $0.got.hasPrefix("unreadable: ") })
    }
}
