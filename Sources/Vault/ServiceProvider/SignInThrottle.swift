// Names are counted in a fixed number of buckets, whether they exist or not: guessing neither fills the file nor tells
// which names there are.

package import FoundationEssentials
import GRDB

/// How often signing in failed lately under the names of one bucket.
package struct SignInThrottle: Sendable, Equatable {
    /// How many buckets are there?
    package static let bucketCount = 4096

    /// What is being guessed; each kind has buckets of its own.
    package enum Guess: Int, Sendable {
        case password
        case userCode
        case invitation
    }

    package let failures: Int
    package let blockedUntil: Date
}

extension Transaction {
    /// What is known of a bucket.
    package func signInThrottle(bucket: Int) throws -> SignInThrottle {
        guard
            let row = try Row.fetchOne(
                database, sql: "SELECT * FROM sp_throttle WHERE bucket = ?", arguments: [bucket])
        else { return SignInThrottle(failures: 0, blockedUntil: .distantPast) }
        let columns = Columns(row, table: "sp_throttle")
        return SignInThrottle(
            failures: Int(clamping: try columns.integer("failures")), blockedUntil: try columns.date("blocked_until"))
    }

    /// Counts one more failure.
    package func countSignInFailure(bucket: Int, blockedUntil: Date) throws {
        try database.execute(
            sql: """
                INSERT INTO sp_throttle (bucket, failures, blocked_until) VALUES (?1, 1, ?2)
                ON CONFLICT (bucket) DO UPDATE SET failures = failures + 1, blocked_until = ?2
                """,
            arguments: [bucket, blockedUntil])
    }

    /// Takes the last failure back, which was none: nobody looked.
    package func uncountSignInFailure(bucket: Int, at now: Date) throws {
        try database.execute(
            sql: "UPDATE sp_throttle SET failures = max(failures - 1, 0), blocked_until = ? WHERE bucket = ?",
            arguments: [now, bucket])
    }

    /// Forgets the failures of a bucket.
    package func clearSignInFailures(bucket: Int) throws {
        try database.execute(sql: "DELETE FROM sp_throttle WHERE bucket = ?", arguments: [bucket])
    }
}
