// The same value is always the same bytes, and reading them gives the value back.

import StrictJSON
import Testing

@Suite struct JSONWriterTests {
    @Test("members stay in the order they were given, with nothing between them")
    func order() throws {
        let value: JSON = ["z": 1, "a": [true, false, .null], "m": ["y": "x", "b": -5], "e": [:], "f": []]
        let text = #"{"z":1,"a":[true,false,null],"m":{"y":"x","b":-5},"e":{},"f":[]}"#
        #expect(value.text == text)
        #expect(value.bytes == Array(text.utf8))
        #expect(try JSON(parsing: text) == value)
        #expect(try JSON(parsing: text).members?.map(\.name) == ["z", "a", "m", "e", "f"])
        #expect(value != ["a": [true, false, .null], "z": 1, "m": ["y": "x", "b": -5], "e": [:], "f": []])
    }

    @Test(
        "only what must be is escaped, in names as in values",
        arguments: [
            ("", #""""#), ("a", #""a""#), ("\"", #""\"""#), ("\\", #""\\""#), ("/", #""/""#),
            ("\u{8}\u{C}\n\r\t", #""\b\f\n\r\t""#),
            ("\u{0}\u{1}\u{B}\u{1F}", #""\u0000\u0001\u000b\u001f""#), ("\u{7F}", #""\u007f""#), ("é€😀", "\"é€😀\""),
            ("\u{1B}[2J", #""\u001b[2J""#), ("<&'>", "\"<&'>\""), ("\u{2028}", "\"\u{2028}\""),
        ])
    func escapes(text: String, written: String) throws {
        #expect(JSON.string(text).text == written)
        #expect(try JSON(parsing: written) == .string(text))
        let object = JSON.object([.init(text, 1)])
        #expect(object.text == "{\(written):1}")
        #expect(try JSON(parsing: object.bytes) == object)
    }

    @Test("every scalar of the first two thousand, and some beyond, comes back")
    func roundTrip() throws {
        for value in Array(0..<0x800) + [0xD7FF, 0xE000, 0xFEFF, 0xFFFD, 0xFFFF, 0x10000, 0x1F600, 0x10FFFF] {
            let scalar = try #require(Unicode.Scalar(UInt32(value)))
            let string = JSON.string(String(Character(scalar)))
            #expect(try JSON(parsing: string.bytes) == string, "U+\(String(value, radix: 16))")
        }
    }

    @Test("integers at the limits of 64 bits come back", arguments: [Int64.min, -1, 0, 1, .max])
    func integers(number: Int64) throws {
        #expect(JSON.integer(number).text == String(number))
        #expect(try JSON(parsing: JSON.integer(number).bytes) == .integer(number))
    }

    @Test("text for people is indented and means the same")
    func pretty() throws {
        let value: JSON = ["a": 1, "b": [1, ["c": .null]], "d": [], "e": [:]]
        let text = """
            {
              "a": 1,
              "b": [
                1,
                {
                  "c": null
                }
              ],
              "d": [],
              "e": {}
            }
            """
        #expect(value.prettyText == text)
        #expect(try JSON(parsing: text) == value)
    }
}
