// A login's password is in one answer and nowhere else.

import Commanding
import Hummingbird
import Sealing
import StrictJSON

extension ControlAPI {
    func addBroker(to router: Router<ControlContext>) {
        let parts = parts
        router.get("/v1/broker/logins") { _, _ in
            Response(json: ["logins": .array(try await parts.commander.observers().map(\.json))])
        }
        router.post("/v1/broker/logins") { request, context in
            let body = try await RequestBody(request, context)
            let made = try await parts.commander.addObserver(try body.text("name"), by: context.requester)
            return Response(
                json: ["login": made.login.json, "password": .string(made.password.revealText())], status: .created)
        }
        router.delete("/v1/broker/logins/{name}") { _, context in
            let name = try context.part("name")
            try await parts.commander.removeObserver(name, by: context.requester)
            return Response(json: ["removed": .string(name)])
        }
    }
}

extension ObserverLogin {
    /// What is typed into a client.
    fileprivate var json: JSON {
        [
            "name": .string(name), "user": .string(user), "host": .string(host), "port": .integer(Int64(port)),
            "ca_file": .string(caFile),
        ]
    }
}
