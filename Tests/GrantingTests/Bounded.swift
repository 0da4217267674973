// Whatever a provider does, a test of it is over in thirty seconds.

import Testing

/// Fails a test that takes longer than a misbehaving provider may hold anybody up.
struct Bounded: TestTrait, SuiteTrait, TestScoping {
    private static let limit = Duration.seconds(30)
    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let start = ContinuousClock.now
        try await function()
        #expect(ContinuousClock.now - start < Self.limit)
    }
}

extension Trait where Self == Bounded {
    /// Over in thirty seconds.
    static var bounded: Bounded { Bounded() }
}
