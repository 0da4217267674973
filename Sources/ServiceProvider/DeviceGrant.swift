// A device code gives tokens once, after a person who is signed in saw the same user code that the device shows; whoever
// guesses user codes has to be signed in and is slowed down.

import Delegation
import FoundationEssentials
import Hummingbird
import OAuth
import Sealing
import StrictJSON
import Vault

extension HomeProvider {
    private static let consentPurpose = "consent.device"

    /// `POST /oauth2/device_authorization` (RFC 8628 §3.1).
    func authorizeDevice(_ incoming: Incoming) async throws -> Response {
        let request = try clientRequest(incoming)
        let now = configuration.now()
        let lifetime = ServiceProviderConfiguration.deviceCodeLifetime
        let code = Secret(text: Random.alphanumerics(30))
        let userCode = UserCode.random()
        let interval = DeviceAuthorizationReply.assumedInterval
        try await serve(request, at: "device authorization") { transaction, consumer -> Result<Void, OAuth2Refusal> in
            guard consumer.terms.grantTypes.contains(GrantType.deviceCode.word) else {
                return .failure(.unauthorizedClient)
            }
            let wanted = try DeviceAuthorizationRequest(request.parameters)
            let operations = try asked(
                scope: wanted.scope, details: wanted.authorizationDetails, resource: wanted.resource, of: consumer,
                in: transaction)
            if try transaction.openDeviceCodes(of: consumer.id, at: now)
                >= ServiceProviderConfiguration.openRequestLimit
            {
                // In a public client's name anybody can ask: what no device asks about makes room.
                guard consumer.terms.authentication == .none else { throw ProviderFault.tooOften(seconds: 60) }
                try transaction.dropOldestDeviceCode(
                    of: consumer.id, unaskedSince: now.before(.seconds(3 * interval)))
            }
            let isNew = try transaction.insertDeviceCode(
                DeviceCode(
                    hash: Self.hash(code.revealText()), consumer: consumer.id, requested: operations.map(\.scope),
                    resource: wanted.resource, interval: interval, expiresAt: now.advanced(by: lifetime)),
                userCodeHash: Self.hash(userCode), now: now)
            // One in 25 billion for each code that is open.
            return isNew ? .success(()) : .failure(.temporarilyUnavailable)
        }
        let page = configuration.baseURL + "/device"
        let reply = DeviceAuthorizationReply(
            deviceCode: code, userCode: userCode, verificationURI: page,
            verificationURIComplete: page + "?user_code=" + userCode, expiresIn: Int(lifetime.components.seconds),
            interval: interval)
        return Reply.body(reply.body().revealBytes(), type: "application/json")
    }

    /// `GET /device`: where a user code is typed, and with one in the query what it stands for.
    func showDevice(_ incoming: Incoming) async throws -> Response {
        let typed = ((try? FormCoding.parse(incoming.query ?? "")) ?? []).first("user_code") ?? ""
        guard let session = try await session(incoming) else {
            return signInPage(next: incoming.target, purpose: "A device waits for your approval.")
        }
        guard !typed.isEmpty else { return Self.userCodePage(pages) }
        let now = configuration.now()
        let bucket = Self.bucket(session.person.id, of: .userCode)
        guard let userCode = UserCode.normalised(typed) else {
            return Self.userCodePage(pages, fault: "A code has eight letters, such as WDJB-MJHT.", typed: typed)
        }
        let found = try await vault.write { transaction -> ConsentRequest? in
            try requireNotBlocked(bucket, at: now, in: transaction)
            guard let code = try transaction.deviceCode(userCodeHash: Self.hash(userCode)), code.state == .pending,
                now < code.expiresAt, let consumer = try transaction.registeredConsumer(id: code.consumer),
                consumer.removedAt == nil,
                let checked = try RequestedOperation.check(
                    code.requested, of: consumer, in: transaction, profiles: profiles)
            else {
                try countFailure(bucket, at: now, in: transaction)
                return nil
            }
            try transaction.clearSignInFailures(bucket: bucket)
            return ConsentRequest(
                purpose: Self.consentPurpose, consumer: consumer,
                operations: try restrict(checked, toStored: code.resource, in: transaction), redirectTarget: nil,
                detail: .string(Hex.encode(code.hash)), action: "/device", userCode: userCode,
                complete: completeDevice, refuse: { _ in throw ProviderFault.wrongForm })
        }
        guard let found else {
            return Self.userCodePage(
                pages, fault: "No device waits with this code. It may have been typed wrong, or have run out.",
                typed: userCode)
        }
        return try await consent(found, incoming)
    }

    /// `POST /device`.
    func decideDevice(_ incoming: Incoming) async throws -> Response {
        let (session, fields) = try await receiveAnswer(incoming)
        return try await vault.write { transaction in
            try completeDevice(
                try consentAnswer(Self.consentPurpose, fields, in: session, by: transaction), in: transaction)
        }
    }

    private func completeDevice(_ answer: ConsentAnswer, in transaction: Transaction) throws -> Response {
        guard let hash = answer.detail.string.flatMap(Hex.decode), let code = try transaction.deviceCode(hash: hash),
            configuration.now() < code.expiresAt,
            try transaction.decideDeviceCode(
                hash: hash, person: answer.person.id, scopes: answer.scopes, approved: answer.approved)
        else {
            throw ProviderFault.notice(
                status: 400, title: "This code is not good any more",
                advice: "It was answered before or took too long. Start again from the device.")
        }
        try record(answer, in: transaction)
        return answer.approved
            ? pages.notice(
                title: "Allowed", advice: "\(answer.consumer.name) goes on by itself now. You can close this page.",
                status: 200)
            : pages.notice(
                title: "Not allowed", advice: "Nothing was given away. You can close this page.", status: 200)
    }

    /// Gives tokens for a device code (RFC 8628 §3.4).
    func redeem(
        deviceCode hash: [UInt8], _ order: TokenOrder, in transaction: Transaction
    ) throws -> Result<IssuedTokens, OAuth2Refusal> {
        let now = order.now
        guard let code = try transaction.deviceCode(hash: hash), code.consumer == order.consumer.id,
            code.state != .used
        else { return .failure(.invalidGrant) }
        guard now < code.expiresAt else { return .failure(.expiredToken) }
        switch code.state {
        case .denied: return .failure(.accessDenied)
        case .used: return .failure(.invalidGrant)
        case .pending:
            // Half a second for clocks and networks: an honest device waits for the interval and no longer.
            let isEarly = code.polledAt.map { now.timeIntervalSince($0) < Double(code.interval) - 0.5 } ?? false
            try transaction.pollDeviceCode(hash: hash, interval: code.interval + (isEarly ? 5 : 0), at: now)
            return .failure(isEarly ? .slowDown : .authorizationPending)
        case .approved: break
        }
        guard let person = code.person, try transaction.isPresent(person: person) else {
            return .failure(.invalidGrant)
        }
        guard isWithin(order.resource, code.resource) else { return .failure(.invalidTarget) }
        let result = try begin(
            GrantID(rawValue: Random.alphanumerics(24)), person: person, scopes: code.scopes, resource: code.resource,
            authority: "device code", order, in: transaction)
        if case .success = result { _ = try transaction.useDeviceCode(hash: hash) }
        return result
    }

    private static func userCodePage(_ pages: Pages, fault: String? = nil, typed: String = "") -> Response {
        var content: [String: Any] = ["title": "Connect a device", "user_code": String(typed.prefix(16))]
        if let fault { content["fault"] = fault }
        return pages.form("device", content, status: fault == nil ? 200 : 400)
    }
}
