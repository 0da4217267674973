// The pause after a wrong guess grows, and a right one forgets them all; what takes long to check is counted before.

import FoundationEssentials
import Vault

extension HomeProvider {
    /// How many failures are free?
    private static let freeFailures = 4
    /// How long is the longest pause, in seconds?
    private static let longestPause = 300

    /// Where guesses of one kind for one name are counted.
    static func bucket(_ name: String, of guess: SignInThrottle.Guess) -> Int {
        let digest = hash(name)
        let number = (Int(digest[0]) << 8 | Int(digest[1])) % SignInThrottle.bucketCount
        return guess.rawValue * SignInThrottle.bucketCount + number
    }

    /// Refuses a guess that comes too early.
    ///
    /// - Throws: ``ProviderFault/tooOften(seconds:)``.
    func requireNotBlocked(_ bucket: Int, at now: Date, in transaction: Transaction) throws {
        let throttle = try transaction.signInThrottle(bucket: bucket)
        guard throttle.blockedUntil <= now else {
            throw ProviderFault.tooOften(seconds: Int(throttle.blockedUntil.timeIntervalSince(now).rounded(.up)))
        }
    }

    /// Counts a guess as wrong.
    func countFailure(_ bucket: Int, at now: Date, in transaction: Transaction) throws {
        let exponent = try transaction.signInThrottle(bucket: bucket).failures + 1 - Self.freeFailures
        let pause = exponent < 0 ? 0 : min(Self.longestPause, 1 << min(exponent, 20))
        try transaction.countSignInFailure(bucket: bucket, blockedUntil: now.advanced(by: .seconds(pause)))
    }
}
