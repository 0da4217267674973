// Vectors are fed to the same verifiers that run in hub and device; nothing here decides anything by itself.

import Sealing
package import StrictJSON

/// Runs a document of command and acknowledgement vectors.
package enum ConformanceRunner {
    /// What one vector should give and what it gave.
    package struct Outcome: Sendable, Equatable {
        package let id: String
        /// What the vector is about.
        package let about: String
        package let expected: String
        package let got: String

        /// Whether the two agree.
        package var passed: Bool { expected == got }
    }

    /// Whether a document has the form of vectors for DAC/1.
    package static func recognises(_ document: JSON) -> Bool {
        document["default_state"]?.members != nil || document["ack_state"]?.members != nil
    }

    /// Runs every vector in the document, in its order.
    ///
    /// A vector with a state that cannot be read gives `unreadable: …` instead of a code.
    package static func run(_ document: JSON) -> [Outcome] {
        let commands = (document["vectors"]?.array ?? []).map { vector in
            outcome(vector) { () throws(ProtocolFault) in
                let state = patched(document["default_state"], by: vector["state"])
                return try runCommand(vector, state: state, topic: document["topic"]?.string ?? "")
            }
        }
        let acknowledgements = (document["ack_vectors"]?.array ?? []).map { vector in
            outcome(vector) { () throws(ProtocolFault) in
                let state = patched(document["ack_state"], by: vector["state"])
                return try runAcknowledgement(vector, state: state, topic: document["ack_topic"]?.string ?? "")
            }
        }
        return commands + acknowledgements
    }

    private static func outcome(_ vector: JSON, _ body: () throws(ProtocolFault) -> String) -> Outcome {
        let got: String
        do throws(ProtocolFault) {
            got = try body()
        } catch {
            got = "unreadable: \(error)"
        }
        return Outcome(
            id: vector["id"]?.string ?? "?", about: vector["desc"]?.string ?? "",
            expected: vector["expect"]?.string ?? "?", got: got)
    }

    private static func patched(_ base: JSON?, by patch: JSON?) -> JSON {
        let changes = patch?.members ?? []
        let kept = (base?.members ?? []).filter { member in !changes.contains { $0.name == member.name } }
        return .object(kept + changes)
    }

    /// A message with the topic and retain flag it comes with.
    private struct Delivery {
        let topic: String
        let retained: Bool
        let message: [UInt8]

        init(_ value: JSON, topic: String) throws(ProtocolFault) {
            guard let text = value.string ?? value["msg"]?.string else { throw .member("msg", allowed: "a string") }
            message = Array(text.utf8)
            self.topic = value["topic"]?.string ?? topic
            retained = value["retain"]?.bool ?? false
        }
    }

    private static func deliveries(_ vector: JSON, topic: String) throws(ProtocolFault) -> [Delivery] {
        var list: [Delivery] = []
        for value in (vector["pre"]?.array ?? []) + [vector] { list.append(try Delivery(value, topic: topic)) }
        return list
    }

    private static func runCommand(
        _ vector: JSON, state: JSON, topic: String
    ) throws(ProtocolFault) -> String {
        let state = VectorState(state)
        var verifier = try state.commandVerifier()
        let uptime = try state.integer("up_ms")
        let clock = state.object["clock_trusted"]?.bool == true ? Int(exactly: try state.integer("clock")) : nil
        for challenge in state.object["chal"]?.strings ?? [] { verifier.challenges.add(challenge, uptime: uptime) }
        var result = ""
        for delivery in try deliveries(vector, topic: topic) {
            let verdict = verifier.receive(
                topic: delivery.topic, retained: delivery.retained, message: delivery.message, uptime: uptime,
                wallClock: clock)
            result =
                switch verdict {
                case .accepted: "OK"
                case .duplicate: "DUP"
                case .rejected(let code, _): code.rawValue
                }
        }
        return result
    }

    private static func runAcknowledgement(
        _ vector: JSON, state: JSON, topic: String
    ) throws(ProtocolFault) -> String {
        var verifier = try VectorState(state).acknowledgementVerifier(topic: topic)
        var result = ""
        for delivery in try deliveries(vector, topic: topic) {
            let verdict = verifier.receive(
                topic: delivery.topic, retained: delivery.retained, message: delivery.message)
            result =
                switch verdict {
                case .acknowledged(let claims): "OK:\(claims.st.rawValue)"
                case .ignored(let code): code.rawValue
                }
        }
        return result
    }
}
