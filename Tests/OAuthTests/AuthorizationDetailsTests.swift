// A detail is a scope said at length: it reads back as the same scopes and can smuggle in no other.

import OAuth
import StrictJSON
import Testing

@Suite struct AuthorizationDetailsTests {
    @Test("scopes become one detail for each device, and scopes again")
    func scopes() throws {
        let details = AuthorizationDetails(
            scopes: [
                "lock.unlock@front-door", "light.on@hall", "lock.lock@front-door", "lock.unlock@front-door", "openid",
            ],
            location: "https://hub.example")
        #expect(
            details.json.text
                == #"[{"type":"device","identifier":"front-door","actions":["lock.unlock","lock.lock"],"#
                + #""locations":["https://hub.example"]},{"type":"device","identifier":"hall","#
                + #""actions":["light.on"],"locations":["https://hub.example"]}]"#)
        #expect(details.scopes == ["lock.unlock@front-door", "lock.lock@front-door", "light.on@hall"])
        #expect(try AuthorizationDetails(parsing: details.json.text) == details)
    }

    @Test("locations may be left out, and one action counts once")
    func short() throws {
        let text =
            #"[{"actions":["a","b"],"type":"device","identifier":"d"},{"type":"device","identifier":"d","actions":["a"]}]"#
        let details = try AuthorizationDetails(parsing: text)
        #expect(details.details.map(\.actions) == [["a", "b"], ["a"]])
        #expect(details.details.map(\.locations) == [[], []])
        #expect(details.scopes == ["a@d", "b@d"])
    }

    private static func detail(_ members: String) -> String { "[{" + members + "}]" }

    @Test(
        "what is no list of known details is refused",
        arguments: [
            "", "x", "7", "{}", "null", "[]", "[7]", "[[]]", "[{}]", #"["device"]"#,
            #"{"type":"device","identifier":"d","actions":["a"]}"#,
            detail(#""identifier":"d","actions":["a"]"#),
            detail(#""type":"payment","identifier":"d","actions":["a"]"#),
            detail(#""type":"Device","identifier":"d","actions":["a"]"#),
            detail(#""type":7,"identifier":"d","actions":["a"]"#),
            detail(#""type":"device","identifier":"d","actions":["a"],"privileges":["admin"]"#),
            detail(#""type":"device","actions":["a"]"#), detail(#""type":"device","identifier":"d""#),
            detail(#""type":"device","identifier":"","actions":["a"]"#),
            detail(#""type":"device","identifier":7,"actions":["a"]"#),
            detail(#""type":"device","identifier":null,"actions":["a"]"#),
            detail(#""type":"device","identifier":"d","actions":[]"#),
            detail(#""type":"device","identifier":"d","actions":"a""#),
            detail(#""type":"device","identifier":"d","actions":["a",7]"#),
            detail(#""type":"device","identifier":"d","actions":[""]"#),
            detail(#""type":"device","identifier":"d","actions":["a"],"locations":"https://a.example""#),
            detail(#""type":"device","identifier":"d","actions":["a"],"locations":[7]"#),
            detail(#""type":"device","identifier":"d","actions":["a"],"locations":["/x"]"#),
            detail(#""type":"device","identifier":"d","actions":["a"],"locations":null"#),
            detail(#""type":"device","identifier":"d","identifier":"e","actions":["a"]"#),
            #"[{"type":"device","identifier":"d","actions":["a"]},{"type":"x"}]"#,
            #"[{"type":"device","identifier":"d","actions":["a"]}]x"#,
        ])
    func refused(_ text: String) {
        #expect(throws: OAuth2Refusal.invalidAuthorizationDetails) { try AuthorizationDetails(parsing: text) }
    }

    @Test(
        "no name can hold another scope",
        arguments: ["a b", "a@b", "a\\\"b", "a\\\\b", "a\\n", "é", "\\u0000", String(repeating: "a", count: 129)])
    func names(_ name: String) {
        for text in [
            Self.detail(#""type":"device","identifier":"\#(name)","actions":["a"]"#),
            Self.detail(#""type":"device","identifier":"d","actions":["\#(name)"]"#),
        ] {
            #expect(throws: OAuth2Refusal.invalidAuthorizationDetails, "\(text)") {
                try AuthorizationDetails(parsing: text)
            }
        }
        #expect(AuthorizationDetails(scopes: ["x y@d", "a@b@c", "@d", "a@"], location: "l").details.isEmpty)
    }

    @Test("there may be 32 details and 128 actions, not one more")
    func limits() throws {
        let detail: JSON = ["type": "device", "identifier": "d", "actions": ["a"]]
        func list(_ count: Int) -> String { JSON.array(Array(repeating: detail, count: count)).text }
        #expect(try AuthorizationDetails(parsing: list(32)).details.count == 32)
        #expect(throws: OAuth2Refusal.invalidAuthorizationDetails) { try AuthorizationDetails(parsing: list(33)) }
        func actions(_ count: Int) -> String {
            JSON.array([["type": "device", "identifier": "d", "actions": .strings((0..<count).map { "a\($0)" })]]).text
        }
        #expect(try AuthorizationDetails(parsing: actions(128)).scopes.count == 128)
        #expect(throws: OAuth2Refusal.invalidAuthorizationDetails) { try AuthorizationDetails(parsing: actions(129)) }
    }
}
