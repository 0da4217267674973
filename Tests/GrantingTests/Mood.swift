// The ways in which real providers misbehave, by name.

/// How an endpoint behaves.
enum Mood: Sendable {
    case obliging
    /// Answers nothing until the test lets it.
    case hanging
    /// Obliges once the test lets it.
    case pausing
    /// Closes the connection in the middle of the answer once the test lets it.
    case pausingAndBreakingOff
    /// Answers this instead.
    case answering(Int, String, headers: [String: String] = [:])
    /// Answers with these pieces, one after another, until there is none.
    case streaming(@Sendable (Int) async throws -> [UInt8]?)
    /// Answers with this many bytes.
    case huge(Int)
    /// Closes the connection in the middle of the answer.
    case breakingOff
    /// Rotates as it should, and then closes the connection in the middle of the answer.
    case rotatingAndBreakingOff
}
