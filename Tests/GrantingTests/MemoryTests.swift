// Whatever is sent, little of it is kept. The size of a process is everybody's who runs in it, so that it is measured in a
// process of its own.

import Delegation
import Foundation
import Granting
import OAuth
import Sealing
import Testing

/// What the process that measures is told, and where it writes what it found.
private let probe = ProcessInfo.processInfo.environment["KEYHOLDER_MEMORY_PROBE"]

@Suite(.timeLimit(.minutes(1)), .bounded) struct MemoryTests {
    @Test(
        "C25: of a gigabyte, a slow drip, a compressed bomb and a deep nest the program keeps less than 16 MiB",
        .enabled(if: probe == nil))
    func bounded() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "memory-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        process.executableURL = URL(
            filePath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        process.arguments = ["--testing-library", "swift-testing", "--filter", "MemoryProbe"]
        process.environment = ProcessInfo.processInfo.environment.merging([
            "KEYHOLDER_MEMORY_PROBE": file.path, "MALLOC_ARENA_MAX": "1",
        ]) { $1 }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let status = try await withCheckedThrowingContinuation { (ended: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { ended.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { ended.resume(throwing: error) }
        }
        #expect(status == 0)
        let growth = try #require(Int(try String(contentsOf: file, encoding: .utf8)))
        #expect(growth <= 16 << 20, "\(growth >> 10) KiB")
    }
}

@Suite(.timeLimit(.minutes(1)), .bounded, .serialized, .enabled(if: probe != nil)) struct MemoryProbe {
    /// The largest size in memory since it was last reset, in bytes.
    private static func peak(reset: Bool = false) throws -> Int {
        if reset { try "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8) }
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(Int(line.split(separator: " ").dropFirst().first ?? "")) << 10
    }

    private static let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 65_536)
    private static let bomb: [UInt8] = [0x1F, 0x8B, 0x08, 0, 0, 0, 0, 0, 0, 3] + Array(repeating: 0, count: 60_000)
    private static let nest = [UInt8](repeating: UInt8(ascii: "["), count: 60_000)

    private static let moods: [Mood] = [
        .streaming { $0 < 16_384 ? piece : nil }, .streaming { $0 == 0 ? bomb : nil },
        .streaming { $0 == 0 ? nest : nil },
        .streaming { _ in
            // The drip is the server's; nobody here waits for it.
            try await Task.sleep(for: .milliseconds(20))
            return [0x20]
        },
    ]

    @Test func growth() async throws {
        let path = try #require(probe)
        try await TestHome.with(rotation: .none, deadline: .seconds(2)) { home in
            let grant = try await home.granted()
            func round() async throws {
                for mood in Self.moods {
                    home.clock.advance(by: .seconds(7200))
                    await home.provider.set("/token", mood)
                    let refused = await refusal { _ = try await home.token(grant.device) }
                    #expect(refused?.kind == .provider)
                }
                await home.provider.set("/token", .obliging)
                home.clock.advance(by: .seconds(7200))
                #expect(try await home.token(grant.device).expiresIn == 3600)
            }
            // What any exchange needs is there after the first one.
            try await round()
            let before = try Self.peak(reset: true)
            for _ in 0..<2 { try await round() }
            try String(try Self.peak() - before).write(toFile: path, atomically: true, encoding: .utf8)
        }
    }
}
