// What goes through a connection that works, against real Mosquitto over TLS.

import Broker
import Glibc
import Testing

@Suite(.timeLimit(.minutes(1))) struct ExchangeTests {
    @Test("a message comes back over TLS with its topic, payload and quality of service")
    func roundTrip() async throws {
        let server = try await MosquittoServer.started()
        try await withSession(server.configuration(), [Subscription(filter: "test/a")]) { running in
            #expect(try await running.connected() == [])
            #expect(running.session.isConnected)
            try await running.session.publish("test/a", Array("hello".utf8), qos: 1, expiry: .seconds(30))
            let message = try await running.message()
            #expect(message.topic == "test/a")
            #expect(message.payload == Array("hello".utf8))
            #expect(message.qos == 1)
            #expect(!message.retained)
            #expect(message.expiry.map { (29...30).contains($0) } == true)
            try await running.session.publish("test/a", [], qos: 0)
            #expect(try await running.message().payload.isEmpty)
        }
    }

    @Test("no message waits for a delayed acknowledgement: the session's socket has TCP_NODELAY")
    func noDelay() async throws {
        let server = try await MosquittoServer.started()
        try await withSession(server.configuration()) { running in
            try await running.connected()
            // The session runs in this process, so its socket is among our descriptors.
            let settings = (0..<1024).compactMap { Self.noDelay(of: $0, connectedTo: server.port) }
            #expect(settings == [1])
        }
    }

    /// The TCP_NODELAY of a descriptor, if it is a socket connected to that port.
    private static func noDelay(of descriptor: Int32, connectedTo port: Int) -> Int32? {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let found = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &size) }
        }
        guard found == 0, address.sin_family == sa_family_t(AF_INET), UInt16(bigEndian: address.sin_port) == port else {
            return nil
        }
        var value: Int32 = -1
        size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &value, &size)
        return value
    }

    @Test("a message stored before the session is marked as retained, with its subscriber told first of the connection")
    func retained() async throws {
        let server = try await MosquittoServer.started()
        try await withSession(server.configuration(id: "first")) { running in
            try await running.connected()
            try await running.session.publish("test/state", [1], qos: 1, retain: true)
        }
        let subscriptions = [Subscription(filter: "test/state"), Subscription(filter: "test/other")]
        try await withSession(server.configuration(id: "second"), subscriptions) { running in
            let first = try await running.next { $0 }
            #expect(first == .connected(refused: []))
            let message = try await running.message()
            #expect(message.retained)
            #expect(message.payload == [1])
        }
    }

    @Test("publishing to a forbidden topic is refused and the connection stays")
    func forbiddenPublish() async throws {
        let server = try await MosquittoServer.started()
        try await withSession(server.configuration()) { running in
            try await running.connected()
            await #expect(throws: BrokerError.notAuthorized) {
                try await running.session.publish("other/a", [1], qos: 1)
            }
            try await running.session.publish("test/a", [1], qos: 1)
        }
    }

    @Test("refused filters are reported, at connect and on request, and the connection stays")
    func refusedSubscription() async throws {
        let server = try await MosquittoServer.started()
        let subscriptions = [
            Subscription(filter: "test/a"), Subscription(filter: "other/#"), Subscription(filter: "#a"),
        ]
        try await withSession(server.configuration(), subscriptions) { running in
            let refused = try await running.connected()
            #expect(refused.map(\.filter) == ["other/#", "#a"])
            #expect(refused.map(\.reason) == [0x87, 0x8F])
            let codes = try await running.session.subscribe([
                Subscription(filter: "other/a"), Subscription(filter: "test/b"), Subscription(filter: "test/c", qos: 0),
            ])
            #expect(codes == [0x87, 1, 0])
            try await running.session.publish("test/b", [2], qos: 1)
            #expect(try await running.message().topic == "test/b")
        }
    }

    @Test("a topic that is not one is refused before anything is sent", arguments: ["", "test/#", "test/+", "a\u{0}b"])
    func badTopic(_ topic: String) async throws {
        let server = try await MosquittoServer.started()
        try await withSession(server.configuration()) { running in
            try await running.connected()
            await #expect(throws: BrokerError.invalidTopic(topic)) {
                try await running.session.publish(topic, [1], qos: 1)
            }
            #expect(running.session.isConnected)
        }
    }

    @Test("with noLocal a client does not hear itself")
    func noLocal() async throws {
        let server = try await MosquittoServer.started()
        let subscriptions = [Subscription(filter: "test/quiet", noLocal: true), Subscription(filter: "test/loud")]
        try await withSession(server.configuration(), subscriptions) { running in
            try await running.connected()
            try await running.session.publish("test/quiet", [1], qos: 1)
            try await running.session.publish("test/loud", [2], qos: 1)
            #expect(try await running.message().topic == "test/loud")
        }
    }

    @Test("200 publishes at once are all acknowledged and all arrive")
    func concurrentPublishes() async throws {
        let server = try await MosquittoServer.started()
        try await withSession(server.configuration(), [Subscription(filter: "test/+")]) { running in
            try await running.connected()
            let session = running.session
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask { try await session.publish("test/\(number)", [UInt8(number)], qos: 1) }
                }
                try await group.waitForAll()
            }
            var topics: Set<String> = []
            while topics.count < 200 { topics.insert(try await running.message().topic) }
            #expect(session.droppedEvents == 0)
        }
    }

    @Test("a message above the cap is not sent, and one from elsewhere does not reach the session")
    func oversized() async throws {
        let server = try await MosquittoServer.started()
        try await withSession(server.configuration(), [Subscription(filter: "test/big")]) { running in
            try await running.connected()
            let tooMuch = BrokerSession.maximumPayload + 1
            await #expect(throws: BrokerError.tooLarge(bytes: tooMuch)) {
                try await running.session.publish("test/big", Array(repeating: 0, count: tooMuch), qos: 1)
            }
            // With its header this one is larger than the packets the session accepts.
            try await running.session.publish(
                "test/big", Array(repeating: 0, count: BrokerSession.maximumPayload), qos: 1)
            let large = [UInt8](repeating: 9, count: 60_000)
            try await running.session.publish("test/big", large, qos: 1)
            #expect(try await running.message().payload == large)
            #expect(running.session.isConnected)
        }
    }

    @Test("a consumer that does not read loses the oldest events, counted")
    func slowConsumer() async throws {
        let server = try await MosquittoServer.started()
        try await withSession(server.configuration(id: "slow"), [Subscription(filter: "test/flood")]) { slow in
            try await slow.connected()
            for number in 0..<600 {
                try await slow.session.publish("test/flood", [UInt8(number / 256), UInt8(number % 256)], qos: 1)
            }
            // The echo of the last publish may be a moment away; a subscribe is answered after it.
            try await slow.session.subscribe([Subscription(filter: "test/none")])
            #expect(slow.session.droppedEvents == 88)
            #expect(try await slow.message().payload == [0, 88])
        }
    }
}
