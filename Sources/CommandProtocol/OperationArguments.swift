// An operation runs only with arguments that were declared for it, each in its bounds, and no others.

package import StrictJSON

/// What arguments one operation takes.
package struct OperationArguments: Sendable, Equatable {
    /// The values an argument may have.
    package enum Kind: Sendable, Equatable {
        /// An integer within bounds, both included.
        case integer(min: Int64, max: Int64)
        /// One of these words.
        case choice([String])
        case boolean
    }

    /// One named argument.
    package struct Argument: Sendable, Equatable {
        package let name: String
        package let kind: Kind
        package let required: Bool

        /// Declares an argument.
        package init(_ name: String, _ kind: Kind, required: Bool = true) {
            self.name = name
            self.kind = kind
            self.required = required
        }
    }

    package let arguments: [Argument]

    /// Declares the arguments of an operation; none by default.
    package init(_ arguments: [Argument] = []) { self.arguments = arguments }

    /// An operation without arguments.
    package static let none = OperationArguments()

    /// What is wrong with these arguments, or `nil` when the operation may run with them.
    package func fault(in args: JSON) -> String? {
        guard let members = args.members else { return "arguments must be an object" }
        for member in members {
            guard let argument = arguments.first(where: { Self.same($0.name, member.name) }) else {
                return "argument \(ProtocolFault.quote(member.name)) is not known"
            }
            guard Self.accepts(member.value, argument.kind) else {
                return "argument \(argument.name) must be \(Self.describe(argument.kind))"
            }
        }
        for argument in arguments where argument.required && args[argument.name] == nil {
            return "argument \(argument.name) is missing"
        }
        return nil
    }

    private static func accepts(_ value: JSON, _ kind: Kind) -> Bool {
        switch (kind, value) {
        case (.integer(let least, let most), .integer(let number)): number >= least && number <= most
        case (.choice(let words), .string(let word)): words.contains { same($0, word) }
        case (.boolean, .bool): true
        default: false
        }
    }

    /// By bytes: Swift takes two spellings of one character as equal, a device must not.
    private static func same(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }

    private static func describe(_ kind: Kind) -> String {
        switch kind {
        case .integer(let least, let most): "an integer from \(least) to \(most)"
        case .choice(let words): "one of \(words.joined(separator: ", "))"
        case .boolean: "true or false"
        }
    }
}
