// An app does what it was granted, on the devices it was granted, through the agent, and gets the device's own signature
// for it. The provider's layer around all routes words what is refused for its token.

import Commanding
import Delegation
import FoundationEssentials
import Hummingbird
import OAuth
import ServiceProvider
import StrictJSON

/// What apps may do over HTTP beside looking.
struct AppAPI: Sendable {
    /// How large may a command be, in bytes?
    private static let bodyLimit = 65_536
    /// How long may an app wait for a device, in seconds?
    private static let patience: ClosedRange<Int64> = 1...60

    let parts: GatewayParts

    func addRoutes(to router: Router<BasicRequestContext>) {
        router.post("/api/v1/devices/{id}/commands") { request, context in
            do {
                return try await command(request, on: try context.parameters.require("id"))
            } catch let refusal as Refusal {
                return Response(problem: refusal)
            } catch let fault as JSONFault {
                return Response(problem: Refusal(.usage, "the request is \(fault)"))
            }
        }
    }

    /// `POST /api/v1/devices/{id}/commands`.
    private func command(_ request: Request, on idOrName: String) async throws -> Response {
        let body = Array(try await request.body.collect(upTo: Self.bodyLimit).readableBytesView)
        let access = try await parts.provider.resolve(
            method: request.method.rawValue, target: request.uri.string, headers: request.headers, body: body)
        // Whoever changes "lock" to "unlock" on the way must be noticed.
        guard access.coversBody else { throw ProviderFault.oauth1(.parameterAbsent(["oauth_body_hash"])) }
        let device = try await parts.provider.device(idOrName, for: access)
        let order = try Order(parsing: body, contentType: request.headers[.contentType], patience: Self.patience)
        guard access.permits(order.operation, on: device) else { throw ProviderFault.token(.insufficientScope) }
        let report = try await parts.commander.command(
            order.operation, .json(order.arguments), on: device.name, patience: order.patience,
            by: access.requester,
            under: Mandate(grant: access.grant, device: device.id, accessTokenHash: access.accessTokenHash) {
                transaction, now in
                try access.isStillGood(in: transaction, at: now)
            })
        return Response(json: report.json)
    }

    /// The body of a request, checked in form.
    private struct Order {
        let operation: String
        let arguments: JSON
        let patience: Duration

        init(parsing body: [UInt8], contentType: String?, patience: ClosedRange<Int64>) throws {
            let type = (contentType ?? "").prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
            guard type == "application/json" else {
                throw Refusal(.usage, "a command is application/json, not \(quoted(type))")
            }
            let json = try JSON(parsing: body)
            guard let members = json.members else { throw Refusal(.usage, "a command is a JSON object") }
            if let unknown = members.first(where: { !["op", "args", "timeout"].contains($0.name) }) {
                throw Refusal(.usage, "\(quoted(unknown.name)) is unknown, allowed are op, args and timeout")
            }
            guard let operation = json["op"]?.string else { throw Refusal(.usage, "op must be a text") }
            guard json["args"].map({ $0.members != nil }) ?? true else {
                throw Refusal(.usage, "args must be an object")
            }
            let seconds: Int64? = json["timeout"] == nil ? 10 : json["timeout"]?.integer
            guard let seconds, patience.contains(seconds) else {
                throw Refusal(
                    .usage,
                    "timeout must be an integer from \(patience.lowerBound) to \(patience.upperBound) (seconds)")
            }
            self.operation = operation
            arguments = json["args"] ?? [:]
            self.patience = .seconds(seconds)
        }
    }
}
