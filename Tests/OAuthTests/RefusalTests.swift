// A client acts on the code alone, so each refusal has the one its RFC gives it, and none of them can break a header.

import OAuth
import Testing

@Suite struct RefusalTests {
    @Test(
        "a refusal has the code of its RFC and is no server error",
        arguments: [
            (OAuth2Refusal.authorizationPending, "authorization_pending"), (.slowDown, "slow_down"),
            (.expiredToken, "expired_token"), (.invalidDPoPProof, "invalid_dpop_proof"),
            (.useDPoPNonce, "use_dpop_nonce"), (.invalidAuthorizationDetails, "invalid_authorization_details"),
            (.invalidRequestURI, "invalid_request_uri"), (.unsupportedTokenType, "unsupported_token_type"),
            (.loginRequired, "login_required"), (.consentRequired, "consent_required"),
            (.interactionRequired, "interaction_required"), (.invalidClient(usedHeader: false), "invalid_client"),
        ])
    func code(_ refusal: OAuth2Refusal, _ code: String) {
        #expect(refusal.code == code)
        #expect(refusal.status == 400)
        #expect(TokenError.parse(TokenError.body(refusal))?.code == code)
        #expect(refusal.wireDescription.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C })
        #expect(!refusal.wireDescription.isEmpty)
    }

    @Test("only a secret in a header, a fault of ours and overload have another status")
    func otherStatus() {
        #expect(OAuth2Refusal.invalidClient(usedHeader: true).status == 401)
        #expect(OAuth2Refusal.serverError.status == 500)
        #expect(OAuth2Refusal.temporarilyUnavailable.status == 503)
    }
}
