// At least once, in order, each channel for itself; a channel that is new is spared the history.

import Delegation
import Foundation
import Notifying
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(1))) struct DeliveryTests {
    /// Runs `body` in a home with a webhook.
    private func with(_ body: @Sendable @escaping (TestHome, WebhookServer) async throws -> Void) async throws {
        let server = WebhookServer()
        try await server.serving { try await TestHome.with { try await body($0, server) } }
    }

    @Test("a run that ends between telling and remembering tells again, and one that remembers does not")
    func restart() async throws {
        try await with { home, server in
            server.answer(.silence)
            try await home.telling(.init(webhook: server.url)) {
                try await home.trouble("grant-1")
                // The server has it; whether it was told the hub does not know.
                _ = await server.received.first(1)
            }
            try await home.telling(.init(webhook: server.url)) { try await home.told("webhook", upTo: 1) }
            try await home.relief("grant-1")
            try await home.telling(.init(webhook: server.url)) { try await home.told("webhook", upTo: 2) }
            #expect(server.received.elements.map(\.document.seq) == [1, 1, 2])
        }
    }

    @Test("what came and went while a known channel was away is told, even when it was the first trouble ever")
    func cameAndWent() async throws {
        try await with { home, server in
            try await home.telling(.init(webhook: server.url)) {
                for await _ in home.vault.changes()
                where try await home.vault.read({ try $0.noticeCursor("webhook") }) != 0 {
                    break
                }
            }
            try await home.trouble("grant-1")
            try await home.relief("grant-1")
            try await home.telling(.init(webhook: server.url)) { try await home.told("webhook", upTo: 2) }
            #expect(server.received.elements.map(\.document.seq) == [1, 2])
        }
    }

    @Test("a new channel hears what is still open and all that follows, not the history")
    func newcomer() async throws {
        try await with { home, server in
            try await home.trouble("grant-1")
            try await home.trouble("grant-2")
            try await home.relief("grant-1")
            try await home.trouble("grant-3")
            try await home.telling(.init(webhook: server.url)) {
                try await home.told("webhook", upTo: 4)
                try await home.relief("grant-2")
                try await home.told("webhook", upTo: 5)
            }
            #expect(server.received.elements.map(\.document.seq) == [2, 4, 5])
        }
    }

    @Test("a channel that comes back after a long time hears what is open and what is new")
    func comeback() async throws {
        try await with { home, server in
            try await home.trouble("grant-1")
            try await home.telling(.init(webhook: server.url)) { try await home.told("webhook", upTo: 1) }
            let longAgo = ManualClock.epoch - 86_401
            try await home.relief("grant-1", at: longAgo)
            try await home.trouble("grant-2", at: longAgo)
            try await home.trouble("grant-3", at: longAgo)
            try await home.relief("grant-3", at: ManualClock.epoch - 86_399)
            try await home.telling(.init(webhook: server.url)) { try await home.told("webhook", upTo: 5) }
            #expect(server.received.elements.map(\.document.seq) == [1, 3, 5])
        }
    }

    @Test("a channel that is down delays no other")
    func independence() async throws {
        try await with { home, server in
            server.answer(.silence)
            let hook = try home.script("cat >> told")
            home.board.fail(NoticeBoard.Down())
            try await home.telling(.init(command: hook, webhook: server.url, mqtt: true)) {
                try await home.trouble("grant-1")
                _ = await server.received.first(1)
                await home.clock.waitForSleeper(lasting: .seconds(1))
                try await home.relief("grant-1")
                try await home.told("command", upTo: 2)
                #expect(try await home.vault.read { try $0.noticeCursor("webhook") } < 1)
                #expect(try await home.vault.read { try $0.noticeCursor("mqtt") } < 1)
                // The broker is back; the webhook still says nothing.
                home.clock.advance(by: .seconds(1))
                try await home.told("mqtt", upTo: 2)
                #expect(try await home.vault.read { try $0.noticeCursor("webhook") } < 1)
                #expect(server.received.elements.count == 1)
            }
            #expect(try home.documents().map(\.seq) == [1, 2])
            #expect(home.board.notices.elements.map(\.seq) == [1, 2])
        }
    }

    @Test("a sealed hub tells, and remembers what it told")
    func sealed() async throws {
        try await with { home, server in
            home.vault.seal()
            let hook = try home.script("cat >> told")
            let channels = Notifier.Channels(command: hook, webhook: server.url, mqtt: true, homeAssistant: true)
            try await home.telling(channels) {
                try await home.trouble("hub")
                for channel in ["command", "webhook", "mqtt"] { try await home.told(channel, upTo: 1) }
                while home.board.pictures.elements.last?.count != 1 {
                    _ = await home.board.pictures.first(home.board.pictures.elements.count + 1)
                }
            }
            #expect(home.vault.isSealed)
            #expect(try home.documents().map(\.seq) == [1])
        }
    }

    @Test("what the broker can never carry is given up, and what it cannot carry now is not")
    func broker() async throws {
        try await TestHome.with { home in
            let tooLarge = Refusal(.usage, "too large")
            home.board.fail(tooLarge, tooLarge, tooLarge, tooLarge, tooLarge)
            try await home.telling(.init(mqtt: true)) {
                try await home.trouble("grant-1")
                for rest in [1, 4, 10, 10] { await home.clock.pass(.seconds(rest)) }
                try await home.told("mqtt", upTo: 1)
                for _ in 0..<7 { home.board.fail(NoticeBoard.Down()) }
                try await home.trouble("grant-2")
                for rest in [1, 4, 10, 10, 10, 10, 10] { await home.clock.pass(.seconds(rest)) }
                try await home.told("mqtt", upTo: 2)
            }
            #expect(home.board.notices.elements.map(\.seq) == [2])
        }
    }

    @Test("Home Assistant is shown what is open whenever that changes, and once a minute")
    func sensor() async throws {
        try await TestHome.with { home in
            home.board.fail(NoticeBoard.Down())
            try await home.telling(.init(homeAssistant: true)) {
                await home.clock.pass(.seconds(1))
                #expect(await home.board.pictures.first(1).last == [])
                try await home.trouble("grant-1")
                #expect(await home.board.pictures.first(2).last?.map { $0["seq"] } == [1])
                try await home.trouble("grant-2")
                #expect(await home.board.pictures.first(3).last?.map { $0["seq"] } == [1, 2])
                try await home.relief("grant-1")
                #expect(await home.board.pictures.first(4).last?.map { $0["seq"] } == [2])
                // Other writes change nothing in the picture.
                try await home.vault.write { try $0.moveNoticeCursor("somebody", to: 1) }
                home.clock.advance(by: .seconds(60))
                #expect(await home.board.pictures.first(5).last?.map { $0["seq"] } == [2])
                #expect(home.board.pictures.elements.count == 5)
            }
        }
    }

    @Test("without a channel it waits to be ended")
    func idle() async throws {
        try await TestHome.with { home in
            try await home.telling(.init()) { try await home.trouble("grant-1") }
        }
    }
}
