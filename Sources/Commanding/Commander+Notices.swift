// Notices are unsigned: they are for people, and nothing is ever decided by one. No device's role lists their topics, so
// no device can read or forge them.

import Broker
import CommandProtocol
import Delegation
import Logging
package import StrictJSON

extension Commander: NoticePublisher {
    /// How many troubles does Home Assistant get to see in full? It stores 16 KiB of attributes at most.
    private static let listed = 20

    /// Publishes a notice on `dac/v1/<site>/hub/notice`, QoS 1, not retained.
    package func publishNotice(_ document: JSON) async throws {
        let (session, site) = try connected()
        try await Self.publish(document, on: DynamicSecurity.notices(site: site), over: session)
    }

    /// Publishes a retained binary sensor of class `problem` and how it stands (Home Assistant's MQTT discovery).
    package func publishAttention(_ open: [JSON], holding lifetime: Duration) async throws {
        let (session, site) = try connected()
        let prefix = DynamicSecurity.homeAssistantPrefix(site: site.rawValue)
        let sensor = Self.sensor(site: site, state: prefix + "state", lifetime: lifetime)
        do {
            try await Self.publish(sensor, on: prefix + "config", retain: true, over: session)
        } catch BrokerError.notAuthorized {
            // A home that was made before the hub had this right.
            logger.notice("asking the broker to let the hub show itself to Home Assistant")
            try await control(DynamicSecurity.admitHomeAssistant(site: site.rawValue))
            try await Self.publish(sensor, on: prefix + "config", retain: true, over: session)
        }
        let state: JSON = [
            "attention": open.isEmpty ? "OFF" : "ON", "open": .integer(Int64(open.count)),
            // The newest: a person who reads one reads the last.
            "notices": .array(open.suffix(Self.listed)),
        ]
        try await Self.publish(state, on: prefix + "state", retain: true, over: session)
    }

    private func connected() throws(BrokerError) -> (BrokerSession, SiteID) {
        guard let session, let site, session.isConnected else { throw .notConnected }
        return (session, site)
    }

    private static func publish(
        _ document: JSON, on topic: String, retain: Bool = false, over session: BrokerSession
    ) async throws {
        do {
            try await session.publish(topic, document.bytes, qos: 1, retain: retain)
        } catch .tooLarge(let bytes) {
            throw Refusal(.usage, "a notice of \(bytes) bytes is too large for the broker")
        }
    }

    /// The discovery document.
    private static func sensor(site: SiteID, state: String, lifetime: Duration) -> JSON {
        [
            "name": "Needs attention", "unique_id": .string("keyholder_\(site.rawValue)_attention"),
            "device_class": "problem", "state_topic": .string(state), "value_template": "{{ value_json.attention }}",
            "json_attributes_topic": .string(state), "expire_after": .integer(lifetime.components.seconds), "qos": 1,
            "device": [
                "identifiers": [.string("keyholder_\(site.rawValue)")], "name": "Keyholder",
                "manufacturer": "Keyholder", "model": "Hub",
            ],
            "origin": ["name": "Keyholder"],
        ]
    }
}
