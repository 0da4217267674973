// One value has one spelling: RFC 4648 §10 in, and nothing a lenient reader would let through.

import Sealing
import Testing

@Suite struct Base64Tests {
    @Test(
        "the vectors of RFC 4648 §10 are written and read",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ])
    func published(plain: String, text: String) {
        let bare = text.filter { $0 != "=" }
        #expect(Base64.encode(Array(plain.utf8), as: .standard) == text)
        #expect(Base64.encode(Array(plain.utf8), as: .url) == bare)
        #expect(Base64.decode(text, as: .standard) == Array(plain.utf8))
        #expect(Base64.decode(bare, as: .url) == Array(plain.utf8))
    }

    @Test("every character of both alphabets stands for its six bits")
    func alphabets() {
        let all = bytes(
            "00108310518720928b30d38f41149351559761969b71d79f8218a39259a7a29aabb2dbafc31cb3d35db7e39ebbf3dfbf")
        let common = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        #expect(Base64.encode(all, as: .standard) == common + "+/")
        #expect(Base64.encode(all, as: .url) == common + "-_")
        #expect(Base64.decode(common + "+/", as: .standard) == all)
        #expect(Base64.decode(common + "-_", as: .url) == all)
    }

    @Test(
        "base64 with missing, surplus or misplaced padding, another alphabet, white space or stray bits is refused",
        arguments: [
            "Zg", "Zg=", "Zg===", "Zm8", "Zm9v=", "Zm9v====", "=", "==", "===", "====", "Z===", "=Zg=", "Z=g=",
            "Zg==Zg==",
            "Zm9v ", " Zm9v", "Zm9v\n", "Zm\n9v", "Zm9v\r\n", "\tZm9", "-_-_", "Zm9*", "Zm9\u{0}", "Zm9é", "Zm9.",
            "Zh==", "Zi==", "Zn==", "Zm9=", "Zm+=", "Zm/=", "A", "AAAAA",
        ])
    func standardRefused(text: String) {
        #expect(Base64.decode(text, as: .standard) == nil)
    }

    @Test(
        "base64url with padding, another alphabet, white space or stray bits is refused",
        arguments: [
            "Zg==", "Zg=", "Zm8=", "Zm9v=", "=", "A", "AAAAA", "+/+/", "Zm9v ", " Zm9v", "Zm9v\n", "Zm\n9v", "Zh",
            "Zm9",
            "Z_", "Zm_", "Zm9*", "Zm9\u{0}v", "Zm9vé",
        ])
    func urlRefused(text: String) {
        #expect(Base64.decode(text, as: .url) == nil)
    }

    @Test("of all texts of two characters exactly one stands for each byte")
    func oneSpelling() {
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        let read = alphabet.flatMap { first in
            alphabet.compactMap { second in Base64.decode("\(first)\(second)", as: .url) }
        }
        #expect(read.count == 256)
        #expect(Set(read).count == 256)
    }

    @Test("random bytes of every length come back", arguments: [Base64.Variant.standard, .url])
    func roundTrip(variant: Base64.Variant) {
        for count in 0...130 {
            let bytes = Random.bytes(count)
            #expect(Base64.decode(Base64.encode(bytes, as: variant), as: variant) == bytes)
        }
    }

    @Test("hex is written in lower case and read in either")
    func hex() {
        #expect(Hex.encode([0x00, 0x0F, 0xA0, 0xFF]) == "000fa0ff")
        #expect(Hex.decode("000fA0Ff") == [0x00, 0x0F, 0xA0, 0xFF])
        #expect(Hex.decode("") == [])
        let all = [UInt8](0...255)
        #expect(Hex.decode(Hex.encode(all)) == all)
    }

    @Test(
        "what is not hex is refused",
        arguments: ["0", "000", "0g", "g0", "0x00", " 00", "00 ", "0 0", "é", "00\n", "０0", "/0", ":0", "@0", "`0"])
    func hexRefused(text: String) {
        #expect(Hex.decode(text) == nil)
    }
}
