// Two readers of one form must see the same parameters.

import OAuth
import Testing

@Suite struct FormCodingTests {
    @Test("a form keeps order, repeated names and empty values")
    func order() throws {
        let parsed = try FormCoding.parse("b=2&a=1&b=&c&&=x&d=e=f")
        #expect(
            parsed == [
                Parameter("b", "2"), Parameter("a", "1"), Parameter("b", ""), Parameter("c", ""), Parameter("", "x"),
                Parameter("d", "e=f"),
            ])
    }

    @Test(
        "bad escapes and bytes that are no UTF-8 are refused",
        arguments: ["a=%", "a=%4", "a=%ZZ", "%G1=a", "a=%FF", "a=%C3%28", "a=%C0%80", "a=%ED%A0%80"])
    func badEscapes(_ text: String) {
        #expect(throws: OAuthError.malformedEncoding("form encoding")) { try FormCoding.parse(text) }
    }

    @Test("what is written is read again", arguments: ["", " ", "a b+c%20&=é€🔒", "~*-._!'()", "\r\n\u{0}"])
    func roundTrip(_ text: String) throws {
        let parameters = [Parameter("n" + text, text), Parameter("n", "v")]
        #expect(try FormCoding.parse(FormCoding.encode(parameters)) == parameters)
    }

    @Test("a form with too many parameters is refused")
    func tooMany() {
        let many = String(repeating: "a&", count: FormCoding.maximumCount + 1)
        #expect(throws: OAuthError.tooLarge("form", limit: FormCoding.maximumCount)) { try FormCoding.parse(many) }
    }

    @Test("percent-decoding is strict", arguments: ["%", "%1", "%zz", "a b", "é", "%FF", "a\n"])
    func strictDecoding(_ text: String) {
        #expect(throws: OAuthError.self) { try PercentEncoding.decode(text) }
    }

    @Test("percent-decoding leaves a plus alone")
    func plus() throws {
        #expect(try PercentEncoding.decode("a+b%2bc") == "a+b+c")
    }

    @Test(
        "a URL that no request can have is refused",
        arguments: [
            "", "/path", "http:///x", "ftp://h/", "http://u@h/", "http://h:99999/", "http://h:x/", "http://[::1/",
            "http://h /", "http://hé/", "http://a:1:2/", "http://[::1]x/", "http://h/ü",
        ])
    func badURL(_ url: String) {
        #expect(throws: OAuthError.self) { try BaseURI.make(url) }
    }

    @Test("an error quotes a URL only up to its query")
    func urlInError() {
        let error = #expect(throws: OAuthError.self) { try BaseURI.make("ftp://h/p?oauth_token=hush") }
        #expect(error?.description == "unusable URL \"ftp://h/p\"")
    }
}
