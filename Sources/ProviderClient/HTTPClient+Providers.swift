// Providers are spoken to over verified TLS, without redirects and without decompression.

package import AsyncHTTPClient
import NIOCore
import NIOSSL

extension HTTPClient.Configuration {
    /// How providers are spoken to: no redirects, no decompression, 10 s to connect.
    package static var toProviders: HTTPClient.Configuration { toProviders(trustRoots: nil) }

    /// As ``toProviders``, with further authorities beside the system's.
    ///
    /// `trustRoots` is the path of a PEM file.
    package static func toProviders(trustRoots: String?) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout = Timeout(connect: .seconds(10), read: .seconds(30))
        configuration.connectionPool = ConnectionPool(idleTimeout: .seconds(20))
        // Several profiles may share a host, and a request that hangs holds its connection.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        // Who calls decides when to try again; a refused connection is told at once.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.decompression = .disabled
        configuration.httpVersion = .http1Only
        configuration.tlsConfiguration = .toProviders(trustRoots: trustRoots)
        return configuration
    }
}

extension TLSConfiguration {
    /// Full verification, from TLS 1.2 on.
    static func toProviders(trustRoots: String?) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if let trustRoots { configuration.additionalTrustRoots = [.file(trustRoots)] }
        return configuration
    }
}
