// Digests and codes are those of RFC 1321, FIPS 180-4, RFC 2202 and RFC 4231.

import Sealing
import Testing

@Suite struct HashFunctionTests {
    private static let short = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
    private static let long =
        "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"

    @Test(
        "a digest is the published one",
        arguments: [
            (HashFunction.md5, "", "d41d8cd98f00b204e9800998ecf8427e"),
            (.md5, "abc", "900150983cd24fb0d6963f7d28e17f72"),
            (.md5, "message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
            (.md5, "abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"),
            (.sha1, "", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            (.sha1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (.sha1, short, "84983e441c3bd26ebaae4aa1f95129e5e54670f1"),
            (.sha1, long, "a49b2446a02c645bf419f995b67091253a04a259"),
            (.sha256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (.sha256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (.sha256, short, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
            (.sha256, long, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"),
            (
                .sha512, "",
                """
                cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce
                47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e
                """
            ),
            (
                .sha512, "abc",
                """
                ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a
                2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f
                """
            ),
            (
                .sha512, short,
                """
                204a8fc6dda82f0a0ced7beb8e08a41657c16ef468b228a8279be331a703c335
                96fd15c13b1b07f9aa1d3bea57789ca031ad85c7a71dd70354ec631238ca3445
                """
            ),
            (
                .sha512, long,
                """
                8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018
                501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909
                """
            ),
        ])
    func digest(hash: HashFunction, message: String, digest: String) {
        #expect(hash.digest(Array(message.utf8)) == bytes(digest))
        #expect(hash.digestCount == bytes(digest).count)
        #expect(hash.isAvailable)
        #expect(Secret(text: message).reveal { hash.digest($0) } == bytes(digest))
    }

    @Test(
        "a million times the letter a has the published digest",
        arguments: [
            (HashFunction.sha1, "34aa973cd4c4daa4f61eeb2bdbad27316534016f"),
            (.sha256, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
            (
                .sha512,
                """
                e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb
                de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b
                """
            ),
        ])
    func million(hash: HashFunction, digest: String) {
        #expect(hash.digest(repeatElement(UInt8(ascii: "a"), count: 1_000_000)) == bytes(digest))
    }
}
