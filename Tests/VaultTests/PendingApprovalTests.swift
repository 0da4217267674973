// An approval on its way is found by what comes back or by its grant, and only once.

import Delegation
import Foundation
import Sealing
import Testing
import Vault

@Suite struct PendingApprovalTests {
    private static let prompt = DevicePrompt(
        userCode: "WDJB-MJHT", verificationURI: "https://cloud.example/device",
        verificationURIComplete: "https://cloud.example/device?user_code=WDJB-MJHT", interval: 5)

    @Test("what a device code needs comes back whole, with its key, after a restart")
    func device() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            let sample = try await GrantSample.put(into: vault, flow: .device)
            try await vault.write {
                try $0.insertPendingApproval(
                    sample.pending(handle: "device-code", flow: .device, dpopKey: "key", device: Self.prompt))
            }
            try vault.close()
            #expect(!(try folder.allBytes()).contains(Data("device-code".utf8)))
            let again = try await folder.reopen()
            let found = try await again.read { try $0.pendingApprovals(flow: .device) }
            #expect(found.map(\.grant) == [sample.grant.id])
            #expect(found.first?.handle.revealText() == "device-code")
            #expect(found.first?.dpopKey?.revealText() == "key")
            #expect(found.first?.device == Self.prompt)
            #expect(found.first?.flow == .device)
            #expect(found.first?.expiresAt == noon + 600)
            #expect(try await again.read { try $0.pendingApprovals(flow: .redirect) }.isEmpty)
            try again.close()
        }
    }

    @Test("slowing down is remembered for the code that was told to, and for nothing else")
    func interval() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            let sample = try await GrantSample.put(into: vault, flow: .device)
            let other = try await GrantSample.put(into: vault, device: "hall", flow: .device)
            let browser = try await GrantSample.put(into: vault, device: "attic")
            try await vault.write {
                for (sample, code) in [(sample, "a"), (other, "b")] {
                    try $0.insertPendingApproval(sample.pending(handle: code, flow: .device, device: Self.prompt))
                }
                try $0.insertPendingApproval(browser.pending(handle: "state"))
                try $0.setPendingInterval(10, of: sample.grant.id)
                try $0.setPendingInterval(10, of: browser.grant.id)
            }
            let found = try await vault.read { try $0.pendingApprovals(flow: .device) }
            #expect(found.map(\.device?.interval) == [10, 5])
            #expect(try await vault.read { try $0.pendingApproval(of: browser.grant.id)?.device } == nil)
            try vault.close()
        }
    }

    @Test("taken by its grant or by its handle, an approval is gone for both")
    func taken() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            let sample = try await GrantSample.put(into: vault)
            for isByGrant in [true, false] {
                try await vault.write { try $0.insertPendingApproval(sample.pending(handle: "state", dpopKey: "key")) }
                let taken = try await vault.write {
                    try isByGrant
                        ? $0.takePendingApproval(of: sample.grant.id)
                        : $0.takePendingApproval(handle: Secret(text: "state"))
                }
                #expect(taken?.grant == sample.grant.id)
                #expect(taken?.dpopKey?.revealText() == "key")
                #expect(taken?.device == nil)
                let again = try await vault.write {
                    (
                        try $0.takePendingApproval(of: sample.grant.id),
                        try $0.takePendingApproval(handle: Secret(text: "state"))
                    )
                }
                #expect(again.0 == nil && again.1 == nil)
            }
            try vault.close()
        }
    }

    @Test("a damaged approval does not keep the others from being asked for; a sealed vault says that it is sealed")
    func damaged() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            let sample = try await GrantSample.put(into: vault, flow: .device)
            let other = try await GrantSample.put(into: vault, device: "hall", flow: .device)
            try await vault.write {
                for (sample, code) in [(sample, "a"), (other, "b")] {
                    try $0.insertPendingApproval(sample.pending(handle: code, flow: .device, device: Self.prompt))
                }
            }
            try vault.close()
            try await folder.sqlite(
                "UPDATE pending_approval SET sealed_handle = x'00' WHERE grant_id = '\(sample.grant.id)'")
            let again = try await folder.reopen()
            #expect(try await again.read { try $0.pendingApprovals(flow: .device).map(\.grant) } == [other.grant.id])
            again.seal()
            await #expect(throws: VaultError.sealed) { try await again.read { try $0.pendingApprovals(flow: .device) } }
            try again.close()
        }
    }
}
