// A provider's careless encoding must not cost a token; nothing else of RFC 8259 is forgiven.

import StrictJSON

extension JSON {
    /// Reads a provider's reply: a byte order mark is skipped, and bytes that are not UTF-8 become replacement characters,
    /// which no token can hold. It is `nil` when the body is no JSON even so.
    ///
    /// - Parameters:
    ///   - body: The whole body.
    ///   - orForm: Whether a form will do, every value of which becomes text.
    init?(reply body: [UInt8], orForm: Bool = false) {
        let bytes = body.withoutByteOrderMark
        do throws(JSONFault) {
            try self.init(parsing: bytes)
        } catch {
            if case .notUTF8 = error, let json = try? JSON(parsing: String(decoding: bytes, as: UTF8.self)) {
                self = json
                return
            }
            guard orForm, let form = try? FormCoding.parse(String(decoding: bytes, as: UTF8.self).trimmed),
                form.repeatedName() == nil
            else { return nil }
            self = .object(form.map { Member($0.name, .string($0.value)) })
        }
    }
}
