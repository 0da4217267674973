// What goes through the broker is for whoever listens at the moment: the broker's word that it has it is all there is.

import Delegation
import StrictJSON

/// Publishes each notice over MQTT.
struct BrokerChannel: NoticeChannel {
    let name = "mqtt"
    /// The broker is in the house: when it is back, people should hear of it soon.
    let longestRest = Duration.seconds(10)
    private let publisher: any NoticePublisher

    /// Prepares to publish.
    init(publisher: any NoticePublisher) { self.publisher = publisher }

    func tell(_ notice: Notice) async throws(Undelivered) {
        do {
            try await publisher.publishNotice(notice.document)
        } catch let refusal as Refusal where refusal.kind == .usage {
            throw .refused(refusal.message)
        } catch {
            throw .unavailable("\(error)")
        }
    }
}
