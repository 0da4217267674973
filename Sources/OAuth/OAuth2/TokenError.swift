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
    /// `paths` says where codes may be found, member by member, with a number for the place in an array; the first one that
    /// leads to a code wins, and a number counts as its digits. The result is `nil` when the body is no JSON or holds no code.
    package static func parse(_ body: [UInt8], paths: [[String]] = [["error"]]) -> TokenError? {
        guard body.count <= TokenReply.maximumSize, let json = JSON(reply: body) else { return nil }
        return parse(json, paths: paths)
    }

    /// Reads an error reply.
    package static func parse(_ json: JSON, paths: [[String]] = [["error"]]) -> TokenError? {
        for path in paths {
            let code: String? =
                switch follow(path, json) {
                case .string(let text) where !text.isEmpty: text
                case .integer(let number): String(number)
                case .decimal(let number): Int64(exactly: number).map { String($0) }
                default: nil
                }
            if let code { return TokenError(code: code, description: sentence(json)) }
        }
        return nil
    }

    /// Where providers put the sentence, the RFC's place first.
    private static let sentences = [
        ["error_description"], ["error", "message"], ["fault", "faultstring"], ["errors", "0", "message"], ["message"],
        ["msg"],
    ]

    private static func sentence(_ json: JSON) -> String? {
        sentences.lazy.compactMap { follow($0, json)?.string }.first { !$0.isEmpty }
    }

    private static func follow(_ path: [String], _ json: JSON) -> JSON? {
        path.reduce(Optional(json)) { place, name in
            guard let elements = place?.array else { return place?[name] }
            guard let index = Int(name), elements.indices.contains(index) else { return nil }
            return elements[index]
        }
    }

    /// The body a server answers with.
    package static func body(_ refusal: OAuth2Refusal) -> [UInt8] {
        JSON.object([
            JSON.Member("error", .string(refusal.code)),
            JSON.Member("error_description", .string(refusal.wireDescription)),
        ]).bytes
    }
}
