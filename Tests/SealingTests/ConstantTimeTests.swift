// Only the answer can be tested here; that time does not depend on the content is libcrypto's promise.

import Sealing
import Testing

@Suite struct ConstantTimeTests {
    @Test(
        "equal bytes are equal, and one difference anywhere is seen",
        arguments: [
            ([], [], true), ([1], [1], true), ([1, 2, 3], [1, 2, 3], true), ([1], [], false), ([], [1], false),
            ([1, 2], [1, 2, 3], false), ([0, 2, 3], [1, 2, 3], false), ([1, 0, 3], [1, 2, 3], false),
            ([1, 2, 0], [1, 2, 3], false), ([0], [0, 0], false),
        ] as [([UInt8], [UInt8], Bool)])
    func bytesCompared(left: [UInt8], right: [UInt8], equal: Bool) {
        #expect(ConstantTime.equal(left, right) == equal)
        #expect(Secret(left).matches(Secret(right)) == equal)
    }

    @Test("texts are compared by their bytes, so that two spellings of an accent differ")
    func texts() {
        #expect(ConstantTime.equal("", ""))
        #expect(ConstantTime.equal("token", "token"))
        #expect(!ConstantTime.equal("token", "tokeN"))
        #expect("\u{E9}" == "e\u{301}")
        #expect(!ConstantTime.equal("\u{E9}", "e\u{301}"))
        #expect(!ConstantTime.equal("K", "\u{212A}"))
    }
}
