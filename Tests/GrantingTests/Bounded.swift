// Whatever a provider does, a test of it is over in thirty seconds; its turn comes first, so that it is not timed while the
// machine is busy with all the others.

import Testing

/// Fails a test that takes longer than a misbehaving provider may hold anybody up.
struct Bounded: TestTrait, SuiteTrait, TestScoping {
    private static let limit = Duration.seconds(30)
    private static let turns = Turns()
    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        await Self.turns.take()
        let start = ContinuousClock.now
        let result = await Result { () async throws in try await function() }
        let took = ContinuousClock.now - start
        await Self.turns.leave()
        #expect(took < Self.limit)
        try result.get()
    }
}

extension Trait where Self == Bounded {
    /// Over in thirty seconds.
    static var bounded: Bounded { Bounded() }
}

/// Lets six in at a time.
private actor Turns {
    private var free = 6
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func take() async {
        guard free == 0 else {
            free -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func leave() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}
