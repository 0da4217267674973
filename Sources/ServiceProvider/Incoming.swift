// A request is read once, completely and bounded; what was on the wire is kept as it was, because it may be signed.

import Hummingbird
import OAuth

/// A request with its body.
struct Incoming: Sendable {
    let method: String
    /// Path and query as on the wire.
    let target: String
    let headers: HTTPFields
    let body: [UInt8]

    init(_ request: Request) async throws {
        let body = try await request.body.collect(upTo: ServiceProviderConfiguration.bodyLimit)
        self.init(
            method: request.method.rawValue, target: request.uri.string, headers: request.headers,
            body: Array(body.readableBytesView))
    }

    init(method: String, target: String, headers: HTTPFields, body: [UInt8]) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
    }

    /// The path as on the wire.
    var path: String { String(target.prefix { $0 != "?" && $0 != "#" }) }

    /// Every proof of possession (RFC 9449 §4.1).
    var proofs: [String] { HeaderName("DPoP").map { headers[values: $0] } ?? [] }

    var query: String? {
        target.firstIndex(of: "?").map { String(target[target.index(after: $0)...].prefix { $0 != "#" }) }
    }

    var contentType: String? { headers[.contentType] }

    var hasFormBody: Bool {
        let type = (contentType ?? "").prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }
        return type.lowercased() == FormCoding.mediaType
    }

    /// The fields of a form that a page of ours sent.
    ///
    /// - Throws: ``ProviderFault/notice(status:title:advice:)``.
    func formFields() throws -> [String: String] {
        guard hasFormBody, let parameters = try? FormCoding.parse(body) else { throw ProviderFault.wrongForm }
        var fields: [String: String] = [:]
        for parameter in parameters where fields.updateValue(parameter.value, forKey: parameter.name) != nil {
            throw ProviderFault.wrongForm
        }
        return fields
    }

    /// The one `Authorization` header.
    ///
    /// - Returns: `nil` when there is none.
    /// - Throws: ``ProviderFault/token(_:)`` when there are several.
    func authorization() throws -> String? {
        let values = headers[values: .authorization]
        guard values.count < 2 else { throw ProviderFault.token(.invalidRequest) }
        return values.first
    }

    /// The value of a cookie; `nil` also when it comes twice, because somebody planted one of them.
    func cookie(_ name: String) -> String? {
        let pairs = headers[values: .cookie].flatMap { $0.split(separator: ";") }
            .map { $0.drop { $0 == " " }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false) }
            .filter { $0.count == 2 && $0[0] == name }
        return pairs.count == 1 ? String(pairs[0][1]) : nil
    }

    /// As OAuth 1.0a sees it; the origin is the configured one, whatever `Host` says.
    func signedRequest(origin: String) throws -> OAuth1Request {
        OAuth1Request(
            method: method, url: origin + target, contentType: contentType, body: body,
            authorization: try authorization())
    }
}
