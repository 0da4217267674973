// Nothing here needs root, and nothing that a person may unplug counts.

import FoundationEssentials
import Glibc

extension Machine {
    /// The machine that this process runs on.
    package static var this: Machine {
        Machine(
            id: ["/etc/machine-id", "/var/lib/dbus/machine-id"].lazy.compactMap(text).first {
                $0.utf8.count == 32 && isTelling($0)
            },
            board: [
                "/sys/firmware/devicetree/base/serial-number", "/proc/device-tree/serial-number",
                "/sys/class/dmi/id/product_uuid",
            ].lazy.compactMap(text).first(where: isTelling),
            interfaces: builtInInterfaces())
    }

    private static func builtInInterfaces() -> [String] {
        let folder = "/sys/class/net"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.compactMap { name in
            guard let device = realpath("\(folder)/\(name)/device", nil) else { return nil }
            defer { free(device) }
            guard !String(cString: device).contains("/usb") else { return nil }
            // Wireless interfaces change the address that they show.
            let address =
                text("\(folder)/\(name)/phy80211/macaddress")
                ?? (text("\(folder)/\(name)/addr_assign_type") == "0" ? text("\(folder)/\(name)/address") : nil)
            return address.flatMap { isTelling($0) ? $0 : nil }
        }
    }

    private static func text(_ path: String) -> String? {
        guard let data = FileManager.default.contents(atPath: path), data.count <= 4096 else { return nil }
        let visible = data.filter { (0x21...0x7E).contains($0) }
        return visible.isEmpty ? nil : String(decoding: visible, as: UTF8.self).lowercased()
    }

    /// Whether a number is one, and not what firmware says that was never given one.
    private static func isTelling(_ text: String) -> Bool {
        let digits = text.filter { $0.isLetter || $0.isNumber }
        return Set(digits).count > 3 && text != "03000200-0400-0500-0006-000700080009"
    }
}
