// A login at the broker may do exactly what its role lists; whatever is not listed is denied, receiving included.

import CommandProtocol
import Sealing
import StrictJSON

/// Mosquitto's dynamic-security documents: the first configuration and the control requests.
enum DynamicSecurity {
    static let controlTopic = "$CONTROL/dynamic-security/v1"
    static let responseTopic = "$CONTROL/dynamic-security/v1/response"
    private static let hubRole = "hub"

    /// One access rule of a role.
    struct Rule {
        let type: String
        let topic: String

        var json: JSON {
            ["acltype": .string(type), "topic": .string(topic), "priority": 0, "allow": true]
        }
    }

    /// What a device may do: its own topics, both directions, and nothing else.
    static func deviceRules(site: SiteID, device: DeviceID) -> [Rule] {
        let send = [
            Topic.acknowledgement(site, device), Topic.hello(site, device), Topic.challenge(site, device),
            Topic.state(site, device), Topic.online(site, device),
        ]
        let receive = [
            Topic.command(site, device), Topic.challenge(site, device), Topic.token(site, device), Topic.keys(site),
        ]
        return send.map { Rule(type: "publishClientSend", topic: $0) }
            + receive.flatMap { reading($0, as: "Literal") }
    }

    /// What an observer may do: read what the hub tells people and what is shown to Home Assistant, and say that it is
    /// there, as Home Assistant does.
    static func observerRules(site: SiteID) -> [Rule] {
        reading(notices(site: site), as: "Literal") + reading("homeassistant/#", as: "Pattern")
            + [Rule(type: "publishClientSend", topic: "homeassistant/status")]
    }

    private static func reading(_ topic: String, as kind: String) -> [Rule] {
        ["publishClientReceive", "subscribe\(kind)", "unsubscribe\(kind)"].map { Rule(type: $0, topic: topic) }
    }

    /// Where the hub tells people.
    static func notices(site: SiteID) -> String { "dac/v1/\(site.rawValue)/hub/notice" }

    /// What the hub may do: everything below its site, administer the broker's logins, and show
    /// itself to Home Assistant.
    static func hubRules(site: String) -> [Rule] {
        [
            Rule(type: "publishClientSend", topic: "dac/v1/\(site)/#"),
            Rule(type: "publishClientReceive", topic: "dac/v1/\(site)/#"),
            Rule(type: "subscribePattern", topic: "dac/v1/\(site)/#"),
            Rule(type: "publishClientSend", topic: controlTopic),
            Rule(type: "publishClientReceive", topic: responseTopic),
            Rule(type: "subscribeLiteral", topic: responseTopic),
            homeAssistantRule(site: site),
        ]
    }

    /// Where the hub shows itself to Home Assistant; `homeassistant` is the discovery prefix that comes with it.
    static func homeAssistantPrefix(site: String) -> String {
        "homeassistant/binary_sensor/keyholder_\(site)_attention/"
    }

    private static func homeAssistantRule(site: String) -> Rule {
        Rule(type: "publishClientSend", topic: homeAssistantPrefix(site: site) + "#")
    }

    /// Requests that let the hub of a home that was made without this right show itself to Home Assistant. The broker
    /// then disconnects the hub once.
    static func admitHomeAssistant(site: String) -> [JSON] {
        let rule = homeAssistantRule(site: site).json.members ?? []
        return [.object([.init("command", "addRoleACL"), .init("rolename", .string(hubRole))] + rule)]
    }

    /// The file that the broker starts with: one login, the hub's, and four defaults that deny.
    static func initialDocument(site: String, hubUser: String, password: Secret) throws(SealingError) -> JSON {
        let salt = Random.bytes(12)
        let iterations = 10_000
        let hash = try PBKDF2.sha512(password: password, salt: salt, iterations: iterations)
        return [
            "defaultACLAccess": [
                "publishClientSend": false, "publishClientReceive": false, "subscribe": false, "unsubscribe": false,
            ],
            "clients": [
                [
                    "username": .string(hubUser), "textname": "Keyholder's hub",
                    "roles": [["rolename": .string(hubRole)]],
                    "password": .string(Base64.encode(hash, as: .standard)),
                    "salt": .string(Base64.encode(salt, as: .standard)), "iterations": .integer(Int64(iterations)),
                ]
            ],
            "groups": [],
            "roles": [["rolename": .string(hubRole), "acls": .array(hubRules(site: site).map(\.json))]],
        ]
    }

    /// Requests that give a device its login; an earlier one of the same name is replaced.
    static func admit(_ device: DeviceID, site: SiteID, password: Secret) -> [JSON] {
        dismiss(device)
            + create(
                device.rawValue, role: roleName(device), rules: deviceRules(site: site, device: device),
                password: password)
    }

    /// Requests that give an observer its login; an earlier one of the same name is replaced.
    static func admit(observer user: String, site: SiteID, password: Secret) -> [JSON] {
        dismiss(observer: user) + create(user, role: user, rules: observerRules(site: site), password: password)
    }

    private static func create(_ user: String, role: String, rules: [Rule], password: Secret) -> [JSON] {
        [
            ["command": "createRole", "rolename": .string(role), "acls": .array(rules.map(\.json))],
            [
                "command": "createClient", "username": .string(user), "password": .string(password.revealText()),
                "roles": [["rolename": .string(role)]],
            ],
        ]
    }

    /// Requests that take a device's login away; whoever uses it is disconnected.
    static func dismiss(_ device: DeviceID) -> [JSON] { delete(device.rawValue, role: roleName(device)) }

    /// Requests that take an observer's login away; whoever uses it is disconnected.
    static func dismiss(observer user: String) -> [JSON] { delete(user, role: user) }

    /// Both go: a client that is only disabled keeps rights in Mosquitto 2.
    private static func delete(_ user: String, role: String) -> [JSON] {
        [
            ["command": "deleteClient", "username": .string(user)],
            ["command": "deleteRole", "rolename": .string(role)],
        ]
    }

    /// Asks for user names, beginning with the one at `offset`; so many that the answer fits into a message.
    static func listClients(from offset: Int) -> JSON {
        ["command": "listClients", "count": 400, "offset": .integer(Int64(offset))]
    }

    private static func roleName(_ device: DeviceID) -> String { "device-\(device.rawValue)" }
}
