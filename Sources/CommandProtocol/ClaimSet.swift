// A claim is read once, by name and kind; a payload with anything unexpected in it never gets this far.

import StrictJSON

/// The members of one payload, all of them known by name, all numbers integers in [0, 2^53).
struct ClaimSet {
    private let object: JSON

    /// One more than the largest integer that every JSON reader keeps exact.
    static let integerLimit: Int64 = 1 << 53

    /// Reads a payload.
    init(parsing payload: [UInt8], required: Set<String>, optional: Set<String> = []) throws(ProtocolFault) {
        let object: JSON
        do throws(JSONFault) {
            // What a peer nests is shown later inside documents of ours, which must stay readable themselves.
            object = try JSON(parsing: payload, maximumDepth: 8)
        } catch {
            throw .payload(error.description)
        }
        try self.init(object, required: required, optional: optional)
    }

    /// Checks an object that was read as part of another.
    init(_ object: JSON, required: Set<String>, optional: Set<String> = []) throws(ProtocolFault) {
        guard let members = object.members else { throw .payload("not an object") }
        for member in members {
            guard required.contains(member.name) || optional.contains(member.name) else {
                throw .member(member.name, allowed: "left out")
            }
            guard Self.hasOnlyAllowedNumbers(member.value) else {
                throw .member(member.name, allowed: "free of numbers other than integers in [0, 2^53)")
            }
        }
        for name in required where object[name] == nil { throw .member(name, allowed: "present") }
        self.object = object
    }

    private static func hasOnlyAllowedNumbers(_ value: JSON) -> Bool {
        switch value {
        case .decimal: false
        case .integer(let number): number >= 0 && number < integerLimit
        case .array(let elements): elements.allSatisfy(hasOnlyAllowedNumbers)
        case .object(let members): members.allSatisfy { hasOnlyAllowedNumbers($0.value) }
        case .null, .bool, .string: true
        }
    }

    func has(_ name: String) -> Bool { object[name] != nil }

    func text(_ name: String) throws(ProtocolFault) -> String {
        guard let text = object[name]?.string else { throw .member(name, allowed: "a string") }
        return text
    }

    func optionalText(_ name: String) throws(ProtocolFault) -> String? { has(name) ? try text(name) : nil }

    func nonce(_ name: String) throws(ProtocolFault) -> String {
        guard let text = object[name]?.string, Nonce.isValid(text) else {
            throw .member(name, allowed: "16 bytes in base64url")
        }
        return text
    }

    func integer(_ name: String, atLeast least: Int64 = 0) throws(ProtocolFault) -> Int64 {
        guard let number = object[name]?.integer, number >= least else {
            throw .member(name, allowed: "an integer of at least \(least)")
        }
        return number
    }

    func object(_ name: String) throws(ProtocolFault) -> JSON {
        guard let value = object[name], value.members != nil else { throw .member(name, allowed: "an object") }
        return value
    }

    func texts(_ name: String) throws(ProtocolFault) -> [String] {
        guard let texts = object[name]?.strings else { throw .member(name, allowed: "an array of strings") }
        return texts
    }

    func elements(_ name: String) throws(ProtocolFault) -> [JSON] {
        guard let elements = object[name]?.array else { throw .member(name, allowed: "an array") }
        return elements
    }

    /// An object whose values are integers, as a dictionary.
    func counts(_ name: String) throws(ProtocolFault) -> [String: Int64] {
        var counts: [String: Int64] = [:]
        for member in try object(name).members ?? [] {
            guard let number = member.value.integer else { throw .member(name, allowed: "an object of integers") }
            counts[member.name] = number
        }
        return counts
    }

    /// Refuses every version but 1: there is nothing to negotiate.
    func requireVersion() throws(ProtocolFault) {
        guard object["v"]?.integer == 1 else { throw .member("v", allowed: "1") }
    }
}
