// A TLS server of Python's standard library, with certificates made by openssl for the occasion.

import Foundation

/// Certificates of one authority in a temporary folder.
struct Certificates: Sendable {
    let folder: TemporaryFolder
    var authority: String { "\(folder.path)/ca.pem" }

    init() async throws {
        folder = try TemporaryFolder()
        try await folder.run(
            ["openssl", "req", "-x509"] + Self.newKey("ca.key") + ["-out", "ca.pem", "-subj", "/CN=Authority"])
    }

    private static func newKey(_ file: String) -> [String] {
        ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", file, "-days", "2"]
    }

    /// Certificate and key in one PEM file; 0 days make a certificate that has expired.
    func issue(_ name: String, subject: String, hosts: String? = nil, days: Int = 2) async throws {
        try await folder.run(
            ["openssl", "req"] + Self.newKey("\(name).key") + ["-out", "\(name).csr", "-subj", "/CN=\(subject)"])
        try folder.write(hosts.map { "subjectAltName=\($0)" } ?? "keyUsage=digitalSignature", to: "\(name).ext")
        try await folder.run([
            "openssl", "x509", "-req", "-in", "\(name).csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "\(days)", "-extfile", "\(name).ext", "-out", "\(name).crt",
        ])
        try folder.write(try folder.read("\(name).crt") + folder.read("\(name).key"), to: "\(name).pem")
    }
}

struct SecureServer: Sendable {
    let port: Int

    /// Answers every POST with whom the client's certificate names and how long the body was.
    private static let program = """
        import http.server, json, ssl, sys
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                peer = self.connection.getpeercert() or {}
                name = [v for rdn in peer.get("subject", ()) for k, v in rdn]
                reply = json.dumps({"access_token": "at", "scope": name, "body": body.decode()}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)
            def log_message(self, *_): pass
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1])
        if len(sys.argv) > 2:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(sys.argv[2])
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        print(server.server_address[1], flush=True)
        server.serve_forever()
        """

    /// Serves while `body` runs; with `demanding` only to clients with a certificate of that authority.
    static func with(
        _ certificate: String, in folder: TemporaryFolder, demanding authority: String? = nil,
        _ body: (SecureServer) async throws -> Void
    ) async throws {
        let (process, output) = (Process(), Pipe())
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-c", program, certificate] + (authority.map { [$0] } ?? [])
        process.currentDirectoryURL = URL(filePath: folder.path)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        let (lines, announce) = AsyncStream<String>.makeStream()
        output.fileHandleForReading.readabilityHandler = { handle in
            let data = handle.availableData
            if data.isEmpty { announce.finish() } else { announce.yield(String(decoding: data, as: UTF8.self)) }
        }
        try process.run()
        defer {
            output.fileHandleForReading.readabilityHandler = nil
            process.terminate()
        }
        for await line in lines {
            guard let port = Int(line.trimmingCharacters(in: .whitespacesAndNewlines)) else { break }
            return try await body(SecureServer(port: port))
        }
        throw CancellationError()
    }
}
