// What is asked for in detail says nothing that a scope could not say, and cannot be read as more than it says: nothing
// in it can end one scope and begin another.

package import StrictJSON

/// The `authorization_details` parameter (RFC 9396), of the one type this project knows.
package struct AuthorizationDetails: Sendable, Equatable {
    /// The `type` of every detail.
    package static let type = "device"
    /// How many details may one request have?
    package static let maximumCount = 32
    /// How many actions may all details have together?
    package static let maximumActions = 128

    /// Some actions on one device.
    package struct Detail: Sendable, Equatable {
        /// The device's name; `identifier` on the wire.
        package let device: String
        /// Operations, at least one.
        package let actions: [String]
        /// The APIs it is meant for; empty when the request does not say.
        package let locations: [String]

        /// Gathers a detail.
        package init(device: String, actions: [String], locations: [String] = []) {
            self.device = device
            self.actions = actions
            self.locations = locations
        }
    }

    /// In the order they were written.
    package let details: [Detail]

    /// Reads the parameter's value.
    ///
    /// - Throws: ``OAuth2Refusal/invalidAuthorizationDetails`` for everything that is not a list of 1 to 32 details of the
    ///   known type, with all members they must and none that they may not have (§5).
    package init(parsing text: String) throws(OAuth2Refusal) {
        guard let elements = (try? JSON(parsing: text))?.array, (1...Self.maximumCount).contains(elements.count) else {
            throw .invalidAuthorizationDetails
        }
        var details: [Detail] = []
        for element in elements { details.append(try Self.detail(element)) }
        guard details.map(\.actions.count).reduce(0, +) <= Self.maximumActions else {
            throw .invalidAuthorizationDetails
        }
        self.details = details
    }

    /// Says in detail what some scopes allow, one detail for each device, in their order.
    ///
    /// A scope that is no `action@device` has no detail and is left out.
    package init(scopes: [String], location: String) {
        var devices: [String] = []
        var actions: [String: [String]] = [:]
        for scope in scopes {
            let parts = scope.split(separator: "@", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, parts.allSatisfy(Self.isName) else { continue }
            if actions[parts[1]] == nil { devices.append(parts[1]) }
            if actions[parts[1]]?.contains(parts[0]) != true { actions[parts[1], default: []].append(parts[0]) }
        }
        details = devices.map { Detail(device: $0, actions: actions[$0] ?? [], locations: [location]) }
    }

    /// The same as scopes, `action@device`, each once, in order.
    package var scopes: [String] {
        var seen: Set<String> = []
        return details.flatMap { detail in detail.actions.map { "\($0)@\(detail.device)" } }
            .filter { seen.insert($0).inserted }
    }

    /// The parameter's value, and the member of a reply (§7).
    package var json: JSON {
        .array(
            details.map { detail in
                JSON.compact([
                    "type": .string(Self.type), "identifier": .string(detail.device),
                    "actions": .strings(detail.actions),
                    "locations": detail.locations.isEmpty ? nil : .strings(detail.locations),
                ])
            })
    }

    private static func detail(_ json: JSON) throws(OAuth2Refusal) -> Detail {
        let known: Set<String> = ["type", "identifier", "actions", "locations"]
        guard let members = json.members, members.allSatisfy({ known.contains($0.name) }),
            let type = json["type"]?.string, type.sameBytes(as: Self.type),
            let device = json["identifier"]?.string, isName(device),
            let actions = json["actions"]?.strings, !actions.isEmpty, actions.allSatisfy(isName)
        else { throw .invalidAuthorizationDetails }
        guard let locations = json["locations"] else { return Detail(device: device, actions: actions) }
        guard let locations = locations.strings, locations.count <= 16,
            locations.allSatisfy({ AbsoluteURL($0) != nil && $0.utf8.count <= 2048 })
        else { throw .invalidAuthorizationDetails }
        return Detail(device: device, actions: actions, locations: locations)
    }

    /// Whether a text can be half of a scope token (RFC 6749 §3.3), the other half being on the other side of an `@`.
    private static func isName(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count) && ScopeList.isToken(text) && !text.utf8.contains(UInt8(ascii: "@"))
    }
}
