// What a token endpoint says to a waiting device, sorted; a code counts whatever status it comes with, because providers
// put "not yet" behind 200, 400, 403, 428 and 429.

import StrictJSON

/// One answer to a device's question, without what was said before it.
enum DeviceAnswer {
    case tokens(TokenReply)
    /// One of the RFC's four words, and a new interval when the provider names one with it.
    case meaning(DevicePolling.Meaning, interval: Int?)
    /// The provider is there, but not now.
    case unavailable
    case refused(code: String)
    case suspicious(reason: String)

    init(status: Int, body: [UInt8], options: DevicePolling.Options) {
        guard body.count <= TokenReply.maximumSize else {
            self = .suspicious(reason: "reply larger than \(TokenReply.maximumSize) bytes")
            return
        }
        let json = JSON(reply: body, orForm: options.reply.takesForms)
        let error = json.flatMap { TokenError.parse($0, paths: options.errorPaths) }
        if 200..<300 ~= status, let json, let reply = try? TokenReply.parse(json, options: options.reply) {
            self = .tokens(reply)
        } else if let error, let meaning = options.errorMap[error.code] ?? DevicePolling.Meaning(rawValue: error.code) {
            self = .meaning(meaning, interval: Seconds.parse(json?["interval"], within: 1...3600))
        } else {
            self = Self.other(status, error)
        }
    }

    private static func other(_ status: Int, _ error: TokenError?) -> DeviceAnswer {
        switch (status, error?.code) {
        case (408, _), (425, _), (429, _), (500...599, _), (_, "temporarily_unavailable"), (_, "server_error"):
            .unavailable
        case (200..<300, let code): .suspicious(reason: code.map { "\($0) in a success" } ?? "success without tokens")
        case (400..<500, let code?): .refused(code: code)
        default: .suspicious(reason: "status \(status) without an error code")
        }
    }
}
