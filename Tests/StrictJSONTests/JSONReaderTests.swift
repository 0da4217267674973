// One document has one meaning: the grammar of RFC 8259 and nothing more goes in.

import StrictJSON
import Testing

@Suite struct JSONReaderTests {
    @Test(
        "what RFC 8259 allows is read as what it says",
        arguments: [
            ("null", .null), ("true", true), ("false", false), ("0", 0), ("-0", 0), ("-1", -1), (" \t\r\n1 \t\r\n", 1),
            ("9007199254740993", 9_007_199_254_740_993), ("\"\"", ""), ("\"a\"", "a"), ("[]", []), ("[ ]", []),
            ("{}", [:]), ("{ }", [:]), ("[[]]", [[]]), ("[1,2]", [1, 2]), ("[ 1 , 2 ]", [1, 2]),
            ("[null,1,\"1\",{}]", [.null, 1, "1", [:]]), ("{\"\":0}", ["": 0]),
            ("{ \"a\" : 1 , \"b\" : [ ] }", ["a": 1, "b": []]),
            ("{\"a\":{\"a\":{\"a\":1}}}", ["a": ["a": ["a": 1]]]),
            // Every escape there is.
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u0041\u00e9\u00E9\u20AC""#, "Aéé€"),
            (#""\u0000""#, "\u{0}"), (#""\uD83D\uDE00""#, "😀"), (#""\ud83d\ude00""#, "😀"),
            (#""\uDBFF\uDFFF""#, "\u{10FFFF}"),
            (#""\uD7FF\uE000\uFFFF""#, "\u{D7FF}\u{E000}\u{FFFF}"), (#""\\u0041""#, "\\u0041"),
            ("\"😀é\u{7F}\"", "😀é\u{7F}"),
            ("\"\u{2028}\u{2029}\u{FEFF}\"", "\u{2028}\u{2029}\u{FEFF}"),
        ] as [(String, JSON)])
    func accepted(text: String, value: JSON) throws {
        #expect(try JSON(parsing: text) == value)
        #expect(try JSON(parsing: Array(text.utf8)) == value)
    }

    @Test(
        "what RFC 8259 does not allow is malformed, and the byte is named",
        arguments: [
            ("", 0), (" ", 1), ("nul", 3), ("nulL", 3), ("True", 0), ("NaN", 0), ("Infinity", 0), ("-Infinity", 1),
            ("undefined", 0), ("'a'", 0), ("a", 0), ("1 2", 2), ("{}{}", 2), ("[]]", 2), ("null,", 4), ("1\u{0}", 1),
            // Numbers.
            ("-", 1), ("+1", 0), ("01", 1), ("-01", 2), ("00", 1), ("1.", 2), (".5", 0), ("-.5", 1), ("1.e1", 2),
            ("1e", 2),
            ("1e+", 3), ("1E-", 3), ("1e1.5", 3), ("0x10", 1), ("1_000", 1), ("--1", 1), ("1,5", 1), ("１", 0),
            ("- 1", 1),
            // Arrays and objects.
            ("[", 1), ("[1", 2), ("[1,", 3), ("[1,]", 3), ("[,1]", 1), ("[1 2]", 3), ("[1,,2]", 3), ("]", 0), ("[}", 1),
            ("{", 1), ("{\"a\"", 4), ("{\"a\":", 5), ("{\"a\":1", 6), ("{\"a\":1,", 7), ("{\"a\":1,}", 7), ("{,}", 1),
            ("{a:1}", 1), ("{'a':1}", 1), ("{1:1}", 1), ("{\"a\" 1}", 5), ("{\"a\":}", 5), ("{\"a\"}", 4),
            ("{\"a\":1]", 6),
            ("{\"a\"::1}", 5), ("{null:1}", 1),
            // Comments.
            ("/**/1", 0), ("1//", 1), ("[1/*x*/]", 2), ("#1", 0),
            // Strings.
            ("\"", 1), ("\"a", 2), ("\"\\\"", 3), ("\"\\", 2), ("\"\\x41\"", 2), ("\"\\a\"", 2), ("\"\\'\"", 2),
            ("\"\\U0041\"", 2), ("\"\\u\"", 3), ("\"\\u004\"", 6), ("\"\\u00G0\"", 5), ("\"\\u+041\"", 3),
            ("\"\\u 041\"", 3),
            ("\"\n\"", 1), ("\"\t\"", 1), ("\"\u{0}\"", 1), ("\"\u{1F}\"", 1), ("\"a\r\"", 2), ("\"\\u{41}\"", 3),
            // Other white space.
            ("\u{A0}1", 0), ("\u{B}1", 0), ("\u{C}1", 0), ("1\u{2028}", 1), ("\u{85}1", 0),
        ])
    func malformed(text: String, offset: Int) {
        #expect(throws: JSONFault.malformed(offset: offset)) { try JSON(parsing: text) }
    }

    @Test(
        "a byte order mark is refused, in every encoding",
        arguments: [[0xEF, 0xBB, 0xBF], [0xFF, 0xFE], [0xFE, 0xFF]])
    func byteOrderMark(mark: [UInt8]) {
        #expect(throws: JSONFault.malformed(offset: 0)) { try JSON(parsing: mark + Array("{}".utf8)) }
        #expect(throws: JSONFault.malformed(offset: 0)) { try JSON(parsing: mark) }
    }

    @Test(
        "half a surrogate pair is refused",
        arguments: [
            #"\uD800"#, #"\uDBFF"#, #"\uDC00"#, #"\uDFFF"#, #"\uD83Dx"#, #"\uD83D\n"#, #"\uD83D\u0041"#,
            #"\uD83D\uD83D"#,
            #"\uDE00\uD83D"#, #"\uD83D\uE000"#, #"\uD83D\\uDE00"#, #"\uD83D\"#, #"\uD83D\uDE0"#, #"\ud800\ud800\udc00"#,
        ])
    func loneSurrogates(escape: String) {
        for document in ["\"\(escape)\"", "{\"\(escape)\":1}", "[\"a\(escape)"] {
            let fault = #expect(throws: JSONFault.self, "\(document)") { try JSON(parsing: document) }
            guard case .malformed = fault else {
                Issue.record("\(document): \(String(describing: fault))")
                continue
            }
        }
    }

    @Test(
        "bytes that are not UTF-8 are refused in names and values",
        arguments: [
            [0x80], [0xBF], [0xFF], [0xFE], [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x98],
            // Longer than need be.
            [0xC0, 0x80], [0xC0, 0xA2], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF], [0xF0, 0x80, 0x80, 0x80],
            // Surrogates, alone and as the pair CESU-8 makes of one character.
            [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80],
            // Above U+10FFFF.
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80],
            // A sequence that an escape interrupts.
            [0xC3] + Array(#"\u00A9"#.utf8), [0xC3] + Array(#"\n"#.utf8), [0xE2, 0x82] + Array(#"\/"#.utf8),
        ] as [[UInt8]])
    func notUTF8(bad: [UInt8]) {
        let quote = UInt8(ascii: "\"")
        #expect(throws: JSONFault.notUTF8(offset: 0)) { try JSON(parsing: [quote] + bad + [quote]) }
        #expect(throws: JSONFault.notUTF8(offset: 1)) {
            try JSON(parsing: Array("{\"".utf8) + bad + Array("\":1}".utf8))
        }
        #expect(throws: JSONFault.notUTF8(offset: 1)) {
            try JSON(parsing: Array("[\"ab".utf8) + bad + Array("cd\"]".utf8))
        }
        #expect(throws: JSONFault.malformed(offset: 0)) { try JSON(parsing: bad) }
    }

    @Test(
        "a name that stands twice in one object is refused, however it is escaped",
        arguments: [
            (#"{"a":1,"a":1}"#, "a", 7), (#"{"a":1,"b":2,"a":3}"#, "a", 13), (#"{"a":1,"\u0061":2}"#, "a", 7),
            (#"{"\u0061":1,"a":2}"#, "a", 12), (#"{"":1,"":2}"#, "", 6), (#"{"/":1,"\/":2}"#, "/", 7),
            (#"{"😀":1,"\ud83d\ude00":2}"#, "😀", 10), (#"{"\u00e9":1,"\u00E9":2}"#, "é", 12),
            (#"{"x":{"a":1,"a":2}}"#, "a", 12), (#"[{"a":null,"a":null}]"#, "a", 11),
        ])
    func duplicates(text: String, name: String, offset: Int) {
        #expect(throws: JSONFault.duplicateName(name, offset: offset)) { try JSON(parsing: text) }
    }

    @Test("two spellings of one accented name are refused too")
    func canonicalEquivalence() {
        #expect(throws: JSONFault.self) { try JSON(parsing: #"{"\u00e9":1,"e\u0301":2}"#) }
        #expect(throws: JSONFault.self) { try JSON(parsing: #"{"K":1,"\u212a":2}"#) }
    }

    @Test("the same name in two objects, and names that differ in case, are no duplicates")
    func noDuplicates() throws {
        #expect(try JSON(parsing: #"[{"a":1},{"a":1}]"#) == [["a": 1], ["a": 1]])
        #expect(try JSON(parsing: #"{"a":{"a":1},"A":2}"#) == ["a": ["a": 1], "A": 2])
    }

    @Test("depth is counted over arrays and objects, and the limit itself is allowed")
    func depth() throws {
        let sixteen = String(repeating: "[", count: 16) + String(repeating: "]", count: 16)
        #expect(try JSON(parsing: sixteen).text == sixteen)
        #expect(throws: JSONFault.tooDeep(offset: 16)) { try JSON(parsing: "[\(sixteen)]") }
        #expect(throws: JSONFault.tooDeep(offset: 16 * 5)) {
            try JSON(parsing: String(repeating: "{\"a\":", count: 17))
        }
        #expect(throws: JSONFault.tooDeep(offset: 7)) { try JSON(parsing: "{\"a\": [{", maximumDepth: 2) }
        #expect(throws: JSONFault.tooDeep(offset: 0)) { try JSON(parsing: "[]", maximumDepth: 0) }
        #expect(try JSON(parsing: "1", maximumDepth: 0) == 1)
        // Brackets side by side are not deep, and neither are brackets in text.
        #expect(try JSON(parsing: "[" + String(repeating: "[],", count: 1000) + "[]]").array?.count == 1001)
        #expect(try JSON(parsing: "\"" + String(repeating: "[", count: 1000) + "\"").string?.count == 1000)
    }

    @Test(
        "two hundred thousand open brackets cost an error, not the stack",
        arguments: ["[", "{\"a\":", "[{\"a\":", "[ ", "[[],"])
    func depthBomb(opening: String) {
        let fault = #expect(throws: JSONFault.self) { try JSON(parsing: String(repeating: opening, count: 200_000)) }
        guard case .tooDeep = fault else {
            Issue.record("\(String(describing: fault))")
            return
        }
    }

    @Test("a fault is one line, whatever the name holds")
    func descriptions() {
        #expect(JSONFault.malformed(offset: 3).description == "malformed JSON at byte 3")
        #expect(JSONFault.notUTF8(offset: 3).description == "invalid UTF-8 at byte 3")
        #expect(JSONFault.tooDeep(offset: 3).description == "JSON nested too deep at byte 3")
        #expect(
            JSONFault.duplicateName("a\n\u{1B}\"", offset: 3).description
                == #"member "a\n\u001b\"" twice in one object at byte 3"#)
    }
}
