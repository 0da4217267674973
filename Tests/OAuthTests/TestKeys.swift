// RSA keys take long to make, so the whole suite shares two.

import Sealing

enum TestKeys {
    static let rsa = make()
    static let otherRSA = make()
    static let ed25519 = Ed25519PrivateKey()

    private static func make() -> RSAPrivateKey {
        do { return try RSAPrivateKey(bits: 2048) } catch { preconditionFailure("no RSA key: \(error)") }
    }
}
