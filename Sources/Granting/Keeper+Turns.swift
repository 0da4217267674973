// A refresh takes its turn before it sends anything, and gives it back whatever happens.

import Delegation
import Vault

extension Keeper {
    /// Returns when it is this grant's turn to talk to its provider.
    func takeTurn(_ record: GrantRecord, _ profile: ProviderProfile) async {
        // Also where a replaced token works for a while: the power may be away for longer.
        let isExclusive = profile.rotation != OAuth2Endpoints.Rotation.none
        await withCheckedContinuation { go in
            lanes.queue(
                Lanes.Request(
                    id: record.grant.id, provider: record.grant.provider, isExclusive: isExclusive,
                    isUrgent: hurried.contains(record.grant.id), perMinute: profile.refreshesPerMinute,
                    go: go))
            admit()
        }
    }

    func leaveTurn(_ id: GrantID) {
        lanes.leave(id, at: time.uptime())
        hurried.remove(id)
        admit()
    }

    /// Lets in whoever may go, everybody when nothing is sent any more.
    func admit() {
        laneTimer?.cancel()
        laneTimer = nil
        if reticence != nil {
            for go in lanes.open(at: time.uptime()) { go.resume() }
            return
        }
        let (ready, next) = lanes.admit(at: time.uptime())
        for go in ready { go.resume() }
        guard let next else { return }
        let time = time
        // Ends with its sleep, or with the next look.
        laneTimer = Task {
            do { try await time.sleep(next) } catch { return }
            self.admit()
        }
    }
}

extension ProviderProfile {
    /// What a refresh does to the refresh token; `nil` with OAuth 1.0a.
    var rotation: OAuth2Endpoints.Rotation? {
        if case .oauth2(let endpoints) = endpoints { endpoints.rotation } else { nil }
    }
}
