import GRDB

extension Schema {
    static func createServiceProvider(_ db: Database) throws {}
}
