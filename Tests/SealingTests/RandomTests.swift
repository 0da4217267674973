// Random texts have the asked length, the promised alphabet, and no bias a modulus would leave.

import Sealing
import Testing

@Suite struct RandomTests {
    private static let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

    @Test("random bytes, texts and numbers have the asked length", arguments: [0, 1, 2, 20, 30, 64, 1000])
    func lengths(count: Int) {
        #expect(Random.bytes(count).count == count)
        #expect(Random.alphanumerics(count).count == count)
        #expect(Random.digits(count).count == count)
        #expect(Secret.random(count: count).count == count)
    }

    @Test("no two are equal")
    func distinct() {
        #expect(Set((0..<1000).map { _ in Random.bytes(16) }).count == 1000)
        #expect(Set((0..<1000).map { _ in Random.alphanumerics(20) }).count == 1000)
        #expect(Set((0..<1000).map { _ in Random.digits(30) }).count == 1000)
        #expect(Set((0..<1000).map { _ in Secret.random(count: 16).revealBytes() }).count == 1000)
    }

    // Six standard deviations and more on either side; a modulus without rejection lies further out.
    @Test("every letter and digit is equally likely")
    func alphanumerics() {
        let text = Random.alphanumerics(62 * 4000)
        let counts = Dictionary(text.map { ($0, 1) }, uniquingKeysWith: +)
        #expect(Set(counts.keys) == Set(Self.alphabet))
        #expect(counts.values.allSatisfy { (3500...4500).contains($0) })
    }

    @Test("every digit is equally likely, also in front")
    func digits() {
        let text = Random.digits(10 * 200_000)
        let counts = Dictionary(text.map { ($0, 1) }, uniquingKeysWith: +)
        #expect(Set(counts.keys) == Set("0123456789"))
        #expect(counts.values.allSatisfy { (197_400...202_600).contains($0) })
        #expect(Set((0..<500).compactMap { _ in Random.digits(6).first }) == Set("0123456789"))
    }
}
