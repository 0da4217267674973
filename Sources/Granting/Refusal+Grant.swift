// What people read when a grant cannot be used; each state of a grant has its own sentence and its own next step.

import Delegation
import OAuth
import ProviderClient
import Vault

extension Refusal {
    static func noGrant(for device: DeviceName) -> Refusal {
        Refusal(
            .notAuthorised, "no grant for device \(quoted(device.rawValue))",
            hint: "run 'keyholder grant request \(device)' and approve it")
    }

    /// Why a grant that is not active cannot be used.
    static func unusable(_ grant: Grant) -> Refusal {
        let name = quoted(grant.device.rawValue)
        let again = "run 'keyholder grant request \(grant.device)' and approve it"
        let because = grant.reason.map { ": \($0)" } ?? ""
        switch grant.state {
        case .pending:
            return Refusal(
                .notAuthorised, "the grant for device \(name) waits for approval",
                hint:
                    "approve it on the provider's page; 'keyholder grant show \(grant.device) --wait' tells when it is done"
            )
        case .needsReauth:
            return Refusal(.notAuthorised, "the grant for device \(name) needs approval again\(because)", hint: again)
        case .denied:
            return Refusal(.notAuthorised, "the owner denied the grant for device \(name)", hint: again)
        case .revoked:
            return Refusal(.notAuthorised, "the grant for device \(name) was revoked\(because)", hint: again)
        case .active:
            return Refusal(.conflict, "the grant for device \(name) has changed meanwhile", hint: "try again")
        }
    }

    static func notCovered(_ operation: String, by grant: Grant) -> Refusal {
        Refusal(
            .notAuthorised,
            "the grant for device \(quoted(grant.device.rawValue)) does not cover \(quoted(operation))",
            hint: grant.scopes.isEmpty
                ? "run 'keyholder grant request \(grant.device)' and approve it"
                : "it covers \(grant.scopes.joined(separator: ", ")); run 'keyholder grant request \(grant.device)'")
    }

    static let sealed = Refusal(.sealed, "the vault is sealed", hint: "run 'keyholder unseal'")

    /// What a profile leaves open, and nobody has filled in.
    static func unset(_ profile: ProviderProfile) -> Refusal {
        let names = profile.unsetVariables.joined(separator: ", ")
        return Refusal(
            .usage, "provider \(quoted(profile.name.rawValue)) needs a value for \(names)",
            hint: "run 'keyholder provider set \(profile.name) \(profile.unsetVariables.first ?? "name")=VALUE'")
    }

    static func noConsumer(_ provider: ProviderName) -> Refusal {
        Refusal(
            .notAuthorised, "no consumer for provider \(quoted(provider.rawValue))",
            hint: "run 'keyholder consumer add \(provider) --key KEY'")
    }

    static func quarantined(_ reason: String) -> Refusal {
        Refusal(
            .conflict, "the vault is quarantined: \(reason)",
            hint: "if no other hub uses this vault, run 'keyholder quarantine lift'")
    }

    /// Why an access token does not leave the keeper.
    static func signOnly(_ grant: Grant) -> Refusal {
        Refusal(
            .notAuthorised, "the grant for device \(quoted(grant.device.rawValue)) only signs; its token stays inside",
            hint: "run 'keyholder sign \(grant.device) METHOD URL', or ask for a grant without --sign-only")
    }

    static func provider(_ name: ProviderName, _ failure: some CustomStringConvertible) -> Refusal {
        Refusal(.provider, "provider \(quoted(name.rawValue)): \(failure)", hint: "try again later")
    }
}

/// Runs `body` and puts errors of the layers below into words for the person who asked.
func explained<T>(_ provider: ProviderName? = nil, _ body: () async throws -> T) async throws -> T {
    do {
        return try await body()
    } catch VaultError.sealed {
        throw Refusal.sealed
    } catch VaultError.diskFull {
        throw Refusal(.failure, "there is no space left on the disk", hint: "make room; nothing was changed")
    } catch let failure as ProviderFailure {
        throw provider.map { .provider($0, failure) } ?? Refusal(.provider, failure.description)
    } catch let failure as OAuthError {
        throw provider.map { .provider($0, failure) } ?? Refusal(.provider, failure.description)
    }
}
