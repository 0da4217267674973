// A value answers only for what it is; texts are the same when their bytes are.

import StrictJSON
import Testing

@Suite struct JSONTests {
    private static let all: [JSON] = [.null, true, 1, .decimal(1), "1", [1], ["a": 1]]

    @Test("a value gives what it is and nothing it could be turned into", arguments: all.indices)
    func accessors(index: Int) {
        let value = Self.all[index]
        #expect((value.bool != nil) == (index == 1))
        #expect((value.integer != nil) == (index == 2))
        #expect((value.string != nil) == (index == 4))
        #expect((value.array != nil) == (index == 5))
        #expect((value.members != nil) == (index == 6))
        #expect((value["a"] != nil) == (index == 6))
        for (other, another) in Self.all.enumerated() { #expect((value == another) == (index == other)) }
    }

    @Test("an array of nothing but strings gives them")
    func strings() {
        #expect((["a", "b"] as JSON).strings == ["a", "b"])
        #expect(([] as JSON).strings == [])
        #expect((["a", 1] as JSON).strings == nil)
        #expect(("a" as JSON).strings == nil)
        #expect(JSON.strings(["a", "b"]) == ["a", "b"])
    }

    @Test("members without a value are left out, and null is a value")
    func compact() {
        #expect(JSON.compact(["a": 1, "b": nil, "c": .some(.null)]).text == #"{"a":1,"c":null}"#)
        #expect(JSON.compact(["b": nil]) == [:])
    }

    // U+212A KELVIN SIGN: Swift's `String` takes it for "K", no other reader of the same document does.
    @Test("a name is found by its bytes only")
    func names() throws {
        let value = try JSON(parsing: #"{"\u212aey":1,"e\u0301":2}"#)
        #expect("\u{212A}ey" == "Key")
        #expect(value["Key"] == nil)
        #expect(value["\u{212A}ey"] == 1)
        #expect(value["\u{E9}"] == nil)
        #expect(value["e\u{301}"] == 2)
        #expect(value["missing"] == nil)
    }

    @Test("two spellings of one accent are two texts, and minus zero is not zero")
    func equality() {
        #expect(JSON.string("\u{E9}") != .string("e\u{301}"))
        #expect(JSON.Member("K", 1) != JSON.Member("\u{212A}", 1))
        #expect(JSON.decimal(0) != .decimal(-0.0))
        #expect(JSON.Member("a", 1) == JSON.Member("a", 1))
        #expect(JSON.Member("a", 1) != JSON.Member("a", 2))
    }
}
