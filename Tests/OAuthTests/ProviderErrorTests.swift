// Real-looking answers of many providers; each is classified as a person who knows the provider would.

import OAuth
import Sealing
import StrictJSON
import Testing

/// One row of `provider-errors.json`.
struct ProviderAnswer: Sendable, CustomTestStringConvertible {
    let json: JSON

    var testDescription: String { (json["provider"]?.string ?? "") + ": " + (json["name"]?.string ?? "") }

    /// What came of the request.
    func outcome() throws -> RefreshOutcome {
        switch json["outcome"]?.string {
        case "not_sent": return .notSent(reason: testDescription)
        case "ambiguous": return .ambiguous(reason: testDescription)
        default: break
        }
        return .reply(
            status: try Int(#require(json["status"]?.integer)), contentType: json["content_type"]?.string,
            retryAfter: json["retry_after"]?.string, body: try body())
    }

    private func body() throws -> [UInt8] {
        if let text = json["body"]?.string { return Array(text.utf8) }
        if let text = json["body_base64"]?.string { return try #require(Base64.decode(text, as: .standard)) }
        let repeated = try #require(json["body_repeat"])
        let times = try Int(#require(repeated["times"]?.integer))
        return Array(repeatElement(try Array(#require(repeated["text"]?.string).utf8), count: times).joined())
    }

    /// The switches of the provider's profile; one that is not known here is an error.
    func options() throws -> RefreshVerdict.Options {
        var options = RefreshVerdict.Options()
        for member in json["options"]?.members ?? [] {
            let value = member.value
            switch member.name {
            case "success_test":
                options.reply.successTest = .init(
                    field: try #require(value["field"]?.string), value: try #require(value["value"]))
            case "token_path": options.reply.tokenPath = try #require(value.strings)
            case "expiry_field": options.reply.expiryField = try #require(value.string)
            case "expiry_unit": options.reply.expiryUnit = try Int(#require(value.integer))
            case "scope_separator": options.reply.scopeSeparator = try #require(value.string?.first)
            case "default_lifetime": options.reply.defaultLifetime = try Int(#require(value.integer))
            case "takes_forms": options.reply.takesForms = value == true
            case "error_paths": options.errorPaths = try #require(value.array).map { try #require($0.strings) }
            case "without_code": options.withoutCode = try meaning(value)
            case "error_map":
                for code in try #require(value.members) { options.errorMap[code.name] = try meaning(code.value) }
            default: Issue.record("unknown switch \(member.name)")
            }
        }
        return options
    }

    private func meaning(_ value: JSON) throws -> RefreshVerdict.Meaning {
        try #require(value.string.flatMap(RefreshVerdict.Meaning.init))
    }
}

@Suite struct ProviderErrorTests {
    private static let document = VectorFiles.providerErrors
    private static let answers = VectorFiles.entries("answers", in: document).map(ProviderAnswer.init)

    private static func word(_ verdict: RefreshVerdict) -> String {
        switch verdict {
        case .refreshed: "refreshed"
        case .needsApproval: "needs_approval"
        case .probablyRevoked: "probably_revoked"
        case .clientBroken: "client_broken"
        case .configuration: "configuration"
        case .transient: "transient"
        case .ambiguous: "ambiguous"
        case .suspicious: "suspicious"
        }
    }

    private static func reason(_ verdict: RefreshVerdict) -> String? {
        switch verdict {
        case .needsApproval(let reason), .probablyRevoked(let reason), .clientBroken(let reason),
            .configuration(let reason), .ambiguous(let reason), .suspicious(let reason):
            reason
        case .refreshed, .transient: nil
        }
    }

    @Test("a provider's answer is understood", arguments: answers)
    func answer(_ answer: ProviderAnswer) throws {
        let now = try Int(#require(Self.document.first?["now"]?.integer))
        let verdict = RefreshVerdict.classify(try answer.outcome(), options: try answer.options(), now: now)
        #expect(Self.word(verdict) == answer.json["verdict"]?.string)
        let reason = Self.reason(verdict) ?? ""
        #expect(reason.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control } && reason.count < 250)
        let expected = answer.json["expect"]
        if let words = expected?["reason"]?.string { #expect(reason == words) }
        switch verdict {
        case .transient(let wait): #expect(wait == expected?["wait"]?.integer.map { Int($0) })
        case .refreshed(let reply):
            if let lifetime = expected?["expires_in"]?.integer { #expect(reply.expiresIn == Int(lifetime)) }
            #expect(reply.accessToken.revealText() == "at")
            #expect(reply.refreshToken?.revealText() == expected?["refresh_token"]?.string)
            #expect(reply.refreshExpiresIn == expected?["refresh_expires_in"]?.integer.map { Int($0) })
        default: break
        }
    }

    @Test("a device that waits is not led astray by any of them")
    func devices() throws {
        for answer in Self.answers {
            var options = DevicePolling.Options()
            options.reply = try answer.options().reply
            options.errorPaths = try answer.options().errorPaths
            var polling = DevicePolling(interval: 5, lifetime: 600, options: options)
            let hasTokens = answer.json["verdict"]?.string == "refreshed"
            switch polling.received(try answer.outcome(), elapsed: .seconds(1), now: 784_111_777) {
            case .finish: #expect(hasTokens, "\(answer.testDescription)")
            case .wait(let seconds): #expect(!hasTokens && (5...600).contains(seconds), "\(answer.testDescription)")
            case .stop: #expect(!hasTokens, "\(answer.testDescription)")
            }
        }
    }

    @Test("the corpus is as broad as it claims: every verdict, many providers, no row twice")
    func breadth() {
        #expect(Self.answers.count >= 45)
        #expect(Set(Self.answers.map(\.testDescription)).count == Self.answers.count)
        #expect(Set(Self.answers.compactMap { $0.json["provider"]?.string }).count >= 20)
        #expect(Set(Self.answers.compactMap { $0.json["verdict"]?.string }).count == 8)
    }
}
