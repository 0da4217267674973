// The only thing that sees SQL rows. Each noun has its own extension; none of them keeps state. What every token request
// asks is prepared once (`cachedStatement`): preparing a statement takes longer than running it, and others wait.

import GRDB

/// One consistent view of the vault, good inside the closure that it was lent to.
package struct Transaction {
    let database: Database
    let sealer: Sealer

    init(database: Database, sealer: Sealer) {
        self.database = database
        self.sealer = sealer
    }
}
