// What the CLI makes of answers that the real daemon gives rarely, or that a provider wrote: a socket that says what a
// test wants, and tells what it was asked.

import Foundation
import Sealing
import StrictJSON

/// A socket in the daemon's place.
struct StandInDaemon {
    let folder: String
    private let program: Program

    /// Answers every request with this document, or never when there is none.
    static func start(answering document: JSON?) async throws -> StandInDaemon {
        let folder = FileManager.default.temporaryDirectory.path + "/kh-\(Random.alphanumerics(8))"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let program = try Program(
            "/usr/bin/env", ["python3", "-uc", script, "\(folder)/keyholder.sock", document?.text ?? ""])
        _ = try await program.output.line(with: "listening")
        return StandInDaemon(folder: folder, program: program)
    }

    /// Runs the CLI against it.
    func keyholder(
        _ arguments: String..., environment: [String: String] = [:], input: String? = nil
    ) async throws -> Finished {
        try await Program.run(
            Places.program("keyholder"), arguments,
            environment: environment.merging(["KEYHOLDER_HOME": folder]) { $1 }, input: input)
    }

    /// Runs the CLI on a terminal of 80 columns.
    func onTerminal(_ command: String) async throws -> Finished {
        try await Program.run(
            "/usr/bin/script", ["-qec", "stty cols 80; \(Places.program("keyholder")) \(command)", "/dev/null"],
            environment: ["KEYHOLDER_HOME": folder])
    }

    /// What it was asked, as `METHOD PATH BODY`.
    var asked: [String] { Array(program.output.lines.dropFirst()) }

    /// Waits until it has told what it was asked so often.
    func waitForRequests(_ count: Int) async throws { _ = try await program.output.line(with: " ", from: count) }

    func stop() async throws {
        try await program.end(SIGKILL)
        try FileManager.default.removeItem(atPath: folder)
    }

    private static let script = """
        import socket, sys
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(sys.argv[1])
        listener.listen()
        print('listening')
        kept, answer = [], sys.argv[2].encode()
        while True:
            peer, _ = listener.accept()
            kept.append(peer)
            data = b''
            while b'\\r\\n\\r\\n' not in data:
                data += peer.recv(65536)
            head, _, body = data.partition(b'\\r\\n\\r\\n')
            length = next(int(l.split(b':')[1]) for l in head.split(b'\\r\\n') if l.startswith(b'content-length'))
            while len(body) < length:
                body += peer.recv(65536)
            print(b' '.join(head.split(b' ')[:2]).decode(), body.decode())
            if answer:
                peer.sendall(b'HTTP/1.1 200 OK\\r\\ncontent-length: %d\\r\\n\\r\\n' % len(answer) + answer)
                peer.close()
        """
}
