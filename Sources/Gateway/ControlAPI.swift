// The control API says in HTTP what the verbs can do, and decides nothing itself.

import Commanding
import Delegation
import Granting
import Hummingbird
import Logging
import NIOCore
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Vault

/// The API on the daemon's Unix socket, one group of routes for each noun of the CLI.
struct ControlAPI: Sendable {
    let parts: GatewayParts

    /// The router with every route.
    func router() -> Router<ControlContext> {
        let router = Router(context: ControlContext.self)
        router.add(middleware: Problems(logger: parts.logger))
        router.add(middleware: PeerCheck())
        addStatus(to: router)
        addPeople(to: router)
        addProviders(to: router)
        addConsumers(to: router)
        addDevices(to: router)
        addGrants(to: router)
        addTokens(to: router)
        addApps(to: router)
        addKeys(to: router)
        addAudit(to: router)
        addNotices(to: router)
        addBroker(to: router)
        addVault(to: router)
        return router
    }
}

/// A request body as JSON, with readers that say what is missing.
struct RequestBody {
    let json: JSON

    init(_ request: Request, _ context: ControlContext) async throws {
        let buffer = try await request.body.collect(upTo: context.maxUploadSize)
        json = buffer.readableBytes == 0 ? [:] : try JSON(parsing: buffer.readableBytesView)
        guard json.members != nil else { throw Refusal(.usage, "the request body must be a JSON object") }
    }

    func text(_ name: String) throws -> String {
        guard let text = json[name]?.string else { throw Refusal(.usage, "\(name) must be a text") }
        return text
    }

    func optionalText(_ name: String) throws -> String? { json[name] == nil ? nil : try text(name) }

    func optionalChoice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, of type: Choice.Type
    ) throws -> Choice? {
        guard let word = try optionalText(name) else { return nil }
        guard let choice = Choice(rawValue: word) else {
            let words = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw Refusal(.usage, "\(name) is \(quoted(word)), allowed is one of \(words)")
        }
        return choice
    }

    func optionalBytes(_ name: String) throws -> [UInt8]? {
        guard let text = try optionalText(name) else { return nil }
        guard let bytes = Base64.decode(text.utf8, as: .url) else {
            throw Refusal(.usage, "\(name) must be base64url without padding")
        }
        return bytes
    }

    func texts(_ name: String) throws -> [String] {
        guard let value = json[name] else { return [] }
        guard let texts = value.strings else { throw Refusal(.usage, "\(name) must be a list of texts") }
        return texts
    }

    func flag(_ name: String) throws -> Bool {
        guard let value = json[name] else { return false }
        guard let flag = value.bool else { throw Refusal(.usage, "\(name) must be true or false") }
        return flag
    }

    func seconds(_ name: String, default standard: Int64, in range: ClosedRange<Int64>) throws -> Duration {
        guard let value = json[name] else { return .seconds(standard) }
        guard let seconds = value.integer, range.contains(seconds) else {
            throw Refusal(
                .usage, "\(name) must be an integer from \(range.lowerBound) to \(range.upperBound) (seconds)")
        }
        return .seconds(seconds)
    }

    func pairs(_ name: String) throws -> [(name: String, value: String)] {
        try (json[name]?.array ?? []).map { element in
            guard let pair = element["name"]?.string, let value = element["value"]?.string else {
                throw Refusal(.usage, "\(name) must be a list of {name, value}")
            }
            return (pair, value)
        }
    }
}

extension Request {
    /// `?wait=…` in seconds; `nil` without.
    func wait() throws -> Duration? { try wholeNumber("wait", in: 0...86_400).map(Duration.seconds) }

    /// A number of the query; `nil` without.
    func wholeNumber(_ name: String, in range: ClosedRange<Int64>) throws -> Int64? {
        guard let text = uri.queryParameters.get(name) else { return nil }
        guard let number = Int64(text), range.contains(number) else {
            throw Refusal(
                .usage,
                "\(name) is \(quoted(text)), allowed is an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}

extension ControlContext {
    /// The part of the path called `name`, decoded.
    func part(_ name: String) throws -> String {
        let encoded = try parameters.require(name)
        do throws(OAuthError) {
            return try PercentEncoding.decode(encoded)
        } catch {
            throw Refusal(.usage, "the path has a wrong escape in \(quoted(encoded))")
        }
    }

    /// The device that the path names.
    func deviceName() throws -> DeviceName { try DeviceName(checking: try part("name")) }
}
