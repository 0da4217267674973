// With `--json` the answer is printed as it came; without, in words, from the same answer.

import ArgumentParser
import Delegation
import StrictJSON

struct Output: ParsableArguments {
    @Flag(help: "Print JSON.") var json = false

    /// Prints an answer.
    func print(_ answer: JSON, _ words: (JSON) -> [String]) {
        if json { Console.out(answer.prettyText) } else { for line in words(answer) { Console.out(line) } }
    }
}

/// A table of left-aligned columns, as wide as needed.
func table(_ rows: [[String]]) -> [String] {
    let widths = rows.reduce(into: [Int]()) { widths, row in
        for (index, cell) in row.enumerated() {
            if index < widths.count {
                widths[index] = max(widths[index], cell.count)
            } else {
                widths.append(cell.count)
            }
        }
    }
    return rows.map { row in
        let cells = row.enumerated().map { index, cell in
            index == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[index] - cell.count)
        }
        return cells.joined(separator: "  ")
    }
}

extension JSON {
    /// The member as text for a table, `-` when there is none.
    func cell(_ name: String) -> String {
        switch self[name] {
        case .string(let text): text
        case nil, .null: "-"
        case let value?: value.text
        }
    }
}

extension String {
    /// The text as one segment of a URL path or one value of a query.
    var percentEncoded: String {
        let digits = Array("0123456789ABCDEF")
        return utf8.map { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: String(UnicodeScalar(byte))
            default: "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }.joined()
    }
}

/// `60s`, `5m`, `2h`, or a bare number of seconds.
func seconds(_ text: String) throws -> Int {
    let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600]
    let unit = text.last.flatMap { units[$0] }
    guard let number = Int(unit == nil ? text : String(text.dropLast())), (0...86_400).contains(number),
        number * (unit ?? 1) <= 86_400
    else { throw ValidationError("\(quoted(text)) is not a duration such as 10s, 5m or 2h, up to 24h") }
    return number * (unit ?? 1)
}
