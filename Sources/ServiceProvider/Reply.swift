// Nothing of the provider is cached, framed, sniffed or scripted, unless a reply says otherwise for itself.

import Hummingbird
import OAuth
import Sealing
import StrictJSON

typealias HeaderName = HTTPFields.Element.Name

/// Builds responses.
enum Reply {
    /// JSON.
    static func json(_ json: JSON, status: Int = 200, type: String = "application/json") -> Response {
        body(json.bytes, type: type, status: status)
    }

    /// A problem document (RFC 9457).
    static func problem(status: Int, title: String, detail: String) -> Response {
        json(
            [
                "type": "about:blank", "title": .string(title), "status": .integer(Int64(status)),
                "detail": .string(detail),
            ],
            status: status, type: "application/problem+json")
    }

    /// Bytes of some type.
    static func body(_ bytes: [UInt8], type: String, status: Int = 200) -> Response {
        Response(
            status: .init(code: status), headers: [.contentType: type],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// A form with secrets in it.
    static func form(_ body: Secret) -> Response { self.body(body.revealBytes(), type: FormCoding.mediaType) }

    /// A redirect that never repeats a POST: 303.
    static func redirect(to location: String) -> Response {
        Response(status: .seeOther, headers: [.location: location])
    }

    /// The reply to an OAuth 1.0a refusal: the problem report in body and header.
    static func refusal(_ refusal: OAuth1Refusal, realm: String) -> Response {
        var response = body(Array(refusal.formBody.utf8), type: FormCoding.mediaType, status: refusal.status)
        response.headers[.wwwAuthenticate] = refusal.challenge(realm: realm)
        return response
    }

    /// The reply to an OAuth 2 refusal (RFC 6749 §5.2).
    static func refusal(_ refusal: OAuth2Refusal, realm: String) -> Response {
        var response = json(
            ["error": .string(refusal.code), "error_description": .string(refusal.wireDescription)],
            status: refusal.status)
        if refusal.status == 401 { response.headers[.wwwAuthenticate] = "Basic realm=\"\(realm)\"" }
        return response
    }

    /// The reply to a bad or missing token (RFC 6750 §3, RFC 9449 §7.1, RFC 9728 §5.1), which also says what else would do.
    static func refusal(_ fault: ProviderFault.BearerFault, realm: String, resource: String) -> Response {
        let (status, title) =
            switch fault {
            case .absent: (401, "No token")
            case .invalidToken: (401, "Token is not good")
            case .invalidProof: (401, "Proof of possession is not good")
            case .useNonce: (401, "Proof of possession needs the nonce")
            case .invalidRequest: (400, "More than one token")
            case .insufficientScope: (403, "Not allowed with this token")
            }
        var response = problem(
            status: status, title: title,
            detail: fault == .insufficientScope
                ? "the owner has to allow it first" : "ask the owner's approval and use the token you get")
        let error = fault == .absent ? "" : ", error=\"\(fault.rawValue)\""
        let metadata = ", resource_metadata=\"\(resource)/.well-known/oauth-protected-resource\""
        let bearer = "Bearer realm=\"\(realm)\"" + metadata
        let dpop = "DPoP realm=\"\(realm)\", algs=\"\(HomeProvider.proofAlgorithms.joined(separator: " "))\"" + metadata
        let challenges =
            switch fault {
            case .absent: [bearer, dpop, "OAuth realm=\"\(realm)\""]
            case .invalidToken: [bearer + error, dpop + error]
            case .invalidProof, .useNonce: [dpop + error]
            case .insufficientScope: [bearer + error, dpop + error]
            case .invalidRequest: [bearer + error]
            }
        response.headers[values: .wwwAuthenticate] = challenges
        return response
    }

    /// Adds what every reply must say, where it does not say something itself.
    static func harden(_ response: inout Response) {
        let defaults = [
            ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"),
            ("Referrer-Policy", "no-referrer"),
            ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
        ]
        for (name, value) in defaults {
            if let name = HeaderName(name), response.headers[name] == nil { response.headers[name] = value }
        }
    }
}

extension HTTPFields {
    /// Sets a field that has no constant.
    mutating func set(_ name: String, _ value: String) {
        if let name = HeaderName(name) { self[name] = value }
    }
}
