// Over TLS nothing is sent before the server is known, and a consumer's certificate is what it is known by.

import AsyncHTTPClient
import Delegation
import OAuth
import ProviderClient
import Sealing
import StrictJSON
import Testing

@Suite(.timeLimit(.minutes(2))) struct TLSTests {
    private func refresh(
        _ port: Int, _ certificates: Certificates?, _ authentication: OAuth2Endpoints.ClientAuthentication,
        _ consumer: Consumer, host: String = "localhost"
    ) async throws -> RawReply {
        let configuration = HTTPClient.Configuration.toProviders(trustRoots: certificates?.authority)
        return try await HTTPClient.withHTTPClient(configuration: configuration) { client in
            let profile = Fixtures.oauth2("https://\(host):\(port)", authentication, hosts: [host])
            return try await RemoteProvider(profile, over: client, trustRoots: certificates?.authority)
                .refresh(Secret(text: "rt"), consumer: consumer)
        }
    }

    @Test("a consumer whose secret is a certificate shows it, and its id stands in the body")
    func clientCertificate() async throws {
        let certificates = try await Certificates()
        defer { certificates.folder.remove() }
        try await certificates.issue("server", subject: "server", hosts: "DNS:localhost")
        try await certificates.issue("client", subject: "hub-17")
        let consumer = Fixtures.consumer(secret: try certificates.folder.read("client.pem"))
        try await SecureServer.with("server.pem", in: certificates.folder, demanding: "ca.pem") { server in
            let reply = try await refresh(server.port, certificates, .tls, consumer)
            let json = try JSON(parsing: reply.body.revealBytes())
            #expect(json["scope"]?.strings == ["hub-17"])
            #expect(
                json["body"]?.string == "grant_type=refresh_token&refresh_token=rt&client_id=client")
            // Without the certificate there is no answer, whatever else is right.
            let found = try await failure {
                _ = try await refresh(server.port, certificates, .post, Fixtures.consumer())
            }
            #expect(found != nil)
        }
    }

    @Test("a former certificate is not tried after a silence, and nothing of a key shows in a failure")
    func wrongAuthority() async throws {
        let certificates = try await Certificates()
        let others = try await Certificates()
        defer {
            certificates.folder.remove()
            others.folder.remove()
        }
        try await certificates.issue("server", subject: "server", hosts: "DNS:localhost")
        try await others.issue("client", subject: "stranger")
        let consumer = Fixtures.consumer(secret: try others.folder.read("client.pem"))
        try await SecureServer.with("server.pem", in: certificates.folder, demanding: "ca.pem") { server in
            let found = try await failure { _ = try await refresh(server.port, certificates, .tls, consumer) }
            #expect(found?.description.contains("BEGIN") == false)
        }
    }

    @Test(
        "a server that cannot show who it is gets nothing",
        arguments: [
            ("other host", "DNS:other.example", 2, true), ("expired", "DNS:localhost", 0, true),
            ("unknown authority", "DNS:localhost", 2, false),
        ])
    func untrusted(_ name: String, _ hosts: String, _ days: Int, _ isTrusted: Bool) async throws {
        let certificates = try await Certificates()
        defer { certificates.folder.remove() }
        try await certificates.issue("server", subject: "server", hosts: hosts, days: days)
        try await SecureServer.with("server.pem", in: certificates.folder) { server in
            let found = try await failure {
                _ = try await refresh(server.port, isTrusted ? certificates : nil, .post, Fixtures.consumer())
            }
            guard case .notSent(_, let reason) = found else {
                Issue.record("\(name): \(String(describing: found))")
                return
            }
            #expect(reason.contains("certificate") || reason.contains("CERTIFICATE"), "\(reason)")
        }
    }

    @Test("the same server with the right certificate is talked to")
    func trusted() async throws {
        let certificates = try await Certificates()
        defer { certificates.folder.remove() }
        try await certificates.issue("server", subject: "server", hosts: "DNS:localhost")
        try await SecureServer.with("server.pem", in: certificates.folder) { server in
            let reply = try await refresh(server.port, certificates, .post, Fixtures.consumer())
            #expect(reply.status == 200)
        }
    }
}
