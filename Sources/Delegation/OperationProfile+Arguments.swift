// Arguments are checked here before anything is signed; the device checks them again.

package import StrictJSON

extension OperationProfile {
    /// The arguments of a command, from `name=value` pairs as typed by a person.
    ///
    /// - Throws: ``Refusal`` of kind `usage` naming the argument, what was found and what is allowed.
    package func arguments(typed pairs: [(name: String, value: String)]) throws(Refusal) -> JSON {
        var members: [JSON.Member] = []
        for (name, text) in pairs {
            let profile = try argument(name)
            try checkIsNew(name, among: members)
            guard let value = profile.kind.value(of: text) else { throw outOfRange(profile, found: quoted(text)) }
            members.append(.init(name, value))
        }
        return try complete(members)
    }

    /// The arguments of a command, from a JSON object.
    ///
    /// - Throws: ``Refusal`` of kind `usage` naming the argument, what was found and what is allowed.
    package func arguments(checking object: JSON) throws(Refusal) -> JSON {
        guard let given = object.members else {
            throw Refusal(.usage, "args must be an object", hint: "send {} for an operation without arguments")
        }
        for (index, member) in given.enumerated() {
            let profile = try argument(member.name)
            try checkIsNew(member.name, among: given[..<index])
            guard profile.kind.accepts(member.value) else {
                throw outOfRange(profile, found: quoted(member.value.text))
            }
        }
        return try complete(given)
    }

    private func argument(_ name: String) throws(Refusal) -> ArgumentProfile {
        guard let profile = arguments.first(where: { isSame($0.name, name) }) else {
            throw Refusal(
                .usage, "\(self.name) takes no argument \(quoted(name))",
                hint: arguments.isEmpty
                    ? "it takes none" : "it takes \(arguments.map(\.name).joined(separator: ", "))")
        }
        return profile
    }

    private func checkIsNew(_ name: String, among members: some Sequence<JSON.Member>) throws(Refusal) {
        guard !members.contains(where: { isSame($0.name, name) }) else {
            throw Refusal(.usage, "argument \(quoted(name)) is given twice")
        }
    }

    private func outOfRange(_ profile: ArgumentProfile, found: String) -> Refusal {
        Refusal(
            .usage, "\(name): \(profile.name) is \(found), allowed is \(profile.kind.allowed)",
            hint: "nothing was sent")
    }

    private func complete(_ members: [JSON.Member]) throws(Refusal) -> JSON {
        for profile in arguments where profile.required && !members.contains(where: { $0.name == profile.name }) {
            throw Refusal(
                .usage, "\(name) needs the argument \(profile.name)",
                hint: "give \(profile.name)=… (\(profile.kind.allowed))")
        }
        return .object(members)
    }
}
