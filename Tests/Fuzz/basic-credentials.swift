// Whatever reading of a header is believed, writing it again gives a header with that reading.

import OAuth
import Sealing

func basicCredentials(_ input: [UInt8]) throws {
    guard let read = try BasicCredentials.parse(text(input)) else { return }
    hold((1...2).contains(read.interpretations.count), "a header has one or two readings")
    for (reading, encodings) in zip(read.interpretations, [[.rfc], [.raw]] as [[BasicCredentials.Encoding]]) {
        for encoding in encodings {
            let written = BasicCredentials.encode(id: reading.clientID, secret: reading.secret, as: encoding)
                .revealText()
            guard written.utf8.count <= 4096 else { continue }
            let again = try BasicCredentials.parse(written)?.interpretations ?? []
            hold(
                again.contains { isSame($0.clientID, reading.clientID) && $0.secret.matches(reading.secret) },
                "a reading written again is read")
        }
    }
}
