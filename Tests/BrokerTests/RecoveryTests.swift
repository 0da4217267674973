// Every way a broker can be away ends in a session that is connected again, or in an end that comes when asked for.

import Broker
import Foundation
import Testing

@Suite(.timeLimit(.minutes(1))) struct RecoveryTests {
    @Test("after a broker's death and return the session is back with its subscriptions")
    func brokerRestart() async throws {
        let server = try await MosquittoServer.started()
        try await withSession(server.configuration(), [Subscription(filter: "test/a")]) { running in
            try await running.connected()
            server.kill()
            _ = try await running.disconnected()
            #expect(!running.session.isConnected)
            await #expect(throws: BrokerError.notConnected) {
                try await running.session.publish("test/a", [1], qos: 1)
            }
            try await server.start()
            try await running.connected()
            try await running.session.publish("test/a", [2], qos: 1)
            #expect(try await running.message().payload == [2])
        }
    }

    @Test("a certificate of another authority is refused, again and again")
    func wrongAuthority() async throws {
        let server = try await MosquittoServer.started()
        let other = try MosquittoServer()
        defer { withExtendedLifetime(other) {} }
        try await withSession(server.configuration(caFile: other.caFile)) { running in
            for _ in 0..<3 {
                let error = try await running.disconnected()
                guard case .tls(let why) = error else {
                    Issue.record("\(error)")
                    continue
                }
                #expect(why.contains("certificate verify failed"))
            }
            #expect(!running.session.isConnected)
        }
    }

    @Test("a certificate for another host is refused")
    func wrongHost() async throws {
        let server = try MosquittoServer(hosts: ["127.0.0.2", "elsewhere"])
        try await server.start()
        try await withSession(server.configuration()) { running in
            let error = try await running.disconnected()
            guard case .tls = error else {
                Issue.record("\(error)")
                return
            }
        }
    }

    @Test("a host name with addresses of both families reaches a broker on either")
    func hostName() async throws {
        let server = try await MosquittoServer.started()
        try await withSession(server.configuration(host: "localhost")) { try await $0.connected() }
    }

    @Test("a file of authorities that is not there is an error, not the end")
    func missingAuthority() async throws {
        let server = try await MosquittoServer.started()
        try await withSession(server.configuration(caFile: "/nowhere/ca.pem")) { running in
            for _ in 0..<2 {
                let error = try await running.disconnected()
                #expect(error == .tls("cannot read \"/nowhere/ca.pem\""))
            }
        }
    }

    @Test("a wrong password is refused, and no error tells it")
    func wrongPassword() async throws {
        let server = try await MosquittoServer.started()
        try await withSession(server.configuration(password: "confidential")) { running in
            let error = try await running.disconnected()
            #expect(error == .notAuthorized)
            var text = "\(error)"
            dump(error, to: &text)
            #expect(!text.contains("confidential"))
        }
    }

    @Test("a peer that resets in the TLS handshake does not stop the session from finding the broker later")
    func resetInHandshake() async throws {
        let listener = try Listener(port: try MosquittoServer.freePort())
        let server = try MosquittoServer(port: listener.port)
        // A single reset that went unseen would cost the connect timeout, and the test its time limit.
        try await withSession(server.configuration(connectTimeout: .seconds(3600))) { running in
            await listener.reset(5)
            try await server.start()
            for _ in 0..<5 {
                let error = try await running.disconnected()
                // When the reset is seen decides which of these it is.
                switch error {
                case .connectionLost, .tls, .unreachable: break
                default: Issue.record("\(error)")
                }
            }
            try await running.connected()
        }
    }

    @Test("a peer that accepts and never answers is given up at the connect timeout")
    func silentPeer() async throws {
        let authority = try MosquittoServer()
        defer { withExtendedLifetime(authority) {} }
        let listener = try Listener(port: 0)
        defer { listener.close() }
        let configuration = BrokerConfiguration(
            host: "127.0.0.1", port: listener.port, clientID: "a", tls: .init(caFile: authority.caFile),
            connectTimeout: .milliseconds(300), backoff: .quick)
        let start = ContinuousClock.now
        try await withSession(configuration) { running in
            await listener.acceptAndIgnore()
            for _ in 0..<2 {
                let error = try await running.disconnected()
                #expect(error == .connectTimeout)
            }
        }
        let took = ContinuousClock.now - start
        #expect(took >= .milliseconds(600))
    }

    @Test("a refused port is tried once for each wait, and no more often")
    func refusedPort() async throws {
        let authority = try MosquittoServer()
        defer { withExtendedLifetime(authority) {} }
        let waits = Counter()
        let backoff = Backoff(initial: .milliseconds(20), maximum: .milliseconds(20)) {
            waits.add()
            return 1
        }
        let configuration = BrokerConfiguration(
            host: "127.0.0.1", port: try MosquittoServer.freePort(), clientID: "a",
            tls: .init(caFile: authority.caFile), backoff: backoff)
        let start = ContinuousClock.now
        try await withSession(configuration) { running in
            for _ in 0..<10 {
                let error = try await running.disconnected()
                guard case .unreachable = error else {
                    Issue.record("\(error)")
                    continue
                }
            }
        }
        // Ten failures have nine whole waits between them. On a busy machine there may have been more by now, but never
        // more than the time had room for; the last wait may only have begun.
        #expect(waits.value >= 9)
        #expect(.now - start >= .milliseconds(20) * (waits.value - 1))
    }

    @Test("publishing without a connection fails at once, before, between and after")
    func publishWhileDown() async throws {
        let configuration = BrokerConfiguration(
            host: "127.0.0.1", port: try MosquittoServer.freePort(), clientID: "a",
            backoff: Backoff(initial: .seconds(30)) { 1 })
        let session = BrokerSession(configuration: configuration, subscriptions: [])
        await #expect(throws: BrokerError.notConnected) { try await session.publish("a", [], qos: 1) }
        let run = Task { try await session.run() }
        for await event in session.events {
            guard case .disconnected = event else { continue }
            await #expect(throws: BrokerError.notConnected) { try await session.publish("a", [], qos: 1) }
            break
        }
        run.cancel()
        try await run.value
        await #expect(throws: BrokerError.notConnected) { try await session.subscribe([Subscription(filter: "a")]) }
        await #expect(throws: BrokerError.alreadyRun) { try await session.run() }
    }

    @Test("cancellation ends a session that waits an hour to retry, and its events, at once")
    func cancelledBackoff() async throws {
        let configuration = BrokerConfiguration(
            host: "127.0.0.1", port: try MosquittoServer.freePort(), clientID: "a",
            backoff: Backoff(initial: .seconds(3600), maximum: .seconds(3600)) { 1 })
        try await withSession(configuration) { _ = try await $0.disconnected() }
    }

    @Test("cancellation ends a session in the middle of a handshake at once")
    func cancelledHandshake() async throws {
        let authority = try MosquittoServer()
        defer { withExtendedLifetime(authority) {} }
        let listener = try Listener(port: 0)
        defer { listener.close() }
        let configuration = BrokerConfiguration(
            host: "127.0.0.1", port: listener.port, clientID: "a", tls: .init(caFile: authority.caFile),
            connectTimeout: .seconds(3600))
        try await withSession(configuration) { _ in await listener.acceptAndIgnore() }
    }

    @Test("a publish under way when the broker dies fails and may have taken effect")
    func publishWhileDying() async throws {
        let server = try await MosquittoServer.started()
        try await withSession(server.configuration()) { running in
            try await running.connected()
            server.freeze()
            let session = running.session
            async let publish: Result<Void, BrokerError> = {
                do throws(BrokerError) {
                    try await session.publish("test/a", [1], qos: 1)
                    return .success(())
                } catch {
                    return .failure(error)
                }
            }()
            // The frozen broker answers nothing; the subscribe follows the publish and is cancelled after it.
            let second = Task { try await session.subscribe([Subscription(filter: "test/a")]) }
            second.cancel()
            await #expect(throws: BrokerError.cancelled) { try await second.value }
            server.kill()
            let result = await publish
            guard case .failure(let error) = result else {
                Issue.record("acknowledged by a frozen broker")
                return
            }
            // Either the publish was written before the broker died, or it came after.
            #expect(error == .connectionLost || error == .notConnected)
            #expect(error.mayHaveTakenEffect == (error == .connectionLost))
        }
    }

    @Test("a broker that freezes is found out by keep-alive and found again elsewhere in time")
    func frozenBroker() async throws {
        let server = try await MosquittoServer.started()
        try await withSession(server.configuration(keepAlive: .seconds(5))) { running in
            try await running.connected()
            server.freeze()
            #expect(try await running.disconnected() == .silent)
            server.kill()
            try await server.start()
            try await running.connected()
        }
    }

    @Test("the will is published when a client is cut off and not when it ends cleanly")
    func will() async throws {
        let server = try await MosquittoServer.started()
        let will = BrokerConfiguration.Will(topic: "test/will", payload: [9], retain: false)
        let mortal = server.configuration(id: "mortal", will: will, backoff: Backoff(initial: .seconds(30)) { 1 })
        try await withSession(server.configuration(id: "watcher"), [Subscription(filter: "test/#")]) { watcher in
            try await watcher.connected()
            try await withSession(mortal) { try await $0.connected() }
            try await watcher.session.publish("test/after", [1], qos: 1)
            #expect(try await watcher.message().topic == "test/after")

            try await withSession(mortal) { running in
                try await running.connected()
                // A second client of the same name has the broker cut off the first.
                try await withSession(server.configuration(id: "mortal")) { try await $0.connected() }
                // Newer brokers say so; Mosquitto 2.0.11 just hangs up.
                let error = try await running.disconnected()
                #expect(error == .takenOver || error == .connectionLost)
                let message = try await watcher.message()
                #expect(message.topic == "test/will")
                #expect(message.payload == [9])
            }
        }
    }
}
