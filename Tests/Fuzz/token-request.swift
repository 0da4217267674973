// Lines: Content-Type, Authorization, body. One client, one grant, everything bounded.

import OAuth
import Sealing

func tokenRequest(_ input: [UInt8]) throws {
    let parts = lines(input, 3)
    do throws(OAuth2Refusal) {
        let request = try ReceivedTokenRequest.parse(
            method: "POST", contentType: header(parts[0]), authorization: header(parts[1]), body: parts[2],
            allowed: Set(GrantType.allCases))
        hold(parts[2].count <= ClientRequest.maximumSize, "a body is bounded")
        hold(!request.client.claimedIDs.isEmpty, "somebody asks")
        hold(request.resource.count <= 16, "resources are bounded")
        switch request.grant {
        case .authorizationCode(let code, _, let verifier):
            hold(code.count > 0, "a code is not empty")
            hold(verifier.map(PKCE.isValidVerifier) ?? true, "a verifier has the syntax of RFC 7636")
        case .refreshToken(let token, let scope):
            hold(token.count > 0 && scope.count <= 128, "a refresh token is not empty, scopes are bounded")
        case .clientCredentials(let scope): hold(scope.count <= 128, "scopes are bounded")
        default: break
        }
    } catch { judge(error) }
}
