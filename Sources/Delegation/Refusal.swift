// What a person reads when something is not done: one sentence that says what and which, and one that says what to do.
// The kind decides the CLI's exit code and the HTTP status, in this one place.

/// A request that was not carried out, explained for the person who made it.
///
/// Nothing has changed when it is thrown, unless the message says so. It never holds a secret.
package struct Refusal: Error, Sendable, Equatable, CustomStringConvertible {
    /// Why; decides exit code and HTTP status.
    package enum Kind: String, Sendable, CaseIterable {
        case failure
        case usage
        case notAuthorised = "not_authorised"
        case rejected
        case unknownOutcome = "unknown_outcome"
        case unreachable
        case sealed
        case notFound = "not_found"
        case provider
        case conflict

        /// The CLI's exit code (see INTERFACE: exit codes).
        package var exitCode: Int32 {
            switch self {
            case .failure, .conflict: 1
            case .usage: 2
            case .notAuthorised: 3
            case .rejected: 4
            case .unknownOutcome: 5
            case .unreachable: 6
            case .sealed: 7
            case .notFound: 8
            case .provider: 9
            }
        }

        /// The HTTP status of the control API.
        package var httpStatus: Int {
            switch self {
            case .failure: 500
            case .usage: 400
            case .notAuthorised: 403
            case .rejected: 422
            case .unknownOutcome: 504
            case .unreachable, .sealed: 503
            case .notFound: 404
            case .provider: 502
            case .conflict: 409
            }
        }
    }

    package let kind: Kind
    /// Lower case, no full stop, quotes the datum.
    package let message: String
    /// What to do next, if anything can be done.
    package let hint: String?

    /// Explains a refusal.
    package init(_ kind: Kind, _ message: String, hint: String? = nil) {
        self.kind = kind
        self.message = message
        self.hint = hint
    }

    package var description: String { message }
}
