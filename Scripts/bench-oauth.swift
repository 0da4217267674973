// Our half of the OAuth 1.0a figures: sign one request after the other, or verify one, as fast as it goes.
//   bench-oauth sign|verify SECONDS     prints operations a second of processor time

import Glibc
import OAuth
import Sealing

private let url = "http://photos.example.net/photos?file=vacation.jpg&size=original"
private let consumer = ConsumerCredentials(key: "dpf43f3p2l4k3l03", secret: Secret(text: "kd94hf93k423kf44"))
private let token = TokenCredentials(token: "nnch734d00sl2jdk", secret: Secret(text: "pfkkdhi9sl3r4s00"))

/// The Authorization header of one request, with a new nonce.
private func sign() throws {
    let header = try OAuth1Signer.authorizationHeader(
        for: OAuth1Request(method: "GET", url: url), consumer: consumer, token: token, method: .hmacSHA1,
        timestamp: Glibc.time(nil), nonce: Random.alphanumerics(24))
    precondition(header.utf8.count > 200)
}

/// What a provider does with the header, all but looking things up.
private func verify() throws {
    let header = """
        OAuth realm="Photos", oauth_consumer_key="dpf43f3p2l4k3l03", oauth_token="nnch734d00sl2jdk", \
        oauth_signature_method="HMAC-SHA1", oauth_timestamp="1191242096", oauth_nonce="kllo9940pd9333jh", oauth_version="1.0", \
        oauth_signature="tR3%2BTy81lMeYAr%2FFid0kMTYa%2FWM%3D"
        """
    let read = try OAuth1Verification(
        OAuth1Request(method: "GET", url: url, authorization: header), endpoint: .resource)
    try read.checkTimestamp(now: 1_191_242_096)
    guard case .secret(let secret) = consumer.signingKey else { return }
    precondition(read.verify(consumerSecret: secret, tokenSecret: token.secret))
}

@main
enum Bench {
    static func main() throws {
        guard CommandLine.arguments.count == 3, let span = Double(CommandLine.arguments[2]) else { exit(2) }
        let action = CommandLine.arguments[1] == "sign" ? sign : verify
        let begin = now()
        var rounds = 0.0
        var elapsed = 0.0
        while elapsed < span {
            for _ in 0..<200 { try action() }
            rounds += 200
            elapsed = now() - begin
        }
        print(rounds / elapsed)
    }

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
