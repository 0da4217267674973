// The only thing that sees SQL rows. Each noun has its own extension; none of them keeps state. What every token request
// asks is prepared once (`cachedStatement`): preparing a statement takes longer than running it, and others wait.

import GRDB

/// How far the audit log came in one transaction.
final class AuditProgress {
    var sequence: Int64?
}

/// One consistent view of the vault, good inside the closure that it was lent to.
package struct Transaction {
    let database: Database
    let sealer: Sealer
    let progress: AuditProgress

    init(database: Database, sealer: Sealer) {
        self.database = database
        self.sealer = sealer
        progress = AuditProgress()
    }
}
