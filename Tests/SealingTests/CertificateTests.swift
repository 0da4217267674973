// The counterpart is `openssl verify`: what it accepts, the broker's and the devices' TLS libraries accept.

import Sealing
import Testing

@Suite struct CertificateTests {
    private static func files(
        _ openssl: OpenSSLCommand, authority: Certificate, server: Certificate
    ) throws {
        try openssl.write(Array(authority.pem.utf8), to: "authority.pem")
        try openssl.write(Array(server.pem.utf8), to: "server.pem")
        try openssl.write(server.keyPEM.revealBytes(), to: "server.key")
    }

    @Test("a server certificate is valid for its hosts, in 1970 and in the year 9000")
    func valid() async throws {
        let authority = try Certificate.authority(name: "Keyholder home")
        let server = try authority.issueServer(
            name: "hub", hosts: ["hub.local", "xn--hb-eka.example", "192.168.1.20", "fe80::1"])
        try await OpenSSLCommand.inFolder { openssl in
            try Self.files(openssl, authority: authority, server: server)
            // One second after the start of 1970, and the first of January 9000.
            for instant in ["1", "221845392000"] {
                for host in [
                    ["-verify_hostname", "hub.local"], ["-verify_hostname", "xn--hb-eka.example"],
                    ["-verify_ip", "192.168.1.20"], ["-verify_ip", "fe80::1"],
                ] {
                    let outcome = try await openssl.run(
                        "verify", "-x509_strict", "-attime", instant, "-purpose", "sslserver", host[0], host[1],
                        "-CAfile", "authority.pem", "server.pem")
                    #expect(outcome.status == 0 && outcome.output == "server.pem: OK\n", "\(outcome.output)")
                }
            }
            let other = try await openssl.run(
                "verify", "-verify_hostname", "other.local", "-CAfile", "authority.pem", "server.pem")
            #expect(other.status != 0 && other.output.contains("hostname mismatch"), "\(other.output)")
        }
    }

    @Test("the certificates say who they are and what they may do")
    func extensions() async throws {
        let authority = try Certificate.authority(name: "Zuhause ä")
        let server = try authority.issueServer(name: "hub", hosts: ["hub.local", "10.0.0.1"])
        try await OpenSSLCommand.inFolder { openssl in
            try Self.files(openssl, authority: authority, server: server)
            let home = try await openssl.run("x509", "-in", "authority.pem", "-noout", "-text", "-nameopt", "utf8")
            for line in [
                "Subject: CN=Zuhause ä", "Issuer: CN=Zuhause ä", "CA:TRUE, pathlen:0", "Certificate Sign, CRL Sign",
                "NIST CURVE: P-256", "ecdsa-with-SHA256", "Version: 3", "Subject Key Identifier",
            ] {
                #expect(home.output.contains(line), "\(line) in \(home.output)")
            }
            let hub = try await openssl.run("x509", "-in", "server.pem", "-noout", "-text", "-nameopt", "utf8")
            for line in [
                "Subject: CN=hub", "Issuer: CN=Zuhause ä", "CA:FALSE", "TLS Web Server Authentication",
                "DNS:hub.local, IP Address:10.0.0.1", "Digital Signature", "Authority Key Identifier",
            ] {
                #expect(hub.output.contains(line), "\(line) in \(hub.output)")
            }
            #expect(!hub.output.contains("Certificate Sign"))
        }
    }

    // RFC 5280 §4.1.2.5: two digits of the year before 2050, four from then on.
    @Test("the dates are written as RFC 5280 demands")
    func dates() async throws {
        let authority = try Certificate.authority(name: "home")
        try await OpenSSLCommand.inFolder { openssl in
            try openssl.write(Array(authority.pem.utf8), to: "authority.pem")
            let outcome = try await openssl.run("asn1parse", "-in", "authority.pem")
            #expect(outcome.output.contains(#/UTCTIME +:700101000000Z/#), "\(outcome.output)")
            #expect(outcome.output.contains(#/GENERALIZEDTIME +:99991231235959Z/#), "\(outcome.output)")
        }
    }

    @Test("the private key belongs to the certificate")
    func privateKey() async throws {
        let authority = try Certificate.authority(name: "home")
        let server = try authority.issueServer(name: "hub", hosts: ["hub.local"])
        try await OpenSSLCommand.inFolder { openssl in
            try Self.files(openssl, authority: authority, server: server)
            let inside = try await openssl.run("x509", "-in", "server.pem", "-noout", "-pubkey")
            let derived = try await openssl.run("pkey", "-in", "server.key", "-pubout")
            #expect(inside.status == 0 && inside.output.hasPrefix("-----BEGIN PUBLIC KEY-----"))
            #expect(inside.output == derived.output)
        }
    }

    @Test("another home's authority of the same name does not vouch for the server")
    func otherHome() async throws {
        let server = try Certificate.authority(name: "home").issueServer(name: "hub", hosts: ["hub.local"])
        try await OpenSSLCommand.inFolder { openssl in
            try Self.files(openssl, authority: Certificate.authority(name: "home"), server: server)
            let outcome = try await openssl.run("verify", "-CAfile", "authority.pem", "server.pem")
            #expect(outcome.status != 0, "\(outcome.output)")
        }
    }

    @Test("a server that carries its authority's name is still valid")
    func sameName() async throws {
        let authority = try Certificate.authority(name: "hub")
        let server = try authority.issueServer(name: "hub", hosts: ["hub.local"])
        try await OpenSSLCommand.inFolder { openssl in
            try Self.files(openssl, authority: authority, server: server)
            let outcome = try await openssl.run("verify", "-x509_strict", "-CAfile", "authority.pem", "server.pem")
            #expect(outcome.status == 0, "\(outcome.output)")
        }
    }

    @Test("a server certificate vouches for nobody")
    func serverIsNoAuthority() async throws {
        let authority = try Certificate.authority(name: "home")
        let server = try authority.issueServer(name: "hub", hosts: ["hub.local"])
        let below = try server.issueServer(name: "evil", hosts: ["evil.local"])
        try await OpenSSLCommand.inFolder { openssl in
            try Self.files(openssl, authority: authority, server: below)
            try openssl.write(Array(server.pem.utf8), to: "hub.pem")
            let outcome = try await openssl.run(
                "verify", "-CAfile", "authority.pem", "-untrusted", "hub.pem", "server.pem")
            #expect(outcome.status != 0 && outcome.output.contains("invalid CA certificate"), "\(outcome.output)")
        }
    }

    @Test(
        "text that would add names or extensions to a certificate is no host",
        arguments: [
            "", "a,DNS:b", "a b", "a\n", "a\u{0}", "*.local", "a/b", "a@b", "hub.local,IP:10.0.0.1", "höme.local",
            "a;b",
        ])
    func hosts(host: String) throws {
        let authority = try Certificate.authority(name: "home")
        #expect(throws: SealingError.badParameter("host name \"\(host)\"")) {
            try authority.issueServer(name: "hub", hosts: ["hub.local", host])
        }
    }

    @Test("an address that is none is refused, and so is a certificate for no host")
    func addresses() throws {
        let authority = try Certificate.authority(name: "home")
        for address in ["999.1.1.1", "1.2.3", "fe80:::1", "DNS:evil.local", "12"] {
            #expect(throws: SealingError.self, "\(address)") {
                try authority.issueServer(name: "hub", hosts: [address])
            }
        }
        #expect(throws: SealingError.badParameter("no host name")) { try authority.issueServer(name: "hub", hosts: []) }
    }

    @Test("a common name longer than X.509 allows is an error, and the next certificate does not suffer from it")
    func longName() throws {
        let name = String(repeating: "a", count: 65)
        #expect(throws: SealingError.self) { try Certificate.authority(name: name) }
        #expect(try Certificate.authority(name: String(name.dropLast())).pem.hasPrefix("-----BEGIN CERTIFICATE-----"))
    }
}
