// The provider answers at its own address, however a browser writes it, and at no other.

import OAuth
import ServiceProvider
import Testing

@Suite(.timeLimit(.minutes(5))) struct AddressTests {
    private func signIn(_ home: TestHome, host: String, origin: String) async throws -> Int {
        try await home.send(
            "POST", "/sign-in", headers: [("Host", host), ("Origin", origin)],
            form: [Parameter("name", "anna"), Parameter("password", TestHome.password)]
        ).status
    }

    @Test(
        "on the scheme's own port a browser may name the port or leave it out, whichever the base URL does",
        arguments: ["http://home.example:80", "http://home.example"])
    func standardPort(address: String) async throws {
        try await TestHome.run(address: address) { home in
            for host in ["home.example", "home.example:80", "HOME.example"] {
                let answer = try await home.send("GET", "/", headers: [("Host", host)])
                #expect(answer.status == 200)
            }
            for host in ["home.example:8080", "home.example:443", "home.example:80:80", "evil.example:80"] {
                let answer = try await home.send("GET", "/", headers: [("Host", host)])
                #expect(answer.status == 421)
            }
            for origin in ["http://home.example", "http://home.example:80"] {
                #expect(try await signIn(home, host: "home.example", origin: origin) == 303)
            }
            for origin in ["https://home.example", "http://home.example:443", "http://evil.example:80", "null", ""] {
                #expect(try await signIn(home, host: "home.example", origin: origin) == 403)
            }
        }
    }

    @Test("a path with an empty part is no other spelling of one without")
    func emptyParts() async throws {
        try await TestHome.run { home in
            for path in ["/api/v1/devices", "/oauth2/jwks"] {
                let right = try await home.send("GET", path)
                #expect(right.status != 404)
                let wrong = try await home.send("GET", "/" + path)
                #expect(wrong.status == 404)
            }
        }
    }
}
