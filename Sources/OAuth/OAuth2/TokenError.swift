// An error reply is a stranger's text: its code is compared, its sentence is shown only after cleaning.

package import StrictJSON

/// What an error reply says (RFC 6749 §5.2).
package struct TokenError: Sendable, Equatable {
    /// The error code, fit for a log.
    package let code: String
    /// The sentence that came with it, fit for a log.
    package let description: String?

    /// Gathers an error.
    package init(code: String, description: String? = nil) {
        self.code = DisplayText.sanitised(code, limit: 100)
        self.description = description.map { DisplayText.sanitised($0) }
    }

    /// Reads the body of an error reply.
    ///
    /// `paths` says where codes may be found, member by member; the first one wins, and a number counts as its digits.
    /// The result is `nil` when the body is no JSON or holds no code.
    package static func parse(_ body: [UInt8], paths: [[String]] = [["error"]]) -> TokenError? {
        guard body.count <= TokenReply.maximumSize, let json = try? JSON(parsing: body.withoutByteOrderMark) else {
            return nil
        }
        return parse(json, paths: paths)
    }

    /// Reads an error reply.
    package static func parse(_ json: JSON, paths: [[String]] = [["error"]]) -> TokenError? {
        for path in paths {
            let code: String? =
                switch path.reduce(Optional(json), { place, name in place?[name] }) {
                case .string(let text) where !text.isEmpty: text
                case .integer(let number): String(number)
                default: nil
                }
            if let code { return TokenError(code: code, description: json["error_description"]?.string) }
        }
        return nil
    }

    /// The body a server answers with.
    package static func body(_ refusal: OAuth2Refusal) -> [UInt8] {
        JSON.object([
            JSON.Member("error", .string(refusal.code)),
            JSON.Member("error_description", .string(refusal.wireDescription)),
        ]).bytes
    }
}
