// What is shown of a device is marked as to whether the device signed it.

import CommandProtocol
package import Delegation
import Sealing
package import StrictJSON

extension Commander {
    /// What the hub knows of a device's current boot, from its signed messages.
    package func knowledge(of device: Device) -> JSON? {
        guard let id = DeviceID(rawValue: device.id), let link = links[id], let contact = link.contact else {
            return nil
        }
        return .compact([
            "session": .string(contact.session),
            "live": .bool(contact.isLive),
            "heard_seconds_ago": .integer((configuration.elapsed() - contact.heardAt).milliseconds / 1000),
            "key_set": .integer(link.keySetVersion),
            "firmware": link.hello.map { .string($0.fw) },
            "rejections": link.hello.map { hello in
                .object(hello.rej.sorted { $0.key < $1.key }.map { .init($0.key, .integer($0.value)) })
            },
            "state": link.state?.state,
        ])
    }
}
