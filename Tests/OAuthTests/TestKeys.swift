// RSA keys take long to make, so the whole suite shares two.

import Sealing

enum TestKeys {
    static let rsa = make()
    static let otherRSA = make()
    static let p256 = makeP256()
    static let otherP256 = makeP256()
    static let ed25519 = Ed25519PrivateKey()

    /// 1024 bits, made once by `openssl` and used by nothing else.
    static let shortRSA = """
        -----BEGIN PRIVATE KEY-----
        MIICeAIBADANBgkqhkiG9w0BAQEFAASCAmIwggJeAgEAAoGBAM96VBErt/tkfihB
        0C/GeIvDASk9LyrieDC1/0wQkueCDU3cS75BJDDZ+RM+GKydWO6iICmaLjM1QFMj
        KBmRXb/eRiuhm4UM3pqhfJFCtj7QLO7MqTZUKUFyT+9lGf8Z3hnuXUBo8ALO+sSx
        nLWSqWDF3CmRq88Ovb8fLfUFVs7xAgMBAAECgYApn8UV3MuAZ9zXfryhmRO+FlU5
        TMkVtXGfdCPPwtN2FqVMpZGcjb0Q/+n0blTM7JRW67fAIOp744cQJtF4r6064H/E
        BK/mFdMjme1jp3CYy7BNJAWpKoVs7F34NrC8wsdPQ87MC3nvO3XcxnzV0WdIBXSZ
        UBc7dcXeiBgK4PcvAQJBAOySHvDHU7PlDVlHX0y4sPbukYlc/K2gNQ1MyZ/y7iLM
        hu/mwvsMuJIsn5FtAAq+NDyZ+YrFSv3raabYPbVdfPkCQQDghIf4U6HupCox1hHb
        bXd9oeHQDg1BAP+WQXE5uWsVrNUOO50VS/1DK5l5uE8mT3V/buqK0qohdm0vnso3
        3je5AkEApw/Va8HHmW2yzI57fUmcJvV4r2GMSuytKlREuoCqrMZ0sCvtG67zFL8Q
        fHlWI0AI0ZcGw3nqKIC7nohso4x+uQJBAJrLpXeYKeCAPTtJDdzM94KeFzO8THUR
        /CYbjrYu2d8C345FmcMyNjaWm+VpJuESDb/DuF/oaTZTEWqwv1mPk7kCQQC9S2ki
        PKlUp8GygkfvCZPhgvf/n3gTWTlxLW0MeY8r1rxl/cemMK7b4Xx7k4Xvrwf4OuEv
        kYUYWJzCN+LuOXeA
        -----END PRIVATE KEY-----
        """

    private static func make() -> RSAPrivateKey {
        do { return try RSAPrivateKey(bits: 2048) } catch { preconditionFailure("no RSA key: \(error)") }
    }

    private static func makeP256() -> P256PrivateKey {
        do { return try P256PrivateKey() } catch { preconditionFailure("no P-256 key: \(error)") }
    }
}
