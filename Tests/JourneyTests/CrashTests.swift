// The crash sweeps of Scripts/sweep in short: the real daemon dies in the middle of refreshes at a provider that rotates
// its tokens, and the provider's own log is held against what the next start makes of it.

import Foundation
import StrictJSON
import Testing

@Suite struct CrashTests {
    // Three rows beside one another, because each waits most of its time.
    @Suite(.serialized) struct Kills {
        @Test(
            "killed at random moments: nothing lost within a grace, one grant at most with a strict provider, none silently",
            .timeLimit(.minutes(1)), arguments: ["none", "grace", "strict"])
        func kills(provider: String) async throws {
            let told = try await sweep("kills", "--provider", provider, "--runs", "10", "--grants", "4")
            #expect(told["crashes"]?.integer == 10)
            #expect(told["silently_lost"]?.integer == 0)
            let lost = told[provider == "strict" ? "most_lost_by_one_crash" : "grants_lost"]?.integer
            #expect(try #require(lost) <= (provider == "strict" ? 1 : 0))
        }

        @Test("killed, and down for longer than the provider's grace: one grant at most", .timeLimit(.minutes(1)))
        func lapsed() async throws {
            let told = try await sweep("kills", "--provider", "lapsed", "--runs", "2", "--grants", "4")
            #expect(told["crashes"]?.integer == 2)
            #expect(try #require(told["most_lost_by_one_crash"]?.integer) <= 1)
            #expect(told["silently_lost"]?.integer == 0)
        }
    }

    @Suite(.serialized) struct Points {
        @Test("killed at every named place: the next start goes on from the last mark", .timeLimit(.minutes(1)))
        func failpoints() async throws {
            let told = try await sweep("failpoints", "--provider", "grace")
            let points = try #require(told["points"]?.members)
            #expect(points.count >= 17)
            for point in points { #expect(point.value.string == "kept", "\(point.name)") }
            #expect(told["grants_lost"]?.integer == 0)
        }

        @Test("killed before and after the first calls by which a refresh changes anything", .timeLimit(.minutes(1)))
        func syscalls() async throws {
            let told = try await sweep("syscalls", "--provider", "grace", "--runs", "6")
            #expect(told["points_killed"]?.integer == 12)
            #expect(told["grants_lost"]?.integer == 0)
        }
    }

    @Suite(.serialized) struct Faults {
        @Test(
            "on a disk that is full nothing false is said, nothing is lost, and it goes on when there is room",
            .timeLimit(.minutes(1)), .enabled("file systems can be mounted") { try await canMount() })
        func fullDisk() async throws {
            let told = try await sweep("disk", "--runs", "3")
            for count in ["false_successes", "daemon_died", "not_resumed", "sent_and_not_kept", "grants_lost"] {
                #expect(told[count]?.integer == 0, "\(count)")
            }
        }

        @Test(
            "the power fails: what was acknowledged is there", .timeLimit(.minutes(1)),
            .enabled("file systems can be mounted") { try await canMount() })
        func powerCut() async throws {
            let told = try await sweep("powercut", "--runs", "3")
            #expect(told["acknowledged_lost"]?.integer == 0)
            #expect(told["grants_lost"]?.integer == 0)
            // The same with a disk that only pretends to write.
            #expect(try #require(told["control_acknowledged_lost"]?.integer) > 0)
        }

        @Test("ended while a provider takes its time: its answer is waited for and kept", .timeLimit(.minutes(1)))
        func drain() async throws {
            let told = try await sweep("drain", "--provider", "strict", "--runs", "2")
            #expect(told["clean_ends"]?.integer == 2)
            #expect(told["rotations_not_kept"]?.integer == 0)
        }
    }
}

/// Runs a sweep that keeps every promise; what it found of the first of its parts.
private func sweep(_ arguments: String...) async throws -> JSON {
    let finished = try await Program.run(
        "/usr/bin/env",
        ["python3", "\(Places.root)/Scripts/sweep.py"] + arguments + ["--programs", Places.programs, "--json"])
    let told = try finished.output.split(separator: "\n").map { try JSON(parsing: String($0)) }
    for part in told {
        let faults = (part["faults"]?.array ?? []).compactMap(\.string)
        #expect(faults.isEmpty, "\(faults.joined(separator: "; "))\n\(part["cases"]?.text ?? "")")
    }
    #expect(finished.status == 0, "\(finished.errors)")
    return try #require(told.first, "\(finished.errors)")
}

private func canMount() async throws -> Bool {
    let finished = try await Program.run("/usr/bin/env", ["python3", "\(Places.root)/Scripts/sweep.py", "mounts"])
    return finished.status == 0
}
