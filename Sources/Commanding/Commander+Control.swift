// The broker's answer to a control request is awaited: a login that was not made is an error, not a hope.

import Broker
import Delegation
import Sealing
import StrictJSON

extension Commander {
    /// Sends requests to the dynamic-security plugin and checks every answer; those of `tolerated` may fail, because
    /// what they delete may not be there.
    ///
    /// - Returns: The broker's answers, in the order of the requests.
    /// - Throws: ``Refusal`` with the broker's own reason.
    @discardableResult
    func control(
        _ requests: [JSON], tolerating tolerated: Set<String> = ["deleteClient", "deleteRole"]
    ) async throws -> [JSON] {
        guard let session, session.isConnected else {
            throw Refusal(
                .failure, "the broker is not connected", hint: "start it; 'keyholder status' tells when it is there")
        }
        var given: [JSON] = []
        for request in requests {
            guard let command = request["command"]?.string else { continue }
            let ticket = Random.alphanumerics(16)
            let answers = controls.listen(ticket)
            defer { controls.close(ticket) }
            let body: JSON = [
                "commands": [.object((request.members ?? []) + [.init("correlationData", .string(ticket))])]
            ]
            try await session.publish(DynamicSecurity.controlTopic, body.bytes, qos: 1)
            let answer = await first(in: answers, within: .seconds(10), clock: configuration.clock) { $0 }
            guard let answer else { throw Refusal(.failure, "the broker did not answer \(command)") }
            if let error = answer["error"]?.string, !tolerated.contains(command) {
                throw Refusal(.failure, "the broker refused \(command): \(quoted(error))")
            }
            given.append(answer)
        }
        return given
    }

    func receivedControl(_ message: BrokerMessage) {
        // Whatever is not an answer to us is of no interest.
        guard let responses = (try? JSON(parsing: message.payload))?["responses"]?.array else { return }
        for response in responses {
            if let ticket = response["correlationData"]?.string { _ = controls.deliver(response, to: ticket) }
        }
    }
}
