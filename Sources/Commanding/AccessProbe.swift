// A login is handed out only after it was shown, with its own credentials, that it reaches its own topics and no others.
// This happens before the device has it: the login is one client, so probing later would throw the device out.

import Broker
import CommandProtocol
import Delegation
import Logging
import Sealing

extension Commander {
    /// Connects as the device and tries what it may and what it must not.
    ///
    /// - Throws: ``Refusal`` that names the topic whose rule is wrong.
    func probe(_ device: DeviceID, site: SiteID, password: Secret) async throws {
        // Some other device's topics; whether that one exists makes no difference to the rules.
        let neighbour = links.keys.first { $0 != device } ?? DeviceID.random()
        let own = [Topic.command(site, device), Topic.challenge(site, device), Topic.keys(site)]
        let session = BrokerSession(
            configuration: BrokerConfiguration(
                host: configuration.brokerHost, port: configuration.brokerPort, clientID: device.rawValue,
                username: device.rawValue, password: { password.revealText() },
                tls: .init(caFile: configuration.folder.authorityFile)),
            subscriptions: own.map { Subscription(filter: $0) })
        let events = session.events
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await session.run() }
            let clock = configuration.clock
            let connected = await first(in: events, within: .seconds(10), clock: clock) { event in
                if case .connected(let refused) = event { refused.map(\.filter) } else { nil }
            }
            defer { group.cancelAll() }
            guard let connected else { throw Refusal(.failure, "the broker does not let the new device in") }
            guard connected.isEmpty else {
                throw Refusal(.failure, "the broker denies the device its own topic \(connected[0])")
            }
            try await mustBeRefused(session, site: site, neighbour: neighbour)
        }
    }

    private func mustBeRefused(_ session: BrokerSession, site: SiteID, neighbour: DeviceID) async throws {
        let reads = [
            Topic.command(site, neighbour), Topic.token(site, neighbour), Topic.acknowledgement(site, neighbour),
            "dac/v1/\(site.rawValue)/+/cmd", "#", "$CONTROL/#",
        ]
        let reasons = try await session.subscribe(reads.map { Subscription(filter: $0) })
        for (filter, reason) in zip(reads, reasons) where reason < 0x80 {
            throw Refusal(
                .failure, "the broker lets a device read \(filter)", hint: "check broker/dynamic-security.json")
        }
        let writes = [
            Topic.command(site, neighbour), Topic.acknowledgement(site, neighbour), Topic.keys(site),
            DynamicSecurity.controlTopic,
        ]
        for topic in writes {
            do throws(BrokerError) {
                try await session.publish(topic, Array("probe".utf8), qos: 1)
            } catch {
                guard case .notAuthorized = error else {
                    throw Refusal(.failure, "cannot tell whether a device may write \(topic): \(error)")
                }
                continue
            }
            throw Refusal(
                .failure, "the broker lets a device write \(topic)", hint: "check broker/dynamic-security.json")
        }
    }
}
