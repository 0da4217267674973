// A server that fails, dawdles or points elsewhere: what is owed is told in the end, in order, and only where it belongs.

import Logging
import Notifying
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(1))) struct WebhookTests {
    /// Runs `body` in a home with a webhook.
    private func with(_ body: @Sendable @escaping (TestHome, WebhookServer) async throws -> Void) async throws {
        let server = WebhookServer()
        try await server.serving { try await TestHome.with { try await body($0, server) } }
    }

    @Test("a notice is one JSON document with everything a person needs")
    func document() async throws {
        try await with { home, server in
            try await home.telling(.init(webhook: server.url)) {
                try await home.trouble("grant-1")
                let received = try #require(await server.received.first(1).first)
                #expect(received.path == "/hook/capability")
                #expect(received.contentType == "application/json")
                #expect(
                    received.document == [
                        "notice": [
                            "seq": 1, "at": "2027-01-15T08:00:00Z", "kind": "needs_approval", "subject": "grant-1",
                            "device": "front-door", "provider": "cloud", "text": "the owner has to approve again",
                            "hint": "run 'keyholder grant request'",
                        ]
                    ])
            }
        }
    }

    @Test("what fails is tried again after ever longer rests, and nothing overtakes it")
    func order() async throws {
        try await with { home, server in
            server.answer(
                .status(503), .status(500), .status(429), .status(408), .status(599), .status(502), .status(503))
            try await home.trouble("grant-1")
            try await home.telling(.init(webhook: server.url)) {
                for (attempt, rest) in [5, 20, 80, 320, 600, 600, 600].enumerated() {
                    _ = await server.received.first(attempt + 1)
                    if attempt == 2 { try await home.trouble("grant-2") }
                    await home.clock.pass(.seconds(rest))
                }
                try await home.told("webhook", upTo: 2)
                #expect(server.received.elements.map(\.document.seq) == [1, 1, 1, 1, 1, 1, 1, 1, 2])
            }
        }
    }

    @Test("a server that does not answer is given ten seconds")
    func silence() async throws {
        try await with { home, server in
            server.answer(.silence)
            try await home.telling(.init(webhook: server.url)) {
                try await home.trouble("grant-1")
                _ = await server.received.first(1)
                await home.clock.pass(.seconds(10))
                await home.clock.pass(.seconds(5))
                try await home.told("webhook", upTo: 1)
                #expect(server.received.elements.count == 2)
            }
            #expect(home.log.lines.elements.contains { $0.contains("no answer within 10.0 seconds") })
        }
    }

    @Test("a server that is not there is tried again")
    func unreachable() async throws {
        try await with { home, server in
            try await home.trouble("grant-1")
            // Nobody listens on port 1 of the loopback interface.
            try await home.telling(.init(webhook: "http://127.0.0.1:1/x")) {
                for rest in [5, 20, 80, 320, 600, 600] { await home.clock.pass(.seconds(rest)) }
                await home.clock.waitForSleeper(lasting: .seconds(600))
            }
            #expect(try await home.vault.read { try $0.noticeCursor("webhook") } == 0)
        }
    }

    @Test("what is turned down five times is given up, said so, and does not keep the next one", arguments: [404, 302])
    func refusal(_ status: Int) async throws {
        try await with { home, server in
            for _ in 0..<5 {
                server.answer(status == 302 ? .redirect(to: "\(server.origin)/elsewhere") : .status(status))
            }
            try await home.telling(.init(webhook: server.url)) {
                try await home.trouble("grant-1")
                try await home.trouble("grant-2")
                for rest in [5, 20, 80, 320] { await home.clock.pass(.seconds(rest)) }
                try await home.told("webhook", upTo: 2)
            }
            #expect(server.received.elements.map(\.document.seq) == [1, 1, 1, 1, 1, 2])
            #expect(server.received.elements.allSatisfy { $0.path == "/hook/capability" })
            let given = home.log.lines.elements.filter { $0.contains("notice given up") }
            #expect(given == ["error notice given up channel=webhook notice.seq=1 why=status \(status)"])
        }
    }

    @Test("the log does not hold the address, which is often all it takes")
    func quietLog() async throws {
        try await with { home, server in
            server.answer(.status(404), .status(500), .status(302))
            try await home.telling(.init(webhook: server.url)) {
                try await home.trouble("grant-1", text: "a text for people")
                for rest in [5, 20, 80] { await home.clock.pass(.seconds(rest)) }
                try await home.told("webhook", upTo: 1)
            }
            let log = home.log.lines.elements
            #expect(log.count >= 4)
            #expect("\(home.notifier(.init(webhook: server.url)))" == "Notifier")
            #expect(!log.contains { $0.contains("capability") || $0.contains("a text for people") })
        }
    }
}
