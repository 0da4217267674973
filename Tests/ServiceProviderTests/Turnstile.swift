// Every home has a server, connections and a file, and all tests begin at once: only so many are let in, so that the
// process stays far below the number of descriptors it may have.

import Synchronization

/// Lets a number of tasks in at a time, in the order they came.
final class Turnstile: Sendable {
    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    init(places: Int) { state = Mutex(State(free: places)) }

    func enter() async {
        await withCheckedContinuation { task in
            let isFree = state.withLock { state in
                guard state.free > 0 else {
                    state.waiting.append(task)
                    return false
                }
                state.free -= 1
                return true
            }
            if isFree { task.resume() }
        }
    }

    func leave() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard !state.waiting.isEmpty else {
                state.free += 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
