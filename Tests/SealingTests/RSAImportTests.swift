// What is no RSA key, or one that protects nothing, is refused with a `SealingError` when it comes in.

import Sealing
import Testing

@Suite struct RSAImportTests {
    private static let notPEM = [
        "", "x", "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        String(RSAFixtures.pkcs8.dropLast(200)), String(RSAFixtures.pkcs8.dropFirst(1)),
    ]

    @Test("text that is no private key is refused", arguments: notPEM + [RSAFixtures.publicKey])
    func privateEncoding(text: String) {
        #expect(throws: SealingError.badEncoding("PEM private key")) { try RSAPrivateKey(pem: Secret(text: text)) }
    }

    @Test("text that is no public key is refused", arguments: notPEM + [RSAFixtures.pkcs8, RSAFixtures.pkcs1])
    func publicEncoding(text: String) {
        #expect(throws: SealingError.badEncoding("PEM public key")) { try RSAPublicKey(pem: text) }
    }

    @Test(
        "a key under a passphrase is refused without asking for it, even if the passphrase is empty",
        arguments: [RefusedKeys.encrypted, RefusedKeys.encryptedWithNothing])
    func encrypted(text: String) {
        #expect(throws: SealingError.badEncoding("PEM private key")) { try RSAPrivateKey(pem: Secret(text: text)) }
    }

    @Test(
        "a key of another algorithm is refused",
        arguments: [
            (RefusedKeys.ellipticCurve, RefusedKeys.ellipticCurvePublic), (RefusedKeys.pss, RefusedKeys.pssPublic),
        ])
    func algorithm(privateKey: String, publicKey: String) {
        #expect(throws: SealingError.badKey("not an RSA key")) { try RSAPrivateKey(pem: Secret(text: privateKey)) }
        #expect(throws: SealingError.badKey("not an RSA key")) { try RSAPublicKey(pem: publicKey) }
    }

    @Test("a key that can be factored is refused in every spelling")
    func short() {
        let refusal = SealingError.badKey("RSA modulus of 512 bits")
        #expect(throws: refusal) { try RSAPrivateKey(pem: Secret(text: RefusedKeys.short)) }
        #expect(throws: refusal) { try RSAPublicKey(pem: RefusedKeys.shortPublic) }
        // Leading zeros do not make a number longer.
        let padded = [UInt8](repeating: 0, count: 64) + [0x80] + [UInt8](repeating: 1, count: 63)
        #expect(throws: refusal) { try RSAPublicKey(modulus: padded, exponent: [1, 0, 1]) }
        #expect(throws: SealingError.badKey("RSA modulus of 1023 bits")) {
            try RSAPublicKey(modulus: [0x7F] + .init(repeating: 1, count: 127), exponent: [1, 0, 1])
        }
    }

    @Test("a modulus that is too short or too long is refused", arguments: [0, 1, 127, 1025, 4096])
    func modulusSize(count: Int) {
        #expect(throws: SealingError.badKey("RSA modulus of \(count) bytes")) {
            try RSAPublicKey(modulus: .init(repeating: 0xFF, count: count), exponent: [1, 0, 1])
        }
    }

    @Test("exponent 1, under which everybody can sign, is refused, and so are 0 and even ones")
    func exponents() {
        for exponent in [[0], [1], [0, 0, 1], [2], [1, 0, 0]] as [[UInt8]] {
            #expect(throws: SealingError.badKey("RSA exponent"), "\(exponent)") {
                try RSAPublicKey(modulus: RSAFixtures.modulus, exponent: exponent)
            }
        }
        for exponent in [[], .init(repeating: 1, count: 9)] as [[UInt8]] {
            #expect(throws: SealingError.self, "\(exponent)") {
                try RSAPublicKey(modulus: RSAFixtures.modulus, exponent: exponent)
            }
        }
    }

    @Test("an even modulus is refused")
    func evenModulus() {
        #expect(throws: SealingError.badKey("RSA modulus is even")) {
            try RSAPublicKey(modulus: RSAFixtures.modulus.dropLast() + [0], exponent: [1, 0, 1])
        }
    }

    @Test("DER that is damaged, cut, or followed by anything is refused")
    func der() throws {
        let der = try RSAPrivateKey(pem: Secret(text: RSAFixtures.pkcs8)).derBytes().revealBytes()
        let refusal = SealingError.badEncoding("DER private key")
        for count in [0, 1, 4, der.count / 2, der.count - 1] {
            #expect(throws: refusal, "\(count) bytes") { try RSAPrivateKey(der: Secret(Array(der.prefix(count)))) }
        }
        #expect(throws: refusal) { try RSAPrivateKey(der: Secret(der + [0])) }
        #expect(throws: refusal) { try RSAPrivateKey(der: Secret([0x31] + der.dropFirst())) }
        #expect(try RSAPrivateKey(der: Secret(der)).publicKey.modulus == RSAFixtures.modulus)
    }

    @Test("errors quote no key")
    func silence() {
        let text = RSAFixtures.pkcs8.replacing("MII", with: "!!!")
        let error = #expect(throws: SealingError.self) { try RSAPrivateKey(pem: Secret(text: text)) }
        #expect(error?.description == "not valid PEM private key")
    }
}
