// An integer stays an integer as long as 64 bits hold it; no number becomes infinite.

import StrictJSON
import Testing

@Suite struct JSONNumberTests {
    @Test(
        "a number without fraction and exponent that fits 64 bits is an integer",
        arguments: [
            ("0", 0), ("-0", 0), ("10", 10), ("9223372036854775807", .max), ("-9223372036854775808", .min),
            ("9007199254740993", 9_007_199_254_740_993),
        ] as [(String, Int64)])
    func integers(text: String, number: Int64) throws {
        #expect(try JSON(parsing: text) == .integer(number))
        #expect(try JSON(parsing: "[\(text)]") == .array([.integer(number)]))
    }

    @Test(
        "any other number is a decimal",
        arguments: [
            ("9223372036854775808", 9_223_372_036_854_775_808), ("-9223372036854775809", -9_223_372_036_854_775_808),
            ("1.0", 1), ("-0.0", -0.0), ("0e1", 0), ("1e2", 100), ("1E2", 100), ("1e+2", 100), ("1e-2", 0.01),
            ("0.1", 0.1),
            ("-1.5e3", -1500), ("1.7976931348623157e308", .greatestFiniteMagnitude), ("5e-324", .leastNonzeroMagnitude),
            ("100000000000000000000000", 1e23), ("0.00", 0), ("1e00002", 100),
        ] as [(String, Double)])
    func decimals(text: String, number: Double) throws {
        #expect(try JSON(parsing: text) == .decimal(number))
    }

    @Test(
        "a number too large for a finite value is refused",
        arguments: ["1e400", "-1e400", "1e309", "1.8e308", "1e999999999999"])
    func tooLarge(text: String) {
        #expect(throws: JSONFault.malformed(offset: 0)) { try JSON(parsing: text) }
        #expect(throws: JSONFault.malformed(offset: 1)) { try JSON(parsing: "[\(text)]") }
    }

    @Test("a number of hundreds of digits is refused when it is too large, and a long fraction is read")
    func manyDigits() throws {
        #expect(throws: JSONFault.malformed(offset: 0)) { try JSON(parsing: String(repeating: "9", count: 400)) }
        #expect(throws: JSONFault.malformed(offset: 0)) { try JSON(parsing: String(repeating: "9", count: 200_000)) }
        #expect(try JSON(parsing: "0." + String(repeating: "3", count: 200_000)) == .decimal(1.0 / 3.0))
    }

    @Test("a number too small for a value is zero")
    func tooSmall() throws {
        #expect(try JSON(parsing: "1e-400") == .decimal(0))
        #expect(try JSON(parsing: "-1e-400") == .decimal(-0.0))
    }

    @Test(
        "a decimal that was written is read as the same decimal",
        arguments: [
            0.1, -0.0, 1, 1e16, 1e-7, 1.0 / 3.0, .pi, .greatestFiniteMagnitude, .leastNonzeroMagnitude, 1e21,
            123_456_789.125,
        ])
    func roundTrip(number: Double) throws {
        #expect(try JSON(parsing: JSON.decimal(number).text) == .decimal(number))
    }

    @Test("what is no finite number is written as null", arguments: [Double.infinity, -.infinity, .nan])
    func notFinite(number: Double) {
        #expect(JSON.array([.decimal(number)]).text == "[null]")
    }
}
