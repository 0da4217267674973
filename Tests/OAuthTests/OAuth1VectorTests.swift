// What other implementations and the RFC itself produce, we produce to the byte.

import OAuth
import Sealing
import StrictJSON
import Testing

@Suite struct OAuth1VectorTests {
    @Test("every published vector is there to be tested")
    func vectorsAreFound() {
        #expect(VectorFiles.entries("vectors", in: VectorFiles.oauth1).count >= 48)
        #expect(VectorFiles.entries("encode", in: VectorFiles.oauth1).count >= 17)
        #expect(VectorFiles.entries("base_uri", in: VectorFiles.oauth1).count >= 11)
        #expect(VectorFiles.entries("normalize", in: VectorFiles.oauth1).count >= 5)
    }

    @Test("a base string is what the vector says", arguments: VectorFiles.entries("vectors", in: VectorFiles.oauth1))
    func baseString(_ vector: JSON) throws {
        guard vector["raw_base_string"]?.string == nil else { return }
        let request = OAuth1Request(
            method: try #require(vector["method"]?.string), url: try #require(vector["url"]?.string),
            contentType: vector["content_type"]?.string, body: Array((vector["body"]?.string ?? "").utf8))
        let made = try BaseString.make(request, protocolParameters: Self.parameters(vector))
        #expect(made == vector["base_string"]?.string)
    }

    @Test(
        "a signature is what the vector says, and verifies",
        arguments: VectorFiles.entries("vectors", in: VectorFiles.oauth1))
    func signature(_ vector: JSON) throws {
        guard let expected = vector["signature"]?.string else { return }
        let baseString = try #require(vector["raw_base_string"]?.string ?? vector["base_string"]?.string)
        let method = try #require(SignatureMethod(rawValue: vector["signature_method"]?.string ?? ""))
        let tokenSecret = vector["token_secret"]?.string.map { Secret(text: $0) }
        let signing: SigningKey
        let verification: VerificationKey
        if let name = vector["rsa_key"]?.string {
            let pem = VectorFiles.oauth1.compactMap { file in file["keys"]?[name]?.string }.first
            let key = try RSAPrivateKey(pem: Secret(text: try #require(pem)))
            (signing, verification) = (.rsa(key), .rsa(key.publicKey))
        } else {
            let secret = Secret(text: try #require(vector["consumer_secret"]?.string))
            (signing, verification) = (.secret(secret), .secret(secret))
        }
        let made = try Signature.make(baseString, method: method, key: signing, tokenSecret: tokenSecret)
        #expect(made == expected)
        #expect(
            Signature.isValid(expected, for: baseString, method: method, key: verification, tokenSecret: tokenSecret))
        // PLAINTEXT covers no text, so only the other methods notice a change of it.
        #expect(
            Signature.isValid(
                expected, for: baseString + "x", method: method, key: verification, tokenSecret: tokenSecret)
                == (method == .plaintext))
        #expect(
            !Signature.isValid(
                "x" + expected, for: baseString, method: method, key: verification, tokenSecret: tokenSecret))
    }

    @Test(
        "text is encoded as the table says, and decodes to itself",
        arguments: VectorFiles.entries("encode", in: VectorFiles.oauth1))
    func encode(_ row: JSON) throws {
        let pair = try #require(row.strings)
        #expect(PercentEncoding.encode(pair[0]) == pair[1])
        #expect(try PercentEncoding.decode(pair[1]) == pair[0])
    }

    @Test(
        "parameters are normalised as the table says",
        arguments: VectorFiles.entries("normalize", in: VectorFiles.oauth1))
    func normalize(_ row: JSON) throws {
        let pair = try #require(row.strings)
        #expect(BaseString.normalize(try FormCoding.parse(pair[0])) == pair[1])
    }

    @Test("a base URI is what the table says", arguments: VectorFiles.entries("base_uri", in: VectorFiles.oauth1))
    func baseURI(_ row: JSON) throws {
        let cells = try #require(row.array)
        let url = try #require(cells[0].string)
        #expect(try BaseURI.make(url, host: cells[1].string) == cells[2].string)
    }

    private static func parameters(_ vector: JSON) -> [Parameter] {
        let sent = (vector["auth_params"]?.array ?? []).compactMap(\.strings).map { Parameter($0[0], $0[1]) }
        // The realm is put among them to see that it is never signed.
        return sent + (vector["realm"]?.string.map { [Parameter("realm", $0)] } ?? [])
    }
}
