// Lines: method and URL, Host, Content-Type, Authorization, body. What is accepted is within its limits, nobody's secret
// fits by accident, and whatever can be signed here verifies here.

import OAuth
import Sealing

private let now = 1_700_000_000
private let secret = Secret(text: "kd94hf93k423kf44")
private let tokenSecret = Secret(text: "pfkkdhi9sl3r4s00")

func oauth1Request(_ input: [UInt8]) throws {
    let parts = lines(input, 5)
    let target = text(parts[0]).split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    func request(authorization: String?) -> OAuth1Request {
        OAuth1Request(
            method: target[0], url: target.count == 2 ? target[1] : "", host: header(parts[1]),
            contentType: header(parts[2]), body: parts[4], authorization: authorization)
    }
    let authorization = header(parts[3])
    if let authorization { roundTrip(authorization) }
    for endpoint in [OAuth1Verification.Endpoint.temporaryCredentials, .tokenCredentials, .resource] {
        judge(request(authorization: authorization), endpoint)
    }
    sign(request(authorization: nil), request)
}

private func roundTrip(_ header: String) {
    guard let read = try? AuthorizationHeader.parse(header) else { return }
    hold(header.utf8.count <= AuthorizationHeader.maximumSize, "a header is bounded")
    let written = read.text
    hold(isPrintable(written), "a written header is printable ASCII")
    guard written.utf8.count <= AuthorizationHeader.maximumSize else { return }
    let again = try? AuthorizationHeader.parse(written)
    hold(isSame(read.parameters, again?.parameters ?? []), "a header written again reads the same")
    let realm = read.realm.map {
        String($0.unicodeScalars.filter { (0x20...0x7E).contains($0.value) }.map(Character.init))
    }
    hold(isSame(realm, again?.realm), "a realm written again reads the same")
}

private func judge(_ request: OAuth1Request, _ endpoint: OAuth1Verification.Endpoint) {
    do throws(OAuth1Refusal) {
        let read = try OAuth1Verification(request, endpoint: endpoint)
        hold((1...512).contains(read.consumerKey.utf8.count), "a consumer key has 1 to 512 bytes")
        hold((read.token?.utf8.count ?? 1) <= 512, "a token has at most 512 bytes")
        hold((0...9_999_999_999).contains(read.timestamp ?? 0), "a timestamp has at most ten digits")
        hold((read.callback?.utf8.count ?? 0) <= 2048, "a callback has at most 2048 bytes")
        hold((read.timestamp == nil) == (read.nonce == nil), "timestamp and nonce come together")
        hold(read.timestamp != nil || read.method == .plaintext, "only PLAINTEXT may leave the timestamp out")
        hold(!read.verify(key: .decoy, tokenSecret: nil), "nobody knows the decoy")
        try read.checkTimestamp(now: now)
    } catch {
        hold((400...403).contains(error.status), "a refusal is the client's fault")
        hold(isOneLine(error.description), "a refusal is one line in a log")
        hold(isPrintable(error.formBody), "a report is printable ASCII")
        let challenge = error.challenge(realm: "Keyholder")
        hold(isPrintable(challenge), "a challenge is printable ASCII")
        if challenge.utf8.count <= AuthorizationHeader.maximumSize {
            let read = try? AuthorizationHeader.parse(challenge)
            hold(isSame(read?.parameters ?? [], error.report), "a challenge can be read")
        }
    }
}

private func sign(_ bare: OAuth1Request, _ request: (String?) -> OAuth1Request) {
    let consumer = ConsumerCredentials(key: "dpf43f3p2l4k3l03", secret: secret)
    let token = TokenCredentials(token: "nnch734d00sl2jdk", secret: tokenSecret)
    let header = try? OAuth1Signer.authorizationHeader(
        for: bare, consumer: consumer, token: token, method: .hmacSHA256, timestamp: now, nonce: "kllo9940pd9333jh",
        bodyHash: .sha256)
    guard let header else { return }
    guard let read = try? OAuth1Verification(request(header), endpoint: .resource) else {
        return hold(false, "what was signed can be read")
    }
    hold(read.verify(consumerSecret: secret, tokenSecret: tokenSecret), "what was signed verifies")
    hold(!read.verify(consumerSecret: secret, tokenSecret: nil), "another token secret does not verify")
    hold(!read.verify(consumerSecret: tokenSecret, tokenSecret: secret), "another consumer secret does not verify")
    hold(read.coversBody, "form and hash cover every body")
}
