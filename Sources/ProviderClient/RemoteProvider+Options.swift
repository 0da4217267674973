// What a profile calls a dialect is handed to the reader of replies; nothing is decided on the way.

import Delegation
package import OAuth
import StrictJSON

extension RemoteProvider {
    /// How the replies of this provider's token endpoint are read.
    package var tokenReplyOptions: RefreshVerdict.Options {
        var options = RefreshVerdict.Options()
        if let separator = profile.scopeSeparator.first { options.reply.scopeSeparator = separator }
        guard case .oauth2(let endpoints) = profile.endpoints else { return options }
        let dialect = endpoints.reply
        options.reply.defaultLifetime = endpoints.defaultLifetime
        options.reply.expiryField = dialect.expiryField
        options.reply.expiryUnit = dialect.expiryUnit.seconds
        options.reply.tokenPath = dialect.tokenPath
        options.reply.successTest = dialect.success.map { test in
            TokenReplyOptions.SuccessTest(
                field: test.field, value: (try? JSON(parsing: test.value)) ?? .string(test.value))
        }
        options.errorPaths = dialect.errorPaths
        options.errorMap = dialect.errors.compactMapValues { RefreshVerdict.Meaning(rawValue: $0.rawValue) }
        options.withoutCode = RefreshVerdict.Meaning(rawValue: dialect.withoutCode.rawValue) ?? options.withoutCode
        return options
    }

    /// How the reply to a token exchange is read (RFC 8693 §2.2).
    package var tokenExchangeOptions: TokenReplyOptions {
        var options = tokenReplyOptions.reply
        options.isTokenExchange = true
        return options
    }

    /// How the reply to a request for a device code is read.
    package var deviceAuthorizationOptions: DeviceAuthorizationReply.Options {
        var options = DeviceAuthorizationReply.Options()
        guard case .oauth2(let endpoints) = profile.endpoints else { return options }
        options.deviceCodeField = endpoints.device.deviceCodeField
        options.userCodeField = endpoints.device.userCodeField
        options.expiryUnit = endpoints.device.expiryUnit.seconds
        options.verificationURI = endpoints.device.verificationURI
        return options
    }

    /// How the answers to a waiting device are read.
    package var devicePollingOptions: DevicePolling.Options {
        var options = DevicePolling.Options()
        options.reply = tokenReplyOptions.reply
        guard case .oauth2(let endpoints) = profile.endpoints else { return options }
        options.errorPaths = endpoints.reply.errorPaths
        options.errorMap = endpoints.device.errors.compactMapValues { DevicePolling.Meaning(rawValue: $0.rawValue) }
        return options
    }
}
