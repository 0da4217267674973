// What a browser or an OAuth 1.0a provider brings is believed as far as it answers what was asked.
//
// Where each of the thirty-four misbehaviours that a client must survive has its test; those that name no file are in one
// of this folder whose sentence begins with the number.
//
// C1: ApprovalTests, "a request token without a confirmed callback is refused"
// C2: ApprovalTests, "a state or request token nobody asked with changes nothing"
// C3: here
// C4: ApprovalTests, "a provider whose clock differs is signed for"; ProviderClientTests/SigningTests
// C5: AuthorityTests, "a wordless 401 may be about the hub's clock" and "a second wordless 401"
// C6: ApprovalTests, "the owner's no", "OAuth 1.0a providers say no", "an approval after the time", "an approval counts once"
// C7: here; C8: here; C9: here; C10: here
// C11: here; ApprovalTests, "a code that cannot be redeemed ends the request and is not sent again"
// C12: OddReplyTests; C13: OddReplyTests; C14: OddReplyTests; C15: OddReplyTests
// C16: ReplayTests; InterruptionTests, all of it; DamageTests, "a reply that the disk does not take is kept"
// C17: OddReplyTests; RefreshTests, "fifty callers at once"; the daemon's lock is in JourneyTests
// C18: RefreshTests, "an answer that only looks like a dead grant"
// C19: OddReplyTests; C20: OddReplyTests; C21: OutageTests; C22: OutageTests
// C23: ProviderClientTests/BoundsTests, "a redirect is not followed, whichever it is"; RefreshTests, the table
// C24: ProviderClientTests/TLSTests, "a server that cannot show who it is gets nothing"; OddReplyTests, a captive portal
// C25: MemoryTests; ProviderClientTests/BoundsTests
// C26: ProviderClientTests/DiscoveryTests
// C27: ProviderClientTests/ClientAuthenticationTests, "Basic is form-encoded as the RFC has it, or raw"; here
// C28: BoundGrantTests; ProviderClientTests/DPoPTests
// C29: DeviceFlowTests; C30: ClockTests; C31: OddReplyTests; C32: ConsumerTests; C33: ClockTests; C34: RevocationQueueTests

import Delegation
import FoundationEssentials
import Granting
import OAuth
import Sealing
import Testing
import Vault

@Suite(.timeLimit(.minutes(1)), .bounded) struct CallbackTests {
    private func waiting(_ home: TestHome) async throws -> (GrantRequest, state: String, query: String) {
        let asked = try await home.keeper.request(device: try TestHome.name("front-door"), by: .user("anna"))
        let parameters = try FormCoding.parse(String(asked.page.split(separator: "?")[1]))
        return (asked, try #require(parameters.first("state")), try await home.provider.approve(asked.page))
    }

    @Test("C3: credentials with any character, in a form that calls itself HTML, with more in it, sign as they are")
    func characters() async throws {
        try await TestHome.with { home in
            await home.provider.change {
                $0.ending = "+/=%25 &é"
                $0.extraCredentials = [Parameter("user_id", "1"), Parameter("x", "a+b"), Parameter("empty", "")]
            }
            let grant = try await home.granted(at: home.legacy)
            let device = try TestHome.device("front-door", 0)
            #expect(try await home.keeper.authorise("lock.lock", on: device).grant == grant.id)
            let token = try await home.token(grant.device)
            #expect(token.accessToken.revealText().hasSuffix("+/=%25 &é"))
            #expect(token.tokenSecret?.revealText().hasSuffix("+/=%25 &é") == true)
        }
    }

    @Test("C7: a callback with a wrong, missing, empty or reused state changes nothing")
    func state() async throws {
        try await TestHome.with { home in
            let (asked, state, query) = try await waiting(home)
            for wrong in [query.replacing(state, with: "x\(state)"), query.replacing(state, with: ""), "code=c"] {
                let refused = await refusal {
                    _ = try await home.keeper.redirected(provider: home.cloud, query: wrong)
                }
                #expect(refused?.kind == .notFound)
                #expect(try await home.record(asked.grant.id).state == .pending)
            }
            #expect(try await home.keeper.redirected(provider: home.cloud, query: query).state == .active)
            let again = await refusal { _ = try await home.keeper.redirected(provider: home.cloud, query: query) }
            #expect(again?.kind == .notFound)
            #expect(await home.provider.count("/token") == 1)
        }
    }

    @Test(
        "C8: a code with a wrong, nearly right or missing issuer is not redeemed; a refusal needs none",
        arguments: ["https://evil.example", "https://issuer.example/", "HTTPS://issuer.example", nil])
    func issuer(_ issuer: String?) async throws {
        try await TestHome.with { home in
            let (asked, state, _) = try await waiting(home)
            let query = try await home.provider.approve(asked.page, issuer: issuer)
            #expect(
                await refusal { _ = try await home.keeper.redirected(provider: home.cloud, query: query) }?.kind
                    == .provider)
            #expect(await home.provider.count("/token") == 0)
            #expect(try await home.record(asked.grant.id).state == .needsReauth)
            let (second, newState, _) = try await waiting(home)
            #expect(newState != state)
            let denied = try await home.keeper.redirected(
                provider: home.cloud, query: "error=access_denied&state=\(newState)")
            #expect(denied.state == .denied)
            #expect(denied.id == second.grant.id)
        }
    }

    @Test("C9: a repeated scope is an oddity, a repeated code, state, issuer or error is an attack")
    func repeated() async throws {
        try await TestHome.with { home in
            let (_, _, query) = try await waiting(home)
            let odd = "\(query)&scope=a&scope=b"
            #expect(try await home.keeper.redirected(provider: home.cloud, query: odd).state == .active)
            for extra in ["code=other", "iss=https%3A%2F%2Fissuer.example", "error=a&error=b"] {
                let (asked, _, query) = try await waiting(home)
                let refused = await refusal {
                    _ = try await home.keeper.redirected(provider: home.cloud, query: "\(query)&\(extra)")
                }
                #expect(refused?.kind == .provider)
                #expect(try await home.record(asked.grant.id).state == .needsReauth)
            }
            let (_, state, last) = try await waiting(home)
            let refused = await refusal {
                _ = try await home.keeper.redirected(provider: home.cloud, query: "\(last)&state=\(state)")
            }
            #expect(refused != nil)
            #expect(await home.provider.count("/token") == 1)
        }
    }

    @Test("C10: an error that nobody knows ends the request, and nothing of it is repeated raw")
    func unknownError() async throws {
        try await TestHome.with { home in
            let (asked, state, _) = try await waiting(home)
            let evil = "%3Cscript%3Ealert(1)%3C%2Fscript%3E%0D%0ASet-Cookie%3A%20a%3Db%1B%5B2J%E2%80%AEgnp"
            let refused = await refusal {
                _ = try await home.keeper.redirected(
                    provider: home.cloud, query: "error=\(evil)&error_description=\(evil)&state=\(state)")
            }
            #expect(refused?.kind == .provider)
            let grant = try await home.record(asked.grant.id)
            #expect(grant.state == .needsReauth)
            var texts = [try #require(refused).description, try #require(grant.reason), "\(home.log.texts)"]
            texts += try await home.audit().map { "\($0)" }
            for text in texts {
                #expect(!text.unicodeScalars.contains { $0 == "\r" || $0 == "\u{1B}" || $0 == "\u{202E}" })
                #expect(!text.contains("Set-Cookie\n") && !text.contains("\nSet-Cookie"))
            }
        }
    }

    @Test("C11: a code whose exchange gets no answer is not sent again, and a new request works")
    func exchange() async throws {
        try await TestHome.with(deadline: .seconds(2)) { home in
            let (asked, _, query) = try await waiting(home)
            await home.provider.set("/token", .hanging)
            let refused = await refusal { _ = try await home.keeper.redirected(provider: home.cloud, query: query) }
            #expect(refused?.kind == .provider)
            #expect(await home.provider.count("/token") == 1)
            #expect(try await home.record(asked.grant.id).state == .needsReauth)
            await home.provider.set("/token", .obliging)
            let again = await refusal { _ = try await home.keeper.redirected(provider: home.cloud, query: query) }
            #expect(again?.kind == .notFound)
            #expect(try await home.granted().state == .active)
            #expect(await home.provider.count("/token") == 2)
        }
    }

    @Test("C27: a secret of any characters is taken by a server that wants it encoded, and by one that wants it raw")
    func secret() async throws {
        for authentication in [OAuth2Endpoints.ClientAuthentication.basic, .basicRaw] {
            try await TestHome.with { home in
                home.cloud(endpoints: { $0.clientAuthentication = authentication })
                let grant = try await home.granted()
                #expect(grant.state == .active)
                let header = try #require(await home.provider.received.last { $0.path == "/token" }?.authorization)
                let plain = String(
                    decoding: try #require(Base64.decode(String(header.dropFirst(6)), as: .standard)), as: UTF8.self)
                let isRaw = plain == "\(OpinionatedProvider.consumerKey):\(OpinionatedProvider.consumerSecret)"
                #expect(isRaw == (authentication == .basicRaw))
            }
        }
    }
}
