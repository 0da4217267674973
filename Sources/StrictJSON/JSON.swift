// A JSON value as it was on the wire: members keep their order, integers stay integers.

/// One JSON value (RFC 8259).
///
/// Objects keep the order of their members, so that what is written is byte for byte predictable and what is signed
/// can be rebuilt. Build values with literals: `["v": 1, "ops": ["lock.lock"]]`. There is no `nil` literal: in
/// ``compact(_:)`` it would silently become `null` instead of being left out.
package indirect enum JSON: Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number written without fraction or exponent that fits 64 bits.
    case integer(Int64)
    /// Any other finite number.
    case decimal(Double)
    /// Text; never with half a surrogate pair.
    case string(String)
    /// Elements in order.
    case array([JSON])
    /// Members in order.
    case object([Member])

    /// One name and its value inside an object.
    package struct Member: Sendable {
        /// What the value is called, unique inside the object when it was read.
        package let name: String
        /// What the name stands for.
        package let value: JSON

        /// Pairs a name with its value.
        package init(_ name: String, _ value: JSON) {
            self.name = name
            self.value = value
        }
    }
}

// Swift takes U+212A KELVIN SIGN for "K", and one accent written in two ways for the same; no other reader of the
// same bytes does. So texts are compared by their bytes.
extension JSON: Equatable {
    /// Whether both are written with the same bytes.
    package static func == (left: JSON, right: JSON) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.integer(let left), .integer(let right)): left == right
        case (.decimal(let left), .decimal(let right)): left == right && left.sign == right.sign
        case (.string(let left), .string(let right)): isSame(left, right)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }

    fileprivate static func isSame(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }
}

extension JSON.Member: Equatable {
    /// Whether name and value are written with the same bytes.
    package static func == (left: JSON.Member, right: JSON.Member) -> Bool {
        JSON.isSame(left.name, right.name) && left.value == right.value
    }
}

extension JSON {
    /// The value of the member `name`, or `nil` when this is no object or has no such member.
    package subscript(name: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { Self.isSame($0.name, name) }?.value
    }

    /// The text, when this is a string.
    package var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The integer, when this is one.
    package var integer: Int64? {
        guard case .integer(let number) = self else { return nil }
        return number
    }

    /// The truth value, when this is one.
    package var bool: Bool? {
        guard case .bool(let flag) = self else { return nil }
        return flag
    }

    /// The elements, when this is an array.
    package var array: [JSON]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    /// The members in the order they were written, when this is an object.
    package var members: [Member]? {
        guard case .object(let members) = self else { return nil }
        return members
    }

    /// The elements as text, when this is an array of nothing but strings.
    package var strings: [String]? {
        guard case .array(let elements) = self else { return nil }
        var texts: [String] = []
        for element in elements {
            guard case .string(let text) = element else { return nil }
            texts.append(text)
        }
        return texts
    }

    /// An object of those members that have a value; what is `nil` is left out.
    package static func compact(_ members: KeyValuePairs<String, JSON?>) -> JSON {
        .object(members.compactMap { name, value in value.map { Member(name, $0) } })
    }

    /// An array of strings.
    package static func strings(_ texts: some Sequence<String>) -> JSON {
        .array(texts.map(JSON.string))
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(elements.map { Member($0.0, $0.1) })
    }
}
