// First line a proof, second a URL. A proof is bounded and fresh, and one made here is good for its request only.

import OAuth
import Sealing

func dpopProof(_ input: [UInt8]) throws {
    let parts = lines(input, 2).map(text)
    let now = 1_562_262_616
    do throws(DPoPFault) {
        let proof = try DPoPProof.verify(
            [parts[0]], method: "POST", url: "https://server.example.com/token", now: now)
        hold(proof.thumbprint.utf8.count == 43, "a thumbprint has 43 characters")
        hold((1...256).contains(proof.proofID.utf8.count), "jti has 1 to 256 bytes")
        hold(abs(proof.issuedAt - now) <= 300, "a proof is fresh")
    } catch { hold(isOneLine(error.description), "a fault is one line in a log") }

    guard let key = exampleKey,
        let made = try? DPoPProof.make(method: "POST", url: parts[1], key: key, now: now),
        made.utf8.count <= JWT.maximumSize,
        let proof = try? DPoPProof.verify([made], method: "POST", url: parts[1], now: now)
    else { return }
    hold(proof.thumbprint == key.verificationKey.thumbprint, "a proof names its key")
    hold((try? DPoPProof.verify([made], method: "GET", url: parts[1], now: now)) == nil, "a proof is for one method")
    hold(
        (try? DPoPProof.verify([made], method: "POST", url: "https://other.example/x", now: now)) == nil
            || parts[1].lowercased().hasPrefix("https://other.example"), "a proof is for one URL")
    let token = Secret(text: parts[0])
    let bound = try? DPoPProof.verify([made], method: "POST", url: parts[1], accessToken: token, now: now)
    hold(bound == nil, "a proof without ath is for no token")
}
