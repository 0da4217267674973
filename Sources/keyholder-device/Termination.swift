// SIGTERM and SIGINT end the program cleanly, so that the broker does not announce the device's will.

@preconcurrency import Dispatch
import Glibc

enum Termination {
    /// Yields once for each signal that asks the program to end.
    static func signals() -> AsyncStream<Int32> {
        AsyncStream { continuation in
            let sources = [SIGTERM, SIGINT].map { number in
                signal(number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
                source.setEventHandler { continuation.yield(number) }
                source.resume()
                return source
            }
            continuation.onTermination = { _ in for source in sources { source.cancel() } }
        }
    }
}
