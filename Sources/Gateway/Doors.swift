// The daemon is ready when everything it promised to listen on really listens, and says so once.

/// Counts listeners as they open.
actor Doors {
    private var closed: Int
    private let whenAllOpen: @Sendable () async -> Void

    init(count: Int, whenAllOpen: @escaping @Sendable () async -> Void) {
        closed = count
        self.whenAllOpen = whenAllOpen
    }

    /// Notes that one more listener accepts.
    func opened() async {
        closed -= 1
        if closed == 0 { await whenAllOpen() }
    }
}
