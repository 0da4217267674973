import GRDB

extension Schema {
    static func createGrants(_ db: Database) throws {}
}
