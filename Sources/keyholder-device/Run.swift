// The program's loop: everything that comes from the broker goes through the verifier, and what leaves is signed.

import ArgumentParser
import Broker
import CommandProtocol
import Delegation
import FoundationEssentials
import Glibc
import Sealing

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Join the home, then verify, act and answer.")

    @Option(help: "The folder of the device's state.") var dir: String
    @Option(help: "The join bundle that 'keyholder device enroll' wrote; ignored once the device has obeyed a command.")
    var join: String?

    func run() async throws {
        let folder = DeviceFolder(path: dir)
        let (runtime, membership) = try DeviceFault.explaining { try prepare(folder) }
        let session = BrokerSession(
            configuration: BrokerConfiguration(
                host: membership.host, port: membership.port, clientID: membership.username,
                username: membership.username, password: { membership.password.revealText() },
                tls: .init(caFile: membership.caFile),
                will: .init(topic: runtime.onlineTopic, payload: Array("offline".utf8), retain: true),
                backoff: Backoff()),
            subscriptions: runtime.subscriptions)
        let events = session.events
        let stop = Termination.signals()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await session.run() }
            group.addTask {
                var runtime = runtime
                for await event in events { try await runtime.handle(event, session: session) }
            }
            group.addTask { for await _ in stop { return } }
            // The session ends only with an error, the signal only once: whichever comes first ends the program.
            defer { group.cancelAll() }
            _ = try await group.next()
        }
    }

    private func prepare(_ folder: DeviceFolder) throws -> (DeviceRuntime, DeviceFolder.Membership) {
        let identity = try folder.identity()
        let isMember = try folder.membership() != nil
        guard isMember || join != nil else {
            throw DeviceFault(
                "the device in \(quoted(dir)) has not joined a home",
                hint: "enrol its label with 'keyholder device enroll', then give --join FILE", exitCode: 2)
        }
        if let join, folder.mayJoin || !isMember {
            do {
                try folder.accept(bundle: try readBundle(join), identity: identity)
            } catch  where isMember {
                // The bundle that was taken may have ended or been deleted since, which must not stop a restart.
                Console.error("note: the bundle was not taken, going on with the one before: \(error)")
            }
        }
        guard let membership = try folder.membership() else { throw DeviceFault("the join bundle was not kept") }
        return (try DeviceRuntime(folder: folder, identity: identity, membership: membership), membership)
    }

    /// A bundle that cannot be read is the caller's mistake, like any other argument.
    private func readBundle(_ path: String) throws -> Secret {
        do throws(PrivateFileError) {
            return try PrivateFile.read(path)
        } catch {
            throw DeviceFault(
                error.description, hint: "nothing was changed; give the file that enrolling wrote", exitCode: 2)
        }
    }
}
