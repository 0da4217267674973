// A signature method that this version cannot make is a fault of the file, not of the first request.

import Delegation

extension OAuth1Endpoints {
    init?(reading section: StrictSection, _ urls: EndpointReader) {
        let requestToken = urls.read(section, "request_token_endpoint")
        let authorize = urls.read(section, "authorize_endpoint")
        let accessToken = urls.read(section, "access_token_endpoint")
        let methods = [
            "HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512", "RSA-SHA1", "RSA-SHA256", "RSA-SHA512", "PLAINTEXT",
        ]
        let method = section.text("signature_method", allowed: "one of \(methods.joined(separator: ", "))") {
            methods.contains($0)
        }
        let realm = section.text("realm", required: false)
        let scopeParameter = section.text("scope_parameter", required: false)
        let revocation = urls.read(section, "revocation_endpoint", required: false)
        let extra = section.textPairs("extra_authorize_parameters")
        let signsBodyHash = section.flag("body_hash") ?? false
        section.finish()
        guard let requestToken, let authorize, let accessToken, let method else { return nil }
        self.init(
            requestToken: requestToken, authorize: authorize, accessToken: accessToken, signatureMethod: method,
            realm: realm, scopeParameter: scopeParameter, revocation: revocation)
        extraAuthorizeParameters = extra
        self.signsBodyHash = signsBodyHash
    }
}
