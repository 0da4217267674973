// No secret is found where it does not belong.

import Delegation
import FoundationEssentials
import Granting
import OAuth
import Sealing
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(1))) struct SecrecyTests {
    @Test("no secret is in the vault's files, the audit log, the log or an error after a whole life of two grants")
    func secrets() async throws {
        try await TestHome.with { home in
            var errors: [String] = []
            let cloud = try await home.granted("front-door")
            _ = try await home.granted("back-door", at: home.legacy)
            home.clock.advance(by: .seconds(3601))
            for mood in [Mood.answering(500, "oops"), .breakingOff, .answering(200, "<html>"), .obliging] {
                await home.provider.set("/token", mood)
                do {
                    _ = try await home.keeper.token(device: cloud.device, minimumValidity: .seconds(60))
                } catch {
                    errors.append("\(error)")
                }
                home.clock.advance(by: .seconds(30))
            }
            _ = try await home.keeper.authorise("lock.lock", on: try TestHome.device("front-door", 0))
            let pending = try await home.keeper.request(device: cloud.device, by: .user("anna"))
            let state = try #require(
                try FormCoding.parse(String(pending.page.split(separator: "?")[1])).first("state"))
            await home.provider.set("/revoke", .answering(500, ""))
            _ = try await home.keeper.revoke(device: cloud.device, by: .user("anna"))

            var places = errors.map { Array($0.utf8) }
            places.append(Array("\(home.log.texts)".utf8))
            for entry in try await home.audit() { places.append(entry.json.bytes) }
            for file in try FileManager.default.contentsOfDirectory(atPath: home.folder) {
                places.append(Array(try Data(contentsOf: URL(filePath: "\(home.folder)/\(file)"))))
            }
            // What is searched would find what is there: the consumer's key is no secret.
            #expect(places.contains { $0.contains(Array(OpinionatedProvider.consumerKey.utf8)) })
            let secrets = await home.provider.secrets + [OpinionatedProvider.consumerSecret, state]
            #expect(secrets.count > 10)
            for secret in secrets {
                let found = places.contains { $0.contains(Array(secret.utf8)) }
                #expect(!found, "\(secret)")
            }
        }
    }
}

extension [UInt8] {
    fileprivate func contains(_ part: [UInt8]) -> Bool { firstRange(of: part) != nil }
}
