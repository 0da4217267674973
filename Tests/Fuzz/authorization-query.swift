// What may be redirected was bounded first, and an accepted request can be sent again as it was understood.

import OAuth

func authorizationQuery(_ input: [UInt8]) throws {
    let query: AuthorizationQuery
    do throws(OAuth2Refusal) {
        query = try AuthorizationQuery(parsing: text(input))
    } catch { return judge(error) }
    hold(input.count <= 3 * AuthorizationQuery.maximumSize, "a query is bounded")
    hold(query.clientID.utf8.count <= 256 && isPrintable(query.clientID), "a client id is short printable ASCII")
    hold((query.state?.utf8.count ?? 0) <= AuthorizationQuery.maximumStateSize, "state is bounded")
    hold((query.state ?? "").utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "state has no ASCII control characters")
    if let uri = query.redirectURI {
        hold(RedirectURI.matches(registered: uri, requested: uri), "a URI matches itself")
    }
    do throws(OAuth2Refusal) {
        try accepted(try query.request())
    } catch { judge(error) }
}

private func accepted(_ request: AuthorizationRequest) throws(OAuth2Refusal) {
    hold(request.codeChallenge.utf8.count == 43, "a challenge has 43 characters")
    hold(Set(request.scope).count == request.scope.count && request.scope.count <= 128, "scopes come once each")
    hold(request.scope.allSatisfy { isPrintable($0) && !$0.contains(" ") && !$0.contains("\"") }, "scopes are tokens")
    hold(request.resource.count <= 16, "resources are bounded")
    let written = FormCoding.encode(request.parameters())
    guard written.utf8.count <= AuthorizationQuery.maximumSize else { return }
    let again = try? AuthorizationRequest.parse(query: written)
    hold(isSame(again?.parameters() ?? [], request.parameters()), "a request written again reads the same")
}

/// Properties of every refusal.
func judge(_ refusal: OAuth2Refusal) {
    hold([400, 401].contains(refusal.status), "a refusal is the client's fault")
    hold(isOneLine(refusal.description), "a refusal is one line in a log")
    hold(isPrintable(refusal.wireDescription) && !refusal.wireDescription.contains("\""), "and fits error_description")
}
