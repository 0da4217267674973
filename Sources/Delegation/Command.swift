// A command says who asked, what, of which device; whether it may be sent is decided elsewhere, from these values only.

package import FoundationEssentials
package import StrictJSON

/// Somebody who asks for something: `user:anna`, `app:…`, `ha`.
package struct Requester: Sendable, Hashable, CustomStringConvertible {
    /// As it stands in a command's `sub` and in the audit log.
    package let description: String

    /// Takes the text that an earlier `Requester` wrote down.
    package init(description: String) { self.description = description }

    /// A local user of the machine, known by the socket's peer credentials.
    package static func user(_ name: String) -> Requester { Requester(description: "user:\(name)") }
    /// The agent itself.
    package static let agent = Requester(description: "agent")
    /// A person signed in at the home's provider.
    package static func person(_ name: String) -> Requester { Requester(description: "person:\(name)") }
    /// A third-party app.
    package static func app(_ identifier: String) -> Requester { Requester(description: "app:\(identifier)") }
    /// A device.
    package static func device(_ identifier: String) -> Requester { Requester(description: "device:\(identifier)") }
}

/// What became of a command.
package enum Outcome: String, Sendable, CaseIterable {
    /// The device did it and signed that it did.
    case executed
    /// The device tried and signed that it could not.
    case failed
    /// The device refused and signed why.
    case rejected
    /// The hub refused; nothing was sent.
    case refused
    /// No signed answer in time: it may have happened.
    case unknown

    /// The CLI's exit code.
    package var exitCode: Int32 {
        switch self {
        case .executed: 0
        case .failed: 1
        case .refused: 3
        case .rejected: 4
        case .unknown: 5
        }
    }
}

/// What the device signed about one command, checked by the hub.
package struct Receipt: Sendable, Equatable {
    /// The command's `jti`.
    package let command: String
    /// SHA-256 of the exact command bytes, base64url.
    package let commandHash: String
    package let device: String
    package let outcome: Outcome
    /// The device's code when it rejected.
    package let code: String?
    /// What the device reports, such as `{"lock":"locked"}`.
    package let result: JSON
    /// Device uptime when it acted, milliseconds.
    package let uptime: Int64
    /// The device's key id.
    package let keyID: String
    /// When the hub had verified it.
    package let verifiedAt: Date
    /// The signed bytes themselves, so that anyone can verify them again.
    package let signed: String

    /// Assembles a verified receipt.
    package init(
        command: String, commandHash: String, device: String, outcome: Outcome, code: String?, result: JSON,
        uptime: Int64, keyID: String, verifiedAt: Date, signed: String
    ) {
        self.command = command
        self.commandHash = commandHash
        self.device = device
        self.outcome = outcome
        self.code = code
        self.result = result
        self.uptime = uptime
        self.keyID = keyID
        self.verifiedAt = verifiedAt
        self.signed = signed
    }
}

/// A finished command, as the caller sees it.
package struct CommandReport: Sendable {
    package let command: String
    package let device: DeviceName
    package let operation: String
    package let outcome: Outcome
    package let code: String?
    package let receipt: Receipt?

    /// Assembles a report.
    package init(
        command: String, device: DeviceName, operation: String, outcome: Outcome, code: String?, receipt: Receipt?
    ) {
        self.command = command
        self.device = device
        self.operation = operation
        self.outcome = outcome
        self.code = code
        self.receipt = receipt
    }

    /// The report as INTERFACE prescribes it.
    package var json: JSON {
        .compact([
            "command": .string(command),
            "device": .string(device.rawValue),
            "op": .string(operation),
            "outcome": .string(outcome.rawValue),
            "code": code.map(JSON.string),
            "result": receipt?.result,
            "receipt": receipt.map { receipt in
                [
                    "cmd": .string(receipt.commandHash), "device": .string(receipt.device),
                    "kid": .string(receipt.keyID), "up": .integer(receipt.uptime),
                    "verified_at": .string(receipt.verifiedAt.rfc3339), "jws": .string(receipt.signed),
                ]
            },
        ])
    }
}

extension Date {
    /// RFC 3339 in UTC, to the second.
    package var rfc3339: String { ISO8601Format() }
}
