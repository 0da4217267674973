// What YAML can do beyond writing values down is refused before it is done: aliases can make a small file huge.

import Delegation
import Yams

extension StrictSection {
    /// What the parser found and where.
    static func explain(_ error: YamlError) -> (line: Int?, found: String) {
        switch error {
        case .duplicatedKeysInMapping(let keys, let context):
            (context.mark.line, "\(keys.map(quoted).joined(separator: ", ")) more than once")
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            (mark.line, quoted(problem))
        case .reader(let problem, _, _, _): (nil, quoted(problem))
        default: (nil, "unreadable YAML")
        }
    }

    /// Whether the text has something like an anchor and something like an alias.
    ///
    /// The composed nodes would tell too late: a key that is an alias of an alias of an alias is hashed in full.
    /// So this looks at the bytes, and takes some text for an alias that is none, but only where `&x` stands, too.
    static func mayHoldAliases(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        func holds(_ indicator: UInt8) -> Bool {
            bytes.indices.contains { index in
                bytes[index] == indicator && (index == 0 || !isName(bytes[index - 1]))
                    && index + 1 < bytes.count && isName(bytes[index + 1])
            }
        }
        return holds(UInt8(ascii: "&")) && holds(UInt8(ascii: "*"))
    }

    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "-"), UInt8(ascii: "_"), 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }
}
