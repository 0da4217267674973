// Asked twice, it shows the same label: a device makes its keys once.

import ArgumentParser
import CommandProtocol
import Delegation
import FoundationEssentials
import Settings

struct Init: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a device and print its label.",
        discussion: "The label holds the one-time code: whoever reads it can enrol the device. Treat it like a key.")

    @Option(help: "The folder of the device's state.") var dir: String
    @Option(help: "What it is: <kind>/<model>, such as locks/demo-lock, or a profile's YAML file.") var profile: String

    func run() throws {
        try DeviceFault.explaining {
            let folder = DeviceFolder(path: dir)
            if !folder.exists {
                let (text, reference) = try profileText()
                try folder.create(profileText: text, reference: reference)
            }
            Console.out(try folder.label().revealText())
        }
    }

    private func profileText() throws -> (text: String, reference: ProfileReference) {
        if profile.hasSuffix(".yaml") {
            let parts = profile.dropLast(5).split(separator: "/").suffix(2).joined(separator: "/")
            guard let reference = ProfileReference(rawValue: parts) else { throw unknown(profile) }
            return (try SettingsFile.read(profile), reference)
        }
        guard let reference = ProfileReference(rawValue: profile) else { throw unknown(profile) }
        for folder in ProfileFolder.installedFolders() {
            let file = "\(folder)/\(reference).yaml"
            if FileManager.default.fileExists(atPath: file) { return (try SettingsFile.read(file), reference) }
        }
        throw DeviceFault("no device profile \(quoted(profile))", hint: "give the profile's YAML file", exitCode: 8)
    }

    private func unknown(_ text: String) -> DeviceFault {
        DeviceFault(
            "profile \(quoted(text)) is not <kind>/<model>",
            hint: "kinds are \(ProfileReference.kinds.joined(separator: ", "))", exitCode: 2)
    }
}
