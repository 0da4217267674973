// A device's code and its polling, in the RFC's words and in ecobee's.

import Delegation
import OAuth
import ProviderClient
import Sealing
import Testing

@Suite(.timeLimit(.minutes(1))) struct DeviceTests {
    @Test("a code is asked for as RFC 8628 has it, and a reply without an interval means the profile's")
    func standard() async throws {
        try await talking({ _, _ in
            .json(
                """
                {"device_code":"d-1","user_code":"ABCD-EFGH","verification_uri":"https://x.example/go",\
                "verification_uri_complete":"https://x.example/go?c=1","expires_in":"300"}
                """)
        }) { server, base, client in
            let profile = Fixtures.oauth2(base, .none) {
                $0.deviceAuthorization = "\(base)/device"
                $0.device.interval = 7
                $0.resources = ["https://api.example"]
            }
            let reply = try await RemoteProvider(profile, over: client)
                .deviceAuthorization(consumer: Fixtures.consumer(), scopes: ["a", "b"])
            #expect(reply.deviceCode.revealText() == "d-1" && reply.userCode == "ABCD-EFGH")
            #expect(reply.expiresIn == 300 && reply.interval == 7)
            #expect(reply.verificationURIComplete == "https://x.example/go?c=1")
            let request = try #require(await server.last)
            #expect(request.method == "POST" && request.path == "/device")
            #expect(request.form.first("client_id") == "client" && request.form.first("scope") == "a b")
            #expect(request.form.first("resource") == "https://api.example")
        }
    }

    @Test("the provider's own interval counts, behind a byte order mark too")
    func interval() async throws {
        try await talking({ _, _ in
            let text = """
                {"device_code":"d","user_code":"u","verification_uri":"https://x.example","interval":"11"}
                """
            return Answer(body: [0xEF, 0xBB, 0xBF] + Array(text.utf8))
        }) { _, base, client in
            let profile = Fixtures.oauth2(base, .none) {
                $0.deviceAuthorization = "\(base)/device"
                $0.device.interval = 7
            }
            let reply = try await RemoteProvider(profile, over: client)
                .deviceAuthorization(consumer: Fixtures.consumer(), scopes: [])
            #expect(reply.interval == 11)
        }
    }

    private func ecobee(_ base: String) -> ProviderProfile {
        Fixtures.oauth2(base, .none, separator: ",") {
            $0.deviceAuthorization = "\(base)/authorize"
            $0.parameterPlace = .query
            $0.device.method = .get
            $0.device.extraParameters = ["response_type": "ecobeePin"]
            $0.device.deviceCodeField = "code"
            $0.device.userCodeField = "ecobeePin"
            $0.device.expiryUnit = .minutes
            $0.device.verificationURI = "https://www.ecobee.com/consumerportal/"
            $0.device.interval = 30
            $0.device.grantType = "ecobeePin"
            $0.device.codeParameter = "code"
            $0.device.errors = ["authorization_expired": .expired]
        }
    }

    @Test("ecobee's PIN is asked for by GET, and its minutes are minutes")
    func pin() async throws {
        try await talking({ _, _ in
            .json("{\"ecobeePin\":\"ab12-cd34\",\"code\":\"c-1\",\"scope\":\"smartWrite\",\"expires_in\":9}")
        }) { server, base, client in
            let reply = try await RemoteProvider(ecobee(base), over: client)
                .deviceAuthorization(consumer: Fixtures.consumer(), scopes: ["smartRead", "smartWrite"])
            #expect(reply.deviceCode.revealText() == "c-1" && reply.userCode == "ab12-cd34")
            #expect(reply.expiresIn == 540 && reply.interval == 30)
            #expect(reply.verificationURI == "https://www.ecobee.com/consumerportal/")
            let request = try #require(await server.last)
            #expect(request.method == "GET" && request.body.isEmpty)
            #expect(
                request.parameters == [
                    Parameter("client_id", "client"), Parameter("scope", "smartRead,smartWrite"),
                    Parameter("response_type", "ecobeePin"),
                ])
        }
    }

    @Test("ecobee is polled in its own words, and what it answers is understood")
    func poll() async throws {
        try await talking({ _, count in
            count == 0 ? .error("authorization_pending", status: 401) : .error("authorization_expired")
        }) { server, base, client in
            let remote = RemoteProvider(ecobee(base), over: client)
            var polling = DevicePolling(interval: 30, lifetime: 540, options: remote.devicePollingOptions)
            for wanted in ["wait", "stop"] {
                let reply = try await remote.poll(deviceCode: Secret(text: "c-1"), consumer: Fixtures.consumer())
                let step = polling.received(
                    .reply(
                        status: reply.status, contentType: reply.contentType, retryAfter: reply.retryAfter,
                        body: reply.body.revealBytes()), elapsed: .seconds(1), now: 0)
                switch step {
                case .wait(30): #expect(wanted == "wait")
                case .stop(.expired): #expect(wanted == "stop")
                default: Issue.record("\(step)")
                }
            }
            let request = try #require(await server.last)
            #expect(request.method == "POST" && request.body.isEmpty)
            #expect(
                request.parameters == [
                    Parameter("code", "c-1"), Parameter("client_id", "client"), Parameter("grant_type", "ecobeePin"),
                ])
        }
    }

    @Test("without a dialect the poll has the RFC's names")
    func standardPoll() async throws {
        try await talking({ _, _ in .tokens }) { server, base, client in
            _ = try await RemoteProvider(Fixtures.oauth2(base, .none), over: client)
                .poll(deviceCode: Secret(text: "d-1"), consumer: Fixtures.consumer())
            let form = try #require(await server.last).form
            #expect(form.first("grant_type") == GrantType.deviceCode.rawValue)
            #expect(form.first("device_code") == "d-1" && form.first("client_id") == "client")
        }
    }

    @Test("a refused request for a code is told with its code, and one to a profile without is not sent")
    func refused() async throws {
        try await talking({ _, _ in .error("unauthorized_client", status: 401) }) { server, base, client in
            let profile = Fixtures.oauth2(base, .none) { $0.deviceAuthorization = "\(base)/device" }
            let found = try await failure {
                _ = try await RemoteProvider(profile, over: client)
                    .deviceAuthorization(consumer: Fixtures.consumer(), scopes: [])
            }
            #expect(found == .refused(status: 401, code: "unauthorized_client"))
            let missing = try await failure {
                _ = try await RemoteProvider(Fixtures.oauth2(base, .none), over: client)
                    .deviceAuthorization(consumer: Fixtures.consumer(), scopes: [])
            }
            #expect(missing == .notOffered("device authorization endpoint"))
            #expect(await server.received.count == 1)
        }
    }
}
